"""A language model's training: the recipe `shakespeare` in firsthand, and the same network in PyTorch.

A step is all of it: gather of the mini-batch, forward, backward through time, clipping, Adam.  Both begin with the same
parameters and see the same mini-batches at the same rates; PyTorch is first made to agree, parameter by parameter.  It
may be in an environment of its own: FIRSTHAND_BENCH_TORCH is then the path of its Python.

On a machine with other work the processor's time on one thread says more than the clock.

The time to 2.2 bit per character is that of the recipe's own training, as far as its history says so; as both take the
same steps, PyTorch's is that number of steps times its own time for one.
"""

import json
import os
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from ..summary import about, ratios, save, spread
from .contest import Failed, Worker

__all__ = ["VARIANTS", "lay_down", "run"]

BITS = 2.2
TARGET = 1.8  # times as long as firsthand
AGREEMENT_STEPS = 20
# single precision, and Adam, whose first steps divide a gradient by itself, whatever its size
TOLERANCE = 2e-2
VARIANTS = {
    "firsthand": {"train": "the very program that train() runs"},
    "torch": {
        "batch first": "nn.LSTM over (batch, time, features), fused Adam, clip_grad_norm_",
        "time first": "nn.LSTM over (time, batch, features), fused Adam, clip_grad_norm_",
    },
}


def run(
    folder: Path,
    rounds: int = 7,
    seconds: float = 2.0,
    history: Path | None = None,
    threads: Sequence[int] | None = None,
) -> None:
    """Measure, print, and write `language.json` into a folder.

    Args:
        folder: where to.
        rounds: how many turns each contender has.
        seconds: about how long a turn lasts.
        history: history.json of a whole training by the recipe, for the time to 2.2 bit.
        threads: how many each contender has, in turn; by default one, and one for each core.
    """
    from firsthand.zoo import SHAKESPEARE

    threads = sorted({1, len(os.sched_getaffinity(0))}) if threads is None else threads
    flops = _flops()
    results = about(rounds, threads=list(threads), recipe=SHAKESPEARE.recipe.to_json(), variants=VARIANTS)
    results |= {"tolerance": TOLERANCE, "flops_per_step": flops}
    with TemporaryDirectory(prefix="firsthand-bench-") as name, ExitStack() as stack:
        place = Path(name)
        lay_down(place)
        entries: list[dict[str, Any]] = []
        turns = []
        for count in threads:
            for peer in VARIANTS:
                python = os.environ.get("FIRSTHAND_BENCH_TORCH", sys.executable) if peer == "torch" else sys.executable
                worker = Worker(f"{peer}_language", count, place, python=python, module="language_worker")
                stack.callback(worker.close)
                entry = {"peer": peer, "threads": count, **_ready(worker, peer, place, seconds)}
                entries.append(entry)
                if "variant" in entry:
                    turns.append((worker, entry["variant"], entry["steps"]))
                print(entry, flush=True)
        timed = [entry for entry in entries if "variant" in entry]
        _take_turns(timed, turns, rounds)
    for entry in timed:
        entry["gflops_per_processor_second"] = flops / entry["processor_seconds_per_step"]["median"] / 1e9
    results["contenders"] = entries
    for what in ("seconds_per_step", "processor_seconds_per_step"):
        results[f"ratio_of_{what}_at_equal_threads"] = {
            entry["threads"]: ratios(entry[what]["values"], ours[what]["values"])
            for entry in timed
            for ours in timed
            if (entry["peer"], ours["peer"]) == ("torch", "firsthand") and entry["threads"] == ours["threads"]
        }
    best = {peer: _best(timed, peer) for peer in VARIANTS}
    measured = None
    if best["torch"] and best["firsthand"]:
        results["ratio"] = ratios(*(best[peer]["seconds_per_step"]["values"] for peer in ("torch", "firsthand")))
        measured = results["ratio"]["median"]
    what = "PyTorch's step, as firsthand's, each at its better number of threads (language model)"
    results["targets"] = [{"what": what, "at_least": True, "target": TARGET, "measured": measured}]
    if history is not None:
        results["to_2.2_bits"] = _time_to(json.loads(history.read_text()), best)
    save(folder / "language.json", results)


def _flops() -> int:
    """Multiplications and additions of a step: forward, and backward for the inputs and for the weights."""
    from firsthand.data import shakespeare
    from firsthand.zoo import SHAKESPEARE

    network = SHAKESPEARE.network(shakespeare(SHAKESPEARE.length or 64).train)
    shapes = network.shapes[:-1]
    forward = sum(layer.multiply_adds(shape) for layer, shape in zip(network.layers, shapes, strict=True))
    return 2 * 3 * forward * SHAKESPEARE.recipe.batch_size


