"""From components to lines of writing."""

from typing import NamedTuple

import numpy as np
from scipy import ndimage

__all__ = ["Component", "Row", "find_components", "find_lines", "grown", "typical_height", "without_blots"]

REACH = 3.0  # how far the next component of a line may be, in heights
FAN = 0.06  # by which lines of a photo may rise or fall from what its other lines do
BAR = 0.25  # of the height of digits: what is not higher and goes across the sheet is no writing
BLOT = 4.0  # times the usual width of strokes: what is wider is no pen's
COMMA, NEAR = 0.65, 0.3  # a comma is lower, in heights of its line, and so near to it
SHIFT, FAR = 0.55, 0.35  # and how much higher or lower, in heights; where the gap is wider than a height


class Component(NamedTuple):
    """Ink that hangs together: its label, its box [left, right) x [top, bottom), and its pixels."""

    label: int
    left: int
    top: int
    right: int
    bottom: int
    area: int

    @property
    def height(self) -> int:
        return self.bottom - self.top

    @property
    def width(self) -> int:
        return self.right - self.left

    @property
    def middle(self) -> tuple[float, float]:
        """(x, y) of the middle of the box."""
        return (self.left + self.right) / 2, (self.top + self.bottom) / 2


class Row(NamedTuple):
    """A line of writing: its components from left to right, and the height that is usual in it, in pixels."""

    components: tuple[Component, ...]
    height: float


def grown(mask: np.ndarray, pixels: int) -> np.ndarray:
    """A mask and what is no farther from it, to the sides and at corners, than so many pixels: bool, of its shape."""
    return np.asarray(ndimage.maximum_filter(mask, 2 * pixels + 1), bool)


