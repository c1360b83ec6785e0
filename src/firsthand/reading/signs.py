"""Signs among digits: minus, plus, times, equals, point, comma, colon, slash, told by shape and place in the line.

All lengths are in heights of the line's digits.
"""

import numpy as np

__all__ = ["SIGNS", "is_letter_like", "is_unmistakable", "sign_of"]

SIGNS = "+-×=.,:/"
SMALL = 0.45  # a dot, a comma or a crumb is not larger, to either side
FLAT = 0.4  # a bar is not higher than such a part of its width
BAR = 0.3  # and not higher than this
LEAN = 0.25  # a slash leans to the right by this much of its height, at least,
TALL = 1.12  # and is higher than the digits beside it
ARM = 0.2  # of the box: ink of a times is not farther from its diagonals
LOWER, SQUARE = 0.93, (0.93, 1.2)  # a plus that is no 4 or 2 is lower than the digits, and about as wide as high


def sign_of(ink: np.ndarray, top: float, bottom: float, line: tuple[float, float]) -> str:
    """The sign that ink looks like, or ''.

    Args:
        ink: bool (height, width), cut to its box.
        top, bottom: of the box, in pixels of the line.
        line: top and bottom of the line's digits, in the same pixels.
    """
    size = line[1] - line[0]
    high, wide = ink.shape[0] / size, ink.shape[1] / size
    middle = ((top + bottom) / 2 - line[0]) / size  # 0 at the top of the digits, 1 at their bottom
    if not ink.any() or high < 0.04:
        return ""
    bands = _bands(ink)
    if len(bands) == 2 and wide > 0.25 and high < 0.75 and 0.2 < middle < 0.8:
        thick = max(stop - start for start, stop in bands) / size
        return "=" if thick < min(BAR, 0.6 * wide) else ""
    if len(bands) == 2 and wide < 0.3 and 0.3 < middle < 0.85 and all(b - a < 0.35 * size for a, b in bands):
        return ":"
    if high <= min(BAR, FLAT * wide) and wide > 0.22 and 0.22 < middle < 0.8:
        return "-"
    if high <= 0.55 and wide <= 0.4 and middle > 0.75:
        return "," if high > 1.5 * wide or (bottom - line[1]) / size > 0.12 else "."
    if _is_cross(ink) and 0.3 < high < 1.15 and 0.3 < wide < 1.15 and 0.2 < middle < 0.8:
        return "+"
    if _is_saltire(ink) and 0.25 < high < 0.9 and 0.2 < middle < 0.9:
        return "×"
    if high > TALL and _lean(ink) > LEAN:
        return "/"
    return ""


def is_unmistakable(sign: str, ink: np.ndarray, line: tuple[float, float]) -> bool:
    """Return whether no digit has the shape of a sign: two bars, one, a times; a plus lower than digits, and square.

    Args:
        sign: as `sign_of` has named it.
        ink, line: as there.
    """
    high, wide = ink.shape
    square = SQUARE[0] < wide / high < SQUARE[1] and high < LOWER * (line[1] - line[0])
    return sign in ("=", "-", "×") or (sign == "+" and square)


def is_letter_like(box: tuple[int, int, int, int], size: float) -> bool:
    """Return whether ink of that box may be a letter: neither a crumb nor a bar nor the remainder of a rule."""
    wide, high = (box[2] - box[0]) / size, (box[3] - box[1]) / size
    return not (high < SMALL and (wide < SMALL or high < FLAT * wide)) and high < 2.5


def _bands(ink: np.ndarray) -> list[tuple[int, int]]:
    """Rows with ink, as runs [start, stop)."""
    rows = np.concatenate([[0], ink.any(1).astype(np.int8), [0]])
    edges = np.flatnonzero(np.diff(rows))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def _is_cross(ink: np.ndarray) -> bool:
    """Return whether ink is a bar across and a bar down that meet near the middle and leave the four corners free."""
    high, wide = ink.shape
    if high < 5 or wide < 5 or not 0.45 < high / wide < 2.2:
        return False
    rows, columns = ink.sum(1) / wide, ink.sum(0) / high
    row, column = int(np.argmax(rows)), int(np.argmax(columns))
    if rows[row] < 0.75 or columns[column] < 0.75:
        return False
    if not (0.25 < row / high < 0.75 and 0.25 < column / wide < 0.75):
        return False
    y, x = np.nonzero(ink)
    far = (np.abs(y - row) > 0.22 * high) & (np.abs(x - column) > 0.22 * wide)
    return float(far.mean()) < 0.08


def _is_saltire(ink: np.ndarray) -> bool:
    """Return whether ink is two strokes from corner to corner, with nothing between their ends."""
    high, wide = ink.shape
    if high < 5 or wide < 5 or not 0.6 < high / wide < 1.7:
        return False
    y, x = np.nonzero(ink)
    v, u = (y + 0.5) / high, (x + 0.5) / wide
    down, up = np.abs(u - v) < ARM, np.abs(u + v - 1) < ARM
    ends = np.abs(v - 0.5) > 0.25  # beyond the crossing all four arms have ink
    arms = (down & ends & (v < 0.5), down & ends & (v > 0.5), up & ends & (v < 0.5), up & ends & (v > 0.5))
    return float((~(down | up)).mean()) < 0.08 and min(arm.sum() for arm in arms) > 0.06 * len(y)


def _lean(ink: np.ndarray) -> float:
    """The lean of a straight stroke to the right, in heights of it; 0 for what is not straight."""
    y, x = np.nonzero(ink)
    if len(y) < 10 or np.ptp(x) < 2:
        return 0.0
    slope, at = np.polyfit(y, x, 1)
    away = np.abs(x - slope * y - at)
    return float(-slope) if np.percentile(away, 90) < 0.12 * ink.shape[0] else 0.0
