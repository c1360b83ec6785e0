"""The time that somebody who draws in the lab waits: one alone, and fifty and a hundred at once.

    python -m benchmarks.speed.lab_load [--quick]

A client draws as the page does.  While a digit is drawn, which takes two seconds, it sends what there is about ten
times a second, never before the last answer has come; after a pause it has the whole read carefully; then it begins
with another.  The hundred do not wait for answers: each sends five strokes a second whatever comes, and a stroke waits
until it, or a newer one of the same client, is answered.  All clients run in one process beside the server's, on the
same cores: their share of the time counts, and is said.
"""

import argparse
import asyncio
import json
import os
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

TARGETS = {"one": 50.0, "fifty": 150.0, "hundred": 150.0}  # milliseconds, medians
WIDTH, HEIGHT = 300, 160
DRAWN_IN, PAUSE = 2.0, 0.4  # seconds: for the digits, and before they are read carefully


class Crowd(NamedTuple):
    """Clients that draw at the same time.

    Args:
        clients: how many.
        digits: that each draws at a time.
        strokes: that each sends in a second.
        patient: whether a stroke is sent only when the one before is answered.
    """

    clients: int
    digits: int
    strokes: float
    patient: bool = True


CROWDS = {
    "one": Crowd(1, 1, 10),
    "three_digits": Crowd(1, 3, 10),
    "fifty": Crowd(50, 1, 10),
    "hundred": Crowd(100, 1, 5, patient=False),
    "hundred_three_digits": Crowd(100, 3, 5, patient=False),
}


class Wait(NamedTuple):
    """The answer to one drawing, and the time it took."""

    kind: str  # 'stroke' or 'careful'
    ms: float
    late: bool  # it was answered by the answer to a newer one


class Round(NamedTuple):
    """One crowd, once: the waits of all, and how many cores the lab and the clients had on average."""

    waits: list[Wait]
    lab: float
    clients: float


