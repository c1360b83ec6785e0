"""Pages of handwritten digits with known truth, made by program.

The digits are images of a data set, scaled, set in lines with the spacing that is asked for, turned with the page,
and drawn as ink on paper that may be ruled, in shadow, blurred, noisy and compressed.  The same seed gives the same
page.  Letters are set in fonts that come with Matplotlib and warped; doodles are drawn by `marks`.
"""

from dataclasses import dataclass, field, replace
from io import BytesIO
from typing import NamedTuple

import numpy as np
from PIL import Image
from scipy import ndimage

from firsthand.data import Dataset

from . import marks

__all__ = ["LEVELS", "Page", "Style", "Truth", "line_of", "make_page"]


@dataclass(frozen=True)
class Style:
    """The style of a page; a pair is a range from which every page draws evenly.

    Args:
        lines: how many lines of digits.
        digits: how many digits in a line.
        height: of a digit, in pixels.
        gap: between the ink of neighbours, as a share of the height; below zero they overlap, and so touch.
        touching: the share of neighbours that are pushed together until they touch, whatever the gap says.
        degrees: rotation of the page, to both sides.
        shadow: how much light is lost at the darkest place, 0 to 1.
        blur: standard deviation of the blur, in pixels.
        noise: standard deviation of the noise, in grey levels of 255.
        ruling: "none", "ruled" or "squared", or "any" of the last two.
        ink: how much of the light the ink takes, 0 to 1.
        jpeg: quality, or None for none at all.
        light_on_dark: share of the pages that are chalk on a board.
        words: how many words of letters.
        doodles: how many drawings.
    """

    lines: tuple[int, int] = (3, 6)
    digits: tuple[int, int] = (10, 10)
    height: tuple[float, float] = (30, 54)
    gap: tuple[float, float] = (0.15, 0.5)
    touching: float = 0.0
    degrees: float = 0.0
    shadow: tuple[float, float] = (0.0, 0.0)
    blur: tuple[float, float] = (0.5, 0.7)
    noise: tuple[float, float] = (1.0, 3.0)
    ruling: str = "none"
    ink: tuple[float, float] = (0.65, 0.9)
    jpeg: int | None = None
    light_on_dark: float = 0.0
    words: tuple[int, int] = (0, 0)
    doodles: tuple[int, int] = (0, 0)


# from easy to hard; every level adds to the one before
CLEAN = Style()
LEVELS = {
    "clean": CLEAN,
    "photo": replace(CLEAN, shadow=(0.1, 0.3), blur=(0.6, 1.0), noise=(2, 5), degrees=2.0, jpeg=85),
    "notebook": replace(CLEAN, shadow=(0.2, 0.5), blur=(0.7, 1.4), noise=(2, 6), degrees=5.0, jpeg=75, ruling="any"),
    "hard": replace(
        CLEAN,
        shadow=(0.3, 0.6),
        blur=(0.9, 1.8),
        noise=(4, 9),
        degrees=10.0,
        jpeg=50,
        ruling="any",
        ink=(0.45, 0.8),
        gap=(0.05, 0.4),
    ),
    "pairs": replace(CLEAN, lines=(8, 14), digits=(2, 2), touching=1.0),
    "touching": replace(CLEAN, gap=(0.1, 0.3), touching=0.3),
    "tight": replace(CLEAN, gap=(-0.06, 0.06)),
    "letters": replace(CLEAN, lines=(0, 0), words=(12, 24), doodles=(3, 6), noise=(1, 4), degrees=3.0, jpeg=85),
    "mixed": replace(CLEAN, lines=(2, 4), words=(4, 8), doodles=(1, 3), degrees=3.0, jpeg=85),
}


class Truth(NamedTuple):
    """A digit of a page: its value, its line, the middle and the size of its ink, in pixels of the page."""

    value: int
    line: int
    place: int  # in the line, from 0
    x: float
    y: float
    height: float
    touches: bool  # the digit before it


@dataclass(frozen=True)
class Page:
    """A picture, uint8 (height, width), and what is written on it.

    `owner` says for every pixel whose ink it is: 0 nobody's, 1, 2, ... the digits in the order of `truth`, -1 what is
    no digit.
    """

    image: np.ndarray
    truth: tuple[Truth, ...]
    texts: tuple[str, ...]
    owner: np.ndarray = field(repr=False)


def make_page(style: Style, source: Dataset, seed: int, fonts: str = "test") -> Page:
    """Make a page.

    Args:
        style: how.
        source: the digits, images of 28x28 pixels as MNIST's.
        seed: the same gives the same page.
        fonts: "train", "validation" or "test": which fonts the letters, and which drawings the doodles are of.
    """
    rng = np.random.default_rng(seed)
    height = rng.uniform(*style.height)
    lines = [line_of(style, source, height, rng) for _ in range(_whole(style.lines, rng))]
    others = [marks.word(rng, fonts, height) for _ in range(_whole(style.words, rng))]
    others += [marks.doodle(rng, fonts, height) for _ in range(_whole(style.doodles, rng))]
    ink, owner, truth, texts = _sheet(lines, others, height, rng)
    angle = rng.uniform(-style.degrees, style.degrees)
    ink, owner, truth = _turn(ink, owner, truth, angle)
    picture = _photograph(ink, style, height, angle, rng)
    return Page(picture, tuple(truth), tuple(texts), owner)


