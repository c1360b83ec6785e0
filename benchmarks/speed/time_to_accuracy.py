"""The time from the start of a process until its network reads 99.0 % of the test images and the process ends.

The digit reader's recipe in firsthand, as `firsthand train` runs it, against the same recipe in eager PyTorch with the
memory format and thread count that are fastest here.  Starting Python, importing, reading the images and compiling
count.  PyTorch is given its images as plain arrays and its initial parameters in a file, which saves it some work.
Here, and only here, the test images decide when to stop: the time is what is asked about.

    python -m benchmarks.speed.time_to_accuracy SEED TARGET     is what the firsthand process runs
"""

import contextlib
import dataclasses
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from ..summary import about, ratios, save, spread
from .contest import ROOT, Failed, Worker, environment, initial, prepare, workplace
from .nets import NETS, save_params
from .peers import VARIANTS

__all__ = ["run"]

NET = "conv-2"
ACCURACY = 0.99


def run(folder: Path, rounds: int = 3, accuracy: float = ACCURACY) -> None:
    """Measure, print, and write `time_to_accuracy.json` into a folder; round r has seed r."""
    import os

    from firsthand.zoo import DIGIT_READER

    from .peers.firsthand import network

    recipe = DIGIT_READER.recipe
    results = about(rounds, test_accuracy_wanted=accuracy, recipe=recipe.to_json())
    if DIGIT_READER.layers != network(NETS[NET]).layers:
        raise Failed(f"the digit reader's network is no longer {NET}: rewrite the recipe of benchmarks.speed.peers")
    with workplace() as place:
        _add_test_images(place)
        plan = {
            "net": NET,
            "batch_size": recipe.batch_size,
            "learning_rates": [recipe.learning_rate_at(epoch) for epoch in range(recipe.epochs)],
            "l2": recipe.l2,
            "target": accuracy,
        }
        try:
            plan |= _fastest_torch(place, len(os.sched_getaffinity(0)))
        except Failed as error:
            results["torch_unavailable"] = str(error)
        found: dict[str, list[dict[str, Any]]] = {"firsthand": []}
        if "threads" in plan:
            results["torch"] = {name: plan[name] for name in ("variant", "threads")}
            found["torch_eager"] = []
        for seed in range(rounds):
            found["firsthand"].append(
                _time("firsthand", ["benchmarks.speed.time_to_accuracy", str(seed), str(accuracy)], None)
            )
            if "torch_eager" in found:
                (place / "recipe.json").write_text(json.dumps({**plan, "seed": seed}))
                save_params(place / f"{NET}.npz", initial(NET, seed))
                command = ["benchmarks.speed.peers.torch_recipe", str(place)]
                found["torch_eager"].append(_time("torch_eager", command, plan["threads"]))
    for name, runs in found.items():
        seconds = [one["seconds"] for one in runs]
        reached = all(one["test_accuracy"] >= accuracy for one in runs)
        results[name] = (results.get(name) or {}) | {"seconds": spread(seconds), "all_reached": reached, "runs": runs}
    if "torch_eager" in found:
        pairs = (results[name]["seconds"]["values"] for name in ("torch_eager", "firsthand"))
        results["ratio"] = ratios(*pairs)
    save(folder / "time_to_accuracy.json", results)


def _add_test_images(place: Path) -> None:
    from firsthand.data import mnist

    np.save(place / "test_images.npy", mnist().test.images)
    np.save(place / "test_labels.npy", mnist().test.labels)


def _fastest_torch(place: Path, cores: int) -> dict[str, Any]:
    """The memory format and number of threads with which eager PyTorch is fastest on this network, here and now."""
    tried = []
    for threads in {1, cores}:
        worker = Worker("torch_eager", threads, place)
        try:
            prepare(place, NET, worker, steps=0)
            for variant in VARIANTS["torch_eager"]:
                worker.ask("prepare", variant=variant.name, net=NET, batch_size=10, dropout=True)
                seconds = min(worker.seconds_per_step(variant.name, 150) for _ in range(3))
                tried.append((seconds, {"threads": threads, "variant": variant.name}))
        finally:
            worker.close()
    return min(tried, key=lambda pair: pair[0])[1]


def _time(name: str, command: list[str], threads: int | None) -> dict[str, Any]:
    env = None if threads is None else environment(name, threads)
    started = time.perf_counter()
    ended = subprocess.run([sys.executable, "-m", *command], cwd=ROOT, env=env, capture_output=True, text=True)
    seconds = time.perf_counter() - started
    if ended.returncode:
        raise Failed(f"{name}: {ended.stderr.strip().splitlines()[-1]}")
    found = {"seconds": seconds, **json.loads(ended.stdout.splitlines()[-1])}
    print(
        f"{name:12} {seconds:7.1f} s, {found['epochs']} epochs, test accuracy {found['test_accuracy']:.2%}", flush=True
    )
    return found


class _Reached(Exception):
    pass


def train_firsthand(seed: int, accuracy: float) -> None:
    """Train by the recipe until the test accuracy is met or the recipe ends, and print one JSON line."""
    import jax

    from firsthand import Network, mnist, train
    from firsthand.zoo import DIGIT_READER

    records: list[dict[str, float]] = []

    def watch(progress: Any) -> None:
        if progress.record is not None:
            records.append(progress.record)
            if progress.record["test_accuracy"] >= accuracy:
                raise _Reached

    recipe = dataclasses.replace(DIGIT_READER.recipe, monitor=("test_accuracy",))
    with contextlib.suppress(_Reached):
        train(Network(DIGIT_READER.layers), mnist(), recipe, key=jax.random.key(seed), progress=watch)
    last, seconds = records[-1], [record["seconds"] for record in records]
    print(json.dumps({"test_accuracy": last["test_accuracy"], "epochs": len(records), "seconds_per_epoch": seconds}))


if __name__ == "__main__":
    train_firsthand(int(sys.argv[1]), float(sys.argv[2]))
