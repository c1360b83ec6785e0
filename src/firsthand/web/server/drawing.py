"""A drawing as a network sees it, and what the network says about it."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from firsthand.errors import FirsthandError
from firsthand.models import Classifier
from firsthand.reading import Box, Page, Reject, analyse, boxed_gate, read_sheets
from firsthand.reading.judge import CHUNKS
from firsthand.reading.normalise import as_mnist

__all__ = [
    "MAX_SIDE",
    "Drawing",
    "Found",
    "Glance",
    "Reading",
    "digits_of",
    "glance",
    "read_drawing",
    "read_pages",
    "unpack_drawing",
    "warm_up",
]

MAX_SIDE = 1024  # pixels of a drawing
HEADER = 9  # bytes: number, width, height, flags
CAREFUL = 1  # a flag
INKED = 32  # of 255: what counts as drawn
APART = 0.15  # empty columns between two digits that are surely two, in heights of the tallest
GAP = 3  # fewer empty columns part nothing
WIDE = 1.4  # widths of its height that no digit has
LOW = 0.5  # heights of the tallest below which a piece may be a sign, or a part of a digit
MARGIN = 16  # pixels of paper about the ink of a page, at least
TORN = 0.2  # empty rows, in heights, that may part two lines of writing
SIZES = (1, 4, 8, *CHUNKS)  # of a pass: the networks are compiled for these


class Drawing(NamedTuple):
    """The drawing that the page sends.

    Args:
        number: by which the answer names it.
        careful: read it as a page of writing, whatever it looks like: slower, and what is no digit is refused.
        ink: uint8 (height, width), 0 for paper to 255 for ink.
    """

    number: int
    careful: bool
    ink: np.ndarray


class Found(NamedTuple):
    """One digit of a drawing."""

    box: tuple[int, int, int, int]  # left, top, right, bottom, in pixels
    pixels: np.ndarray  # uint8 (28, 28), as the network gets it
    probabilities: np.ndarray  # (classes,)
    label: int
    is_digit: float | None  # how likely it is one at all; None where that was not asked


class Reading(NamedTuple):
    """A reading of a drawing or a photo."""

    digits: list[Found]
    rejected: tuple[Reject, ...] = ()
    reason: str = ""  # why there is no digit, though there is ink


class Glance(NamedTuple):
    """A reading at first sight."""

    reading: Reading
    plain: bool  # the digits stand clearly side by side: read as a page, they would be the same


def unpack_drawing(message: bytes) -> Drawing:
    """A drawing from the bytes that the page sends.

    Args:
        message: number (4 bytes), width and height (2 bytes each), flags (1 byte: 1 for careful), little-endian, then
            the ink row by row, a byte per pixel.
    Raises:
        FirsthandError: the lengths do not agree, or a side is 0 or too long.
    """
    if len(message) < HEADER:
        raise FirsthandError(f"drawing: {len(message)} bytes found, expected at least {HEADER}")
    number = int.from_bytes(message[:4], "little")
    width, height = (int.from_bytes(message[at : at + 2], "little") for at in (4, 6))
    if not (1 <= width <= MAX_SIDE and 1 <= height <= MAX_SIDE):
        raise FirsthandError(f"drawing: {width} x {height} pixels found, expected sides from 1 to {MAX_SIDE}")
    if len(message) != HEADER + width * height:
        raise FirsthandError(f"drawing: {len(message)} bytes found, expected {HEADER} + {width} x {height}")
    ink = np.frombuffer(message, np.uint8, offset=HEADER).reshape(height, width)
    return Drawing(number, bool(message[8] & CAREFUL), ink)


def read_drawing(ink: np.ndarray, model: Classifier, careful: bool = False) -> Reading:
    """Read a drawing: at first sight where its digits stand clearly apart, otherwise as a page of writing.

    Args:
        ink: uint8 (height, width), 0 for paper to 255 for ink.
        model: of images (28, 28, 1).
        careful: as a page in any case.
    """
    if not careful:
        (seen,) = glance([ink], model)
        if seen.plain:
            return seen.reading
    return read_pages([ink], model)[0]


def glance(drawings: Sequence[np.ndarray], model: Classifier) -> list[Glance]:
    """Read drawings at first sight, all digits of all of them in one pass through the network.

    What empty columns part is taken for a digit each.  A thousandth of a second for each, a fiftieth of what
    `read_pages` takes, so that it keeps up with those who draw.

    Args:
        drawings: of several clients, as `read_drawing` takes them.
        model: of images (28, 28, 1).
    """
    parted = [_parted(ink) for ink in drawings]
    pixels = [_as_mnist(ink, box) for ink, (boxes, _) in zip(drawings, parted, strict=True) for box in boxes]
    rows = iter(zip(pixels, _batched(pixels, model), strict=True))
    glances = []
    for boxes, plain in parted:
        seen = [(box, *next(rows)) for box in boxes]
        digits = [Found(box, image, row, int(row.argmax()), None) for box, image, row in seen]
        glances.append(Glance(Reading(digits), plain))
    return glances


def read_pages(drawings: Sequence[np.ndarray], model: Classifier) -> list[Reading]:
    """Read drawings as pages of writing: what touches is cut, what is no digit is refused.

    Args:
        drawings: as `read_drawing` takes them.
        model: of images (28, 28, 1).
    """
    drawn = [(i, _cropped(ink)) for i, ink in enumerate(drawings) if ink.max(initial=0) > INKED]
    readings = [Reading([]) for _ in drawings]
    pages = read_sheets([analyse(255 - ink) for _, (ink, _, _) in drawn], model)
    for (i, (ink, left, top)), page in zip(drawn, pages, strict=True):
        digits = [found._replace(box=_moved(found.box, left, top)) for found in digits_of(page, ink, model)]
        rejected = tuple(replace(each, box=Box(*_moved(each.box, left, top))) for each in page.rejected)
        readings[i] = Reading(digits, rejected, page.reason)
    return readings


def warm_up(model: Classifier, ended: Callable[[], bool] = lambda: False) -> None:
    """Compile what reads a drawing, in the sizes that drawings come in; asked between two whether to end."""
    ink = np.zeros((160, 300), np.uint8)
    ink[40:120, 40:46] = 255  # a one
    read_drawing(ink, model, careful=True)
    for size in SIZES:
        if ended():
            return
        model.probabilities(np.zeros((size, 28, 28, 1), np.uint8))
        if size in CHUNKS:
            boxed_gate().probabilities(np.zeros((size, 28, 28, 3), np.uint8))


def digits_of(page: Page, ink: np.ndarray, model: Classifier) -> list[Found]:
    """The digits of a page, each cut out of the ink by its box, with all its probabilities."""
    height, width = ink.shape
    found = []
    for digit in page.digits:
        left, top, right, bottom = digit.box
        box = max(0, left), max(0, top), min(width, max(right, left + 1)), min(height, max(bottom, top + 1))
        pixels, probabilities = _single(ink, box, model, page.turned // 90)
        found.append(Found(box, pixels, probabilities, model.classes.index(digit.value), digit.is_digit))
    return found


def _single(
    ink: np.ndarray, box: tuple[int, int, int, int], model: Classifier, quarter: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Return what the model is shown of a box, turned upright by quarters anticlockwise, and what it says."""
    pixels = _as_mnist(ink, box, quarter)
    return pixels, model.probabilities(pixels[None, ..., None])[0]


