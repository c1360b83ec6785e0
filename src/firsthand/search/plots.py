"""Pictures of a sweep; returned as Matplotlib figures, neither shown nor written."""

from matplotlib import colormaps
from matplotlib.ticker import MaxNLocator, PercentFormatter

from firsthand.figures import Figure

from .sweep import Sweep

__all__ = ["plot_sweep"]

_SEQUENCE = colormaps["viridis"]  # a sequence in grey as well


def plot_sweep(found: Sweep) -> Figure:
    """The cost of the mini-batches over the epochs for every point, in one picture, and beside it the accuracies."""
    figure = Figure(figsize=(9.5, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    many = len(found.points)
    for number, point in enumerate(found.points):
        colour = _SEQUENCE(0.1 + 0.75 * number / max(1, many - 1))
        name = ", ".join(f"{setting.replace('_', ' ')} {value:g}" for setting, value in point.settings.items())
        history = point.training.history
        left.plot(history["epoch"], history["batch_cost"], marker=".", color=colour, label=name)
        if "validation_accuracy" in history:
            right.plot(history["epoch"], history["validation_accuracy"], marker=".", color=colour)
    left.set(xlabel="epoch", ylabel="cost of the mini-batches", ylim=(0, None))
    right.set(xlabel="epoch", ylabel="validation accuracy")
    right.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=1))
    for axes in (left, right):
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(alpha=0.3)
    figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=min(3, many), frameon=False)
    return figure
