"""Runs on a Dask cluster: a scheduler and two workers, real processes; one of the two is killed while it does a run."""

import signal
import subprocess
import sys

import pytest

from firsthand.errors import FirsthandError
from firsthand.experiments.records import Place
from firsthand.experiments.result import Result
from tests.dask import scheduler, worker
from tests.processes import PATIENCE, children_of, running, wait_until

from .test_running import MODULE, done, here, run

__all__ = ["here"]  # the fixture

RUN = f"""
import sys
from firsthand.experiments.running import run_all
failed = run_all(sys.argv[2:], out="out", scratch="scratch", module="{MODULE}", scheduler=sys.argv[1])
sys.exit("; ".join(failed))
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="finds the children of a process in /proc")
def test_a_run_of_a_worker_that_is_killed_resumes_on_another(here):
    (here / "hang").touch()
    place = Place.of(here / "scratch", False, "slow", 0)
    with scheduler() as address, worker(address) as first, worker(address) as second:
        command = [sys.executable, "-c", RUN, address, "slow", "broken"]
        with running(command, stderr=subprocess.PIPE) as client:
            wait_until(lambda: (place.work / "epochs").exists() and (place.work / "epochs").read_text() == "5")
            victim = next(each for each in (first, second) if children_of(each.pid))
            (here / "hang").unlink()
            victim.send_signal(signal.SIGKILL)
            said = client.communicate(timeout=PATIENCE)[1]
    assert "broken, run 0: ZeroDivisionError: there is nothing" in said
    assert [line for line in done(here) if line != "broken"] == [f"slow 0 epoch {epoch}" for epoch in range(10)]
    assert Result.load("out/slow.json").n == 1


@pytest.mark.slow
def test_a_scheduler_that_does_not_answer_is_said_in_one_line(here):
    with pytest.raises(FirsthandError, match=r"found tcp://127\.0\.0\.1:9, expected the address of a Dask scheduler"):
        run("plain", scheduler="tcp://127.0.0.1:9")
