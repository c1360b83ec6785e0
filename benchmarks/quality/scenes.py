"""Photos of paper as people use it, made by program with the class of every pixel.

Ruled and squared paper, tables, boxes, combs and forms; digits, words and signs of many pens; sheets that lie on a
table or are held in the hand; shadows, blur, noise, JPEG, perspective.  `tools/box/train_page.py` trains the page
network with them; the photos of `python -m benchmarks reading` are made of the same pieces with test digits, other
fonts and other seeds.
"""

from dataclasses import dataclass, field
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage

from firsthand.data import Dataset

from . import marks
from .pages import Page, Truth

__all__ = ["CLASSES", "KINDS", "PHOTOS", "Scene", "Written", "field_of", "make_photo", "make_scene", "sign", "stroke"]

CLASSES = ("paper", "digit", "other writing", "rule", "beyond")
PAPER, DIGIT, OTHER, RULE, BEYOND = range(5)
KINDS = ("plain", "ruled", "squared", "table", "boxes", "form", "sum", "letters", "single")
FINE = 84  # pixels of the side of a distance field of 28x28 pixels
SIGNS = "+-,.:/=x"


class Written(NamedTuple):
    """A digit on a scene: its value, its line, and the middle and height of its ink, in pixels of the picture."""

    value: int
    line: int
    x: float
    y: float
    height: float


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


def _set(text: str, font: Path, height: float) -> np.ndarray:
    """A text set in type, capitals about as high as asked: ink, 0 to 1."""
    face = ImageFont.truetype(font, max(6, round(1.4 * height)))
    left, top, right, bottom = face.getbbox(text)
    image = Image.new("L", (max(2, round(right - left) + 4), max(2, round(bottom - top) + 4)))
    ImageDraw.Draw(image).text((2 - left, 2 - top), text, fill=255, font=face)
    return np.asarray(image, np.float32) / 255


class _Canvas:
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
class _Hand:
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
        distances = _distances(self.source, at)
        return int(self.source.labels[at]), stroke(distances, self.height * self.rng.uniform(0.9, 1.1), self.width)

    def write(self, canvas: _Canvas, text: str, left: float, middle: float, right: float = np.inf) -> float:
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

    def word(self, canvas: _Canvas, left: float, middle: float, height: float | None = None, printed: bool = False):
        """Write or print letters; the right end of them."""
        rng = self.rng
        height = self.height if height is None else height
        letters = "".join(rng.choice(list(marks.LETTERS), rng.integers(1, 10)))
        if rng.random() < 0.3:
            letters = letters.capitalize()
        elif rng.random() < 0.15:
            letters = letters.upper()
        paths = fonts(self.part, self.folder)
        drawn = _set(letters, paths[int(rng.integers(len(paths)))], height * rng.uniform(0.8, 1.2))
        if not printed:
            drawn = marks._by_hand(np.pad(drawn, 3), height, rng)
        if not canvas.put(drawn, left, middle - drawn.shape[0] / 2, -1):
            return np.inf
        return left + drawn.shape[1]


_FIELDS: dict[tuple[int, int], np.ndarray] = {}


def _distances(source: Dataset, at: int) -> np.ndarray:
    key = (id(source), at)
    if key not in _FIELDS:
        if len(_FIELDS) > 20_000:
            _FIELDS.clear()
        _FIELDS[key] = field_of(source.images[at][..., 0])
    return _FIELDS[key]


def _token(rng: np.random.Generator) -> str:
    """A number, amount, date or sum: # is a digit."""
    n = int(rng.integers(1, 8))
    kind = rng.random()
    if kind < 0.6:
        return "#" * n
    return str(
        rng.choice(["#,#", "##.##", "#/#/##", "##/##", "##:##", "-##", "#-#", "#+#=##", "##+#", "#x#", "###,##"])
    )


