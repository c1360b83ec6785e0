"""Digits as they are written elsewhere, made by program: MNIST's were written in one country.

A 1 has an upstroke, sometimes nearly as long as its stem; a 7 has a bar; a 4 is open, or a flash with a bar; the tail
of a 9 is a hook.  They are made of MNIST's own strokes, to which a flag or a bar is added, of strokes drawn by rule,
and of the digits of handwriting fonts.  `train_elsewhere.py` trains with them.  Shapes are in heights of the digit,
x to the right and y down, and is drawn with pens of many widths.

Fonts (Debian; all under the SIL Open Font License but kiloji, which is under a 3-clause BSD licence): fonts-breip,
fonts-bwht, fonts-dancingscript, fonts-dkg-handwriting, fonts-klee, fonts-kristi, fonts-seto, fonts-kiloji.  A font that
is not installed is left out.
"""

import sys
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from benchmarks.quality.hands import FINE, field_of, stroke  # noqa: E402
from firsthand.data import Dataset  # noqa: E402

FONTS = (
    "truetype/breip/Breip.ttf", "truetype/fifthhorseman/dkg.ttf", "truetype/fifthhorseman/dkgIt.ttf",
    "opentype/bwht/BecauseWeBuild-Regular.otf", "opentype/bwht/BecauseWeConnect-Regular.otf",
    "opentype/bwht/BecauseWeCreate-Regular.otf", "opentype/bwht/BecauseWeLearn-Regular.otf",
    "opentype/bwht/BecauseWeMentor-Regular.otf", "opentype/bwht/BecauseWeOrganize-Regular.otf",
    "opentype/dancingscript/DancingScript-Regular.otf", "truetype/klee/KleeOne-Regular.ttf",
    "truetype/kristi/Kristi.ttf", "truetype/seto/setofont.ttf", "truetype/kiloji/kiloji.ttf",
    "truetype/kiloji/kiloji_p.ttf",
)  # fmt: skip
HELD_BACK = 4  # the last fonts are for validation
HEIGHT, TOP = 60, 12  # pixels of a digit in a distance field, and above it
SHARES = {"flag": 0.28, "one": 0.12, "bar": 0.14, "seven": 0.1, "four": 0.12, "nine": 0.08, "font": 0.16}

Strokes = list[np.ndarray]  # each (n, 2) of points (x, y)


def elsewhere(source: Dataset, n: int, seed: int, validation: bool = False) -> tuple[list[np.ndarray], np.ndarray]:
    """Digits in ink, 0 to 1, 60 pixels high or so, and their values.

    Args:
        source: images of 28x28 pixels as MNIST's, whose strokes are used.
        n: how many.
        seed: the same gives the same digits.
        validation: whether from the fonts that are held back.
    """
    rng = np.random.default_rng(seed)
    kinds = rng.choice(list(SHARES), n, p=list(SHARES.values()))
    fonts = _fonts(validation)
    made = [_made(str(kind), source, fonts, rng) for kind in kinds]
    return [ink for ink, _ in made], np.array([value for _, value in made])


def _made(kind: str, source: Dataset, fonts: tuple[Path, ...], rng: np.random.Generator) -> tuple[np.ndarray, int]:
    if kind == "font" and fonts:
        value = int(rng.integers(10))
        far = _set(value, fonts[int(rng.integers(len(fonts)))])
    elif kind in ("flag", "bar"):
        value = 1 if kind == "flag" else 7
        far = _from_image(source, value, rng)
        far = np.minimum(far, _field(_flag(far, rng) if kind == "flag" else _bar(far, rng)))
    else:
        value, strokes = {"one": _one, "seven": _seven, "four": _four, "nine": _nine}.get(kind, _one)(rng)
        far = _field([_wobbled(each, rng) for each in _leaning(strokes, rng)])
    width = float(np.clip(np.exp(rng.normal(np.log(0.1), 0.35)), 0.055, 0.2))
    return stroke(_shaken(far, rng), rng.uniform(48, 66), width), value


def _fonts(validation: bool) -> tuple[Path, ...]:
    found = FONTS[-HELD_BACK:] if validation else FONTS[:-HELD_BACK]
    return tuple(path for name in found if (path := Path("/usr/share/fonts") / name).exists())


