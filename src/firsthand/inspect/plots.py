"""Pictures of trainings and models.  Each function returns a Matplotlib figure and shows or writes nothing."""

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from firsthand.data import Dataset
from firsthand.learning import History

from .diagnostics import Mistake

__all__ = ["plot_confusion", "plot_history", "plot_mistakes"]

# distinguishable for colour-blind readers, and by line style in print
_STYLES = {"training": ("#0072B2", "-"), "validation": ("#D55E00", "--"), "test": ("#009E73", ":")}


def plot_history(history: History) -> Figure:
    """Cost and accuracy over the epochs, every data set that was monitored."""
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    epochs = history["epoch"]
    left.plot(epochs, history["batch_cost"], color="#777777", label="mini-batches, while learning")
    for name, (colour, line) in _STYLES.items():
        if f"{name}_cost" in history:
            left.plot(epochs, history[f"{name}_cost"], line, color=colour, label=name)
        if f"{name}_accuracy" in history:
            right.plot(epochs, history[f"{name}_accuracy"], line, color=colour, label=name, marker=".")
    if history.best_epoch:
        best = history["validation_accuracy"][history.best_epoch - 1]
        right.plot(history.best_epoch, best, "o", mfc="none", ms=11, color="#D55E00")
        right.set_title(f"best on validation data: {best:.2%}, epoch {history.best_epoch}", fontsize=10)
    left.set(xlabel="epoch", ylabel="cost", ylim=(0, None))
    right.set(xlabel="epoch", ylabel="accuracy")
    right.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=1))
    for axes in (left, right):
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(alpha=0.3)
        if axes.lines:
            axes.legend(frameon=False)
    return figure


def plot_confusion(matrix: np.ndarray, classes: Sequence[str]) -> Figure:
    """A confusion matrix: rows are the true classes, columns what they were called; the mistakes give the colour."""
    size = max(4.0, 0.48 * len(classes) + 1.2)
    figure = Figure(figsize=(size, size), layout="constrained")
    axes = figure.subplots()
    wrong = matrix * (1 - np.eye(len(classes), dtype=int))
    most = max(1, int(wrong.max()))
    axes.imshow(np.sqrt(wrong), cmap="Oranges", vmin=0, vmax=most**0.5)
    for (i, j), count in np.ndenumerate(matrix):
        if count:
            colour = "0.35" if i == j else "white" if count > most / 2 else "black"
            axes.text(j, i, str(count), ha="center", va="center", fontsize=8, color=colour)
    axes.set_xticks(range(len(classes)), classes)
    axes.set_yticks(range(len(classes)), classes)
    axes.set(xlabel="called", ylabel="is")
    total, right = int(matrix.sum()), int(np.trace(matrix))
    axes.set_title(f"{total - right} mistakes among {total:,}: {right / total:.2%} right", fontsize=10)
    return figure


def plot_mistakes(data: Dataset, found: Sequence[Mistake], at_most: int = 60) -> Figure:
    """Misclassified images, the true label top right and the wrong one bottom right, as in the book."""
    shown = found[:at_most]
    columns = min(10, max(1, len(shown)))
    rows = max(1, math.ceil(len(shown) / columns))
    figure = Figure(figsize=(columns, rows + 0.5), layout="constrained")
    figure.suptitle(
        f"{len(shown)} of {len(found)} mistakes, most confident first; top right: is, bottom right: was called",
        fontsize=9,
    )
    grid = figure.subplots(rows, columns, squeeze=False)
    for axes in grid.flat:
        axes.axis("off")
    for axes, mistake in zip(grid.flat, shown, strict=False):
        image = data.images[mistake.index]
        axes.imshow(image[..., 0] if image.shape[-1] == 1 else image, cmap="gray_r")
        for y, label, colour in ((0.97, mistake.label, "#009E73"), (0.03, mistake.predicted, "#D55E00")):
            axes.text(
                0.98,
                y,
                data.classes[label],
                transform=axes.transAxes,
                ha="right",
                va="top" if y > 0.5 else "bottom",
                color=colour,
                fontsize=10,
                fontweight="bold",
            )
    return figure
