"""Pictures of trainings and models.  Each function returns a Matplotlib figure and shows or writes nothing."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

from firsthand.data import Dataset
from firsthand.figures import Figure
from firsthand.learning import History, Quantity, curves
from firsthand.learning.objectives.classification import ACCURACY

from .calibration import Reliability
from .diagnostics import Mistake
from .names import shown_names
from .sheets import sheet_of

__all__ = ["plot_confusion", "plot_history", "plot_mistakes", "plot_reliability", "plot_sheet"]

_NAMED = 60  # classes; of more, a confusion matrix shows neither names nor numbers


def plot_history(*histories: History, quantity: Quantity = ACCURACY) -> Figure:
    """Cost and what a training is judged by over the epochs, on every data set that was monitored.

    Several trainings come in one picture.
    """
    return curves.plot_history(*histories, quantity=quantity)


def plot_confusion(matrix: np.ndarray, classes: Sequence[str]) -> Figure:
    """A confusion matrix: rows are the true classes, columns what they were called; the mistakes give the colour."""
    named = len(classes) <= _NAMED
    size = max(4.0, 0.48 * min(len(classes), _NAMED) + 1.2)
    figure = Figure(figsize=(size, size), layout="constrained")
    axes = figure.subplots()
    wrong = matrix * (1 - np.eye(len(classes), dtype=int))
    most = max(1, int(wrong.max()))
    axes.imshow(np.sqrt(wrong), cmap="Oranges", vmin=0, vmax=most**0.5)
    for (i, j), count in np.ndenumerate(matrix):
        if count and named:
            colour = "0.35" if i == j else "white" if count > most / 2 else "black"
            axes.text(j, i, str(count), ha="center", va="center", fontsize=8, color=colour)
    if named:
        names = shown_names(classes)
        upright = sum(map(len, names)) <= 3 * len(names)
        axes.set_xticks(range(len(names)), names, rotation=0 if upright else 90)
        axes.set_yticks(range(len(names)), names)
    axes.set(xlabel="called", ylabel="is")
    total, right = int(matrix.sum()), int(np.trace(matrix))
    axes.set_title(f"{total - right} mistakes among {total:,}: {right / total:.2%} right", fontsize=10)
    return figure


def plot_sheet(rows: Sequence[np.ndarray]) -> Figure:
    """Rows of images as one sheet: samples, reconstructions beneath what was given.

    Args:
        rows: of (columns, height, width) each; bytes, or floats 0 to 1.
    """
    sheet = sheet_of(rows)
    high, wide = sheet.shape
    figure = Figure(figsize=(9, 9 * high / wide))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.imshow(sheet, cmap="gray", vmin=0, vmax=255)
    axes.axis("off")
    return figure


def plot_mistakes(data: Dataset, found: Sequence[Mistake], at_most: int = 60) -> Figure:
    """Misclassified images, the true label top right and the wrong one bottom right, as in the book."""
    shown, names = found[:at_most], shown_names(data.classes)
    columns = min(10, max(1, len(shown)))
    rows = max(1, math.ceil(len(shown) / columns))
    figure = Figure(figsize=(columns, rows + 0.5), layout="constrained")
    figure.suptitle(
        f"{len(shown)} of {len(found)} mistakes, most confident first; top right: is, bottom right: was called",
        fontsize=9,
    )
    # one picture of all: axes for each would take longer than a short training
    height, width, channels = data.images.shape[1:]
    down, across = height + max(1, height // 10), width + max(1, width // 10)
    white = 0 if channels == 1 else 255
    mosaic = np.full((rows * down, columns * across, channels), white, data.images.dtype)
    axes = figure.subplots()
    for number, mistake in enumerate(shown):
        top, left = number // columns * down, number % columns * across
        mosaic[top : top + height, left : left + width] = data.images[mistake.index]
        for share, label, colour in ((0.03, mistake.label, "#009E73"), (0.97, mistake.predicted, "#D55E00")):
            axes.text(
                left + 0.98 * width - 0.5,
                top + share * height - 0.5,
                names[label],
                ha="right",
                va="top" if share < 0.5 else "bottom",
                color=colour,
                fontsize=10,
                fontweight="bold",
            )
    axes.imshow(mosaic[..., 0] if channels == 1 else mosaic, cmap="gray_r", vmin=0, vmax=255)
    axes.axis("off")
    return figure


def plot_reliability(found: Mapping[str, Reliability]) -> Figure:
    """Reliability diagrams side by side, by name: accuracy over confidence, and below how often each is claimed.

    Bars that end on the diagonal are right as often as they say; one below it claims too much.
    """
    figure = Figure(figsize=(4.2 * len(found), 4.8), layout="constrained")
    grid = figure.subplots(2, len(found), squeeze=False, sharex=True, sharey="row", height_ratios=(3, 1))
    for (above, below), (name, bins) in zip(grid.T, found.items(), strict=True):
        _plot_bins(above, below, bins)
        n = int(bins.n.sum())
        title = f"expected calibration error {bins.expected_calibration_error:.2%}, n = {n:,}"
        above.set_title(f"{name}\n{title}" if name else title, fontsize=10)
    grid[0, 0].set_ylabel("accuracy")
    grid[1, 0].set_ylabel("images")
    figure.legend(*grid[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False)
    return figure


def _plot_bins(above: Axes, below: Axes, bins: Reliability) -> None:
    full, edges = bins.n > 0, bins.edges
    left, widths = edges[:-1][full], np.diff(edges)[full]
    accuracy, confidence = bins.accuracy[full], bins.confidence[full]
    above.bar(left, accuracy, widths, align="edge", color="#0072B2", edgecolor="white", label="accuracy")
    above.bar(
        left,
        confidence - accuracy,
        widths,
        bottom=accuracy,
        align="edge",
        fill=False,
        hatch="//",
        edgecolor="#D55E00",
        linewidth=0,
        label="distance to confidence",
    )
    above.plot((0, 1), (0, 1), ":", color="0.3", linewidth=1)
    above.set(xlim=(0, 1), ylim=(0, 1))
    below.bar(left, bins.n[full], widths, align="edge", color="#777777", edgecolor="white", log=True)
    below.set(xlabel="confidence", ylim=(0.5, None))
    for axes, axis in ((above, above.yaxis), (below, below.xaxis)):
        axis.set_major_formatter(PercentFormatter(1.0, decimals=0))
        axes.grid(alpha=0.3)
        axes.set_axisbelow(True)
