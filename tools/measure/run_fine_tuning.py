"""Fine-tune on digits of another origin, with and without rehearsal, and write what came of it to results/.

    python tools/measure/run_fine_tuning.py     three seeds; 50, 200 and 600 labelled crops: results/fine_tuning.json

The crops are scikit-learn's 1,797 digits of UCI (8x8 pixels, 13 writers), enlarged to 20x20 in the middle of 28x28.
797 of them are held out, always the same, and decide nothing; the crops to learn are drawn from the other 1,000, a
fifth of them as validation images.  Every seed starts from a network of its own, trained on MNIST by the recipe
`quick`.  The defaults of fine-tuning were chosen on MNIST's validation images and 400 of these 1,000.
"""

import argparse
import json
import statistics
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jax
import numpy as np
from PIL import Image
from sklearn.datasets import load_digits

from firsthand import kernels
from firsthand.data import Dataset, Splits, mnist
from firsthand.files import describe_machine, versions, write_atomically
from firsthand.learning import train
from firsthand.models import Model, fit_temperature
from firsthand.nn import Network
from firsthand.zoo import RECIPES, fine_tune, fine_tuning_recipe

ROOT = Path(__file__).parents[2]
SIZES, SHARES = (50, 200, 600), (0.75, 0.0)


def uci_digits() -> Dataset:
    """scikit-learn's digits as MNIST would show them, as far as their 64 pixels allow."""
    pixels, labels = load_digits(return_X_y=True)
    images = np.zeros((len(labels), 28, 28, 1), np.uint8)
    for image, small in zip(images, np.reshape(pixels, (-1, 8, 8)), strict=True):
        grey = Image.fromarray(np.rint(small * 255 / 16).astype(np.uint8))
        image[4:24, 4:24, 0] = np.asarray(grey.resize((20, 20), Image.Resampling.BICUBIC))
    return Dataset(images, labels.astype(np.int32), tuple("0123456789"))


def base_model(seed: int, scratch: Path) -> Model:
    """A network that knows MNIST; trained once, and kept."""
    file = scratch / f"base-{seed}.safetensors"
    if not file.exists():
        recipe = RECIPES["quick"]
        model, _ = train(Network(recipe.layers), mnist(), recipe.recipe, key=jax.random.key(seed))
        fit_temperature(model, mnist().validation).save(file)
    return Model.load(file)


def main() -> None:
    """Train, measure, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3, help="how many times everything is done")
    parser.add_argument("--scratch", type=Path, default=Path("runs/fine-tuning"), help="folder of the models")
    parser.add_argument("--out", type=Path, default=ROOT / "results", help="folder of the results")
    chosen = parser.parse_args()
    chosen.scratch.mkdir(parents=True, exist_ok=True)
    learnable, held_out = uci_digits().split(1000, 797, seed=0)
    runs = []
    for seed in range(chosen.seeds):
        start = base_model(seed, chosen.scratch)
        (mixed,) = learnable.split(1000, seed=seed)
        for size in SIZES:
            learned, chosen_by = mixed[:size].split(0.8, 0.2, seed=seed)
            own = Splits(learned, chosen_by, held_out)
            for share in SHARES:
                runs.append(_run(start, own, share, seed, size))
                print(json.dumps(runs[-1]), flush=True)
    results: dict[str, Any] = {
        "about": "the digits of UCI, enlarged to 28x28, learned by networks that know MNIST",
        "command": f"python tools/measure/run_fine_tuning.py --seeds {chosen.seeds}",
        "n": chosen.seeds,
        "test_images": {"own": len(held_out), "original": len(mnist().test)},
        "before": {kind: _summary([run["before"][kind] for run in runs]) for kind in ("own", "original")},
        "rows": [
            {
                "crops": size,
                "rehearsed_share": share,
                **{kind: _summary([run["after"][kind] for run in of_row]) for kind in ("own", "original")},
                "seconds": statistics.median(run["seconds"] for run in of_row),
            }
            for size in SIZES
            for share in SHARES
            if (of_row := [run for run in runs if (run["crops"], run["rehearsed_share"]) == (size, share)])
        ],
        "runs": runs,
        "settings": fine_tuning_recipe(Network(RECIPES["quick"].layers)).to_json(),
        "machine": describe_machine(),
        "versions": versions(),
        "kernels": kernels.status().active,
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
    }
    chosen.out.mkdir(parents=True, exist_ok=True)
    print(write_atomically(chosen.out / "fine_tuning.json", json.dumps(results, indent=1) + "\n"))


def _run(start: Model, own: Splits, share: float, seed: int, size: int) -> dict[str, Any]:
    started = time.perf_counter()
    model, history = fine_tune(start, own, mnist(), share=share, key=jax.random.key(seed))
    about = model.provenance["fine_tuning"]
    return {
        "seed": seed,
        "crops": size,
        "rehearsed_share": share,
        "before": {kind: score["accuracy"] for kind, score in about["before"].items()},
        "after": {kind: score["accuracy"] for kind, score in about["after"].items()},
        "best_epoch": history.best_epoch,
        "temperature": model.temperature,
        "seconds": time.perf_counter() - started,
    }


def _summary(values: list[float]) -> dict[str, float]:
    return {"mean": statistics.fmean(values), "min": min(values), "max": max(values)}


if __name__ == "__main__":
    main()
