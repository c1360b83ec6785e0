"""Trainings in progress: what stands between one epoch and the next.

What happens within an epoch is one compiled program, in step.py.
"""

import time
from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from firsthand.nn import Network, Params

from .checkpoint import Checkpoint
from .evaluation import evaluate
from .history import History
from .recipe import Recipe
from .step import PARTS, Average, Device, momentum, penalty, step_program

__all__ = ["NotFinite", "Progress", "Run", "pass_over", "together", "whole"]


class Progress(NamedTuple):
    """Where a training is; handed to the `progress` function a few times a second and after every epoch."""

    epoch: int  # from 1
    epochs: int
    step: int  # completed in this epoch
    steps: int  # in an epoch
    seconds: float  # of steps, in this epoch
    batch_cost: float  # mean over the epoch's mini-batches so far
    record: dict[str, float] | None  # of the epoch, once it is complete
    # called while the progress function runs: copies of the parameters as they are now, in NumPy arrays
    params: Callable[[], tuple[Params, ...]]
    member: int = 0  # of an ensemble, from 0


class NotFinite(Exception):
    """The cost became infinite or not a number."""


class Epoch(NamedTuple):
    """What the program of a pass over the training data is given: copies, that it may take over."""

    params: Any
    state: Any
    costs: Array  # (steps,)
    order: Array  # (steps * batch_size,)
    rates: np.ndarray  # (steps,), made single precision where the program is called
    key: Array


