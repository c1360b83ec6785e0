"""The training step: firsthand beside its peers, on the same networks, weights, data, order and precision.

A step is all of it: gather of the mini-batch, forward, backward, update.  Each contender is first made to agree with
firsthand number by number (without dropout); one that does not is recorded, and not timed.  Of the ways in which a
framework can be used the fastest is found by a short trial, and that one runs in the rounds.
"""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from ..summary import about, ratios, save, spread
from .contest import ROOT, WARM_STEPS, Failed, Worker, disagreement, interleaved, prepare, workplace
from .nets import KNOWN, NETS
from .peers import ABOUT, PEERS, VARIANTS

__all__ = ["BATCH_SIZES", "TARGETS", "best", "measure", "ready", "run", "verdicts"]

BATCH_SIZES = (10, 128)
AGREEMENT_STEPS = 20
# single precision: where all is well the distance is about 3e-6, until a maximum or a ReLU that is nearly tied falls
# differently, which moves the smallest array by about 1e-2; whoever computes something else is much further away
TOLERANCE = 2e-2
IMAGES = 50_000

# (network, mini-batch, peer, how many times as long it should take as firsthand on one core)
TARGETS = (
    ("conv-2", 10, "torch_eager", 4.0),
    ("conv-2", 10, "torch_compile", 3.5),
    ("dropout", 10, "torch_eager", 3.0),
    ("784-30-10", 10, "torch_eager", 5.0),
    ("conv-2", 128, "torch_eager", 2.0),
)


def run(
    folder: Path,
    nets: Sequence[str] = tuple(NETS),
    batch_sizes: Sequence[int] = BATCH_SIZES,
    peers: Sequence[str] = PEERS,
    rounds: int = 7,
    seconds: float = 0.4,
    name: str = "steps",
    judge: Callable[[list[dict[str, Any]]], list[dict[str, Any]]] | None = None,
) -> None:
    """Measure, print, and write `steps.json` into a folder.

    Args:
        folder: where to.
        nets, batch_sizes, peers: what to measure; firsthand always takes part.
        rounds: how many turns each contender has.
        seconds: about how long a turn lasts.
        name: of the file.
        judge: takes what was measured and returns the targets; by default `verdicts`.
    """
    import os

    cores = len(os.sched_getaffinity(0))
    threads = (1, cores) if cores > 1 else (1,)
    others = [peer for peer in peers if peer != "firsthand"]
    results = about(
        rounds,
        threads=threads,
        warm_steps=WARM_STEPS,
        peers={peer: ABOUT.get(peer, {}) | {"variants": {v.name: v.about for v in VARIANTS[peer]}} for peer in PEERS},
        tolerance=TOLERANCE,
    )
    with workplace() as place, ExitStack() as stack:
        workers = []
        for peer in ("firsthand", *others):
            for count in threads:
                workers.append(Worker(peer, count, place))
                stack.callback(workers[-1].close)
        results["peer_versions"] = _versions(workers)
        results["steps"] = []
        for net in nets:
            prepare(place, net, workers[0])
            for batch_size in batch_sizes:
                found = measure(workers, place, net, batch_size, rounds, seconds)
                results["steps"].append({"net": net, "batch_size": batch_size, "contenders": found})
                _print(net, batch_size, found)
    results["targets"] = (judge or verdicts)(results["steps"])
    save(folder / f"{name}.json", results)


def _versions(workers: list[Worker]) -> dict[str, Any]:
    found = {}
    for worker in workers:
        try:
            found |= worker.ask("versions")
        except Failed as error:
            found[worker.peer] = str(error)
    return found


def measure(
    workers: list[Worker], place: Path, net: str, batch_size: int, rounds: int, seconds: float
) -> list[dict[str, Any]]:
    """All contenders on one network and mini-batch size, firsthand on one core first."""
    found, turns = [], []
    for worker in workers:
        entry = {"peer": worker.peer, "threads": worker.threads, **ready(worker, place, net, batch_size, seconds)}
        found.append(entry)
        if "variant" in entry:
            turns.append((worker, entry["variant"], entry["steps"]))
    runners = [entry for entry in found if "variant" in entry]
    for entry, values in zip(runners, interleaved(turns, rounds), strict=True):
        entry["seconds_per_step"] = spread(values)
        entry["ratio_to_firsthand_on_one_core"] = ratios(values, runners[0]["seconds_per_step"]["values"])
    for worker, variant, _ in turns:
        worker.ask("forget", variant=variant)
    return found


