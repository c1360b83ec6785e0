"""Train the network that says which side of a digit or letter is up, and write it into the package.

    python tools/box/train_upright.py [--fonts FOLDER] [--checkpoint FILE]

Its examples are MNIST's training digits, digits as they are written elsewhere (`elsewhere.py`), and a few letters of
fonts of handwriting and of Matplotlib, each turned by 0, 90, 180 or 270 degrees.  Letters are few, because an h is a 4
upside down, and an L a 7.  Validation digits and the fonts for validation choose the epoch and the temperature.
"""

import argparse
import json
from dataclasses import replace
from pathlib import Path

import jax
import numpy as np
from box_reader import photographed, say
from elsewhere import ROOT, elsewhere
from PIL import Image, ImageDraw, ImageFont

from benchmarks.quality.hands import fonts
from benchmarks.quality.marks import CAPITALS, LETTERS
from firsthand.data import Dataset, Splits, mnist
from firsthand.learning import train
from firsthand.models import fit_temperature
from firsthand.nn import Network
from firsthand.reading.normalise import as_mnist
from firsthand.zoo import UPRIGHT

OUT = ROOT / "src" / "firsthand" / "reading" / "upright.safetensors"
CLASSES = ("0", "90", "180", "270")  # degrees by which it was turned anticlockwise


def main() -> None:
    """Make, train, calibrate, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--fonts", type=Path, help="folder with more fonts for letters")
    parser.add_argument("--checkpoint", type=Path, default=Path("runs/upright.checkpoint"))
    chosen = parser.parse_args()
    chosen.checkpoint.parent.mkdir(parents=True, exist_ok=True)
    data = mnist()
    sets = [
        _turned(_images(source, n, seed, part, chosen.fonts), seed)
        for source, n, seed, part in ((data.train, 20_000, 0, "train"), (data.validation, 3_000, 1, "validation"))
    ]
    model, history = train(
        Network(UPRIGHT.layers, input_shape=(28, 28, 1)),
        Splits(sets[0], sets[1], None),
        UPRIGHT.recipe,
        key=jax.random.key(0),
        progress=say,
        checkpoint=chosen.checkpoint,
        resume=chosen.checkpoint.exists(),
    )
    model = fit_temperature(model, sets[1])
    about = model.provenance | {"about": UPRIGHT.about, "best_epoch": history.best_epoch}
    print(json.dumps(about["accuracies"]), about["calibration"])
    print(replace(model, provenance=about).save(chosen.out))


def _images(source: Dataset, n: int, seed: int, part: str, folder: Path | None) -> np.ndarray:
    """Upright images: n of the data set, a fifth as many written elsewhere, a few letters."""
    rng = np.random.default_rng(seed)
    found = [*source.images[:n, ..., 0]]
    inks, _ = elsewhere(source, n // 5, seed + 20, part != "train")
    inks += [_letter(rng, part, folder) for _ in range(n // 100)]
    for ink in inks:
        seen = photographed(ink, ink.shape[0], rng)
        if seen is not None:
            found.append(seen)
    return np.stack(found)


def _letter(rng: np.random.Generator, part: str, folder: Path | None) -> np.ndarray:
    """A letter set in type, about 40 pixels high: ink, 0 to 1."""
    paths = fonts(part, folder if part == "train" else None)
    letter = str(rng.choice(list(LETTERS + CAPITALS)))
    face = ImageFont.truetype(paths[int(rng.integers(len(paths)))], int(rng.integers(34, 60)))
    left, top, right, bottom = face.getbbox(letter)
    image = Image.new("L", (max(4, round(right - left) + 4), max(4, round(bottom - top) + 4)))
    ImageDraw.Draw(image).text((2 - left, 2 - top), letter, fill=255, font=face)
    return np.asarray(image, np.float32) / 255


def _turned(upright: np.ndarray, seed: int) -> Dataset:
    """Every image turned once, by chance, and normalised then: its centre of mass must not tell how it was turned."""
    quarters = np.random.default_rng(seed + 5).integers(0, 4, len(upright))
    images = [_normalised(np.rot90(image, quarter)) for image, quarter in zip(upright, quarters, strict=True)]
    return Dataset(np.stack(images)[..., None], quarters.astype(mnist().train.labels.dtype), CLASSES)


def _normalised(image: np.ndarray) -> np.ndarray:
    rows, columns = np.flatnonzero(image.max(1) > 40), np.flatnonzero(image.max(0) > 40)
    if not len(rows) or not len(columns):
        return image
    window = image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return as_mnist(window.astype(np.float32) / 255)


if __name__ == "__main__":
    main()
