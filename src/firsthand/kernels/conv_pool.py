"""Convolution, max-pooling and activation as one operation: the compiled kernel, and the plain formula beside it.

The kernel takes float32 on a CPU.  It keeps the convolution's outputs in registers until their maximum is found, and
its gradients visit only the positions where one was: see conv_pool_kernel.h for the equations.
"""

from functools import partial

import jax
import jax.numpy as jnp
from jax import Array, ShapeDtypeStruct, lax

from . import native
from .convolution import convolution

__all__ = ["conv_pool", "conv_pool_plain", "rectified_convolution"]

_ACTIVATIONS = {"relu": jax.nn.relu, "sigmoid": jax.nn.sigmoid, "tanh": jnp.tanh, "linear": lambda z: z}


def conv_pool(
    x: Array,
    weights: Array,
    bias: Array,
    *,
    pool: tuple[int, int],
    padding: tuple[int, int] = (0, 0),
    activation: str,
) -> Array:
    """a = activation(b + max over each pooling window of (x * W)), * being the convolution of equation (125).

    Where two positions of a window are equally large, the gradient goes to the first of them, row by row, in the
    kernel, and is shared between them in the plain formula.

    Args:
        x: images, (batch, height, width, channels).
        weights: kernels, (kernel_height, kernel_width, channels, filters).
        bias: (filters,).
        pool: (height, width) of the pooling windows; what does not fill a window at the edge is left out.  (1, 1) is
            a convolution without pooling.
        padding: rows above and below, columns left and right, of zeros put around the images.
        activation: 'relu', 'sigmoid', 'tanh' or 'linear'.
    Returns:
        (batch, rows // pool height, columns // pool width, filters), rows = height + 2 padding - kernel_height + 1.
    """
    if padding != (0, 0):
        x = jnp.pad(x, ((0, 0), (padding[0],) * 2, (padding[1],) * 2, (0, 0)))
    plain = partial(conv_pool_plain, pool=pool, activation=activation)
    if not _takes(x, weights, pool):
        return plain(x, weights, bias)

    def fused(x: Array, weights: Array, bias: Array) -> Array:
        if activation in ("relu", "linear"):
            return _fused(x, weights, bias, pool, activation == "relu")
        # XLA's own sigmoid and tanh are vectorized, and the pooled map is small
        return _ACTIVATIONS[activation](_fused(x, weights, bias, pool, False))

    return lax.platform_dependent(x, weights, bias, cpu=fused, default=plain)


def conv_pool_plain(
    x: Array,
    weights: Array,
    bias: Array,
    *,
    pool: tuple[int, int],
    padding: tuple[int, int] = (0, 0),
    activation: str,
) -> Array:
    """The same in plain JAX, on any device and for any shape: the formula that `conv_pool` is tested against."""
    if padding != (0, 0):
        x = jnp.pad(x, ((0, 0), (padding[0],) * 2, (padding[1],) * 2, (0, 0)))
    z = convolution(x, weights)  # (batch, rows, columns, filters)
    batch, rows, columns, filters = z.shape
    ph, pw = pool
    z = z[:, : rows // ph * ph, : columns // pw * pw]
    windows = z.reshape(batch, rows // ph, ph, columns // pw, pw, filters)
    return _ACTIVATIONS[activation](jnp.max(windows, axis=(2, 4)) + bias)


def rectified_convolution(
    x: Array, weights: Array, bias: Array, *, stride: int = 1, padding: int = 0, groups: int = 1
) -> Array:
    """a = max(0, b + x * W), * being the convolution of equation (125).

    Behind ReLU half of the gradient is zero, which the fused kernel skips, group by group; a 1x1 kernel is one matrix
    product, and the fused kernel takes no other strides.

    Args:
        x, weights, stride, padding, groups: as for `convolution`.
        bias: (filters,).
    Returns:
        As `convolution`.
    """
    if stride != 1 or weights.shape[:2] == (1, 1):
        return jax.nn.relu(convolution(x, weights, stride=stride, padding=padding, groups=groups) + bias)
    one = partial(conv_pool, pool=(1, 1), padding=(padding, padding), activation="relu")
    if groups == 1:
        return one(x, weights, bias)
    parts = zip(*(jnp.split(array, groups, axis=-1) for array in (x, weights, bias)), strict=True)
    return jnp.concatenate([one(*part) for part in parts], axis=-1)


def _takes(x: Array, weights: Array, pool: tuple[int, int]) -> bool:
    return (
        native.library() is not None
        and x.dtype == weights.dtype == jnp.float32
        and x.shape[-1] == weights.shape[-2]  # else the plain formula says what is wrong
        and (pool == (1, 1) or (pool[0] in (2, 3) and pool[1] in (2, 3)))
    )


@partial(jax.custom_vjp, nondiff_argnums=(3, 4))
def _fused(x: Array, weights: Array, bias: Array, pool: tuple[int, int], relu: bool) -> Array:
    return _forward(x, weights, bias, pool, relu)[0]


def _forward(x: Array, weights: Array, bias: Array, pool: tuple[int, int], relu: bool) -> tuple[Array, Array]:
    (batch, height, width, _), (kh, kw, _, filters) = x.shape, weights.shape
    shape = (batch, (height - kh + 1) // pool[0], (width - kw + 1) // pool[1], filters)
    results = (ShapeDtypeStruct(shape, jnp.float32), ShapeDtypeStruct(shape, jnp.uint8))
    call = jax.ffi.ffi_call("firsthand_conv_pool_forward", results, vmap_method="broadcast_all")
    a, winner = call(x, weights, bias, pool_height=pool[0], pool_width=pool[1], relu=relu)
    return a, winner


def _fused_forward(x: Array, weights: Array, bias: Array, pool: tuple[int, int], relu: bool):
    a, winner = _forward(x, weights, bias, pool, relu)
    return a, (x, weights, winner)


def _fused_backward(pool: tuple[int, int], relu: bool, kept: tuple[Array, Array, Array], delta: Array):
    x, weights, winner = kept
    pooling = {"pool_height": pool[0], "pool_width": pool[1]}
    results = (
        ShapeDtypeStruct(weights.shape, jnp.float32),
        ShapeDtypeStruct(weights.shape[-1:], jnp.float32),
    )
    for_weights = jax.ffi.ffi_call("firsthand_conv_pool_weights_gradient", results, vmap_method="broadcast_all")
    d_weights, d_bias = for_weights(x, winner, delta, **pooling)
    # a call of its own: XLA removes it where nobody asks for the gradient of the input, as before the first layer
    for_input = jax.ffi.ffi_call(
        "firsthand_conv_pool_input_gradient", ShapeDtypeStruct(x.shape, jnp.float32), vmap_method="broadcast_all"
    )
    return for_input(weights, winner, delta, **pooling), d_weights, d_bias


_fused.defvjp(_fused_forward, _fused_backward)
