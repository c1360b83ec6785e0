"""Several networks at once: two independent trainings as two processes, as two threads, and as one vmapped program.

Throughput is mini-batches of all members per second; `times_one` is that relative to one member on one core, paired
round by round.
"""

import os
import time
from pathlib import Path
from typing import Any

from ..summary import about, ratios, save, spread
from .contest import Failed, Worker, interleaved, prepare, workplace

__all__ = ["run"]

MEMBERS = 2


def run(folder: Path, nets: tuple[str, ...] = ("784-30-10", "conv-2"), rounds: int = 7, seconds: float = 0.5) -> None:
    """Measure, print, and write `members.json` into a folder."""
    cores = len(os.sched_getaffinity(0))
    results = about(rounds, members=MEMBERS, batch_size=10)
    if cores < MEMBERS:
        results["unavailable"] = f"{MEMBERS} cores needed, {cores} found"
        return save(folder / "members.json", results)
    with workplace() as place:
        # each process on a core of its own, and one process with the cores of both for vmap
        side_by_side = [Worker("firsthand", 1, place, first_core=i) for i in range(MEMBERS)]
        together = Worker("firsthand", MEMBERS, place)
        try:
            results["nets"] = [
                {"net": net, **_measure(side_by_side, together, place, net, rounds, seconds)} for net in nets
            ]
        finally:
            for worker in (*side_by_side, together):
                worker.close()
    save(folder / "members.json", results)


def _measure(
    side_by_side: list[Worker], together: Worker, place: Path, net: str, rounds: int, seconds: float
) -> dict[str, Any]:
    prepare(place, net, side_by_side[0])
    for worker in side_by_side:
        worker.ask("prepare", variant="train", net=net, batch_size=10, dropout=True)
        worker.seconds_per_step("train", 3)
    steps = max(3, min(int(seconds / side_by_side[0].seconds_per_step("train", 20)), 5000))
    ways: dict[str, Any] = {"one process, one core": [], f"{MEMBERS} processes, {MEMBERS} cores": []}
    inside = {f"{way} of {MEMBERS}, {MEMBERS} cores": f"{way} {MEMBERS}" for way in ("threads", "vmap")}
    failures: dict[str, Any] = {}
    for name, variant in inside.items():
        try:
            together.ask("prepare", variant=variant, net=net, batch_size=10, dropout=True)
            together.seconds_per_step(variant, 3)
            ways[name] = []
        except Failed as error:
            failures[name] = {"unavailable": str(error)}
    for _ in range(rounds):
        (one,) = interleaved([(side_by_side[0], "train", steps)], 1)[0]
        one_rate, both_rate, *_ = ways.values()
        one_rate.append(1 / one)
        time.sleep(0.05)
        for worker in side_by_side:
            worker.send("run", variant="train", steps=steps)
        # the slower of both counts: neither is faster for being alone at the end
        both_rate.append(MEMBERS / max(worker.receive("run")["seconds"] / steps for worker in side_by_side))
        for name, variant in inside.items():
            if name in ways:
                time.sleep(0.05)
                ways[name].append(MEMBERS / together.seconds_per_step(variant, steps))
    first = next(iter(ways.values()))
    found = {way: {"steps_per_second": spread(rates), "times_one": ratios(rates, first)} for way, rates in ways.items()}
    for way, entry in found.items():
        print(
            f"{net:10} {way:24}{entry['steps_per_second']['median']:10.0f} steps/s, "
            f"{entry['times_one']['median']:.2f} times one"
        )
    return {"steps": steps, "ways": found | failures}
