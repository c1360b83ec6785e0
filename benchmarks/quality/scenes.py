"""Photos of paper as people use it, made by program with the class of every pixel.

Ruled and squared paper, tables, boxes, combs and forms; digits, words and signs of many pens; sheets that lie on a
table or are held in the hand; shadows, blur, noise, JPEG, perspective.  `tools/box/train_page.py` trains the page
network with them; the photos of `python -m benchmarks reading` are made of the same pieces with test digits, other
fonts and other seeds.
"""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from firsthand.data import Dataset

from .camera import BEYOND, CLASSES, DIGIT, photographed
from .hands import Canvas, Hand, Written
from .pages import Page, Truth
from .sheets import SHEETS

__all__ = ["CLASSES", "KINDS", "PHOTOS", "Scene", "Written", "make_photo", "make_scene"]

KINDS = tuple(SHEETS)


@dataclass(frozen=True)
class Scene:
    """A picture, uint8 (height, width), the class of every pixel, and its lines of digits and signs.

    `texts` are the lines with their signs; `truth` are their digits, `quarter` how often the picture was turned by 90
    degrees anticlockwise.
    """

    image: np.ndarray
    classes: np.ndarray = field(repr=False)
    truth: tuple[Written, ...]
    texts: tuple[str, ...]
    quarter: int


def make_scene(
    source: Dataset,
    seed: int,
    part: str = "train",
    kind: str | None = None,
    size: tuple[int, int] = (512, 512),
    *,
    folder: Path | None = None,
    held: float = 0.25,
    turned: float = 0.3,
    height: float | None = None,
    pen: tuple[float, float] = (0.09, 0.035),
) -> Scene:
    """Make a scene.

    Args:
        source: the digits, images of 28x28 pixels as MNIST's.
        seed: the same gives the same scene.
        part: "train", "validation" or "test": which fonts.
        kind: one of KINDS; by chance if not given.
        size: (height, width) of the picture.
        folder: more fonts, for letters.
        held: how often the edge of the sheet, and what lies beyond it, is seen.
        turned: how often the picture is turned by 90, 180 or 270 degrees.
        height: of the digits, in pixels; by chance if not given.
        pen: the usual and the least width of its strokes, in heights of the digits.
    """
    rng = np.random.default_rng(seed)
    kind = str(rng.choice(KINDS, p=[0.12, 0.2, 0.12, 0.16, 0.12, 0.1, 0.08, 0.06, 0.04])) if kind is None else kind
    high, wide = size
    canvas = Canvas((round(1.1 * high), round(1.1 * wide)), rng)
    least = min(size) / 512
    if height is None:
        height = float(np.exp(rng.uniform(np.log(16 * least), np.log((110 if kind != "single" else 300) * least))))
    width = float(np.clip(np.exp(rng.normal(np.log(pen[0]), 0.4)), max(pen[1], 1.3 / height), 0.22))
    hand = Hand(source, part, folder, height, width, rng)
    SHEETS[kind](canvas, hand)
    image, classes, truth, quarter = photographed(canvas, hand, size, held, turned)
    return Scene(image, classes, tuple(truth), tuple(canvas.texts), quarter)


# kinds of the benchmark: what a photo is of, how often its sheet lies on a table, how often it is turned
PHOTOS: dict[str, tuple[str, float, float]] = {
    "ruled paper": ("ruled", 0.0, 0.0),
    "squared paper": ("squared", 0.0, 0.0),
    "tables": ("table", 0.0, 0.0),
    "boxes": ("boxes", 0.0, 0.0),
    "forms": ("form", 0.0, 0.0),
    "sums": ("sum", 0.0, 0.0),
    "turned": ("plain", 0.0, 1.0),
    "held": ("ruled", 1.0, 0.0),
}


def make_photo(name: str, source: Dataset, seed: int, part: str = "test") -> Page:
    """A page of the benchmark: a scene of one of PHOTOS, with the digits that are seen on it as its truth."""
    kind, held, turned = PHOTOS[name]
    height = float(np.random.default_rng(seed).uniform(30, 70))
    scene = make_scene(source, seed, part, kind, (900, 1200), held=held, turned=turned, height=height)
    seen = [one for one in scene.truth if _is_seen(one, scene.classes)]
    lines = sorted({one.line for one in seen})
    truth, places = [], dict.fromkeys(lines, 0)
    for one in seen:
        line = lines.index(one.line)
        truth.append(Truth(one.value, line, places[one.line], one.x, one.y, one.height, False))
        places[one.line] += 1
    texts = ["".join(str(one.value) for one in seen if one.line == line) for line in lines]
    return Page(scene.image, tuple(truth), tuple(texts), (scene.classes == DIGIT).astype(np.int16))


def _is_seen(one: Written, classes: np.ndarray) -> bool:
    """Return whether a digit lies wholly on the picture, with nothing over it."""
    half = 0.6 * one.height
    left, top, right, bottom = (round(v) for v in (one.x - half, one.y - half, one.x + half, one.y + half))
    if left < 0 or top < 0 or right > classes.shape[1] or bottom > classes.shape[0]:
        return False
    window = classes[top:bottom, left:right]
    return bool((window == DIGIT).any() and not (window == BEYOND).any())
