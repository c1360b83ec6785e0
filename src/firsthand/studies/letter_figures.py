"""Figures that are made of letters: samples of a language model, and a unit over a text."""

from collections.abc import Mapping
from textwrap import wrap
from typing import TYPE_CHECKING

import numpy as np

from firsthand.experiments.result import Result

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw_samples", "draw_unit"]

_COLUMNS = 52  # letters of a sample's line; longer ones go on in the next


def draw_samples(result: Result, needed: Mapping[str, Result]) -> "Figure":
    """Draw what the first run has written, a column for each temperature."""
    from matplotlib.figure import Figure

    arrays = result.runs[0]["arrays"]
    names = sorted(name for name in arrays if name.startswith("sample_"))
    figure = Figure(figsize=(4.6 * len(names), 2.7), layout="constrained")
    for axes, name in zip(figure.subplots(1, len(names), squeeze=False)[0], names, strict=True):
        axes.set_title(f"temperature {name.removeprefix('sample_')}", loc="left", fontsize=11)
        lines = [part for line in arrays[name].strip("\n").split("\n") for part in wrap(line, _COLUMNS) or [""]]
        axes.text(0, 1, "\n".join(lines[:14]), va="top", family="monospace", fontsize=9, transform=axes.transAxes)
        axes.axis("off")
    return figure


def draw_unit(result: Result, needed: Mapping[str, Result]) -> "Figure":
    """The text of the first run, every letter on the colour of the unit's activation after it."""
    from matplotlib import colormaps
    from matplotlib.figure import Figure
    from matplotlib.patches import Rectangle

    run = result.runs[0]
    text, activation = run["arrays"]["unit_text"], run["arrays"]["unit_activation"]
    lines = text.count("\n") + 1
    width = max(map(len, text.split("\n"))) + 1
    figure = Figure(figsize=(0.115 * width + 1.2, 0.24 * lines + 0.7), layout="constrained")
    axes = figure.subplots()
    # white in the middle; orange and blue are told apart by everyone
    colours, most = colormaps["PuOr_r"], max(np.abs(activation).max(), 1e-9)
    row = column = 0
    for letter, value in zip(text, activation, strict=True):
        axes.add_patch(Rectangle((column, row), 1, 1, facecolor=colours(0.5 + 0.28 * value / most), linewidth=0))
        shown = "↵" if letter == "\n" else letter
        axes.text(column + 0.5, row + 0.55, shown, ha="center", va="center", family="monospace", fontsize=9)
        row, column = (row + 1, 0) if letter == "\n" else (row, column + 1)
    axes.set(xlim=(0, width), ylim=(lines, 0))
    axes.axis("off")
    numbers = run["numbers"]
    axes.set_title(
        f"unit {numbers['unit']:.0f}; correlation with the place in the line on test text "
        f"{numbers['unit_correlation']:.2f} in size",
        fontsize=10,
        loc="left",
    )
    return figure
