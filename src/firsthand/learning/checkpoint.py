"""The state of a training on disk after every epoch, so that a killed run goes on as if nothing had happened."""

import json
import os
from pathlib import Path
from typing import Any, NamedTuple

from firsthand.models.model import ModelFileError, flatten, read_safetensors, unflatten, write_safetensors

from .history import History

__all__ = ["Checkpoint", "read_checkpoint", "write_checkpoint"]

_FORMAT = "firsthand-checkpoint-1"


class Checkpoint(NamedTuple):
    """Everything that the next epoch depends on."""

    params: Any
    state: Any  # of the optimizer, and the average of the parameters
    best_params: Any
    history: History
    best_accuracy: float
    epochs_without_improvement: int
    halvings: int


def write_checkpoint(path: str | os.PathLike[str], state: Checkpoint, fingerprint: dict[str, Any]) -> None:
    """Replace the checkpoint file at once.

    Args:
        path: where.
        state: after a completed epoch.
        fingerprint: what a resumed run must have in common with this one.
    """
    arrays = flatten(state[:3])
    about = {
        "format": _FORMAT,
        "fingerprint": fingerprint,
        "history": state.history.to_json(),
        "scalars": [state.best_accuracy, state.epochs_without_improvement, state.halvings],
    }
    write_safetensors(path, arrays, about)


def read_checkpoint(path: str | os.PathLike[str], like: tuple, fingerprint: dict[str, Any]) -> Checkpoint:
    """Read a checkpoint, made by a training with the same fingerprint.

    Args:
        path: where.
        like: (params, state, best_params) of the structure and shapes to expect.
        fingerprint: of the training that is to go on.
    Raises:
        FileNotFoundError: there is none.
        ModelFileError: it is damaged, or belongs to another training; the message says what differs.
    """
    arrays, about = read_safetensors(path, _FORMAT, "checkpoint")
    found = about["fingerprint"]
    wanted = json.loads(json.dumps(fingerprint))  # as it looks after a round trip through the file
    for name in sorted(set(found) | set(wanted)):
        if found.get(name) != wanted.get(name):
            raise ModelFileError(
                f"{Path(path)}: this run had {name} = {found.get(name)}, not {wanted.get(name)}; "
                "resume it with the same settings, or start a new run"
            )
    try:
        trees = unflatten(like, arrays)
    except ValueError as error:
        raise ModelFileError(f"{path}: not a usable checkpoint: {error}") from None
    best_accuracy, without_improvement, halvings = about["scalars"]
    params, training_state, best_params = trees
    history = History.from_json(about["history"])
    return Checkpoint(params, training_state, best_params, history, best_accuracy, without_improvement, halvings)
