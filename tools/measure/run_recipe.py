"""Train a named recipe several times and write what came of it to results/recipes/NAME.json.

    python tools/measure/run_recipe.py NAME --seeds 3            trainings side by side, one per core
    python tools/measure/run_recipe.py NAME --seeds 5 --first 3  with seeds 3 to 7

A run that was stopped goes on where it was: checkpoints are kept in --scratch until the results are written.  Test
images decide nothing: every training ends with the parameters of its epoch of best validation accuracy.
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

from firsthand import kernels
from firsthand.data import Splits, augment, mnist
from firsthand.files import describe_machine, versions, write_atomically
from firsthand.learning import Progress, plan, train_members
from firsthand.models import Ensemble
from firsthand.nn import Network
from firsthand.zoo import RECIPES

ROOT = Path(__file__).parents[2]


def main() -> None:
    """Train, measure, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=RECIPES)
    parser.add_argument("--seeds", type=int, default=3, help="how many trainings")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument(
        "--scratch", type=Path, default=Path("runs/recipes"), help="folder of the checkpoints and models"
    )
    parser.add_argument("--out", type=Path, default=ROOT / "results" / "recipes", help="folder of the results")
    chosen = parser.parse_args()
    recipe = RECIPES[chosen.name]
    data = mnist()
    if recipe.expanded:
        data = Splits(augment.expanded(data.train), data.validation, data.test)
    network = Network(recipe.layers)
    seeds = list(range(chosen.first, chosen.first + chosen.seeds))
    place = chosen.scratch / f"{recipe.name}-{seeds[0]}-{len(seeds)}"
    place.mkdir(parents=True, exist_ok=True)
    print(plan(len(seeds)), flush=True)
    started = time.perf_counter()
    trainings = train_members(
        network,
        data,
        recipe.recipe,
        keys=[jax.random.key(seed) for seed in seeds],
        progress=_say,
        checkpoint=place / "checkpoint",
        resume=True,
    )
    wall = time.perf_counter() - started
    ensemble = Ensemble(tuple(training.model for training in trainings))
    runs = [
        {
            "seed": seed,
            "test_accuracy": model.provenance["accuracies"]["test"],
            "validation_accuracy": model.provenance["accuracies"]["validation"],
            "best_epoch": history.best_epoch,
            "epochs": len(history),
            # of its own steps and evaluations, while the others ran beside it
            "seconds": float(np.sum(history["seconds"]) + np.sum(history["evaluation_seconds"])),
            "stopped": history.stopped,
        }
        for seed, (model, history) in zip(seeds, trainings, strict=True)
    ]
    accuracies = [run["test_accuracy"] for run in runs]
    results: dict[str, Any] = {
        "recipe": recipe.name,
        "about": recipe.about,
        "command": f"python tools/measure/run_recipe.py {recipe.name} --seeds {len(seeds)} --first {seeds[0]}",
        "parameters": network.parameter_count,
        "n": len(runs),
        "test_accuracy": {
            "mean": statistics.fmean(accuracies),
            "standard_deviation": statistics.stdev(accuracies) if len(accuracies) > 1 else None,
            "min": min(accuracies),
            "max": max(accuracies),
        },
        "together": {
            "members": len(runs),
            "test_accuracy_by_mean_probability": ensemble.accuracy(data.test),
            "test_accuracy_by_votes": float(np.mean(ensemble.vote(data.test.images) == data.test.labels)),
        },
        "at_once": plan(len(seeds)).at_once,
        "seconds_of_this_run": wall,
        "runs": runs,
        "settings": recipe.recipe.to_json(),
        "machine": describe_machine(),
        "versions": versions(),
        "kernels": kernels.status().active,
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
    }
    chosen.out.mkdir(parents=True, exist_ok=True)
    ensemble.save(place / "ensemble.safetensors")
    print(write_atomically(chosen.out / f"{recipe.name}.json", json.dumps(results, indent=1) + "\n"))
    print(json.dumps({name: results[name] for name in ("n", "test_accuracy", "together")}, indent=1))


def _say(at: Progress) -> None:
    if at.record is not None:
        accuracy = at.record.get("validation_accuracy", float("nan"))
        print(
            f"{at.member} epoch {at.epoch}/{at.epochs} {at.seconds:.0f} s {at.batch_cost:.4f} {accuracy:.4f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
