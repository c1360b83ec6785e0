"""Training: mini-batch stochastic gradient descent, epoch by epoch.

What happens within an epoch is one compiled program, in step.py; here is what happens between epochs.
"""

import time
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from firsthand.data import Dataset
from firsthand.errors import FirsthandError
from firsthand.files import describe_machine, versions
from firsthand.nn import Network, Params, to_json

from .checkpoint import Checkpoint, read_checkpoint, write_checkpoint
from .evaluation import evaluate
from .history import History
from .model import Model, check_fits
from .recipe import Recipe
from .step import Average, momentum, penalty, step_program

__all__ = ["DataSplits", "Diverged", "Progress", "Training", "train"]


class DataSplits(Protocol):
    """Training data, and what it is judged by; the last two may be None."""

    @property
    def train(self) -> Dataset: ...
    @property
    def validation(self) -> Dataset | None: ...
    @property
    def test(self) -> Dataset | None: ...


class Progress(NamedTuple):
    """Where a training is; handed to the `progress` function a few times a second and after every epoch."""

    epoch: int  # from 1
    epochs: int
    step: int  # completed in this epoch
    steps: int  # in an epoch
    seconds: float  # of steps, in this epoch
    batch_cost: float  # mean over the epoch's mini-batches so far
    record: dict[str, float] | None  # of the epoch, once it is complete


class Training(NamedTuple):
    """What `train` returns."""

    model: Model
    history: History


class Diverged(FirsthandError):
    """The cost became infinite or not a number; `training` is what had been reached, None in the first epoch."""

    def __init__(self, message: str, training: Training | None):
        super().__init__(message)
        self.training = training


def train(
    network: Network,
    data: DataSplits,
    recipe: Recipe,
    *,
    key: Array,
    params: tuple[Params, ...] | None = None,
    progress: Callable[[Progress], None] | None = None,
    checkpoint: Path | None = None,
    resume: bool = False,
) -> Training:
    """Train a network by stochastic gradient descent.

    The same key, machine and versions give the same bits; so does a run that was killed and resumed.

    Args:
        network: what to train.
        data: training, validation and test data.  The test data decide nothing.
        recipe: how.
        key: all randomness: initial parameters, order of the data, dropout.
        params: where to start; freshly initialized by default.
        progress: called with a `Progress` a few times a second.
        checkpoint: file that is replaced after every epoch.
        resume: go on from the checkpoint file.
    Returns:
        The `Model` (at the best validation accuracy if the recipe says so and it was monitored) and the `History`.
        Ctrl-C ends the training with the last completed epoch; before the first, it is raised as usual.
    Raises:
        FirsthandError: data that do not fit the network, a checkpoint of another training.
        Diverged: the cost is no longer a number.
    """
    check_fits(network, data.train, "training data")
    sets = {"training": data.train, "validation": data.validation, "test": data.test}
    for name in recipe.monitor:
        if sets[name.partition("_")[0]] is None:
            raise FirsthandError(f"recipe: monitor has {name}, but there are no {name.partition('_')[0]} data")
    # moved to the device once, all of them
    on_device = {}
    for name, dataset in sets.items():
        if dataset is not None:
            check_fits(network, dataset, f"{name} data")
            on_device[name] = (jnp.asarray(dataset.images), jnp.asarray(dataset.labels))

    run = _Run(network, recipe, on_device, key, params, progress)
    provenance = {
        "recipe": recipe.to_json(),
        "key": np.asarray(jax.random.key_data(key)).tolist(),
        "training_data": data.train.digest,
        "versions": versions(),
        "machine": describe_machine(),
        "device": jax.devices()[0].device_kind,
    }
    fingerprint = {name: provenance[name] for name in ("recipe", "key", "training_data", "versions")}
    fingerprint |= {"network": to_json(network), "recipe": {**recipe.to_json(), "epochs": "any"}}
    if resume:
        if checkpoint is None:
            raise FirsthandError("train: resume is True, but no checkpoint file is given")
        run.restore(read_checkpoint(checkpoint, run.snapshot()[:3], fingerprint))

    def result() -> Training:
        params = run.best_params if recipe.keep_best and run.history.best_epoch else run.measured
        accuracies = {
            name: evaluate(network, params, images, labels, recipe.cost).accuracy
            for name, (images, labels) in on_device.items()
        }
        about = provenance | {
            "epochs": len(run.history),
            "best_epoch": run.history.best_epoch,
            "accuracies": accuracies,
        }
        return Training(Model(network, jax.device_get(params), data.train.classes, about), run.history)

    try:
        while not run.finished():
            run.epoch()
            if checkpoint is not None:
                write_checkpoint(checkpoint, run.snapshot(), fingerprint)
    except KeyboardInterrupt:
        if not len(run.history):
            raise
        run.history.stopped = f"interrupted: kept epoch {len(run.history)} of {recipe.epochs}"
    except _NotFinite as error:
        raise Diverged(str(error), result() if len(run.history) else None) from None
    return result()


