"""One contender of benchmarks.speed.language in a process of its own: like `worker`, without its networks of images.

{"do": "prepare", "variant"}                  -> {}
{"do": "agree", "variant", "steps", "out"}    -> {}           parameters after some steps
{"do": "run", "variant", "steps"}             -> {"seconds", "processor_seconds"}
"""

import importlib
import time
from pathlib import Path
from typing import Any

from benchmarks.speed.peers.serving import answer_requests


class _Worker:
    def __init__(self, name: str, threads: int, folder: Path) -> None:
        self.threads, self.folder = threads, folder
        self.module: Any = importlib.import_module(f"benchmarks.speed.peers.{name}")
        self.peers: dict[str, Any] = {}

    def prepare(self, variant: str) -> dict[str, Any]:
        self.peers[variant] = self.module.Peer(self.folder, variant, self.threads)
        return {}

    def agree(self, variant: str, steps: int, out: str) -> dict[str, Any]:
        self.peers[variant].reset()
        self.peers[variant].run(0, steps)
        self.peers[variant].save(out)
        return {}

    def run(self, variant: str, steps: int) -> dict[str, Any]:
        self.peers[variant].reset()
        started, busy = time.perf_counter(), time.process_time()
        self.peers[variant].run(0, steps)
        return {"seconds": time.perf_counter() - started, "processor_seconds": time.process_time() - busy}


if __name__ == "__main__":
    answer_requests(_Worker)
