"""Train the network that tells digits from what is none, and write it into the package.

    python tools/box/train_gate.py [--pages 200] [--scratch FOLDER]

Its examples are the spans of pages made from MNIST's training digits, with letters, doodles, parts of digits and
several digits at once among them.  Its epoch and its temperature are chosen on pages made from validation digits, with
other fonts and doodles.  Test digits are not used.
"""

import argparse
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
from box_reader import say
from reading_examples import ROOT, Examples, examples, kept

from benchmarks.quality.pages import LEVELS, Page, Style, Truth, make_page
from firsthand.data import Dataset, Splits, mnist
from firsthand.learning import train
from firsthand.models import fit_temperature
from firsthand.nn import Network
from firsthand.zoo import GATE

OUT = ROOT / "src" / "firsthand" / "reading" / "is_digit.safetensors"
CLASSES = ("none", "digit")
NONES = 5  # at most this many examples of what is no digit for one of a digit, per page; and that many at least:
FEWEST = 150
_SMALL = {"lines": (2, 3), "digits": (4, 10)}
STYLES: tuple[Style, ...] = (
    *(replace(LEVELS[name], **_SMALL) for name in ("photo", "notebook", "hard", "touching", "tight")),
    replace(LEVELS["pairs"], lines=(5, 8), degrees=3.0, blur=(0.5, 1.2)),
    replace(LEVELS["pairs"], lines=(5, 8), digits=(2, 4), degrees=2.0),
    replace(LEVELS["touching"], lines=(2, 3), touching=0.7, degrees=4.0, blur=(0.6, 1.4), noise=(1, 5)),
    replace(LEVELS["mixed"], lines=(1, 2), words=(3, 5), doodles=(1, 2)),
    replace(LEVELS["letters"], words=(5, 8), doodles=(1, 3)),
    replace(LEVELS["letters"], words=(4, 7), doodles=(2, 4), shadow=(0, 0.4), ruling="any", noise=(1, 6)),
    replace(LEVELS["clean"], lines=(1, 1), digits=(1, 3), blur=(0.5, 1.5), light_on_dark=0.5, height=(24, 120)),
)


def main() -> None:
    """Make examples, train, fit the temperature, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=200, help="pages to train with; a fifth as many to validate")
    parser.add_argument("--workers", type=int, default=2, help="processes that make pages")
    parser.add_argument("--scratch", type=Path, default=Path("runs/gate"), help="where examples are kept")
    parser.add_argument("--out", type=Path, default=OUT)
    chosen = parser.parse_args()
    chosen.scratch.mkdir(parents=True, exist_ok=True)
    sets = [
        _examples(chosen.scratch, part, n, chosen.workers)
        for part, n in (("train", chosen.pages), ("validation", max(8, chosen.pages // 5)))
    ]
    import jax

    print(*(f"{len(one)} examples, {one.class_counts()[1]} of them digits" for one in sets), sep="\n", flush=True)
    model, history = train(
        Network(GATE.layers, input_shape=(28, 28, 3)),
        Splits(sets[0], sets[1], None),
        GATE.recipe,
        key=jax.random.key(0),
        progress=say,
    )
    model = fit_temperature(model, sets[1])
    about = model.provenance | {"about": GATE.about, "pages": chosen.pages, "best_epoch": history.best_epoch}
    model = replace(model, provenance=about)
    print(json.dumps(about["accuracies"]), about["calibration"])
    print(model.save(chosen.out))


def _examples(folder: Path, part: str, n: int, workers: int) -> Dataset:
    path = folder / f"{part}-{n}.npz"
    images, labels = kept(path, ("images", "labels"), _of_page, part, n, workers, together=2)
    return Dataset(images, labels, CLASSES)


def _of_page(part: str, i: int) -> tuple[np.ndarray, np.ndarray]:
    """Examples of one page, and of ten pictures of single digits as MNIST has them."""
    data = mnist()
    source = data.train if part == "train" else data.validation
    seed = i + (0 if part == "train" else 1_000_000)
    rng = np.random.default_rng(seed)
    found: list[Examples] = [examples(make_page(STYLES[i % len(STYLES)], source, seed, part))]
    found += [examples(_single(source, int(at))) for at in rng.integers(0, len(source), 10)]
    images, labels = [], []
    for one in found:
        digits, nones = np.flatnonzero(one.digit == 1), np.flatnonzero(one.digit == 0)
        kept = rng.permutation(nones)[: max(FEWEST, NONES * len(digits))]
        at = np.concatenate([digits, kept]).astype(int)
        images.append(one.images[at])
        labels.append(one.digit[at])
    return np.concatenate(images), np.concatenate(labels)


def _single(source: Dataset, at: int) -> Page:
    image, value = source.images[at][..., 0], int(source.labels[at])
    owner = (image > 90).astype(np.int16)
    truth = Truth(value, 0, 0, 14.0, 14.0, 20.0, False)
    return Page(255 - image if at % 2 else image, (truth,), (str(value),), owner)


if __name__ == "__main__":
    main()
