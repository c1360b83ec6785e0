"""The angle by which the writing is turned, and turning it back."""

import numpy as np
from scipy import ndimage

__all__ = ["find_skew", "straighten", "to_original"]

LIMIT, STEP = 11.0, 0.25  # degrees
POINTS = 40_000


def find_skew(ink: np.ndarray, least: float, limit: float = LIMIT) -> float:
    """The angle, in degrees, by which lines of writing or ruling rise to the right; 0 where nothing says so.

    Turned by the right angle, the pixels of the ink fall into as few rows as possible: the sum of the squares of the
    rows' counts is greatest (Postl 1986).

    Args:
        ink: float32 (height, width).
        least: what is darker than this counts.
        limit: the largest angle that is looked for, in degrees.
    """
    y, x = np.nonzero(ink > least)
    if len(y) < 50:
        return 0.0
    if len(y) > POINTS:
        chosen = np.random.default_rng(0).choice(len(y), POINTS, replace=False)
        y, x = y[chosen], x[chosen]
    y, x = y - ink.shape[0] / 2, x - ink.shape[1] / 2
    size = max(1.5, max(ink.shape) / 500)

    def score(degrees: float) -> float:
        angle = np.deg2rad(degrees)
        rows = (np.cos(angle) * y + np.sin(angle) * x) / size
        rows -= rows.min()
        whole = rows.astype(np.int64)
        part = rows - whole  # shared between two bins, or the score would jump from angle to angle
        counts = np.bincount(whole, 1 - part, whole.max() + 2)
        counts[1:] += np.bincount(whole, part, whole.max() + 2)[:-1]
        return float(np.sum(counts * counts))

    angles = np.arange(-limit, limit + STEP, STEP)
    scores = np.array([score(a) for a in angles])
    best = float(angles[np.argmax(scores)])
    # a page that is straight enough is not resampled
    if abs(best) >= limit - STEP or scores.max() < 1.03 * score(0.0):
        return 0.0
    fine = np.arange(best - STEP, best + STEP, 0.05)
    return float(fine[np.argmax([score(a) for a in fine])])


def straighten(image: np.ndarray, degrees: float) -> np.ndarray:
    """The image turned clockwise by degrees about its middle, on a sheet that holds all of it; outside is 0."""
    if not degrees:
        return image
    return ndimage.rotate(image, -degrees, reshape=True, order=1, prefilter=False)


def to_original(
    x: np.ndarray, y: np.ndarray, degrees: float, shape: tuple[int, int], turned: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Places (x, y) of a straightened picture as places of the picture it was made from.

    Args:
        x, y: in pixels of the straightened picture.
        degrees: as given to `straighten`.
        shape, turned: (height, width) before and after.
    """
    if not degrees:
        return x, y
    angle = np.deg2rad(degrees)
    cos, sin = np.cos(angle), np.sin(angle)
    x, y = x - (turned[1] - 1) / 2, y - (turned[0] - 1) / 2
    return cos * x + sin * y + (shape[1] - 1) / 2, -sin * x + cos * y + (shape[0] - 1) / 2