def _take_turns(timed: list[dict[str, Any]], turns: list[tuple[Worker, str, int]], rounds: int) -> None:
    """Time each contender in turn; the processor's time beside the clock's, which a busy machine makes longer."""
    answers: list[list[dict[str, Any]]] = [[] for _ in turns]
    for _ in range(rounds):
        for found, (worker, variant, steps) in zip(answers, turns, strict=True):
            time.sleep(0.05)  # threads that spin after the last contender's work come to rest
            found.append(worker.ask("run", variant=variant, steps=steps))
    for entry, found in zip(timed, answers, strict=True):
        for name in ("seconds", "processor_seconds"):
            entry[f"{name}_per_step"] = spread([answer[name] / entry["steps"] for answer in found])


def lay_down(place: Path, seed: int = 0, examples: int | None = None) -> None:
    """Data, order, rates and initial parameters, as files that need NumPy alone.

    Args:
        place: folder.
        seed: of the parameters, which are those that a training by the recipe with this seed begins with.
        examples: how many of the training sequences; None takes all.
    """
    import jax

    from firsthand.data import shakespeare
    from firsthand.zoo import SHAKESPEARE

    from .peers.firsthand_language import arrays_of

    whole, recipe = shakespeare(SHAKESPEARE.length or 64), SHAKESPEARE.recipe
    data, validation = whole.train[:examples], whole.validation[:examples]
    params = SHAKESPEARE.network(data).init(key=jax.random.split(jax.random.key(seed))[0])
    steps = -(-len(data) // recipe.batch_size)
    rates = np.array([recipe.learning_rates(epoch, steps) for epoch in range(recipe.epochs)], np.float32)
    np.savez(
        place / "problem.npz",
        inputs=data.inputs,
        targets=data.targets,
        order=np.random.default_rng(0).permutation(len(data)).astype(np.int32),
        # of the first epoch with the largest rates: how long a step takes does not depend on them
        rates=rates[1],
        all_rates=rates,
        validation_inputs=validation.inputs,
        validation_targets=validation.targets,
        settings=np.array([recipe.batch_size, recipe.clip]),
        **arrays_of(params),
    )


def _ready(worker: Worker, peer: str, place: Path, seconds: float) -> dict[str, Any]:
    """Have a contender's variants agree with firsthand, and keep the fastest."""
    tried: dict[str, Any] = {}
    chosen: dict[str, Any] = {}
    for variant in VARIANTS[peer]:
        try:
            out = place / f"{peer}.npz"
            worker.ask("prepare", variant=variant)
            worker.ask("agree", variant=variant, steps=AGREEMENT_STEPS, out=str(out))
            apart = _apart(place, out)
            if not apart <= TOLERANCE:
                raise Failed(f"its parameters are {apart:.1e} away from firsthand's after {AGREEMENT_STEPS} steps")
            trial = min(worker.seconds_per_step(variant, 5) for _ in range(3))
        except Failed as error:
            tried[variant] = {"unavailable": str(error)}
            continue
        tried[variant] = {"disagreement": apart, "trial_seconds_per_step": trial}
        if not chosen or trial < tried[chosen["variant"]]["trial_seconds_per_step"]:
            chosen = {"variant": variant, "steps": max(3, int(seconds / trial))}
    return {**chosen, "tried": tried}


def _apart(place: Path, out: Path) -> float:
    """The distance of parameters from firsthand's, relative to the way that those have come; the largest of all."""
    found, ours, start = (np.load(path) for path in (out, place / "firsthand.npz", place / "problem.npz"))
    return max(
        float(np.linalg.norm(found[name] - ours[name]) / np.linalg.norm(ours[name] - start[name])) for name in ours
    )


def _best(timed: list[dict[str, Any]], peer: str) -> Any:
    """A peer with the better number of threads."""
    own = [entry for entry in timed if entry["peer"] == peer]
    return min(own, key=lambda entry: entry["seconds_per_step"]["median"], default=None)


def _time_to(history: dict[str, Any], best: dict[str, Any]) -> dict[str, Any]:
    """The number of steps that the recipe took to 2.2 bit per character of validation text, and the minutes of each."""
    from firsthand.data import shakespeare
    from firsthand.zoo import SHAKESPEARE

    records = history["records"]
    reached = next((record["epoch"] for record in records if record["validation_bits"] <= BITS), None)
    if reached is None:
        return {"reached": False, "best_bits": min(record["validation_bits"] for record in records)}
    steps = reached * -(-len(shakespeare(SHAKESPEARE.length or 64).train) // SHAKESPEARE.recipe.batch_size)
    minutes = {
        peer: {"threads": entry["threads"], "minutes": steps * entry["seconds_per_step"]["median"] / 60}
        for peer, entry in best.items()
        if entry
    }
    return {"reached": True, "epochs": reached, "steps": steps, **minutes}
