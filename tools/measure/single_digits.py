"""Pictures of one digit, and of none or two, given to `firsthand predict`: what it says of each kind, in figures.

    python -m tools.measure.single_digits [--photos FOLDER] [--n 200] [--seed 0] [--kinds PATTERN] [--json FILE]

The made ones are MNIST's test digits, as seed and kind say: a fifth of the picture's side, dark on light or light on
dark; white on transparent; 12 bits in 16; two on a picture; as MNIST has them.  Photos are those of a folder with a
truth.json of [{"path", "kind", "lines"}], of which pictures with one digit are taken; `firsthand read` is asked of
these as well.  An answer counts as

    right       the digit; of nothing, or of two, that it is that
    refused     a digit was on the picture, and no single digit was found
    wrong       another answer; `sure` are those of them with p >= 0.9
"""

import argparse
import json
import re
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from firsthand import read
from firsthand.cli.one_digit import Answer, name_digit
from firsthand.data import mnist
from firsthand.files import write_atomically
from firsthand.reading import boxed_model

NOTHING, TWO = "nothing", "two"
SIDE = 28
BLANKS = [(224, 224), (28, 28), (1, 1), (3000, 2), (640, 480)]


class Picture(NamedTuple):
    """A picture, and what is right to say of it: a digit, NOTHING or TWO."""

    path: Path
    truth: str


def main() -> None:
    """Measure, print, and write JSON if that is wanted."""
    parser = argparse.ArgumentParser(prog="python -m tools.measure.single_digits", description=__doc__)
    parser.add_argument("--photos", type=Path)
    parser.add_argument("--n", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kinds", default="", help="regular expression: measure those whose name has it")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--verbose", action="store_true")
    chosen = parser.parse_args()
    table: dict[str, Counter[str]] = {}
    with tempfile.TemporaryDirectory() as scratch:
        for kind, pictures in _kinds(Path(scratch), chosen.n, chosen.seed, chosen.photos):
            if not re.search(chosen.kinds, kind):
                continue
            table[kind] = Counter(n=0, right=0, refused=0, wrong=0, sure=0)
            for picture in pictures:
                if kind.endswith("`read`"):
                    found = _read(picture.path)
                else:
                    found = name_digit(picture.path, boxed_model(), (SIDE, SIDE, 1), 3)
                outcome = _outcome(found, picture.truth)
                table[kind].update(["n", *outcome])
                if chosen.verbose and "right" not in outcome:
                    print(f"  {picture.path.name}: {picture.truth} expected, {found} found")
    head = ("n", "right", "refused", "wrong", "sure")
    print(f"{'kind':36}" + "".join(f"{name:>9}" for name in head))
    for kind, counts in table.items():
        print(f"{kind:36}" + "".join(f"{counts[name]:9}" for name in head))
    print(f"seed {chosen.seed}")
    if chosen.json is not None:
        write_atomically(chosen.json, json.dumps({"seed": chosen.seed, "kinds": table}, indent=1) + "\n")


def _outcome(found: Answer, truth: str) -> list[str]:
    if not found.candidates:
        said = TWO if "digits are on the picture" in found.reason else NOTHING
        return ["right"] if said == truth else ["refused"] if truth not in (NOTHING, TWO) else ["wrong"]
    label, probability = next(iter(found.candidates.items()))
    if label == truth:
        return ["right"]
    return ["wrong", "sure"] if probability >= 0.9 else ["wrong"]


def _read(path: Path) -> Answer:
    page = read(path)
    text = "".join(line.text for line in page.lines)
    digits = re.sub(r"\D", "", text)
    if len(digits) == 1:
        return Answer({digits: 1.0}, ())
    return Answer({}, (), f"{len(digits)} digits are on the picture" if digits else page.reason)


