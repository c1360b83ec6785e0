"""One epoch of stochastic gradient descent as one compiled program.

It gathers each mini-batch on the device, takes the gradient, moves the parameters, and goes round again without Python.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import Array, lax
from jax.sharding import Mesh, PartitionSpec

from firsthand.kernels import SteppedWeights, can_step
from firsthand.nn import Cost, Layer, Network
from firsthand.nn.network import is_statistic

__all__ = ["PARTS", "Augment", "Average", "Device", "momentum", "penalty", "step_program", "with_penalties"]


PARTS = "parts"  # of a mini-batch, on a device each
Device = Any  # jax.Device, which is no class for type checkers

# of images (batch, height, width, channels) as floats, with a key: images of the same shape
Augment = Callable[..., Array]


@lru_cache(maxsize=64)
def momentum(mu: float, nesterov: bool) -> optax.GradientTransformation:
    """v <- mu v + gradient, the direction of the step being v: the same object for the same arguments."""
    return optax.trace(mu, nesterov) if mu else optax.identity()


@lru_cache(maxsize=64)
def step_program(
    network: Network,
    cost: Cost,
    optimizer: optax.GradientTransformation,
    descend: bool,
    l2: float,
    l1: float,
    batch_size: int,
    augment: Augment | None = None,
    average: float = 0.0,
    devices: tuple[Device, ...] | None = None,
):
    """Compile an epoch, or any part of it.

    Args:
        network, cost, l2, l1, batch_size, augment, average: see `Recipe`.
        optimizer: what makes a direction of a gradient.
        devices: divide every mini-batch over them; the parts' gradients are added up, and everything else is the same
            on all.  Randomness is drawn for each part, and BatchNorm sees its part.
        descend: whether the step is -rate times that direction; otherwise it is +rate times (Optax's own sign).
    Returns:
        A function (params, state, costs, images, labels, order, n, start, stop, rates, key) -> (params, state, costs,
        reached, cost) that takes the steps `start` to `stop`: mini-batch i is order[i * batch_size ...], of the first n
        examples, its learning rate is rates[i]; costs (steps,) is filled in.  It stops early, at `reached`, after a
        cost that is no number.  The first three arguments are given away: their memory becomes that of the results.
        `state` is that of the optimizer with the `Average` of the parameters, None if there is none.
    """
    parts = 1 if devices is None else len(devices)
    size = batch_size // parts
    plain = descend and optimizer is momentum(0.0, False) and not l1 and parts == 1

    def mean_cost(params, x: Array, y: Array, counts: Array, key: Array) -> tuple[Array, Any]:
        z, updated = network.forward(params, x, key=key)  # (batch, classes)
        return jnp.sum(cost(z, y, network.activation) * counts.astype(z.dtype)), _statistics(updated)

    def run(params, state, costs, images, labels, order, n, start, stop, rates, key):
        def step(carry):
            i, params, state, costs, _ = carry
            rate, step_key = rates[i], jax.random.fold_in(key, i)
            first = i * batch_size
            if parts > 1:
                part = lax.axis_index(PARTS)
                first, step_key = first + part * size, jax.random.fold_in(step_key, part)
            at = lax.dynamic_slice(order, (first,), (size,))
            x, y = images[at], labels[at]
            if len(labels) % batch_size:
                # the last mini-batch is filled up with examples that do not count
                valid = first + jnp.arange(size) < n
                counts = valid.astype(jnp.float32) / jnp.minimum(batch_size, n - i * batch_size).astype(jnp.float32)
            else:
                counts = jnp.full(size, 1 / batch_size, jnp.float32)
            if augment is not None:
                step_key, augment_key = jax.random.split(step_key)
                x = augment(network.as_float(x, params), key=augment_key)
            given = _stepping(network, params, rate, l2) if plain else params
            found = jax.value_and_grad(mean_cost, has_aux=True)(given, x, y, counts, step_key)
            (value, statistics), gradient = found
            if parts > 1:
                value, gradient = lax.psum((value, gradient), PARTS)
                statistics = lax.pmean(statistics, PARTS)
            optimizer_state, mean = state
            penalized = with_penalties(gradient, params, l2, l1)
            direction, optimizer_state = optimizer.update(penalized, optimizer_state, params)
            scale = -rate if descend else rate
            # XLA copies the weights of every layer before it changes them in place, unless the change depends on all
            # that reads the old ones: the first gradient, which is the last to be found, makes it depend
            scale = scale + 0 * jnp.ravel(jax.tree.leaves(gradient)[0])[0].astype(scale.dtype)
            params = jax.tree.map(partial(_moved, scale), params, direction)
            params = _with_statistics(params, statistics)
            state = optimizer_state, None if mean is None else mean.followed_by(params, average)
            value = value.astype(costs.dtype)
            return i + 1, params, state, costs.at[i].set(value), value

        def more(carry):
            i, _, _, _, value = carry
            return (i < stop) & jnp.isfinite(value)

        i, params, state, costs, value = lax.while_loop(
            more, step, (start, params, state, costs, jnp.zeros((), costs.dtype))
        )
        return params, state, costs, i, value

    if devices is not None:
        mesh, whole = Mesh(np.array(devices), (PARTS,)), PartitionSpec()
        run = jax.shard_map(run, mesh=mesh, in_specs=whole, out_specs=whole, check_vma=False)
    return jax.jit(run, donate_argnums=(0, 1, 2))


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


def _statistics(params: Any) -> list[Array]:
    """The parameters that follow the data and not the gradient, in the order of the tree."""
    return [leaf for path, leaf in jax.tree_util.tree_leaves_with_path(params) if is_statistic(path)]


def _with_statistics(params: Any, statistics: list[Array]) -> Any:
    rest = iter(statistics)
    return jax.tree_util.tree_map_with_path(lambda path, p: next(rest) if is_statistic(path) else p, params)


def _stepping(network: Network, params: Any, rate: Array, l2: float) -> Any:
    """The parameters, with large matrices as ones that step during the backward pass: plain descent allows it."""

    def stepping(path, w: Array) -> Any:
        layer, keys = network.layers[path[0].idx], [entry.key for entry in path[1:]]
        if not (_is_weight(path) and layer.multiplies_once(*keys) and can_step(w)):
            return w
        # of a layer within a layer we do not know what stands before it
        return SteppedWeights(w, rate, l2, len(path) == 2 and _rectified(network.layers[: path[0].idx]))

    return jax.tree_util.tree_map_with_path(stepping, params)


def _rectified(before: tuple[Layer, ...]) -> bool:
    """Whether the gradient ends where what leaves these layers is 0, as behind a ReLU."""
    ended = False
    for layer in before:
        ended = layer.zeros_end_gradient(ended)
    return ended


def _steps_by_itself(leaf: Any) -> bool:
    return isinstance(leaf, SteppedWeights)


def _moved(scale: Array, w: Array, direction: Array | SteppedWeights) -> Array:
    if isinstance(direction, SteppedWeights):
        return direction.weights  # after the step already
    return w + scale.astype(w.dtype) * direction


def with_penalties(gradient: Any, params: Any, l2: float, l1: float) -> Any:
    """dC/dw + l2 w + l1 sgn(w) for weights, equations (88) and (96); biases as they are."""

    def penalized(path, g: Any, w: Array) -> Any:
        if _steps_by_itself(g) or not _is_weight(path):
            return g
        if l2:
            g = g + l2 * w
        if l1:
            g = g + l1 * jnp.sign(w)
        return g

    return jax.tree_util.tree_map_with_path(penalized, gradient, params, is_leaf=_steps_by_itself)


def penalty(params: Any, l2: float, l1: float) -> float:
    """l2/2 sum w^2 + l1 sum |w| over the weights, equations (87) and (95)."""
    weights = [w for path, w in jax.tree_util.tree_leaves_with_path(params) if _is_weight(path)]
    total = 0.0
    if l2:
        total += 0.5 * l2 * sum(float(jnp.sum(w * w)) for w in weights)
    if l1:
        total += l1 * sum(float(jnp.sum(jnp.abs(w))) for w in weights)
    return total


def _is_weight(path: tuple) -> bool:
    return getattr(path[-1], "key", None) == "weights"
