"""Printed lines followed where the page network lost them.

A line that is as dark and as thick as the pen is seen in pieces.  It goes on where it was seen at both sides, at the
slope that it has, and where the ink is no thicker than the line: thicker ink is a stroke that crosses it, of which the
network takes a piece for the line's.
"""

from typing import NamedTuple

import numpy as np
from scipy import ndimage

from .lines import find_components, grown

__all__ = ["Followed", "follow_rules"]

SEEN, FAINT = 0.3, 0.15  # of the network's probability of a printed line
LIMIT, STEP = 18.0, 1.0  # degrees by which lines lean
SHARP = 2.0  # as much fuller as on average are the rows of a picture with lines, at the right slope
REACH = 2.0  # heights of digits to either side within which a line is seen again
FAR, MOST = 8.0, 0.7  # and beyond its end it goes on where this much of this many heights before is seen
AWAY = 2  # pixels by which it may lie higher or lower there
THICKER = 1.7  # times as thick as the line is: a stroke that crosses it
LEAST = 0.15  # heights: a spur is longer
LOW = 1.3  # heights: what is higher and crosses a line is a line itself
NEAR = 2.0  # heights: so near to a line of the other direction
INK = 0.1  # of the light is taken, at least


class Followed(NamedTuple):
    """The places where printed lines go on, and where strokes cross them: bool (height, width)."""

    goes_on: np.ndarray
    crossed: np.ndarray


def follow_rules(rule: np.ndarray, pen: np.ndarray, ink: np.ndarray, height: float) -> Followed:
    """Follow printed lines, those along the rows and those down the columns.

    Args:
        rule: how surely there is a printed line, float32 (height, width).
        pen: how surely there is a pen's stroke, of the same shape.
        ink: how much light is taken, of the same shape.
        height: of digits, in pixels.
    """
    along = _along_rows(rule, ink, height)
    down = _along_rows(np.ascontiguousarray(rule.T), np.ascontiguousarray(ink.T), height)
    rows, columns = along.goes_on, down.goes_on.T
    spurs = _spurs(rule, pen, rows, columns, height) | _spurs(rule.T, pen.T, columns.T, rows.T, height).T
    return Followed(rows | columns, along.crossed | down.crossed.T | spurs)


def _spurs(rule: np.ndarray, pen: np.ndarray, lines: np.ndarray, others: np.ndarray, height: float) -> np.ndarray:
    """Mask strokes that the network took for printed lines where they cross one.

    They are short, stand on a line along the rows, and a pen goes on at their end.  Near lines of the other direction
    they are what was seen of those.
    """
    labels, found = find_components((rule > FAINT) & ~grown(lines | others, 2))
    names = np.arange(len(found) + 1)
    keep = np.isin(names, [c.label for c in found if max(LEAST * height, c.width) < c.height < LOW * height])
    for near in (lines, pen > SEEN):
        keep &= np.isin(names, labels[grown(near, 3)])
    keep &= ~np.isin(names, labels[grown(others, round(NEAR * height))])
    return keep[labels]


def _along_rows(rule: np.ndarray, ink: np.ndarray, height: float) -> Followed:
    """The lines that lead more or less along the rows."""
    none = np.zeros(rule.shape, bool)
    slope = _slope(rule > SEEN)
    if slope is None:
        return Followed(none, none)
    shifts = np.round(slope * (np.arange(rule.shape[1]) - rule.shape[1] / 2)).astype(int)
    seen, dark = _sheared(rule > SEEN, shifts), _sheared(ink > INK, shifts)
    thick = _runs(dark)
    lines = seen & dark & _long(seen, height)
    if not lines.any():
        return Followed(none, none)
    # pieces of strokes that are taken for lines lead up and down
    thickest = THICKER * float(np.median(thick[lines]))
    lines &= thick <= thickest
    near: np.ndarray = np.asarray(ndimage.maximum_filter1d(lines, 2 * AWAY + 1, axis=0))
    reach, far = (max(3, round(heights * height)) for heights in (REACH, FAR))
    between = _ahead(near, reach) & _ahead(near[:, ::-1], reach)[:, ::-1]
    # a window half of which lies on the other side
    mean = np.asarray(ndimage.uniform_filter1d(near.astype(np.float32), far, axis=1))
    ends = np.asarray(ndimage.maximum_filter1d(near & (mean > MOST / 2), reach, axis=1), bool)
    goes_on = (between | ends) & dark & (thick <= thickest)
    crossed = _crossed(dark, between, thickest, LOW * height)
    return Followed(_sheared(goes_on, -shifts, rule.shape), _sheared(crossed, -shifts, rule.shape))


