"""Convolution, max-pooling and activation as one operation."""

import jax
import jax.numpy as jnp
from jax import Array

from .convolution import convolution

__all__ = ["conv_pool", "conv_pool_plain"]

_ACTIVATIONS = {"relu": jax.nn.relu, "sigmoid": jax.nn.sigmoid, "tanh": jnp.tanh, "linear": lambda z: z}


def conv_pool_plain(
    x: Array,
    weights: Array,
    bias: Array,
    *,
    pool: tuple[int, int],
    padding: tuple[int, int] = (0, 0),
    activation: str,
) -> Array:
    """activation(bias + max over each pooling window of (x * weights))."""
    if padding != (0, 0):
        x = jnp.pad(x, ((0, 0), (padding[0],) * 2, (padding[1],) * 2, (0, 0)))
    z = convolution(x, weights)
    batch, rows, columns, filters = z.shape
    ph, pw = pool
    windows = z[:, : rows // ph * ph, : columns // pw * pw].reshape(batch, rows // ph, ph, columns // pw, pw, filters)
    return _ACTIVATIONS[activation](jnp.max(windows, axis=(2, 4)) + bias)


conv_pool = conv_pool_plain
