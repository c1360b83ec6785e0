"""A line of writing cut into pieces, each a digit or a part of one, and all the ways to put them together.

Components are no digits: digits touch, and digits break.  So everything wide is cut wherever a cut crosses little
ink, too often rather than too seldom, and what belongs together is decided later, by reading (decode.py).

A line is scaled so that its digits are HEIGHT pixels high; all lengths here are in these pixels.
"""

from collections import Counter
from typing import NamedTuple

import numpy as np
from PIL import Image
from scipy import ndimage

from .lines import Row

__all__ = [
    "HEIGHT",
    "Scaled",
    "Span",
    "Strip",
    "cut_row",
    "scale_row",
    "seams",
    "spans",
    "whole_components",
    "without_rivals",
]

HEIGHT = 40
MARGIN = 8  # around a strip
NARROW = 15  # what is not wider is not cut
SIDE = 0.6  # what a seam pays for a step aside
THROUGH = (0.3, 0.5, 0.7)  # of the height: the rows through whose every pixel a seam is looked for
SLANTS = (0.0, -0.35)  # of seams, in pixels to the right per pixel down: writing leans to the right
APART = 60.0  # this much ink is between two seams, at least, and beside them
OFTEN = 6  # one seam for this many pixels of width, at most
CROSSED = 26.0  # a seam crosses at most this much ink: about four strokes
SMALL = 20  # pieces with less ink join a neighbour
PIECES = 9  # in one digit, at most
WIDE = 1.6 * HEIGHT  # a digit is not wider
STROKE = 6.1  # MNIST's strokes are 0.152 of the digit's height wide
THIN, THICK = 4.5, 10.0  # outside of these the strokes are brought towards STROKE


