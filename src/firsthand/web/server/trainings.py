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

from .settings import TrainingSettings

__all__ = ["AtLimit", "Training", "Trainings", "UnknownTraining"]

State = Literal["starting", "training", "paused", "stopping", "finished", "failed", "crashed"]
OVER = ("finished", "failed", "crashed")
POINTS = 2_000  # of the cost's curve; beyond, every second is forgotten
REMEMBERED = 12  # trainings; beyond, the oldest that is over is forgotten
PATIENCE = 60.0  # seconds that a process has to end by itself
RESTARTS = 3  # of a training whose process is killed
PLACE = ".lab"  # in the folder of runs: a folder for each lab that runs, with one for each of its trainings


class UnknownTraining(FirsthandError):
    """No training of this number."""


class AtLimit(FirsthandError):
    """As many trainings run as may."""


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
        """Whether its process has ended."""
        return self.state in OVER

    @property
    def may_begin_again(self) -> bool:
        """Whether a process that was killed, and not by us, is started again."""
        return not (self.over or self.removed or self.state == "stopping") and self.restarts < RESTARTS

    def begin_again(self) -> None:
        """Forget the curves: the next process says them again, as far as they are kept."""
        self.state, self.error, self.speed, self.verdict = "starting", None, None, None
        for curve in (self.cost, self.records, self.gradients):
            curve.clear()

    def about(self) -> dict[str, Any]:
        """What is small, for the page."""
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
        elif kind == "failed":
            self.state, self.error, self.has_model = "failed", event["error"], event.get("model", False)
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
        write_atomically(folder / "settings.json", settings.model_dump_json(indent=1) + "\n")
        return self._begin(number, settings, folder)

    def _begin(self, number: int, settings: TrainingSettings, folder: Path) -> Training:
        training = self.all[number] = Training(number, settings, folder)
        training.task = asyncio.create_task(self._follow(training))
        self._tell(training, training.whole())
        return training

    async def bring_back(self) -> None:
        """Go on with the trainings of labs that were killed, and remove their folders."""
        for place in sorted((self.runs / PLACE).glob("*")):
            if place == self._scratch or (lock := _locked(place)) is None:
                continue
            try:
                for old in sorted(place.glob("*"), key=lambda path: (len(path.name), path.name)):
                    with suppress(OSError, ValueError):  # what was killed before it had settings is nobody's
                        settings = TrainingSettings.model_validate_json((old / "settings.json").read_bytes())
                        number = next(self._numbers)
                        folder = self._place() / str(number)
                        old.rename(folder)
                        if (folder / "history.json").exists():  # the last that a process writes
                            self.all[number] = _finished(number, settings, folder)
                        else:
                            self._begin(number, settings, folder)
                shutil.rmtree(place, ignore_errors=True)
            finally:
                os.close(lock)

    def _place(self) -> Path:
        """The folder of this lab's trainings, locked as long as its process lives."""
        if self._scratch is None:
            (self.runs / PLACE).mkdir(parents=True, exist_ok=True)
            self._scratch = Path(tempfile.mkdtemp(dir=self.runs / PLACE))
            self._lock = _locked(self._scratch)
        return self._scratch

    async def command(self, training: Training, command: Literal["pause", "continue", "stop"]) -> None:
        """Ask the process to pause, continue or stop; nothing happens to one that is over."""
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
            without = shutil.ignore_patterns("checkpoint*", "records.jsonl", ".*")
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

    async def close(self) -> None:
        """End everything."""
        for training in list(self.all.values()):
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
            training.state = "crashed"
            training.error = f"its process {_ending(code)}" + (f": {said}" if said else "")
            self._tell(training)

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


def _finished(number: int, settings: TrainingSettings, folder: Path) -> Training:
    """A training whose model was there before its lab was killed."""
    history = json.loads((folder / "history.json").read_bytes())
    return Training(
        number, settings, folder, "finished", why=history["stopped"], records=history["records"], has_model=True
    )


def _locked(folder: Path) -> int | None:
    """A descriptor that locks a folder until it is closed, or the process ends; None where another process has it."""
    try:
        import fcntl

        descriptor = os.open(folder, os.O_RDONLY)
    except (ImportError, OSError):
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


def _kill(training: Training) -> None:
    if training.process is not None and training.process.returncode is None:
        training.process.kill()


async def _last_lines(process: asyncio.subprocess.Process) -> str:
    """What a process complained of last; all of it is read, so that it never waits for us."""
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