def _whole(bounds: tuple[int, int], rng: np.random.Generator) -> int:
    return int(rng.integers(bounds[0], bounds[1] + 1))


class _Line(NamedTuple):
    ink: np.ndarray  # 0 to 1
    owner: np.ndarray  # 1, 2, ... from left to right
    values: list[int]
    touches: list[bool]


def glyph(image: np.ndarray, height: float) -> np.ndarray:
    """A digit of 28x28 pixels as ink, 0 to 1, cut to its ink, with sharp edges; what was 20 pixels is `height`."""
    scale = height / 20
    side = max(4, round(28 * scale))
    large = np.asarray(Image.fromarray(image).resize((side, side), Image.Resampling.BICUBIC), np.float32) / 255
    # the original's edges are one of its pixels wide; a pen's are one of ours
    sharp = 1 / (1 + np.exp(-(large - 0.45) * 6 * max(1.0, 0.7 * scale)))
    sharp = np.where(sharp > 0.05, sharp, 0)
    rows, columns = np.flatnonzero(sharp.max(1) > 0.3), np.flatnonzero(sharp.max(0) > 0.3)
    return sharp[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].astype(np.float32)


def line_of(style: Style, source: Dataset, height: float, rng: np.random.Generator) -> _Line:
    """Digits set side by side: every one is moved left until its ink is `gap` away from the ink before it."""
    count = _whole(style.digits, rng)
    chosen = rng.integers(0, len(source), count)
    gap = rng.uniform(*style.gap)
    high = round(1.6 * height)
    ink = np.zeros((high, round(1.8 * height * count) + high), np.float32)
    owner = np.zeros(ink.shape, np.int16)
    edge = np.full(high, -np.inf)  # the right end of the ink so far, row by row
    values, touches, left = [], [], 0
    for place, at in enumerate(chosen):
        drawn = glyph(source.images[at][..., 0], height * rng.uniform(0.92, 1.08))
        top = round((high - drawn.shape[0]) / 2 + rng.normal(0, 0.03 * height))
        top = min(max(top, 0), high - drawn.shape[0])
        rows = slice(top, top + drawn.shape[0])
        touch = bool(place and (gap < 0 or rng.random() < style.touching))
        wanted = (-0.03 if touch else gap * rng.uniform(0.7, 1.3)) * height
        if place:
            # never so far under the neighbour that the order from left to right is lost
            left = max(round(_beside(edge, drawn, rows, height) + wanted), round(left + 0.35 * height))
        if touch:
            left = _until_it_touches(ink, drawn, top, left, round(0.2 * height))
        window = (rows, slice(left, left + drawn.shape[1]))
        owner[window] = np.where((drawn > ink[window]) & (drawn > 0.3), place + 1, owner[window])
        ink[window] = np.maximum(ink[window], drawn)
        solid = drawn > 0.5
        ends = np.where(solid.any(1), drawn.shape[1] - 1 - solid[:, ::-1].argmax(1), -np.inf)
        edge[rows] = np.maximum(edge[rows], left + ends)
        values.append(int(source.labels[at]))
        touches.append(touch)
    last = np.flatnonzero(ink.max(0) > 0)[-1]
    return _Line(ink[:, : last + 3], owner[:, : last + 3], values, touches)


def _until_it_touches(ink: np.ndarray, drawn: np.ndarray, top: int, left: int, most: int) -> int:
    """The place of a digit, moved left by at most this many pixels until its ink meets what is there."""
    reached = np.asarray(ndimage.binary_dilation(ink > 0.5, np.ones((3, 3))), bool)
    for at in range(left, max(0, left - most) - 1, -1):
        if (reached[top : top + drawn.shape[0], at : at + drawn.shape[1]] & (drawn > 0.5)).any():
            return at
    return left


def _beside(edge: np.ndarray, drawn: np.ndarray, rows: slice, height: float) -> float:
    """The distance a digit can be moved left until it meets the ink before it in some row."""
    solid = drawn > 0.5
    starts = np.where(solid.any(1), solid.argmax(1), np.inf)
    # a pen's width of freedom up and down, or a 7 would slide under the arm of its neighbour
    near = ndimage.maximum_filter1d(edge, 2 * max(1, round(0.06 * height)) + 1)[rows]
    left = float(np.max(np.where(np.isfinite(starts), near - starts, -np.inf)))
    return (left if np.isfinite(left) else float(edge.max())) + 1


