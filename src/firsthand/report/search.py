"""The picture of a search."""

import math
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from firsthand.experiments.drawing import in_percent
from firsthand.figures import Figure
from firsthand.search import Range, SearchResult, Trial
from firsthand.search.search import Space

__all__ = ["plot_search"]

# distinguishable for colour-blind readers, and by shape in print
_STYLES = {"complete": ("#0072B2", "o"), "pruned": ("#999999", "v")}


def plot_search(result: SearchResult, space: Space) -> Figure:
    """Validation accuracy trial by trial with the best so far, and over every field that was searched."""
    columns = min(3, 1 + len(space))
    rows = math.ceil((1 + len(space)) / columns)
    figure = Figure(figsize=(4 * columns, 3.2 * rows), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False, sharey=True)
    shown = [trial for trial in result.finished if trial.accuracy is not None and trial.state in _STYLES]
    first, *others = grid.flat
    _scatter(first, shown, [trial.number for trial in shown])
    best = [
        max((t.accuracy or 0 for t in shown[: i + 1] if t.state == "complete"), default=None) for i in range(len(shown))
    ]
    steps = [(trial.number, value) for trial, value in zip(shown, best, strict=True) if value is not None]
    if steps:
        first.step(*zip(*steps, strict=True), where="post", color="#D55E00", label="best so far")
    first.set(xlabel="trial", ylabel="validation accuracy")
    first.xaxis.set_major_locator(MaxNLocator(integer=True))
    for axes, (name, values) in zip(others, space.items(), strict=False):
        _scatter(axes, shown, [trial.settings[name] for trial in shown])
        axes.set(xlabel=name, xscale="log" if isinstance(values, Range) and values.log else "linear")
    for axes in others[len(space) :]:
        axes.axis("off")
    for axes in (first, *others[: len(space)]):
        in_percent(axes)
        axes.grid(alpha=0.3)
    if shown:
        low = sorted(trial.accuracy or 0 for trial in shown)[len(shown) // 4]
        high = max(trial.accuracy or 0 for trial in shown)
        # what failed badly is cut off below, so that the good ones can be told apart
        first.set_ylim(max(0, low - 0.5 * max(high - low, 0.005)), min(1, high + 0.1 * max(high - low, 0.005)))
        figure.legend(*first.get_legend_handles_labels(), loc="outside lower center", ncols=3, frameon=False)
    return figure


def _scatter(axes: Axes, trials: Sequence[Trial], x: Sequence[float]) -> None:
    for state, (colour, marker) in _STYLES.items():
        points = [(at, trial.accuracy or 0) for at, trial in zip(x, trials, strict=True) if trial.state == state]
        if points:
            axes.scatter(*zip(*points, strict=True), s=26, color=colour, marker=marker, label=state, alpha=0.8)
