"""A sheet before it is photographed, and a hand that writes on it: digits of many pens, signs, words.

Digits are redrawn from the middle of their strokes, so that one image is written by any pen.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage

from firsthand.data import Dataset

from . import marks

__all__ = ["FINE", "Canvas", "Hand", "Written", "field_of", "set_type", "sign", "stroke"]

FINE = 84  # pixels of the side of a distance field of 28x28 pixels


class Written(NamedTuple):
    """A digit on a scene: its value, its line, and the middle and height of its ink, in pixels of the picture."""

    value: int
    line: int
    x: float
    y: float
    height: float


def field_of(image: np.ndarray) -> np.ndarray:
    """Distance of every pixel from the middle of the strokes of a digit of 28x28 pixels, in heights of 20: (84, 84).

    A pen of another width is another threshold of it.
    """
    large = np.asarray(Image.fromarray(image).resize((FINE, FINE), Image.Resampling.BICUBIC), np.float32)
    inside = ndimage.distance_transform_edt(ndimage.gaussian_filter(large, 1.2) > 110)
    inside = ndimage.gaussian_filter(inside, 0.7)
    ridge = (inside >= 0.88 * ndimage.maximum_filter(inside, 5)) & (inside > 0.9)
    closed = np.asarray(ndimage.binary_closing(np.pad(ridge, 4), np.ones((3, 3)), 3), bool)
    ridge = closed[4:-4, 4:-4] & (large > 70)
    if not ridge.any():
        ridge = large > 110
    distances: Any = ndimage.distance_transform_edt(~ridge)
    return (distances / 60).astype(np.float32)


def stroke(distances: np.ndarray, height: float, width: float) -> np.ndarray:
    """Ink, 0 to 1, of a pen of a width in heights; cut to its ink, its height scaled as the field says."""
    side = max(6, round(height * distances.shape[0] / 60))
    wide = max(6, round(height * distances.shape[1] / 60))
    far = np.asarray(Image.fromarray(distances).resize((wide, side), Image.Resampling.BICUBIC), np.float32)
    ink = np.clip((width / 2 - far) * height + 0.5, 0, 1)
    rows, columns = np.flatnonzero(ink.max(1) > 0.3), np.flatnonzero(ink.max(0) > 0.3)
    if not len(rows) or not len(columns):
        return np.ones((max(2, round(0.5 * height)), 2), np.float32)
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def sign(name: str, rng: np.random.Generator) -> np.ndarray:
    """Distance field of a sign, in the same units; its box is that of a digit, so that it keeps its place in a line."""
    image = Image.new("L", (FINE, FINE), 255)
    draw = ImageDraw.Draw(image)
    a = rng.uniform(-3, 3, 8)
    middle, size = FINE / 2, rng.uniform(14, 24)
    paths = {
        "+": [[(middle - size, middle + a[0]), (middle + size, middle + a[1])],
              [(middle + a[2], middle - size), (middle + a[3], middle + size)]],
        "-": [[(middle - size, middle + a[0]), (middle + size, middle + a[1])]],
        "=": [[(middle - size, middle - 8 + a[0]), (middle + size, middle - 8 + a[1])],
              [(middle - size, middle + 8 + a[2]), (middle + size, middle + 8 + a[3])]],
        "/": [[(middle + 15 + a[0], 10), (middle - 15 + a[1], FINE - 8)]],
        "x": [[(middle - 14, middle - 14), (middle + 14 + a[0], middle + 14 + a[1])],
              [(middle + 14, middle - 14), (middle - 14 + a[2], middle + 14 + a[3])]],
        ".": [[(middle, 70), (middle + 1, 71)]],
        ":": [[(middle, 32), (middle + 1, 33)], [(middle, 66), (middle + 1, 67)]],
        ",": [[(middle + 3, 66), (middle + 2 + a[0] / 2, 72), (middle - 4 + a[1], 82)]],
    }[name]  # fmt: skip
    for path in paths:
        draw.line(path, fill=0, width=1)
    distances: Any = ndimage.distance_transform_edt(np.asarray(image))
    return (distances / 60).astype(np.float32)


@cache
def fonts(part: str, folder: Path | None) -> tuple[Path, ...]:
    """Font files: Matplotlib's by part, as `marks` divides them, and for training those of a folder."""
    import matplotlib

    inside = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    found = [inside / f"{name}.ttf" for name in marks.FONTS[part]]
    if folder is not None:
        found += sorted(p for p in Path(folder).rglob("*") if p.suffix.lower() in (".ttf", ".otf"))
    return tuple(found)


def set_type(text: str, font: Path, height: float) -> np.ndarray:
    """A text set in type, capitals about as high as asked: ink, 0 to 1."""
    face = ImageFont.truetype(font, max(6, round(1.4 * height)))
    left, top, right, bottom = face.getbbox(text)
    image = Image.new("L", (max(2, round(right - left) + 4), max(2, round(bottom - top) + 4)))
    ImageDraw.Draw(image).text((2 - left, 2 - top), text, fill=255, font=face)
    return np.asarray(image, np.float32) / 255


