"""Training: mini-batch stochastic gradient descent, of one network or of several at a time.

single.py is the training of one network, run.py what stands between its epochs, step.py what happens within one;
members.py trains several.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, overload

import jax

from firsthand.errors import FirsthandError
from firsthand.files import check_path
from firsthand.keys import Key, as_key
from firsthand.nn import Network, Params

from .given import as_splits
from .history import History
from .members import train_members
from .recipe import Recipe
from .shown import Callbacks, shown_progress
from .single import DataSplits, Training, train_one
from .step import Device

__all__ = ["EnsembleTraining", "train"]


class EnsembleTraining(NamedTuple):
    """The result of `train` for several members."""

    model: Any  # an Ensemble of classifiers; else a tuple of the models
    histories: tuple[History, ...]


@overload
def train(
    network: Network,
    data: Any,
    recipe: Recipe,
    *,
    key: Key,
    params: tuple[Params, ...] | None = None,
    progress: Callbacks = None,
    verbose: bool | None = None,
    checkpoint: Path | None = None,
    resume: bool = False,
    devices: Sequence[Device] | None = None,
    members: None = None,
    scheduler: None = None,
) -> Training: ...
@overload
def train(
    network: Network,
    data: Any,
    recipe: Recipe,
    *,
    key: Key,
    params: tuple[Params, ...] | None = None,
    progress: Callbacks = None,
    verbose: bool | None = None,
    checkpoint: Path | None = None,
    resume: bool = False,
    devices: Sequence[Device] | None = None,
    members: int,
    scheduler: str | None = None,
) -> EnsembleTraining: ...
def train(
    network: Network,
    data: Any,
    recipe: Recipe,
    *,
    key: Key,
    params: tuple[Params, ...] | None = None,
    progress: Callbacks = None,
    verbose: bool | None = None,
    checkpoint: Path | None = None,
    resume: bool = False,
    devices: Sequence[Device] | None = None,
    members: int | None = None,
    scheduler: str | None = None,
) -> Training | EnsembleTraining:
    """Train a network by stochastic gradient descent.

    The same key, machine and versions give the same bits; so does a run that was killed and resumed.  Members of an
    ensemble are trained at the same time, in the way that `plan` finds best; member i is what the key
    `jax.random.fold_in(key, i)` trains alone.

    Args:
        network: what to train.
        data: `Splits` of training, validation and test data, of which the last decide nothing; the training data may be
            a `Source`.  Also examples alone, or arrays (x, y): see `as_splits`.
        recipe: how.
        key: all randomness: initial parameters, order of the data, dropout, augmentation; a key of JAX or an integer.
        params: where to start; freshly initialized by default.
        progress: a function, or several in a tuple, called with a `Progress` a few times a second and after every epoch
            (`report.logs` has some that write files).
        verbose: show a progress bar; by default in a notebook or at a prompt, where there is no function for it.
        checkpoint: file that is replaced after every epoch.
        resume: go on from the checkpoint file.
        devices: divide every mini-batch over these; by default one device does it all.
        members: number of networks to train, as an ensemble.
        scheduler: address of a Dask scheduler, on whose workers members are trained: see `train_members`.
    Returns:
        The model (of the best epoch, if the recipe says so and what decides was monitored) and the `History`; of
        several members their `Ensemble`, or where the objective has none all of them, and their histories.
        Ctrl-C ends the training with the last completed epoch; before the first, it is raised as usual.
    Raises:
        FirsthandError: data that do not fit the network, a checkpoint of another training, mini-batches that cannot be
            divided over the devices, both devices and members, a scheduler without members.
        Diverged: the cost is no longer a number.
    """
    key, objective = as_key(key), recipe.objective
    data = as_splits(data, network, objective)
    check_path(checkpoint, "train: checkpoint")
    with shown_progress(progress, verbose, members or 1, objective.quantities[0]) as tell:
        if members is None:
            if scheduler is not None:
                raise FirsthandError(f"train: scheduler is {scheduler}, expected members beside it")
            return train_one(
                network,
                data,
                recipe,
                key=key,
                params=params,
                progress=tell,
                checkpoint=checkpoint,
                resume=resume,
                devices=devices,
            )
        if members < 1 or devices is not None or params is not None:
            raise FirsthandError(f"train: members is {members}, expected 1 or more, and no devices or params beside it")
        trainings = train_members(
            network,
            data,
            recipe,
            keys=[jax.random.fold_in(key, member) for member in range(members)],
            progress=tell,
            checkpoint=checkpoint,
            resume=resume,
            scheduler=scheduler,
        )
        return joined(trainings, data, recipe)


def joined(trainings: Sequence[Training], data: DataSplits, recipe: Recipe) -> EnsembleTraining:
    """Trainings as one, which is measured as a whole, as far as the objective has such a thing."""
    models = [training.model for training in trainings]
    each = [model.provenance for model in models]
    alike = {name: value for name, value in each[0].items() if all(other[name] == value for other in each)}
    for name in ("machine", "device", "kernels"):  # those of a cluster may differ
        alike[name] = _different(other[name] for other in each)
    alike["versions"] = {name: _different(other["versions"][name] for other in each) for name in each[0]["versions"]}
    about: dict[str, Any] = alike | {
        "members": len(each),
        "epochs": [other["epochs"] for other in each],
        "best_epoch": [other["best_epoch"] for other in each],
    }
    model = recipe.objective.join(models, about, data.validation, data.test)
    return EnsembleTraining(model, tuple(training.history for training in trainings))


def _different(texts: Iterable[str]) -> str:
    return " / ".join(dict.fromkeys(texts))
