"""Runs on the machines of a Dask cluster instead of in processes here (extra `cluster`).

Every run is a task: Dask gives it to a worker that is free, and when that worker is lost to another one, where the run
resumes from its checkpoint.  So the folders of results and checkpoints are ones that all machines see.
"""

import os
import queue
import uuid
from concurrent.futures import CancelledError
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from firsthand.errors import FirsthandError
from firsthand.files import versions
from firsthand.processes import cores

from .worker import Worker, ended

if TYPE_CHECKING:
    from distributed import Client, Future

__all__ = ["Cluster", "ClusterWorker"]

_PATIENCE = 10.0  # seconds, for a scheduler to answer


class Cluster:
    """A client of a Dask scheduler, whose workers do runs.

    Args:
        address: of the scheduler, as in tcp://node0:8786.
        module: name of the module whose EXPERIMENTS they are; every worker imports it.
        threads: how many cores each run has.
    Raises:
        FirsthandError: distributed is not installed, or no scheduler answers.
    """

    def __init__(self, address: str, module: str, threads: int):
        try:
            from distributed import Client
        except ModuleNotFoundError:
            raise FirsthandError("--scheduler: distributed not found: pip install 'firsthand[cluster]'") from None
        try:
            self._client: Client = Client(address, timeout=_PATIENCE, set_as_default=False)
        except (OSError, ValueError) as error:
            raise FirsthandError(
                f"--scheduler: found {address}, expected the address of a Dask scheduler that answers, "
                f"as in tcp://node0:8786 ({error})"
            ) from None
        self._module, self._threads = module, threads

    def jobs(self) -> int:
        """The number of runs that the cluster has threads for now, at least one: it may still grow."""
        threads: Any = self._client.nthreads()
        return max(1, sum(threads.values()) // self._threads)

    def new_worker(self, others: object, inbox: queue.SimpleQueue) -> "ClusterWorker":
        """One that takes a run at a time, wherever there is room for it."""
        del others
        return ClusterWorker(self._client, self._module, self._threads, inbox)

    def close(self) -> None:
        """Leave the scheduler and its workers to themselves."""
        self._client.close()


class ClusterWorker:
    """A place for one run at a time on the cluster; answers as `worker.Worker` does.

    Args:
        client: of the scheduler.
        module, threads: see `Cluster`.
        inbox: takes (worker, answer).
    """

    log = "the log of the Dask worker"

    def __init__(
        self,
        client: "Client",
        module: str,
        threads: int,
        inbox: queue.SimpleQueue,
    ):
        from distributed import Event

        self.cores: tuple[int, ...] = ()
        self._client, self._module, self._threads, self._inbox = client, module, threads, inbox
        # of the topic of what is said, and of the event that stops its run
        self._name = f"firsthand-{uuid.uuid4().hex}"
        self._stop = Event(self._name, client=client)
        self._future: Future | None = None
        client.subscribe_topic(self._name, lambda event: inbox.put((self, {"line": event[1]})))

    def ask(self, **request: Any) -> None:
        """Hand out a run."""
        request |= {name: os.path.abspath(request[name]) for name in ("out", "scratch")}
        # the same name for the same run: what an earlier client began, and could not stop, is not begun twice
        key = f"firsthand-{request['scratch']}-{request['id']}-{request['seed']}"
        ours = versions()["firsthand"]
        given = (self._module, request, self._threads, self._name, ours)
        future = self._client.submit(carry_out, *given, key=key, pure=False)
        future.add_done_callback(self._ended)
        self._future = future

    def _ended(self, future: "Future") -> None:
        try:
            answer = future.result()
        except CancelledError:
            return
        except Exception as error:  # of Dask itself: that the task was given up, or cannot be read by a worker
            answer = {"failed": f"{type(error).__name__}: {error}", "trace": self.log}
        future.release()
        self._inbox.put((self, answer))

    def how_it_ended(self) -> str:
        """Empty: Dask finds another worker in the place of one that is lost."""
        return ""

    def end(self) -> None:
        """Stop its run wherever it is."""
        with suppress(Exception):  # the scheduler may be gone
            self._stop.set()
            if self._future is not None and not self._future.done():
                self._future.cancel()


def carry_out(module: str, request: dict[str, Any], threads: int, name: str, version: str) -> dict[str, Any]:
    """Do a run on the machine of a Dask worker, in a process of its own, and return its last answer."""
    from distributed import Event, get_worker

    worker = get_worker()
    scratch, found = Path(request["scratch"]), versions()["firsthand"]
    if found != version:
        return _failed(f"{worker.address} has firsthand {found}, expected {version}", worker.address)
    if not (scratch / "lock").exists():
        return _failed(f"{worker.address} does not see {scratch}, expected a folder that all machines share", scratch)
    os.environ["NPROC"] = str(threads)  # of the process: where the cores are, the system says, not we
    log = scratch / f"worker-{worker.address.replace('/', '-').replace(':', '-')}.log"
    stop = Event(name, client=worker.client)
    answers: queue.SimpleQueue[tuple[Worker, dict[str, Any] | None]] = queue.SimpleQueue()
    with ended() as processes:
        process = Worker(module, tuple(cores()), log, answers)
        processes.append(process)
        process.ask(**request)
        while True:
            try:
                _, answer = answers.get(timeout=2)
            except queue.Empty:
                if stop.is_set():
                    return _failed("stopped", log)
                continue
            if answer is None:
                return _failed(f"its process ended ({process.how_it_ended()})", log)
            if "line" not in answer:
                return answer
            worker.log_event(name, answer["line"])


def _failed(why: str, where: object) -> dict[str, Any]:
    return {"failed": why, "trace": str(where)}
