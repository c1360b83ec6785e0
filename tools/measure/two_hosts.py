"""Train on two hosts, cut one off, put it back, and go on: results/two_hosts.json.

    sudo python tools/measure/two_hosts.py [--epochs 40]

The hosts are network namespaces of this machine (Linux, root, iproute2) with a virtual link between them: each has
interfaces, addresses and a hosts file of its own, and nothing else in common but the disk.  A training is done whole;
another is cut off once it has three epochs, by taking the link down, and resumes on both hosts when the link is back.
What is measured: the time until both processes have ended, what they said, whether the checkpoint was whole, and
whether the resumed model has the bits of the whole one.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jax
import numpy as np

from firsthand.files import describe_machine, versions, write_atomically
from firsthand.models import Model

ROOT = Path(__file__).parents[2]
HOSTS = {"firsthand-a": "10.77.0.1", "firsthand-b": "10.77.0.2"}
RECIPE = ("--recipe", "fully-connected", "--examples", "2000", "--batch-size", "20")
PATIENCE = 300  # seconds


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--out", type=Path, default=ROOT / "results" / "two_hosts.json")
    chosen = parser.parse_args()
    options = (*RECIPE, "--epochs", str(chosen.epochs))
    with tempfile.TemporaryDirectory(prefix="firsthand-hosts-") as folder, _hosts():
        place = Path(folder)
        whole = _exit_codes(_start(place / "whole", *options))
        cut = _cut_off(place / "cut", *options)
        resumed = _exit_codes(_start(place / "cut", resume=True))
        models = [Model.load(place / name / "model.safetensors").params for name in ("whole", "cut")]
        same = all(np.array_equal(*pair) for pair in zip(*map(jax.tree.leaves, models), strict=True))
    results = {
        "machine": describe_machine(),
        "versions": versions(),
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "options": options,
        "whole": {"exit_codes": whole},
        "cut_off": cut,
        "resumed": {"exit_codes": resumed, "same_bits_as_whole": same},
    }
    print(json.dumps(results, indent=1))
    write_atomically(chosen.out, json.dumps(results, indent=1).encode())


def _exit_codes(processes: list[subprocess.Popen[str]]) -> list[int]:
    for process in processes:
        process.communicate(timeout=PATIENCE)  # a pipe that nobody reads stops who writes into it
    return [process.returncode for process in processes]


def _cut_off(out: Path, *options: str) -> dict[str, Any]:
    """Take the link down in the middle of a training, and wait for both hosts to notice."""
    processes = _start(out, *options)
    first = processes[0]
    watchdog = threading.Timer(PATIENCE, first.kill)
    watchdog.start()
    assert first.stdout is not None
    for line in first.stdout:
        if line.startswith("epoch 3/"):
            break
    watchdog.cancel()
    _ip("-n", "firsthand-b", "link", "set", "link-b", "down")
    started, found = time.monotonic(), []
    for host, process in zip(HOSTS, processes, strict=True):
        _, errors = process.communicate(timeout=PATIENCE)
        own = [line for line in errors.splitlines() if line.startswith("firsthand: ")]
        seconds = round(time.monotonic() - started, 1)
        found.append({"host": host, "exit_code": process.returncode, "seconds": seconds, "said": own})
    _ip("-n", "firsthand-b", "link", "set", "link-b", "up")
    left = sorted(path.name for path in out.iterdir())
    return {"hosts": found, "left": left}


def _start(out: Path, *options: str, resume: bool = False) -> list[subprocess.Popen[str]]:
    """A training of two processes, one on each host."""
    address = next(iter(HOSTS.values()))
    where = ("--resume", str(out)) if resume else ("--out", str(out))
    processes = []
    for number, host in enumerate(HOSTS):
        command = [sys.executable, "-u", "-m", "firsthand", "train", *options, *where]
        command += ["--coordinator", f"{address}:7733", "--processes", "2", "--process-id", str(number)]
        processes.append(
            subprocess.Popen(
                ["ip", "netns", "exec", host, *command],
                stdout=subprocess.PIPE if number == 0 and not resume else subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
                env={**os.environ, "NPROC": "1"},
            )
        )
    return processes


@contextmanager
def _hosts() -> Iterator[None]:
    """Two namespaces, a link between them, and in each a hosts file that says its own name's address."""
    name = os.uname().nodename
    files = {host: Path("/etc/netns") / host / "hosts" for host in HOSTS}
    try:
        for host, address in HOSTS.items():
            _ip("netns", "add", host)
            _ip("-n", host, "link", "set", "lo", "up")
            files[host].parent.mkdir(parents=True)
            files[host].write_text(f"127.0.0.1 localhost\n{address} {name}\n")  # a program there sees it as /etc/hosts
        _ip("link", "add", "link-a", "netns", "firsthand-a", "type", "veth", "peer", "link-b", "netns", "firsthand-b")
        for (host, address), link in zip(HOSTS.items(), ("link-a", "link-b"), strict=True):
            _ip("-n", host, "addr", "add", f"{address}/24", "dev", link)
            _ip("-n", host, "link", "set", link, "up")
        yield
    finally:
        for host in HOSTS:
            subprocess.run(["ip", "netns", "delete", host], check=False, capture_output=True)
            files[host].unlink(missing_ok=True)
            if files[host].parent.is_dir():
                files[host].parent.rmdir()


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True)


if __name__ == "__main__":
    main()
