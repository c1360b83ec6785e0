r"""Read the test images with trained networks together, and write how many it takes to results/ensemble.json.

    python tools/measure/run_ensemble.py runs/recipes/deep-0-3/ensemble.safetensors \
        src/firsthand/reading/digits.safetensors runs/page-readers/*.safetensors

The last are those networks trained on for pages by `tools/box/box_reader.py ... --member 0 --out FILE`, and so on.

Members weigh alike, and none is left out: nothing is chosen.  Every number of members is measured on all the subsets of
that size; their spread is not that of independent repeats, because subsets share members.  Each is also asked seven
times, about the image and about six that are turned, slanted and scaled (firsthand.reading.looks), and says the mean of
its probabilities; the cost on the validation images is written beside, of single members in the mean and of all
together, for it says which way to choose.
"""

import argparse
import json
import statistics
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from firsthand.data import mnist
from firsthand.files import describe_machine, versions, write_atomically
from firsthand.inspect import negative_log_likelihood
from firsthand.models import Ensemble, Model, load_model, voted
from firsthand.reading.looks import looks

ROOT = Path(__file__).parents[2]


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
    data = mnist()
    judged = {part: _said(members, getattr(data, part).images) for part in ("validation", "test")}
    ways = _ways(judged["test"], data.test.labels)
    trained_on = ["started_from" in member.provenance for member in members]
    groups = {
        "deep": [i for i, so in enumerate(trained_on) if not so],
        "for_pages": [i for i, so in enumerate(trained_on) if so],
    }
    labels = data.validation.labels
    wrong = judged["test"][0].argmax(axis=2) != data.test.labels
    results: dict[str, Any] = {
        "members": [
            {
                "about": member.provenance.get("about", ""),
                "parameters": member.parameter_count,
                "validation_accuracy": member.provenance["accuracies"]["validation"],
            }
            | {way: count([number]) for way, count in ways.items() if way != "by_votes"}
            for number, member in enumerate(members)
        ],
        "sizes": [_of_size(size, len(members), ways) for size in range(1, len(members) + 1)],
        "alone": {
            name: {"n": len(some)}
            | {way: _spread([ways[way]([i]) for i in some]) for way in ("by_mean_probability", "of_seven_looks")}
            for name, some in groups.items()
            if some
        },
        "validation_cost": {
            name: {
                "alone": statistics.fmean(negative_log_likelihood(one, labels) for one in said),
                "together": negative_log_likelihood(said.mean(axis=0), labels),
            }
            for name, said in zip(("one_look", "seven_looks"), judged["validation"], strict=True)
        },
        "misread_by_all": int(wrong.all(axis=0).sum()),
        "misread_by_any": int(wrong.any(axis=0).sum()),
        "machine": describe_machine(),
        "versions": versions(),
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
    }
    print(write_atomically(chosen.out, json.dumps(results, indent=1) + "\n"))
    print(json.dumps(results, indent=1))


def _said(members: list[Model], images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities of every member, (members, n, classes): of the images, and the mean of seven looks at each."""
    seen = looks(images[..., 0])[..., None]  # (n, 7, 28, 28, 1)
    parts = [slice(start, start + 500) for start in range(0, len(images), 500)]
    one, seven = [], []
    for number, member in enumerate(members):
        said = [member.probabilities(seen[part].reshape(-1, *images.shape[1:])) for part in parts]
        each = np.concatenate(said).reshape(*seen.shape[:2], -1)  # (n, 7, classes)
        one.append(each[:, 0])
        seven.append(each.mean(axis=1))
        print(f"member {number + 1} of {len(members)}", flush=True)
    return np.stack(one), np.stack(seven)


def _ways(said: tuple[np.ndarray, np.ndarray], labels: np.ndarray) -> dict[str, Callable[[list[int]], float]]:
    """Ways of reading together: the accuracy of some of the members."""
    one, seven = said
    return {
        "by_mean_probability": lambda some: float(np.mean(one[some].mean(axis=0).argmax(axis=1) == labels)),
        "by_votes": lambda some: float(np.mean(voted(one[some]) == labels)),
        "of_seven_looks": lambda some: float(np.mean(seven[some].mean(axis=0).argmax(axis=1) == labels)),
    }


def _of_size(size: int, members: int, ways: dict[str, Callable[[list[int]], float]]) -> dict[str, Any]:
    """Test accuracies of all ensembles of `size` members."""
    subsets = [list(subset) for subset in combinations(range(members), size)]
    found = {way: [count(subset) for subset in subsets] for way, count in ways.items()}
    return {"members": size, "subsets": len(subsets)} | {way: _spread(values) for way, values in found.items()}


def _spread(values: list[float]) -> dict[str, float]:
    return {"mean": statistics.fmean(values), "min": min(values), "max": max(values)}


if __name__ == "__main__":
    main()
