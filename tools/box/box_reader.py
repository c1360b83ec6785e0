"""Put the digit reader into the package: trained by tools/measure/run_recipe.py, then on pages, and calibrated.

    python tools/measure/run_recipe.py deep --seeds 3        trains, and writes results/recipes/deep.json
    python tools/box/box_reader.py runs/recipes/deep-0-3/ensemble.safetensors

Of several models that of the highest accuracy on the validation images is taken, or the one that `--member` says, for
tools/measure/run_ensemble.py.  It is trained on with two images of every training digit: MNIST's own, and one that was
drawn as ink, blurred, made noisy, and normalised again, as digits from photos are.  Validation images in both forms
choose the epoch, MNIST's own set the temperature.  The test images are counted at the end, for the provenance, and
choose nothing.
"""

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path

import jax
import numpy as np
from PIL import Image
from scipy import ndimage

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from benchmarks.quality.pages import glyph  # noqa: E402
from firsthand.data import Dataset, Splits, mnist  # noqa: E402
from firsthand.inspect import expected_calibration_error, negative_log_likelihood  # noqa: E402
from firsthand.learning import Progress, train  # noqa: E402
from firsthand.models import Ensemble, fit_temperature, load_model  # noqa: E402
from firsthand.reading.normalise import as_mnist  # noqa: E402
from firsthand.reading.segment import HEIGHT  # noqa: E402
from firsthand.zoo import DEEP, PAGE_READER  # noqa: E402

OUT = ROOT / "src" / "firsthand" / "reading" / "digits.safetensors"
HEIGHTS, BLUR, NOISE = (22.0, 60.0), (0.3, 1.6), (0.0, 0.12)  # pixels, pixels, share of the ink


def main() -> None:
    """Choose, train on, calibrate, measure, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", type=Path, help="what run_recipe.py has saved: one model, or an ensemble")
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--member", type=int, help="which of several models, from 0, and the seed of its training")
    parser.add_argument("--checkpoint", type=Path, default=Path("runs/page-reader.checkpoint"))
    chosen = parser.parse_args()
    data = mnist()
    loaded = load_model(chosen.models)
    members = loaded.members if isinstance(loaded, Ensemble) else (loaded,)
    best = max(members, key=lambda member: member.provenance["accuracies"]["validation"])
    first = best if chosen.member is None else members[chosen.member]
    drawn = as_drawn(data.validation, 1)
    print(f"drawn: {first.accuracy(drawn):.4f} of the validation images are read right", flush=True)
    both = Splits(data.train + as_drawn(data.train, 0), data.validation + drawn, None)
    chosen.checkpoint.parent.mkdir(parents=True, exist_ok=True)
    trained, history = train(
        first.network,
        both,
        PAGE_READER.recipe,
        key=jax.random.key(chosen.member or 0),
        params=first.params,
        progress=say,
        checkpoint=chosen.checkpoint,
        resume=chosen.checkpoint.exists(),
    )
    model = fit_temperature(trained, data.validation)
    probabilities = model.probabilities(data.test.images)
    accuracies = {name: model.accuracy(part) for name, part in data._asdict().items()}
    about = model.provenance | {
        "about": f"{DEEP.about}; then {PAGE_READER.about}",
        "accuracies": {**accuracies, "validation as drawn": model.accuracy(drawn)},
        "started_from": first.provenance,
        "chosen_among": len(members) if chosen.member is None else 1,
        "best_epoch": history.best_epoch,
        "test": {
            "expected_calibration_error": expected_calibration_error(probabilities, data.test.labels),
            "negative_log_likelihood": negative_log_likelihood(probabilities, data.test.labels),
        },
    }
    path = replace(model, provenance=about).save(chosen.out)
    print(json.dumps({name: about[name] for name in ("accuracies", "calibration", "test")}))
    print(f"{path} ({path.stat().st_size:,} bytes)")


def as_drawn(data: Dataset, seed: int) -> Dataset:
    """Every digit of a data set drawn as ink of another size, blurred, made noisy, and normalised again."""
    rng = np.random.default_rng(seed)
    images = np.stack([_drawn(image[..., 0], rng) for image in data.images])[..., None]
    return Dataset(images, data.labels, data.classes)


def _drawn(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    height = rng.uniform(*HEIGHTS)
    seen = photographed(glyph(image, height), height, rng)
    return image if seen is None else seen


def photographed(ink: np.ndarray, height: float, rng: np.random.Generator) -> np.ndarray | None:
    """Ink of a digit of some height blurred, made noisy and normalised: uint8 (28, 28); None where nothing is left."""
    ink = ndimage.gaussian_filter(np.pad(ink, 6), rng.uniform(*BLUR))
    ink = ink / max(float(np.percentile(ink[ink > 0.3], 50)), 0.3) if (ink > 0.3).any() else ink
    ink = ink + rng.normal(0, rng.uniform(*NOISE), ink.shape)
    high, wide = (max(1, round(side * HEIGHT / height)) for side in ink.shape)
    resized = Image.fromarray(ink.astype(np.float32)).resize((wide, high), Image.Resampling.BICUBIC)
    ink = np.asarray(resized).clip(0, 1)
    ink = np.where(ndimage.gaussian_filter(ink, 1.0) > 0.2, ink, 0)
    rows, columns = np.flatnonzero(ink.max(1) > 0.3), np.flatnonzero(ink.max(0) > 0.3)
    if not len(rows):
        return None
    window = ink[max(0, rows[0] - 1) : rows[-1] + 2, max(0, columns[0] - 1) : columns[-1] + 2]
    return as_mnist(np.ascontiguousarray(window))


def say(at: Progress, score: str = "validation_accuracy") -> None:
    """Print an epoch that has ended: its cost and its validation score."""
    if at.record is not None:
        print(f"epoch {at.epoch}/{at.epochs} {at.batch_cost:.4f} {at.record[score]:.4f}", flush=True)


if __name__ == "__main__":
    main()
