"""One contender of benchmarks.speed.language in a process of its own: like `worker`, without its networks of images.

{"do": "prepare", "variant"}                  -> {}
{"do": "agree", "variant", "steps", "out"}    -> {}           parameters after some steps
{"do": "run", "variant", "steps"}             -> {"seconds", "processor_seconds"}
"""

import importlib
import json
import os
import sys
import time
from pathlib import Path
from typing import Any


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


def main() -> None:
    """Answer until the input ends."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    name, cores, folder = sys.argv[1], [int(core) for core in sys.argv[2].split(",")], Path(sys.argv[3])
    os.sched_setaffinity(0, cores)  # before a framework is imported: it counts the cores that it may use
    worker = None
    for line in sys.stdin:
        request = json.loads(line)
        try:
            worker = worker or _Worker(name, len(cores), folder)
            answer = getattr(worker, request.pop("do"))(**request)
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {' '.join(str(error).split())[:500]}"}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
