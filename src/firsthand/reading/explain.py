"""A picture of every stage, from the photo to the digits."""

from pathlib import Path
from typing import Any

import numpy as np

from firsthand.files import write_saved

from .page import Page
from .sheet import Sheet

__all__ = ["explain"]

DIGIT, NONE, SIGN = "#0072b2", "#d55e00", "#009e73"  # blue, vermilion, green: told apart by everybody


def explain(sheet: Sheet, page: Page, path: Path) -> Path:
    """Draw what each stage has made of a picture, as PNG.

    Args:
        sheet: the stages.
        page: what was read in the end.
        path: of the file; its folder must exist.
    """

    # not pyplot: no window system, no global state
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    stages: list[tuple[str, np.ndarray, int | None]] = [
        ("1  the picture, in grey", sheet.work, 255),
        ("2  the paper: its grey level without the writing", sheet.flat.paper, 255),
        ("3  pen (blue, green), printed lines (red), beyond the sheet (grey)", _regions(sheet), 255),
    ]
    if sheet.ink is not None:
        turned = f"turned by {90 * sheet.quarter}° and {-sheet.degrees:.1f}°" if sheet.quarter or sheet.degrees else ""
        stages.append((f"4  the pen's ink, {turned or 'straight as it is'}", sheet.ink, None))
    high, wide = sheet.work.shape
    figure = Figure(figsize=(11, 11 / 3 * 2 * min(1.6, max(0.35, high / wide)) + 1.2), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(2, 3).ravel()
    for axis, (title, image, top) in zip(axes, stages, strict=False):
        if top is None:
            axis.imshow(np.clip(image, 0, None), cmap="gray_r", vmin=0)
        else:
            axis.imshow(image, cmap="gray", vmin=0, vmax=top)
        axis.set_title(title, fontsize=8, loc="left")
    if sheet.strips:
        axes[4].imshow(_pieces(sheet))
        count = sum(len(found) for found in sheet.spans)
        axes[4].set_title(f"5  lines cut into pieces: {count} ways to make a digit", fontsize=8, loc="left")
    axes[5].imshow(sheet.grey, cmap="gray", vmin=0, vmax=255)
    found = len(page.digits)
    axes[5].set_title(f"6  read: {found} digits" if found else f"6  {page.reason}", fontsize=8, loc="left", wrap=True)
    _boxes(axes[5], page)
    for axis in axes:
        axis.axis("off")
    return write_saved(path, lambda file: figure.savefig(file, dpi=130, format="png", pil_kwargs={"optimize": True}))


def _regions(sheet: Sheet) -> np.ndarray:
    """The page network's view, in colours on white."""
    shown = np.full((*sheet.work.shape, 3), 255, np.uint8)
    regions = sheet.regions
    if regions is None:
        return shown
    ink = sheet.flat.ink > 0.12
    shown[regions.beyond > 0.5] = (200, 200, 200)
    shown[ink & (regions.pen > 0.5)] = (0, 158, 115)
    shown[ink & (regions.pen > 0.5) & (regions.written > 0.5)] = (0, 114, 178)
    shown[ink & (regions.rule > 0.5) & (regions.pen <= 0.5)] = (213, 94, 0)
    return shown


def _pieces(sheet: Sheet) -> np.ndarray:
    """All lines one below the other, every piece in a colour that differs from its neighbours'."""
    from matplotlib import colormaps

    colours = np.array(colormaps["tab10"].colors)  # type: ignore[attr-defined]
    wide = max(strip.ink.shape[1] for strip in sheet.strips)
    rows = []
    for strip in sheet.strips:
        colour = colours[(strip.piece - 1) % len(colours)]
        ink = (strip.ink * (strip.piece > 0))[..., None]
        drawn = 1 - ink * (1 - colour)
        rows.append(np.pad(drawn, ((0, 4), (0, wide - drawn.shape[1]), (0, 0)), constant_values=1))
    return np.clip(np.concatenate(rows), 0, 1)


def _boxes(axis: Any, page: Page) -> None:
    """Frames about what was read and what was rejected, with values where there is room for them."""
    from matplotlib.patches import Rectangle

    size = 7 if len(page.digits) <= 120 else 4
    for box, colour, text in (
        *((digit.box, DIGIT, digit.value) for digit in page.digits),
        *((sign.box, SIGN, sign.value) for line in page.lines for sign in line.signs),
        *((one.box, NONE, "") for one in page.rejected),
    ):
        at = (box.left, box.top)
        frame = Rectangle(at, box.right - box.left, box.bottom - box.top, fill=False, edgecolor=colour, linewidth=0.7)
        axis.add_patch(frame)
        if text:
            axis.text(box.left, box.top - 1, text, color=colour, fontsize=size, va="bottom", clip_on=True)