def _field(strokes: Strokes) -> np.ndarray:
    """Distances, in heights, from strokes."""
    image = Image.new("L", (FINE, FINE), 255)
    draw = ImageDraw.Draw(image)
    for points in strokes:
        draw.line([(FINE / 2 + HEIGHT * x, TOP + HEIGHT * y) for x, y in points], fill=0, width=1, joint="curve")
    distances: Any = ndimage.distance_transform_edt(np.asarray(image))
    return (distances / HEIGHT).astype(np.float32)


def _from_image(source: Dataset, value: int, rng: np.random.Generator) -> np.ndarray:
    """The distance field of one of the source's digits of that value."""
    at = int(rng.choice(_of_value(source, value)))
    return field_of(source.images[at][..., 0])


_PLACES: dict[tuple[int, int], np.ndarray] = {}


def _of_value(source: Dataset, value: int) -> np.ndarray:
    key = (id(source), value)
    if key not in _PLACES:
        _PLACES[key] = np.flatnonzero(np.asarray(source.labels) == value)
    return _PLACES[key]


@cache
def _set(value: int, font: Path) -> np.ndarray:
    face = ImageFont.truetype(font, 80)
    left, top, right, bottom = face.getbbox(str(value))
    image = Image.new("L", (round(right - left) + 8, round(bottom - top) + 8))
    ImageDraw.Draw(image).text((4 - left, 4 - top), str(value), fill=255, font=face)
    ink = np.asarray(image)
    side = 28 * max(ink.shape) / 20  # as MNIST's: the longer side is 20 of 28 pixels
    pad = [(round((side - n) / 2), round((side - n) / 2)) for n in ink.shape]
    return field_of(np.asarray(Image.fromarray(np.pad(ink, pad)).resize((28, 28), Image.Resampling.BOX)))


def _flag(far: np.ndarray, rng: np.random.Generator) -> Strokes:
    """An upstroke to the upper end of a 1, and now and then a bar under it."""
    y, x = np.nonzero(far < 1.5 / HEIGHT)
    top, foot = int(np.argmin(y)), int(np.argmax(y))
    high = (y[foot] - y[top]) / HEIGHT
    start = np.array([(x[top] - FINE / 2) / HEIGHT, (y[top] - TOP) / HEIGHT])
    strokes = [_upstroke(start, high, rng)]
    if rng.random() < 0.12:
        strokes.append(_base(np.array([(x[foot] - FINE / 2) / HEIGHT, (y[foot] - TOP) / HEIGHT]), rng))
    return strokes


def _upstroke(end: np.ndarray, high: float, rng: np.random.Generator) -> np.ndarray:
    """From below to the left up to the end of a stem: so steep that it is no bar of a 7."""
    angle, length = np.deg2rad(rng.uniform(22, 62)), high * rng.uniform(0.18, 0.75)  # from the vertical
    away = np.array([-np.sin(angle), np.cos(angle)]) * min(length, 0.62 / np.sin(angle))
    bent = np.array([np.cos(angle), np.sin(angle)]) * rng.normal(0, 0.03)
    return np.array([end, end + away / 2 + bent, end + away])


