"""Processes that tests start: all waits have the same patience, and nothing outlives its test."""

import contextlib
import io
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

PATIENCE = 120  # seconds, of every wait: for a machine with several times more to do than it has cores


def wait_until(holds: Callable[[], object], what: str = "it came true") -> None:
    """Ask a few times a second; fail when patience ends first."""
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end, f"waited {PATIENCE} s until {what}"
        time.sleep(0.05)


def finished(command: Sequence[object], **options: Any) -> subprocess.CompletedProcess[str]:
    """A process that has ended, with its output and its errors as text."""
    given = {"capture_output": True, "text": True, "timeout": PATIENCE, **options}
    return subprocess.run(list(map(str, command)), **given)


def called(*arguments: object, cwd: object = None, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """Call `firsthand ARGUMENTS` in this process, which has imported JAX and compiled programs already."""
    from firsthand.cli import main

    output, errors = (io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True) for _ in range(2))
    command = ["firsthand", *map(str, arguments)]
    with (
        mock.patch.object(sys, "argv", command),
        mock.patch.object(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin), "utf-8")),
        mock.patch.object(sys, "stdout", output),
        mock.patch.object(sys, "stderr", errors),
        contextlib.chdir(str(cwd or ".")),
        pytest.raises(SystemExit) as ended,
    ):
        main()
    said = (stream.buffer.getvalue() for stream in (output, errors))
    return subprocess.CompletedProcess(command, int(ended.value.code or 0), *said)


def called_text(*arguments: object, **options: Any) -> subprocess.CompletedProcess[str]:
    """The same, with output and errors as text."""
    done = called(*arguments, **options)
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


@contextmanager
def running(command: Sequence[object], **options: Any) -> Iterator[subprocess.Popen[str]]:
    """A process whose output is text in a pipe; it is killed where it is left running, as by a test that fails."""
    given = {"stdout": subprocess.PIPE, "text": True, **options}
    with subprocess.Popen(list(map(str, command)), **given) as process:
        try:
            yield process
        finally:
            process.kill()


def read_until(process: subprocess.Popen[str], holds: Callable[[str], object]) -> str:
    """The first line of a process's output for which this holds; fail when it ends before, or patience does."""
    assert process.stdout is not None
    # reading a pipe knows no time limit: who keeps silent too long is killed, which ends the pipe
    watchdog = threading.Timer(PATIENCE, process.kill)
    watchdog.start()
    try:
        for line in process.stdout:
            if holds(line):
                return line
    finally:
        watchdog.cancel()
    pytest.fail(f"the process ended with {process.wait(PATIENCE)} before it said what was waited for")


def kill_and_resume(start: Callable[[str, float], AbstractContextManager[subprocess.Popen[str]]]) -> None:
    """Let a run end, and another be killed in its third epoch and go on to its end.

    Args:
        start: starts a run by its name, 'whole' or 'killed', which waits some seconds after every epoch and prints its
            number.
    """
    with start("whole", 0) as whole:
        with start("killed", 0.05) as victim:
            read_until(victim, lambda line: line.startswith("3"))
            victim.send_signal(signal.SIGKILL)
            assert victim.wait(PATIENCE) == -signal.SIGKILL
        with start("killed", 0) as resumed:
            for process in (resumed, whole):
                process.communicate(timeout=PATIENCE)
                assert process.returncode == 0


def children_of(pid: int) -> list[int]:
    """Processes that a process has started, whichever of its threads did (Linux)."""
    return [int(child) for path in Path(f"/proc/{pid}/task").glob("*/children") for child in path.read_text().split()]


def is_alive(pid: int) -> bool:
    """Return whether a process has not ended (Linux)."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False
