"""One epoch of stochastic gradient descent as one compiled program.

It gathers each mini-batch on the device, takes the gradient, moves the parameters, and goes round again without Python.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import Array, lax
from jax.sharding import Mesh, PartitionSpec

from firsthand.errors import FirsthandError
from firsthand.kernels import THINNED, SteppedWeights, can_step
from firsthand.nn import Layer, Network
from firsthand.nn.network import is_statistic

from .objective import Objective
from .parameters import WEIGHTS, clipped, matches, rate_of, with_penalties

__all__ = ["PARTS", "Augment", "Average", "Carry", "Device", "Own", "Rule", "Shared", "momentum", "step_program"]


PARTS = "parts"  # of a mini-batch, on a device each
Device = Any  # jax.Device, which is no class for type checkers

# of a mini-batch of inputs as floats, (batch, *example_shape), with a key: inputs of the same shape
Augment = Callable[..., Array]


@lru_cache(maxsize=64)
def momentum(mu: float, nesterov: bool) -> optax.GradientTransformation:
    """v <- mu v + gradient, the direction of the step being v: the same object for the same arguments."""
    return optax.trace(mu, nesterov) if mu else optax.identity()


class Rule(NamedTuple):
    """All of a recipe that a compiled step depends on.

    `descend` says whether the step is -rate times the optimizer's direction; otherwise it is +rate times (Optax's own
    sign).  For the rest see `Recipe`.
    """

    objective: Objective
    batch_size: int
    optimizer: optax.GradientTransformation = momentum(0.0, False)
    descend: bool = True
    l2: float = 0.0
    l1: float = 0.0
    augment: Augment | None = None
    average: float = 0.0
    penalized: tuple[str, ...] = WEIGHTS
    frozen: tuple[str, ...] = ()
    rates: tuple[tuple[str, float], ...] = ()
    clip: float | None = None
    carry_state: bool = False

    @property
    def plain(self) -> bool:
        """True if a step is w <- w - rate (dC/dw + l2 w) and nothing else, for every parameter."""
        return (
            self.descend
            and self.optimizer is momentum(0.0, False)
            and not (self.l1 or self.frozen or self.rates or self.clip)
            and type(self.objective).gradient is Objective.gradient
            and not self.carry_state
        )


class Carry(NamedTuple):
    """The state that a step takes and returns; the results take over its memory."""

    params: Any
    state: Any  # of the optimizer, and the `Average` of the parameters, None if there is none
    costs: Array  # (steps,), filled in
    memory: Any = ()  # of the network, where sequences go on from one mini-batch to the next


class Own(NamedTuple):
    """The values of an epoch that differ between several trainings."""

    order: Array  # (steps * batch_size,): mini-batch i is order[i * batch_size ...]
    rates: Any  # (steps,), learning rates
    key: Array


class Shared(NamedTuple):
    """The values that all of them share."""

    arrays: tuple[Array, ...]  # of the examples
    n: Any  # how many of them count
    start: Any  # the first step to take
    stop: Any  # the first not to take


def step_program(network: Network, rule: Rule, devices: tuple[Device, ...] | None = None):
    """Compile an epoch, or any part of it.

    Args:
        network, rule: what is trained, and how.
        devices: divide every mini-batch over them; the parts' gradients are added up, and everything else is the same
            on all.  Randomness is drawn for each part, and BatchNorm sees its part.
    Returns:
        A function (Carry, Own, Shared) -> (Carry, reached, cost) that takes the steps `start` to `stop`.  It stops
        early, at `reached`, after a cost that is no number.
    Raises:
        FirsthandError: a layer or a setting of one's own that cannot be hashed, so that its program could not be found
            again.
    """
    try:
        return _step_program(network, rule, devices)
    except TypeError as error:
        if "unhashable" not in str(error):
            raise
        raise FirsthandError(
            f"train: {error} among the fields of the network or the recipe; a layer or an objective of your own is a "
            "frozen dataclass of plain values (tuples instead of lists, no arrays)"
        ) from None


@lru_cache(maxsize=64)
def _step_program(network: Network, rule: Rule, devices: tuple[Device, ...] | None):
    objective, batch_size = rule.objective, rule.batch_size
    parts = 1 if devices is None else len(devices)
    size = batch_size // parts

    def run(carry: Carry, own: Own, shared: Shared) -> tuple[Carry, Array, Array]:
        arrays, n = shared.arrays, shared.n

        def step(at):
            i, (params, state, costs, memory), _ = at
            rate, step_key = own.rates[i], jax.random.fold_in(own.key, i)
            first = i * batch_size
            if parts > 1:
                part = lax.axis_index(PARTS)
                first, step_key = first + part * size, jax.random.fold_in(step_key, part)
            chosen = lax.dynamic_slice(own.order, (first,), (size,))
            batch = tuple(array[chosen] for array in arrays)
            if len(arrays[0]) % batch_size:
                # the last mini-batch is filled up with examples that do not count
                valid = first + jnp.arange(size) < n
                counts = valid.astype(jnp.float32) / jnp.minimum(batch_size, n - i * batch_size).astype(jnp.float32)
            else:
                counts = jnp.full(size, 1 / batch_size, jnp.float32)
            if rule.augment is not None:
                step_key, augment_key = jax.random.split(step_key)
                x = rule.augment(network.as_float(batch[0], params), key=augment_key)
                batch = (x, *batch[1:])
            given = _given(network, params, rate, rule, parts == 1)
            if rule.carry_state:
                value, statistics, gradient, memory = objective.gradient_from(
                    network, given, batch, counts, memory, key=step_key
                )
            else:
                value, statistics, gradient = objective.gradient(network, given, batch, counts, key=step_key)
            if parts > 1:
                value, gradient = lax.psum((value, gradient), PARTS)
                statistics = lax.pmean(statistics, PARTS)
            optimizer_state, mean = state
            if rule.clip is not None:
                gradient = clipped(gradient, rule.clip)
            penalized = with_penalties(gradient, params, rule.l2, rule.l1, rule.penalized)
            direction, optimizer_state = rule.optimizer.update(penalized, optimizer_state, params)
            scale = -rate if rule.descend else rate
            if batch_size > 1 or any(jnp.ndim(w) > 2 for w in jax.tree.leaves(params)):
                # XLA copies the weights of every layer before it changes them in place, unless the change depends on
                # all that reads the old ones: the first gradient, which is the last to be found, makes it depend.  Of
                # one example a matrix's gradient is never stored, and XLA would find the rate again for every weight
                scale = scale + 0 * jnp.ravel(jax.tree.leaves(gradient)[0])[0].astype(scale.dtype)
            moved = jax.tree_util.tree_map_with_path(partial(_moved, scale, rule), params, direction)
            params = _with_statistics(moved, statistics, rule.frozen)
            state = optimizer_state, None if mean is None else mean.followed_by(params, rule.average)
            value = value.astype(costs.dtype)
            return i + 1, Carry(params, state, costs.at[i].set(value), memory), value

        def more(at):
            i, _, value = at
            return (i < shared.stop) & jnp.isfinite(value)

        reached, carry, value = lax.while_loop(more, step, (shared.start, carry, jnp.zeros((), carry.costs.dtype)))
        return carry, reached, value

    if devices is not None:
        mesh, whole = Mesh(np.array(devices), (PARTS,)), PartitionSpec()
        run = jax.shard_map(run, mesh=mesh, in_specs=whole, out_specs=whole, check_vma=False)
    return jax.jit(run, donate_argnums=0)


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Average:
    """An exponential moving average of parameters.

    Args:
        params: the average.
        steps: how many it has followed, a scalar array.
    """

    params: Any
    steps: Array

    @classmethod
    def of(cls, params: Any) -> "Average":
        """The average after no step: the parameters themselves."""
        return cls(params, jnp.zeros((), jnp.int32))

    def followed_by(self, params: Any, decay: float) -> "Average":
        """average <- d average + (1 - d) params, with d = min(decay, (1 + t) / (10 + t)) at step t.

        The smaller d of the first steps forgets where the parameters began.
        """
        t = self.steps.astype(jnp.float32)
        d = jnp.minimum(decay, (1 + t) / (10 + t))
        mean = jax.tree.map(lambda a, p: a + (1 - d).astype(p.dtype) * (p - a), self.params, params)
        return Average(mean, self.steps + 1)


def _with_statistics(params: Any, statistics: list[Array], frozen: tuple[str, ...]) -> Any:
    rest = iter(statistics)

    def renewed(path, p: Array) -> Array:
        if not is_statistic(path):
            return p
        found = next(rest)
        return p if matches(path, frozen) else found

    return jax.tree_util.tree_map_with_path(renewed, params)


def _given(network: Network, params: Any, rate: Array, rule: Rule, alone: bool) -> Any:
    """Return the parameters as the gradient is taken of them.

    There is none for what is frozen.  Large matrices are ones that step during the backward pass, where descent is
    plain and one device does it alone.
    """

    def given(path, w: Array) -> Any:
        if matches(path, rule.frozen):
            return lax.stop_gradient(w)
        layer, keys = network.layers[path[0].idx], [entry.key for entry in path[1:]]
        # of a layer within a layer we do not know what stands before it
        before = network.layers[: path[0].idx if len(path) == 2 else 0]
        dead = _rectified(before)
        thinned = dead and before[-1].dropped_share >= THINNED
        if not (alone and rule.plain and layer.multiplies_once(*keys) and can_step(w, rule.batch_size, thinned)):
            return w
        l2 = rule.l2 if matches(path, rule.penalized) else 0.0
        return SteppedWeights(w, rate, l2, dead, thinned)

    return jax.tree_util.tree_map_with_path(given, params)


def _rectified(before: tuple[Layer, ...]) -> bool:
    """Return whether the gradient ends where the output of these layers is 0, as behind a ReLU."""
    ended = False
    for layer in before:
        ended = layer.zeros_end_gradient(ended)
    return ended


def _moved(scale: Array, rule: Rule, path: tuple, w: Array, direction: Array | SteppedWeights) -> Array:
    if isinstance(direction, SteppedWeights):
        return direction.weights  # after the step already
    if matches(path, rule.frozen):
        return w
    factor = rate_of(path, rule.rates)
    return w + (scale if factor == 1.0 else scale * factor).astype(w.dtype) * direction
