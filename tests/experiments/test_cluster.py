"""Runs on a Dask cluster: a scheduler and two workers, real processes; one of the two is killed while it does a run."""

import os
import signal
import subprocess
import sys
from contextlib import contextmanager

import pytest

from firsthand.errors import FirsthandError
from firsthand.experiments.cluster import carry_out
from firsthand.experiments.records import Place
from firsthand.experiments.result import Result
from firsthand.files import versions
from tests.processes import PATIENCE, children_of, read_until, running, wait_until

from .test_running import MODULE, done, here, run

__all__ = ["here"]  # the fixture

RUN = f"""
import sys
from firsthand.experiments.running import run_all
failed = run_all(sys.argv[2:], out="out", scratch="scratch", module="{MODULE}", scheduler=sys.argv[1])
sys.exit("; ".join(failed))
"""


@contextmanager
def dask(*arguments):
    """A Dask process, which says on standard error where it is."""
    command = [sys.executable, "-m", "dask", *arguments]
    with running(
        command, stderr=subprocess.STDOUT, env={**os.environ, "DASK_DISTRIBUTED__LOGGING__DISTRIBUTED": "info"}
    ) as process:
        yield process


@pytest.fixture
def scheduler(here):
    with dask("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard") as process:
        line = read_until(process, lambda line: "Scheduler at:" in line)
        yield line.split()[-1]


def worker(address):
    return dask("worker", address, "--no-nanny", "--no-dashboard", "--nthreads", "1", "--host", "127.0.0.1")


@pytest.mark.skipif(sys.platform != "linux", reason="finds the children of a process in /proc")
def test_a_run_of_a_worker_that_is_killed_resumes_on_another(here, scheduler):
    (here / "hang").touch()
    place = Place.of(here / "scratch", False, "slow", 0)
    with worker(scheduler) as first, worker(scheduler) as second:
        for each in (first, second):
            read_until(each, lambda line: "Registered to" in line)
        command = [sys.executable, "-c", RUN, scheduler, "slow", "broken"]
        with running(command, stderr=subprocess.PIPE) as client:
            wait_until(lambda: (place.work / "epochs").exists() and (place.work / "epochs").read_text() == "5")
            victim = next(each for each in (first, second) if children_of(each.pid))
            (here / "hang").unlink()
            victim.send_signal(signal.SIGKILL)
            said = client.communicate(timeout=PATIENCE)[1]
    assert "broken, run 0: ZeroDivisionError: there is nothing" in said
    assert [line for line in done(here) if line != "broken"] == [f"slow 0 epoch {epoch}" for epoch in range(10)]
    assert Result.load("out/slow.json").n == 1


def test_a_scheduler_that_does_not_answer_is_said_in_one_line(here):
    with pytest.raises(FirsthandError, match=r"found tcp://127\.0\.0\.1:9, expected the address of a Dask scheduler"):
        run("plain", scheduler="tcp://127.0.0.1:9")


def test_a_worker_that_does_not_fit_is_said(here, monkeypatch):
    class Fake:
        address = "tcp://node1:1"

    monkeypatch.setattr("distributed.get_worker", Fake)
    asked = {"scratch": str(here / "elsewhere"), "out": "out", "id": "plain", "seed": 0, "quick": False}
    ours = versions()["firsthand"]
    assert "has firsthand" in carry_out(MODULE, asked, 1, "name", "0.0")["failed"]
    assert "does not see" in carry_out(MODULE, asked, 1, "name", ours)["failed"]