def _fill(canvas: _Canvas, hand: _Hand, rows: list[tuple[float, float, float]], words: float) -> None:
    """Rows (middle, left, right) with numbers, or with words where chance says so."""
    rng = canvas.rng
    for middle, left, right in rows:
        x = left + rng.uniform(0, 0.5) * (right - left) * (rng.random() < 0.6)
        text = rng.random() < words
        if text:
            while x < right:
                x = hand.word(canvas, x, middle) + hand.height * rng.uniform(0.4, 0.9)
                if rng.random() < 0.12:
                    x = hand.write(canvas, _token(rng), x, middle, right) + 0.6 * hand.height
        elif rng.random() < 0.85:
            hand.write(canvas, _token(rng), x, middle, right)


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
    """
    rng = np.random.default_rng(seed)
    kind = str(rng.choice(KINDS, p=[0.12, 0.2, 0.12, 0.16, 0.12, 0.1, 0.08, 0.06, 0.04])) if kind is None else kind
    high, wide = size
    canvas = _Canvas((round(1.1 * high), round(1.1 * wide)), rng)
    least = min(size) / 512
    if height is None:
        height = float(np.exp(rng.uniform(np.log(16 * least), np.log((110 if kind != "single" else 300) * least))))
    width = float(np.clip(np.exp(rng.normal(np.log(0.09), 0.4)), max(0.035, 1.3 / height), 0.22))
    hand = _Hand(source, part, folder, height, width, rng)
    _PAGES[kind](canvas, hand)
    return _photographed(canvas, hand, kind, size, held, turned)


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
    """Whether a digit lies on the picture, all of it, and nothing over it."""
    half = 0.6 * one.height
    left, top, right, bottom = (round(v) for v in (one.x - half, one.y - half, one.x + half, one.y + half))
    if left < 0 or top < 0 or right > classes.shape[1] or bottom > classes.shape[0]:
        return False
    window = classes[top:bottom, left:right]
    return bool((window == DIGIT).any() and not (window == BEYOND).any())


def _rows(canvas: _Canvas, height: float, spacing: float, first: float) -> list[tuple[float, float, float]]:
    high, wide = canvas.shape
    margin = canvas.rng.uniform(0.02, 0.15) * wide
    return [(y, margin, wide - margin) for y in np.arange(first, high - 0.6 * height, spacing)]


def _plain(canvas: _Canvas, hand: _Hand) -> None:
    rng = canvas.rng
    rows = _rows(canvas, hand.height, hand.height * rng.uniform(1.5, 3), hand.height * rng.uniform(0.8, 2))
    _fill(canvas, hand, rows, 0.2)
    if rng.random() < 0.2:
        drawn = marks.doodle(rng, hand.part, hand.height)
        canvas.put(drawn, rng.uniform(0, canvas.shape[1]), rng.uniform(0, canvas.shape[0]), -1)


def _print_rules(canvas: _Canvas, distance: float, upright: bool, **about: float) -> None:
    """Lines across the sheet at equal distances."""
    rng = canvas.rng
    high, wide = canvas.shape
    short = rng.random() < 0.25
    x0, x1 = (rng.uniform(0, 0.2), rng.uniform(0.7, 1.0)) if short else (-0.1, 1.1)
    bend = rng.normal(0, 0.004) * wide
    end = wide if upright else high
    for at in np.arange(rng.uniform(0, distance), end, distance):
        if upright:
            canvas.line(at, x0 * high, at, x1 * high, bend=bend, **about)
        else:
            canvas.line(x0 * wide, at, x1 * wide, at, bend=bend, **about)


def _printed(rng: np.random.Generator, height: float) -> dict[str, float]:
    """Width and strength of printed lines: from hair lines to bars as dark as the pen."""
    return {
        "width": float(np.clip(height * np.exp(rng.normal(np.log(0.035), 0.5)), 0.9, 0.12 * height + 1)),
        "strength": float(rng.uniform(0.15, 1.0)),
        "dash": float(rng.uniform(3, 12)) if rng.random() < 0.06 else 0.0,
    }


def _ruled(canvas: _Canvas, hand: _Hand) -> None:
    rng = canvas.rng
    spacing = hand.height * rng.uniform(0.7, 2.6)
    about = _printed(rng, hand.height)
    _print_rules(canvas, spacing, False, **about)
    if rng.random() < 0.3:
        x = rng.uniform(0.05, 0.25) * canvas.shape[1]
        canvas.line(x, 0, x, canvas.shape[0], about["width"], rng.uniform(0.3, 0.8))
    rows = _rows(canvas, hand.height, max(spacing, 1.35 * hand.height), rng.uniform(0.6, 1.6) * hand.height)
    _fill(canvas, hand, rows, 0.2)


def _squared(canvas: _Canvas, hand: _Hand) -> None:
    rng = canvas.rng
    spacing = hand.height * rng.uniform(0.45, 1.4)
    about = _printed(rng, min(hand.height, spacing))
    about["strength"] *= rng.uniform(0.4, 1)
    _print_rules(canvas, spacing, False, **about)
    _print_rules(canvas, spacing, True, **about)
    rows = _rows(canvas, hand.height, rng.uniform(1.35, 2.2) * hand.height, rng.uniform(0.6, 1.6) * hand.height)
    _fill(canvas, hand, rows, 0.2)


def _table(canvas: _Canvas, hand: _Hand) -> None:
    """Cells with a digit or a number each; of Sudokus every third line is bold."""
    rng = canvas.rng
    high, wide = canvas.shape
    sudoku = rng.random() < 0.35
    tall = hand.height * (rng.uniform(1.15, 1.8) if sudoku else rng.uniform(1.2, 2.6))
    broad = tall * rng.uniform(0.9, 1.1) if sudoku else hand.height * rng.uniform(1.1, 5)
    rows = max(1, min(9 if sudoku else 14, int((high * rng.uniform(0.7, 1.1)) / tall)))
    columns = max(1, min(9 if sudoku else 10, int((wide * rng.uniform(0.7, 1.1)) / broad)))
    left, top = (wide - columns * broad) * rng.uniform(0, 1), (high - rows * tall) * rng.uniform(0, 1)
    about = _printed(rng, hand.height)
    bold = about["width"] * rng.uniform(1.5, 2.5)
    for i in range(rows + 1):
        thick = bold if sudoku and i % 3 == 0 else about["width"]
        canvas.line(left, top + i * tall, left + columns * broad, top + i * tall, thick, about["strength"])
    for j in range(columns + 1):
        thick = bold if sudoku and j % 3 == 0 else about["width"]
        canvas.line(left + j * broad, top, left + j * broad, top + rows * tall, thick, about["strength"])
    words = rng.random() < 0.3
    for i in range(rows):
        number, said = len(canvas.texts), ""
        for j in range(columns):
            if rng.random() < 0.12:
                continue
            middle = top + (i + 0.5) * tall + rng.normal(0, 0.1) * (tall - hand.height)
            if words and (j == 0 or i == 0):
                hand.word(canvas, left + j * broad + 3, middle, rng.uniform(0.4, 0.9) * hand.height, printed=True)
                continue
            count = 1 if broad < 2.2 * hand.height else int(rng.integers(1, max(2, int(broad / hand.height))))
            x = left + (j + 0.5) * broad - 0.4 * count * hand.height + rng.normal(0, 0.08) * broad
            for _ in range(count):
                value, ink = hand.digit()
                if x + ink.shape[1] > left + (j + 1.04) * broad:
                    break
                if canvas.put(ink, x, middle - ink.shape[0] / 2, len(canvas.truth) + 1):
                    canvas.truth.append(Written(value, number, x + ink.shape[1] / 2, middle, ink.shape[0]))
                    said += str(value)
                x += ink.shape[1] + 0.15 * hand.height
        if said:
            canvas.texts.append(said)


def _boxes(canvas: _Canvas, hand: _Hand) -> None:
    """Rows of boxes or combs, a digit in each, some of which touch the frame."""
    rng = canvas.rng
    high, wide = canvas.shape
    y = hand.height * rng.uniform(0.3, 1.5)
    while y + 1.8 * hand.height < high:
        tall, broad = hand.height * rng.uniform(1.05, 1.7), hand.height * rng.uniform(0.85, 1.6)
        n = max(1, min(int(rng.integers(1, 12)), int((wide - hand.height) / broad)))
        x = rng.uniform(0.02, 1) * max(2, wide - n * broad - 4)
        comb, apart = rng.random() < 0.3, (rng.random() < 0.25) * rng.uniform(0.1, 0.4) * hand.height
        about = _printed(rng, hand.height)
        tooth = tall * rng.uniform(0.15, 0.5) if comb else tall
        number, said = len(canvas.texts), ""
        for j in range(n + 1):
            left = x + j * (broad + apart)
            if left + broad > wide and j < n:
                break
            if j < n:
                canvas.line(left, y + tall, left + broad, y + tall, **about)
                if not comb:
                    canvas.line(left, y, left + broad, y, **about)
            canvas.line(left, y + tall - tooth, left, y + tall, **about)
            if apart and j < n:
                canvas.line(left + broad, y + tall - tooth, left + broad, y + tall, **about)
            if j < n and rng.random() < 0.85:
                value, ink = hand.digit()
                a = left + (broad - ink.shape[1]) / 2 + rng.normal(0, 0.1) * broad
                b = y + (tall - ink.shape[0]) / 2 + rng.normal(0, 0.08) * tall
                if canvas.put(ink, a, b, len(canvas.truth) + 1):
                    canvas.truth.append(
                        Written(value, number, a + ink.shape[1] / 2, b + ink.shape[0] / 2, ink.shape[0])
                    )
                    said += str(value)
        if said:
            canvas.texts.append(said)
        y += tall + hand.height * rng.uniform(0.4, 2)


def _form(canvas: _Canvas, hand: _Hand) -> None:
    """Printed words, and beside each a number on a line or in a frame."""
    rng = canvas.rng
    high, wide = canvas.shape
    for y in np.arange(hand.height, high - hand.height, hand.height * rng.uniform(1.7, 3)):
        x = rng.uniform(0.02, 0.2) * wide
        for _ in range(int(rng.integers(0, 3))):
            x = hand.word(canvas, x, y, hand.height * rng.uniform(0.35, 0.8), printed=True) + 0.4 * hand.height
            if x > wide:
                break
        if x > 0.8 * wide:
            continue
        about, end = _printed(rng, hand.height), min(wide, x + hand.height * rng.uniform(4, 10))
        base = y + hand.height * rng.uniform(0.4, 0.75)
        canvas.line(x, base, end, base, **about)
        if rng.random() < 0.35:
            top = y - hand.height * rng.uniform(0.6, 0.9)
            for a, b, c, d in ((x, top, end, top), (x, top, x, base), (end, top, end, base)):
                canvas.line(a, b, c, d, **about)
        hand.write(canvas, _token(rng), x + 0.4 * hand.height, y, end)


def _sum(canvas: _Canvas, hand: _Hand) -> None:
    rng = canvas.rng
    for y in np.arange(hand.height, canvas.shape[0] - hand.height, hand.height * rng.uniform(1.6, 2.6)):
        text = "".join(
            part for i in range(int(rng.integers(1, 4))) for part in (*([str(rng.choice(list(SIGNS)))] if i else []),
                                                                      "#" * int(rng.integers(1, 4)))
        )  # fmt: skip
        hand.write(canvas, text, rng.uniform(0.02, 0.3) * canvas.shape[1], y)
    if rng.random() < 0.4:
        _print_rules(canvas, hand.height * rng.uniform(0.8, 2), False, **_printed(rng, hand.height))


def _letters(canvas: _Canvas, hand: _Hand) -> None:
    rng = canvas.rng
    if rng.random() < 0.5:
        _print_rules(canvas, hand.height * rng.uniform(1, 2), False, **_printed(rng, hand.height))
    _fill(canvas, hand, _rows(canvas, hand.height, 1.7 * hand.height, hand.height), 1.0)


def _single(canvas: _Canvas, hand: _Hand) -> None:
    rng = canvas.rng
    high, wide = canvas.shape
    hand.write(canvas, "#" * int(rng.integers(1, 3)), rng.uniform(0.1, 0.4) * wide, rng.uniform(0.35, 0.65) * high)


_PAGES = {
    "plain": _plain,
    "ruled": _ruled,
    "squared": _squared,
    "table": _table,
    "boxes": _boxes,
    "form": _form,
    "sum": _sum,
    "letters": _letters,
    "single": _single,
}


def _homography(size: tuple[int, int], corners: np.ndarray) -> np.ndarray:
    """The projective map (3, 3) that takes the corners of a picture of that size to the given four of the canvas."""
    high, wide = size
    rows = []
    for (x, y), (u, v) in zip(((0, 0), (wide, 0), (wide, high), (0, high)), corners, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y, -u], [0, 0, 0, x, y, 1, -v * x, -v * y, -v]]
    return np.linalg.svd(np.array(rows, float))[2][-1].reshape(3, 3)


def _photographed(canvas: _Canvas, hand: _Hand, kind: str, size, held: float, turned: float) -> Scene:
    rng, (high, wide) = canvas.rng, size
    held_now = rng.random() < held
    h, w = canvas.shape
    angle = np.deg2rad(rng.normal(0, 4) if rng.random() < 0.7 else rng.uniform(-14, 14))
    zoom = rng.uniform(1.05, 1.35) if held_now else rng.uniform(0.86, 0.98)
    corners = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)], float) * (zoom * wide / 2, zoom * high / 2)
    corners *= 1 + rng.normal(0, 0.03, (4, 1)) * (rng.random() < 0.6)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    corners = corners @ turn.T + (w / 2, h / 2)
    if held_now:
        corners += rng.uniform(-0.12, 0.12, 2) * (w, h)
    matrix = _homography(size, corners)
    y, x = np.mgrid[:high, :wide].astype(np.float32) + 0.5
    z = matrix[2, 0] * x + matrix[2, 1] * y + matrix[2, 2]
    u = (matrix[0, 0] * x + matrix[0, 1] * y + matrix[0, 2]) / z - 0.5
    v = (matrix[1, 0] * x + matrix[1, 1] * y + matrix[1, 2]) / z - 0.5
    if rng.random() < 0.4:  # paper that does not lie flat
        bend = rng.normal(0, 0.012) * h
        v += bend * np.sin(2 * np.pi * (x / wide * rng.uniform(0.3, 1) + rng.random()))
    ink, rules = (ndimage.map_coordinates(a, [v, u], order=1, mode="constant") for a in (canvas.ink, canvas.rules))
    owner = ndimage.map_coordinates(canvas.owner, [v, u], order=0, mode="constant")
    sheet = np.clip(np.minimum(np.minimum(u, w - 1 - u), np.minimum(v, h - 1 - v)) + 0.5, 0, 1)
    if not held_now:
        sheet[:] = 1
    dark = rng.uniform(0.15, 0.92)
    picture, classes = _lit(canvas, ink, rules, owner, sheet, dark, hand, held_now)
    truth = _seen(canvas.truth, matrix, v, classes)
    if rng.random() < turned:
        quarter = int(rng.integers(1, 4))
        picture, classes = np.rot90(picture, quarter), np.rot90(classes, quarter)
        truth = [_turned(one, quarter, size) for one in truth]
    else:
        quarter = 0
    return Scene(
        np.ascontiguousarray(picture), np.ascontiguousarray(classes), tuple(truth), tuple(canvas.texts), quarter
    )


def _turned(one: Written, quarter: int, size: tuple[int, int]) -> Written:
    high, wide = size
    x, y = one.x, one.y
    for _ in range(quarter):
        x, y, high, wide = y, wide - x, wide, high
    return one._replace(x=x, y=y)


def _seen(truth: list[Written], matrix: np.ndarray, v: np.ndarray, classes: np.ndarray) -> list[Written]:
    """The places of the digits on the picture."""
    back = np.linalg.inv(matrix)
    found = []
    for one in truth:
        a = back @ (one.x + 0.5, one.y + 0.5, 1)
        b = back @ (one.x + 0.5, one.y + 0.5 + one.height, 1)
        x, y = a[:2] / a[2]
        found.append(one._replace(x=float(x), y=float(y), height=float(np.hypot(*(b[:2] / b[2] - (x, y))))))
    return found


def _lit(canvas: _Canvas, ink, rules, owner, sheet, dark: float, hand: _Hand, held: bool):
    """Paper, ink, table, fingers, light, lens and sensor: the picture and the classes."""
    rng, shape = canvas.rng, ink.shape
    size = hand.height
    paper = rng.uniform(150, 250) * (1 + rng.uniform(0.003, 0.02) * marks.cloud(shape, rng.uniform(1, 4) * size, rng))
    if rng.random() < 0.1:  # creases
        paper = paper * (1 + 0.05 * np.sign(marks.cloud(shape, 3 * size, rng)))
    taken = dark * (1 - rng.uniform(0, 0.3) * np.abs(marks.cloud(shape, 0.4 * size, rng)))
    rule = rules * dark * rng.uniform(0.6, 1.15)
    picture = paper * (1 - np.clip(np.maximum(ink * taken, rule), 0, 0.97))
    seen = np.where(ink > 0.4, np.where(owner > 0, DIGIT, OTHER), np.where(rules > 0.12, RULE, PAPER)).astype(np.int8)
    if held:
        table = rng.uniform(10, 200) * (
            1 + rng.uniform(0.02, 0.4) * marks.cloud(shape, rng.uniform(0.3, 8) * size, rng)
        )
        if rng.random() < 0.4:  # wood or cloth
            table = table * (
                1 + 0.15 * np.sin(np.mgrid[: shape[0], : shape[1]][int(rng.integers(2))] / rng.uniform(2, 30))
            )
        soft = ndimage.gaussian_filter(sheet, rng.uniform(0.3, 1.5))
        shade = 1 - rng.uniform(0, 0.5) * ndimage.gaussian_filter(sheet, rng.uniform(2, 15)) * (1 - sheet)
        picture = soft * picture + (1 - soft) * np.clip(table, 0, 255) * shade
        seen[sheet < 0.5] = BEYOND
        for _ in range(int(rng.integers(0, 4))):
            picture, seen = _finger(picture, seen, sheet, rng)
        if rng.random() < 0.35:
            picture, seen = _rings(picture, seen, sheet, rng)
    light = np.ones(shape, np.float32)
    strength = rng.uniform(0, 0.6)
    ramp = _ramp(shape, rng)
    light *= 1 - 0.6 * strength * ramp
    if rng.random() < 0.5:
        light *= 1 - 0.6 * strength / (1 + np.exp(-(_ramp(shape, rng) - rng.uniform(0.2, 0.8)) * rng.uniform(8, 60)))
    picture = ndimage.gaussian_filter(picture * light, rng.uniform(0.2, max(0.8, 0.02 * size)))
    picture = picture + rng.normal(0, rng.uniform(0.5, 7), shape)
    found = np.clip(np.round(picture), 0, 255).astype(np.uint8)
    if rng.random() < 0.7:
        buffer = BytesIO()
        Image.fromarray(found).save(buffer, "JPEG", quality=int(rng.integers(40, 95)))
        with Image.open(buffer) as opened:
            found = np.asarray(opened.convert("L"))
    return found, seen


def _finger(picture, seen, sheet, rng: np.random.Generator):
    """A long round shape from an edge of the picture, of skin or of something dark."""
    high, wide = picture.shape
    y, x = np.mgrid[:high, :wide].astype(np.float32)
    angle, length = rng.uniform(0, 2 * np.pi), rng.uniform(0.15, 0.4) * min(picture.shape)
    rim = np.array([wide / 2 + wide / 2 * np.cos(angle), high / 2 + high / 2 * np.sin(angle)])
    way = angle + np.pi + rng.normal(0, 0.5)
    tip = rim + length * np.array([np.cos(way), np.sin(way)])
    a, b = rim - 0.5 * length * np.array([np.cos(way), np.sin(way)]), tip
    d = b - a
    t = np.clip(((x - a[0]) * d[0] + (y - a[1]) * d[1]) / float(d @ d), 0, 1)
    far = np.hypot(x - a[0] - t * d[0], y - a[1] - t * d[1])
    thick = rng.uniform(0.04, 0.12) * min(picture.shape)
    cover = np.clip((thick - far) + 0.5, 0, 1)
    skin = rng.uniform(40, 200) * (1.05 - 0.4 * (far / thick) ** 2) * (1 + 0.03 * marks.cloud(picture.shape, 6, rng))
    return picture * (1 - cover) + cover * np.clip(skin, 0, 255), np.where(cover > 0.5, BEYOND, seen).astype(np.int8)


def _rings(picture, seen, sheet, rng: np.random.Generator):
    """The wire or comb of a binding along one edge of the sheet."""
    high, wide = picture.shape
    edge = np.flatnonzero((sheet > 0.5).any(1))
    if not len(edge) or edge[0] < 2:
        return picture, seen
    image, mask = Image.fromarray(np.clip(picture, 0, 255).astype(np.uint8)), Image.new("L", (wide, high))
    distance, tall = rng.uniform(0.04, 0.12) * wide, rng.uniform(0.04, 0.1) * high
    columns = np.flatnonzero((sheet > 0.5).any(0))
    thick, tone = max(1, round(distance * rng.uniform(0.06, 0.2))), int(rng.integers(0, 256))
    for x in np.arange(columns[0], columns[-1], distance):
        inside = np.flatnonzero(sheet[:, int(x)] > 0.5)
        if not len(inside):
            continue
        y = inside[0]
        box = [x - 0.2 * distance, y - tall * 0.6, x + 0.2 * distance, y + tall * 0.4]
        for target, fill in ((image, tone), (mask, 255)):
            draw = ImageDraw.Draw(target)
            draw.arc(box, 0, 360, fill=fill, width=thick)
            hole = [x - 0.15 * distance, y + 0.3 * tall, x + 0.15 * distance, y + 0.55 * tall]
            draw.rectangle(hole, fill=40 if target is image else 255)
    return np.asarray(image, np.float32), np.where(np.asarray(mask) > 0, BEYOND, seen).astype(np.int8)


def _ramp(shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    angle = rng.uniform(0, 2 * np.pi)
    y, x = np.mgrid[0 : 1 : shape[0] * 1j, 0 : 1 : shape[1] * 1j]
    ramp = np.cos(angle) * x + np.sin(angle) * y
    return ((ramp - ramp.min()) / np.ptp(ramp)).astype(np.float32)
