"""The state of a training on disk after every epoch, so that a killed run goes on as if nothing had happened."""

import json
import os
import re
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import jax

from firsthand.errors import reading
from firsthand.models.file import (
    ModelFileError,
    flatten,
    read_description,
    read_safetensors,
    unflatten,
    write_safetensors,
)
from firsthand.nn import describe, from_json

from .history import History
from .recipe import canonical

__all__ = ["Checkpoint", "epochs_done", "read_checkpoint", "write_checkpoint"]

_FORMAT = "firsthand-checkpoint-1"


class Checkpoint(NamedTuple):
    """Everything that the next epoch depends on."""

    params: Any
    state: Any  # of the optimizer, and the average of the parameters
    best_params: Any
    memory: Any  # of the source; () where it remembers nothing
    history: History
    best: float | None  # value of what decides, at the best epoch
    epochs_without_improvement: int
    halvings: int


def write_checkpoint(path: str | os.PathLike[str], state: Checkpoint, fingerprint: dict[str, Any]) -> None:
    """Replace the checkpoint file at once.

    Args:
        path: where.
        state: after a completed epoch.
        fingerprint: what a resumed run must have in common with this one.
    """
    arrays = flatten(_trees(state))
    about = {
        "format": _FORMAT,
        "fingerprint": fingerprint,
        "history": state.history.to_json(),
        "scalars": [state.best, state.epochs_without_improvement, state.halvings],
    }
    write_safetensors(path, arrays, about)


def read_checkpoint(path: str | os.PathLike[str], like: Checkpoint, fingerprint: dict[str, Any]) -> Checkpoint:
    """Read a checkpoint, made by a training with the same fingerprint.

    Args:
        path: where.
        like: of the structure and shapes to expect.
        fingerprint: of the training that is to go on.
    Raises:
        FileNotFoundError: there is none.
        ModelFileError: it is damaged, or belongs to another training; the message says what differs.
    """
    arrays, about = read_safetensors(path, _FORMAT, "checkpoint")
    with reading(path, "not a usable checkpoint", ModelFileError):
        found = _comparable(about["fingerprint"])
        wanted = _comparable(json.loads(json.dumps(fingerprint)))  # as it looks after a round trip through the file
        if differing := _difference(found, wanted):
            name, then, now = differing
            raise ModelFileError(
                f"{Path(path)}: this run had {name} = {then}, not {now}; "
                "resume it with the same settings, or start a new run"
            )
        trees = unflatten(_trees(like), arrays)
        best, without_improvement, halvings = about["scalars"]
        if type(best) not in (int, float, type(None)) or not (type(without_improvement) is type(halvings) is int):
            raise ValueError(f"scalars are {about['scalars']!r:.80}, expected a value and two counts")
        history = History.from_json(about["history"])
        params, training_state, best_params, *memory = trees
        memory = memory[0] if memory else ()
        return Checkpoint(params, training_state, best_params, memory, history, best, without_improvement, halvings)


def epochs_done(path: str | os.PathLike[str]) -> int:
    """Number of complete epochs in a checkpoint; its arrays are not read.

    Raises:
        FileNotFoundError: there is none.
        ModelFileError: it is damaged.
    """
    about = read_description(path, (_FORMAT,), "checkpoint")
    with reading(path, "not a usable checkpoint", ModelFileError):
        return len(History.from_json(about["history"]))


def _trees(state: Checkpoint) -> tuple:
    """The trees of arrays; the last is left out where nothing is remembered, as in files of version 0.1."""
    trees = state[:4]
    return trees if jax.tree.leaves(state.memory) else trees[:3]


def _comparable(fingerprint: dict[str, Any]) -> dict[str, Any]:
    """A fingerprint of which only differences that matter are left.

    Versions are written down and not compared: with others the last bits may differ, and the run still goes on.
    """
    network = fingerprint["network"]
    with suppress(ValueError):  # of layers of one's own, the description is compared as it is
        network = describe(from_json(network))
    kept = {name: value for name, value in fingerprint.items() if name != "versions"}
    return kept | {"network": network, "recipe": _of_any_length(canonical(fingerprint["recipe"]))}


def _of_any_length(recipe: dict[str, Any]) -> dict[str, Any]:
    """The same with a schedule that ends at any epoch: a run that is made longer takes its schedule along."""
    rate = recipe.get("learning_rate")
    if isinstance(rate, str):
        rate = re.sub(r"\bepochs=[0-9.]+", "epochs=any", rate)
    elif isinstance(rate, dict) and "epochs" in rate:
        rate = {**rate, "epochs": "any"}
    return {**recipe, "learning_rate": rate}


def _difference(found: dict[str, Any], wanted: dict[str, Any], prefix: str = "") -> tuple[str, Any, Any] | None:
    """The first field in which two descriptions differ, with both values: ('recipe.l2', 0.1, 0.0)."""
    for name in sorted(set(found) | set(wanted)):
        then, now = found.get(name), wanted.get(name)
        if then == now:
            continue
        if isinstance(then, dict) and isinstance(now, dict):
            return _difference(then, now, f"{prefix}{name}.")
        return f"{prefix}{name}", then, now
    return None
