"""The cost of starting: processor time of short commands, with nothing compiled and with everything kept.

    python -m benchmarks.speed.starting [--rounds N] [--json FILE]

Every round runs each command twice in an empty folder of compiled programs: the first compiles, the second takes what
is kept.  The numbers are user and system time of the whole process, so that other work on the machine counts little.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from firsthand import mnist
from firsthand.compilation import VARIABLE
from firsthand.files import describe_machine, versions, write_atomically

__all__ = ["main"]

COMMANDS = {
    "help": "--help",
    "list of recipes": "summary",
    "error of usage": "train --recipe nothing",
    "predict": "predict digit.png",
    "read": "read page.png",
    "train": "train --recipe quick --examples 200 --epochs 1",
}
STATES = ("nothing kept", "kept")


def main() -> None:
    """Measure, print, and write the JSON file if one is named."""
    parser = argparse.ArgumentParser(description="What starting costs.")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    seconds: dict[str, dict[str, list[float]]] = {name: {state: [] for state in STATES} for name in COMMANDS}
    for _ in range(chosen.rounds):
        for name, line in COMMANDS.items():
            with tempfile.TemporaryDirectory() as folder:
                draw(Path(folder))
                for state in STATES:
                    seconds[name][state].append(processor_seconds(line.split(), folder))
    found = {
        name: {
            state: {"median": statistics.median(values), "values": [round(value, 2) for value in values]}
            for state, values in states.items()
        }
        for name, states in seconds.items()
    }
    for name, states in found.items():
        print(f"{name:16}", *(f"{state} {about['median']:5.2f} s" for state, about in states.items()))
    if chosen.json is not None:
        content = {
            "machine": describe_machine(),
            "versions": versions(),
            "rounds": chosen.rounds,
            "unit": "seconds of processor time, user and system",
            "commands": {name: {"line": f"firsthand {COMMANDS[name]}", **found[name]} for name in COMMANDS},
        }
        write_atomically(chosen.json, json.dumps(content, indent=1) + "\n")


def draw(folder: Path) -> None:
    """Make pictures of a digit and of a line of five."""
    images = 255 - np.asarray(mnist().test.images[:5])[..., 0]
    Image.fromarray(images[0]).save(folder / "digit.png")
    page = np.full((60, 200), 255, np.uint8)
    for place, image in enumerate(images):
        page[16:44, 10 + 36 * place : 38 + 36 * place] = image
    Image.fromarray(page).save(folder / "page.png")


def processor_seconds(arguments: list[str], folder: str) -> float:
    """Run firsthand in a folder, which also has what is compiled; return what it took of processors."""
    before = os.times()
    done = subprocess.run(
        [sys.executable, "-m", "firsthand", *arguments],
        cwd=folder,
        env={**os.environ, VARIABLE: str(Path(folder) / "compiled")},
        capture_output=True,
        text=True,
    )
    after = os.times()
    if done.returncode not in (0, 2):
        sys.exit(done.stderr)
    return after.children_user - before.children_user + after.children_system - before.children_system


if __name__ == "__main__":
    main()
