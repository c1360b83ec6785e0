"""Let the digit reader in the box learn digits as they are written elsewhere, and write it into the package.

    python tools/box/train_elsewhere.py [--start MODEL] [--scratch FOLDER]

It goes on from src/firsthand/reading/digits.safetensors, as `box_reader.py` has written it or this program before, with
small steps: on images of MNIST as they are and as they come from photos, so that nothing is forgotten, and on digits of
`elsewhere.py`.  What is written lies between the parameters before and after,

    params = (1 - share) before + share after

because on that way little is forgotten and most of what is new is known (Wortsman et al. 2022).  Validation images of
the three forms choose the share, among those with which MNIST's own and those as they come from photos are read no
worse than before by more than their standard error.  MNIST's own set the temperature.  The test images choose nothing.
"""

import argparse
import json
from dataclasses import replace
from functools import reduce
from operator import add
from pathlib import Path

import jax
import numpy as np
from box_reader import HEIGHTS, OUT, as_drawn, photographed, say
from elsewhere import elsewhere
from PIL import Image

from firsthand.data import Dataset, Splits, mnist
from firsthand.data.augment import Affine
from firsthand.inspect import expected_calibration_error, negative_log_likelihood
from firsthand.learning import Cosine, Recipe, train
from firsthand.models import Model, fit_temperature
from firsthand.nn import Params

EXAMPLES, HELD_BACK = 20_000, 3_000  # made digits to train with, and to validate
OWN, DRAWN = 20_000, 12_000  # of MNIST's training images, as they are and as they come from photos
KEPT = "validation", "validation as drawn"
EPOCHS = 5
SHARES = (1.0, 0.8, 0.6, 0.5, 0.4, 0.3, 0.2)
RECIPE = Recipe(
    epochs=EPOCHS,
    batch_size=50,
    learning_rate=Cosine(0.005, EPOCHS, end=0.0005),
    momentum=0.9,
    nesterov=True,
    l2=5e-5,
    average=0.999,
    augment=Affine(degrees=5, translate=1, scale=0.06, shear=0.06),
)
ABOUT = "trained on with digits as they are written elsewhere, too: flagged 1s, barred 7s, open 4s, fonts"


def main() -> None:
    """Make, train, calibrate, measure, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--start", type=Path, default=OUT, help="the reader to start from")
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--scratch", type=Path, default=Path("runs/elsewhere"), help="where a checkpoint is kept")
    chosen = parser.parse_args()
    chosen.scratch.mkdir(parents=True, exist_ok=True)
    first, data = Model.load(chosen.start), mnist()
    held = {
        "validation": data.validation,
        "validation as drawn": as_drawn(data.validation[::2], 12),
        "validation elsewhere": as_photographed(data.validation, HELD_BACK, 13, True),
    }
    before = {name: first.accuracy(part) for name, part in held.items()}
    print(json.dumps(before), flush=True)
    made = as_photographed(data.train, EXAMPLES, 11)
    checkpoint = chosen.scratch / "checkpoint.safetensors"
    trained, _ = train(
        first.network,
        Splits(data.train[-OWN:] + as_drawn(data.train[::2], 10)[-DRAWN:] + made, reduce(add, held.values()), None),
        RECIPE,
        key=jax.random.key(0),
        params=first.params,
        progress=say,
        checkpoint=checkpoint,
        resume=checkpoint.exists(),
    )
    model, after, chosen_share = first, before, 0.0
    for share in SHARES:
        between = replace(first, params=_between(first.params, trained.params, share))
        found = {name: between.accuracy(part) for name, part in held.items()}
        print(share, json.dumps(found), flush=True)
        kept = all(found[name] >= before[name] - _error(before[name], len(held[name])) for name in KEPT)
        if kept and sum(found.values()) > sum(after.values()):
            model, after, chosen_share = between, found, share
    model = fit_temperature(replace(model, temperature=None), data.validation)
    probabilities = model.probabilities(data.test.images)
    about = first.provenance | {
        "about": f"{first.provenance['about'].partition(f'; then {ABOUT}')[0]}; then {ABOUT}",
        "accuracies": {name: model.accuracy(part) for name, part in data._asdict().items()} | after,
        "calibration": model.provenance["calibration"],
        "fitted_from": {"accuracies": first.provenance["accuracies"], **before},
        "share": chosen_share,
        "test": {
            "expected_calibration_error": expected_calibration_error(probabilities, data.test.labels),
            "negative_log_likelihood": negative_log_likelihood(probabilities, data.test.labels),
        },
    }
    path = replace(model, provenance=about).save(chosen.out)
    print(json.dumps({name: about[name] for name in ("accuracies", "fitted_from", "test")}))
    print(f"{path} ({path.stat().st_size:,} bytes)")


def _between(before: tuple[Params, ...], after: tuple[Params, ...], share: float) -> tuple[Params, ...]:
    def mixed(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return ((1 - share) * np.asarray(a) + share * np.asarray(b)).astype(np.float32)

    return jax.tree.map(mixed, before, after)


def _error(accuracy: float, n: int) -> float:
    return float(np.sqrt(accuracy * (1 - accuracy) / n))


def as_photographed(source: Dataset, n: int, seed: int, validation: bool = False) -> Dataset:
    """Digits with flags and bars as they come from photos."""
    inks, values = elsewhere(source, n, seed, validation)
    rng = np.random.default_rng(seed + 1000)
    seen = []
    for ink in inks:
        height = rng.uniform(*HEIGHTS)
        seen.append(photographed(_scaled(ink, height / ink.shape[0]), height, rng))
    there = np.array([image is not None for image in seen])
    images = np.stack([image for image in seen if image is not None])[..., None]
    return Dataset(images, values[there].astype(source.labels.dtype), source.classes)


def _scaled(ink: np.ndarray, factor: float) -> np.ndarray:
    high, wide = (max(2, round(factor * side)) for side in ink.shape)
    return np.asarray(Image.fromarray(ink.astype(np.float32)).resize((wide, high), Image.Resampling.BOX))


if __name__ == "__main__":
    main()
