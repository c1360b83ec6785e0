"""The headline: `firsthand train` with the recipe it has by default, as whole processes, once per seed.

The model of each run is the one of best validation accuracy; the test images decide nothing.  Written to
results/digit_reader.json, from which the README's first table is made.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from ..summary import Failed, about, save, spread

__all__ = ["run"]


def run(folder: Path, seeds: int = 3, options: tuple[str, ...] = ()) -> None:
    """Train, print, and write `digit_reader.json` into a folder.

    Args:
        folder: where to.
        seeds: how many runs.
        options: more options of `firsthand train`, for a short trial.
    """
    results = about(seeds, command=" ".join(("firsthand train --json --seed S", *options)))
    runs = []
    with tempfile.TemporaryDirectory(prefix="firsthand-bench-") as place:
        for seed in range(seeds):
            out = Path(place) / str(seed)
            done, usage, seconds = _firsthand("train", "--json", "--seed", str(seed), "--out", str(out), *options)
            evaluated, _, _ = _firsthand("evaluate", "--json", "--model", done["model"])
            runs.append(
                {
                    "seed": seed,
                    "test_accuracy": evaluated["accuracy"],
                    "validation_accuracy": done["accuracies"]["validation"],
                    "process_seconds": seconds,
                    "cpu_seconds": usage.ru_utime + usage.ru_stime,
                    "peak_memory_bytes": usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024),
                    "test_images": evaluated["n"],
                    # in a fresh process, so with compilation; then once more in this one, without
                    "evaluation_seconds_first": evaluated["seconds"],
                    "evaluation_seconds": _evaluation_seconds(Path(done["model"])),
                    "stopped": done["stopped"],
                    "model_bytes": Path(done["model"]).stat().st_size,
                }
            )
            print(
                f"seed {seed}: test accuracy {runs[-1]['test_accuracy']:.2%}, {seconds:.1f} s, "
                f"{runs[-1]['peak_memory_bytes'] / 2**20:.0f} MiB",
                flush=True,
            )
    numbers = [name for name in runs[0] if name not in ("seed", "stopped", "test_images", "model_bytes")]
    accuracies = [one["test_accuracy"] for one in runs]
    results |= {name: spread([one[name] for one in runs]) for name in numbers}
    results["test_accuracy"]["mean"] = sum(accuracies) / len(accuracies)
    results |= {"test_images": runs[0]["test_images"], "model_bytes": runs[0]["model_bytes"], "runs": runs}
    save(folder / "digit_reader.json", results)


def _firsthand(*arguments: str) -> tuple[dict[str, Any], Any, float]:
    """Run the command line in a process of its own: its last line as JSON, what it used, and its wall time."""
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        started = time.perf_counter()
        process = subprocess.Popen([sys.executable, "-m", "firsthand", *arguments], stdout=output, stderr=errors)
        # wait4 and not wait: it says what this one child has used
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        errors.seek(0)
        if process.returncode:
            raise Failed(f"firsthand {' '.join(arguments)}: {errors.read().strip()}")
        return json.loads(output.read().strip().splitlines()[-1]), usage, seconds


def _evaluation_seconds(model: Path) -> float:
    from firsthand import Model, mnist

    loaded, images, best = Model.load(model), mnist().test.images, float("inf")
    for _ in range(4):
        started = time.perf_counter()
        loaded.predict(images)
        best = min(best, time.perf_counter() - started)
    return best
