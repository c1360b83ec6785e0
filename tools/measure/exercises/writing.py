"""The data of the exercises' programs, the form of their results, and where these are written."""

import json
import statistics
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from firsthand.data import Splits, mnist
from firsthand.files import describe_machine, versions, write_atomically

__all__ = ["few", "measured", "write"]

ROOT = Path(__file__).parents[3]
STARTED = time.perf_counter()


def few(images: int = 10_000) -> Splits:
    """MNIST with its first training images only, so that a training takes seconds; all validation and test images."""
    splits = mnist()
    return splits._replace(train=splits.train[:images])


def measured(values: Sequence[float]) -> dict[str, Any]:
    """Mean, standard deviation and the values themselves, of n trainings or initializations."""
    found = [float(value) for value in values]
    return {
        "n": len(found),
        "mean": statistics.fmean(found),
        "standard_deviation": statistics.stdev(found) if len(found) > 1 else None,
        "values": found,
    }


def write(name: str, what: str, found: dict[str, Any]) -> None:
    """Write results/exercises/NAME.json, with machine, versions and time."""
    about = {
        "what": what,
        "command": f"python tools/measure/exercises/{name}.py",
        "measured": found,
        "seconds": time.perf_counter() - STARTED,
        "machine": describe_machine(),
        "versions": versions(),
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
    }
    folder = ROOT / "results" / "exercises"
    folder.mkdir(parents=True, exist_ok=True)
    print(write_atomically(folder / f"{name}.json", json.dumps(about, indent=1) + "\n"))
    for key, value in found.items():
        print(key, {k: round(v["mean"], 5) for k, v in value.items()} if "mean" not in value else value["mean"])
