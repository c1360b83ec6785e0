"""Contenders in processes of their own, and rounds in which each has its turn: A B C, A B C, ...

So whatever else the machine does strikes all of them, thread settings do not leak from one to another, and ratios are
taken within a round.
"""

import contextlib
import json
import os
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ..summary import ROOT, Failed
from .nets import KNOWN, Problem, load_params, load_problem, save_params, shapes
from .peers import ABOUT

__all__ = ["ROOT", "Failed", "Worker", "disagreement", "prepare", "workplace"]

# generous: torch.compile on a cold cache and a busy machine
SECONDS_TO_ANSWER = 300
# Sparsity, and with it the cost of firsthand's kernel, is another at random parameters than at those of a training
# under way: all start from parameters that firsthand has trained for this many mini-batches of 10.
WARM_STEPS = 1000


class Worker:
    """One contender's process, pinned to this many cores.

    Args:
        peer: its file in `benchmarks.speed.peers`.
        threads: how many cores it may use, and threads it is told to use.
        folder: from `workplace`.
        first_core: the first of its cores, counted among those that this process may use.
        python: what runs it, where its framework is in an environment of its own.
        module: the worker, in `benchmarks.speed.peers`.
    """

    def __init__(
        self,
        peer: str,
        threads: int,
        folder: Path,
        first_core: int = 0,
        python: str = sys.executable,
        module: str = "worker",
    ) -> None:
        self.peer, self.threads = peer, threads
        self.log = folder / f"{peer}-{threads}-{first_core}.log"
        cores = sorted(os.sched_getaffinity(0))[first_core : first_core + threads]
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [python, "-m", f"benchmarks.speed.peers.{module}", peer, ",".join(map(str, cores)), str(folder)],
                cwd=ROOT,
                env=environment(peer, threads),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
            )

    def ask(self, do: str, **request: Any) -> dict[str, Any]:
        """Send a request and wait for the answer.

        Raises:
            Failed: the contender says so, or is gone, or does not answer in time.
        """
        self.send(do, **request)
        return self.receive(do)

    def send(self, do: str, **request: Any) -> None:
        """Send a request, whose answer must be received before the next."""
        assert self.process.stdin is not None
        if self.process.poll() is not None:
            raise Failed(self._last_words())
        try:
            self.process.stdin.write(json.dumps({"do": do, **request}).encode() + b"\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            raise Failed(self._last_words()) from None

    def receive(self, do: str) -> dict[str, Any]:
        """Wait for the answer to a request."""
        assert self.process.stdout is not None
        if not select.select([self.process.stdout], [], [], SECONDS_TO_ANSWER)[0]:
            self.close()
            raise Failed(f"no answer to {do} in {SECONDS_TO_ANSWER} s")
        line = self.process.stdout.readline()
        if not line:
            raise Failed(self._last_words())
        answer = json.loads(line)
        if "error" in answer:
            raise Failed(answer["error"])
        return answer

    def seconds_per_step(self, variant: str, steps: int) -> float:
        """Seconds that a step takes, the mean of several from the starting parameters."""
        return self.ask("run", variant=variant, steps=steps)["seconds"] / steps

    def _last_words(self) -> str:
        self.process.wait(timeout=10)
        lines = self.log.read_text().strip().splitlines() or ["nothing said"]
        return f"the process ended ({self.process.returncode}): {lines[-1]}"

    def close(self) -> None:
        """End the process."""
        self.process.kill()
        self.process.wait()
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        self.process.stdout.close()


def environment(peer: str, threads: int) -> dict[str, str]:
    """The variables that tell each library how many threads to use; read when it is loaded."""
    found = dict(os.environ)
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        found[name] = str(threads)
    found["JAX_PLATFORMS"] = "cpu"
    if threads == 1:
        found["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
    return found | ABOUT.get(peer, {}).get("environment", {})


@contextlib.contextmanager
def workplace() -> Iterator[Path]:
    """A temporary folder with the data that every contender reads."""
    from firsthand.data import mnist

    with tempfile.TemporaryDirectory(prefix="firsthand-bench-") as name:
        folder, train = Path(name), mnist().train
        np.save(folder / "images.npy", train.images)
        np.save(folder / "labels.npy", train.labels.astype(np.int32))
        np.save(folder / "order.npy", np.random.default_rng(0).permutation(len(train)).astype(np.int32))
        yield folder


def initial(net: str, seed: int = 0) -> list[np.ndarray]:
    """Random parameters: N(0, 2/inputs) before a ReLU, N(0, 1/inputs) otherwise, biases zero."""
    random, chosen = np.random.default_rng(seed), KNOWN[net].without_dropout()
    params = []
    for (_, shape), layer in zip(shapes(chosen), chosen.layers, strict=True):
        variance = (2 if getattr(layer, "activation", "relu") == "relu" else 1) / np.prod(shape[:-1])
        params.append((random.standard_normal(shape) * variance**0.5).astype(np.float32))
        params.append(np.zeros(shape[-1], np.float32))
    return params


def prepare(folder: Path, net: str, worker: Worker, steps: int = WARM_STEPS) -> None:
    """Lay down the parameters that every contender starts from."""
    path = folder / f"{net}.npz"
    save_params(path, initial(net))
    if steps:
        worker.ask("prepare", variant="train", net=net, batch_size=10, dropout=True)
        trained = folder / "trained.npz"
        worker.ask("agree", variant="train", steps=steps, out=str(trained))
        worker.ask("forget", variant="train")
        trained.replace(path)


def disagreement(worker: Worker, variant: str, folder: Path, net: str, batch_size: int, steps: int) -> float:
    """The difference between a contender's parameters and firsthand's after some steps without dropout.

    Per array, the distance relative to the way that firsthand's has come; the largest of them.  firsthand must have
    been asked first.
    """
    worker.ask("prepare", variant=variant, net=net, batch_size=batch_size, dropout=False)
    reference = folder / f"{net}-{batch_size}-reference.npz"
    out = reference if worker.peer == "firsthand" and not reference.exists() else folder / "agree.npz"
    worker.ask("agree", variant=variant, steps=steps, out=str(out))
    problem: Problem = load_problem(folder, net, batch_size, dropout=False)
    ways = zip(load_params(out), load_params(reference), problem.params, strict=True)
    return max(float(np.linalg.norm(a - b) / np.linalg.norm(b - start)) for a, b, start in ways)


def interleaved(workers: list[tuple[Worker, str, int]], rounds: int) -> list[list[float]]:
    """Seconds per step of each (worker, variant, steps), round by round: result[contender][round]."""
    values: list[list[float]] = [[] for _ in workers]
    for _ in range(rounds):
        for found, (worker, variant, steps) in zip(values, workers, strict=True):
            time.sleep(0.05)  # threads that spin after the last contender's work come to rest
            found.append(worker.seconds_per_step(variant, steps))
    return values
