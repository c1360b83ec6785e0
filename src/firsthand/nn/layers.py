"""The layers of chapter 6, and a few of their relatives.

What a layer is stands in layer.py; here are their formulas.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax
from jax.typing import DTypeLike

from firsthand import kernels

from . import activations
from .activations import sigmoid, softmax
from .initializers import Initializer, scaled, zeros
from .layer import Layer, OutputLayer, Params, Shape

__all__ = [
    "AveragePool",
    "ConvPool",
    "Convolution",
    "Dropout",
    "Flatten",
    "FullyConnected",
    "L2Pool",
    "MaxPool",
    "Rescale",
    "Softmax",
]


@dataclass(frozen=True)
class FullyConnected(OutputLayer, Layer):
    """Every unit sees every input: a = activation(x W + b), equation (25) with examples as rows.

    An image is flattened on the way in, as in the book's `network3`.

    Args:
        units: number of units, n_out.
        activation: function of the weighted input.
        weights_init, bias_init: initializers; W is (n_in, units), b is (units,).
    """

    units: int
    activation: Callable[[Array], Array] = sigmoid
    weights_init: Initializer = scaled
    bias_init: Initializer = zeros

    def __post_init__(self) -> None:
        _positive(self, units=self.units)

    def output_shape(self, input_shape: Shape) -> Shape:
        if math.prod(input_shape) == 0:
            raise self._refuse(input_shape, "at least one input")
        return (self.units,)

    def init(self, input_shape: Shape, dtype: DTypeLike = jnp.float32, *, key: Array) -> Params:
        n_in = math.prod(input_shape)
        return _weights_and_bias(self, (n_in, self.units), n_in, self.units, dtype, key)

    def weighted_input(self, params: Params, x: Array) -> Array:
        x = x.reshape(x.shape[0], -1)  # (batch, n_in)
        return x @ params["weights"] + params["bias"]  # (batch, units)

    def apply(self, params: Params, x: Array, *, key: Array | None = None, train: bool = False) -> Array:
        return self.activation(self.weighted_input(params, x))

    def multiply_adds(self, input_shape: Shape) -> int:
        return math.prod(input_shape) * self.units


@dataclass(frozen=True)
class Softmax(FullyConnected):
    """A fully connected layer whose outputs are probabilities: a_j = e^{z_j} / sum_k e^{z_k}, equation (78)."""

    activation: Callable[[Array], Array] = softmax


@dataclass(frozen=True)
class Convolution(Layer):
    """The same small weights at every position of the image, equation (125) of chapter 6:

        a[i, j] = activation(b + sum_{l, m} x[i*stride + l, j*stride + m] W[l, m])

    Args:
        filters: number of kernels, the channels of the output.
        size: (height, width) of the kernels, or one number for both.
        stride: distance between neighbouring positions, in pixels.
        padding: rows and columns of zeros put around the image.
        groups: into how many independent parts the channels fall; 1 connects all of them.
        activation, weights_init, bias_init: as in `FullyConnected`; W is (height, width, channels / groups, filters).
    """

    filters: int
    size: tuple[int, int] | int = 5
    stride: int = 1
    padding: int = 0
    groups: int = 1
    activation: Callable[[Array], Array] = activations.relu
    weights_init: Initializer = scaled
    bias_init: Initializer = zeros

    def __post_init__(self) -> None:
        kh, kw = _pair(self.size)
        _positive(self, filters=self.filters, height=kh, width=kw, stride=self.stride, groups=self.groups)
        if self.padding < 0:
            raise ValueError(f"{self}: padding is {self.padding}, expected 0 or more")
        if self.filters % self.groups:
            raise ValueError(f"{self}: {self.filters} filters do not fall into {self.groups} groups")

    def output_shape(self, input_shape: Shape) -> Shape:
        height, width, channels = self._image(input_shape)
        kh, kw = _pair(self.size)
        if channels % self.groups:
            raise self._refuse(input_shape, f"channels divisible into {self.groups} groups")
        if height + 2 * self.padding < kh or width + 2 * self.padding < kw:
            raise self._refuse(input_shape, f"at least {kh}x{kw} pixels with padding {self.padding}")
        return (
            (height + 2 * self.padding - kh) // self.stride + 1,
            (width + 2 * self.padding - kw) // self.stride + 1,
            self.filters,
        )

    def init(self, input_shape: Shape, dtype: DTypeLike = jnp.float32, *, key: Array) -> Params:
        kh, kw = _pair(self.size)
        channels = self._image(input_shape)[2] // self.groups
        fan_out = self.filters * kh * kw / (self.groups * self.stride**2)
        return _weights_and_bias(self, (kh, kw, channels, self.filters), kh * kw * channels, fan_out, dtype, key)

    def apply(self, params: Params, x: Array, *, key: Array | None = None, train: bool = False) -> Array:
        weights, bias = params["weights"], params["bias"]
        sliding = {"stride": self.stride, "padding": self.padding, "groups": self.groups}
        if self.activation is activations.relu:
            return kernels.rectified_convolution(x, weights, bias, **sliding)
        return self.activation(kernels.convolution(x, weights, **sliding) + bias)

    def multiply_adds(self, input_shape: Shape) -> int:
        kh, kw = _pair(self.size)
        channels = self._image(input_shape)[2] // self.groups
        return math.prod(self.output_shape(input_shape)) * kh * kw * channels


@dataclass(frozen=True)
class ConvPool(Layer):
    """Convolution, max-pooling and activation as one layer, as in the book's `network3`:

        a = activation(b + max over each pooling window of (x * W))

    One layer because that is faster: what pooling discards needs no activation, and no gradient returns through it.

    Args:
        filters: number of kernels.
        size: (height, width) of the kernels, or one number for both.
        pool: (height, width) of the pooling windows, or one number; incomplete windows at the edge are left out.
        padding: rows and columns of zeros put around the image.
        activation: relu, sigmoid, tanh or linear (monotone, so that it may follow the maximum).
        weights_init, bias_init: as in `FullyConnected`; W is (height, width, channels, filters).  One input feeds
            fan_out = filters * height * width / (pooling window) units, as `network3` counts.
    """

    filters: int
    size: tuple[int, int] | int = 5
    pool: tuple[int, int] | int = 2
    padding: int = 0
    activation: Callable[[Array], Array] = activations.relu
    weights_init: Initializer = scaled
    bias_init: Initializer = zeros

    def __post_init__(self) -> None:
        (kh, kw), (ph, pw) = _pair(self.size), _pair(self.pool)
        _positive(self, filters=self.filters, height=kh, width=kw, pool_height=ph, pool_width=pw)
        if self.padding < 0:
            raise ValueError(f"{self}: padding is {self.padding}, expected 0 or more")
        if self.activation not in _MONOTONE:
            names = ", ".join(f.__name__ for f in _MONOTONE)
            raise ValueError(
                f"ConvPool: activation is {self.activation.__name__}, expected one of {names}; "
                "use Convolution and MaxPool for others"
            )

    def _convolved(self, input_shape: Shape) -> tuple[int, int]:
        height, width, _ = self._image(input_shape)
        kh, kw = _pair(self.size)
        return height + 2 * self.padding - kh + 1, width + 2 * self.padding - kw + 1

    def output_shape(self, input_shape: Shape) -> Shape:
        (rows, columns), (ph, pw) = self._convolved(input_shape), _pair(self.pool)
        if rows < ph or columns < pw:
            kh, kw = _pair(self.size)
            raise self._refuse(input_shape, f"at least {kh + ph - 1}x{kw + pw - 1} pixels with the padding")
        return rows // ph, columns // pw, self.filters

    def init(self, input_shape: Shape, dtype: DTypeLike = jnp.float32, *, key: Array) -> Params:
        (kh, kw), (ph, pw) = _pair(self.size), _pair(self.pool)
        channels = self._image(input_shape)[2]
        fan_out = self.filters * kh * kw / (ph * pw)
        return _weights_and_bias(self, (kh, kw, channels, self.filters), kh * kw * channels, fan_out, dtype, key)

    def apply(self, params: Params, x: Array, *, key: Array | None = None, train: bool = False) -> Array:
        return kernels.conv_pool(
            x,
            params["weights"],
            params["bias"],
            pool=_pair(self.pool),
            padding=(self.padding, self.padding),
            activation=self.activation.__name__,
        )

    def multiply_adds(self, input_shape: Shape) -> int:
        kh, kw = _pair(self.size)
        return math.prod(self._convolved(input_shape)) * self.filters * kh * kw * input_shape[2]


@dataclass(frozen=True)
class _Pool(Layer):
    """Windows of size x size pixels, `stride` apart (as far as they are wide, unless said otherwise)."""

    size: tuple[int, int] | int = 2
    stride: tuple[int, int] | int | None = None

    def __post_init__(self) -> None:
        (kh, kw), (sh, sw) = self._window()
        _positive(self, height=kh, width=kw, stride=min(sh, sw))

    def _window(self) -> tuple[tuple[int, int], tuple[int, int]]:
        return _pair(self.size), _pair(self.size if self.stride is None else self.stride)

    def output_shape(self, input_shape: Shape) -> Shape:
        height, width, channels = self._image(input_shape)
        (kh, kw), (sh, sw) = self._window()
        if height < kh or width < kw:
            raise self._refuse(input_shape, f"at least {kh}x{kw} pixels")
        return (height - kh) // sh + 1, (width - kw) // sw + 1, channels

    def _reduce(self, x: Array, start: float, operation: Callable) -> Array:
        (kh, kw), (sh, sw) = self._window()
        # a NumPy number: JAX knows the gradient of a maximum or a sum only while it can see where it starts
        return lax.reduce_window(x, np.asarray(start, x.dtype), operation, (1, kh, kw, 1), (1, sh, sw, 1), "VALID")


@dataclass(frozen=True)
class MaxPool(_Pool):
    """The largest value of each window, channel by channel; windows may overlap (stride < size)."""

    def apply(self, params: Params, x: Array, *, key: Array | None = None, train: bool = False) -> Array:
        return self._reduce(x, -jnp.inf, lax.max)


@dataclass(frozen=True)
class AveragePool(_Pool):
    """The mean of each window, channel by channel."""

    def apply(self, params: Params, x: Array, *, key: Array | None = None, train: bool = False) -> Array:
        return self._reduce(x, 0.0, lax.add) / math.prod(self._window()[0])


@dataclass(frozen=True)
class L2Pool(_Pool):
    """The square root of the sum of the squares of each window (chapter 6), with slope 0 where all are zero."""

    def apply(self, params: Params, x: Array, *, key: Array | None = None, train: bool = False) -> Array:
        squares = self._reduce(x * x, 0.0, lax.add)
        # sqrt has an infinite slope at 0: take it of 1 there, so that the gradient is 0 and not NaN
        return jnp.where(squares > 0, jnp.sqrt(jnp.where(squares > 0, squares, 1)), 0)


@dataclass(frozen=True)
class Dropout(Layer):
    """During training, each value is zero with probability `rate`, and otherwise divided by 1 - rate.

    The book drops the inputs of a layer and multiplies its weights by 1 - rate afterwards; the expected weighted
    input is the same, and here nothing needs to be done afterwards.

    Args:
        rate: probability that a value is dropped, in [0, 1).
    """

    rate: float = 0.5

    def __post_init__(self) -> None:
        if not 0 <= self.rate < 1:
            raise ValueError(f"Dropout: rate is {self.rate}, expected 0 <= rate < 1")

    def apply(self, params: Params, x: Array, *, key: Array | None = None, train: bool = False) -> Array:
        if not train or self.rate == 0:
            return x
        if key is None:
            raise ValueError("Dropout: training needs a key, got None")
        return jnp.where(_kept(key, self.rate, x.shape), x / (1 - self.rate), 0)


@dataclass(frozen=True)
class Flatten(Layer):
    """All values of an example in one row: (height, width, channels) -> (height * width * channels,)."""

    def output_shape(self, input_shape: Shape) -> Shape:
        return (math.prod(input_shape),)

    def apply(self, params: Params, x: Array, *, key: Array | None = None, train: bool = False) -> Array:
        return x.reshape(x.shape[0], -1)


@dataclass(frozen=True)
class Rescale(Layer):
    """Every value times `factor`.

    Example: the book's file holds pixels as v/256 where ours are v/255; Rescale(255 / 256) in front reproduces it.
    """

    factor: float

    def apply(self, params: Params, x: Array, *, key: Array | None = None, train: bool = False) -> Array:
        return x * jnp.asarray(self.factor, x.dtype)


_MONOTONE = (activations.relu, activations.sigmoid, activations.tanh, activations.linear)


def _kept(key: Array, rate: float, shape: Shape) -> Array:
    """Independent truth values, each false with probability `rate`.

    A rate of k/2, k/4, k/16 or k/256 needs no more than 1, 2, 4 or 8 random bits per value to be exact.  Each random
    word is then cut into as many numbers as it holds: the generator takes longer than all else that dropout does.
    """
    for bits in (1, 2, 4, 8):
        below = rate * 2**bits
        if below == int(below):
            n = math.prod(shape)
            words = jax.random.bits(key, (-(-n * bits // 32), 1), jnp.uint32)
            numbers = words >> jnp.arange(0, 32, bits, jnp.uint32)[None] & (2**bits - 1)  # (words, 32 / bits)
            return (numbers >= int(below)).reshape(-1)[:n].reshape(shape)
    return jax.random.bernoulli(key, 1 - rate, shape)


def _pair(size: tuple[int, int] | int) -> tuple[int, int]:
    return (size, size) if isinstance(size, int) else (size[0], size[1])


def _positive(layer: Layer, **values: int) -> None:
    for name, value in values.items():
        if value < 1:
            raise ValueError(f"{type(layer).__name__}: {name} is {value}, expected 1 or more")


def _weights_and_bias(
    layer: "FullyConnected | Convolution | ConvPool",
    shape: Shape,
    fan_in: int,
    fan_out: float,
    dtype: DTypeLike,
    key: Array,
) -> Params:
    weights_key, bias_key = jax.random.split(key)
    return {
        "weights": layer.weights_init(shape, fan_in, fan_out, dtype, key=weights_key),
        "bias": layer.bias_init(shape[-1:], fan_in, fan_out, dtype, key=bias_key),
    }