class _NotFinite(Exception):
    pass


class _Run:
    """A training between two epochs: parameters, optimizer state, history, and the best so far."""

    def __init__(
        self,
        network: Network,
        recipe: Recipe,
        data: dict[str, tuple[Array, Array]],
        key: Array,
        params: tuple[Params, ...] | None,
        progress: Callable[[Progress], None] | None,
    ):
        self.network, self.recipe, self.data, self.progress = network, recipe, data, progress
        init_key, self.key = jax.random.split(key)
        self.params = network.init(key=init_key) if params is None else jax.tree.map(jnp.asarray, params)
        self.optimizer = recipe.optimizer or momentum(recipe.momentum, recipe.nesterov)
        # the second half is the average of the parameters
        self.state = self.optimizer.init(self.params), Average.of(self.params) if recipe.average else None
        self.program = step_program(
            network,
            recipe.training_cost,
            self.optimizer,
            recipe.optimizer is None,
            recipe.l2,
            recipe.l1,
            recipe.batch_size,
            recipe.augment,
            recipe.average,
        )
        self.best_params = self.params
        self.best_accuracy = 0.0
        self.history = History()
        self.without_improvement = 0
        self.halvings = 0

    def snapshot(self) -> Checkpoint:
        return Checkpoint(
            self.params,
            self.state,
            self.best_params,
            self.history,
            self.best_accuracy,
            self.without_improvement,
            self.halvings,
        )

    def restore(self, state: Checkpoint) -> None:
        self.params, self.state, self.best_params, self.history = state[:4]
        self.best_accuracy, self.without_improvement, self.halvings = state[4:]

    def finished(self) -> bool:
        done = len(self.history)
        if done >= self.recipe.epochs:
            self.history.stopped = f"finished: {done} epochs"
        elif self.recipe.patience is not None and self.without_improvement >= self.recipe.patience:
            self.history.stopped = (
                f"stopped early after epoch {done}: no better validation accuracy since epoch {self.history.best_epoch}"
            )
        else:
            return False
        return True

    def epoch(self) -> None:
        """One pass over the training data, and what follows from it."""
        number = len(self.history)
        started = time.perf_counter()
        rates, params, state, costs = self._steps(number)
        seconds = time.perf_counter() - started

        started = time.perf_counter()
        record = {
            "epoch": number + 1,
            "learning_rate": float(rates[0]),
            "batch_cost": float(np.mean(costs)),
            "seconds": seconds,
            **self._monitored(self._measured(params, state)),
        }
        record["evaluation_seconds"] = time.perf_counter() - started
        # from here on nothing takes time: an interrupted epoch leaves the last one as it was
        self.params, self.state = params, state
        self.history.records.append(record)
        self._compare_with_best(record)
        self._report(number, len(costs), seconds, costs, record)

    def _steps(self, number: int) -> tuple[np.ndarray, Any, Any, np.ndarray]:
        images, labels = self.data["training"]
        n, size = len(labels), self.recipe.batch_size
        steps = -(-n // size)
        order_key, step_key = jax.random.split(jax.random.fold_in(self.key, number))
        order = _order(order_key, n, steps * size, self.recipe.shuffle)
        rates = self.recipe.learning_rates(number, steps) * 0.5**self.halvings

        # the program takes over what it is given: give it copies, so that self.params survive an interruption
        params, state = _copy((self.params, self.state))
        costs = jnp.zeros(steps, jnp.float32)
        done, stride = 0, steps if self.progress is None else min(steps, 64)
        started = last = time.perf_counter()
        while done < steps:
            stop = min(done + stride, steps)
            params, state, costs, reached, cost = self.program(
                params, state, costs, images, labels, order, n, done, stop, rates, step_key
            )
            reached, cost = int(reached), float(cost)  # waits for the device
            if not np.isfinite(cost):
                raise _NotFinite(
                    f"training: the cost is {cost} in epoch {number + 1}, step {reached} of {steps}; "
                    f"the learning rate ({rates[min(reached, steps) - 1]:g}) is likely too large"
                )
            now = time.perf_counter()
            if self.progress is not None:
                self._report(number, reached, now - started, costs, None)
                # about four reports a second: each call of the program has a small price
                stride = max(1, int((stop - done) * 0.25 / max(now - last, 1e-3)))
            done, last = stop, now
        return rates, params, state, np.asarray(costs)

    @property
    def measured(self) -> Any:
        """The parameters that are measured and kept: the average, if the recipe has one."""
        return self._measured(self.params, self.state)

    @staticmethod
    def _measured(params: Any, state: tuple[Any, Average | None]) -> Any:
        return params if state[1] is None else state[1].params

    def _monitored(self, params: Any) -> dict[str, float]:
        scores, values = {}, {}
        for name in self.recipe.monitor:
            which, _, quantity = name.partition("_")
            if which not in scores:
                scores[which] = evaluate(self.network, params, *self.data[which], self.recipe.cost)
            values[name] = getattr(scores[which], quantity)
            if quantity == "cost":
                values[name] += penalty(params, self.recipe.l2, self.recipe.l1)
        return values

    def _compare_with_best(self, record: dict[str, float]) -> None:
        accuracy = record.get("validation_accuracy")
        if accuracy is None:
            return
        self.without_improvement += 1
        # the originals take the later of two equals as the best; patience counts real improvement only
        if accuracy > self.best_accuracy:
            self.without_improvement = 0
        if accuracy >= self.best_accuracy:
            self.best_accuracy, self.best_params = accuracy, self.measured
            self.history.best_epoch = int(record["epoch"])
        patience = self.recipe.patience
        if patience is not None and self.without_improvement >= patience and self.halvings < self.recipe.halvings:
            self.halvings += 1
            self.without_improvement = 0

    def _report(self, number: int, step: int, seconds: float, costs, record: dict[str, float] | None) -> None:
        if self.progress is not None:
            mean = float(np.mean(np.asarray(costs)[:step]))
            self.progress(Progress(number + 1, self.recipe.epochs, step, len(costs), seconds, mean, record))


_copy = jax.jit(lambda tree: jax.tree.map(jnp.copy, tree))


def _order(key: Array, n: int, length: int, shuffle: bool) -> Array:
    """The order of the examples in an epoch, filled up to whole mini-batches by repeating its beginning."""
    return _order_program(n, length, shuffle)(key)


@lru_cache(maxsize=64)
def _order_program(n: int, length: int, shuffle: bool):
    def make(key: Array) -> Array:
        order = jax.random.permutation(key, n) if shuffle else jnp.arange(n)
        return jnp.resize(order, (length,)).astype(jnp.int32)

    return jax.jit(make)