def find_components(mask: np.ndarray, gap: int = 0) -> tuple[np.ndarray, list[Component]]:
    """Label the pixels of a mask that touch, also at corners: int32 labels, and the components.

    Args:
        mask: bool (height, width).
        gap: pixels that may lie between what hangs together.
    """
    labels = np.zeros(mask.shape, np.int32)
    ndimage.label(grown(mask, (gap + 1) // 2) if gap else mask, np.ones((3, 3)), output=labels)
    if gap:
        labels *= mask
    areas = np.bincount(labels.ravel())
    found = [
        Component(label, x.start, y.start, x.stop, y.stop, int(areas[label]))
        for label, (y, x) in enumerate(ndimage.find_objects(labels), 1)
    ]
    return labels, found


def without_blots(labels: np.ndarray, components: list[Component]) -> list[Component]:
    """The components that a pen may have drawn: without those much thicker than most strokes, fingers and shadows.

    Args:
        labels: int32 (height, width), 0 where nothing is.
        components: theirs.
    """
    if len(components) < 2:
        return components
    step = 2 if max(labels.shape) > 1200 else 1
    small = labels[::step, ::step]
    thick = step * np.atleast_1d(
        ndimage.maximum(ndimage.distance_transform_edt(small), small, [c.label for c in components])
    )
    lengths = np.array([c.area for c in components]) / np.maximum(thick, 1)
    order = np.argsort(thick)
    most = np.cumsum(lengths[order])
    usual = max(float(thick[order[int(np.searchsorted(most, most[-1] / 2))]]), 1.0)
    return [c for c, one in zip(components, thick, strict=True) if one < BLOT * usual]


def typical_height(components: list[Component]) -> float:
    """The height of most of the ink: the median of the components' heights, each weighed by its ink."""
    if not components:
        return 0.0
    order = sorted(components, key=lambda c: c.height)
    weights = np.cumsum([c.area for c in order])
    return float(order[int(np.searchsorted(weights, weights[-1] / 2))].height)


def find_lines(components: list[Component], sheet: tuple[int, int]) -> tuple[list[Row], list[Component]]:
    """Group components into lines, top to bottom, each from left to right; what is too small or too large is left over.

    A component belongs with the nearest one to its right that is about as high up; small ones (the bar of a 5, a dot)
    join the line that they stand in.

    Args:
        components: of a straightened page.
        sheet: (height, width) of the page.
    """
    height = typical_height(components)
    specks = [c for c in components if c.height < 0.12 * height and c.width < 0.12 * height]
    tall = [c for c in components if c.height >= 0.4 * height and not _frame(c, height, sheet)]
    groups = _chains(tall)
    rows = _merged(groups)
    chosen = {c.label for row in rows for c in row} | {c.label for c in specks}
    for c in components:
        if c.label in chosen or _frame(c, height, sheet):
            continue
        near = [(d, i) for i, row in enumerate(rows) if not _rest(c, row) and (d := _distance(c, row)) < 0.6]
        if near:
            rows[min(near)[1]].append(c)
            chosen.add(c.label)
    found = [Row(tuple(sorted(row, key=lambda c: c.middle[0])), _height(row)) for row in rows]
    found.sort(key=lambda row: np.mean([c.middle[1] for c in row.components]))
    return found, [c for c in components if c.label not in chosen and c not in specks]


def _frame(c: Component, height: float, sheet: tuple[int, int]) -> bool:
    """Return whether a component is a drawing, a table's frame or the edge of the sheet, and no writing."""
    across = c.width > 0.5 * sheet[1]
    return c.height > 4 * height or (across and not BAR * height < c.height < 2 * height)


def _rest(c: Component, row: list[Component]) -> bool:
    """Return whether a component is the remainder of a rule or of an edge: flat, and longer than a digit."""
    size = _height(row)
    return c.width > 2.2 * size and c.height < 0.3 * c.width


def _height(row: list[Component]) -> float:
    """The height of the line's digits: that of the component that three quarters of the ink are not higher than."""
    order = sorted(row, key=lambda c: c.height)
    weights = np.cumsum([c.area for c in order])
    return float(order[int(np.searchsorted(weights, 0.6 * weights[-1]))].height)


def _chains(components: list[Component]) -> list[list[Component]]:
    """Groups in which every component was linked with its right neighbour."""
    parent = list(range(len(components)))

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    left = np.array([c.left for c in components], float)
    right = np.array([c.right for c in components], float)
    x = np.array([c.middle[0] for c in components])
    y = np.array([c.middle[1] for c in components])
    height = np.array([c.height for c in components], float)
    for i in range(len(components)):
        size = np.maximum(height[i], height)
        gap = left - right[i]
        level = np.where(gap < size, SHIFT, FAR) * size
        beside = (x > x[i]) & (gap < REACH * size) & (np.abs(y - y[i]) < level)
        beside &= np.maximum(height[i], height) < 3 * np.minimum(height[i], height)
        if beside.any():
            nearest = int(np.argmin(np.where(beside, np.maximum(gap, 0) + 0.3 * np.abs(y - y[i]), np.inf)))
            parent[root(i)] = root(nearest)
    groups: dict[int, list[Component]] = {}
    for i, c in enumerate(components):
        groups.setdefault(root(i), []).append(c)
    return list(groups.values())


def _merged(groups: list[list[Component]]) -> list[list[Component]]:
    """Groups of the same height on the page, side by side, are one line with a large space in it."""
    groups = sorted(groups, key=lambda g: -sum(c.area for c in g))
    rows: list[list[Component]] = []
    for group in groups:
        for row in rows:
            size = max(_height(row), _height(group))
            near = _height(row) < 2 * _height(group) < 4 * _height(row) and _apart(row, group, size) < FAR
            if (near and _beside(row, group)) or _hangs(group, row):
                row.extend(group)
                break
        else:
            rows.append(list(group))
    return rows


def _hangs(group: list[Component], row: list[Component]) -> bool:
    """Return whether a group is one large comma: it begins beside a line's digits, and ends below them."""
    (c, *more), size = group, _height(row)
    across = c.top < np.mean([a.bottom for a in row]) < c.bottom
    return not more and bool(across) and c.height < COMMA * size and _distance(c, row) < NEAR


def _beside(row: list[Component], group: list[Component]) -> bool:
    """Return whether few components of one stand above the others."""
    over = sum(min(a.right, b.right) - max(a.left, b.left) > 0.5 * b.width for a in row for b in group)
    return over <= 0.3 * len(group)


def _apart(row: list[Component], group: list[Component], size: float) -> float:
    """The vertical distance of the two where they are nearest, in heights of a line; a photo's lines fan."""
    left, right = (row, group) if _centre(row) < _centre(group) else (group, row)
    a = sorted(left, key=lambda c: c.right)[-3:]
    b = sorted(right, key=lambda c: c.left)[:3]
    gap = max(0, min(c.left for c in b) - max(c.right for c in a))
    return abs(_level(a) - _level(b)) / (size + FAN * gap)


def _centre(row: list[Component]) -> float:
    return float(np.median([c.middle[0] for c in row]))


def _level(row: list[Component]) -> float:
    return float(np.median([c.middle[1] for c in row]))


def _distance(c: Component, row: list[Component]) -> float:
    """The distance of a small component from the line's other components, in heights of the line."""
    size = _height(row)
    return min(
        max(0, a.left - c.right, c.left - a.right) / size + 1.5 * max(0, a.top - c.bottom, c.top - a.bottom) / size
        for a in row
    )
