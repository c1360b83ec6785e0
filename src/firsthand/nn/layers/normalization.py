"""Layers that bring their inputs to mean 0 and variance 1."""

from dataclasses import dataclass

import jax.numpy as jnp
from jax import Array, lax
from jax.typing import DTypeLike

from ..layer import Layer, Params, Shape
from ..windows import Field

__all__ = ["BatchNorm", "LayerNorm"]


@dataclass(frozen=True)
class BatchNorm(Layer):
    """Every channel (the last axis) with mean 0 and variance 1 over the mini-batch, then scaled and shifted:

        y = scale (x - mean) / sqrt(variance + epsilon) + bias

    In training, mean and variance are those of the mini-batch, over all axes but the last; examples that only fill up
    a last mini-batch count too.  They are remembered as running averages, s <- momentum s + (1 - momentum) s_batch,
    which take their place when the network is used.  The variance is the mean squared deviation, without n - 1.

    Args:
        momentum: share of a running average that a mini-batch leaves as it was.
        epsilon: keeps the root away from 0.
    References:
        Ioffe and Szegedy 2015, 'Batch Normalization', algorithm 1.
    """

    momentum: float = 0.9
    epsilon: float = 1e-5

    def __post_init__(self) -> None:
        if not 0 <= self.momentum < 1:
            raise ValueError(f"BatchNorm: momentum is {self.momentum}, expected 0 <= momentum < 1")
        if not self.epsilon > 0:
            raise ValueError(f"BatchNorm: epsilon is {self.epsilon}, expected a positive number")

    def init(self, input_shape: Shape, dtype: DTypeLike = jnp.float32, *, key: Array) -> Params:
        one, zero = jnp.ones(input_shape[-1], dtype), jnp.zeros(input_shape[-1], dtype)
        return {"scale": one, "bias": zero, "mean": zero, "variance": one}

    def apply(self, params: Params, x: Array, *, key: Array | None = None, train: bool = False) -> Array:
        if train:
            return self.forward(params, x)[0]
        return self._normalized(params, x, params["mean"], params["variance"])

    def forward(self, params: Params, x: Array, *, key: Array | None = None) -> tuple[Array, Params]:
        axes = tuple(range(x.ndim - 1))
        mean = jnp.mean(x, axes)  # (channels,)
        variance = jnp.mean((x - mean) ** 2, axes)
        kept = {
            name: self.momentum * params[name] + (1 - self.momentum) * lax.stop_gradient(now)
            for name, now in (("mean", mean), ("variance", variance))
        }
        return self._normalized(params, x, mean, variance), params | kept

    def seen(self, field: Field, input_shape: Shape) -> Field | None:
        return field  # in use the mean is a running average, and no other position is looked at

    def _normalized(self, params: Params, x: Array, mean: Array, variance: Array) -> Array:
        return (x - mean) * (params["scale"] * lax.rsqrt(variance + self.epsilon)) + params["bias"]


@dataclass(frozen=True)
class LayerNorm(Layer):
    """Every example with mean 0 and variance 1 over its last axis, then scaled and shifted channel by channel.

    Args:
        epsilon: keeps the root away from 0.
    References:
        Ba, Kiros and Hinton 2016, 'Layer Normalization', equations (3) and (4).
    """

    epsilon: float = 1e-5

    def __post_init__(self) -> None:
        if not self.epsilon > 0:
            raise ValueError(f"LayerNorm: epsilon is {self.epsilon}, expected a positive number")

    def init(self, input_shape: Shape, dtype: DTypeLike = jnp.float32, *, key: Array) -> Params:
        return {"scale": jnp.ones(input_shape[-1], dtype), "bias": jnp.zeros(input_shape[-1], dtype)}

    def apply(self, params: Params, x: Array, *, key: Array | None = None, train: bool = False) -> Array:
        mean = jnp.mean(x, -1, keepdims=True)
        variance = jnp.mean((x - mean) ** 2, -1, keepdims=True)
        return (x - mean) * lax.rsqrt(variance + self.epsilon) * params["scale"] + params["bias"]

    def seen(self, field: Field, input_shape: Shape) -> Field | None:
        return field
