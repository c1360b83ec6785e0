"""Marks on a page that are no digits: words, doodles, and the lines of the paper.

For training, for choosing thresholds and for the benchmark they are of different fonts and different kinds, so that a
page of the benchmark never shows a letter or a drawing that was learned.
"""

from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage

__all__ = ["DOODLES", "FONTS", "cloud", "doodle", "ruling", "word"]

FONTS = {
    "train": ("DejaVuSans", "DejaVuSans-Oblique", "DejaVuSerif", "DejaVuSerif-Italic", "DejaVuSansMono"),
    "validation": ("cmr10", "cmss10", "cmti10"),
    "test": ("STIXGeneral", "STIXGeneralItalic", "STIXGeneralBol", "cmtt10"),
}
LETTERS = "aaabcdeeeefghhiiijklmnnnooopqrrrsssttttuuvwxyz"
CAPITALS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def cloud(shape: tuple[int, int], size: float, rng: np.random.Generator) -> np.ndarray:
    """Smooth noise of standard deviation about 1, of patches of that size in pixels: float32."""
    high, wide = (max(2, round(side / max(2.0, size))) + 2 for side in shape)
    noise = rng.normal(0, 1, (high, wide)).astype(np.float32)
    return np.asarray(Image.fromarray(noise).resize((shape[1], shape[0]), Image.Resampling.BICUBIC))


@cache
def _font(name: str, size: int) -> ImageFont.FreeTypeFont:
    import matplotlib

    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    return ImageFont.truetype(folder / f"{name}.ttf", size)


def word(rng: np.random.Generator, fonts: str, height: float) -> np.ndarray:
    """A word of 2 to 9 letters in warped type: ink, 0 to 1; its capitals are about as high as the digits."""
    letters = "".join(rng.choice(list(LETTERS), rng.integers(2, 10)))
    if rng.random() < 0.3:
        letters = rng.choice(list(CAPITALS)) + letters[1:]
    elif rng.random() < 0.1:
        letters = "".join(rng.choice(list(CAPITALS), len(letters)))
    font = _font(str(rng.choice(FONTS[fonts])), round(1.35 * height * rng.uniform(0.8, 1.3)))
    left, top, right, bottom = font.getbbox(letters)
    pad = round(0.25 * height)
    image = Image.new("L", (round(right - left) + 2 * pad, round(bottom - top) + 2 * pad))
    ImageDraw.Draw(image).text((pad - left, pad - top), letters, fill=255, font=font)
    return _by_hand(np.asarray(image, np.float32) / 255, height, rng)


def _by_hand(ink: np.ndarray, height: float, rng: np.random.Generator) -> np.ndarray:
    """Strokes moved about smoothly, by a few hundredths of the height, and made thicker or thinner."""
    reach = 0.12 * height
    moves = [cloud(ink.shape, 0.6 * height, rng) * reach * rng.uniform(0.3, 0.8) for _ in range(2)]
    y, x = np.mgrid[: ink.shape[0], : ink.shape[1]]
    moved = ndimage.map_coordinates(ink, [y + moves[0], x + moves[1]], order=1)
    soft = ndimage.gaussian_filter(moved, 0.03 * height)
    return (1 / (1 + np.exp(-(soft - rng.uniform(0.25, 0.5)) * 14))).astype(np.float32) * (soft > 0.02)


def _spiral(t, rng):
    turns = rng.uniform(2, 4)
    return t * np.cos(2 * np.pi * turns * t), t * np.sin(2 * np.pi * turns * t)


def _star(t, rng):
    corners = 2 * np.pi * 2 * np.floor(t * 5.001) / 5
    nexts = 2 * np.pi * 2 * np.minimum(np.floor(t * 5.001) + 1, 5) / 5
    part = (t * 5.001) % 1
    x = (1 - part) * np.sin(corners) + part * np.sin(nexts)
    y = (1 - part) * np.cos(corners) + part * np.cos(nexts)
    return x, -y


def _wave(t, rng):
    return 2 * t - 1, 0.3 * np.sin(2 * np.pi * rng.uniform(2, 5) * t)


def _scribble(t, rng):
    n = 9
    knots = rng.uniform(-1, 1, (2, n))
    at = np.linspace(0, n - 1, len(t))
    return tuple(ndimage.gaussian_filter1d(np.interp(at, np.arange(n), k), len(t) / 40) for k in knots)


