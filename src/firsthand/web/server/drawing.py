"""A drawing as a network sees it, and what the network says about it."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from firsthand.errors import FirsthandError
from firsthand.models import Classifier
from firsthand.reading import Page, Reject, analyse, boxed_gate, read_sheets
from firsthand.reading.judge import CHUNKS
from firsthand.reading.normalise import as_mnist

__all__ = [
    "MAX_SIDE",
    "Drawing",
    "Found",
    "Reading",
    "digits_of",
    "read_drawing",
    "read_drawings",
    "unpack_drawing",
    "warm_up",
]

MAX_SIDE = 1024  # pixels of a drawing
HEADER = 9  # bytes: number, width, height, flags
CAREFUL = 1  # a flag
INKED = 32  # of 255: what counts as drawn
GAP = 3  # empty columns that part two digits
WIDE = 1.4  # widths of its height that no digit has


class Drawing(NamedTuple):
    """What the page sends.

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
    """What is read from a drawing or a photo."""

    digits: list[Found]
    rejected: tuple[Reject, ...] = ()
    reason: str = ""  # why there is no digit, though there is ink


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
    """Read a drawing: at once as a single digit where it looks like one, otherwise as a page of writing.

    Args:
        ink: uint8 (height, width), 0 for paper to 255 for ink.
        model: of images (28, 28, 1).
        careful: as a page in any case.
    """
    box = _box(ink)
    if box is None:
        return Reading([])
    if not careful and not _several(ink, box):
        pixels, probabilities = _single(ink, box, model)
        return Reading([Found(box, pixels, probabilities, int(probabilities.argmax()), None)])
    (page,) = read_sheets([analyse(255 - ink)], model)
    return Reading(digits_of(page, ink, model), page.rejected, page.reason)


def read_drawings(drawings: Sequence[np.ndarray], model: Classifier) -> list[Reading]:
    """Read drawings of several clients: those that look like a single digit in one pass, the others as pages.

    Args:
        drawings: as `read_drawing` takes them, none of them to be read with care.
        model: of images (28, 28, 1).
    """
    boxes = [_box(ink) for ink in drawings]
    single = [i for i, box in enumerate(boxes) if box is not None and not _several(drawings[i], box)]
    pixels = [_as_mnist(drawings[i], box) for i in single if (box := boxes[i]) is not None]
    found = {}
    if pixels:
        size = next(size for size in (1, *CHUNKS) if len(pixels) <= size)
        filled = np.zeros((size, 28, 28, 1), np.uint8)
        filled[: len(pixels)] = np.stack(pixels)[..., None]
        rows = model.probabilities(filled)[: len(pixels)]
        found = dict(zip(single, zip(pixels, rows, strict=True), strict=True))
    readings = []
    for i, (ink, box) in enumerate(zip(drawings, boxes, strict=True)):
        if box is None:
            readings.append(Reading([]))
        elif i in found:
            seen, row = found[i]
            readings.append(Reading([Found(box, seen, row, int(row.argmax()), None)]))
        else:
            readings.append(read_drawing(ink, model))
    return readings


def warm_up(model: Classifier, ended: Callable[[], bool] = lambda: False) -> None:
    """Compile what reads a drawing, in the sizes that drawings come in; asked between two whether to end."""
    ink = np.zeros((160, 300), np.uint8)
    ink[40:120, 40:46] = 255  # a one
    read_drawing(ink, model, careful=True)
    for size in CHUNKS:
        if ended():
            return
        boxed_gate().probabilities(np.zeros((size, 28, 28, 3), np.uint8))
        model.probabilities(np.zeros((size, 28, 28, 1), np.uint8))


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


def _box(ink: np.ndarray) -> tuple[int, int, int, int] | None:
    rows, columns = np.flatnonzero(ink.max(1) > INKED), np.flatnonzero(ink.max(0) > INKED)
    if not len(rows):
        return None
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def _several(ink: np.ndarray, box: tuple[int, int, int, int]) -> bool:
    left, top, right, bottom = box
    columns = np.flatnonzero(ink.max(0) > INKED)
    return bool(np.diff(columns, prepend=columns[0]).max() > GAP) or right - left > WIDE * (bottom - top)
