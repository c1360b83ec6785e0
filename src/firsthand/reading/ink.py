"""From ink to strokes: how dark the pen was here, where its strokes are, and which hang together."""

from typing import NamedTuple

import numpy as np
from PIL import Image
from scipy import ndimage

__all__ = ["Strokes", "find_strokes", "noise_of"]

FAINTEST = 0.06  # ink that takes less of the light than this is none
SIGMAS = 4.0  # and this many standard deviations of the noise
ENOUGH = 300  # pixels say how dark the pen is
QUIET = 0.05  # noise of less than such a part of the pen's darkness
LOCAL = 0.55  # a pen is not fainter beside the darkest of its page
EDGE, CORE = 0.45, 0.65  # of the pen's darkness: the edge of a stroke, and what a stroke has to have somewhere


class Strokes(NamedTuple):
    """The writing, and its darkness.

    Attributes:
        strength: float32 (height, width), 0 paper to 1 pen.
        mask: bool (height, width): within strokes.
        level: how much of the light the pen takes, 0 to 1.
        noise: standard deviation of the paper, in the same unit.
        local: float32 (height, width), how much of it the pen takes around here.
    """

    strength: np.ndarray
    mask: np.ndarray
    level: float
    noise: float
    local: np.ndarray


def noise_of(ink: np.ndarray, paper: np.ndarray | None = None) -> float:
    """Standard deviation of the paper's noise: 1.4826 times the median distance below the median; ink lies above.

    Args:
        ink: float32 (height, width).
        paper: bool (height, width), where there is paper; everywhere by default.
    """
    steps = tuple(slice(None, None, max(1, side // 400)) for side in ink.shape)
    sample = ink[steps]
    if paper is not None and paper[steps].any():
        sample = sample[paper[steps]]
    middle = np.median(sample)
    below = sample[sample < middle]
    return float(1.4826 * np.median(middle - below)) if len(below) else 0.0


def find_strokes(ink: np.ndarray, paper: np.ndarray | None = None, written: np.ndarray | None = None) -> Strokes | None:
    """Threshold by the darkness of the pen nearby, and keep what has a dark core; None where there is no ink.

    Args:
        ink: float32 (height, width), as `background.flatten` gives it.
        paper: bool (height, width), where there is paper; everywhere by default.
        written: bool (height, width), where the darkness of the pen is measured; everywhere by default.
    """
    noise = noise_of(ink, paper)
    # an average over few pixels: strokes keep their darkness, noise loses most of it
    smooth = ndimage.gaussian_filter(ink, 0.6 if noise < 0.03 else 1.0)
    least = max(FAINTEST, SIGMAS * noise_of(smooth, paper))
    dark = smooth[smooth > least]
    if written is not None and (written & (smooth > least)).sum() > ENOUGH:
        dark = smooth[written & (smooth > least)]
    if not len(dark):
        return None
    # Otsu's threshold among what is ink at all: strokes' cores above, their edges, ruled lines and stains below
    level = float(np.median(dark[dark >= _otsu(dark)]))
    if level < 1.2 * least:
        return None
    local = _local_level(smooth, level)
    edge = np.maximum(EDGE, least / local)
    mask = _with_core(smooth > edge * local, smooth > CORE * local)
    # small loops close when they are smoothed; what is hardly noisy is left as it is
    strength = np.clip((ink if noise < QUIET * level else smooth) / local, 0, 1)
    return Strokes(strength.astype(np.float32), mask, level, noise, local) if mask.any() else None


def _otsu(values: np.ndarray) -> float:
    """The threshold that leaves the least variance within the two classes it makes (Otsu 1979)."""
    counts, edges = np.histogram(values, 64)
    middle = (edges[:-1] + edges[1:]) / 2
    below, above = np.cumsum(counts), np.cumsum(counts[::-1])[::-1]
    low = np.cumsum(counts * middle) / np.maximum(below, 1)
    high = np.cumsum((counts * middle)[::-1])[::-1] / np.maximum(above, 1)
    between = below[:-1] * above[1:] * (low[:-1] - high[1:]) ** 2
    return float(edges[1 + int(np.argmax(between))])


def _local_level(smooth: np.ndarray, level: float) -> np.ndarray:
    """The darkness of the pen around every pixel: between half of the page's and a fifth above it."""
    factor = max(1, round(max(smooth.shape) / 160))
    high, wide = (-(-side // factor) for side in smooth.shape)
    padded = np.pad(smooth, ((0, high * factor - smooth.shape[0]), (0, wide * factor - smooth.shape[1])), mode="edge")
    blocks = padded.reshape(high, factor, wide, factor).max((1, 3))
    around = ndimage.gaussian_filter(ndimage.maximum_filter(blocks, 9), 4)
    local = np.clip(around, LOCAL * level, 1.2 * level).astype(np.float32)
    return np.asarray(Image.fromarray(local).resize(smooth.shape[::-1], Image.Resampling.BILINEAR))


def _with_core(mask: np.ndarray, core: np.ndarray) -> np.ndarray:
    """The components of a mask that hold a pixel of the core."""
    labels = np.zeros(mask.shape, np.int32)
    ndimage.label(mask, np.ones((3, 3)), output=labels)
    keep = np.zeros(labels.max(initial=0) + 1, bool)
    keep[np.unique(labels[core & mask])] = True
    keep[0] = False
    return keep[labels]
