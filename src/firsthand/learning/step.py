"""One epoch of stochastic gradient descent as one compiled program.

It gathers each mini-batch on the device, takes the gradient, moves the parameters, and goes round again without Python.
"""

from functools import lru_cache, partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import Array, lax

from firsthand.kernels import SteppedWeights, can_step
from firsthand.nn import Cost, Dropout, Flatten, Layer, MaxPool, Network, relu

__all__ = ["momentum", "penalty", "step_program", "with_penalties"]


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
):
    """Compile an epoch, or any part of it.

    Args:
        network, cost, l2, l1, batch_size: see `Recipe`.
        optimizer: what makes a direction of a gradient.
        descend: whether the step is -rate times that direction; otherwise it is +rate times (Optax's own sign).
    Returns:
        A function (params, state, costs, images, labels, order, n, start, stop, rate, key) -> (params, state, costs,
        reached, cost) that takes the steps `start` to `stop`: mini-batch i is order[i * batch_size ...], of the first n
        examples; costs (steps,) is filled in.  It stops early, at `reached`, after a cost that is no number.  The first
        three arguments are given away: their memory becomes that of the results.
    """
    plain = descend and optimizer is momentum(0.0, False) and not l1

    def mean_cost(params, x: Array, y: Array, counts: Array, key: Array) -> Array:
        z = network.weighted_input(params, x, key=key, train=True)  # (batch, classes)
        return jnp.sum(cost(z, y, network.activation) * counts.astype(z.dtype))

    def run(params, state, costs, images, labels, order, n, start, stop, rate, key):
        def step(carry):
            i, params, state, costs, _ = carry
            at = lax.dynamic_slice(order, (i * batch_size,), (batch_size,))
            x, y = images[at], labels[at]
            if len(labels) % batch_size:
                # the last mini-batch is filled up with examples that do not count
                valid = i * batch_size + jnp.arange(batch_size) < n
                counts = valid.astype(jnp.float32) / jnp.sum(valid, dtype=jnp.float32)
            else:
                counts = jnp.full(batch_size, 1 / batch_size, jnp.float32)
            given = _stepping(network, params, rate, l2) if plain else params
            value, gradient = jax.value_and_grad(mean_cost)(given, x, y, counts, jax.random.fold_in(key, i))
            direction, state = optimizer.update(with_penalties(gradient, params, l2, l1), state, params)
            scale = -rate if descend else rate
            # XLA copies the weights of every layer before it changes them in place, unless the change depends on all
            # that reads the old ones: the first gradient, which is the last to be found, makes it depend
            scale = scale + 0 * jnp.ravel(jax.tree.leaves(gradient)[0])[0].astype(scale.dtype)
            params = jax.tree.map(partial(_moved, scale), params, direction)
            value = value.astype(costs.dtype)
            return i + 1, params, state, costs.at[i].set(value), value

        def more(carry):
            i, _, _, _, value = carry
            return (i < stop) & jnp.isfinite(value)

        i, params, state, costs, value = lax.while_loop(
            more, step, (start, params, state, costs, jnp.zeros((), costs.dtype))
        )
        return params, state, costs, i, value

    compiled = jax.jit(run, donate_argnums=(0, 1, 2))

    def call(params, state, costs, images, labels, order, n: int, start: int, stop: int, rate: float, key):
        scalars = np.int32(n), np.int32(start), np.int32(stop), np.float32(rate)
        return compiled(params, state, costs, images, labels, order, *scalars, key)

    return call


def _stepping(network: Network, params: Any, rate: Array, l2: float) -> Any:
    """The parameters, with large matrices as ones that step during the backward pass: plain descent allows it."""

    def stepping(path, w: Array) -> Any:
        if not (_is_weight(path) and can_step(w)):
            return w
        return SteppedWeights(w, rate, l2, zeros_are_dead=_rectified(network.layers[: path[0].idx]))

    return jax.tree_util.tree_map_with_path(stepping, params)


def _rectified(before: tuple[Layer, ...]) -> bool:
    """Whether what leaves these layers is a ReLU's: where it is 0, the gradient ends."""
    for layer in reversed(before):
        # dropout's zeros end it as well, and the rest moves values without changing them
        if not isinstance(layer, Dropout | Flatten | MaxPool):
            return getattr(layer, "activation", None) is relu
    return False


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
