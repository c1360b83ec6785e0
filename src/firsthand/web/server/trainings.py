"""Trainings, each in a process of its own: started, followed, paused, stopped, kept.

What a process does to itself, a crash included, is told and touches nothing else.  One that is killed is started again
where it was; and so are those of a lab that was killed, by the next one with the same folder of runs.
"""

import asyncio
import itertools
import json
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from firsthand.errors import FirsthandError
from firsthand.files import write_atomically

from .remains import ENDED, PLACE, SETTINGS, Remains, dead_places, find, locked, remove_old, remove_place, write_end
from .settings import TrainingSettings

__all__ = ["AtLimit", "Training", "Trainings", "UnknownTraining"]

State = Literal["waiting", "starting", "training", "paused", "stopping", "finished", "failed", "crashed"]
OVER = ("finished", "failed", "crashed")
POINTS = 2_000  # of the cost's curve; beyond, every second is forgotten
REMEMBERED = 12  # trainings; beyond, the oldest that is over is forgotten
PATIENCE = 60.0  # seconds that a process has to end by itself
RESTARTS = 3  # of a training whose process is killed


class UnknownTraining(FirsthandError):
    """No training of this number."""


class AtLimit(FirsthandError):
    """The most trainings that may run are running."""


@dataclass(eq=False)
class Training:
    """One training, as it is known here.

    Args:
        number: its name.
        settings: what was chosen.
        folder: where its process leaves the model.
    """

    number: int
    settings: TrainingSettings
    folder: Path
    state: State = "starting"
    error: str | None = None
    why: str | None = None  # it ended
    parameters: int | None = None
    speed: int | None = None  # steps per second
    cost: list[tuple[float, float]] = field(default_factory=list)  # epochs, mean cost of the epoch so far
    records: list[dict[str, float]] = field(default_factory=list)
    gradients: list[dict[str, Any]] = field(default_factory=list)
    verdict: dict[str, str] | None = None
    has_model: bool = False
    kept: str | None = None  # name of the model on the shelf
    process: asyncio.subprocess.Process | None = None
    task: asyncio.Task[None] | None = None
    restarts: int = 0
    removed: bool = False

    @property
    def over(self) -> bool:
        """True if its process has ended."""
        return self.state in OVER

    @property
    def may_begin_again(self) -> bool:
        """True if a process that was killed, and not by us, is started again."""
        return not (self.over or self.removed or self.state == "stopping") and self.restarts < RESTARTS

    def begin_again(self) -> None:
        """Forget the curves: the next process says them again, as far as they are kept."""
        self.state, self.error, self.speed, self.verdict = "starting", None, None, None
        for curve in (self.cost, self.records, self.gradients):
            curve.clear()

    def about(self) -> dict[str, Any]:
        """The small part of its state, for the page."""
        names = ("number", "state", "error", "why", "parameters", "speed", "verdict", "has_model", "kept")
        return {name: getattr(self, name) for name in names}

    def whole(self) -> dict[str, Any]:
        """All of it, for a page that comes later."""
        curves = {name: getattr(self, name) for name in ("cost", "records", "gradients")}
        return {**self.about(), "settings": self.settings.model_dump(), **curves}

    def hear(self, event: dict[str, Any]) -> dict[str, Any]:
        """Take in what its process says; what the page is to be told besides `about`."""
        kind = event.pop("event")
        if kind == "started":
            self.state, self.parameters = "training", event["parameters"]
        elif kind in ("paused", "training"):
            self.state = kind if self.state != "stopping" else self.state
        elif kind == "step":
            self.speed = event["steps_per_second"]
            self.cost.append((event["at"], event["cost"]))
            _thin(self.cost)
            return {"cost": self.cost[-1]}
        elif kind == "epoch":
            self.records.append(event["record"])
            return {"record": event["record"]}
        elif kind == "gradients":
            self.gradients.append(event)
            _thin(self.gradients)
            return {"gradients": event}
        elif kind == "verdict":
            self.verdict = event
        elif kind == "done":
            self.state, self.why, self.has_model = "finished", event["why"], True
        elif kind in ("failed", "crashed"):
            self.state, self.error, self.has_model = kind, event["error"], event.get("model", False)
        return {}


