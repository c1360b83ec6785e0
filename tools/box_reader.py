"""Put the digit reader into the package: the best of the models that tools/run_recipe.py trained, calibrated.

    python tools/run_recipe.py reader --seeds N        trains, and writes results/recipes/reader.json
    python tools/box_reader.py runs/recipes/reader-0-N/ensemble.safetensors

The best is that of the highest accuracy on the validation images, the lower cost deciding between equals; they also set
the temperature.  The test images are counted at the end, for the provenance, and choose nothing.
"""

import argparse
import json
from dataclasses import replace
from pathlib import Path

from firsthand.data import mnist
from firsthand.experiments import RECIPES
from firsthand.inspect import expected_calibration_error, negative_log_likelihood
from firsthand.learning import Ensemble, Model, fit_temperature, load_model

OUT = Path(__file__).parents[1] / "src" / "firsthand" / "reading" / "digits.safetensors"


def main() -> None:
    """Choose, calibrate, measure, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", type=Path, help="what run_recipe.py has saved: one model, or an ensemble")
    parser.add_argument("--out", type=Path, default=OUT)
    chosen = parser.parse_args()
    data = mnist()
    loaded = load_model(chosen.models)
    members = loaded.members if isinstance(loaded, Ensemble) else (loaded,)
    calibrated = [fit_temperature(member, data.validation) for member in members]
    best = max(calibrated, key=_quality)
    probabilities = best.probabilities(data.test.images)
    about = best.provenance | {
        "recipe_name": "reader",
        "about": RECIPES["reader"].about,
        "chosen_among": len(members),
        "test": {
            "accuracy": best.accuracy(data.test),
            "expected_calibration_error": expected_calibration_error(probabilities, data.test.labels),
            "negative_log_likelihood": negative_log_likelihood(probabilities, data.test.labels),
        },
    }
    path = replace(best, provenance=about).save(chosen.out)
    print(json.dumps({"accuracies": about["accuracies"], "calibration": about["calibration"], "test": about["test"]}))
    print(f"{path} ({path.stat().st_size:,} bytes)")


def _quality(model: Model) -> tuple[float, float]:
    return model.provenance["accuracies"]["validation"], -model.provenance["calibration"]["nll_after"]


if __name__ == "__main__":
    main()
