"""The training of one network, from its data to its model."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import jax
import numpy as np
from jax import Array

from firsthand import kernels
from firsthand.data import Examples
from firsthand.errors import FirsthandError
from firsthand.files import describe_machine, versions
from firsthand.nn import Network, Params, describe
from firsthand.processes import refuse_fork

from .checkpoint import read_checkpoint, write_checkpoint
from .evaluation import evaluate
from .history import History
from .recipe import Recipe
from .run import NotFinite, Progress, Run, pass_over, whole
from .source import Fixed, Source, as_source
from .step import Device

__all__ = ["DataSplits", "Diverged", "Training", "concluded", "placed", "provenance", "train_one"]


class DataSplits(Protocol):
    """Training data, and what it is judged by; the last two may be None."""

    @property
    def train(self) -> Examples | Source: ...
    @property
    def validation(self) -> Examples | None: ...
    @property
    def test(self) -> Examples | None: ...


class Training(NamedTuple):
    """The result of `train` for one network."""

    model: Any  # of the objective's kind: see `Objective.model`
    history: History


class Diverged(FirsthandError):
    """The cost became infinite or not a number; `training` is what had been reached, None in the first epoch."""

    def __init__(self, message: str, training: Training | None):
        super().__init__(message)
        self.training = training

    def __reduce__(self) -> tuple[Any, ...]:  # exceptions are pickled with their message alone
        return type(self), (str(self), self.training)


def train_one(
    network: Network,
    data: DataSplits,
    recipe: Recipe,
    *,
    key: Array,
    params: tuple[Params, ...] | None = None,
    progress: Callable[[Progress], None] | None = None,
    checkpoint: Path | None = None,
    resume: bool = False,
    devices: Sequence[Device] | None = None,
    interrupted: Callable[[], bool] | None = None,
) -> Training:
    """Train one network: see `train`.

    Args:
        interrupted: asked a few times a second; once it says True, this is as if Ctrl-C were pressed.
    """
    refuse_fork()
    source = as_source(data.train)
    on_device = placed(network, data, recipe, devices)
    run = Run(network, recipe, source, on_device, key, params, progress, devices)
    about = provenance(data, recipe, key)
    fingerprint = {name: about[name] for name in ("recipe", "key", "training_data", "versions")}
    fingerprint |= {"network": describe(network), "recipe": {**recipe.to_json(), "epochs": "any"}}
    if resume:
        if checkpoint is None:
            raise FirsthandError("train: resume is True, but no checkpoint file is given")
        run.restore(read_checkpoint(checkpoint, run.snapshot(), fingerprint))
    program, kept = run.program(), len(run.history)

    def keep() -> None:
        nonlocal kept
        if checkpoint is not None and jax.process_index() == 0 and len(run.history) > kept:
            write_checkpoint(checkpoint, run.snapshot(), fingerprint)
            kept = len(run.history)

    try:
        while not run.finished():
            pass_over([run], program, interrupted)
            keep()
    except KeyboardInterrupt:
        if not len(run.history):
            raise
        keep()  # it may have come after the end of an epoch and before its checkpoint
        run.history.stopped = f"interrupted: kept epoch {len(run.history)} of {recipe.epochs}"
    except NotFinite as error:
        raise Diverged(str(error), concluded(run, data, about) if len(run.history) else None) from None
    return concluded(run, data, about)


def placed(
    network: Network, data: DataSplits, recipe: Recipe, devices: Sequence[Device] | None = None
) -> dict[str, tuple[Array, ...]]:
    """The arrays of all parts of the data, checked, and moved to the device once; whole to each of several."""
    sets = {"training": as_source(data.train).like, "validation": data.validation, "test": data.test}
    recipe.objective.check(network, sets["training"], "training data")
    for name in recipe.monitored:
        if sets[name.partition("_")[0]] is None:
            raise FirsthandError(f"recipe: monitor has {name}, but there are no {name.partition('_')[0]} data")
    if devices is not None and recipe.batch_size % len(devices):
        raise FirsthandError(
            f"recipe: batch_size is {recipe.batch_size}, expected a multiple of the {len(devices)} devices"
        )
    if recipe.carry_state and devices is not None:
        raise FirsthandError("recipe: carry_state is True, expected one device: rows keep their memory where they are")
    if recipe.carry_state:
        network.start(1)  # refuses a layer that takes sequences as a whole
        if len(sets["training"]) < recipe.batch_size and not isinstance(as_source(data.train), Fixed):
            raise FirsthandError(
                f"recipe: batch_size is {recipe.batch_size}, expected at most the {len(sets['training'])} sequences of "
                "an epoch, where the state is carried"
            )
    found = {}
    for name, examples in sets.items():
        if examples is not None:
            recipe.objective.check(network, examples, f"{name} data")
            arrays = examples.arrays
            found[name] = tuple(map(jax.device_put, arrays)) if devices is None else whole(arrays, devices)
    return found


def provenance(data: DataSplits, recipe: Recipe, key: Array) -> dict[str, Any]:
    """The provenance of a model, as far as it is known before the training."""
    return {
        "recipe": recipe.to_json(),
        "key": np.asarray(jax.random.key_data(key)).tolist(),
        "training_data": as_source(data.train).digest,
        "versions": versions(),
        "machine": describe_machine(),
        "device": jax.devices()[0].device_kind,
        "kernels": " ".join(filter(None, (kernels.status().active, kernels.status().instruction_set))),
    }


def concluded(run: Run, data: DataSplits, about: dict[str, Any]) -> Training:
    """The outcome of a run: the model with its scores, and the history."""
    params, objective = run.result, run.recipe.objective
    scores = {name: evaluate(run.network, params, arrays, objective) for name, arrays in run.data.items()}
    about = about | {"epochs": len(run.history), "best_epoch": run.history.best_epoch, **objective.about(scores)}
    like = as_source(data.train).like
    about["pixels"] = like.arrays[0].dtype == np.uint8
    return Training(objective.model(run.network, jax.device_get(params), like, about), run.history)