class Trainings:
    """All trainings of a lab.

    Args:
        limit: how many may run at once.
        runs: folder that kept models go to.
    """

    def __init__(self, limit: int, runs: Path) -> None:
        self.limit, self.runs = limit, runs
        self.all: dict[int, Training] = {}
        self._numbers = itertools.count(1)
        self._listeners: set[asyncio.Queue[dict[str, Any] | None]] = set()
        self._scratch: Path | None = None
        self._lock: int | None = None

    def get(self, number: int) -> Training:
        """A training by its number.

        Raises:
            UnknownTraining: there is none.
        """
        if number not in self.all:
            raise UnknownTraining(
                f"training: found {number}, expected one of {', '.join(map(str, self.all)) or 'none'}"
            )
        return self.all[number]

    async def start(self, settings: TrainingSettings) -> Training:
        """Begin a training.

        Raises:
            AtLimit: as many run as may.
        """
        running = [training for training in self.all.values() if not training.over]
        if len(running) >= self.limit:
            raise AtLimit(f"trainings: {len(running)} are running, expected fewer than {self.limit}: stop one first")
        self._forget()
        number = next(self._numbers)
        folder = self._place() / str(number)
        folder.mkdir()
        write_atomically(folder / SETTINGS, settings.model_dump_json(indent=1) + "\n")
        training = self.all[number] = Training(number, settings, folder)
        self._begin(training)
        return training

    def _begin(self, training: Training) -> None:
        training.task = asyncio.create_task(self._follow(training))
        self._tell(training, training.whole())

    async def bring_back(self) -> None:
        """Go on with the trainings of labs that were killed, and remove their folders.

        Of those that have not ended as many begin as may run; the others wait.
        """
        with dead_places(self.runs, self._scratch) as places:
            for place in places:
                for found in list(find(place)):
                    self._bring_back(found)
                remove_place(place)
        remove_old()
        self._begin_waiting()

    def _bring_back(self, found: Remains) -> None:
        number = next(self._numbers)
        folder = self._place() / str(number)
        try:
            found.folder.rename(folder)
        except OSError as error:
            print(f"firsthand: {found.folder}: cannot go on ({error.strerror}); left as it is", file=sys.stderr)
            return
        training = self.all[number] = Training(number, found.settings, folder, "waiting")
        if found.event is not None:
            training.hear(found.event)
            training.records = found.records or []

    def _begin_waiting(self) -> None:
        """Begin what waits, as far as it may."""
        running = sum(not training.over and training.state != "waiting" for training in self.all.values())
        waiting = [training for training in self.all.values() if training.state == "waiting"]
        for training in waiting[: max(0, self.limit - running)]:
            training.state = "starting"
            self._begin(training)

    def _place(self) -> Path:
        """The folder of this lab's trainings, locked as long as its process lives."""
        if self._scratch is None:
            (self.runs / PLACE).mkdir(parents=True, exist_ok=True)
            self._scratch = Path(tempfile.mkdtemp(dir=self.runs / PLACE))
            self._lock = locked(self._scratch)
        return self._scratch

    async def command(self, training: Training, command: Literal["pause", "continue", "stop"]) -> None:
        """Ask the process to pause, continue or stop; nothing happens to one that is over.

        Raises:
            FirsthandError: it has no process yet, and waits for another to end.
        """
        if training.state == "waiting":
            raise FirsthandError(f"training {training.number}: it waits until another has ended, and can be removed")
        if training.over or training.process is None or training.process.stdin is None:
            return
        if command == "stop":
            training.state = "stopping"
            asyncio.get_running_loop().call_later(PATIENCE, _kill, training)
            self._tell(training)
        try:
            training.process.stdin.write(f"{command}\n".encode())
            await training.process.stdin.drain()
        except (BrokenPipeError, ConnectionResetError):
            pass  # it has just ended, and is told so

    def keep(self, training: Training) -> str:
        """Put the model of a training on the shelf: its name there.

        Raises:
            FirsthandError: there is no model.
        """
        if training.kept is None:
            if not training.has_model:
                raise FirsthandError(f"training {training.number}: it is {training.state} and has no model to keep")
            name = f"{datetime.now():%Y%m%d-%H%M%S}-lab-{training.number}"
            self.runs.mkdir(parents=True, exist_ok=True)
            without = shutil.ignore_patterns("checkpoint*", "records.jsonl", ENDED, ".*")
            shutil.copytree(training.folder, self.runs / name, ignore=without)
            training.kept = name
            self._tell(training)
        return training.kept

    async def remove(self, training: Training) -> None:
        """End a training at once and forget it."""
        training.removed = True
        _kill(training)
        if training.task is not None:
            await training.task
        self.all.pop(training.number, None)
        shutil.rmtree(training.folder, ignore_errors=True)
        self._say({"type": "removed", "number": training.number})
        self._begin_waiting()

    async def close(self) -> None:
        """End everything."""
        for training in sorted(
            self.all.values(), key=lambda each: each.state != "waiting"
        ):  # nothing that waits begins
            await self.remove(training)
        if self._scratch is not None:
            shutil.rmtree(self._scratch, ignore_errors=True)
            with suppress(OSError):  # other labs have theirs there
                (self.runs / PLACE).rmdir()
        if self._lock is not None:
            os.close(self._lock)
        self._scratch = self._lock = None

    @contextmanager
    def listening(self) -> Iterator[asyncio.Queue[dict[str, Any] | None]]:
        """Messages for a page from now on; None once it is too slow to take them."""
        queue: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue(1000)
        self._listeners.add(queue)
        try:
            yield queue
        finally:
            self._listeners.discard(queue)

    async def _follow(self, training: Training) -> None:
        command = [sys.executable, "-m", "firsthand.web.server.worker", str(training.folder)]
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, stderr=pipe, limit=2**20)
        training.process = process
        assert process.stdin is not None
        assert process.stdout is not None
        complaints = asyncio.create_task(_last_lines(process))
        try:
            process.stdin.write(training.settings.model_dump_json().encode() + b"\n")
            async for line in process.stdout:
                self._tell(training, training.hear(json.loads(line)))
        except (BrokenPipeError, ConnectionResetError, ValueError) as error:
            training.error = str(error)
            _kill(training)
        code, said = await process.wait(), await complaints
        if code == -signal.SIGKILL and training.may_begin_again:
            training.restarts += 1
            training.begin_again()
            self._tell(training, training.whole())
            await self._follow(training)
            return
        if not training.over:
            event = {"event": "crashed", "error": f"its process {_ending(code)}" + (f": {said}" if said else "")}
            with suppress(OSError):  # removed meanwhile, or the disk is full
                write_end(training.folder, event)
            self._tell(training, training.hear(event))
        self._begin_waiting()

    def _tell(self, training: Training, more: dict[str, Any] | None = None) -> None:
        self._say({"type": "training", **training.about(), **(more or {})})

    def _say(self, message: dict[str, Any]) -> None:
        for queue in list(self._listeners):
            if queue.full():
                self._listeners.discard(queue)
                while not queue.empty():
                    queue.get_nowait()
                queue.put_nowait(None)
            else:
                queue.put_nowait(message)

    def _forget(self) -> None:
        over = [training for training in self.all.values() if training.over]
        for training in over[: max(0, len(self.all) - REMEMBERED + 1)]:
            del self.all[training.number]
            shutil.rmtree(training.folder, ignore_errors=True)
            self._say({"type": "removed", "number": training.number})


def _kill(training: Training) -> None:
    if training.process is not None and training.process.returncode is None:
        training.process.kill()


async def _last_lines(process: asyncio.subprocess.Process) -> str:
    """The last lines of a process's errors; all of them are read, so that it never waits for us."""
    assert process.stderr is not None
    last = ""
    while chunk := await process.stderr.read(4096):
        last = (last + chunk.decode(errors="replace"))[-2000:]
    lines = last.strip().splitlines()
    return lines[-1][:300] if lines else ""


def _ending(code: int) -> str:
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        return f"was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"was ended by signal {-code}"


def _thin(points: list[Any]) -> None:
    if len(points) > POINTS:
        del points[1::2]
