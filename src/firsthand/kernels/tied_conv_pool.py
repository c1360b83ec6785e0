"""Convolution, max-pooling and activation where every maximum of a window learns, as in Theano.

`conv_pool` sends the gradient to one of several equal maxima.  Theano sent all of it to each of them, which matters
where an image is uniform: in the empty corners of a digit, all positions of a window are equal.
"""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, ShapeDtypeStruct

from .conv_pool import _ACTIVATIONS, _forward, _takes
from .convolution import convolution

__all__ = ["tied_conv_pool"]

_NO_GRADIENT = 255  # kInactive of conv_pool_kernel.h
_PLAIN = {"pool_height": 1, "pool_width": 1}


def tied_conv_pool(x: Array, weights: Array, bias: Array, *, pool: tuple[int, int], activation: str) -> Array:
    """a = activation(b + max over each pooling window of z), z = x * W; dC/dz is dC/dmax wherever z is the maximum.

    Args:
        x: images, (batch, height, width, channels).
        weights: kernels, (kernel_height, kernel_width, channels, filters).
        bias: (filters,).
        pool: (height, width) of the pooling windows; what does not fill a window at the edge is left out.
        activation: 'relu', 'sigmoid', 'tanh' or 'linear'.
    Returns:
        (batch, rows // pool height, columns // pool width, filters), rows = height - kernel_height + 1.
    """

    def plain(x: Array, weights: Array) -> Array:
        return _pooled(convolution(x, weights), pool)

    if _takes(x, weights, (1, 1)):
        maximum = jax.lax.platform_dependent(x, weights, cpu=partial(_fused, pool=pool), default=plain)
    else:
        maximum = plain(x, weights)
    return _ACTIVATIONS[activation](maximum + bias)


def _windows(z: Array, pool: tuple[int, int]) -> Array:
    """(batch, rows, columns, filters) -> (batch, pooled rows, pool height, pooled columns, pool width, filters)."""
    batch, rows, columns, filters = z.shape
    (ph, pw), (down, across) = pool, (rows // pool[0], columns // pool[1])
    return z[:, : down * ph, : across * pw].reshape(batch, down, ph, across, pw, filters)


def _spread(windows: Array, shape: tuple[int, ...], fill: int = 0) -> Array:
    """The inverse of `_windows`, with `fill` where no window is."""
    batch, down, ph, across, pw, filters = windows.shape
    whole = windows.reshape(batch, down * ph, across * pw, filters)
    edges = ((0, 0), (0, shape[1] - down * ph), (0, shape[2] - across * pw), (0, 0))
    return jnp.pad(whole, edges, constant_values=fill)


@partial(jax.custom_vjp, nondiff_argnums=(1,))
def _pooled(z: Array, pool: tuple[int, int]) -> Any:
    return jnp.max(_windows(z, pool), axis=(2, 4))


def _pooled_forward(z: Array, pool: tuple[int, int]):
    maximum = _pooled(z, pool)
    return maximum, (z, maximum)


def _pooled_backward(pool: tuple[int, int], kept: tuple[Array, Array], delta: Array):
    z, maximum = kept
    is_maximum = _windows(z, pool) == maximum[:, :, None, :, None]
    return (_spread(jnp.where(is_maximum, delta[:, :, None, :, None], 0), z.shape),)


_pooled.defvjp(_pooled_forward, _pooled_backward)


@partial(jax.custom_vjp, nondiff_argnums=(2,))
def _fused(x: Array, weights: Array, pool: tuple[int, int]) -> Any:
    return _fused_forward(x, weights, pool)[0]


def _fused_forward(x: Array, weights: Array, pool: tuple[int, int]):
    z, _ = _forward(x, weights, jnp.zeros(weights.shape[-1], jnp.float32), (1, 1), relu=False)
    maximum = jnp.max(_windows(z, pool), axis=(2, 4))
    return maximum, (x, weights, z, maximum)


def _fused_backward(pool: tuple[int, int], kept: tuple[Array, Array, Array, Array], delta: Array):
    x, weights, z, maximum = kept
    is_maximum = _windows(z, pool) == maximum[:, :, None, :, None]
    delta = _spread(jnp.broadcast_to(delta[:, :, None, :, None], is_maximum.shape), z.shape)
    # the kernels for convolution without pooling skip the positions without gradient
    winner = _spread(jnp.where(is_maximum, np.uint8(0), np.uint8(_NO_GRADIENT)), z.shape, _NO_GRADIENT)
    results = (ShapeDtypeStruct(weights.shape, jnp.float32), ShapeDtypeStruct(weights.shape[-1:], jnp.float32))
    for_weights = jax.ffi.ffi_call("firsthand_conv_pool_weights_gradient", results, vmap_method="broadcast_all")
    d_weights, _ = for_weights(x, winner, delta, **_PLAIN)
    # a call of its own, as in conv_pool: before the first layer nobody asks for it
    for_input = jax.ffi.ffi_call(
        "firsthand_conv_pool_input_gradient", ShapeDtypeStruct(x.shape, jnp.float32), vmap_method="broadcast_all"
    )
    return for_input(weights, winner, delta, **_PLAIN), d_weights


_fused.defvjp(_fused_forward, _fused_backward)
