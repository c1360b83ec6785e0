"""The time of the convolutional step, part by part: each kernel alone, over the mini-batches of a training under way.

Every call of a kernel stands in a compiled loop and sees another mini-batch each time, because processors learn to
foresee the branches of one that is repeated.  What is left of the step, when the kernels are taken off, is what XLA
makes of the rest: gather of the mini-batch, fully connected layers, cost, update, and the loop.
"""

from pathlib import Path
from typing import Any

from ..summary import about, save, spread
from .contest import Worker, interleaved, prepare, workplace

__all__ = ["PARTS", "run"]

NET = "conv-2"
PARTS = ("forward 1", "forward 2", "weights' gradient 1", "weights' gradient 2", "input's gradient 2")


def run(folder: Path, rounds: int = 7, seconds: float = 0.3) -> None:
    """Measure on one core, print, and write `parts.json` into a folder."""
    results = about(rounds, net=NET)
    with workplace() as place:
        whole, kernels = Worker("firsthand", 1, place), Worker("firsthand_kernels", 1, place)
        try:
            prepare(place, NET, whole)
            results["batches"] = [_measure(whole, kernels, size, rounds, seconds) for size in (10, 128)]
        finally:
            whole.close()
            kernels.close()
    save(folder / "parts.json", results)


def _measure(whole: Worker, kernels: Worker, batch_size: int, rounds: int, seconds: float) -> dict[str, Any]:
    """Seconds per mini-batch of every part and of the step, in turn; `rest` is the step without the parts."""
    turns = []
    for worker, variant in ((whole, "train"), *((kernels, name) for name in PARTS)):
        worker.ask("prepare", variant=variant, net=NET, batch_size=batch_size, dropout=True)
        trial = [worker.seconds_per_step(variant, n) for n in (3, 20)][-1]
        turns.append((worker, variant, max(3, min(int(seconds / trial), 50_000 // batch_size))))
    times = dict(zip(("step", *PARTS), interleaved(turns, rounds), strict=True))
    rest = [step - sum(parts) for step, *parts in zip(*times.values(), strict=True)]
    found = {name: spread(values) for name, values in {**times, "rest": rest}.items()}
    shown = ", ".join(f"{name} {1e6 * value['median']:.0f}" for name, value in found.items())
    print(f"{NET}, mini-batch {batch_size}, microseconds: {shown}", flush=True)
    return {"batch_size": batch_size, "seconds": found}
