"""Chapter 6, recurrent networks: a digit read row by row, the 28 rows of its picture being 28 steps in time."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from firsthand import nn
from firsthand.data import Dataset, mnist
from firsthand.experiments.drawing import COLOURS, in_percent, panels
from firsthand.experiments.experiment import Claim, Drawing, Experiment, Measured, Run, mean_of
from firsthand.experiments.result import Finding, Result, Source, Text
from firsthand.models import Model
from firsthand.zoo import ROWS

from .common import trained

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["EXPERIMENTS", "OTHER_APPROACHES", "cells"]

OTHER_APPROACHES = Source(
    "Nielsen", "chapter 6, 'Other approaches to deep neural nets' (其他的深度学习模型): recurrent networks"
)
NAMES = {
    "tanh": Text("tanh RNN", "tanh RNN"),
    "irnn": Text("ReLU RNN, identity start", "ReLU RNN（单位矩阵初始化）"),
    "gru": Text("GRU", "GRU"),
    "lstm": Text("LSTM", "LSTM"),
}
SHARE = 0.985  # the aim: right test images
SHOWN = 2_000  # test images of which the lower rows are taken away


def cells(units: int, every_step: bool = False) -> dict[str, nn.Layer]:
    """The four recurrent layers that are compared, by name."""
    return {
        "tanh": nn.SimpleRNN(units, every_step),
        # the start of Le, Jaitly and Hinton 2015: the state is kept, and small weights from the input
        "irnn": nn.SimpleRNN(units, every_step, recurrent_init=nn.identity, activation="relu"),
        "gru": nn.GRU(units, every_step),
        "lstm": nn.LSTM(units, every_step),
    }


# the cells without gates keep their state in one place: at the gated ones' rate their gradients throw it about
SLOWER = {"tanh": 0.1, "irnn": 0.05}


def _measure(run: Run) -> Measured:
    numbers, arrays = {}, {}
    for name, cell in cells(ROWS.layers[1].units).items():
        recipe = ROWS.recipe
        if name in SLOWER:
            recipe = recipe.changed(learning_rate=recipe.learning_rate.times(SLOWER[name]))
        training = trained(run, (nn.Rows(), cell, nn.Softmax(10)), recipe, name=name, quick_epochs=1)
        for part, value in training.model.provenance["accuracies"].items():
            numbers[f"{part}_accuracy_{name}"] = value
        arrays[f"validation_{name}"] = [round(value, 5) for value in training.history["validation_accuracy"]]
        arrays[f"read_{name}"] = [
            round(value, 4) for value in _while_reading(training.model, mnist().test[: run.shortened(SHOWN, 100)])
        ]
    return Measured(numbers, arrays)


def _while_reading(model: Model, images: Dataset) -> list[float]:
    """The accuracies if the first 0, 4, ..., 28 rows are read and blank ones follow."""
    found = []
    for rows in range(0, 29, 4):
        shown = np.array(images.images)
        shown[:, rows:] = 0
        found.append(float(np.mean(model.predict(shown) == images.labels)))
    return found
