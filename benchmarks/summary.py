"""Numbers of rounds, and what is said about the machine beside them."""

import json
import os
import statistics
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

__all__ = ["ROOT", "Failed", "about", "ratios", "save", "spread"]

ROOT = Path(__file__).parents[1]


class Failed(Exception):
    """A contender could not do what it was asked; the message says why, for the results."""


def spread(values: Sequence[float]) -> dict[str, Any]:
    """Every value, with median, smallest and largest."""
    return {"median": statistics.median(values), "min": min(values), "max": max(values), "values": list(values)}


def ratios(others: Sequence[float], ours: Sequence[float]) -> dict[str, Any]:
    """The ratio of the others' times to ours, paired round by round."""
    return spread([other / our for other, our in zip(others, ours, strict=True)])


def about(rounds: int, **more: Any) -> dict[str, Any]:
    """The head of every file of results: machine, versions, n, date, and how busy the machine was before."""
    from firsthand import kernels
    from firsthand.files import describe_machine, versions

    status = kernels.status()
    return {
        "machine": describe_machine(),
        "versions": versions(),
        "kernels": {"active": status.active, "instruction_set": status.instruction_set, "reason": status.reason},
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "load_average_before": round(os.getloadavg()[0], 2),
        "n": rounds,
        **more,
    }


def save(path: Path, results: dict[str, Any]) -> None:
    """Write results as JSON, whole or not at all."""
    from firsthand.files import write_atomically

    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, json.dumps(results, indent=1) + "\n")
    print(f"written: {path}")
