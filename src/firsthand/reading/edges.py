"""The edges of a sheet on a table or in the hand: what reaches over them, and bindings, is no writing."""

import numpy as np
from scipy import ndimage

from .ink import find_strokes
from .lines import Component, find_components
from .regions import Regions

__all__ = ["on_sheet"]

EDGE = 0.008  # of the longer side: what comes so near to the edge of a sheet reaches over it
MARGIN = 0.03  # and what lies wholly in such a margin of a sheet is none of its writing
RINGS = 4  # this many things that reach over one side are its binding, which is not
DEPTH = 0.09  # deeper than this;
WHOLE = 1.3  # its holes lie a little deeper than most rings reach


def on_sheet(pen: np.ndarray, regions: Regions) -> np.ndarray:
    """The ink without what reaches over the edge of the sheet, bindings, fingers, shadows under it; and without stains.

    Where a table is in the picture, too, the paper under the writing is less surely known, and stains have edges.

    Args:
        pen: float32 (height, width), the ink that is a pen's.
        regions: of the same picture.
    """
    if not regions.beyond.any():
        return pen
    pen = pen * np.clip(2 * ndimage.maximum_filter(regions.written, 3), 0, 1)
    strokes = find_strokes(pen, regions.beyond < 0.5, regions.written > 0.5)
    if strokes is None:
        return pen
    longer = max(pen.shape)
    over = ndimage.maximum_filter(regions.beyond, 2 * max(3, round(EDGE * longer)) + 1) > 0.5
    labels, found = find_components(strokes.mask)
    gone = np.zeros(len(found) + 1, bool)
    gone[np.unique(labels[over])] = True
    # the holes of a binding are a row of small things along the edge
    away = np.asarray(ndimage.distance_transform_edt(regions.beyond < 0.5))
    inside = np.ones(len(found) + 1, bool)
    inside[np.unique(labels[away >= MARGIN * longer])] = False
    gone |= inside
    gone[0] = False
    taken = np.asarray(ndimage.maximum_filter(gone[labels], 5), bool) | (regions.beyond > 0.5)
    for side in range(4):
        taken |= _binding(np.rot90(away, side), [c for c in found if gone[c.label]], labels, side, longer)
    return np.where(taken, 0, pen)


def _binding(away: np.ndarray, gone: list[Component], labels: np.ndarray, side: int, longer: int) -> np.ndarray:
    """The strip along one side of a sheet in which its rings and their holes are; empty where there is no binding.

    Args:
        away: distance from what is beyond the sheet, turned so that the side is at the top.
        gone: components that reach over an edge.
        labels: of all components.
        side: quarter turns that bring the side to the top.
        longer: of the picture's sides.
    """
    high, wide = away.shape
    strip = np.zeros(away.shape, bool)
    there = np.flatnonzero((away > 0).any(1))
    if not len(there):
        return np.rot90(strip, -side)
    turned = np.rot90(labels, side)
    top, depths = int(there[0]), []
    names = np.unique(turned[top : top + round(2 * DEPTH * longer)])
    for c in gone:
        if c.label in names:
            y, x = np.nonzero(turned == c.label) if c.area < high * wide / 50 else (np.zeros(0, int), np.zeros(0, int))
            depth = float(away[y, x].max()) if len(y) else np.inf
            if depth < DEPTH * longer and c.area > (0.004 * longer) ** 2:
                depths.append(depth)
    if len(depths) < RINGS:
        return np.rot90(strip, -side)
    rows = np.arange(high)[:, None] < top + 2 * DEPTH * longer
    strip = (away < WHOLE * np.percentile(depths, 90)) & rows
    return np.rot90(strip, -side)
