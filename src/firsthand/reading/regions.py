"""The parts of a photo as the page network sees them: pen, printed rule, or no paper at all."""

from typing import NamedTuple

import jax
import numpy as np
from PIL import Image
from scipy import ndimage

from . import network
from .background import Flat
from .lines import find_components, grown, typical_height
from .rules import follow_rules

__all__ = ["Regions", "find_regions"]

LONGEST = 1280  # pixels of the longer side that the network is shown
SHORTEST = 150  # a smaller picture holds one digit and nothing else
FAR, LARGEST = 3.0, 400  # a picture larger than this many pixels is shown once more, made smaller by this factor
SIDE = 256  # the network is compiled for pictures whose sides are multiples of this, and for no others
AS_PAPER = 0.04  # of the way from black to white: what differs less from the paper is paper
TABLE, COARSE = 0.04, 8  # a sheet is looked for where this much is beyond it; by blocks of this many pixels
BLOCKS, DARK = 7, 0.6  # medians are taken over this many blocks; what is darker than this much of the paper is none
CROSSING = 9  # pixels of the network's picture: no printed line is thicker
LONG, BOX = 1.7, 1.0  # heights of digits: a printed line is longer, a box larger
LARGE = 80  # a cell is not larger than this many boxes of the digits in it
DOUBT = 0.06  # where neither is seen, ink is a pen's


class Regions(NamedTuple):
    """Shares of 0 to 1 for every pixel, float32 (height, width), of the picture as it came.

    Attributes:
        pen: of the ink here, how much is a pen's.
        written: whether a pen's ink is here, and this is the sheet.
        rule: whether a printed line, a frame or a cell's border is here.
        beyond: whether this is no paper: a table, fingers, a binding.
        cells: int32 labels of what printed lines go all around, 0 elsewhere; of the picture made smaller.
    """

    pen: np.ndarray
    written: np.ndarray
    rule: np.ndarray
    beyond: np.ndarray
    cells: np.ndarray

    @property
    def plain(self) -> bool:
        """True where only a pen's ink and paper were seen: no printed line, and no edge of the sheet."""
        return not ((self.rule > 0.5).any() or (self.beyond > 0.5).any())

    def paper(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom of the paper: of the rows and columns that are not mostly beyond it."""
        high, wide = self.beyond.shape
        there = self.beyond < 0.5
        if not there.any():
            return 0.0, 0.0, float(wide), float(high)
        rows, columns = there.mean(1), there.mean(0)
        y, x = (np.flatnonzero(share > 0.5 * share.max()) for share in (rows, columns))
        return float(x[0]), float(y[0]), float(x[-1] + 1), float(y[-1] + 1)

    def in_cell(self, left: float, top: float, right: float, bottom: float) -> bool:
        """Return whether the middle of a box lies in a cell that is not much larger than it."""
        high, wide = self.cells.shape
        y, x = high / self.pen.shape[0], wide / self.pen.shape[1]
        rows = slice(int(top * y), max(int(top * y) + 1, int(bottom * y)))
        columns = slice(int(left * x), max(int(left * x) + 1, int(right * x)))
        inside = self.cells[rows, columns]
        names = inside[inside > 0]
        if 2 * len(names) < inside.size:
            return False
        cell = np.bincount(names).argmax()
        return int((self.cells == cell).sum()) < LARGE * inside.size


def find_regions(work: np.ndarray, flat: Flat) -> Regions:
    """Show a photo to the page network.

    Args:
        work: uint8 (height, width).
        flat: the same freed of its lighting.
    """
    shape = work.shape
    if max(shape) < SHORTEST:
        one, none = np.ones(shape, np.float32), np.zeros(shape, np.float32)
        return Regions(one, one, none, none, np.zeros((1, 1), np.int32))
    factor = max(1.0, max(shape) / LONGEST)
    found = _shown(work, flat, factor)
    _, digit, other, rule, beyond = (np.ascontiguousarray(found[..., i]) for i in range(len(network.CLASSES)))
    light = _resized((255 - work if flat.light_on_dark else work).astype(np.float32) / 255, list(beyond.shape))
    height, beyond = _height(_over_rules(digit + other, rule)), _from_edge(beyond, light)
    height = height or 0.05 * max(rule.shape)
    goes_on, crossed = follow_rules(rule, digit + other, _resized(flat.ink, rule.shape), height)
    written = np.where(crossed, digit + other + rule, np.where(goes_on, 0, digit + other))
    rule = np.where(crossed, 0, np.maximum(rule, goes_on)).astype(np.float32)
    rule = rule * _long(rule > 0.3, height)
    outside = _outside(beyond, light)
    if max(rule.shape) > LARGEST:
        # strokes so wide that from near they are no strokes; a rule is told from near only
        far = _shown(work, flat, FAR * factor)[..., 1:3].sum(-1)
        far = _resized(np.ascontiguousarray(far), rule.shape) * (rule < 0.3)
        far *= _within(far > 0.3, outside > 0.5)
        written, beyond = np.maximum(written, far), np.minimum(beyond, 1 - far)
    written = _over_rules(written, rule)
    # the soft edges of a rule are the rule's
    printed = np.maximum(ndimage.maximum_filter(rule, 3) * (written < 0.3), rule) + np.maximum(beyond, 9 * outside)
    pen = (written + DOUBT) / (written + printed + DOUBT)
    here = (written * (1 - outside)).astype(np.float32)
    pen, here, whole_rule, outside = (_resized(each, shape) for each in (pen, here, rule, outside))
    return Regions(pen, here, whole_rule, outside, _cells(rule, written))


def _shown(work: np.ndarray, flat: Flat, factor: float) -> np.ndarray:
    """The network's probabilities, (height, width, classes), of the photo made smaller."""
    grey = 255 - work if flat.light_on_dark else work
    size = [max(1, round(side / factor)) for side in work.shape]
    ink, light = (_resized(image, size) for image in (flat.ink, grey.astype(np.float32) / 255))
    pad = [(0, -side % SIDE) for side in size]
    x = network.with_blocks(np.pad(ink, pad), np.pad(light, pad, mode="edge"))
    return np.asarray(_probabilities(network.boxed_page_network(), x[None]))[0, : size[0], : size[1]]


def _from_edge(beyond: np.ndarray, light: np.ndarray) -> np.ndarray:
    """The part of `beyond` that reaches in from the edge of the picture and is not as light as the paper."""
    labels, found = find_components(beyond > 0.3)
    keep = np.zeros(len(found) + 1, bool)
    paper = float(np.median(light[labels == 0])) if (labels == 0).any() else 0.0
    for label in np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])):
        keep[label] = label != 0 and abs(float(np.median(light[labels == label])) - paper) > AS_PAPER
    return beyond * keep[labels]


