"""One contender in a process of its own: reads requests from its input, one JSON object a line, and answers likewise.

    {"do": "prepare", "variant", "net", "batch_size", "dropout"}    -> {}           makes the contender, ready to run
    {"do": "agree", "start", "steps", "out"}                        -> {}           parameters after some steps
    {"do": "run", "steps"}                                          -> {"seconds", "processor_seconds"}
    {"do": "versions"}                                              -> {...}

A peer's file has one class, `Peer(problem, variant, threads)`, with `reset()`, `run(start, steps)`, which returns when
the work is done, and `params()`; and the constant PACKAGES.
"""

import importlib
import time
from importlib import metadata
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from benchmarks.speed.nets import Problem, load_problem, save_params
from benchmarks.speed.peers.serving import answer_requests


class Peer(Protocol):
    """The functions that every peer's file offers."""

    def __init__(self, problem: Problem, variant: str, threads: int) -> None: ...
    def reset(self) -> None:
        """Back to the problem's parameters."""

    def run(self, start: int, steps: int) -> None:
        """Steps `start` to `start + steps` of the epoch, complete when this returns."""

    def params(self) -> list[np.ndarray]:
        """The parameters in the form and order of the problem's."""
        ...


class _Worker:
    def __init__(self, name: str, threads: int, folder: Path) -> None:
        self.threads, self.folder = threads, folder
        self.module: Any = importlib.import_module(f"benchmarks.speed.peers.{name}")
        self.peers: dict[str, Peer] = {}

    def prepare(self, variant: str, net: str, batch_size: int, dropout: bool) -> dict[str, Any]:
        problem = load_problem(self.folder, net, batch_size, dropout)
        self.peers[variant] = self.module.Peer(problem, variant, self.threads)
        return {}

    def agree(self, variant: str, steps: int, out: str) -> dict[str, Any]:
        peer = self.peers[variant]
        peer.reset()
        peer.run(0, steps)
        save_params(Path(out), peer.params())
        return {}

    def run(self, variant: str, steps: int) -> dict[str, Any]:
        peer = self.peers[variant]
        peer.reset()
        started, busy = time.perf_counter(), time.process_time()
        peer.run(0, steps)
        return {"seconds": time.perf_counter() - started, "processor_seconds": time.process_time() - busy}

    def forget(self, variant: str) -> dict[str, Any]:
        self.peers.pop(variant, None)
        return {}

    def versions(self) -> dict[str, Any]:
        return {package: metadata.version(package) for package in self.module.PACKAGES}


if __name__ == "__main__":
    answer_requests(_Worker)
