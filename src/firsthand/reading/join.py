"""Strokes that a faint place or a printed line parts are joined again.

One threshold cuts a stroke where the pen was hardly pressed, and taking a printed line off leaves a gap where a stroke
crossed it.  Faint ink belongs to a stroke where the page network sees a pen; a gap is closed where there is ink all the
way from one side to the other and, over a printed line, the way leads across it and not along it.
"""

from typing import Any, NamedTuple

import numpy as np
from scipy import ndimage

from .ink import Strokes
from .lines import find_components, grown

__all__ = ["join_strokes"]

FAINT = 0.2  # of the pen's darkness: what is fainter is paper
RULE = 0.3  # the page network says of a printed line at least
SEEN = 0.2  # what the page network says of faint ink at least, for it to be a pen's
CLOSE = 0.45  # a gap is not wider, in heights of the larger of its two sides,
PART = 0.3  # the smaller side is a part of a digit, not a crumb of a rule: of the larger one's height at least
ACROSS = 0.016  # nor, over a printed line, than such a part of the picture's longer side
STEEP = 1.2  # as a way leads across a printed line: the tangent of its angle with it
RUN = 40  # pixels to either side by which a printed line's direction is told
STEPS = np.linspace(0.0, 1.0, 9)  # where a gap is looked at


class _Gaps(NamedTuple):
    """Ways from one component to another: (n,) arrays of their ends and of the components' labels."""

    y: np.ndarray
    x: np.ndarray
    to_y: np.ndarray
    to_x: np.ndarray
    one: np.ndarray
    other: np.ndarray

    @property
    def length(self) -> np.ndarray:
        return np.hypot(self.to_y - self.y, self.to_x - self.x)

    def only(self, chosen: np.ndarray) -> "_Gaps":
        return _Gaps(*(each[chosen] for each in self))

    def at(self, part: float) -> tuple[np.ndarray, np.ndarray]:
        """The pixels at a part of the way."""
        y = self.y + part * (self.to_y - self.y)
        x = self.x + part * (self.to_x - self.x)
        return np.rint(y).astype(int), np.rint(x).astype(int)


def join_strokes(strokes: Strokes, ink: np.ndarray, written: np.ndarray, rule: np.ndarray) -> Strokes:
    """Add to strokes what is faint in them, and what was taken off with printed lines.

    Args:
        strokes: of the pen's ink alone.
        ink: float32 (height, width), of pen and printed lines.
        written, rule: of the same shape, how surely the page network sees a pen and a printed line.
    """
    faint = np.clip(ink / strokes.local, 0, 1)
    strokes = _with_faint(strokes, faint, (written > SEEN) & (rule < RULE))
    labels, found = find_components(strokes.mask)
    gaps = _gaps(labels)
    sizes = np.array([0, *(max(c.height, c.width) for c in found)], float)
    one, other = sizes[gaps.one], sizes[gaps.other]
    larger = np.maximum(one, other)
    gaps = gaps.only((gaps.length < CLOSE * larger) & (np.minimum(one, other) > PART * larger))
    over = np.max([rule[gaps.at(part)] for part in STEPS], axis=0) > RULE
    dark = np.min([faint[gaps.at(part)] for part in STEPS], axis=0) > FAINT
    gaps = gaps.only(dark & (~over | (gaps.length < ACROSS * max(ink.shape)) & _crosses(gaps, rule > RULE)))
    return _closed(strokes, faint, gaps)


def _with_faint(strokes: Strokes, faint: np.ndarray, seen: np.ndarray) -> Strokes:
    """The strokes with faint ink that hangs together with them and is more than the edge of a dark stroke."""
    weak = (faint > FAINT) & seen
    apart = weak & ~grown(strokes.mask, 2)
    near = grown(apart, 3) & weak
    labels, found = find_components(strokes.mask | near)
    keep = np.zeros(len(found) + 1, bool)
    keep[np.unique(labels[strokes.mask])] = True
    keep[0] = False
    mask = keep[labels]
    return strokes._replace(mask=mask, strength=np.where(mask, np.maximum(strokes.strength, faint), strokes.strength))


def _gaps(labels: np.ndarray) -> _Gaps:
    """The shortest ways between components that are neighbours: they meet where two pixels have other nearest ones."""
    rows, columns = (np.flatnonzero(labels.any(axis)) for axis in (1, 0))
    top, left = int(rows[0]), int(columns[0])
    labels = labels[top : rows[-1] + 1, left : columns[-1] + 1]
    places: Any = ndimage.distance_transform_edt(labels == 0, return_distances=False, return_indices=True)
    near = labels[places[0], places[1]]
    places = places + np.array([top, left])[:, None, None]
    parts = []
    for axis in (0, 1):
        first, second = (slice(None, -1), slice(None)), (slice(1, None), slice(None))
        if axis:
            first, second = first[::-1], second[::-1]
        border = near[first] != near[second]
        ends = (*(p[side][border] for side in (first, second) for p in places),)
        parts.append((*ends, near[first][border], near[second][border]))
    return _Gaps(*(np.concatenate(each) for each in zip(*parts, strict=True)))


def _crosses(gaps: _Gaps, rule: np.ndarray) -> np.ndarray:
    """A mask of the ways that lead across printed lines: no line goes on in the direction of the way."""
    y, x = gaps.at(0.5)
    padded = np.pad(rule, RUN)
    along = np.arange(-RUN, RUN + 1)
    flat = padded[(y + RUN)[:, None], (x + RUN)[:, None] + along].sum(1)
    steep = padded[(y + RUN)[:, None] + along, (x + RUN)[:, None]].sum(1)
    down, right = np.abs(gaps.to_y - gaps.y), np.abs(gaps.to_x - gaps.x)
    clear = np.maximum(down, right) >= STEEP * np.minimum(down, right)
    return clear & (np.where(down >= right, steep, flat) < RUN)


def _closed(strokes: Strokes, faint: np.ndarray, gaps: _Gaps) -> Strokes:
    """The strokes with the ink along ways."""
    if not len(gaps.y):
        return strokes
    way = np.zeros(strokes.mask.shape, bool)
    for part in np.linspace(0.0, 1.0, 2 + int(gaps.length.max())):
        way[gaps.at(float(part))] = True
    way = grown(way, 1) & (faint > FAINT)
    return strokes._replace(
        mask=strokes.mask | way, strength=np.where(way, np.maximum(strokes.strength, faint), strokes.strength)
    )