def _outside(beyond: np.ndarray, light: np.ndarray) -> np.ndarray:
    """1 outside of the sheet, which is the largest part of the picture that is not beyond it, and 0 within.

    Where a table is in the picture, what is much darker than the paper is no paper either: the median over blocks is
    dark behind the bright wires of a binding, and light behind the dark strokes of a pen.
    """
    outside = np.zeros(beyond.shape, np.float32)
    if (beyond > 0.5).mean() < TABLE:
        return outside
    high, wide = (-(-side // COARSE) for side in beyond.shape)
    paper, blocks = (
        np.asarray(Image.fromarray(each).resize((wide, high), Image.Resampling.BOX)) for each in (beyond, light)
    )
    paper, blocks = paper < 0.5, ndimage.median_filter(blocks, BLOCKS)
    paper &= blocks > DARK * float(np.median(blocks[paper]))
    labels, found = find_components(ndimage.binary_opening(paper, np.ones((3, 3)), 2))
    if not found:
        return outside
    sheet = labels == max(found, key=lambda c: c.area).label
    # fingers and shadows bite into a sheet, but what is written on it is not beyond it
    sheet = ndimage.binary_fill_holes(ndimage.binary_closing(np.pad(sheet, 8), np.ones((3, 3)), 6)[8:-8, 8:-8])
    sheet = ndimage.binary_erosion(sheet, np.ones((3, 3)), 1, border_value=1)
    return 1 - _resized(np.asarray(sheet, np.float32), beyond.shape)


def _within(mask: np.ndarray, outside: np.ndarray) -> np.ndarray:
    """Mask the components that do not reach outside of the sheet: bindings and fingers do."""
    if not outside.any():
        return np.ones(mask.shape, bool)
    labels, found = find_components(mask)
    keep = np.ones(len(found) + 1, bool)
    keep[np.unique(labels[grown(outside, COARSE)])] = False
    return keep[labels]


def _over_rules(written: np.ndarray, rule: np.ndarray) -> np.ndarray:
    """Add the crossings of printed lines to what is written: a stroke that goes on at both sides of one crosses it."""
    return np.where(rule > 0.3, np.maximum(written, ndimage.grey_closing(written, (CROSSING, CROSSING))), written)


def _height(written: np.ndarray) -> float:
    """The height of most of what is written."""
    return typical_height(find_components(written > 0.5)[1])


def _long(rule: np.ndarray, height: float) -> np.ndarray:
    """Mask the printed lines; one no longer than a digit and as thin as its stroke may be a 1 or a minus."""
    labels, found = find_components(grown(rule, 1))
    keep = np.zeros(len(found) + 1, bool)
    for c in found:
        high, wide = c.height / height, c.width / height
        keep[c.label] = max(high, wide) > LONG or min(high, wide) > BOX
    return keep[labels]


def _cells(rule: np.ndarray, written: np.ndarray) -> np.ndarray:
    """Labels of what printed lines go all around; a stroke that crosses a line does not open it."""
    printed = rule > 0.5
    if printed.mean() < 1e-3:
        return np.zeros((1, 1), np.int32)
    walls = np.asarray(ndimage.binary_closing(printed, np.ones((3, 3)), 2), bool)
    walls |= grown(printed, 3) & (written > 0.5)
    labels = np.zeros(walls.shape, np.int32)
    ndimage.label(~walls, output=labels)
    edge = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
    labels[np.isin(labels, edge)] = 0
    return labels


@jax.jit
def _probabilities(params: network.Params, x: jax.Array) -> jax.Array:
    return jax.nn.softmax(network.weighted_inputs(params, x), axis=-1)


def _resized(image: np.ndarray, size) -> np.ndarray:
    if tuple(image.shape) == tuple(size):
        return image.astype(np.float32)
    way = Image.Resampling.BOX if size[0] < image.shape[0] else Image.Resampling.BILINEAR
    return np.asarray(Image.fromarray(image.astype(np.float32)).resize((size[1], size[0]), way))
