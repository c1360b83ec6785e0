"""Time from the start of a process until its network needs 2.2 bit for a character of Shakespeare, and it ends.

The recipe `shakespeare` in firsthand, as `firsthand train` runs it, against the same network and recipe in PyTorch with
the layout and number of threads that are fastest here.  Both begin with the same parameters, take mini-batches in an
order of their own at the same rates, and measure the validation text after every epoch, in the same pieces.  Starting
Python, importing, reading the text and compiling count.  PyTorch is given its text as arrays of numbers, which saves it
some work; it may be in an environment of its own: FIRSTHAND_BENCH_TORCH is then the path of its Python.

    python -m benchmarks time-to-bits                    measures; on a busy machine, see processor_seconds
    python -m benchmarks.speed.time_to_bits SEED BITS [EXAMPLES]    is what the firsthand process runs
"""

import contextlib
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ..summary import about, ratios, save, spread
from .contest import ROOT, Failed, Worker, environment
from .language import VARIANTS, lay_down

__all__ = ["BITS", "run"]

BITS = 2.2
TARGET = 1.8  # times as long as firsthand
TRIAL = 5  # steps


def run(
    folder: Path,
    rounds: int = 3,
    bits: float = BITS,
    examples: int | None = None,
    threads: Sequence[int] | None = None,
) -> None:
    """Measure, print, and write `time_to_bits.json` into a folder; round r has seed r.

    Args:
        folder: where to.
        rounds: trainings of each.
        bits: per character of the validation text, at which a training ends.
        examples: how many sequences of each part, to try the program; None takes all.
        threads: of which PyTorch takes the fastest number; by default one, and one for each core.
    """
    from firsthand.zoo import SHAKESPEARE

    cores = len(os.sched_getaffinity(0))
    results = about(rounds, bits_wanted=bits, examples=examples, cores=cores, recipe=SHAKESPEARE.recipe.to_json())
    found: dict[str, list[dict[str, Any]]] = {"firsthand": []}
    python = os.environ.get("FIRSTHAND_BENCH_TORCH", sys.executable)
    with TemporaryDirectory(prefix="firsthand-bench-") as name:
        place = Path(name)
        lay_down(place, examples=examples)
        plan: dict[str, Any] = {"bits": bits}
        try:
            plan |= _fastest_torch(place, python, sorted({1, cores}) if threads is None else threads)
            results["torch"] = dict(plan)
            found["torch"] = []
        except Failed as error:
            results["torch_unavailable"] = str(error)
        for seed in range(rounds):
            command = [sys.executable, "-m", "benchmarks.speed.time_to_bits", str(seed), str(bits)]
            command += [] if examples is None else [str(examples)]
            found["firsthand"].append(_time("firsthand", command, None))
            if "torch" in found:
                lay_down(place, seed, examples)
                (place / "recipe.json").write_text(json.dumps({**plan, "seed": seed}))
                command = [python, "-m", "benchmarks.speed.peers.torch_language_recipe", str(place)]
                found["torch"].append(_time("torch", command, plan["threads"]))
    for name, runs in found.items():
        results[name] = (results.get(name) or {}) | {
            "seconds": spread([one["seconds"] for one in runs]),
            "processor_seconds": spread([one["processor_seconds"] for one in runs]),
            "all_reached": all(one["bits"] <= bits for one in runs),
            "runs": runs,
        }
    measured = None
    if "torch" in found:
        for what in ("seconds", "processor_seconds"):
            results[f"ratio_of_{what}"] = ratios(*(results[name][what]["values"] for name in ("torch", "firsthand")))
        measured = results["ratio_of_seconds"]["median"]
    what = f"PyTorch's time to {bits:g} bit per character, as firsthand's (language model)"
    results["targets"] = [{"what": what, "at_least": True, "target": TARGET, "measured": measured}]
    save(folder / "time_to_bits.json", results)


def _fastest_torch(place: Path, python: str, each: Sequence[int]) -> dict[str, Any]:
    """The layout and the number of threads with which PyTorch is fastest on this network, here and now."""
    tried = []
    for threads in each:
        worker = Worker("torch_language", threads, place, python=python, module="language_worker")
        try:
            for variant in VARIANTS["torch"]:
                worker.ask("prepare", variant=variant)
                seconds = min(worker.seconds_per_step(variant, TRIAL) for _ in range(3))
                tried.append((seconds, {"threads": threads, "variant": variant}))
        finally:
            worker.close()
    return min(tried, key=lambda pair: pair[0])[1]


def _time(name: str, command: list[str], threads: int | None) -> dict[str, Any]:
    env = None if threads is None else environment(name, threads)
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    ended = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True)
    seconds, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    if ended.returncode:
        raise Failed(f"{name}: {(ended.stderr.strip().splitlines() or ['nothing said'])[-1]}")
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    found = {"seconds": seconds, "processor_seconds": spent, **json.loads(ended.stdout.splitlines()[-1])}
    print(
        f"{name:9} {seconds:7.1f} s, {spent:7.1f} s of processors, {found['epochs']} epochs, {found['bits']:.3f} bit",
        flush=True,
    )
    return found


class _Reached(Exception):
    pass


def train_firsthand(seed: int, bits: float, examples: int | None = None) -> None:
    """Train by the recipe until the validation text takes so few bits or the recipe ends, and print one JSON line."""
    import jax

    from firsthand.compilation import keep_compilations
    from firsthand.data import shakespeare
    from firsthand.learning import train
    from firsthand.zoo import SHAKESPEARE

    keep_compilations()  # as the command line does
    records: list[dict[str, float]] = []

    def watch(progress: Any) -> None:
        if progress.record is not None:
            records.append(progress.record)
            if progress.record["validation_bits"] <= bits:
                raise _Reached

    data = shakespeare(SHAKESPEARE.length or 64)
    data = (
        data if examples is None else data._replace(train=data.train[:examples], validation=data.validation[:examples])
    )
    with contextlib.suppress(_Reached):
        train(SHAKESPEARE.network(data.train), data, SHAKESPEARE.recipe, key=jax.random.key(seed), progress=watch)
    seconds = [record["seconds"] for record in records]
    print(json.dumps({"bits": records[-1]["validation_bits"], "epochs": len(records), "seconds_per_epoch": seconds}))


if __name__ == "__main__":
    train_firsthand(int(sys.argv[1]), float(sys.argv[2]), *map(int, sys.argv[3:]))