def _base(foot: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return _across(foot, rng.uniform(0.12, 0.3), rng.normal(0, 0.02))


def _across(middle: np.ndarray, half: float, rise: float) -> np.ndarray:
    """A short bar about a point, half as long as said to either side."""
    return middle + np.array([(-half, rise), (half, -rise)])


def _one(rng: np.random.Generator) -> tuple[int, Strokes]:
    top = np.array([rng.uniform(-0.05, 0.15), 0.0])
    foot = np.array([rng.normal(0.0, 0.08), 1.0])
    middle = (top + foot) / 2 + [rng.normal(0, 0.02), 0]
    strokes = [np.array([top, middle, foot]), _upstroke(top, 1.0, rng)]
    if rng.random() < 0.12:
        strokes.append(_base(foot, rng))
    return 1, strokes


def _bar(far: np.ndarray, rng: np.random.Generator) -> Strokes:
    """A bar through the stem of a 7."""
    y, x = np.nonzero(far < 1.5 / HEIGHT)
    row = y.min() + rng.uniform(0.42, 0.62) * np.ptp(y)
    near = np.abs(y - row) <= np.abs(y - row).min() + 1
    middle = np.array([(float(np.median(x[near])) - FINE / 2) / HEIGHT, (row - TOP) / HEIGHT])
    return [_across(middle + np.array([rng.normal(0, 0.04), 0]), rng.uniform(0.12, 0.3), rng.normal(0.03, 0.05))]


def _seven(rng: np.random.Generator) -> tuple[int, Strokes]:
    """A 7 with a top that is flat or waves, perhaps a tick at its left, and mostly a bar."""
    left, right, rise = -rng.uniform(0.22, 0.38), rng.uniform(0.15, 0.32), rng.normal(0.0, 0.03)
    wave = rng.normal(0.0, 0.03)
    bar = [(left, 0.02 + rise), ((left + right) / 2, wave), (right, 0.0)]
    if rng.random() < 0.4:
        bar = [(left + rng.normal(0, 0.03), rng.uniform(0.08, 0.22)), *bar]
    foot = np.array([rng.uniform(-0.2, 0.08), 1.0])
    stem = np.array([(right, 0.0), ((right + foot[0]) / 2 + rng.normal(-0.03, 0.03), 0.5), foot])
    strokes = [np.array(bar), stem]
    if rng.random() < 0.85:
        strokes.append(_across(stem[1] + [0, rng.uniform(-0.1, 0.1)], rng.uniform(0.13, 0.3), rng.normal(0.03, 0.05)))
    return 7, strokes


def _four(rng: np.random.Generator) -> tuple[int, Strokes]:
    """A 4 whose two strokes meet at its top or not, or a slanted one with a short bar through it."""
    cross, knee = rng.uniform(0.5, 0.75), -rng.uniform(0.25, 0.4)
    right = rng.uniform(0.15, 0.35)
    if rng.random() < 0.6:  # open: the stem begins beside the first stroke, or lower
        first = np.array([(rng.uniform(-0.25, 0.02), 0.0), (knee, cross), (right + 0.05, cross + rng.normal(0, 0.03))])
        stem_top = np.array([rng.uniform(0.08, 0.2), rng.uniform(0.0, 0.42)])
    else:
        first = np.array([(rng.uniform(0.0, 0.15), 0.0), (knee, cross), (right + 0.05, cross + rng.normal(0, 0.03))])
        stem_top = first[0] + [rng.normal(0, 0.02), rng.uniform(0, 0.1)]
    stem = np.array([stem_top, (rng.uniform(-0.02, 0.12), 1.0)])
    return 4, [first, stem]


def _nine(rng: np.random.Generator) -> tuple[int, Strokes]:
    """A loop, and a tail that is straight or a hook to the left."""
    t = np.linspace(-0.25, -0.25 - 2 * np.pi * rng.uniform(0.85, 1.0), 24)
    wide, tall = rng.uniform(0.18, 0.28), rng.uniform(0.18, 0.3)
    loop = np.stack([wide * np.cos(t), tall + tall * np.sin(t)], 1)
    hook = rng.uniform(0.0, 0.5) if rng.random() < 0.7 else 0.0
    bottom = np.array([wide - rng.uniform(0.02, 0.15), 1.0 - 0.12 * bool(hook)])
    tail = [(wide, rng.uniform(0.02, 0.15)), (wide - 0.02, 0.5), tuple(bottom)]
    if hook:
        tail += [(bottom[0] - 0.4 * hook, 1.0), (bottom[0] - hook, 1.0 - rng.uniform(0.0, 0.12))]
    return 9, [loop, _rounded(np.array(tail))]


def _rounded(points: np.ndarray) -> np.ndarray:
    """A curve through points (Catmull-Rom)."""
    p = np.concatenate([points[:1], points, points[-1:]])
    t = np.linspace(0, 1, 8)[:, None]
    parts = [
        0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
        for a, b, c, d in zip(p[:-3], p[1:-2], p[2:-1], p[3:], strict=True)
    ]
    return np.concatenate(parts)


def _leaning(strokes: Strokes, rng: np.random.Generator) -> Strokes:
    slant, wide = rng.normal(0.08, 0.14), rng.uniform(0.75, 1.2)
    return [np.stack([wide * s[:, 0] + slant * (0.5 - s[:, 1]), s[:, 1]], 1) for s in strokes]


def _wobbled(points: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return points + rng.normal(0, 0.012, points.shape)


def _shaken(far: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The field moved about smoothly: no two hands draw the same line."""
    y, x = np.mgrid[:FINE, :FINE].astype(np.float32)
    moves = []
    for _ in range(2):
        coarse = Image.fromarray(rng.normal(0, 2.2, (5, 5)).astype(np.float32))
        moves.append(np.asarray(coarse.resize((FINE, FINE), Image.Resampling.BICUBIC)))
    return ndimage.map_coordinates(far, [y + moves[0], x + moves[1]], order=1, mode="nearest")
