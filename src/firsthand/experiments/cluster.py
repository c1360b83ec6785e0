"""Runs on the machines of a Dask cluster instead of in processes here (`firsthand.cluster`).

Every run is a task, done in a process of its own beside the Dask worker.  So the folders of results and checkpoints are
ones that all machines see.
"""

import os
import queue
from concurrent.futures import CancelledError
from pathlib import Path
from typing import Any

from firsthand.cluster import AtWork, Cluster, Task
from firsthand.errors import FirsthandError
from firsthand.processes import cores

from .worker import Worker, ended

__all__ = ["ClusterRuns", "ClusterWorker"]


class ClusterRuns:
    """A place of work: the workers of a Dask scheduler.

    Args:
        address: of the scheduler, as in tcp://node0:8786.
        module: name of the module whose EXPERIMENTS they are; every worker imports it.
        threads: how many cores each run has.
    Raises:
        FirsthandError: distributed is not installed, or no scheduler answers.
    """

    def __init__(self, address: str, module: str, threads: int):
        self._cluster = Cluster(address)
        self._module, self._threads = module, threads

    def jobs(self) -> int:
        """The number of runs that the cluster has threads for now, at least one: it may still grow."""
        return max(1, sum(self._cluster.threads()) // self._threads)

    def new_worker(self, others: object, inbox: queue.SimpleQueue) -> "ClusterWorker":
        """One that takes a run at a time, wherever there is room for it."""
        del others
        return ClusterWorker(self._cluster, self._module, self._threads, inbox)

    def close(self) -> None:
        """Leave the scheduler and its workers to themselves."""
        self._cluster.close()


class ClusterWorker:
    """A place for one run at a time on the cluster; answers as `worker.Worker` does.

    Args:
        cluster: whose workers.
        module, threads: see `ClusterRuns`.
        inbox: takes (worker, answer).
    """

    log = "the log of the Dask worker"

    def __init__(self, cluster: Cluster, module: str, threads: int, inbox: queue.SimpleQueue):
        self.cores: tuple[int, ...] = ()
        self._cluster, self._module, self._threads, self._inbox = cluster, module, threads, inbox
        self._task: Task | None = None

    def ask(self, **request: Any) -> None:
        """Hand out a run."""
        request |= {name: os.path.abspath(request[name]) for name in ("out", "scratch")}
        self._task = Task(
            self._cluster,
            carry_out,
            self._module,
            request,
            self._threads,
            seen=Path(request["scratch"], "lock"),
            tell=lambda line: self._inbox.put((self, {"line": line})),
            done=self._answer,
            key=f"firsthand-{request['scratch']}-{request['id']}-{request['seed']}",
        )

    def _answer(self, task: Task) -> None:
        try:
            answer = task.result()
        except (CancelledError, KeyboardInterrupt):
            return
        except FirsthandError as error:
            answer = _failed(str(error), self.log)
        except Exception as error:
            answer = _failed(f"{type(error).__name__}: {error}", self.log)
        task.end()
        self._inbox.put((self, answer))

    def how_it_ended(self) -> str:
        """Empty: Dask finds another worker in the place of one that is lost."""
        return ""

    def end(self) -> None:
        """Stop its run wherever it is."""
        if self._task is not None:
            self._task.end()


def carry_out(here: AtWork, module: str, request: dict[str, Any], threads: int) -> dict[str, Any]:
    """Do a run on the machine of a Dask worker, in a process of its own, and return its last answer."""
    os.environ["NPROC"] = str(threads)  # of the process: where the cores are, the system says, not we
    log = Path(request["scratch"]) / f"worker-{here.address.replace('/', '-').replace(':', '-')}.log"
    answers: queue.SimpleQueue[tuple[Worker, dict[str, Any] | None]] = queue.SimpleQueue()
    with ended() as processes:
        process = Worker(module, tuple(cores()), log, answers)
        processes.append(process)
        process.ask(**request)
        while True:
            try:
                _, answer = answers.get(timeout=2)
            except queue.Empty:
                if here.stopped():
                    return _failed("stopped", log)
                continue
            if answer is None:
                return _failed(f"its process ended ({process.how_it_ended()})", log)
            if "line" not in answer:
                return answer
            here.say(answer["line"])


def _failed(why: str, where: object) -> dict[str, Any]:
    return {"failed": why, "trace": str(where)}
