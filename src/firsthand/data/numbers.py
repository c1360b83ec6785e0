"""Scenes with a number of several digits somewhere on them, made by program: signs to be read whole."""

from collections.abc import Sequence

import numpy as np
from PIL import Image

from .dataset import Dataset
from .examples import Arrays

__all__ = ["LONGEST", "SCENE", "number_scenes"]

SCENE = 54  # pixels of the side, as Goodfellow et al. 2013 cut their pictures
LONGEST = 5


def number_scenes(digits: Dataset, count: int, *, seed: int | Sequence[int]) -> Arrays:
    """Make scenes of 0 to 5 digits in a row, on a slanted or bent line, with clutter and uneven light.

    Every number of digits is as likely.  Of five digits each is smaller than of one; clutter is lines, spots and parts
    of other digits that hang in from the upper and lower edge.

    Args:
        digits: images of (28, 28, 1), light on black, with labels 0 to 9: each is used as it is written.
        count: how many scenes.
        seed: the same seed, the same scenes.
    Returns:
        Images uint8 (count, 54, 54, 1), light on dark; how many digits each has, int32 (count,); and which, int32
        (count, 5), 0 behind the last.
    """
    random = np.random.default_rng(seed)
    lengths = random.integers(0, LONGEST + 1, count).astype(np.int32)
    values = np.zeros((count, LONGEST), np.int32)
    images = np.zeros((count, SCENE, SCENE), np.uint8)
    for number, length in enumerate(lengths):
        chosen = random.integers(0, len(digits), length)
        values[number, :length] = digits.labels[chosen]
        images[number] = _scene([_ink(digits.images[i, ..., 0]) for i in chosen], digits, random)
    return Arrays((images[..., None], lengths, values))


def _ink(image: np.ndarray) -> np.ndarray:
    """The box of a digit's ink."""
    rows, columns = (np.flatnonzero((image > 30).any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        return image
    return image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _scene(digits: list[np.ndarray], others: Dataset, random: np.random.Generator) -> np.ndarray:
    light = np.zeros((SCENE, SCENE), np.float32)
    _clutter(light, others, random)
    _write(light, digits, random)
    y, x = np.mgrid[:SCENE, :SCENE] / SCENE
    paper, contrast = random.uniform(0, 90), random.uniform(0.55, 1.0)
    slope = random.uniform(-40, 40, 2)
    shade = paper + slope[0] * (y - 0.5) + slope[1] * (x - 0.5) + random.normal(0, random.uniform(0, 14), light.shape)
    return np.clip(shade + contrast * light, 0, 255).astype(np.uint8)


def _write(light: np.ndarray, digits: list[np.ndarray], random: np.random.Generator) -> None:
    """Write digits side by side where there is room for them."""
    if not digits:
        return
    gap = random.uniform(1.5, 3.5)
    room = SCENE - 4 - gap * (len(digits) - 1)
    widest = room / sum(max(ink.shape[1], 5) for ink in digits)
    scale = min(random.uniform(0.6, 1.3), widest, (SCENE - 8) / max(ink.shape[0] for ink in digits))
    wide = [max(2, round(scale * max(ink.shape[1], 3))) for ink in digits]
    total = sum(wide) + gap * (len(digits) - 1)
    left = random.uniform(2, max(2.01, SCENE - 2 - total))
    slant = random.uniform(-0.12, 0.12)
    high = [max(4, round(scale * ink.shape[0])) for ink in digits]
    middle = random.uniform(max(high) / 2 + 4, SCENE - max(high) / 2 - 4)
    for ink, width, height in zip(digits, wide, high, strict=True):
        top = middle + slant * (left + width / 2 - SCENE / 2) - height / 2
        _put(light, ink, round(top), round(left), height, width)
        left += width + gap


def _clutter(light: np.ndarray, others: Dataset, random: np.random.Generator) -> None:
    for _ in range(random.integers(0, 3)):  # lines, from edge to edge
        along = np.arange(SCENE)
        across = random.uniform(0, SCENE) + random.uniform(-0.4, 0.4) * along
        thickness, value = random.uniform(0.4, 1.2), random.uniform(40, 160)
        line = value * np.clip(thickness + 0.5 - np.abs(np.arange(SCENE)[:, None] - across), 0, 1)
        np.maximum(light, line if random.random() < 0.5 else line.T, out=light)
    for _ in range(random.integers(0, 3)):  # spots
        y, x = random.uniform(0, SCENE, 2)
        rows, columns = np.mgrid[:SCENE, :SCENE]
        spot = random.uniform(40, 140) * np.exp(-((rows - y) ** 2 + (columns - x) ** 2) / random.uniform(2, 20))
        np.maximum(light, spot, out=light)
    for _ in range(random.integers(0, 2)):  # the end of a stroke that belongs to something else
        ink = _ink(others.images[random.integers(len(others)), ..., 0])
        height, width = int(random.integers(8, 14)), int(random.integers(6, 12))
        top = -height // 2 - 1 if random.random() < 0.5 else SCENE - height // 3
        _put(light, ink, top, int(random.integers(0, SCENE - width)), height, width)


def _put(light: np.ndarray, ink: np.ndarray, top: int, left: int, height: int, width: int) -> None:
    """Put ink of this size on the scene, as far as it lies on it."""
    small = np.asarray(Image.fromarray(ink).resize((width, height), Image.Resampling.BILINEAR), np.float32)
    first, past = max(0, top), min(SCENE, top + height)
    begin, end = max(0, left), min(SCENE, left + width)
    if first < past and begin < end:
        place = light[first:past, begin:end]
        np.maximum(place, small[first - top : past - top, begin - left : end - left], out=place)
