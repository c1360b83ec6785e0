"""A picture on its way to digits: each stage, kept to be looked at."""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from .background import Flat, flatten
from .ink import Strokes, find_strokes
from .lines import Component, Row, find_components, find_lines
from .page import Box
from .ruling import remove_ruling
from .segment import Span, Strip, cut_row, spans
from .skew import find_skew, straighten, to_original

__all__ = ["Sheet", "analyse"]

LARGEST = 2400  # pixels of the longer side that are worked with; writing is not finer than that
SMALLEST = 112  # smaller pictures are enlarged, so that a digit of 8x8 pixels has edges to find
FEWEST = 5  # components of about one height: fewer do not say which way lines run


@dataclass(frozen=True)
class Sheet:
    """The stages of a picture; None from the stage on at which nothing was left.

    Args:
        grey: uint8, as it was given.
        factor: pixels of `grey` per pixel of all that follows.
        work: uint8, scaled by that.
        flat: freed of its lighting.
        degrees: by which the writing rises to the right.
        ink: turned straight; `ruling` what printed lines take, taken off.
        strokes: what is written.
        rows, others: the lines of writing, and components that are in none.
        strips, spans: the lines cut into pieces, and what may be a digit.
        reason: why nothing is left, or ''.
    """

    grey: np.ndarray
    factor: float
    work: np.ndarray
    flat: Flat
    degrees: float = 0.0
    ink: np.ndarray | None = None
    ruling: np.ndarray | None = None
    strokes: Strokes | None = None
    rows: tuple[Row, ...] = ()
    others: tuple[Component, ...] = ()
    strips: tuple[Strip, ...] = ()
    spans: tuple[list[Span], ...] = ()
    reason: str = ""

    def box(self, left: float, top: float, right: float, bottom: float) -> Box:
        """A box of the straightened sheet as one of the picture: around its four corners, turned back."""
        x, y = self.places(np.array([left, right, left, right]), np.array([top, top, bottom, bottom]))
        high, wide = self.grey.shape
        return Box(
            int(np.clip(np.floor(x.min()), 0, wide)),
            int(np.clip(np.floor(y.min()), 0, high)),
            int(np.clip(np.ceil(x.max()), 0, wide)),
            int(np.clip(np.ceil(y.max()), 0, high)),
        )

    def places(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Places of the straightened sheet as places of the picture."""
        turned = self.work.shape if self.ink is None else (self.ink.shape[0], self.ink.shape[1])
        x, y = to_original(x, y, self.degrees, self.work.shape, turned)
        return x * self.factor, y * self.factor


def analyse(grey: np.ndarray) -> Sheet:
    """All stages up to the spans that may be digits.

    Args:
        grey: uint8 (height, width).
    """
    factor = max(grey.shape) / min(max(max(grey.shape), SMALLEST), LARGEST)
    work = grey if factor == 1 else _scaled(grey, factor)
    flat = flatten(work)
    if int(work.max()) - int(work.min()) < 8:
        return Sheet(grey, factor, work, flat, reason="nothing is written here: the picture is of one grey")
    first = find_strokes(flat.ink)
    if first is None:
        return Sheet(
            grey, factor, work, flat, reason="nothing is written here: nothing is darker than the paper's noise"
        )
    _, components = find_components(first.mask)
    degrees = find_skew(flat.ink, max(0.25 * first.level, 3 * first.noise)) if _many(components) else 0.0
    inside = straighten(np.ones_like(flat.ink), degrees) > 0.5
    ink, ruling = remove_ruling(straighten(flat.ink, degrees), first.level, inside)
    strokes = first if not degrees and not ruling.any() else find_strokes(ink)
    if strokes is None:
        return Sheet(grey, factor, work, flat, degrees, ink, ruling, reason="nothing but ruled lines was found")
    labels, components = find_components(strokes.mask)
    rows, others = find_lines(components, ink.shape)
    strips = tuple(cut_row(strokes.strength, labels, row) for row in rows)
    found = tuple(spans(strip) for strip in strips)
    return Sheet(grey, factor, work, flat, degrees, ink, ruling, strokes, tuple(rows), tuple(others), strips, found)


def _many(components: list[Component]) -> bool:
    heights = np.array([c.height for c in components if c.area > 8], float)
    if len(heights) < FEWEST:
        return False
    typical = np.median(heights[heights >= np.median(heights)])
    return int(np.sum((heights > 0.5 * typical) & (heights < 2 * typical))) >= FEWEST


def _scaled(grey: np.ndarray, factor: float) -> np.ndarray:
    high, wide = (max(1, round(side / factor)) for side in grey.shape)
    way = Image.Resampling.BOX if factor > 1 else Image.Resampling.BICUBIC
    return np.asarray(Image.fromarray(grey).resize((wide, high), way))
