"""Take away the printed lines of the paper, and leave the strokes that cross them.

A printed line goes on across the page, is thin, and almost as dark everywhere.  What it takes from the light is
measured along it and taken off again; a stroke that crosses is darker than the line, and stays.
"""

import numpy as np
from scipy import ndimage

__all__ = ["remove_ruling"]

PIECE = 8  # rows are looked at in pieces of so many pixels
COVER = 0.65  # of the pieces of a row have to stand out for it to be a printed line: writing leaves gaps and margins
LOW = 30  # per cent of a line are clear of writing, at least: this percentile of its darkness is its own
THICK = 0.01  # a line is thinner than this part of the picture's longer side
DRIFT = 2  # pixels by which a line leaves its row on the way across, to either side


def remove_ruling(ink: np.ndarray, level: float, inside: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """The ink without ruled and squared lines, which must run along the sides of the picture.

    What a line of darkness d leaves of ink a is (a - d) L / (L - d): nothing of the line, all of a pen of darkness L.

    Args:
        ink: float32 (height, width), paper 0.
        level: L, how dark the pen is.
        inside: bool (height, width), where there is paper; everywhere by default.  A page that was turned has corners
            with none.
    Returns:
        The ink that is left, and the darkness of the lines, 0 where there is none; both float32 (height, width).
    """
    inside = np.ones(ink.shape, bool) if inside is None else inside
    lines = np.maximum(_lines(ink, inside), _lines(np.ascontiguousarray(ink.T), inside.T).T)
    if not lines.any():
        return ink, lines
    lines = np.minimum(lines, 0.8 * level)
    return np.where(lines > 0, (ink - lines) * (level / (level - lines)), ink).astype(np.float32), lines


def _lines(ink: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """The darkness of horizontal lines at every pixel."""
    high, wide = ink.shape
    lines = np.zeros_like(ink)
    n = wide // PIECE
    if n < 16 or high < 32:
        return lines
    pieces = ink[:, : n * PIECE].reshape(high, n, PIECE).mean(2)
    # a line is darker than what is above it and than what is below it
    thin = max(3, round(THICK * max(ink.shape)))
    ridge = pieces - ndimage.grey_opening(pieces, (2 * thin + 1, 1))
    noise = 1.4826 * np.median(np.abs(pieces - np.median(pieces)))
    out = ndimage.maximum_filter1d(ridge, 2 * DRIFT + 1, axis=0) > max(0.02, 2.5 * noise)
    there = inside[:, PIECE // 2 : n * PIECE : PIECE]
    cover = (out & there).sum(1) / np.maximum(there.sum(1), n // 4)
    rows = ndimage.maximum_filter1d(cover > COVER, 3)
    for y in np.flatnonzero(rows):
        # along the line, as it drifts and as the light changes
        local = ndimage.percentile_filter(pieces[y], LOW, max(9, n // 4), mode="nearest")
        lines[y] = np.repeat(np.maximum(local, 0), PIECE)[np.minimum(np.arange(wide), n * PIECE - 1)]
    return lines
