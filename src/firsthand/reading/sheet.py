"""A picture on its way to digits: each stage, kept to be looked at."""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from firsthand.processes import refuse_fork

from .background import Flat, flatten
from .edges import on_sheet
from .ink import Strokes, find_strokes
from .join import join_strokes
from .lines import Component, Row, find_components, find_lines, without_blots
from .orientation import find_quarter
from .page import Box
from .regions import SHORTEST, Regions, find_regions
from .segment import Span, Strip, cut_row, spans
from .skew import find_skew, straighten, to_original

__all__ = ["Sheet", "analyse"]

LARGEST = 2400  # pixels of the longer side that are worked with; writing is not finer than that
SMALLEST = 112  # smaller pictures are enlarged, so that a digit of 8x8 pixels has edges to find
FEWEST = 5  # components of about one height: fewer do not say which way lines run
RULED, LINES_LONG = 0.5, 3.0  # printed lines say how it lies where they are surely seen, and this many widths long,
FARTHER = 18.0  # and up to this many degrees: writing alone tells less
BROKEN = 0.1  # of the height of a picture of one digit: strokes that are no farther apart are one
GREY = "nothing is written here: the picture is of one grey"
NOISE = "nothing is written here: nothing is darker than the paper's noise"
LINES = "nothing but printed lines was found"


@dataclass(frozen=True)
class Sheet:
    """The stages of a picture; None from the stage on at which nothing was left.

    Args:
        grey: uint8, as it was given.
        factor: pixels of `grey` per pixel of all that follows.
        work: uint8, scaled by that.
        flat: freed of its lighting.
        regions: what is pen, printed rule, and no paper.
        quarter: how often it is turned by 90 degrees anticlockwise, so that its digits stand upright.
        degrees: by which the writing then rises to the right.
        ink: the pen's, upright and straight.
        strokes: what is written.
        rows, others: the lines of writing, and components that are in none.
        strips, spans: the lines cut into pieces, and what may be a digit.
        reason: why nothing is left, or ''.
    """

    grey: np.ndarray
    factor: float
    work: np.ndarray
    flat: Flat
    regions: Regions | None = None
    quarter: int = 0
    degrees: float = 0.0
    ink: np.ndarray | None = None
    strokes: Strokes | None = None
    rows: tuple[Row, ...] = ()
    others: tuple[Component, ...] = ()
    strips: tuple[Strip, ...] = ()
    spans: tuple[list[Span], ...] = ()
    reason: str = ""

    @property
    def outline(self) -> Box:
        """Around the paper that was found, in pixels of the picture."""
        high, wide = self.grey.shape
        if self.regions is None:
            return Box(0, 0, wide, high)
        left, top, right, bottom = (self.factor * side for side in self.regions.paper())
        return Box(round(left), round(top), min(wide, round(right)), min(high, round(bottom)))

    @property
    def plain(self) -> bool:
        """True where only writing was seen on it: no printed line, and no edge."""
        return self.regions is not None and self.regions.plain

    def in_cells(self, boxes: list[Box]) -> bool:
        """Return whether most of such boxes of the picture stand in cells: printed lines go all around them."""
        if self.regions is None:
            return False
        inside = [self.regions.in_cell(*(side / self.factor for side in box)) for box in boxes]
        return 2 * sum(inside) > len(inside)

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

    def box_of(self, strip: Strip, span: Span) -> Box:
        """The box of a span of one of its lines, on the picture."""
        left, top, right, bottom = span.box
        x, y = strip.on_page(np.array([left, right]), np.array([top, bottom]))
        return self.box(float(x[0]), float(y[0]), float(x[1]), float(y[1]))

    def places(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Places of the straightened sheet as places of the picture."""
        high, wide = self.work.shape
        upright = (wide, high) if self.quarter % 2 else (high, wide)
        turned = upright if self.ink is None else (self.ink.shape[0], self.ink.shape[1])
        x, y = to_original(x, y, self.degrees, upright, turned)
        for _ in range(self.quarter):  # back, clockwise
            x, y, upright = upright[0] - y, x, upright[::-1]
        return x * self.factor, y * self.factor


def analyse(grey: np.ndarray) -> Sheet:
    """All stages up to the spans that may be digits.

    Args:
        grey: uint8 (height, width).
    Raises:
        FirsthandError: in a process that was forked after JAX started.
    """
    refuse_fork()  # a network finds the regions, before any model reads a digit
    factor = max(grey.shape) / min(max(max(grey.shape), SMALLEST), LARGEST)
    work = grey if factor == 1 else _scaled(grey, factor)
    flat = flatten(work)
    if int(work.max()) - int(work.min()) < 8:
        return Sheet(grey, factor, work, flat, reason=GREY)
    if find_strokes(flat.ink) is None:
        return Sheet(grey, factor, work, flat, reason=NOISE)
    regions = find_regions(work, flat)
    # where a table is in the picture, too, the sheet alone says how dark the pen and how noisy the paper is
    paper, written = regions.beyond < 0.5, (regions.written > 0.5) | ~regions.beyond.any()
    pen = on_sheet(flat.ink * regions.pen, regions)
    first = find_strokes(pen, paper, written)
    if first is None:
        return Sheet(grey, factor, work, flat, regions, reason=LINES)
    labels, components = find_components(first.mask)
    quarter = find_quarter(first.strength, labels, components)
    pen, paper, written = (np.ascontiguousarray(np.rot90(each, quarter)) for each in (pen, paper, written))
    degrees = _skew(pen, np.rot90(regions.rule * (regions.beyond < 0.5), quarter), first, components)
    ink = straighten(pen, degrees)
    if degrees or quarter:
        masks = (straighten(each.astype(np.float32), degrees) > 0.5 for each in (paper, written))
        strokes = find_strokes(ink, *masks)
    else:
        strokes = first
    if strokes is None:
        return Sheet(grey, factor, work, flat, regions, quarter, degrees, ink, reason=LINES)
    if max(work.shape) >= SHORTEST:
        seen = (flat.ink * (regions.beyond < 0.5), regions.written, regions.rule)
        turned = (straighten(np.ascontiguousarray(np.rot90(each, quarter)), degrees) for each in seen)
        strokes, gap = join_strokes(strokes, *turned), 0
    else:
        gap = round(BROKEN * len(work))
    labels, components = find_components(strokes.mask, gap)
    rows, others = find_lines(without_blots(labels, components), ink.shape)
    strips = tuple(cut_row(strokes.strength, labels, row) for row in rows)
    found = tuple(spans(strip) for strip in strips)
    return Sheet(
        grey, factor, work, flat, regions, quarter, degrees, ink, strokes, tuple(rows), tuple(others), strips, found
    )


def _skew(pen: np.ndarray, rule: np.ndarray, strokes: Strokes, components: list[Component]) -> float:
    """Degrees by which the writing rises: as the printed lines do, where there are some; otherwise its own rows say."""
    if not _many(components):
        return 0.0
    if (rule > RULED).sum() > LINES_LONG * rule.shape[1]:
        return find_skew(rule, RULED, FARTHER)
    return find_skew(pen, max(0.25 * strokes.level, 3 * strokes.noise))


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
