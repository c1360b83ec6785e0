"""Train what the lab's pages Text and Execute show as soon as it is installed, and write it into the package.

    python tools/box/memories.py [letters | sums | programs ...] [--checkpoints FOLDER]

Three small recurrent networks, with 16 bits a parameter: the recipe `shakespeare`, and the networks of the studies
`execute-add` and `execute-program`, each by the combined curriculum.  Two things differ from these: a quarter of the
numbers have fewer digits, because people type such sums, and the second has half of the epochs.  What their
descriptions say of their quality is measured with the parameters as they are written, on text and programs that were
held out; results/boxed_memories.json has the same.
"""

import argparse
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar, cast

import jax
import numpy as np

from firsthand import nn
from firsthand.data import Splits, shakespeare, shakespeare_text
from firsthand.data.tasks import ALPHABET, Difficulty
from firsthand.files import describe_machine, write_atomically
from firsthand.learning import train
from firsthand.models.family import MODEL_FORMAT, NetworkModel
from firsthand.models.file import flatten, write_safetensors
from firsthand.nn import Network
from firsthand.studies.learning_to_execute import (
    EACH_EPOCH,
    LINES,
    SUMS,
    TESTED,
    UNITS,
    Curriculum,
    Task,
    execute_recipe,
    graded,
)
from firsthand.zoo import SHAKESPEARE
from firsthand.zoo.box import LETTERS, PROGRAMS, SUM_READER

M = TypeVar("M", bound=NetworkModel)

SHORTER = 0.25  # of the numbers have fewer digits
RESULTS = Path("results/boxed_memories.json")
LISTED = ("letters", "sums", "programs", "copies", "stories")  # in the results; the last two are of machines.py
EPOCHS = {"sums": SUMS.epochs, "programs": LINES.epochs // 2}  # of the second, that it takes less than ten minutes
TASKS = {
    name: (replace(task, hardest=task.hardest._replace(shorter=SHORTER), epochs=EPOCHS[name]), path)
    for name, task, path in (("sums", SUMS, SUM_READER), ("programs", LINES, PROGRAMS))
}


def main() -> None:
    """Train those that are named, or all."""
    made = {name: partial(executed, name, *task) for name, task in TASKS.items()}
    make_named({"letters": letters, **made}, __doc__, Path("runs/memories"))


def make_named(made: Mapping[str, Callable[[Path], None]], about: str | None, checkpoints: Path) -> None:
    """Read the command line of a tool: make those that are named, or all.

    Args:
        made: name to a function of the folder of checkpoints.
        about: the tool.
        checkpoints: where they are by default.
    """
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("names", nargs="*", default=made, metavar="NAME")
    parser.add_argument("--checkpoints", type=Path, default=checkpoints)
    asked = parser.parse_args()
    asked.checkpoints.mkdir(parents=True, exist_ok=True)
    for name in asked.names:
        if name not in made:
            *others, last = made
            parser.error(f"{name!r} found, {', '.join(others)} or {last} expected")
        made[name](asked.checkpoints)


def letters(place: Path) -> None:
    """The recipe `shakespeare`, as `firsthand train` runs it."""
    data, text = shakespeare(SHAKESPEARE.length or 64), shakespeare_text()
    options = checkpointed(place / "letters.safetensors")
    training = train(SHAKESPEARE.network(data.train), data, SHAKESPEARE.recipe, key=jax.random.key(0), **options)
    model = halved(training.model)
    about = {
        "task": "letters",
        "training_data": data.train.digest,
        "recipe": SHAKESPEARE.recipe.to_json(),
        "scores": {"test": {"bits": model.bits(text.test), "perplexity": model.perplexity(text.test)}},
        "tested_on": f"{len(text.test):,} characters that were held out, read on with a memory",
    }
    write(model, about, LETTERS, sum(training.history["seconds"]))


def executed(name: str, task: Task, path: Path, place: Path) -> None:
    """The network of one of the studies, by the combined curriculum, graded on test programs of every difficulty."""
    recipe = execute_recipe(task)
    source = Curriculum(task, "combined", task.epochs, EACH_EPOCH)
    hardest = task.answers(TESTED, lambda random: task.hardest, "validation", 0)
    layers = (nn.Embedding(len(ALPHABET), 16), nn.LSTM(UNITS), nn.Softmax(len(ALPHABET)))
    options = checkpointed(place / f"{name}.safetensors")
    network = Network(layers, hardest.example_shape)
    training = train(network, Splits(source, hardest, None), recipe, key=jax.random.key(0), **options)
    model = halved(training.model)
    found = {at: graded(model, task, at, TESTED) for at in task.difficulties}
    about = {
        "task": name,
        "kinds": list(task.kinds),
        "hardest": task.hardest._asdict(),
        "training_data": source.digest,
        "recipe": recipe.to_json(),
        "scores": {
            _named(at, task): {what: round(scores[what], 4) for what in ("right", "whole")}
            for at, scores in found.items()
        },
        "tested_on": f"{TESTED} programs of each difficulty that were held out by the hash of their text",
    }
    write(model, about, path, sum(training.history["seconds"]))


def halved(model: M) -> M:
    """The model with its parameters as 16 bits keep them."""
    params = jax.tree.map(lambda a: np.asarray(a, np.float16).astype(np.float32), model.params)
    return replace(cast(Any, model), params=params)


def write(model: NetworkModel, about: dict[str, Any], path: Path, seconds: float) -> None:
    """Write a model with half of the bits, and say how good it is."""
    about |= {"machine": describe_machine(), "seconds": round(seconds)}
    arrays = {name: array.astype(np.float16) for name, array in flatten(model.params).items()}
    described = replace(cast(Any, model), provenance=about).description()
    write_safetensors(path, arrays, {"format": MODEL_FORMAT, **described})
    print(f"{path}: {path.stat().st_size / 2**20:.2f} MiB, {about['scores']}", flush=True)
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    results[about["task"]] = about
    write_atomically(RESULTS, json.dumps({name: results[name] for name in LISTED if name in results}, indent=1) + "\n")


def _named(at: Difficulty, task: Task) -> str:
    """A difficulty for people; the page Execute and the tables of the docs have it in Chinese."""
    digits = "1 digit" if at.length == 1 else f"up to {at.length} digits"
    return digits + (f", nesting {at.nesting}" if task.hardest.nesting > 1 else "")


def checkpointed(file: Path) -> dict[str, Any]:
    """Options of `train` that go on from a checkpoint, where there is one, and say every epoch."""
    return {"checkpoint": file, "resume": file.exists(), "progress": _say}


def _say(at: Any) -> None:
    if at.record is not None:
        print(f"{at.epoch}/{at.epochs} {at.record['batch_cost']:.3f}", flush=True)


if __name__ == "__main__":
    main()
