"""Layers that bring their inputs to a common scale."""

from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np
from jax import Array, lax
from jax.typing import DTypeLike

from ..layer import Layer, Params, Shape
from ..windows import Field, whole

__all__ = ["BatchNorm", "LayerNorm", "LocalContrastNormalization", "LocalResponseNormalization"]


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


@dataclass(frozen=True)
class LocalResponseNormalization(Layer):
    """Every value divided by a power of the squares of the channels next to it, at the same pixel:

        b[i] = a[i] / (k + alpha sum_j a[j]^2)^beta,   |j - i| <= neighbours / 2, as far as there are channels

    Args:
        neighbours: channels in the sum, the own one in the middle; an odd number (n in the source).
        alpha, beta, k: as in the formula.
    References:
        Krizhevsky, Sutskever and Hinton 2012, 'ImageNet Classification with Deep Convolutional Neural Networks',
        section 3.3.
    """

    neighbours: int = 5
    alpha: float = 1e-4
    beta: float = 0.75
    k: float = 2.0

    def __post_init__(self) -> None:
        if self.neighbours < 1 or self.neighbours % 2 == 0:
            raise ValueError(f"{type(self).__name__}: neighbours is {self.neighbours}, expected an odd number")
        if not (self.k > 0 and self.alpha >= 0):
            raise ValueError(
                f"{type(self).__name__}: k is {self.k} and alpha {self.alpha}, expected k > 0 and alpha >= 0"
            )

    def apply(self, params: Params, x: Array, *, key: Array | None = None, train: bool = False) -> Array:
        channel = np.arange(x.shape[-1])
        near = np.abs(np.subtract.outer(channel, channel)) <= self.neighbours // 2
        # a product with a band of ones, and a power by way of the logarithm: both several times as fast on a CPU
        squares = jnp.matmul(x * x, jnp.asarray(near, x.dtype), precision=lax.Precision.HIGHEST)
        return x * jnp.exp(-self.beta * jnp.log(self.k + self.alpha * squares))

    def seen(self, field: Field, input_shape: Shape) -> Field | None:
        return field

    def zeros_end_gradient(self, before: bool) -> bool:
        return before  # an output is 0 where its input is


@dataclass(frozen=True)
class LocalContrastNormalization(Layer):
    """Every pixel less the mean about it, divided by the deviation about it:

        v = x - sum_{i, p, q} w[p, q] x[i, j + p, k + q]                   the same for all channels i at a pixel
        y = v / max(c, s),   s = sqrt(sum_{i, p, q} w[p, q] v[i, j + p, k + q]^2),   c = the mean of s over the image

    with a Gaussian w, divided by the number of channels; at the edge it is that of the pixels that are there, so that
    its sum is 1 everywhere.

    Args:
        size: height and width of the window w; an odd number.
        spread: standard deviation of the Gaussian in pixels; None: a quarter of the size.
        epsilon: the least divisor, so that the rounding errors of a constant image stay what they are (ours).
    References:
        Jarrett, Kavukcuoglu, Ranzato and LeCun 2009, 'What is the Best Multi-Stage Architecture for Object
        Recognition?', section 2.
    """

    size: int = 9
    spread: float | None = None
    epsilon: float = 1e-4

    def __post_init__(self) -> None:
        if self.size < 1 or self.size % 2 == 0:
            raise ValueError(f"{type(self).__name__}: size is {self.size}, expected an odd number")
        if self.spread is not None and not self.spread > 0:
            raise ValueError(f"{type(self).__name__}: spread is {self.spread}, expected a positive number")
        if not self.epsilon > 0:
            raise ValueError(f"{type(self).__name__}: epsilon is {self.epsilon}, expected a positive number")

    def output_shape(self, input_shape: Shape) -> Shape:
        return self._image(input_shape)

    def apply(self, params: Params, x: Array, *, key: Array | None = None, train: bool = False) -> Array:
        v = x - self._around(x)
        variance = self._around(v * v)
        # sqrt has an infinite slope at 0: take it of 1 there, so that the gradient is 0 and not NaN
        s = jnp.where(variance > 0, jnp.sqrt(jnp.where(variance > 0, variance, 1)), 0)
        c = jnp.mean(s, (1, 2, 3), keepdims=True)
        return v / jnp.maximum(jnp.maximum(c, s), self.epsilon)

    def multiply_adds(self, input_shape: Shape) -> int:
        height, width, _ = self._image(input_shape)
        return 2 * height * width * (height + width)

    def seen(self, field: Field, input_shape: Shape) -> Field | None:
        return whole(input_shape)  # c is the mean over the image

    def _around(self, x: Array) -> Array:
        """The weighted mean about each pixel, over all channels, (batch, height, width, 1)."""
        mean = jnp.mean(x, -1)
        down, across = (jnp.asarray(self._weights(pixels), x.dtype) for pixels in mean.shape[1:])
        return jnp.einsum("ip,jq,npq->nij", down, across, mean)[..., None]

    def _weights(self, pixels: int) -> np.ndarray:
        """The weight of each pixel of a line in the mean about each other, (pixels, pixels); rows sum to 1."""
        distance = np.subtract.outer(np.arange(pixels), np.arange(pixels))
        spread = self.size / 4 if self.spread is None else self.spread
        weights = np.where(np.abs(distance) <= self.size // 2, np.exp(-0.5 * (distance / spread) ** 2), 0)
        return weights / weights.sum(axis=1, keepdims=True)
