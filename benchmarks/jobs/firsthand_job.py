"""The job in firsthand."""

import numpy as np

from firsthand import Model, Network, Recipe, nn, train

from .given import BATCH, EPOCHS, RATE, SEED

PACKAGES = ("jax",)


def job(data, folder):
    network = Network((nn.FullyConnected(100, "relu"), nn.Softmax(10)), input_shape=(784,))
    recipe = Recipe(EPOCHS, BATCH, RATE)
    model, _ = train(network, ((data.x, data.y), (data.x_val, data.y_val)), recipe, key=SEED)
    model.save(folder / "model.safetensors")
    model = Model.load(folder / "model.safetensors")
    return np.mean(model.predict(data.x_test) == data.y_test)


def _train(data, network, x=None, y=None):
    x, y = data.x[:200] if x is None else x, data.y[:200] if y is None else y
    model, _ = train(network, (x, y), Recipe(1, 10, 0.1), key=0)
    return f"validation accuracy {model.provenance['accuracies']['validation']:.0%}"


def _network(activation="relu", shape=(784,)):
    return Network((nn.FullyConnected(100, activation), nn.Softmax(10)), input_shape=shape)


MISTAKES = {
    "a misspelt activation": lambda data: _train(data, _network("rleu")),
    "inputs of another size": lambda data: _train(data, _network(), x=data.x[:200, :700]),
    "a label 10 of ten classes": lambda data: _train(data, _network(), y=np.arange(200) % 11),
    "pixels of 0 to 255 for a model of images": lambda data: _pixels(data),
}


def _pixels(data):
    images = np.rint(255 * data.x[:200]).astype(np.uint8).reshape(-1, 28, 28, 1)
    model, _ = train(_network(shape=(28, 28, 1)), (images, data.y[:200]), Recipe(1, 10, 0.1), key=0)
    return model.probabilities(images.astype(np.float32)).max()
