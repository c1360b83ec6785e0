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

from firsthand.data import Examples
from firsthand.errors import FirsthandError
from firsthand.models.file import ModelFileError
from firsthand.nn import Network, Params

from .checkpoint import Checkpoint
from .evaluation import evaluate
from .history import History
from .parameters import WEIGHTS, check_patterns, penalty
from .quantity import COST
from .recipe import Recipe
from .source import Fixed, Source
from .step import PARTS, Average, Carry, Device, Own, Shared, step_program

__all__ = ["NotFinite", "Progress", "Run", "pass_over", "together", "whole"]


class Progress(NamedTuple):
    """The state of a training; handed to the `progress` function a few times a second and after every epoch."""

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

    def __str__(self) -> str:
        measured = "".join(
            f"  {name.replace('_', ' ')} {value:.4g}"
            for name, value in (self.record or {}).items()
            if name.startswith(("training_", "validation_", "test_"))
        )
        return f"epoch {self.epoch}/{self.epochs}  step {self.step}/{self.steps}  cost {self.batch_cost:.4f}{measured}"


class NotFinite(Exception):
    """The cost became infinite or not a number."""


class Run:
    """A training between two epochs: parameters, state of the optimizer, history, and the best so far.

    Args:
        network, recipe, key, params: as for `train`.
        source: of the training examples.
        data: the arrays on the device, of 'training' (see `placed`) and of what is monitored.
        progress: called with a `Progress` a few times a second.
        devices: which divide every mini-batch among them, those of other processes included; None for one alone.
    """

    def __init__(
        self,
        network: Network,
        recipe: Recipe,
        source: Source,
        data: dict[str, tuple[Array, ...]],
        key: Array,
        params: tuple[Params, ...] | None = None,
        progress: Callable[[Progress], None] | None = None,
        devices: Sequence[Device] | None = None,
    ):
        self.network, self.recipe, self.progress = network, recipe, progress
        self.source, self.data = source, dict(data)
        self.devices = None if devices is None else tuple(devices)
        # a mini-batch larger than the data is the data; divided over devices it stays what they can divide
        fixed = self.devices is None and isinstance(source, Fixed)
        self.batch_size = min(recipe.batch_size, len(data["training"][0])) if fixed else recipe.batch_size
        init_key, self.key = jax.random.split(key)
        self.params = network.init(key=init_key) if params is None else jax.tree.map(jax.device_put, params)
        self.params = whole(self.params, self.devices)
        # what the source remembers of the epochs that are complete, and with the one that has begun
        self.memory = self.next_memory = source.memory(self.params, key=jax.random.fold_in(init_key, 1))
        for field in ("penalized", "frozen"):
            if getattr(recipe, field) != WEIGHTS:
                check_patterns(self.params, field, getattr(recipe, field))
        check_patterns(self.params, "rates", [pattern for pattern, _ in recipe.rates])
        self.optimizer = recipe.rule.optimizer
        # the second half is the average of the parameters
        self.state = self.optimizer.init(self.params), Average.of(self.params) if recipe.average else None
        self.state = whole(self.state, self.devices)
        self.best_params = self.params
        self.best: float | None = None  # of what decides
        self.history = History()
        self.without_improvement = 0
        self.halvings = 0

    def program(self):
        """The compiled pass over the training data: see `step_program`."""
        return step_program(self.network, self.recipe.rule._replace(batch_size=self.batch_size), self.devices)

    def snapshot(self) -> Checkpoint:
        """All that the next epoch depends on."""
        return Checkpoint(
            self.params,
            self.state,
            self.best_params,
            self.memory,
            self.history,
            self.best,
            self.without_improvement,
            self.halvings,
        )

    def restore(self, state: Checkpoint) -> None:
        """Go back to a snapshot, which must not be further on than this training will go."""
        done = len(state.history)
        if done > self.recipe.epochs:
            raise ModelFileError(
                f"recipe: epochs is {self.recipe.epochs}, but {done} are done; expected {done} or more"
            )
        self.params, self.state, self.best_params = whole(state[:3], self.devices)
        self.memory = self.next_memory = state.memory
        self.history = state.history
        self.best, self.without_improvement, self.halvings = state[5:]

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
        n = len(self.data["training"][0])
        return n // self.batch_size if self.recipe.carry_state else -(-n // self.batch_size)

    def finished(self) -> bool:
        """True if there is nothing more to do; the history says why."""
        done = len(self.history)
        if done >= self.recipe.epochs:
            self.history.stopped = f"finished: {done} epoch{'s' * (done != 1)}"
        elif self.recipe.patience is not None and self.without_improvement >= self.recipe.patience:
            self.history.stopped = (
                f"stopped early after epoch {done}: no better {self.recipe.decisive.replace('_', ' ')} "
                f"since epoch {self.history.best_epoch}"
            )
        else:
            return False
        return True

    def start_epoch(self) -> tuple[Carry, Own]:
        """The state at the start of the next epoch: copies that its program may take over."""
        number, steps = len(self.history), self.steps
        order_key, step_key = jax.random.split(jax.random.fold_in(self.key, number))
        if not isinstance(self.source, Fixed):
            source_key = jax.random.fold_in(order_key, number)
            examples, self.next_memory = self.source.recall(number, self.params, self.memory, key=source_key)
            self.data["training"] = self._made(examples)
        n = len(self.data["training"][0])
        if self.recipe.carry_state:
            order = _stretches(steps, self.batch_size)
        else:
            order = _order_program(n, steps * self.batch_size, self.recipe.shuffle)(order_key)
        rates = self.recipe.learning_rates(number, steps) * 0.5**self.halvings
        # the program takes over what it is given: copies, so that self.params survive an interruption
        params, state = _copy((self.params, self.state))
        costs, order, step_key = whole((jnp.zeros(steps, jnp.float32), order, step_key), self.devices)
        return Carry(params, state, costs, self._empty_memory()), Own(order, rates, step_key)

    def _empty_memory(self) -> Any:
        """The state of the network before the first step, of every row of a mini-batch, where states are carried."""
        if not self.recipe.carry_state:
            return ()
        return self.network.start(self.batch_size, jax.tree.leaves(self.params)[0].dtype)

    def _made(self, examples: Examples) -> tuple[Array, ...]:
        """An epoch's own examples, on the device; as many and of the same shapes as those of the first."""
        found = examples.arrays
        shapes, expected = [a.shape for a in found], [a.shape for a in self.data["training"]]
        if shapes != expected:
            raise FirsthandError(f"source: an epoch has arrays of shapes {shapes}, the first one had {expected}")
        return tuple(map(jax.device_put, found)) if self.devices is None else whole(found, self.devices)

    def finish_epoch(self, epoch: Carry, rate: float, seconds: float) -> None:
        """Take over what the program has made of an epoch, and measure it; `rate` is that of its first step."""
        number, costs = len(self.history), np.asarray(epoch.costs)
        started = time.perf_counter()
        record = {
            "epoch": number + 1,
            "learning_rate": rate,
            "batch_cost": float(np.mean(costs)),
            "seconds": seconds,
            **self._monitored(_measured(epoch.params, epoch.state)),
            **self.source.scores(self.next_memory),
        }
        record["evaluation_seconds"] = time.perf_counter() - started
        # from here on nothing takes time: an interrupted epoch leaves the last one as it was
        self.params, self.state, self.memory = epoch.params, epoch.state, self.next_memory
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
        recipe = self.recipe
        for name in recipe.monitored:
            which, _, quantity = name.partition("_")
            if which not in scores:
                scores[which] = evaluate(self.network, params, self.data[which], recipe.objective)
            values[name] = scores[which][quantity]
            if quantity == COST.name:
                values[name] += penalty(params, recipe.l2, recipe.l1, recipe.penalized)
        return values

    def _compare_with_best(self, record: dict[str, float]) -> None:
        value = record.get(self.recipe.decisive)
        if value is None:
            return
        better = self.recipe.objective.quantities[0].improves(value, self.best)
        self.without_improvement = 0 if better else self.without_improvement + 1
        # the originals take the later of two equals as the best; patience counts real improvement only
        if better or value == self.best:
            self.best, self.best_params = value, self.measured
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
    carry, own = epochs[0] if alone else _stacked(epochs)
    own = own._replace(rates=np.asarray(own.rates, np.float32))
    arrays = runs[0].data["training"]
    watched = interrupted is not None or any(run.progress is not None for run in runs)
    done, stride = 0, min(steps, 64) if watched else steps
    while done < steps:
        stop = min(done + stride, steps)
        shared = Shared(arrays, *(np.int32(number) for number in (len(arrays[0]), done, stop)))
        carry, reached, cost = program(carry, own, shared)
        for run, at, value in zip(runs, np.ravel(reached), np.ravel(cost), strict=True):  # waits for the device
            if not np.isfinite(value):
                raise NotFinite(_divergence(run, int(at), float(value), np.ravel(own.rates)))
        now = time.perf_counter()
        for number, run in enumerate(runs):
            copied = partial(_copied, carry.params, None if alone else number)
            run.report(stop, now - started, carry.costs if alone else carry.costs[number], copied)
        if interrupted is not None and interrupted():
            raise KeyboardInterrupt
        # about ten reports a second, as each call has a small price; fewer of a large network's long steps: each call
        # takes new memory for intermediate results, whose pages the system must fill with zeros
        pace = (stop - done) / max(now - last, 1e-3)  # steps per second
        stride = max(1, int(0.1 * pace), min(8, int(0.5 * pace)))
        done, last = stop, now
    seconds = time.perf_counter() - started
    ends = [carry] if alone else _unstacked(carry, len(runs))
    for run, end, (_, begun) in zip(runs, ends, epochs, strict=True):
        run.finish_epoch(end, float(begun.rates[0]), seconds)