def _kinds(scratch: Path, n: int, seed: int, photos: Path | None) -> Iterator[tuple[str, list[Picture]]]:
    makers = {
        "as MNIST": _as_mnist,
        "a fifth of its picture": _fifth,
        "white on transparent": _transparent,
        "12 bits in 16": _deep,
        "two digits": _two,
        "nothing": _blank,
    }
    for number, (kind, make) in enumerate(makers.items()):
        rng = np.random.default_rng((seed, number))
        folder = scratch / str(number)
        folder.mkdir()
        pictures = []
        for i in range(n):
            path = folder / f"{i}.png"
            picture, truth = make(rng)
            picture.save(path)
            pictures.append(Picture(path, truth))
        yield kind, pictures
    if photos is None:
        return
    found: dict[str, list[Picture]] = {}
    for entry in json.loads((photos / "truth.json").read_text(encoding="utf-8")):
        lines = [digits for line in entry["lines"] if (digits := re.sub(r"\D", "", line))]
        if len(lines) == 1 and len(lines[0]) == 1:
            found.setdefault(entry["kind"], []).append(Picture(photos / entry["path"], lines[0]))
    for kind, pictures in found.items():
        yield kind, pictures
        yield f"{kind}, `read`", pictures


def _digit(rng: np.random.Generator) -> tuple[np.ndarray, str]:
    index = int(rng.integers(10_000))
    return mnist().test.images[index, ..., 0], str(mnist().test.labels[index])


def _as_mnist(rng: np.random.Generator) -> tuple[Image.Image, str]:
    ink, truth = _digit(rng)
    return Image.fromarray(ink), truth


def _paper(rng: np.random.Generator, places: list[tuple[int, int, np.ndarray]]) -> Image.Image:
    """A picture five times as wide and high as a digit, in grey, with a little noise; half of them light on dark."""
    ink = np.zeros((5 * SIDE, 5 * SIDE))
    for top, left, digit in places:
        ink[top : top + SIDE, left : left + SIDE] = np.maximum(ink[top : top + SIDE, left : left + SIDE], digit)
    grey = rng.uniform(200, 250) - rng.uniform(0.5, 0.75) * ink + rng.normal(0, 2, ink.shape)
    grey = np.clip(grey, 0, 255).astype(np.uint8)
    return Image.fromarray(grey if rng.random() < 0.5 else 255 - grey)


def _fifth(rng: np.random.Generator) -> tuple[Image.Image, str]:
    ink, truth = _digit(rng)
    top, left = rng.integers(0, 4 * SIDE, 2)
    return _paper(rng, [(top, left, ink)]), truth


def _two(rng: np.random.Generator) -> tuple[Image.Image, str]:
    (one, _), (other, _) = _digit(rng), _digit(rng)
    top, left = int(rng.integers(0, 4 * SIDE)), int(rng.integers(0, 2 * SIDE))
    return _paper(rng, [(top, left, one), (top, left + int(rng.integers(SIDE, 2 * SIDE)), other)]), TWO


def _transparent(rng: np.random.Generator) -> tuple[Image.Image, str]:
    ink, truth = _digit(rng)
    pixels = np.full((SIDE, SIDE, 4), 255, np.uint8)
    pixels[..., 3] = ink
    side = int(rng.integers(60, 300))
    return Image.fromarray(pixels).resize((side, side)), truth


def _deep(rng: np.random.Generator) -> tuple[Image.Image, str]:
    ink, truth = _digit(rng)
    side = int(rng.integers(60, 300))
    grey = np.asarray(Image.fromarray(255 - ink).resize((side, side)), np.uint32) * 4095 // 255
    return Image.fromarray(grey.astype(np.uint16)), truth


def _blank(rng: np.random.Generator) -> tuple[Image.Image, str]:
    size = BLANKS[int(rng.integers(len(BLANKS)))]
    noise = rng.normal(0, 1.5, size[::-1]) if rng.random() < 0.5 else 0
    grey = np.clip(np.full(size[::-1], rng.uniform(0, 255)) + noise, 0, 255)
    return Image.fromarray(grey.astype(np.uint8)), NOTHING


if __name__ == "__main__":
    main()
