"""Trainings as tasks of a cluster: each tells its progress, is stopped, fails and ends as if it ran here."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from firsthand.cluster import AtWork, Cluster, Kept, remove_kept
from firsthand.compilation import keep_compilations
from firsthand.errors import FirsthandError
from firsthand.nn import Network, Params

from .recipe import Recipe
from .run import Progress
from .single import DataSplits, Training, train_one

__all__ = ["trainer"]

_PACE = 1.0  # seconds between two messages within an epoch


@contextmanager
def trainer(scheduler: str, data: DataSplits, checkpoint: Path | None) -> Iterator[Callable[..., Training]]:
    """A function that is called as `train_one` with these data, and trains on a worker of a cluster.

    Args:
        scheduler: address of the Dask scheduler.
        data: of all trainings; the workers read them from a file beside the checkpoints while the block runs.
        checkpoint: begins the names of the checkpoints, in a folder that all machines share.
    Raises:
        FirsthandError: there is no checkpoint, distributed is not installed, no scheduler answers.
    """
    if checkpoint is None:
        raise FirsthandError(
            "train: found a scheduler without a checkpoint, expected a file in a folder that all machines share"
        )
    with Cluster(scheduler) as cluster:
        remove_kept(checkpoint)
        with cluster.keeping(data, checkpoint) as kept:

            def train(
                network: Network,
                data: DataSplits,
                recipe: Recipe,
                *,
                key: Array,
                progress: Callable[[Progress], None] | None,
                checkpoint: Path,
                resume: bool,
                interrupted: Callable[[], bool],
            ) -> Training:
                del data  # of the file
                path = checkpoint.absolute()
                if not resume:
                    path.unlink(missing_ok=True)
                given = kept, network, recipe, _key_to_send(key), path, progress is not None
                tell = _Teller(progress)
                return cluster.call(_train, *given, seen=kept.path, tell=tell, interrupted=interrupted)

            yield train


def _train(
    here: AtWork, kept: Kept, network: Network, recipe: Recipe, key: tuple[Any, str | None], path: Path, watched: bool
) -> Training:
    """Train on a worker; where another one has begun, go on from its checkpoint."""
    keep_compilations()
    last = 0.0

    def say(at: Progress) -> None:
        nonlocal last
        if at.record is not None or time.monotonic() > last + _PACE:
            last = time.monotonic()
            record = None if at.record is None else {name: float(value) for name, value in at.record.items()}
            here.say([at.epoch, at.epochs, at.step, at.steps, float(at.seconds), float(at.batch_cost), record])

    return train_one(
        network,
        kept.read(),
        recipe,
        key=_key_received(*key),
        progress=say if watched else None,
        checkpoint=path,
        resume=path.exists(),
        interrupted=here.stopped,
    )


class _Teller:
    """The progress function behind what a worker says; an epoch that another worker had told is not told again."""

    def __init__(self, progress: Callable[[Progress], None] | None):
        self._progress, self._epochs = progress, 0

    def __call__(self, said: list[Any]) -> None:
        at = Progress(*said, params=_elsewhere)
        if self._progress is None or at.epoch <= self._epochs:
            return
        if at.record is not None:
            self._epochs = at.epoch
        self._progress(at)


def _elsewhere() -> tuple[Params, ...]:
    raise FirsthandError("progress: params found on another machine, expected a training on this one")


def _key_to_send(key: Array) -> tuple[Any, str | None]:
    """The numbers of a key, and its kind; None of one that is numbers already.

    An array of JAX would start it on the worker before the compiled programs of earlier tasks are at hand.
    """
    if jnp.issubdtype(key.dtype, jax.dtypes.prng_key):
        return np.asarray(jax.random.key_data(key)), str(jax.random.key_impl(key))
    return np.asarray(key), None


def _key_received(numbers: Any, kind: str | None) -> Array:
    return jnp.asarray(numbers) if kind is None else jax.random.wrap_key_data(numbers, impl=kind)