def together(program: Any) -> Any:
    """The program of one run for several, which share the data and the place in the epoch."""
    return jax.jit(jax.vmap(program, in_axes=(0, 0, None)), donate_argnums=0)


def _divergence(run: Run, step: int, cost: float, rates: np.ndarray) -> str:
    rate = rates[min(step, run.steps) - 1]
    return (
        f"training: the cost is {cost} in epoch {len(run.history) + 1}, step {step} of {run.steps}; "
        f"the learning rate ({rate:g}) is likely too large"
    )


def _measured(params: Any, state: tuple[Any, Average | None]) -> Any:
    return params if state[1] is None else state[1].params


def _stacked(epochs: list[tuple[Carry, Own]]) -> tuple[Carry, Own]:
    return jax.tree.map(
        lambda *parts: np.stack(parts) if isinstance(parts[0], np.ndarray) else jnp.stack(parts), *epochs
    )


def _unstacked(carry: Carry, count: int) -> list[Carry]:
    return [jax.tree.map(lambda a, n=n: a[n], carry) for n in range(count)]


def _copied(params: Any, member: int | None = None) -> Any:
    """Parameters, those of one member where there are several, in memory that no step takes over."""
    return jax.tree.map(lambda a: np.array(a if member is None else np.asarray(a)[member]), params)


_copy = jax.jit(lambda tree: jax.tree.map(jnp.copy, tree))


def _stretches(steps: int, batch_size: int) -> Array:
    """The order in which row j of mini-batch i + 1 goes on where row j of mini-batch i has ended."""
    return jnp.arange(steps * batch_size, dtype=jnp.int32).reshape(batch_size, steps).T.ravel()


@lru_cache(maxsize=64)
def _order_program(n: int, length: int, shuffle: bool):
    """The order of the examples in an epoch, filled up to whole mini-batches by repeating its beginning."""

    def make(key: Array) -> Array:
        order = jax.random.permutation(key, n) if shuffle else jnp.arange(n)
        return jnp.resize(order, (length,)).astype(jnp.int32)

    return jax.jit(make)