class Strip(NamedTuple):
    """A line of writing, scaled.

    Attributes:
        ink: float32 (height, width), 0 to 1.
        piece: int16 (height, width): 0, or the number of the piece that a pixel belongs to, from 1, left to right.
        boxes: (left, top, right, bottom) of each piece.
        component: of each piece, the number of the component it was cut from.
        scale, left, top: pixel (x, y) of the strip is (left + x / scale, top + y / scale) of the page.
        stroke: the width of the strokes before they were adapted.
    """

    ink: np.ndarray
    piece: np.ndarray
    boxes: tuple[tuple[int, int, int, int], ...]
    component: tuple[int, ...]
    scale: float
    left: float
    top: float
    stroke: float

    def on_page(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Places of the strip as places of the page."""
        return self.left + np.asarray(x) / self.scale, self.top + np.asarray(y) / self.scale


class Span(NamedTuple):
    """Consecutive pieces first .. last - 1, counted from 0, taken as one digit, and the box of their ink."""

    first: int
    last: int
    box: tuple[int, int, int, int]


class Scaled(NamedTuple):
    """A line of writing, scaled, before it is cut.

    Attributes:
        ink: float32 (height, width), 0 to 1.
        owner: int32 (height, width): 0, or the label of the component that a pixel belongs to, with its soft edges.
        scale, left, top, stroke: as of a `Strip`.
    """

    ink: np.ndarray
    owner: np.ndarray
    scale: float
    left: float
    top: float
    stroke: float


def scale_row(strength: np.ndarray, labels: np.ndarray, row: Row) -> Scaled:
    """Scale a line of writing so that its digits are HEIGHT pixels high, with strokes about as wide as MNIST's.

    Args:
        strength: float32 (height, width) of the page, 0 to 1.
        labels: of the components, of the same shape.
        row: the line.
    """
    scale = HEIGHT / row.height
    pad = int(np.ceil(MARGIN / scale))
    left, top = (min(getattr(c, name) for c in row.components) - pad for name in ("left", "top"))
    right, bottom = (max(getattr(c, name) for c in row.components) + pad for name in ("right", "bottom"))
    ink, names = _crop(strength, left, top, right, bottom), _crop(labels, left, top, right, bottom)
    own = np.isin(names, [c.label for c in row.components])
    # the soft edges of strokes lie outside of their mask, but no other component does
    ink = np.where(own | (ndimage.maximum_filter(own, 3) & (names == 0)), ink, 0)
    names = np.where(own, names, 0)
    high, wide = (max(1, round(side * scale)) for side in ink.shape)
    small = np.asarray(
        Image.fromarray(ink.astype(np.float32)).resize((wide, high), Image.Resampling.BICUBIC), np.float32
    ).clip(0, 1)
    small_names = np.asarray(Image.fromarray(names).resize((wide, high), Image.Resampling.NEAREST))
    mask = small > 0.4
    stroke = 4 * float(np.asarray(ndimage.distance_transform_edt(mask))[mask].mean()) if mask.any() else 0.0
    small = _adapted(small, stroke)
    if not small_names.any():  # thinner than a pixel of the strip
        small_names = mask.astype(np.int32)
    nearest = ndimage.distance_transform_edt(small_names == 0, return_distances=False, return_indices=True)
    owner = small_names[tuple(np.asarray(nearest))] * (small > 0.15)
    return Scaled(small, owner, scale, float(left), float(top), stroke)


def cut_row(strength: np.ndarray, labels: np.ndarray, row: Row) -> Strip:
    """Scale a line of writing, and cut it into pieces; arguments as of `scale_row`."""
    line = scale_row(strength, labels, row)
    pieces, component = _pieces(line.ink, line.owner)
    dark = ndimage.find_objects(np.where(line.ink > 0.3, pieces, 0), len(component))
    boxes = tuple(
        (x.start, y.start, x.stop, y.stop)
        for y, x in (d or whole for d, whole in zip(dark, ndimage.find_objects(pieces), strict=True))
    )
    return Strip(line.ink, pieces, boxes, component, line.scale, line.left, line.top, line.stroke)


def _crop(image: np.ndarray, left: int, top: int, right: int, bottom: int) -> np.ndarray:
    """A window that may reach beyond the image, where it is 0."""
    high, wide = image.shape
    inner = image[max(0, top) : bottom, max(0, left) : right]
    return np.pad(inner, ((max(0, -top), max(0, bottom - high)), (max(0, -left), max(0, right - wide))))


def _adapted(ink: np.ndarray, stroke: float) -> np.ndarray:
    """Strokes much thinner or thicker than MNIST's made thicker or thinner."""
    if not stroke or THIN <= stroke <= THICK:
        return ink
    target = STROKE - 1 if stroke < THIN else STROKE + 1.5
    radius = min(abs(target - stroke) / 2, 4.0)
    change = ndimage.grey_dilation if stroke < THIN else ndimage.grey_erosion
    low, part = int(radius), radius - int(radius)
    one = change(ink, footprint=_disk(low)) if low else ink
    other = change(ink, footprint=_disk(low + 1))
    return ((1 - part) * one + part * other).astype(np.float32)


def _disk(radius: int) -> np.ndarray:
    y, x = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    return x * x + y * y <= radius * radius + 1


def _pieces(ink: np.ndarray, owner: np.ndarray) -> tuple[np.ndarray, tuple[int, ...]]:
    """Number the pieces of all components from left to right; and the component of each."""
    parts: list[tuple[float, int, np.ndarray, np.ndarray]] = []
    for label, box in enumerate(ndimage.find_objects(owner), 1):
        if box is None:
            continue
        own = owner[box] == label
        window = np.where(own, ink[box], 0)
        cut = np.zeros(own.shape, np.int16)
        if own.shape[1] > NARROW:
            for seam in seams(window):
                cut += np.arange(own.shape[1]) > seam[:, None]
        cut = _without_crumbs(cut, window)
        for part in np.unique(cut[own]):
            y, x = np.nonzero(own & (cut == part))
            weight = window[y, x]
            if weight.sum() > 3:
                y, x = y + box[0].start, x + box[1].start
                parts.append((float(np.average(x, weights=weight)), label, y, x))
    parts.sort(key=lambda part: part[0])
    numbered = np.zeros(ink.shape, np.int16)
    for number, (_, _, y, x) in enumerate(parts, 1):
        numbered[y, x] = number
    return numbered, tuple(label for _, label, _, _ in parts)


def _without_crumbs(cut: np.ndarray, ink: np.ndarray) -> np.ndarray:
    """The same with pieces of hardly any ink joined to the piece before or after."""
    amounts = np.bincount(cut.ravel(), ink.ravel())
    while len(amounts) > 1 and amounts.min() < SMALL:
        least = int(np.argmin(amounts))
        # the lighter neighbour takes it
        sides = [i for i in (least - 1, least + 1) if 0 <= i < len(amounts)]
        other = min(sides, key=lambda i: amounts[i])
        cut = np.where(cut == least, other, cut)
        cut = np.where(cut > least, cut - 1, cut).astype(np.int16)
        amounts = np.bincount(cut.ravel(), ink.ravel())
    return cut


def seams(ink: np.ndarray) -> list[np.ndarray]:
    """Ways from top to bottom that cross little ink, from left to right; each the column of every row.

    The cost of a seam is the ink it crosses, and s for every step aside from its slant:

        M[y, x] = c[y, x] + min(M[y-1, x-1] + s, M[y-1, x], M[y-1, x+1] + s)

    in the picture sheared by the slant.  Of seams that nearly coincide the cheapest is kept.
    """
    high, wide = ink.shape
    costs, paths = [], []
    for slant in SLANTS:
        shift = np.round(slant * (np.arange(high) - high / 2)).astype(int)  # of every row, to the left
        reach = int(np.abs(shift).max(initial=0))
        at = np.arange(wide + 2 * reach) - reach + shift[:, None]
        inside = (at >= 0) & (at < wide)
        sheared = np.where(inside, ink[np.arange(high)[:, None], np.clip(at, 0, wide - 1)], 0).astype(np.float32)
        cost, path = _cheapest(sheared)
        costs.append(cost)
        paths.append(np.clip(path - reach + shift, -1, wide))
    cost, path = np.concatenate(costs), np.concatenate(paths)  # (n,), (n, high)
    # the ink to the left of every seam, row by row: what stands between two seams is how much these differ
    before = np.pad(np.cumsum(ink, axis=1), ((0, 0), (1, 0)))[np.arange(high), np.clip(path + 1, 0, wide)]
    amount = before.sum(1)
    rest = np.flatnonzero((amount >= APART) & (amount <= ink.sum() - APART))
    rest = rest[np.argsort(cost[rest], kind="stable")]
    found = []
    while len(rest) and len(found) < wide / OFTEN:
        found.append(rest[0])
        rest = rest[np.abs(before[rest] - before[rest[0]]).sum(1) >= APART]
    return [path[i] for i in sorted(found, key=lambda i: path[i].mean())]


def _cheapest(ink: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The cheapest seams through each pixel of a few rows, of no more than CROSSED: costs (n,), columns (n, high).

    The cheapest to the end of each column would be few: most of them are one and the same higher up.
    """
    high = len(ink)
    down, from_above = _costs(ink)
    up, from_below = (found[::-1] for found in _costs(ink[::-1]))
    through = down + up - ink
    costs, paths = [], []
    for row in sorted({int(part * high) for part in THROUGH}):
        x = np.flatnonzero(through[row] <= CROSSED)
        path = np.empty((len(x), high), np.int64)
        path[:, row] = at = x
        for y in range(row, 0, -1):
            at = at + from_above[y, at]
            path[:, y - 1] = at
        at = x
        for y in range(row, high - 1):
            at = at + from_below[y, at]
            path[:, y + 1] = at
        costs.append(through[row, x])
        paths.append(path)
    return np.concatenate(costs), np.concatenate(paths)


def _costs(ink: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """M of `seams`, and for every pixel how far to the right the pixel above lies on the way to it: -1, 0 or 1."""
    high, wide = ink.shape
    ways = np.full((3, wide), np.inf, np.float32)
    total, step = np.empty((high, wide), np.float32), np.zeros((high, wide), np.int8)
    total[0] = ink[0]
    for y in range(1, high):
        above = total[y - 1]
        ways[0, 1:], ways[1], ways[2, :-1] = above[:-1] + SIDE, above, above[1:] + SIDE
        step[y] = ways.argmin(0)
        total[y] = ink[y] + ways.min(0)
    step[1:] -= 1
    return total, step


def spans(strip: Strip) -> list[Span]:
    """Every run of consecutive pieces that could be one digit, by its width and by the gaps in it."""
    found = []
    for first in range(len(strip.boxes)):
        left, top, right, bottom = strip.boxes[first]
        for last in range(first, min(first + PIECES, len(strip.boxes))):
            box = strip.boxes[last]
            if last > first:
                if strip.component[last] not in strip.component[first:last] and box[0] - right > 0.2 * HEIGHT:
                    break
                left, top, right, bottom = min(left, box[0]), min(top, box[1]), max(right, box[2]), max(bottom, box[3])
                if right - left > WIDE:
                    break
            found.append(Span(first, last + 1, (left, top, right, bottom)))
    return found


def whole_components(strip: Strip, found: list[Span]) -> list[Span]:
    """The spans that are all pieces of one component, and no others."""
    counts = Counter(strip.component)
    return [
        span
        for span in found
        if len(set(strip.component[span.first : span.last])) == 1
        and span.last - span.first == counts[strip.component[span.first]]
    ]


def without_rivals(found: list[Span], sure: list[Span]) -> list[Span]:
    """The spans without those that share a piece with one that is sure, but for itself."""
    owner = {piece: span for span in sure for piece in range(span.first, span.last)}
    return [span for span in found if {owner.get(piece, span) for piece in range(span.first, span.last)} == {span}]
