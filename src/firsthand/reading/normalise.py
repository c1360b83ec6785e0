"""A digit made to look as MNIST's do: 20 pixels on its longer side, in 28x28, its centre of mass in the middle.

How MNIST was made: Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, "Gradient-Based Learning Applied to Document
Recognition", 1998, section III-A.  The centre of mass of its images is at (14.0, 14.0), counted from 0; measured on the
training images.
"""

import numpy as np
from PIL import Image

from .segment import HEIGHT, Span, Strip

__all__ = ["SIZE", "around", "as_mnist", "halved", "hypotheses"]

SIZE, LONGER, CENTRE = 28, 20, 14.0
WINDOW = 56  # of a strip's pixels, that the surroundings of a digit show


def as_mnist(ink: np.ndarray) -> np.ndarray:
    """Scale, anti-aliased and with its proportions kept, and centre by mass.

    Args:
        ink: float32 (height, width), 0 to 1, cut to its ink.
    Returns:
        uint8 (28, 28).
    """
    high, wide = ink.shape
    scale = LONGER / max(high, wide)
    high, wide = max(1, round(scale * high)), max(1, round(scale * wide))
    small = np.asarray(Image.fromarray(ink).resize((wide, high), Image.Resampling.BILINEAR), np.float32)
    peak = small.max(initial=0)
    result = np.zeros((SIZE, SIZE), np.uint8)
    if peak <= 0:
        return result
    small = np.minimum(small / max(0.85 * peak, 1e-6), 1)
    rows, columns, total = small.sum(1), small.sum(0), small.sum()
    y, x = float(rows @ np.arange(high) / total), float(columns @ np.arange(wide) / total)
    top = min(max(round(CENTRE - y), 0), SIZE - high)
    left = min(max(round(CENTRE - x), 0), SIZE - wide)
    result[top : top + high, left : left + wide] = np.round(255 * small)
    return result


def around(own: np.ndarray, other: np.ndarray, box: tuple[int, int, int, int]) -> tuple[np.ndarray, np.ndarray]:
    """The window about a box, at half the scale of the strip: its own ink, and that of others; uint8 (28, 28) each."""
    x, y = round((box[0] + box[2]) / 2) - WINDOW // 2, round((box[1] + box[3]) / 2) - WINDOW // 2
    return halved(own, x, y), halved(other, x, y)


def halved(ink: np.ndarray, left: int, top: int, side: int = SIZE) -> np.ndarray:
    """A window of a strip, from (left, top), at half the scale: uint8 (SIZE, side)."""
    window = np.zeros((WINDOW, 2 * side), np.float32)
    high, wide = ink.shape
    y0, y1, x0, x1 = max(0, top), min(high, top + WINDOW), max(0, left), min(wide, left + 2 * side)
    if y1 > y0 and x1 > x0:
        window[y0 - top : y1 - top, x0 - left : x1 - left] = ink[y0:y1, x0:x1]
    return np.round(255 * window.reshape(SIZE, 2, side, 2).mean((1, 3))).astype(np.uint8)


def hypotheses(strip: Strip, found: list[Span]) -> np.ndarray:
    """The networks' questions: for every span its digit, its ink in the line, and the ink about it.

    Returns:
        uint8 (n, 28, 28, 3): the first channel as MNIST shows it, the others at the scale of the line, in which
        HEIGHT is 20 pixels: there it can be seen how large the ink is, and whether it goes on beyond the cut.
    """
    assert HEIGHT == 2 * LONGER
    images = np.zeros((len(found), SIZE, SIZE, 3), np.uint8)
    for i, span in enumerate(found):
        left, top, right, bottom = span.box
        # the soft edges belong to it
        window = (slice(max(0, top - 1), bottom + 1), slice(max(0, left - 1), right + 1))
        inside = (strip.piece[window] > span.first) & (strip.piece[window] <= span.last)
        images[i, ..., 0] = as_mnist(np.where(inside, strip.ink[window], 0))
        x, y = round((left + right) / 2) - WINDOW // 2, round((top + bottom) / 2) - WINDOW // 2
        near = (slice(max(0, y), y + WINDOW), slice(max(0, x), x + WINDOW))
        mine = (strip.piece[near] > span.first) & (strip.piece[near] <= span.last)
        at = (left - near[1].start, top - near[0].start, right - near[1].start, bottom - near[0].start)
        ink = strip.ink[near]
        images[i, ..., 1], images[i, ..., 2] = around(np.where(mine, ink, 0), np.where(mine, 0, ink), at)
    return images
