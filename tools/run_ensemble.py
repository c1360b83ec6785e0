"""Read the test images with trained networks together, and write how many it takes to results/ensemble.json.

    python tools/run_ensemble.py runs/recipes/deep-0-3/ensemble.safetensors src/firsthand/reading/digits.safetensors

Members weigh alike, and none is left out: nothing is chosen.  Every number of members is measured on all the subsets of
that size; their spread is not that of independent repeats, because subsets share members.
"""

import argparse
import json
import statistics
from datetime import UTC, datetime
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from firsthand.data import mnist
from firsthand.files import describe_machine, versions, write_atomically
from firsthand.learning import Ensemble, Model, load_model, voted

ROOT = Path(__file__).parents[1]


def main() -> None:
    """Load, read, count, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", type=Path, nargs="+", help="files of models and of ensembles")
    parser.add_argument("--out", type=Path, default=ROOT / "results" / "ensemble.json")
    chosen = parser.parse_args()
    members: list[Model] = []
    for path in chosen.models:
        loaded = load_model(path)
        members += loaded.members if isinstance(loaded, Ensemble) else (loaded,)
    test = mnist().test
    said = Ensemble(tuple(members)).member_probabilities(test.images)  # (members, 10000, 10)
    wrong = said.argmax(axis=2) != test.labels
    results: dict[str, Any] = {
        "members": [
            {
                "about": member.provenance.get("about", ""),
                "parameters": member.parameter_count,
                "validation_accuracy": member.provenance["accuracies"]["validation"],
                "test_accuracy": float(1 - one.mean()),
            }
            for member, one in zip(members, wrong, strict=True)
        ],
        "sizes": [_of_size(size, said, test.labels) for size in range(1, len(members) + 1)],
        "misread_by_all": int(wrong.all(axis=0).sum()),
        "misread_by_any": int(wrong.any(axis=0).sum()),
        "machine": describe_machine(),
        "versions": versions(),
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
    }
    print(write_atomically(chosen.out, json.dumps(results, indent=1) + "\n"))
    print(json.dumps({name: results[name] for name in ("sizes", "misread_by_all", "misread_by_any")}, indent=1))


def _of_size(size: int, said: np.ndarray, labels: np.ndarray) -> dict[str, Any]:
    """Test accuracies of all ensembles of so many members."""
    subsets = [said[list(subset)] for subset in combinations(range(len(said)), size)]
    ways = {
        "by_mean_probability": [float(np.mean(p.mean(axis=0).argmax(axis=1) == labels)) for p in subsets],
        "by_votes": [float(np.mean(voted(p) == labels)) for p in subsets],
    }
    return {"members": size, "subsets": len(subsets)} | {
        way: {"mean": statistics.fmean(found), "min": min(found), "max": max(found)} for way, found in ways.items()
    }


if __name__ == "__main__":
    main()
