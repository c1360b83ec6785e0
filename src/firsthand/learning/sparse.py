"""Features found without being told anything: a linear layer that gives its input back, and is seldom at work.

The parameters W of a layer A x = W x are found that make

    C = 1/n sum_x [ |A^T A x - x|^2 + sparsity sum_j sqrt(epsilon + (P (A x)^2)_j) ]

small, with P the sum over pooling windows: units of a window are at work together, and few windows are.

References:
    Le, Karpenko, Ngiam and Ng 2011, 'ICA with Reconstruction Cost for Efficient Overcomplete Feature Learning';
    Le et al. 2012, 'Building high-level features using large scale unsupervised learning', equation (1).
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import Array, lax

from firsthand.errors import FirsthandError
from firsthand.keys import Key, as_key
from firsthand.nn import L2Pool, Layer, Params, linear

__all__ = ["Whitening", "encoded", "sparse_features", "whitening"]

EPSILON = 1e-4
Grid = tuple[int, int] | None


def sparse_features(
    layer: Layer,
    x: np.ndarray,
    *,
    pool: L2Pool | None = None,
    grid: Grid = None,
    sparsity: float = 0.1,
    steps: int = 2000,
    batch_size: int = 100,
    learning_rate: float = 0.01,
    key: Key,
) -> tuple[Params, np.ndarray]:
    """Learn a layer's weights from what goes in alone; see the head of this file.

    Steps of Adam along half a cosine of the learning rate.

    Args:
        layer: with weights and a linear activation: `FullyConnected`, `Convolution` or `LocallyConnected`; its bias
            stays zero.
        x: examples, (n, *input shape), floats.
        pool: over neighbouring places of the layer's output; None: every unit by itself.
        grid: (rows, columns) in which the units of a fully connected layer lie for the pooling; neighbours become
            alike.
        sparsity: weight of the second term; with too much of it all weights become zero.
        steps, batch_size, learning_rate: of the descent.
        key: randomness.
    Returns:
        The layer's parameters, and the cost of every step, (steps,).
    Raises:
        FirsthandError: a layer that is not linear or has no weights.
    """
    if layer.activation_function is not linear:
        raise FirsthandError(f"sparse features: {layer} found, expected a layer with weights and a linear activation")
    start, key = jax.random.split(as_key(key))
    params = layer.init(x.shape[1:], key=start)
    cost = partial(_cost, layer=layer, pool=pool, grid=grid, sparsity=sparsity)
    descent = _descent(cost, steps, batch_size, learning_rate)
    weights, costs = descent(params["weights"], jnp.asarray(x, jnp.float32), key)
    return {"weights": weights, "bias": jnp.zeros_like(params["bias"])}, np.asarray(costs)


def encoded(layer: Layer, params: Params, x: Any, pool: L2Pool | None = None, grid: Grid = None) -> Array:
    """Return what the units say of examples: sqrt of the pooled squares, or without pooling the size |A x|."""
    h = layer.apply(params, jnp.asarray(x, jnp.float32))
    return jnp.abs(h) if pool is None else pool.apply({}, _laid(h, grid))


class Whitening(NamedTuple):
    """Coordinates in which examples have no correlations and variance 1: y = (x - mean) @ to, x ~ mean + y @ back.T.

    Args:
        mean: of the examples, (values,).
        to, back: (values, dimensions).
    """

    mean: np.ndarray
    to: np.ndarray
    back: np.ndarray

    def apply(self, x: np.ndarray) -> np.ndarray:
        """Return examples (n, ...) in these coordinates, (n, dimensions)."""
        return ((x.reshape(len(x), -1) - self.mean) @ self.to).astype(np.float32)


def whitening(x: np.ndarray, dimensions: int) -> Whitening:
    """Find the whitening of examples (n, ...) that keeps the directions of the largest variance."""
    flat = x.reshape(len(x), -1).astype(np.float64)
    variances, directions = np.linalg.eigh(np.cov(flat.T))
    deviations, kept = np.sqrt(variances[::-1][:dimensions]), directions[:, ::-1][:, :dimensions]
    return Whitening(flat.mean(axis=0), kept / deviations, kept * deviations)


def _laid(h: Array, grid: Grid) -> Array:
    return h if grid is None else h.reshape(len(h), *grid, 1)


def _cost(weights: Array, x: Array, *, layer: Layer, pool: L2Pool | None, grid: Grid, sparsity: float) -> Array:
    bias = jnp.zeros(jax.eval_shape(lambda: layer.init(x.shape[1:], key=jax.random.key(0)))["bias"].shape, x.dtype)
    # of a linear map, the gradient's way back is the transposed map
    h, transposed = jax.vjp(lambda x: layer.apply({"weights": weights, "bias": bias}, x), x)
    (back,) = transposed(h)
    squares = h * h if pool is None else pool.apply({}, _laid(h, grid)) ** 2
    summed = jnp.sum((back - x) ** 2) + sparsity * jnp.sum(jnp.sqrt(EPSILON + squares))
    return summed / len(x)


def _descent(cost: Callable[[Array, Array], Array], steps: int, batch_size: int, learning_rate: float):
    rule = optax.adam(optax.cosine_decay_schedule(learning_rate, steps))

    def step(x: Array, at: tuple[Array, Any], key: Array) -> tuple[tuple[Array, Any], Array]:
        weights, state = at
        batch = x[jax.random.randint(key, (batch_size,), 0, len(x))]
        value, slope = jax.value_and_grad(cost)(weights, batch)
        with jax.numpy_dtype_promotion("standard"):  # Optax raises floats to whole numbers
            direction, state = rule.update(slope, state)
        return (optax.apply_updates(weights, direction), state), value  # type: ignore[return-value]

    def descent(weights: Array, x: Array, key: Array) -> tuple[Array, Array]:
        keys = jax.random.split(key, steps)
        (weights, _), costs = lax.scan(partial(step, x), (weights, rule.init(weights)), keys)
        return weights, costs

    return jax.jit(descent)