def _zigzag(t, rng):
    n = rng.integers(4, 9)
    return 2 * t - 1, 0.6 * (2 * np.abs((t * n) % 2 - 1) - 1)


def _heart(t, rng):
    a = 2 * np.pi * t
    return np.sin(a) ** 3, -(13 * np.cos(a) - 5 * np.cos(2 * a) - 2 * np.cos(3 * a) - np.cos(4 * a)) / 16


def _flower(t, rng):
    a = 2 * np.pi * t
    r = np.cos(rng.integers(3, 6) * a)
    return r * np.cos(a), r * np.sin(a)


def _house(t, rng):
    x = np.array([-0.8, -0.8, 0.8, 0.8, -0.8, 0, 0.8, -0.8, 0.8])
    y = np.array([-0.2, 1, 1, -0.2, -0.2, -1, -0.2, 1, 1])
    at = np.linspace(0, len(x) - 1, len(t))
    return np.interp(at, np.arange(len(x)), x), np.interp(at, np.arange(len(y)), y)


def _coil(t, rng):
    turns = rng.integers(4, 8)
    a = 2 * np.pi * turns * t
    return 2 * t - 1 + 0.2 * np.cos(a), 0.4 * np.sin(a)


def _arrow(t, rng):
    x = np.array([-1, 1, 0.55, 1, 0.55])
    y = np.array([0, 0, -0.35, 0, 0.35])
    at = np.linspace(0, 4, len(t))
    return np.interp(at, np.arange(5), x), np.interp(at, np.arange(5), y)


DOODLES = {
    "train": (_spiral, _scribble, _zigzag, _house, _coil),
    "validation": (_wave, _flower),
    "test": (_star, _heart, _arrow),
}


def doodle(rng: np.random.Generator, kind: str, height: float) -> np.ndarray:
    """A drawing of one stroke, a blot or a cross-out, one to three times as high as a digit: ink, 0 to 1."""
    size = height * rng.uniform(1.0, 3.0)
    side = round(1.4 * size) + 4
    if rng.random() < 0.15:  # a blot
        cloud = ndimage.gaussian_filter(rng.normal(0, 1, (side, side)), 0.12 * size)
        y, x = np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j]
        shape = cloud / cloud.std() * 0.25 + 0.35 - np.hypot(x, y) ** 2
        return (1 / (1 + np.exp(-shape * 30))).astype(np.float32)
    x, y = DOODLES[kind][rng.integers(len(DOODLES[kind]))](np.linspace(0, 1, 400), rng)
    angle = rng.uniform(-0.4, 0.4)
    x, y = np.cos(angle) * x - np.sin(angle) * y, np.sin(angle) * x + np.cos(angle) * y
    scale = 0.5 * size / max(np.abs(x).max(), np.abs(y).max())
    width = max(1, round(height * rng.uniform(0.06, 0.14)))
    image = Image.new("L", (4 * side, 4 * side))  # drawn four times as large, for smooth edges
    points = [(4 * (side / 2 + scale * a), 4 * (side / 2 + scale * b)) for a, b in zip(x, y, strict=True)]
    ImageDraw.Draw(image).line(points, fill=255, width=4 * width, joint="curve")
    drawn = np.asarray(image.resize((side, side), Image.Resampling.BOX), np.float32) / 255
    return _by_hand(drawn, height, rng)


def ruling(shape: tuple[int, int], kind: str, height: float, degrees: float, rng: np.random.Generator) -> np.ndarray:
    """The share of light that the printed lines of the paper take at every pixel, 0 to 1."""
    if kind == "any":
        kind = str(rng.choice(["ruled", "squared"]))
    if kind == "none":
        return np.zeros(shape, np.float32)
    angle = np.deg2rad(degrees)
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    across = np.cos(angle) * y + np.sin(angle) * x
    along = np.cos(angle) * x - np.sin(angle) * y
    distance = height * (rng.uniform(1.4, 2.2) if kind == "ruled" else rng.uniform(0.8, 1.3))
    width = max(1.0, height * rng.uniform(0.02, 0.05))
    strength = rng.uniform(0.12, 0.35)
    found = np.zeros(shape, np.float32)
    for place in (across,) if kind == "ruled" else (across, along):
        away = np.abs((place + rng.uniform(0, distance)) % distance - distance / 2)
        found = np.maximum(found, np.clip((width + 1) / 2 - away, 0, 1))
    return strength * found
