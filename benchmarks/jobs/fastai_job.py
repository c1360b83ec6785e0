"""The job in fastai."""

import numpy as np
import torch
from fastai.callback.tracker import SaveModelCallback
from fastai.data.core import DataLoaders
from fastai.learner import Learner
from fastai.losses import CrossEntropyLossFlat
from fastai.metrics import accuracy
from fastai.optimizer import SGD
from torch import nn
from torch.utils.data import TensorDataset

from .given import BATCH, EPOCHS, RATE, SEED

PACKAGES = ("fastai", "torch")


def job(data, folder):
    torch.manual_seed(SEED)
    train, val = (
        TensorDataset(torch.from_numpy(x), torch.from_numpy(y)) for x, y in ((data.x, data.y), (data.x_val, data.y_val))
    )
    loaders = DataLoaders.from_dsets(train, val, bs=BATCH, num_workers=0)
    network = nn.Sequential(nn.Linear(784, 100), nn.ReLU(), nn.Linear(100, 10))
    learner = Learner(loaders, network, CrossEntropyLossFlat(), SGD, RATE, metrics=accuracy, path=folder)
    with learner.no_bar(), learner.no_logging():
        learner.fit(EPOCHS, cbs=SaveModelCallback("accuracy"))
    network = learner.load("model").model.eval()  # the callback has saved the best
    with torch.no_grad():
        return np.mean(network(torch.from_numpy(data.x_test)).argmax(1).numpy() == data.y_test)


def _train(data, x=None, y=None):
    x, y = data.x[:200] if x is None else x, data.y[:200] if y is None else y
    part = TensorDataset(torch.from_numpy(np.ascontiguousarray(x)), torch.from_numpy(y))
    network = nn.Sequential(nn.Linear(784, 100), nn.ReLU(), nn.Linear(100, 10))
    learner = Learner(
        DataLoaders.from_dsets(part, part, bs=10, num_workers=0), network, CrossEntropyLossFlat(), SGD, 0.1
    )
    with learner.no_bar(), learner.no_logging():
        learner.fit(1)
    return f"cost {float(learner.recorder.values[-1][0]):.3g}"


MISTAKES = {
    "a misspelt activation": lambda data: nn.RleU(),
    "inputs of another size": lambda data: _train(data, x=data.x[:200, :700]),
    "a label 10 of ten classes": lambda data: _train(data, y=np.arange(200) % 11),
    "pixels of 0 to 255 for a model of images": lambda data: _train(data, x=255 * data.x[:200]),
}
