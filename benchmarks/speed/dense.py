"""Fully connected networks beside plain JAX, from one example to 512 and from layers of 10 units to 4,096.

    python -m benchmarks dense

A dense layer has three ways (kernels/dense.py): XLA's products with a step of their own; visits of what is not zero,
that step; and matrix products that step.  This is where the choice is measured.  Of plain JAX the faster of a compiled
loop and a program per step takes part, each contender with one thread and with one for each core.  On a machine with
other work the processor's time on one thread says more than the clock.
"""

import os
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from ..summary import about, ratios, save, spread
from .contest import WARM_STEPS, Worker, prepare, workplace
from .nets import FULLY_CONNECTED
from .steps import IMAGES, ready

__all__ = ["BATCH_SIZES", "run"]

BATCH_SIZES = (1, 10, 16, 32, 64, 128, 512)
PEERS = ("firsthand", "plain_jax")
# times that plain JAX at its better number of threads takes, as firsthand's
AT_LEAST, AT_LEAST_OF_TEN = 0.95, 1.2
EXAMPLES_AT_LEAST = 2000  # of a turn


def run(
    folder: Path,
    nets: Sequence[str] = tuple(FULLY_CONNECTED),
    batch_sizes: Sequence[int] = BATCH_SIZES,
    rounds: int = 7,
    seconds: float = 0.1,
    threads: Sequence[int] | None = None,
) -> None:
    """Measure, print, and write `dense.json` into a folder.

    Args:
        folder: where to.
        nets, batch_sizes: what to measure.
        rounds: how many turns each contender has.
        seconds: about how long a turn lasts.
        threads: how many each contender has, in turn; by default one, and one for each core.
    """
    threads = sorted({1, len(os.sched_getaffinity(0))}) if threads is None else threads
    results = about(rounds, threads=list(threads), warm_steps=WARM_STEPS)
    rows: list[dict[str, Any]] = []
    with workplace() as place, ExitStack() as stack:
        workers = [Worker(peer, count, place) for count in threads for peer in PEERS]
        for worker in workers:
            stack.callback(worker.close)
        for net in nets:
            prepare(place, net, workers[0])
            for batch_size in batch_sizes:
                rows.append(
                    {"net": net, "batch_size": batch_size, **_row(workers, place, net, batch_size, rounds, seconds)}
                )
                _print(rows[-1])
    results["steps"] = rows
    results["targets"] = [_target(rows, None, AT_LEAST), _target(rows, 10, AT_LEAST_OF_TEN)]
    save(folder / "dense.json", results)


def _row(workers: list[Worker], place: Path, net: str, batch_size: int, rounds: int, seconds: float) -> dict[str, Any]:
    entries = []
    for worker in workers:
        prepared = ready(worker, place, net, batch_size, seconds)
        entries.append({"peer": worker.peer, "threads": worker.threads, **prepared})
    timed = [(entry, worker) for entry, worker in zip(entries, workers, strict=True) if "variant" in entry]
    # turns long enough that what a call costs does not count, however slow a busy machine made the trials
    least = -(-EXAMPLES_AT_LEAST // batch_size)
    steps = min(IMAGES // batch_size, max(least, *(entry["steps"] for entry, _ in timed))) if timed else 0
    for entry, _ in timed:
        entry["steps"] = steps
    answers: list[list[dict[str, float]]] = [[] for _ in timed]
    for _ in range(rounds):
        for found, (entry, worker) in zip(answers, timed, strict=True):
            time.sleep(0.02)  # threads that spin after the last contender's work come to rest
            found.append(worker.ask("run", variant=entry["variant"], steps=entry["steps"]))
    for (entry, worker), found in zip(timed, answers, strict=True):
        for name in ("seconds", "processor_seconds"):
            entry[f"{name}_per_step"] = spread([answer[name] / entry["steps"] for answer in found])
        worker.ask("forget", variant=entry["variant"])
    row: dict[str, Any] = {"contenders": entries}
    best = {peer: _best([entry for entry, _ in timed if entry["peer"] == peer]) for peer in PEERS}
    if all(best.values()):
        ours, theirs = (best[peer]["seconds_per_step"]["values"] for peer in PEERS)
        row["ratio"] = ratios(theirs, ours)
    alone = {entry["peer"]: entry for entry, _ in timed if entry["threads"] == 1}
    if len(alone) == len(PEERS):
        ours, theirs = (alone[peer]["processor_seconds_per_step"]["values"] for peer in PEERS)
        row["ratio_of_processor_seconds_on_one_thread"] = ratios(theirs, ours)
    return row


def _best(entries: list[dict[str, Any]]) -> Any:
    return min(entries, key=lambda entry: entry["seconds_per_step"]["median"], default=None)


def _target(rows: list[dict[str, Any]], batch_size: int | None, target: float) -> dict[str, Any]:
    """The smallest ratio of all, or of one size of mini-batch."""
    found = [row for row in rows if "ratio" in row and batch_size in (None, row["batch_size"])]
    least = min(found, key=lambda row: row["ratio"]["median"], default=None)
    which = "" if least is None else f" ({least['net']} at {least['batch_size']})"
    what = "fully connected, " + ("any mini-batch" if batch_size is None else f"mini-batch {batch_size}")
    return {
        "what": f"{what}: plain JAX, as firsthand's, each at its better number of threads; the least{which}",
        "at_least": True,
        "target": target,
        "measured": None if least is None else least["ratio"]["median"],
    }


def _print(row: dict[str, Any]) -> None:
    shown = [f"{row['net']:18}{row['batch_size']:5}"]
    for name in ("ratio", "ratio_of_processor_seconds_on_one_thread"):
        if name in row:
            shown.append(f"{name} {row[name]['median']:.2f} ({row[name]['min']:.2f} to {row[name]['max']:.2f})")
    print("  ".join(shown), flush=True)
