"""Pooling: one value for each window of an image, channel by channel, or for the whole of it."""

import math
from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from firsthand import kernels

from ..layer import Layer, Params, Shape
from ..windows import Field, Windows, pair, whole
from .common import require_positive

__all__ = ["AveragePool", "GlobalAveragePool", "GlobalMaxPool", "L2Pool", "MaxPool"]


@dataclass(frozen=True)
class _Pool(Layer):
    """Windows of size x size pixels, `stride` apart (as far as they are wide, unless said otherwise).

    Args:
        size: (height, width) of the windows, or one number for both.
        stride: (down, across) between neighbouring windows, or one number; None: as far as they are wide.
        padding: (rows, columns) around the image that belong to windows but hold no values, or one number; less than
            the size.  Incomplete windows at the lower and right edge are left out.
    """

    size: tuple[int, int] | int = 2
    stride: tuple[int, int] | int | None = None
    padding: tuple[int, int] | int = 0

    def __post_init__(self) -> None:
        (kh, kw), (sh, sw), (ph, pw) = self._windows
        require_positive(self, height=kh, width=kw, stride=min(sh, sw))
        if not (0 <= ph < kh and 0 <= pw < kw):
            raise ValueError(
                f"{self}: padding is {self.padding}, expected 0 or more and less than the size {self.size}"
            )

    @property
    def _windows(self) -> Windows:
        stride = self.size if self.stride is None else self.stride
        return Windows(pair(self.size), pair(stride), pair(self.padding))

    def output_shape(self, input_shape: Shape) -> Shape:
        height, width, channels = self._image(input_shape)
        rows, columns = self._windows.places(height, width)
        if rows < 1 or columns < 1:
            (kh, kw), _, (ph, pw) = self._windows
            raise self._refuse(input_shape, f"at least {kh - 2 * ph}x{kw - 2 * pw} pixels")
        return rows, columns, channels

    def seen(self, field: Field, input_shape: Shape) -> Field | None:
        return self._windows.seen(field)

    def _sum(self, x: Array) -> Array:
        (kh, kw), (sh, sw), (ph, pw) = self._windows
        padding = ((0, 0), (ph, ph), (pw, pw), (0, 0))
        # a NumPy number: JAX knows the gradient of a sum only while it can see where it starts
        return lax.reduce_window(x, np.asarray(0, x.dtype), lax.add, (1, kh, kw, 1), (1, sh, sw, 1), padding)


@dataclass(frozen=True)
class MaxPool(_Pool):
    """The largest value of each window, channel by channel; windows may overlap (stride < size).

    Padding is never the largest, so that MaxPool(3, stride=1, padding=1) keeps the size of the image: the pooling
    branch of Inception.
    """

    def apply(self, params: Params, x: Array, *, key: Array | None = None, train: bool = False) -> Array:
        size, stride, padding = self._windows
        return kernels.max_pool(x, size=size, stride=stride, padding=padding)

    def zeros_end_gradient(self, before: bool) -> bool:
        return before

    @property
    def largest_of(self) -> Windows | None:
        return self._windows


@dataclass(frozen=True)
class AveragePool(_Pool):
    """The mean of each window, channel by channel, over the pixels that are there: padding does not count."""

    def apply(self, params: Params, x: Array, *, key: Array | None = None, train: bool = False) -> Array:
        total = self._sum(x)
        if self._windows.padding == (0, 0):
            return total / math.prod(self._windows.size)
        return total / self._pixels(x.shape[1], x.shape[2]).astype(x.dtype)[None, :, :, None]

    def _pixels(self, height: int, width: int) -> np.ndarray:
        """The number of the image's pixels in each window, (rows, columns)."""
        (kh, kw), (sh, sw), (ph, pw) = self._windows
        rows, columns = self._windows.places(height, width)
        inside = []
        for number, size, step, padding, pixels in ((rows, kh, sh, ph, height), (columns, kw, sw, pw, width)):
            first = np.arange(number) * step - padding
            inside.append(np.minimum(first + size, pixels) - np.maximum(first, 0))
        return np.outer(*inside)


@dataclass(frozen=True)
class L2Pool(_Pool):
    """The square root of the sum of the squares of each window (chapter 6), with slope 0 where all are zero."""

    def apply(self, params: Params, x: Array, *, key: Array | None = None, train: bool = False) -> Array:
        squares = self._sum(x * x)
        # sqrt has an infinite slope at 0: take it of 1 there, so that the gradient is 0 and not NaN
        return jnp.where(squares > 0, jnp.sqrt(jnp.where(squares > 0, squares, 1)), 0)


@dataclass(frozen=True)
class _GlobalPool(Layer):
    def output_shape(self, input_shape: Shape) -> Shape:
        return (self._image(input_shape)[2],)

    def seen(self, field: Field, input_shape: Shape) -> Field | None:
        return whole(input_shape)


@dataclass(frozen=True)
class GlobalAveragePool(_GlobalPool):
    """The mean of each channel over the whole image: (height, width, channels) -> (channels,)."""

    def apply(self, params: Params, x: Array, *, key: Array | None = None, train: bool = False) -> Array:
        return jnp.mean(x, (1, 2))


@dataclass(frozen=True)
class GlobalMaxPool(_GlobalPool):
    """The largest value of each channel in the whole image: (height, width, channels) -> (channels,)."""

    def apply(self, params: Params, x: Array, *, key: Array | None = None, train: bool = False) -> Array:
        return jnp.max(x, (1, 2))