def _as_mnist(ink: np.ndarray, box: tuple[int, int, int, int], quarter: int = 0) -> np.ndarray:
    left, top, right, bottom = box
    return as_mnist(np.rot90(ink[top:bottom, left:right], quarter).astype(np.float32) / 255)


def _cropped(ink: np.ndarray) -> tuple[np.ndarray, int, int]:
    """A drawing with half its height of paper about the ink, and where that was: the rest only takes time."""
    rows, columns = np.flatnonzero(ink.max(1)), np.flatnonzero(ink.max(0))
    margin = max(MARGIN, (int(rows[-1]) - int(rows[0])) // 2)
    top, left = max(0, int(rows[0]) - margin), max(0, int(columns[0]) - margin)
    return ink[top : int(rows[-1]) + 1 + margin, left : int(columns[-1]) + 1 + margin], left, top


def _moved(box: tuple[int, int, int, int], x: int, y: int) -> tuple[int, int, int, int]:
    left, top, right, bottom = box
    return left + x, top + y, right + x, bottom + y


def _batched(pixels: Sequence[np.ndarray], model: Classifier) -> list[np.ndarray]:
    """The model's answer for each image, in batches of few sizes, the last filled up."""
    rows: list[np.ndarray] = []
    for start in range(0, len(pixels), SIZES[-1]):
        some = pixels[start : start + SIZES[-1]]
        filled = np.zeros((next(size for size in SIZES if len(some) <= size), 28, 28, 1), np.uint8)
        filled[: len(some)] = np.stack(some)[..., None]
        rows.extend(model.probabilities(filled)[: len(some)])
    return rows


def _parted(ink: np.ndarray) -> tuple[list[tuple[int, int, int, int]], bool]:
    """The boxes of what empty columns part, and whether each is plainly one digit."""
    inked = ink > INKED
    columns = np.flatnonzero(inked.any(0))
    if not len(columns):
        return [], True
    gaps = np.diff(columns) - 1
    boxes, plain = [], True
    for run in np.split(columns, np.flatnonzero(gaps >= GAP) + 1):
        left, right = int(run[0]), int(run[-1]) + 1
        rows = np.flatnonzero(inked[:, left:right].any(1))
        top, bottom = int(rows[0]), int(rows[-1]) + 1
        boxes.append((left, top, right, bottom))
        torn = np.diff(rows).max(initial=1) - 1 > TORN * (bottom - top)
        plain = plain and not torn and right - left <= WIDE * (bottom - top)
    heights = [bottom - top for _, top, _, bottom in boxes]
    near = (gaps >= GAP) & (gaps < APART * max(heights))
    return boxes, bool(plain and min(heights) >= LOW * max(heights) and not near.any())
