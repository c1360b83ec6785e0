"""A drawing as a network sees it, and what the network says about it."""

from typing import NamedTuple

import numpy as np
from PIL import Image

from firsthand.errors import FirsthandError
from firsthand.learning import Classifier

__all__ = ["MAX_SIDE", "Digit", "normalised", "read_drawing", "unpack_drawing"]

MAX_SIDE = 1024  # pixels of a drawing
HEADER = 8  # bytes: number, width, height


class Digit(NamedTuple):
    """One digit of a drawing."""

    box: tuple[int, int, int, int]  # left, top, right, bottom, in pixels of the drawing
    pixels: np.ndarray  # uint8 (height, width), as the network gets it
    probabilities: np.ndarray  # (classes,)


def unpack_drawing(message: bytes) -> tuple[int, np.ndarray]:
    """Number and ink of a drawing, from the bytes that the page sends.

    Args:
        message: number (4 bytes), width and height (2 bytes each), little-endian, then the ink row by row, a byte per
            pixel, 0 for paper to 255 for ink.
    Returns:
        The number, and uint8 (height, width).
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
    return number, np.frombuffer(message, np.uint8, offset=HEADER).reshape(height, width)


def read_drawing(ink: np.ndarray, model: Classifier) -> list[Digit]:
    """The digits of a drawing, none if nothing is drawn.

    Args:
        ink: uint8 (height, width), 0 for paper to 255 for ink.
        model: of grey images.
    """
    box = _box(ink)
    if box is None:
        return []
    left, top, right, bottom = box
    height, width, _ = model.input_shape
    pixels = normalised(ink[top:bottom, left:right], height, width)
    return [Digit(box, pixels, model.probabilities(pixels[None, :, :, None])[0])]


def normalised(ink: np.ndarray, height: int = 28, width: int = 28) -> np.ndarray:
    """Ink as MNIST's digits are: the longer side 5/7 of the image, its aspect kept, centred by centre of mass.

    Args:
        ink: uint8 (any height, any width), cut to what is drawn.
        height, width: of the result, in pixels.
    Returns:
        uint8 (height, width).
    References:
        LeCun et al. 1998, 'Gradient-based learning applied to document recognition', section III.A.
    """
    scale = min(height / ink.shape[0], width / ink.shape[1]) * 5 / 7
    rows, columns = (max(1, round(side * scale)) for side in ink.shape)
    small = np.asarray(Image.fromarray(ink).resize((columns, rows), Image.Resampling.BILINEAR), np.float64)
    total = small.sum() or 1.0
    middle = small.sum(1) @ np.arange(rows) / total, small.sum(0) @ np.arange(columns) / total
    top = min(max(round((height - 1) / 2 - middle[0]), 0), height - rows)
    left = min(max(round((width - 1) / 2 - middle[1]), 0), width - columns)
    result = np.zeros((height, width), np.uint8)
    result[top : top + rows, left : left + columns] = small
    return result


def _box(ink: np.ndarray) -> tuple[int, int, int, int] | None:
    rows, columns = np.flatnonzero(ink.max(1) > 32), np.flatnonzero(ink.max(0) > 32)
    if not len(rows):
        return None
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1
