"""The job in skorch."""

import numpy as np
import torch
from skorch import NeuralNetClassifier
from skorch.callbacks import Checkpoint, EpochScoring
from skorch.dataset import Dataset
from skorch.helper import predefined_split
from torch import nn

from .given import BATCH, EPOCHS, RATE, SEED

PACKAGES = ("skorch", "torch")


def network(wide=784):
    return nn.Sequential(nn.Linear(wide, 100), nn.ReLU(), nn.Linear(100, 10))


PARTS = (network,)


def job(data, folder):
    torch.manual_seed(SEED)
    best = Checkpoint(monitor="valid_acc_best", dirname=folder)
    settings = {
        "criterion": nn.CrossEntropyLoss,
        "optimizer": torch.optim.SGD,
        "lr": RATE,
        "batch_size": BATCH,
        "max_epochs": EPOCHS,
        "iterator_train__shuffle": True,
        "train_split": predefined_split(Dataset(data.x_val, data.y_val)),
        "verbose": 0,
    }
    NeuralNetClassifier(network(), callbacks=[best], **settings).fit(data.x, data.y)
    model = NeuralNetClassifier(network(), **settings).initialize()
    model.load_params(checkpoint=best)
    return np.mean(model.predict(data.x_test) == data.y_test)


def _train(data, module=None, x=None, y=None):
    model = NeuralNetClassifier(
        network() if module is None else module,
        criterion=nn.CrossEntropyLoss,
        optimizer=torch.optim.SGD,
        lr=0.1,
        batch_size=10,
        max_epochs=1,
        verbose=0,
        callbacks=[("train_acc", EpochScoring("accuracy", on_train=True))],
    )
    x, y = data.x[:200] if x is None else x, data.y[:200] if y is None else y
    model.fit(np.ascontiguousarray(x), y)
    return f"validation accuracy {model.history[-1, 'valid_acc']:.0%}"


MISTAKES = {
    "a misspelt activation": lambda data: nn.RleU(),
    "inputs of another size": lambda data: _train(data, x=data.x[:200, :700]),
    "a label 10 of ten classes": lambda data: _train(data, y=np.arange(200) % 11),
    "pixels of 0 to 255 for a model of images": lambda data: _train(data, x=255 * data.x[:200]),
}