class Run:
    """A training between two epochs: parameters, state of the optimizer, history, and the best so far.

    Args:
        network, recipe, key, params: as for `train`.
        data: images and labels on the device, of 'training' and of what is monitored.
        progress: called with a `Progress` a few times a second.
        devices: which divide every mini-batch among them, those of other processes included; None for one alone.
    """

    def __init__(
        self,
        network: Network,
        recipe: Recipe,
        data: dict[str, tuple[Array, Array]],
        key: Array,
        params: tuple[Params, ...] | None = None,
        progress: Callable[[Progress], None] | None = None,
        devices: Sequence[Device] | None = None,
    ):
        self.network, self.recipe, self.data, self.progress = network, recipe, data, progress
        self.devices = None if devices is None else tuple(devices)
        init_key, self.key = jax.random.split(key)
        self.params = network.init(key=init_key) if params is None else jax.tree.map(jnp.asarray, params)
        self.params = whole(self.params, self.devices)
        self.optimizer = recipe.optimizer or momentum(recipe.momentum, recipe.nesterov)
        # the second half is the average of the parameters
        self.state = self.optimizer.init(self.params), Average.of(self.params) if recipe.average else None
        self.state = whole(self.state, self.devices)
        self.best_params = self.params
        self.best_accuracy = 0.0
        self.history = History()
        self.without_improvement = 0
        self.halvings = 0

    def program(self):
        """The compiled pass over the training data: see `step_program`."""
        recipe = self.recipe
        return step_program(
            self.network,
            recipe.training_cost,
            self.optimizer,
            recipe.optimizer is None,
            recipe.l2,
            recipe.l1,
            recipe.batch_size,
            recipe.augment,
            recipe.average,
            self.devices,
        )

    def snapshot(self) -> Checkpoint:
        """All that the next epoch depends on."""
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
        """Go back to a snapshot."""
        self.params, self.state, self.best_params = whole(state[:3], self.devices)
        self.history = state.history
        self.best_accuracy, self.without_improvement, self.halvings = state[4:]

    @property
    def measured(self) -> Any:
        """The parameters that are measured and kept: the average, if the recipe has one."""
        return _measured(self.params, self.state)

    @property
    def result(self) -> Any:
        """The parameters that the training ends with: the best, or the last."""
        return self.best_params if self.recipe.keep_best and self.history.best_epoch else self.measured

    @property
    def steps(self) -> int:
        """Mini-batches in an epoch."""
        return -(-len(self.data["training"][1]) // self.recipe.batch_size)

    def finished(self) -> bool:
        """Whether there is nothing more to do; the history says why."""
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

    def start_epoch(self) -> Epoch:
        """What the next epoch begins with."""
        number, steps = len(self.history), self.steps
        order_key, step_key = jax.random.split(jax.random.fold_in(self.key, number))
        n = len(self.data["training"][1])
        order = _order_program(n, steps * self.recipe.batch_size, self.recipe.shuffle)(order_key)
        rates = self.recipe.learning_rates(number, steps) * 0.5**self.halvings
        # the program takes over what it is given: copies, so that self.params survive an interruption
        params, state = _copy((self.params, self.state))
        costs, order, step_key = whole((jnp.zeros(steps, jnp.float32), order, step_key), self.devices)
        return Epoch(params, state, costs, order, rates, step_key)

    def finish_epoch(self, epoch: Epoch, seconds: float) -> None:
        """Take over what the program has made of an epoch, and measure it."""
        number, costs = len(self.history), np.asarray(epoch.costs)
        started = time.perf_counter()
        record = {
            "epoch": number + 1,
            "learning_rate": float(epoch.rates[0]),
            "batch_cost": float(np.mean(costs)),
            "seconds": seconds,
            **self._monitored(_measured(epoch.params, epoch.state)),
        }
        record["evaluation_seconds"] = time.perf_counter() - started
        # from here on nothing takes time: an interrupted epoch leaves the last one as it was
        self.params, self.state = epoch.params, epoch.state
        self.history.records.append(record)
        self._compare_with_best(record)
        self.report(len(costs), seconds, costs, partial(_copied, self.params), record)

    def report(
        self,
        step: int,
        seconds: float,
        costs: Any,
        params: Callable[[], tuple[Params, ...]],
        record: dict[str, float] | None = None,
    ) -> None:
        """Tell the progress function, if there is one, how far this epoch is, or that it is complete."""
        if self.progress is None:
            return
        number = len(self.history) + (record is None)
        mean = float(np.mean(np.asarray(costs)[:step]))
        self.progress(Progress(number, self.recipe.epochs, step, len(costs), seconds, mean, record, params))

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


def whole(tree: Any, devices: Sequence[Device] | None) -> Any:
    """Arrays as a whole on each of several devices; as they are where no devices are named."""
    if devices is None:
        return tree
    everywhere = NamedSharding(Mesh(np.array(devices), (PARTS,)), PartitionSpec())

    def place(a: Any) -> Array:
        if jnp.issubdtype(a.dtype, jax.dtypes.prng_key):
            return jax.random.wrap_key_data(place(jax.random.key_data(a)))
        # by way of the host, because a device of another process can take nothing from one of ours; and not by
        # device_put, which would send every array around to see that all processes have the same
        here = np.asarray(a)
        return jax.make_array_from_callback(here.shape, everywhere, lambda index: here[index])

    return jax.tree.map(place, tree)


def pass_over(runs: Sequence[Run], program: Any, interrupted: Callable[[], bool] | None = None) -> None:
    """One epoch of several runs as one program, or of one run alone.

    Args:
        runs: of the same network, data and recipe (rates may differ), at the same epoch.
        program: of `Run.program`, for several runs vmapped by `together`.
        interrupted: asked a few times a second; KeyboardInterrupt is raised once it says True.
    Raises:
        NotFinite: the message names epoch, step and the likely cause.
    """
    started = last = time.perf_counter()
    alone, steps = len(runs) == 1, runs[0].steps
    epochs = [run.start_epoch() for run in runs]
    one = epochs[0] if alone else _stacked(epochs)
    images, labels = runs[0].data["training"]
    watched = interrupted is not None or any(run.progress is not None for run in runs)
    done, stride = 0, min(steps, 64) if watched else steps
    while done < steps:
        stop = min(done + stride, steps)
        params, state, costs, reached, cost = program(
            one.params,
            one.state,
            one.costs,
            images,
            labels,
            one.order,
            *(np.int32(number) for number in (len(labels), done, stop)),
            np.asarray(one.rates, np.float32),
            one.key,
        )
        one = one._replace(params=params, state=state, costs=costs)
        for run, at, value in zip(runs, np.ravel(reached), np.ravel(cost), strict=True):  # waits for the device
            if not np.isfinite(value):
                raise NotFinite(_divergence(run, int(at), float(value), np.ravel(one.rates)))
        now = time.perf_counter()
        for number, run in enumerate(runs):
            copied = partial(_copied, params, None if alone else number)
            run.report(stop, now - started, costs if alone else costs[number], copied)
        if interrupted is not None and interrupted():
            raise KeyboardInterrupt
        # about ten reports a second, as each call has a small price; fewer of a large network's long steps: each call
        # takes new memory for intermediate results, whose pages the system must fill with zeros
        pace = (stop - done) / max(now - last, 1e-3)  # steps per second
        stride = max(1, int(0.1 * pace), min(8, int(0.5 * pace)))
        done, last = stop, now
    seconds = time.perf_counter() - started
    for run, epoch in zip(runs, [one] if alone else _unstacked(one, len(runs)), strict=True):
        run.finish_epoch(epoch, seconds)


def together(program: Any) -> Any:
    """The program of one run for several: all but the data, their number and the place in the epoch is their own."""
    axes = (0, 0, 0, None, None, 0, None, None, None, 0, 0)
    return jax.jit(jax.vmap(program, in_axes=axes), donate_argnums=(0, 1, 2))


def _divergence(run: Run, step: int, cost: float, rates: np.ndarray) -> str:
    rate = rates[min(step, run.steps) - 1]
    return (
        f"training: the cost is {cost} in epoch {len(run.history) + 1}, step {step} of {run.steps}; "
        f"the learning rate ({rate:g}) is likely too large"
    )


def _measured(params: Any, state: tuple[Any, Average | None]) -> Any:
    return params if state[1] is None else state[1].params


def _stacked(epochs: list[Epoch]) -> Epoch:
    return jax.tree.map(
        lambda *parts: np.stack(parts) if isinstance(parts[0], np.ndarray) else jnp.stack(parts), *epochs
    )


def _unstacked(epoch: Epoch, count: int) -> list[Epoch]:
    return [jax.tree.map(lambda a, n=n: a[n], epoch) for n in range(count)]


def _copied(params: Any, member: int | None = None) -> Any:
    """Parameters, those of one member where there are several, in memory that no step takes over."""
    return jax.tree.map(lambda a: np.array(a if member is None else np.asarray(a)[member]), params)


_copy = jax.jit(lambda tree: jax.tree.map(jnp.copy, tree))


@lru_cache(maxsize=64)
def _order_program(n: int, length: int, shuffle: bool):
    """The order of the examples in an epoch, filled up to whole mini-batches by repeating its beginning."""

    def make(key: Array) -> Array:
        order = jax.random.permutation(key, n) if shuffle else jnp.arange(n)
        return jnp.resize(order, (length,)).astype(jnp.int32)

    return jax.jit(make)
