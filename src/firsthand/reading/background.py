"""From grey levels to ink: what part of the light the pen has taken away, whatever the light was.

Paper reflects p, ink lets (1 - a) of it through, and the light l falls on both: grey = l p (1 - a).  Where l p is known
from the paper around a stroke, a = 1 - grey / (l p) is free of shadows.
"""

from typing import NamedTuple

import numpy as np
from PIL import Image
from scipy import ndimage

__all__ = ["Flat", "flatten", "stroke_width"]

WINDOW = 15  # of the median that finds the paper, in pixels of the reduced picture
SHARE = 0.2  # that window is at least such a part of the picture's longer side
STROKES = 4.0  # and at least this many strokes wide: within a stroke the median must still be paper


class Flat(NamedTuple):
    """A picture freed of its lighting.

    Attributes:
        ink: float32 (height, width); 0 is paper and 1 takes all light; noise goes below 0.
        paper: float32 (height, width), the grey level that paper has, or would have, at every pixel.
        light_on_dark: whether the strokes are lighter than the ground; `paper` is then of the negative.
    """

    ink: np.ndarray
    paper: np.ndarray
    light_on_dark: bool


def flatten(grey: np.ndarray) -> Flat:
    """Find the paper under the writing, and what the writing takes from its light.

    Args:
        grey: uint8 (height, width).
    """
    window = max(SHARE * max(grey.shape), STROKES * stroke_width(grey))
    # both ways round, and the way in which what differs from the ground differs more, in sum of cubes, is ink's:
    # strokes are few and far from their ground, noise is many and near
    ground = _ground(grey, window)
    difference = (grey.astype(np.float32) - ground) / 255
    light_on_dark = bool(np.sum(difference**3, dtype=np.float64) > 0)
    if light_on_dark:
        grey, ground = 255 - grey, 255 - ground
    ink = 1 - grey.astype(np.float32) / np.maximum(ground, 8)
    return Flat(ink, ground, light_on_dark)


def stroke_width(grey: np.ndarray) -> float:
    """The width of strokes in pixels: the distance between a sharp fall of the grey level and the next sharp rise.

    Of both polarities and both directions the one with the more pairs of edges counts; 0 where there are none.  Shadows
    have no sharp edges, and a ruled line's are along the row.
    """
    factor = max(1.0, max(grey.shape) / 500)
    small = np.asarray(_resized(grey, factor), np.float32)
    if min(small.shape) < 3:
        return 0.0
    small = ndimage.gaussian_filter(small, 0.7)
    widths = [w for image in (small, small.T) for w in (_widths(image), _widths(-image))]
    best = max(widths, key=len)
    return float(factor * np.percentile(best, 80)) if len(best) >= 3 else 0.0


def _widths(image: np.ndarray) -> np.ndarray:
    """Lengths of the runs from a sharp fall to a sharp rise, along the rows."""
    slope = np.diff(image, axis=1)
    sharp = 0.4 * float(np.percentile(np.abs(slope[::3]), 99.5))
    if sharp < 2:
        return np.zeros(0)
    sign = np.where(slope < -sharp, -1, np.where(slope > sharp, 1, 0))
    row, column = np.nonzero(sign)
    found = sign[row, column]
    pairs = (found[:-1] < 0) & (found[1:] > 0) & (row[:-1] == row[1:])
    return (column[1:] - column[:-1])[pairs]


def _ground(grey: np.ndarray, window: float) -> np.ndarray:
    """The median grey level of a window around every pixel, smoothed: float32."""
    small = np.asarray(_resized(grey, max(1.0, window / WINDOW)), np.float32)
    size = min(WINDOW, 2 * max(small.shape) + 1)
    median = ndimage.median_filter(small, size, mode="reflect")
    smooth = ndimage.gaussian_filter(median, 0.1 * size)
    return np.asarray(Image.fromarray(smooth).resize(grey.shape[::-1], Image.Resampling.BILINEAR))


def _resized(grey: np.ndarray, factor: float) -> Image.Image:
    high, wide = (max(1, round(side / factor)) for side in grey.shape)
    return Image.fromarray(grey).resize((wide, high), Image.Resampling.BOX)
