"""A Dask cluster of real processes on this machine, for tests."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from tests.processes import read_until, running

__all__ = ["ROOT", "cluster", "scheduler", "worker"]

ROOT = Path(__file__).parents[1]


def _dask(*arguments: str) -> AbstractContextManager[subprocess.Popen[str]]:
    """A Dask process, which says on standard error where it is."""
    environment = {**os.environ, "DASK_DISTRIBUTED__LOGGING__DISTRIBUTED": "info"}
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))  # `tests`, in any folder
    command = [sys.executable, "-m", "dask", *arguments]
    return running(command, stderr=subprocess.STDOUT, env={**environment, "PYTHONPATH": path})


@contextmanager
def scheduler() -> Iterator[str]:
    """Run a scheduler, and give its address."""
    with _dask("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard") as process:
        yield read_until(process, lambda line: "Scheduler at:" in line).split()[-1]


@contextmanager
def worker(address: str, threads: int = 1) -> Iterator[subprocess.Popen[str]]:
    """Run a worker that has registered with a scheduler."""
    arguments = ["--no-nanny", "--no-dashboard", "--nthreads", str(threads), "--host", "127.0.0.1"]
    with _dask("worker", address, *arguments) as process:
        read_until(process, lambda line: "Registered to" in line)
        yield process


@contextmanager
def cluster(threads: int = 1) -> Iterator[str]:
    """Run a scheduler with one worker, and give its address."""
    with scheduler() as address, worker(address, threads):
        yield address
