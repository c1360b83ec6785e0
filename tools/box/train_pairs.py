"""Train the network that reads two digits that touch as a whole, and write it into the package.

    python tools/box/train_pairs.py [--lines 50000] [--scratch FOLDER]

Its examples are the components of lines made by program from MNIST's training digits: pairs that touch and overlap,
single digits, three and more together, letters and drawings.  Its epoch is chosen on lines made from validation
digits, with other fonts and drawings.  Test digits are not used.
"""

import argparse
import json
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from box_reader import say
from reading_examples import ROOT, kept
from scipy import ndimage
from scipy.optimize import minimize_scalar

from benchmarks.quality import marks
from benchmarks.quality.pages import LEVELS, Style, line_of
from firsthand.data import Arrays, Splits, mnist
from firsthand.learning import train
from firsthand.models import NumberModel
from firsthand.nn import Network
from firsthand.reading.lines import find_components, find_lines
from firsthand.reading.pairs import HIGH, WIDE, WIDEST, picture
from firsthand.reading.segment import NARROW, scale_row
from firsthand.zoo import PAIRS

OUT = ROOT / "src" / "firsthand" / "reading" / "pairs.safetensors"
MOST = 2  # digits in a component
WHOLE, PART = 0.7, 0.1  # shares of a digit's ink that are all of it but the soft edges, and hardly anything
LETTERS = 0.12  # the share of lines of letters and drawings
EDGE = 8  # of empty paper, in pixels
# pairs that touch as those of the benchmark do, and closer; lines of digits of which some touch; digits alone
STYLES: tuple[Style, ...] = (
    LEVELS["pairs"],
    replace(LEVELS["tight"], digits=(2, 2), gap=(-0.12, 0.02)),
    replace(LEVELS["tight"], digits=(3, 6), gap=(-0.08, 0.08)),
    replace(LEVELS["touching"], digits=(1, 5)),
)
OFTEN = (0.55, 0.15, 0.15, 0.15)


def main() -> None:
    """Make examples, train, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--lines", type=int, default=50_000, help="lines to train with; a twentieth as many to validate"
    )
    parser.add_argument("--workers", type=int, default=2, help="processes that make lines")
    parser.add_argument("--scratch", type=Path, default=Path("runs/pairs"), help="where examples are kept")
    parser.add_argument("--out", type=Path, default=OUT)
    chosen = parser.parse_args()
    chosen.scratch.mkdir(parents=True, exist_ok=True)
    sets = [
        _examples(chosen.scratch, part, n, chosen.workers)
        for part, n in (("train", chosen.lines), ("validation", chosen.lines // 20))
    ]
    for one in sets:
        print(len(one), "examples, of 0, 1, 2 digits:", np.bincount(one.arrays[1]).tolist(), flush=True)
    network = Network(PAIRS.layers, input_shape=(HIGH, WIDE, 1))
    model, history = train(
        network,
        Splits(sets[0], sets[1], None),
        PAIRS.recipe,
        key=jax.random.key(0),
        progress=partial(say, score="validation_whole"),
    )
    assert isinstance(model, NumberModel)
    temperature = _temperature(model, sets[1])
    about = model.provenance | {"about": PAIRS.about, "lines": chosen.lines, "best_epoch": history.best_epoch}
    print(json.dumps(about.get("scores")), "temperature", temperature)
    print(replace(_cooled(model, temperature), provenance=about | {"temperature": temperature}).save(chosen.out))


def _temperature(model: NumberModel, data: Arrays) -> float:
    """The temperature at which the numbers of validation examples are likeliest."""
    batch = tuple(map(jnp.asarray, data.arrays))

    def cost(logarithm: float) -> float:
        params = _cooled(model, np.exp(logarithm)).params
        return float(PAIRS.recipe.objective.measure(model.network, params, batch)["cost"].mean())

    found: Any = minimize_scalar(cost, bounds=(-2, 2), method="bounded")
    return float(np.exp(found.x))


def _cooled(model: NumberModel, temperature: float) -> NumberModel:
    """The same with all weighted inputs of the last layer divided by the temperature."""
    *others, last = model.params
    return replace(model, params=(*others, {name: array / temperature for name, array in last.items()}))


def _examples(folder: Path, part: str, n: int, workers: int) -> Arrays:
    names = ("images", "lengths", "values")
    return Arrays(tuple(kept(folder / f"{part}-{n}.npz", names, _of_line, part, n, workers, together=100)))


def _of_line(part: str, i: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The components of one line of digits or letters: pictures, how many digits, and which."""
    rng = np.random.default_rng((i, part == "train"))
    source = mnist().train if part == "train" else mnist().validation
    height = rng.uniform(26, 64)
    if rng.random() < LETTERS:
        ink = (marks.word if rng.random() < 0.7 else marks.doodle)(rng, part, height)
        owner, values = np.where(ink > 0.3, 1, 0), None
    else:
        line = line_of(STYLES[int(rng.choice(len(STYLES), p=OFTEN))], source, height, rng)
        ink, owner, values = line.ink, line.owner, line.values
    ink, owner = (np.pad(array, EDGE) for array in (ink, owner))
    # as the pen's ink comes out of a photo: soft, of unlike strength, and with what is left of the noise
    ink = ndimage.gaussian_filter(ink * rng.uniform(0.8, 1.1), rng.uniform(0.3, 1.7) * height / 48)
    ink = np.clip(ink + rng.normal(0, rng.uniform(0, 0.05), ink.shape) * (ink > 0.1), 0, 1).astype(np.float32)
    labels, components = find_components(ink > rng.uniform(0.3, 0.5))
    rows, _ = find_lines(components, ink.shape)
    images, lengths, digits = [np.zeros((0, HIGH, WIDE), np.uint8)], [], []
    for row in rows:
        scaled = scale_row(ink, labels, row)
        for c in row.components:
            mine = scaled.owner == c.label
            dark = ndimage.find_objects((mine & (scaled.ink > 0.3)).astype(np.int8))
            seen = [] if values is None else _digits(labels == c.label, owner, len(values))
            if not dark or seen is None or (width := dark[0][1].stop - dark[0][1].start) > WIDEST or width <= NARROW:
                continue
            y, x = dark[0]
            images.append(picture(np.where(mine, scaled.ink, 0), (x.start, y.start, x.stop, y.stop))[None])
            found = [values[k] for k in seen] if values is not None and len(seen) <= MOST else []
            lengths.append(len(found))
            digits.append((found + [0] * MOST)[:MOST])
    return (
        np.concatenate(images)[..., None],
        np.array(lengths, np.int32),
        np.array(digits, np.int32).reshape(-1, MOST),
    )


def _digits(own: np.ndarray, owner: np.ndarray, n: int) -> list[int] | None:
    """The digits of a line, from 0, that a component is; None where it holds a part of one, or of several.

    Args:
        own: its pixels.
        owner: of every pixel of the line: 0, or the number of a digit, from 1.
        n: digits of the line.
    """
    here, everywhere = (np.bincount(who, minlength=n + 1)[1:] for who in (owner[own], owner.ravel()))
    share = here / np.maximum(everywhere, 1)
    if ((share > PART) & (share < WHOLE)).any():
        return None
    return np.flatnonzero(share >= WHOLE).tolist()


if __name__ == "__main__":
    main()
