"""Learning curves: the costs of trainings, and what they are judged by, over the epochs."""

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, PercentFormatter

from firsthand.figures import Figure

from .quantity import Quantity

if TYPE_CHECKING:
    from .history import History

__all__ = ["plot_history"]

# distinguishable for colour-blind readers, and by line style in print
_STYLES = {"training": ("#0072B2", "-"), "validation": ("#D55E00", "--"), "test": ("#009E73", ":")}


def plot_history(*histories: "History", quantity: Quantity) -> Figure:
    """Cost and what a training is judged by over the epochs, on every data set that was monitored.

    Several trainings come in one picture.

    Args:
        histories: of the trainings.
        quantity: what they are judged by.
    """
    decisive = f"validation_{quantity.name}"
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    for number, history in enumerate(histories):
        _plot_curves(left, right, history, quantity.name, named=number == 0)
    if all(history.best_epoch and decisive in history for history in histories):
        best = [history[decisive][history.best_epoch - 1] for history in histories]
        where = f"epoch {histories[0].best_epoch}" if len(histories) == 1 else f"mean of {len(histories)} members"
        mean = float(np.mean(best))
        shown = f"{mean:.2%}" if quantity.unit == "%" else quantity.show(mean)
        right.set_title(f"best on validation data: {shown}, {where}", fontsize=10)
    left.set(xlabel="epoch", ylabel="cost", ylim=(0, None))
    right.set(xlabel="epoch", ylabel=quantity.en)
    if quantity.unit == "%":
        right.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=1))
    for axes in (left, right):
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(alpha=0.3)
        if axes.lines:
            axes.legend(frameon=False)
    return figure


def _plot_curves(left: Axes, right: Axes, history: "History", name_of: str, named: bool) -> None:
    epochs = history["epoch"]
    label = {name: name if named else None for name in _STYLES}
    left.plot(epochs, history["batch_cost"], color="#777777", label="mini-batches, while learning" if named else None)
    for name, (colour, line) in _STYLES.items():
        if f"{name}_cost" in history:
            left.plot(epochs, history[f"{name}_cost"], line, color=colour, label=label[name])
        if f"{name}_{name_of}" in history:
            right.plot(epochs, history[f"{name}_{name_of}"], line, color=colour, label=label[name], marker=".")
    if history.best_epoch and f"validation_{name_of}" in history:
        best = history[f"validation_{name_of}"][history.best_epoch - 1]
        right.plot(history.best_epoch, best, "o", mfc="none", ms=11, color="#D55E00")
