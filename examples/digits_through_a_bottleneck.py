"""A network that gives back the digit it is given, through a layer of 16 units: an autoencoder.

    python examples/digits_through_a_bottleneck.py

>>> model, error = main(images=500, epochs=20)
>>> error < 25  # that of an empty picture is 82, of the mean of all images 51
True
>>> model.encode(mnist().test.images[:5]).shape
(5, 16)
"""

import jax
import numpy as np

from firsthand import Recipe, Splits, mnist, nn, train
from firsthand.data import Noise
from firsthand.learning import Reconstruction


def main(images=50_000, epochs=30):
    data = mnist()
    few = Splits(data.train[:images], data.validation[:1000], None)

    layers = (
        nn.FullyConnected(128, "relu"),
        nn.FullyConnected(16, "linear"),  # all that is known of the digit from here on
        nn.FullyConnected(128, "relu"),
        nn.FullyConnected(784, "sigmoid"),
    )
    network = nn.Network(layers, input_shape=(28, 28, 1))
    # noise on the way in, none on the way out: what does not belong to the digit is to be forgotten
    objective = Reconstruction(cross_entropy=True, noise=Noise(0.1))
    recipe = Recipe(epochs, batch_size=20, learning_rate=0.003, momentum=0.9, objective=objective)

    model = train(network, few, recipe, key=jax.random.key(0)).model
    return model, float(np.mean(model.errors(data.test.images[:1000])))


if __name__ == "__main__":
    print(f"mean squared error of a test image, summed over its pixels: {main()[1]:.2f}")
