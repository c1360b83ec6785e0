"""The training step of the small picture networks (KSH and Inception in small), beside eager PyTorch.

    python -m benchmarks.speed.pictures [--torch PYTHON] [--rounds N]

PyTorch may live in an environment of its own, whose interpreter is named.  Each contender's outputs in use must be
firsthand's, from the same parameters; then each has its turn, round by round.  How far a step is from what a core can
do at all is said by the rate of one large matrix product.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from ..summary import ROOT, Failed, about, ratios, save, spread
from .contest import Worker
from .peers.pictures_worker import BATCH

__all__ = ["NETS", "run"]

NETS = ("ksh-small", "inception-small")
TARGET = 2.0  # times as long as firsthand at PyTorch's better number of threads
TOLERANCE = 1e-3
STEPS = {"firsthand": 12, "torch": 12}
SIDE = 1024  # of the matrices of a large product


def _lay_down(folder: Path) -> None:
    """Write what every contender reads: images, order, descriptions, parameters, and firsthand's answers."""
    import jax

    from firsthand import mnist, nn
    from firsthand.models.file import flatten
    from firsthand.zoo import RECIPES

    train = mnist().train[:5_000]  # of the size of the clothes; how long a step takes does not depend on what is shown
    np.save(folder / "images.npy", train.images)
    np.save(folder / "labels.npy", train.labels.astype(np.int32))
    np.save(folder / "order.npy", np.random.default_rng(0).permutation(len(train)).astype(np.int32))
    for net in NETS:
        network = RECIPES[net].network(train)
        params = network.init(key=jax.random.key(0))
        arrays: dict[str, Any] = dict(flatten(jax.device_get(params)))
        np.savez(folder / f"{net}.npz", **arrays)
        (folder / f"{net}.json").write_text(json.dumps(nn.to_json(network)["layers"]))
        np.save(folder / f"{net}-outputs.npy", np.asarray(network.weighted_input(params, train.images[:100])))


def run(folder: Path, python: str = sys.executable, rounds: int = 7) -> None:
    """Measure, print, and write `pictures.json` into a folder.

    Args:
        folder: where to.
        python: interpreter that has PyTorch.
        rounds: how many turns each contender has.
    """
    available = sorted(os.sched_getaffinity(0))
    results: dict[str, Any] = about(rounds, batch_size=BATCH, tolerance=TOLERANCE, steps_in_a_turn=STEPS)
    version = "import torch; print(torch.__version__)"
    results["versions"]["torch"] = subprocess.check_output([python, "-c", version], text=True).strip()
    results["nets"] = {}
    with tempfile.TemporaryDirectory(prefix="firsthand-bench-") as name:
        place = Path(name)
        _lay_down(place)
        counts = sorted({1, min(2, len(available))})
        interpreters = {"firsthand": sys.executable, "torch": python}
        pairs = [(who, count) for who in interpreters for count in counts]
        workers = [
            Worker(who, count, place, python=interpreters[who], module="pictures_worker") for who, count in pairs
        ]
        try:
            for net in NETS:
                results["nets"][net] = _contest(workers, net, rounds)
        finally:
            for worker in workers:
                worker.close()
    save(folder / "pictures.json", results)


def _contest(workers: list[Worker], net: str, rounds: int) -> dict[str, Any]:
    from firsthand import mnist
    from firsthand.zoo import RECIPES

    seconds: list[list[float]] = [[] for _ in workers]
    for worker in workers:
        apart = worker.ask("prepare", net=net)["apart"]
        if not apart <= TOLERANCE:
            raise Failed(f"{worker.peer}, {net}: its outputs are {apart:.1e} away from firsthand's")
        worker.ask("run", net=net, steps=3)  # compiles, and warms what is cached
    for _ in range(rounds):
        for values, worker in zip(seconds, workers, strict=True):
            steps = STEPS[worker.peer]
            values.append(worker.ask("run", net=net, steps=steps)["seconds"] / steps)
    # forward, and the gradients of weights and of inputs: three products, a multiplication and an addition each
    operations = 6 * BATCH * sum(RECIPES[net].network(mnist().train).multiply_adds)
    found = {
        f"{worker.peer}, {worker.threads} threads": {
            "seconds_per_step": spread(values),
            "gigaflops": 1e-9 * operations / statistics.median(values),
            "gigaflops_of_a_large_product": 2e-9 * SIDE**3 / worker.ask("product", net=net, size=SIDE)["seconds"],
            "ratio_to_firsthand_on_one_core": ratios(values, seconds[0]),
        }
        for worker, values in zip(workers, seconds, strict=True)
    }
    for who, entry in found.items():
        print(
            f"{net}: {who}: {1e3 * entry['seconds_per_step']['median']:.1f} ms per step, "
            f"{entry['ratio_to_firsthand_on_one_core']['median']:.2f}; {entry['gigaflops']:.0f} gigaflops, "
            f"{entry['gigaflops_of_a_large_product']:.0f} of a large product",
            flush=True,
        )
    best = {who: min(e["seconds_per_step"]["median"] for n, e in found.items() if n.startswith(who)) for who in STEPS}
    return {
        "contenders": found,
        "target": TARGET,
        "torch_over_firsthand_both_at_their_better": best["torch"] / best["firsthand"],
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed.pictures", description=__doc__)
    parser.add_argument("--torch", default=sys.executable, help="interpreter that has PyTorch")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--out", type=Path, default=ROOT / "results" / "benchmarks")
    chosen = parser.parse_args()
    run(chosen.out, chosen.torch, chosen.rounds)