class Canvas:
    """The sheet before it is photographed: ink of writing and of rules, and whose it is."""

    def __init__(self, shape: tuple[int, int], rng: np.random.Generator):
        self.rng, self.shape = rng, shape
        self.ink = np.zeros(shape, np.float32)
        self.rules = np.zeros(shape, np.float32)
        self.owner = np.zeros(shape, np.int16)  # -1 other writing, n the n-th digit
        self.truth: list[Written] = []
        self.texts: list[str] = []

    def put(self, drawn: np.ndarray, left: float, top: float, owner: int) -> bool:
        """Draw ink where it fits; what would leave the sheet by more than half is left out."""
        left, top = round(left), round(top)
        high, wide = drawn.shape
        x0, y0, x1, y1 = max(0, left), max(0, top), min(self.shape[1], left + wide), min(self.shape[0], top + high)
        if x1 - x0 < 0.9 * wide or y1 - y0 < 0.9 * high:
            return False
        part = drawn[y0 - top : y1 - top, x0 - left : x1 - left]
        window = (slice(y0, y1), slice(x0, x1))
        self.owner[window] = np.where((part > self.ink[window]) & (part > 0.3), owner, self.owner[window])
        self.ink[window] = np.maximum(self.ink[window], part)
        return True

    def line(self, x0: float, y0: float, x1: float, y1: float, width: float, strength: float, bend=0.0, dash=0.0):
        """A printed line, perhaps bent, perhaps dashed or dotted."""
        n = 24
        t = np.linspace(0, 1, n)
        wave = bend * np.sin(np.pi * t)
        along = np.array([x1 - x0, y1 - y0]) / max(1e-6, np.hypot(x1 - x0, y1 - y0))
        scale = 4
        xs, ys = x0 + (x1 - x0) * t - wave * along[1], y0 + (y1 - y0) * t + wave * along[0]
        left, top = int(np.floor(min(xs) - width - 2)), int(np.floor(min(ys) - width - 2))
        right, bottom = int(np.ceil(max(xs) + width + 2)), int(np.ceil(max(ys) + width + 2))
        left, top, right, bottom = max(0, left), max(0, top), min(self.shape[1], right), min(self.shape[0], bottom)
        if right <= left or bottom <= top:
            return
        image = Image.new("L", (scale * (right - left), scale * (bottom - top)))
        points = [(scale * (x - left), scale * (y - top)) for x, y in zip(xs, ys, strict=True)]
        ImageDraw.Draw(image).line(points, fill=255, width=max(2, round(scale * width)))
        drawn = np.asarray(image.resize((right - left, bottom - top), Image.Resampling.BOX), np.float32) / 255
        if dash:
            across = np.mgrid[: bottom - top, : right - left][0 if abs(y1 - y0) > abs(x1 - x0) else 1]
            drawn = drawn * (across % dash < 0.6 * dash)
        window = (slice(top, bottom), slice(left, right))
        self.rules[window] = np.maximum(self.rules[window], drawn * strength)


@dataclass
class Hand:
    """A writer with a pen: digits of a data set, a width, a size."""

    source: Dataset
    part: str
    folder: Path | None
    height: float
    width: float
    rng: np.random.Generator

    def digit(self, value: int | None = None) -> tuple[int, np.ndarray]:
        at = int(self.rng.integers(len(self.source)))
        if value is not None:
            while int(self.source.labels[at]) != value:
                at = int(self.rng.integers(len(self.source)))
        distances = distances_of(self.source, at)
        return int(self.source.labels[at]), stroke(distances, self.height * self.rng.uniform(0.9, 1.1), self.width)

    def write(self, canvas: Canvas, text: str, left: float, middle: float, right: float = np.inf) -> float:
        """Write digits (#) and signs from left to right about a middle; the right end of it."""
        rng, number, said, x = self.rng, len(canvas.texts), "", left
        gap = rng.uniform(0.08, 0.5)
        for c in text:
            if c == " ":
                x += self.height * rng.uniform(0.8, 2.0)
                continue
            if c == "#":
                value, ink = self.digit()
                top = middle - ink.shape[0] / 2 + rng.normal(0, 0.04) * self.height
            else:
                field_ = sign(c, rng)
                ink, value = stroke(field_, self.height, self.width * 1.1), -1
                offset = {",": 0.45, ".": 0.4}.get(c, 0.0)
                top = middle + offset * self.height - ink.shape[0] / 2
            if x + ink.shape[1] > right:
                break
            if not canvas.put(ink, x, top, len(canvas.truth) + 1 if value >= 0 else -1):
                break
            if value >= 0:
                canvas.truth.append(Written(value, number, x + ink.shape[1] / 2, top + ink.shape[0] / 2, ink.shape[0]))
            said += str(value) if value >= 0 else c
            x += ink.shape[1] + max(1.0, self.height * gap * rng.uniform(0.6, 1.4))
        if any(c.isdigit() for c in said):
            canvas.texts.append(said)
        return x

    def word(self, canvas: Canvas, left: float, middle: float, height: float | None = None, printed: bool = False):
        """Write or print letters; the right end of them."""
        rng = self.rng
        height = self.height if height is None else height
        letters = "".join(rng.choice(list(marks.LETTERS), rng.integers(1, 10)))
        if rng.random() < 0.3:
            letters = letters.capitalize()
        elif rng.random() < 0.15:
            letters = letters.upper()
        paths = fonts(self.part, self.folder)
        drawn = set_type(letters, paths[int(rng.integers(len(paths)))], height * rng.uniform(0.8, 1.2))
        if not printed:
            drawn = marks._by_hand(np.pad(drawn, 3), height, rng)
        if not canvas.put(drawn, left, middle - drawn.shape[0] / 2, -1):
            return np.inf
        return left + drawn.shape[1]


_FIELDS: dict[tuple[int, int], np.ndarray] = {}


def distances_of(source: Dataset, at: int) -> np.ndarray:
    key = (id(source), at)
    if key not in _FIELDS:
        if len(_FIELDS) > 20_000:
            _FIELDS.clear()
        _FIELDS[key] = field_of(source.images[at][..., 0])
    return _FIELDS[key]
