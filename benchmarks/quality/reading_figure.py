"""Draws results/benchmarks/reading.json: accuracy as pages get harder, and what such pages look like."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from firsthand import mnist, read
from firsthand.files import write_atomically

from .pages import LEVELS, make_page
from .reading import FIRST_SEED

__all__ = ["draw", "examples"]

BLUE, ORANGE, GREY = "#0072b2", "#d55e00", "#8c96a8"
NAMES = {
    "clean": "clean",
    "photo": "photo: shadow,\nblur, 2°",
    "notebook": "notebook: ruling,\nshadow, blur, 5°",
    "hard": "hard: all, more,\nfaint ink, 10°",
    "mixed": "among letters\nand doodles",
    "pairs": "touching\npairs",
    "touching": "3 of 10\ntouch",
    "tight": "all touch\nor overlap",
}


def draw(folder: Path) -> None:
    """Draw `reading.json` of a folder as `reading.png` beside it: shares of digits and lines read right."""
    results = json.loads((folder / "reading.json").read_text())
    levels = {one["level"]: one for one in results["levels"]}
    shown = [name for name in NAMES if name in levels]
    figure, (axis,) = _figure((9, 3.6), 1, 1)
    place = np.arange(len(shown))
    for shift, key, colour, label in (
        (-0.2, "digit_accuracy", BLUE, "digits"),
        (0.2, "line_accuracy", ORANGE, "whole lines (ten digits; of pairs, two)"),
    ):
        values = [100 * levels[name][key] for name in shown]
        bars = axis.bar(place + shift, values, 0.38, color=colour, label=label)
        axis.bar_label(bars, [f"{value:.1f}" for value in values], fontsize=7)
    errors = [100 * (levels[name]["standard_error"] or 0) for name in shown]
    axis.errorbar(
        place - 0.2, [100 * levels[n]["digit_accuracy"] for n in shown], errors, fmt="none", ecolor="black", lw=0.8
    )
    axis.set_xticks(place, [NAMES[name] for name in shown], fontsize=7.5)
    axis.set_ylabel("read right, %")
    axis.set_ylim(0, 120)
    axis.set_yticks(range(0, 101, 20))
    axis.legend(fontsize=8, loc="upper right", ncols=2, frameon=False)
    axis.spines[["top", "right"]].set_visible(False)
    pages = " or ".join(map(str, sorted({levels[name]["pages"] for name in shown})))
    axis.set_title(
        f"Pages made from MNIST's test digits, {pages} of each kind; bars: standard error over pages", fontsize=9
    )
    _write(figure, folder / "reading.png")


def examples(folder: Path) -> None:
    """Draw a page of every kind, with what was read from it, as `reading_pages.png`."""
    from matplotlib.patches import Rectangle

    figure, axes = _figure((12, 9.4), 3, 3)
    for axis, name in zip(axes, LEVELS, strict=False):
        page = make_page(LEVELS[name], mnist().test, FIRST_SEED)
        found = read(page.image)
        axis.imshow(page.image, cmap="gray", vmin=0, vmax=255)
        for box, colour in (
            *((digit.box, BLUE) for digit in found.digits),
            *((reject.box, ORANGE) for reject in found.rejected),
        ):
            frame = (box.left, box.top), box.right - box.left, box.bottom - box.top
            axis.add_patch(Rectangle(*frame, fill=False, edgecolor=colour, linewidth=0.6))
        size = 6 if len(found.digits) < 80 else 5
        for digit in found.digits:
            axis.text(digit.box.left, digit.box.top - 1, digit.value, color=BLUE, fontsize=size, va="bottom")
        axis.set_title(name, fontsize=9, loc="left")
    for axis in axes:
        axis.axis("off")
    figure.suptitle("The first page of each kind: read as digits (blue), seen and rejected (orange)", fontsize=10)
    _write(figure, folder / "reading_pages.png")


def _figure(size: tuple[float, float], rows: int, columns: int) -> tuple[Any, Any]:
    # not pyplot: no window system, no global state
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.subplots(rows, columns, squeeze=False).ravel()


def _write(figure: Any, path: Path) -> None:
    from io import BytesIO

    buffer = BytesIO()
    figure.savefig(buffer, dpi=110, format="png", pil_kwargs={"optimize": True})
    print(f"written: {write_atomically(path, buffer.getvalue())}")