def _sheet(lines, others, height: float, rng: np.random.Generator):
    """Lines and other things laid out on one sheet: ink, owner, truth, texts."""
    rows = [[line] for line in lines]
    # what is no digit fills rows of its own, several to a row
    row: list = []
    for other in others:
        row.append(other)
        if len(row) == 3:
            rows.append(row)
            row = []
    if row:
        rows.append(row)
    order = rng.permutation(len(rows))
    margin, apart = round(1.2 * height), round(0.6 * height)
    strips = []
    for i in order:
        row = rows[i]
        high = max((_ink(part).shape[0] for part in row), default=1)
        strips.append((row, high))
    wide = max((sum(_ink(p).shape[1] + 2 * apart for p in row) for row, _ in strips), default=round(8 * height))
    wide = max(wide, round(6 * height)) + 2 * margin
    high = sum(h + apart for _, h in strips) + 2 * margin
    ink, owner = np.zeros((high, wide), np.float32), np.zeros((high, wide), np.int16)
    truth: list[Truth] = []
    texts: list[str] = []
    top = margin
    for row, strip_height in strips:
        free = wide - 2 * margin - sum(_ink(part).shape[1] for part in row)
        left = margin + round(rng.uniform(0, max(0, free) / (len(row) + 1)))
        for part in row:
            drawn = _ink(part)
            window = (slice(top, top + drawn.shape[0]), slice(left, left + drawn.shape[1]))
            ink[window] = np.maximum(ink[window], drawn)
            if isinstance(part, _Line):
                owner[window] = np.where(part.owner > 0, part.owner + len(truth), owner[window])
                boxes = ndimage.find_objects(part.owner)
                line = len(texts)
                for place, (value, touch, box) in enumerate(zip(part.values, part.touches, boxes, strict=True)):
                    y, x = box
                    truth.append(
                        Truth(
                            value,
                            line,
                            place,
                            left + (x.start + x.stop - 1) / 2,
                            top + (y.start + y.stop - 1) / 2,
                            y.stop - y.start,
                            touch,
                        )
                    )
                texts.append("".join(map(str, part.values)))
            else:
                owner[window] = np.where(drawn > 0.3, -1, owner[window])
            left += drawn.shape[1] + max(apart, round(free / (len(row) + 1)))
        top += strip_height + apart
    return ink, owner, truth, texts


def _ink(part) -> np.ndarray:
    return part.ink if isinstance(part, _Line) else part


def _turn(ink: np.ndarray, owner: np.ndarray, truth: list[Truth], degrees: float):
    """The sheet turned anticlockwise about its middle, on one large enough to hold it."""
    if not degrees:
        return ink, owner, truth
    turned: np.ndarray = np.asarray(ndimage.rotate(ink, degrees, reshape=True, order=1))
    who = ndimage.rotate(owner, degrees, reshape=True, order=0)
    angle = np.deg2rad(degrees)
    cos, sin = np.cos(angle), np.sin(angle)
    (h, w), (high, wide) = ink.shape, turned.shape
    moved = []
    for one in truth:
        x, y = one.x - (w - 1) / 2, one.y - (h - 1) / 2
        moved.append(one._replace(x=cos * x + sin * y + (wide - 1) / 2, y=-sin * x + cos * y + (high - 1) / 2))
    return turned, who, moved


def _photograph(ink: np.ndarray, style: Style, height: float, degrees: float, rng: np.random.Generator) -> np.ndarray:
    """Ink on paper, with light, lens and sensor: uint8."""
    shape = ink.shape
    paper = rng.uniform(205, 250) * (1 + 0.01 * marks.cloud(shape, 3 * height, rng))
    light = np.ones(shape, np.float32)
    strength = rng.uniform(*style.shadow)
    if strength:
        light *= 1 - 0.5 * strength * _ramp(shape, rng)
        # the shadow of a hand or of the phone: one soft edge across the page
        edge = 1 / (1 + np.exp(-(_ramp(shape, rng) - rng.uniform(0.3, 0.7)) * rng.uniform(8, 40)))
        light *= 1 - 0.6 * strength * edge
    lines = marks.ruling(shape, style.ruling, height, degrees, rng)
    taken = rng.uniform(*style.ink) * (1 - 0.08 * np.abs(marks.cloud(shape, 0.3 * height, rng)))
    # ink over a printed line is ink
    picture = paper * light * (1 - np.maximum(ink * taken, lines))
    picture = ndimage.gaussian_filter(picture, rng.uniform(*style.blur))
    if rng.random() < style.light_on_dark:
        picture = 255 - picture
    picture = picture + rng.normal(0, rng.uniform(*style.noise), shape)
    found = np.clip(np.round(picture), 0, 255).astype(np.uint8)
    if style.jpeg is None:
        return found
    buffer = BytesIO()
    Image.fromarray(found).save(buffer, "JPEG", quality=style.jpeg)
    with Image.open(buffer) as opened:
        return np.asarray(opened.convert("L"))


def _ramp(shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """From 0 to 1 across the page, in any direction."""
    angle = rng.uniform(0, 2 * np.pi)
    y, x = np.mgrid[0 : 1 : shape[0] * 1j, 0 : 1 : shape[1] * 1j]
    ramp = np.cos(angle) * x + np.sin(angle) * y
    return ((ramp - ramp.min()) / np.ptp(ramp)).astype(np.float32)
