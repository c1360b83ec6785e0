"""Let the digit reader in the box learn digits as they are written elsewhere, and write it into the package.

    python tools/box/train_elsewhere.py [--scratch FOLDER]

It starts from src/firsthand/reading/digits.safetensors as `box_reader.py` has written it.  What its convolutions see of
flags and bars is enough to tell them: only the last layer is refitted, to images of MNIST as they are and as they
come from photos, and to digits of `elsewhere.py`, and held near to what it was,

    minimise  mean cross-entropy + lambda / 2 (|W - W0|^2 + |b - b0|^2)

by L-BFGS.  The lambda is taken whose mean accuracy on validation images of the three forms is highest among those that
read MNIST's own, and those as they come from photos, no worse than before.  MNIST's own set the temperature.  The test
images choose nothing.
"""

import argparse
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import jax
import numpy as np
from box_reader import HEIGHTS, OUT, as_drawn, photographed
from elsewhere import elsewhere
from PIL import Image
from scipy.optimize import minimize
from scipy.special import logsumexp

from firsthand.data import Dataset, mnist
from firsthand.inspect import expected_calibration_error, negative_log_likelihood
from firsthand.models import Model, fit_temperature

EXAMPLES, HELD_BACK = 16_000, 3_000  # made digits to fit to, and to validate
OWN, DRAWN = 20_000, 12_000  # of MNIST's training images, as they are and as they come from photos
SHARE = 0.3  # what a made digit counts beside one of MNIST
LAMBDAS = (1.0, 0.3, 0.1)
ABOUT = "its last layer fitted to digits as they are written elsewhere, too: flagged 1s, barred 7s, open 4s, fonts"

Seen = tuple[np.ndarray, np.ndarray]  # what enters the last layer, (n, units), and labels


def main() -> None:
    """Make, fit, calibrate, measure, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--start", type=Path, default=OUT, help="the reader to start from")
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--scratch", type=Path, default=Path("runs/elsewhere"), help="where made digits are kept")
    chosen = parser.parse_args()
    chosen.scratch.mkdir(parents=True, exist_ok=True)
    first, data = Model.load(chosen.start), mnist()
    made: dict[str, Callable[[], Dataset]] = {
        "own": lambda: data.train[:OWN],
        "drawn": lambda: as_drawn(data.train[::2], 10)[-DRAWN:],
        "made": lambda: as_photographed(data.train, EXAMPLES, 11),
        "held-own": lambda: data.validation,
        "held-drawn": lambda: as_drawn(data.validation[::2], 12),
        "held-made": lambda: as_photographed(data.validation, HELD_BACK, 13, True),
    }
    seen = {name: _kept(chosen.scratch / f"{name}-seen.npz", first, make) for name, make in made.items()}
    last = {name: np.asarray(value, np.float64) for name, value in first.params[-1].items()}
    held = [seen[name] for name in made if name.startswith("held")]
    before = [_accuracy(last, one) for one in held]
    print("before", np.round(before, 4), flush=True)
    units, labels = (np.concatenate(parts) for parts in zip(*(seen[n] for n in ("own", "drawn", "made")), strict=True))
    shares = np.where(np.arange(len(labels)) < len(labels) - len(seen["made"][1]), 1.0, SHARE)
    best, weight, after = last, None, before
    for strength in LAMBDAS:
        fitted = _fitted(last, (units, labels), shares / shares.sum(), strength)
        found = [_accuracy(fitted, one) for one in held]
        print(strength, np.round(found, 4), flush=True)
        if found[0] >= before[0] and found[1] >= before[1] and np.mean(found) > np.mean(after):
            best, weight, after = fitted, strength, found
    params = (*first.params[:-1], {name: value.astype(np.float32) for name, value in best.items()})
    model = fit_temperature(replace(first, params=params, temperature=None), data.validation)
    probabilities = model.probabilities(data.test.images)
    kinds = ("validation", "validation as drawn", "validation elsewhere")
    about = first.provenance | {
        "about": f"{first.provenance['about']}; then {ABOUT}",
        "accuracies": {name: model.accuracy(part) for name, part in data._asdict().items()}
        | dict(zip(kinds, after, strict=True)),
        "fitted_from": {"accuracies": first.provenance["accuracies"], **dict(zip(kinds, before, strict=True))},
        "lambda": weight,
        "test": {
            "expected_calibration_error": expected_calibration_error(probabilities, data.test.labels),
            "negative_log_likelihood": negative_log_likelihood(probabilities, data.test.labels),
        },
    }
    path = replace(model, provenance=about).save(chosen.out)
    print(json.dumps({name: about[name] for name in ("accuracies", "fitted_from", "lambda", "test")}))
    print(f"{path} ({path.stat().st_size:,} bytes)")


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


def _kept(path: Path, model: Model, make: Callable[[], Dataset]) -> Seen:
    """The inputs of the last layer for the images of a data set; computed once."""
    if not path.exists():
        data = make()
        np.savez_compressed(path, units=_units(model, data.images), labels=data.labels)
    with np.load(path) as arrays:
        return arrays["units"], arrays["labels"]


def _units(model: Model, images: np.ndarray, batch: int = 500) -> np.ndarray:
    layers, params = model.network.layers[:-1], model.params

    @jax.jit
    def last_but_one(x):
        a = model.network.as_float(x, params)
        for layer, p in zip(layers, params[:-1], strict=True):
            a = layer.apply(p, a)
        return a

    filled = np.concatenate([images, np.zeros((-len(images) % batch, *images.shape[1:]), images.dtype)])
    parts = [np.asarray(last_but_one(filled[i : i + batch])) for i in range(0, len(filled), batch)]
    return np.concatenate(parts)[: len(images)]


def _fitted(last: dict[str, np.ndarray], train: Seen, shares: np.ndarray, strength: float) -> dict[str, np.ndarray]:
    """The last layer's parameters that minimise the cost; each example counts by its share, of 1 together."""
    units, labels = train[0].astype(np.float64), train[1].astype(int)
    start = np.concatenate([last["weights"].ravel(), last["bias"]])
    inside, outside = last["weights"].shape
    rows = np.arange(len(labels))

    def cost(flat: np.ndarray) -> tuple[float, np.ndarray]:
        z = units @ flat[:-outside].reshape(inside, outside) + flat[-outside:]
        logarithms = z - np.asarray(logsumexp(z, axis=1, keepdims=True))
        delta = np.exp(logarithms)
        delta[rows, labels] -= 1
        delta *= shares[:, None]
        gradient = np.concatenate([(units.T @ delta).ravel(), delta.sum(0)])
        away = flat - start
        value = -(shares @ logarithms[rows, labels]) + strength / 2 * away @ away
        return float(value), gradient + strength * away

    found = minimize(cost, start, jac=True, method="L-BFGS-B", options={"maxiter": 60}).x
    return {"weights": found[:-outside].reshape(inside, outside), "bias": found[-outside:]}


def _accuracy(last: dict[str, np.ndarray], seen: Seen) -> float:
    return float(np.mean(np.argmax(seen[0] @ last["weights"] + last["bias"], 1) == seen[1]))


if __name__ == "__main__":
    main()
