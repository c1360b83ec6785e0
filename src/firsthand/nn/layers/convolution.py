"""Layers whose units see a window of the image each."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import DTypeLike

from firsthand import kernels

from .. import activations
from ..initializers import scaled, zeros
from ..layer import Layer, Params, Shape, ShapeError, Terms
from ..names import Named, activation_named, initializer_named
from ..windows import Field, Windows, pair
from .common import require_positive, weights_and_bias

__all__ = ["ConvPool", "Convolution", "LocallyConnected"]


@dataclass(frozen=True)
class Convolution(Layer):
    """The same small weights at every position of the image, equation (125) of chapter 6:

        a[i, j] = activation(b + sum_{l, m} x[i*stride + l, j*stride + m] W[l, m])

    Args:
        filters: number of kernels, the channels of the output.
        size: (height, width) of the kernels, or one number for both.
        stride: (down, across) between neighbouring positions, in pixels, or one number for both.
        padding: (rows, columns) of zeros put at each side of the image, or one number for both.
        groups: into how many independent parts the channels fall; 1 connects all of them.
        activation, weights_init, bias_init: as in `FullyConnected`; W is (height, width, channels / groups, filters).
    """

    filters: int
    size: tuple[int, int] | int = 5
    stride: tuple[int, int] | int = 1
    padding: tuple[int, int] | int = 0
    groups: int = 1
    activation: Named = Named(activation_named, activations.relu)
    weights_init: Named = Named(initializer_named, scaled)
    bias_init: Named = Named(initializer_named, zeros)

    def __post_init__(self) -> None:
        (kh, kw), stride, _ = self._windows
        require_positive(self, filters=self.filters, height=kh, width=kw, stride=min(stride), groups=self.groups)
        _require_padding(self)
        if self.filters % self.groups:
            raise ValueError(f"{self}: {self.filters} filters do not fall into {self.groups} groups")

    @property
    def _windows(self) -> Windows:
        return Windows(pair(self.size), pair(self.stride), pair(self.padding))

    def output_shape(self, input_shape: Shape) -> Shape:
        image = self._image(input_shape)
        if image[2] % self.groups:
            raise self._refuse(input_shape, f"channels divisible into {self.groups} groups")
        return *_places(self, self._windows, image), self.filters

    def init(self, input_shape: Shape, dtype: DTypeLike = jnp.float32, *, key: Array) -> Params:
        (kh, kw), stride, _ = self._windows
        channels = self._image(input_shape)[2] // self.groups
        fan_out = self.filters * kh * kw / (self.groups * math.prod(stride))
        return weights_and_bias(self, (kh, kw, channels, self.filters), kh * kw * channels, fan_out, dtype, key)

    def apply(self, params: Params, x: Array, *, key: Array | None = None, train: bool = False) -> Array:
        weights, bias = params["weights"], params["bias"]
        _, (down, right), (above, beside) = self._windows
        if above != beside:
            x, above = jnp.pad(x, ((0, 0), (above, above), (beside, beside), (0, 0))), 0
        # the kernels take one stride for both directions: of steps unlike each other, the positions that both hit
        step = math.gcd(down, right)
        sliding = {"stride": step, "padding": above, "groups": self.groups}
        if self.activation is activations.relu:
            a = kernels.rectified_convolution(x, weights, bias, **sliding)
        else:
            a = self.activation(kernels.convolution(x, weights, **sliding) + bias)
        return a if down == right else a[:, :: down // step, :: right // step]

    def multiply_adds(self, input_shape: Shape) -> int:
        kh, kw = self._windows.size
        channels = self._image(input_shape)[2] // self.groups
        return math.prod(self.output_shape(input_shape)) * kh * kw * channels

    def seen(self, field: Field, input_shape: Shape) -> Field | None:
        return self._windows.seen(field)

    def zeros_end_gradient(self, before: bool) -> bool:
        return self.activation is activations.relu

    @property
    def activation_function(self) -> Callable[[Array], Array] | None:
        return self.activation

    def kernels(self, params: Params) -> Any | None:
        return params["weights"]

    def terms(self, params: Params, x: Any, place: tuple[int, ...]) -> Terms | None:
        return _kernel_terms(params, x, place, self._windows, self.groups)


@dataclass(frozen=True)
class ConvPool(Layer):
    """Convolution, max-pooling and activation as one layer, as in the book's `network3`:

        a = activation(b + max over each pooling window of (x * W))

    One layer because that is faster: what pooling discards needs no activation, and no gradient returns through it.

    Args:
        filters: number of kernels.
        size: (height, width) of the kernels, or one number for both.
        pool: (height, width) of the pooling windows, or one number; incomplete windows at the edge are left out.
        padding: (rows, columns) of zeros put at each side of the image, or one number for both.
        activation: relu, sigmoid, tanh or linear (monotone, so that it may follow the maximum), or its name.
        weights_init, bias_init: as in `FullyConnected`; W is (height, width, channels, filters).  One input feeds
            fan_out = filters * height * width / (pooling window) units, as `network3` counts.
    """

    filters: int
    size: tuple[int, int] | int = 5
    pool: tuple[int, int] | int = 2
    padding: tuple[int, int] | int = 0
    activation: Named = Named(activation_named, activations.relu)
    weights_init: Named = Named(initializer_named, scaled)
    bias_init: Named = Named(initializer_named, zeros)

    def __post_init__(self) -> None:
        (kh, kw), (ph, pw) = pair(self.size), pair(self.pool)
        require_positive(self, filters=self.filters, height=kh, width=kw, pool_height=ph, pool_width=pw)
        _require_padding(self)
        if self.activation not in _MONOTONE:
            names = ", ".join(f.__name__ for f in _MONOTONE)
            raise ValueError(
                f"ConvPool: activation is {getattr(self.activation, '__name__', self.activation)}, expected one of "
                f"{names}; use Convolution and MaxPool for others"
            )

    @property
    def _windows(self) -> Windows:
        """The windows of the convolution."""
        return Windows(pair(self.size), padding=pair(self.padding))

    def _convolved(self, input_shape: Shape) -> tuple[int, int]:
        height, width, _ = self._image(input_shape)
        return self._windows.places(height, width)

    def output_shape(self, input_shape: Shape) -> Shape:
        (rows, columns), (ph, pw) = self._convolved(input_shape), pair(self.pool)
        if rows < ph or columns < pw:
            kh, kw = pair(self.size)
            raise self._refuse(input_shape, f"at least {kh + ph - 1}x{kw + pw - 1} pixels with the padding")
        return rows // ph, columns // pw, self.filters

    def init(self, input_shape: Shape, dtype: DTypeLike = jnp.float32, *, key: Array) -> Params:
        (kh, kw), (ph, pw) = pair(self.size), pair(self.pool)
        channels = self._image(input_shape)[2]
        fan_out = self.filters * kh * kw / (ph * pw)
        return weights_and_bias(self, (kh, kw, channels, self.filters), kh * kw * channels, fan_out, dtype, key)

    def apply(self, params: Params, x: Array, *, key: Array | None = None, train: bool = False) -> Array:
        return kernels.conv_pool(
            x,
            params["weights"],
            params["bias"],
            pool=pair(self.pool),
            padding=pair(self.padding),
            activation=self.activation.__name__,
        )

    def multiply_adds(self, input_shape: Shape) -> int:
        kh, kw = pair(self.size)
        return math.prod(self._convolved(input_shape)) * self.filters * kh * kw * input_shape[2]

    def seen(self, field: Field, input_shape: Shape) -> Field | None:
        return self._windows.seen(Windows(pair(self.pool), pair(self.pool)).seen(field))

    def zeros_end_gradient(self, before: bool) -> bool:
        return self.activation is activations.relu

    @property
    def activation_function(self) -> Callable[[Array], Array] | None:
        return self.activation

    def kernels(self, params: Params) -> Any | None:
        return params["weights"]

    def terms(self, params: Params, x: Any, place: tuple[int, ...]) -> Terms | None:
        return _kernel_terms(params, x, place, self._windows)

    @property
    def largest_of(self) -> Windows | None:
        return Windows(pair(self.pool), pair(self.pool))

    def before_pooling(self, params: Params, x: Array) -> Array:
        above, beside = pair(self.padding)
        x = jnp.pad(x, ((0, 0), (above, above), (beside, beside), (0, 0)))
        return kernels.convolution(x, params["weights"]) + params["bias"]


@dataclass(frozen=True)
class LocallyConnected(Layer):
    """A window of the image for each unit, as in a convolution, but with weights and a bias of its own at every place:

        a[i, j] = activation(b[i, j] + sum_{l, m} x[i*stride + l, j*stride + m] W[i, j, l, m])

    Args:
        filters: units at each place, the channels of the output.
        size: (height, width) of the windows, or one number for both.
        stride: (down, across) between neighbouring windows, or one number for both.
        padding: (rows, columns) of zeros put at each side of the image, or one number for both.
        activation, weights_init, bias_init: as in `FullyConnected`; W is (rows, columns, height * width * channels,
            filters), b is (rows, columns, filters).
    References:
        LeCun 1989, 'Generalization and Network Design Strategies', section 4 (Net-3).
    """

    filters: int
    size: tuple[int, int] | int = 5
    stride: tuple[int, int] | int = 1
    padding: tuple[int, int] | int = 0
    activation: Named = Named(activation_named, activations.relu)
    weights_init: Named = Named(initializer_named, scaled)
    bias_init: Named = Named(initializer_named, zeros)

    def __post_init__(self) -> None:
        (kh, kw), stride, _ = self._windows
        require_positive(self, filters=self.filters, height=kh, width=kw, stride=min(stride))
        _require_padding(self)

    @property
    def _windows(self) -> Windows:
        return Windows(pair(self.size), pair(self.stride), pair(self.padding))

    def output_shape(self, input_shape: Shape) -> Shape:
        return *_places(self, self._windows, self._image(input_shape)), self.filters

    def init(self, input_shape: Shape, dtype: DTypeLike = jnp.float32, *, key: Array) -> Params:
        (kh, kw), stride, _ = self._windows
        rows, columns, _ = self.output_shape(input_shape)
        fan_in, fan_out = kh * kw * input_shape[2], self.filters * kh * kw / math.prod(stride)
        shape, bias_shape = (rows, columns, fan_in, self.filters), (rows, columns, self.filters)
        return weights_and_bias(self, shape, fan_in, fan_out, dtype, key, bias_shape)

    def apply(self, params: Params, x: Array, *, key: Array | None = None, train: bool = False) -> Array:
        (kh, kw), (down, right), (above, beside) = self._windows
        rows, columns, _ = self.output_shape(x.shape[1:])
        x = jnp.pad(x, ((0, 0), (above, above), (beside, beside), (0, 0)))
        # one shifted copy of the image per place in the window
        shifted = [
            x[:, i : i + (rows - 1) * down + 1 : down, j : j + (columns - 1) * right + 1 : right]
            for i in range(kh)
            for j in range(kw)
        ]
        patches = jnp.stack(shifted, axis=3)  # (batch, rows, columns, kh*kw, channels)
        patches = patches.reshape(*patches.shape[:3], -1)
        return self.activation(jnp.einsum("nijk,ijkf->nijf", patches, params["weights"]) + params["bias"][None])

    def multiply_adds(self, input_shape: Shape) -> int:
        return math.prod(self.output_shape(input_shape)) * math.prod(self._windows.size) * input_shape[2]

    def seen(self, field: Field, input_shape: Shape) -> Field | None:
        return self._windows.seen(field)

    def zeros_end_gradient(self, before: bool) -> bool:
        return self.activation is activations.relu

    @property
    def activation_function(self) -> Callable[[Array], Array] | None:
        return self.activation

    def terms(self, params: Params, x: Any, place: tuple[int, ...]) -> Terms | None:
        row, column, unit = place
        inputs = _patch(x, self._windows, row, column)
        weights = params["weights"][row, column, :, unit].reshape(inputs.shape)
        return Terms(inputs, weights, params["bias"][row, column, unit])


_MONOTONE = (activations.relu, activations.sigmoid, activations.tanh, activations.linear)


def _require_padding(layer: Convolution | ConvPool | LocallyConnected) -> None:
    if min(pair(layer.padding)) < 0:
        raise ValueError(f"{layer}: padding is {layer.padding}, expected 0 or more")


def _places(layer: Convolution | LocallyConnected, windows: Windows, image: tuple[int, int, int]) -> tuple[int, int]:
    """Rows and columns of windows, of which there must be one at least."""
    rows, columns = windows.places(*image[:2])
    if rows < 1 or columns < 1:
        kh, kw = windows.size
        raise ShapeError(
            f"{layer}: the input has shape {image}, expected at least {kh}x{kw} pixels with padding {layer.padding}"
        )
    return rows, columns


def _patch(x: Any, windows: Windows, row: int, column: int) -> np.ndarray:
    """The part of one image that one window covers, padding included, (height, width, channels)."""
    above, beside = windows.padding
    seen = windows.seen(Field(row, row + 1, column, column + 1))
    padded = np.pad(np.asarray(x), ((above, above), (beside, beside), (0, 0)))
    return padded[seen.top + above : seen.bottom + above, seen.left + beside : seen.right + beside]


def _kernel_terms(params: Params, x: Any, place: tuple[int, ...], windows: Windows, groups: int = 1) -> Terms:
    """The window of one place, and the kernel on it."""
    row, column, kernel = place
    weights = params["weights"][..., kernel]  # (height, width, channels / groups)
    channels = weights.shape[-1]
    first = kernel // (params["bias"].size // groups) * channels
    inputs = _patch(x, windows, row, column)[..., first : first + channels]
    return Terms(inputs, weights, params["bias"][kernel])