def main() -> None:
    """Measure, print, and write `lab.json`."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed.lab_load", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="short and rough; writes to a scratch folder")
    parser.add_argument("--rounds", type=int, help="of each number of clients")
    chosen = parser.parse_args()
    rounds = chosen.rounds or (1 if chosen.quick else 5)
    seconds = 4.0 if chosen.quick else 12.0
    folder = Path(tempfile.mkdtemp(prefix="firsthand-bench-")) if chosen.quick else ROOT / "results" / "benchmarks"
    crowds = {name: crowd._asdict() for name, crowd in CROWDS.items()}
    results = about(rounds, seconds_per_round=seconds, priority=_priority(), crowds=crowds)
    with _lab() as (url, pid):
        found: dict[str, list[Round]] = {name: [] for name in CROWDS}
        for _ in range(rounds):
            for name, crowd in CROWDS.items():
                found[name].append(_round(url, pid, crowd, seconds))
    for name, each in found.items():
        results[name] = _summary(each)
        strokes = results[name]["stroke"]
        busy = results[name]["cores"]
        print(
            f"{name:20} stroke: median {strokes['median_ms']['median']:.1f} ms, 95 %: "
            f"{strokes['p95_ms']['median']:.1f} ms; cores: lab {busy['lab']['median']}, clients "
            f"{busy['clients']['median']}"
        )
    results["targets"] = [
        {"what": name, "target_ms": target, "measured_ms": results[name]["stroke"]["median_ms"]["median"]}
        for name, target in TARGETS.items()
    ]
    save(folder / "lab.json", results)


def _summary(rounds: list[Round]) -> dict[str, Any]:
    about: dict[str, Any] = {}
    for kind in ("stroke", "careful"):
        each = [np.array([wait.ms for wait in one.waits if wait.kind == kind]) for one in rounds]
        about[kind] = {
            "median_ms": spread([round(float(np.median(ms)), 2) for ms in each]),
            "p95_ms": spread([round(float(np.percentile(ms, 95)), 2) for ms in each]),
            "max_ms": spread([round(float(ms.max()), 2) for ms in each]),
            "sent": [len(ms) for ms in each],
            "answered_by_a_newer": [sum(wait.late for wait in one.waits if wait.kind == kind) for one in rounds],
        }
    about["cores"] = {
        "lab": spread([round(one.lab, 2) for one in rounds]),
        "clients": spread([round(one.clients, 2) for one in rounds]),
    }
    return about


@contextmanager
def _lab() -> Iterator[tuple[str, int]]:
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
        yield f"ws://{match[1]}/api/live", process.pid
        process.terminate()


def _round(url: str, pid: int, crowd: Crowd, seconds: float) -> Round:
    """One crowd for so long; any answer that is no reading ends it with an error."""
    before, ours, started = _processor_seconds(pid), time.process_time(), time.perf_counter()
    waits = asyncio.run(_all(url, crowd, started + seconds))
    wall = time.perf_counter() - started
    return Round(waits, (_processor_seconds(pid) - before) / wall, (time.process_time() - ours) / wall)


async def _all(url: str, crowd: Crowd, until: float) -> list[Wait]:
    found = await asyncio.gather(*(_client(url, number, crowd, until) for number in range(crowd.clients)))
    return [wait for waits in found for wait in waits]


async def _client(url: str, number: int, crowd: Crowd, until: float) -> list[Wait]:
    rng = np.random.default_rng(number)
    # they do not all begin in the same moment
    await asyncio.sleep(rng.uniform(0, DRAWN_IN))
    updates = round(DRAWN_IN * crowd.strokes)
    async with _Pen(url) as pen:
        while time.perf_counter() < until:
            ink = _written(rng.integers(0, 10_000, crowd.digits))
            begun = time.perf_counter()
            for update in range(1, updates + 1):
                drawn = ink.copy()
                drawn[:, int(WIDTH * update / updates) :] = 0
                await pen.send(drawn, "stroke")
                if crowd.patient:
                    await pen.answered()
                await asyncio.sleep(max(0.0, begun + update / crowd.strokes - time.perf_counter()))
            await asyncio.sleep(PAUSE)
            await pen.send(ink, "careful")
            await pen.answered()
    return pen.waits


class _Pen:
    """One client's connection: sends drawings by number, and notes when each, or a newer one, is answered."""

    def __init__(self, url: str) -> None:
        self.waits: list[Wait] = []
        self._url = url
        self._sent: dict[int, tuple[str, float]] = {}  # what waits, by number
        self._number = 0
        self._news = asyncio.Event()

    async def __aenter__(self) -> "_Pen":
        import websockets

        self._socket = await websockets.connect(self._url, max_size=2**22, open_timeout=60)
        self._ear = asyncio.create_task(self._listen())
        return self

    async def __aexit__(self, *error: object) -> None:
        self._ear.cancel()
        await self._socket.close()

    async def send(self, ink: np.ndarray, kind: str) -> None:
        """Send a drawing."""
        height, width = ink.shape
        self._number += 1
        head = self._number.to_bytes(4, "little") + width.to_bytes(2, "little") + height.to_bytes(2, "little")
        self._sent[self._number] = kind, time.perf_counter()
        await self._socket.send(head + bytes([kind == "careful"]) + ink.tobytes())

    async def answered(self) -> None:
        """Wait until nothing waits."""
        while self._sent:
            self._news.clear()
            await asyncio.wait([asyncio.ensure_future(self._news.wait()), self._ear], return_when="FIRST_COMPLETED")
            if self._ear.done():
                self._ear.result()
                raise SystemExit("the lab closed a connection")

    async def _listen(self) -> None:
        async for text in self._socket:
            now, answer = time.perf_counter(), json.loads(text)
            if answer["type"] != "read":
                raise SystemExit(f"the lab answered: {answer}")
            kind = "careful" if answer["careful"] else "stroke"
            for number in [n for n, (of, _) in self._sent.items() if n <= answer["number"] and of == kind]:
                self.waits.append(Wait(kind, 1000 * (now - self._sent.pop(number)[1]), number < answer["number"]))
            self._news.set()


def _priority() -> dict[str, Any]:
    """The priority of this process and its children among the machine's: below 0 is before the others (Linux)."""
    group = Path("/proc/self/autogroup")
    return {"nice": os.nice(0), "group": group.read_text().strip() if group.exists() else None}


def _processor_seconds(pid: int) -> float:
    """The processor time that a process has used, all its threads together (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


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