def _ahead(mask: np.ndarray, reach: int) -> np.ndarray:
    """Mask the places that have the mask within reach to their left."""
    return np.asarray(ndimage.maximum_filter1d(mask, reach, axis=1, origin=(reach - 1) // 2))


def _crossed(dark: np.ndarray, band: np.ndarray, thickest: float, highest: float) -> np.ndarray:
    """Strokes that cross a line: ink that goes on above it and below it, and is no line down the sheet itself."""
    flat, at = _columns(dark), _columns(band)
    starts, stops = _ends(flat)
    if not len(starts):
        return np.zeros(dark.shape, bool)
    places = np.arange(len(flat))
    first = np.minimum.reduceat(np.where(at & flat, places, len(flat)), starts)
    last = np.maximum.reduceat(np.where(at & flat, places, -1), starts)
    length = stops - starts
    chosen = (last >= 0) & (first > starts + 1) & (last < stops - 2) & (length > thickest) & (length < highest)
    change = np.zeros(len(flat) + 1, np.int8)
    change[starts[chosen]] += 1
    change[stops[chosen]] -= 1
    return np.cumsum(change[:-1]).astype(bool).reshape(dark.shape[1], dark.shape[0] + 2).T[1:-1]


def _slope(mask: np.ndarray) -> float | None:
    """Pixels down per pixel to the right at which a mask falls into the fewest rows; None where it has no lines."""
    y, x = np.nonzero(mask)
    if len(y) < 50:
        return None
    if len(y) > 20_000:
        chosen = np.random.default_rng(0).choice(len(y), 20_000, replace=False)
        y, x = y[chosen], x[chosen]
    x = x - mask.shape[1] / 2

    def score(degrees: float) -> float:
        rows = np.round(y - np.tan(np.deg2rad(degrees)) * x).astype(int)
        counts = np.bincount(rows - rows.min())
        return float(np.sum(counts.astype(float) ** 2))

    angles = np.arange(-LIMIT, LIMIT + STEP, STEP)
    scores = np.array([score(a) for a in angles])
    best = float(angles[np.argmax(scores)])
    if scores.max() < SHARP * len(y) ** 2 / (mask.shape[0]):
        return None
    fine = np.arange(best - STEP, best + STEP, STEP / 8)
    return float(np.tan(np.deg2rad(fine[np.argmax([score(a) for a in fine])])))


def _sheared(mask: np.ndarray, shifts: np.ndarray, shape: tuple[int, int] | None = None) -> np.ndarray:
    """A mask whose columns are moved up by shifts, on a sheet that holds all of them; or back, to a shape."""
    pad = int(np.abs(shifts).max(initial=0))
    high, wide = mask.shape
    padded = np.pad(mask, ((2 * pad, 2 * pad), (0, 0)))
    rows = np.arange(high + 2 * pad)[:, None] + pad + shifts
    moved = padded[rows, np.arange(wide)]
    if shape is None:
        return moved
    top = (moved.shape[0] - shape[0]) // 2
    return moved[top : top + shape[0]]


def _columns(mask: np.ndarray) -> np.ndarray:
    """The columns one after the other, each with an empty pixel before and after it."""
    return np.pad(mask, ((1, 1), (0, 0))).T.ravel()


def _ends(flat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The columns where runs begin, and those where they have ended."""
    edges = np.diff(flat.astype(np.int8))
    return np.flatnonzero(edges == 1) + 1, np.flatnonzero(edges == -1) + 1


def _runs(mask: np.ndarray) -> np.ndarray:
    """The number of pixels of a mask that lie one above the other, at each of them."""
    flat = _columns(mask)
    starts, stops = _ends(flat)
    lengths = np.zeros(len(flat), np.int32)
    lengths[flat] = np.repeat(stops - starts, stops - starts)
    return lengths.reshape(mask.shape[1], mask.shape[0] + 2).T[1:-1]


def _long(seen: np.ndarray, height: float) -> np.ndarray:
    """Mask the places where at least a third of a window along the row is a printed line."""
    reach = max(3, round(2 * REACH * height))
    rows = np.asarray(ndimage.maximum_filter1d(seen, 3, axis=0)).astype(np.float32)
    return ndimage.uniform_filter1d(rows, reach, axis=1) > 1 / 3