def ready(worker: Worker, place: Path, net: str, batch_size: int, seconds: float) -> dict[str, Any]:
    """Prepare a contender's variants, have them agree, and keep the fastest."""
    tried: dict[str, Any] = {}
    best, chosen = None, 0
    for variant in VARIANTS[worker.peer]:
        if not variant.fits(KNOWN[net]):
            continue
        try:
            apart = disagreement(worker, variant.name, place, net, batch_size, AGREEMENT_STEPS)
            if not apart <= TOLERANCE:
                raise Failed(f"its parameters are {apart:.1e} away from firsthand's after {AGREEMENT_STEPS} steps")
            if KNOWN[net] != KNOWN[net].without_dropout():
                worker.ask("prepare", variant=variant.name, net=net, batch_size=batch_size, dropout=True)
            worker.seconds_per_step(variant.name, 3)
            trial = worker.seconds_per_step(variant.name, 10)
            steps = max(3, min(int(seconds / trial), IMAGES // batch_size))
            trial = worker.seconds_per_step(variant.name, steps)
        except Failed as error:
            tried[variant.name] = {"unavailable": str(error)}
            continue
        tried[variant.name] = {"disagreement": apart, "trial_seconds_per_step": trial}
        loser = variant.name
        if best is None or trial < tried[best]["trial_seconds_per_step"]:
            best, loser, chosen = variant.name, best, max(3, min(int(seconds / trial), IMAGES // batch_size))
        if loser:
            worker.ask("forget", variant=loser)
    if best is None:
        return {"unavailable": "this network is not one of its kind" if not tried else "see tried", "tried": tried}
    return {"variant": best, "steps": chosen, "tried": tried}


def best(found: list[dict[str, Any]], peer: str) -> dict[str, Any] | None:
    """A peer's contender with the better number of threads."""
    timed = [entry for entry in found if entry["peer"] == peer and "seconds_per_step" in entry]
    return min(timed, key=lambda entry: entry["seconds_per_step"]["median"], default=None)


def verdicts(steps: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Compare the measured with the targets, and say whether it is enough."""
    found = []
    for net, batch_size, peer, target in TARGETS:
        for entry in steps:
            if (entry["net"], entry["batch_size"]) == (net, batch_size):
                rival = best(entry["contenders"], peer)
                measured = rival and rival["ratio_to_firsthand_on_one_core"]["median"]
                name = f"{net}, mini-batch {batch_size}: {peer} at its better thread count / firsthand on one core"
                found.append({"what": name, "target": target, "at_least": True, "measured": measured})
    return found


def _print(net: str, batch_size: int, found: list[dict[str, Any]]) -> None:
    print(f"\n{net}, mini-batch {batch_size}: ms per step (smallest to largest), times firsthand on one core")
    for entry in found:
        who = f"  {entry['peer']:14}{entry['threads']} thread{'s' * (entry['threads'] > 1):1}  "
        if "seconds_per_step" not in entry:
            reasons = {t["unavailable"] for t in entry["tried"].values()} or {entry["unavailable"]}
            print(who + "not timed: " + "; ".join(sorted(reasons)))
            continue
        ms = {name: 1e3 * entry["seconds_per_step"][name] for name in ("median", "min", "max")}
        ratio = entry["ratio_to_firsthand_on_one_core"]["median"]
        range_ = f"({ms['min']:.3f} to {ms['max']:.3f})"
        print(f"{who}{ms['median']:9.3f} {range_:24}{ratio:7.2f}   {entry['variant']}", flush=True)


if __name__ == "__main__":
    run(ROOT / "results" / "benchmarks")
