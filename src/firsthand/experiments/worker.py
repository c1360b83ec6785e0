"""A process that does one run of an experiment after another, on cores of its own.

    python -m firsthand.experiments.worker MODULE CORES MACHINE     CORES as in 0,1

It reads requests, one JSON object a line, and answers likewise; it ends with its input, so that it never outlives the
process that started it.

    {"id", "seed", "quick", "out", "scratch"}  ->  {"line"} any number of times, then {"done": numbers} or {"failed"}

`Worker` is such a process as the one sees it that started it.
"""

import importlib
import json
import os
import queue
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from firsthand.compilation import keep_compilations
from firsthand.files import describe_machine, write_atomically
from firsthand.processes import ONE_THREAD

if TYPE_CHECKING:
    from firsthand.experiments.experiment import Experiment

__all__ = ["Worker", "ended", "main"]


def main(module: str, cores: set[int], machine: str) -> None:
    """Answer until the input ends."""
    # what an experiment prints must not get between the answers
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    # before JAX computes anything: it then counts the cores that it may use
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, cores)
    keep_compilations()
    requests: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(requests,), daemon=True).start()

    def answer(**content: Any) -> None:
        answers.write(json.dumps(content) + "\n")
        answers.flush()

    last = None
    while True:
        request = json.loads(requests.get())
        experiments = {each.id: each for each in importlib.import_module(module).EXPERIMENTS}
        if last not in (None, request["id"]):
            _forget_programs()
        last = request["id"]
        _do(experiments[request["id"]], request, machine, answer)


def _read(requests: "queue.SimpleQueue[str]") -> None:
    for line in sys.stdin:
        requests.put(line)
    os._exit(0)  # in the middle of a run: its checkpoint is what the next one goes on from


def _forget_programs() -> None:
    """Give back the memory of compiled programs that another experiment will not use."""
    import jax

    jax.clear_caches()


def _do(experiment: "Experiment", request: dict[str, Any], machine: str, answer: Callable[..., None]) -> None:
    from firsthand.experiments.experiment import Run
    from firsthand.experiments.records import Place, check_measured, needed_results, record_of

    place = Place.of(Path(request["scratch"]), request["quick"], request["id"], request["seed"])
    place.work.mkdir(parents=True, exist_ok=True)
    # of the cores that this process has to itself or shares: what else the machine does is not the experiment's
    before, started, kept = place.seconds(), time.process_time(), 0.0

    def seconds() -> float:
        return before + time.process_time() - started

    def say(line: str) -> None:
        nonlocal kept
        if seconds() > kept + 1:
            kept = seconds()
            write_atomically(place.clock, f"{kept:.2f}")
        answer(line=line)

    try:
        needed = needed_results(experiment, request["out"])
        measured = experiment.measure(Run(request["seed"], request["quick"], place.work, needed, say))
        check_measured(measured)
        place.keep(record_of(request["seed"], seconds(), measured, machine))
    except Exception as error:  # one experiment's mistake must not stop the others
        write_atomically(place.trace, traceback.format_exc())
        answer(failed=f"{type(error).__name__}: {error}", trace=str(place.trace))
    else:
        answer(done={name: float(value) for name, value in measured.numbers.items()}, seconds=seconds())


class Worker:
    """A process that does runs.

    Args:
        module: where it finds the experiments, in EXPERIMENTS.
        cores: where it computes.
        log: file for what it prints.
        inbox: takes (worker, answer), and (worker, None) when the process has ended.
    """

    def __init__(
        self,
        module: str,
        cores: tuple[int, ...],
        log: Path,
        inbox: "queue.SimpleQueue[tuple[Worker, dict[str, Any] | None]]",
    ):
        self.cores, self.log = cores, log
        where = ",".join(map(str, cores))
        command = [sys.executable, "-m", "firsthand.experiments.worker", module, where, describe_machine()]
        with log.open("w") as printed:
            # in a session of its own: Ctrl-C reaches this process alone, which then ends it
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=printed,
                text=True,
                encoding="utf-8",
                env={**os.environ, **ONE_THREAD},
                start_new_session=True,
            )
        self._listener = threading.Thread(target=self._listen, args=(inbox,), daemon=True)
        self._listener.start()

    def _listen(self, inbox: queue.SimpleQueue) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            inbox.put((self, json.loads(line)))
        self.process.wait()
        inbox.put((self, None))

    def ask(self, **request: Any) -> None:
        """Hand out a run; if the process has ended, the inbox says so."""
        assert self.process.stdin is not None
        with suppress(BrokenPipeError):
            self.process.stdin.write(json.dumps(request) + "\n")
            self.process.stdin.flush()

    def how_it_ended(self) -> str:
        """A sentence for people; empty while it runs."""
        code = self.process.poll()
        if code is None:
            return ""
        return f"signal {-code}" if code < 0 else f"exit code {code}"

    def end(self) -> None:
        """Stop it wherever it is."""
        self.process.terminate()
        self.process.wait()
        self._listener.join()
        for pipe in (self.process.stdin, self.process.stdout):
            with suppress(BrokenPipeError):  # a request that nobody has read
                pipe.close()  # pyright: ignore[reportOptionalMemberAccess]


@contextmanager
def ended() -> "Iterator[list[Any]]":
    """A list for workers, which have ended when the block ends, however it ends."""
    workers: list[Any] = []
    try:
        yield workers
    finally:
        for worker in workers:
            worker.end()


if __name__ == "__main__":
    main(sys.argv[1], set(map(int, sys.argv[2].split(","))), sys.argv[3])
