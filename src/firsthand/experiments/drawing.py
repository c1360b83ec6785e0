"""Conventions of the experiments' figures: size, colours, and how accuracies are written."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from .result import Result

__all__ = ["COLOURS", "curves", "in_percent", "panels", "validation_against"]

# distinguishable for colour-blind readers (Okabe and Ito); those of inspect/plots.py first
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")


def panels(rows: int, columns: int, *, width: float = 4.2, height: float = 3.2) -> tuple["Figure", Any]:
    """A figure of rows x columns axes with light grids; the axes as an array (rows, columns)."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width * columns + 0.4, height * rows), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False)
    for axes in grid.flat:
        axes.grid(alpha=0.3)
        axes.set_axisbelow(True)
    return figure, grid


def curves(axes: "Axes", result: "Result", quantity: str, line: str, colour: str, label: str, **more: Any) -> None:
    """An array of every run over the epochs, all drawn alike and with one label; `more` goes to Matplotlib."""
    for number, run in enumerate(result.runs):
        curve = run["arrays"][quantity]
        epochs = range(1, len(curve) + 1)
        axes.plot(epochs, curve, line, color=colour, label=None if number else label, **{"linewidth": 1.2, **more})


def in_percent(axes: "Axes") -> None:
    """Write the shares on the vertical axis as percentages, with as many places as each has."""
    from matplotlib.ticker import FuncFormatter

    axes.yaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:.5g}%"))


def validation_against(level: float, label: str, result: "Result") -> "Figure":
    """Draw the validation accuracy of every run over the epochs, and a level beside it."""
    figure, ((axes,),) = panels(1, 1, width=5)
    curves(axes, result, "validation_accuracy", "-", COLOURS[0], "validation")
    axes.axhline(level, color=COLOURS[1], linestyle="--", linewidth=1, label=label)
    axes.set(xlabel="epoch", ylabel="accuracy")
    in_percent(axes)
    axes.legend(frameon=False, loc="lower right")
    return figure
