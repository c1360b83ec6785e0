"""How long somebody who draws in the lab waits: one alone, and fifty at once.

    python -m benchmarks.speed.lab_load [--quick]

A client draws as the page does.  While a digit is drawn, which takes two seconds, it sends what there is about ten
times a second, never before the last answer has come; after a pause it has the whole read carefully; then it begins
with another.  All clients run in one process beside the server's, on the same cores: their share of the time counts.
"""

import argparse
import asyncio
import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from firsthand.data import mnist

from ..summary import about, save, spread
from .contest import ROOT

__all__ = ["main"]

CLIENTS = 50
TARGETS = {"one": 50.0, "fifty": 150.0}  # milliseconds, medians
WIDTH, HEIGHT = 300, 160
UPDATES, INTERVAL, PAUSE = 20, 0.1, 0.4  # of a digit; seconds


class Wait(NamedTuple):
    """What one drawing that was sent led to."""

    kind: str  # 'stroke' or 'careful'
    ms: float


def main() -> None:
    """Measure, print, and write `lab.json`."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed.lab_load", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="short and rough; writes to a scratch folder")
    parser.add_argument("--rounds", type=int, help="of each number of clients")
    chosen = parser.parse_args()
    rounds = chosen.rounds or (1 if chosen.quick else 5)
    seconds = 4.0 if chosen.quick else 12.0
    folder = Path(tempfile.mkdtemp(prefix="firsthand-bench-")) if chosen.quick else ROOT / "results" / "benchmarks"
    results = about(rounds, seconds_per_round=seconds, clients=CLIENTS, updates_per_second=1 / INTERVAL)
    with _lab() as url:
        found: dict[str, list[list[Wait]]] = {"one": [], "three_digits": [], "fifty": []}
        for _ in range(rounds):
            for name, count, digits in (("one", 1, 1), ("three_digits", 1, 3), ("fifty", CLIENTS, 1)):
                found[name].append(asyncio.run(_round(url, count, digits, seconds)))
    for name, waits in found.items():
        results[name] = _summary(waits)
        strokes = results[name]["stroke"]
        print(
            f"{name:13} stroke: median {strokes['median_ms']['median']:.1f} ms, "
            f"95 %: {strokes['p95_ms']['median']:.1f} ms"
        )
    results["targets"] = [
        {"what": name, "target_ms": target, "measured_ms": results[name]["stroke"]["median_ms"]["median"]}
        for name, target in TARGETS.items()
    ]
    save(folder / "lab.json", results)


def _summary(rounds: list[list[Wait]]) -> dict[str, Any]:
    kinds = {}
    for kind in ("stroke", "careful"):
        each = [np.array([wait.ms for wait in waits if wait.kind == kind]) for waits in rounds]
        kinds[kind] = {
            "median_ms": spread([round(float(np.median(ms)), 2) for ms in each]),
            "p95_ms": spread([round(float(np.percentile(ms, 95)), 2) for ms in each]),
            "max_ms": spread([round(float(ms.max()), 2) for ms in each]),
            "answers": [len(ms) for ms in each],
        }
    return kinds


@contextmanager
def _lab() -> Iterator[str]:
    command = [sys.executable, "-u", "-m", "firsthand", "lab", "--no-open", "--port", "0"]
    with (
        tempfile.TemporaryDirectory() as place,
        subprocess.Popen(command, cwd=place, stdout=subprocess.PIPE) as process,
    ):
        assert process.stdout is not None
        said = process.stdout.readline().decode()
        match = re.search(r"http://(\S+?)/", said)
        if match is None:
            raise SystemExit(f"the lab did not start: {said!r}")
        yield f"ws://{match[1]}/api/live"
        process.terminate()


async def _round(url: str, count: int, digits: int, seconds: float) -> list[Wait]:
    """So many clients for so long; any answer that is no reading ends it with an error."""
    until = time.perf_counter() + seconds
    found = await asyncio.gather(*(_client(url, number, digits, until) for number in range(count)))
    return [wait for waits in found for wait in waits]


async def _client(url: str, number: int, digits: int, until: float) -> list[Wait]:
    import websockets

    waits = []
    rng = np.random.default_rng(number)
    # they do not all begin in the same moment
    await asyncio.sleep(rng.uniform(0, UPDATES * INTERVAL))
    async with websockets.connect(url, max_size=2**22) as socket:
        while time.perf_counter() < until:
            ink = _written(rng.integers(0, 10_000, digits))
            for update in range(1, UPDATES + 1):
                next_at = time.perf_counter() + INTERVAL
                drawn = ink.copy()
                drawn[:, int(WIDTH * update / UPDATES) :] = 0
                waits.append(Wait("stroke", await _asked(socket, drawn, careful=False)))
                await asyncio.sleep(max(0.0, next_at - time.perf_counter()))
            await asyncio.sleep(PAUSE)
            waits.append(Wait("careful", await _asked(socket, ink, careful=True)))
    return waits


async def _asked(socket: Any, ink: np.ndarray, careful: bool) -> float:
    height, width = ink.shape
    head = b"\1\0\0\0" + width.to_bytes(2, "little") + height.to_bytes(2, "little") + bytes([careful])
    started = time.perf_counter()
    await socket.send(head + ink.tobytes())
    answer = json.loads(await socket.recv())
    if answer["type"] != "read":
        raise SystemExit(f"the lab answered: {answer}")
    return 1000 * (time.perf_counter() - started)


def _written(indices: np.ndarray) -> np.ndarray:
    """Test digits as somebody would draw them: large, side by side."""
    ink = np.zeros((HEIGHT, WIDTH), np.uint8)
    side = min(130, WIDTH // len(indices))
    for place, index in enumerate(indices):
        digit = Image.fromarray(mnist().test.images[index, ..., 0]).resize((side, side), Image.Resampling.BICUBIC)
        left = (WIDTH - side * len(indices)) // 2 + side * place
        ink[15 : 15 + side, left : left + side] = np.asarray(digit)
    return ink


if __name__ == "__main__":
    main()
