"""Warps: pixel p of the changed image shows what was at p + d(p); d is random, smooth, and drawn for each image.

Several warps add their displacements d and resample once (`Distort`), as in the works cited: each resampling blurs.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax
from jax.typing import DTypeLike

from .base import Augmentation, random_bytes, require, require_all, require_range

__all__ = ["Affine", "Distort", "Elastic", "Rotate", "Scale", "Shear", "Translate", "Warp"]

_Size = tuple[int, int, int]


class Warp(Augmentation):
    """An augmentation that moves the contents of images about. One of your own has a method `displacement`."""

    @abstractmethod
    def displacement(self, size: _Size, dtype: DTypeLike, *, key: Array) -> tuple[Array, Array]:
        """Draw d(p), in pixels, for every pixel p of every image.

        Args:
            size: (batch, height, width).
            dtype: the type of the floats returned.
            key: randomness.

        Returns:
            Downward and rightward displacement, each (batch, height, width).
        """

    def changed(self, images: Array, key: Array) -> Array:
        batch, height, width, _ = images.shape
        return resample(images, *self.displacement((batch, height, width), images.dtype, key=key))


def resample(images: Array, down: Array, right: Array) -> Array:
    """Images whose pixel p shows what was at p + d(p): bilinear between pixels, background (0) outside the image.

    Args:
        images: (batch, height, width, channels).
        down, right: d, in pixels, each (batch, height, width).
    """
    batch, height, width, _ = images.shape
    # a border of background; whatever is further away comes from there as well
    padded = jnp.pad(images, ((0, 0), (1, 2), (1, 2), (0, 0)))
    y = jnp.clip(jnp.arange(height, dtype=down.dtype)[:, None] + down, -1, height)
    x = jnp.clip(jnp.arange(width, dtype=right.dtype) + right, -1, width)
    above, left = jnp.floor(y), jnp.floor(x)
    row, column = above.astype(jnp.int32) + 1, left.astype(jnp.int32) + 1  # in the padded image
    below, beside = (y - above)[..., None], (x - left)[..., None]  # fractions of a pixel

    def at(i: int, j: int) -> Array:
        image = jnp.arange(batch)[:, None, None]
        return padded.at[image, row + i, column + j].get(mode="promise_in_bounds")

    # in this form a displacement of 0 changes no bit
    a, b, c, d = at(0, 0), at(0, 1), at(1, 0), at(1, 1)
    upper, lower = a + beside * (b - a), c + beside * (d - c)
    return upper + below * (lower - upper)


@dataclass(frozen=True)
class Affine(Warp):
    """Rotate, scale, shear and translate about the middle of the image, with one resampling.

    What was at q goes to R K S q + t: scaled by S, sheared by K, rotated by R, moved by t. All are drawn evenly
    between their bounds, to both sides, each on its own.

    Args:
        degrees: largest rotation in degrees.
        translate: largest motion in pixels, fractions included, down and across.
        scale: height and width, each on its own, times 1 - scale to 1 + scale; below 1.
        shear: sideways, by at most this many pixels per pixel of height above the middle.

    Raises:
        FirsthandError: a negative or infinite value, or a scale of 1 or more.

    Examples:
        >>> Affine(degrees=15, scale=0.15)
        Affine(degrees=15, translate=0.0, scale=0.15, shear=0.0)
    """

    degrees: float = 0.0
    translate: float = 0.0
    scale: float = 0.0
    shear: float = 0.0

    def __post_init__(self) -> None:
        require_range(self, 0, math.inf, "degrees", "translate", "shear")
        require_range(self, 0, 1, "scale")

    def displacement(self, size: _Size, dtype: DTypeLike, *, key: Array) -> tuple[Array, Array]:
        angle, shear, high, wide, down, right = jax.random.uniform(key, (6, size[0]), dtype, -1, 1)  # each (batch,)
        matrix = inverse_matrix(
            jnp.deg2rad(self.degrees) * angle, self.shear * shear, 1 + self.scale * high, 1 + self.scale * wide
        )
        return affine_displacement(size, matrix, self.translate * down, self.translate * right)


def inverse_matrix(angle: Array, shear: Array, high: Array, wide: Array) -> tuple[tuple[Array, Array], ...]:
    """(R K S)^-1 = S^-1 K^-1 R^-1, for (down, right) = (y, x); y points down, so that x and y turn left by `angle`.

        R = ( cos  -sin )     K = (   1    0 )     S = ( high    0  )
            ( sin   cos )         ( -shear 1 )         (  0    wide )

    Args:
        angle: in radians, anticlockwise as seen; shear, high, wide: as in `Affine`. Each (batch,).
    """
    cos, sin = jnp.cos(angle), jnp.sin(angle)
    return (cos / high, sin / high), ((shear * cos - sin) / wide, (shear * sin + cos) / wide)


def affine_displacement(
    size: _Size, matrix: tuple[tuple[Array, Array], ...], down: Array, right: Array
) -> tuple[Array, Array]:
    """d(p) = M (p - t) - p = (M - 1) p - M t, p counted from the middle of the image.

    Args:
        size: (batch, height, width).
        matrix: M, for (down, right); each element (batch,).
        down, right: t, each (batch,).
    """
    _, height, width = size
    y = jnp.arange(height, dtype=down.dtype)[:, None] - (height - 1) / 2
    x = jnp.arange(width, dtype=down.dtype) - (width - 1) / 2
    (yy, yx), (xy, xx) = matrix
    each = lambda of_image: of_image[:, None, None]  # noqa: E731
    return (
        each(yy - 1) * y + each(yx) * x - each(yy * down + yx * right),
        each(xy) * y + each(xx - 1) * x - each(xy * down + xx * right),
    )


@dataclass(frozen=True)
class Rotate(Warp):
    """Rotate about the middle by up to a number of degrees, to both sides; `Affine` does it with other things."""

    degrees: float

    def __post_init__(self) -> None:
        require_range(self, 0, math.inf, "degrees")

    def displacement(self, size: _Size, dtype: DTypeLike, *, key: Array) -> tuple[Array, Array]:
        return Affine(degrees=self.degrees).displacement(size, dtype, key=key)


@dataclass(frozen=True)
class Translate(Warp):
    """Move by up to a number of pixels, fractions included, in both directions; `Shift` keeps to whole pixels."""

    pixels: float

    def __post_init__(self) -> None:
        require_range(self, 0, math.inf, "pixels")

    def displacement(self, size: _Size, dtype: DTypeLike, *, key: Array) -> tuple[Array, Array]:
        return Affine(translate=self.pixels).displacement(size, dtype, key=key)


@dataclass(frozen=True)
class Scale(Warp):
    """Height and width, each on its own, times 1 - scale to 1 + scale, about the middle; scale is below 1."""

    scale: float

    def __post_init__(self) -> None:
        require_range(self, 0, 1, "scale")

    def displacement(self, size: _Size, dtype: DTypeLike, *, key: Array) -> tuple[Array, Array]:
        return Affine(scale=self.scale).displacement(size, dtype, key=key)


@dataclass(frozen=True)
class Shear(Warp):
    """Slant: every line moves sideways by at most `shear` pixels per pixel of height above the middle."""

    shear: float

    def __post_init__(self) -> None:
        require_range(self, 0, math.inf, "shear")

    def displacement(self, size: _Size, dtype: DTypeLike, *, key: Array) -> tuple[Array, Array]:
        return Affine(shear=self.shear).displacement(size, dtype, key=key)


@dataclass(frozen=True)
class Elastic(Warp):
    """Elastic distortion: a random displacement of every pixel, smoothed until neighbours move together.

        d = alpha (g * u),   u uniform in [-1, 1],   g(q) = exp(-q^2 / (2 sigma^2)) / (2 pi sigma^2)

    for the downward and the rightward displacement alike. The weights g sum to 1, so that alpha and sigma together
    say how far pixels move: the root mean square of each displacement is alpha / (2 sqrt(3 pi) sigma) =
    0.163 alpha / sigma pixels, or 1.4 for sigma 4 and alpha 34. There is no u outside the image (as with
    SciPy's gaussian_filter in mode "constant"): at the edge the root mean square is about three quarters of that. u
    has 256 values, evenly spaced; averages over hundreds of pixels do not show it.

    Args:
        sigma: how far pixels move together, in pixels: displacements at distance r are correlated by
            exp(-r^2 / (4 sigma^2)).
        alpha: the strength, in pixels; 0 leaves images as they are.

    Raises:
        FirsthandError: sigma is not above 0, or alpha is negative, or one of them is infinite.

    References:
        P. Y. Simard, D. Steinkraus and J. C. Platt, "Best Practices for Convolutional Neural Networks Applied to
        Visual Document Analysis", ICDAR 2003 (sigma 4, alpha 34 for MNIST).
    """

    sigma: float = 4.0
    alpha: float = 34.0

    def __post_init__(self) -> None:
        require_range(self, 0, math.inf, "sigma", "alpha")
        require(self, "sigma", self.sigma > 0, "above 0")

    def displacement(self, size: _Size, dtype: DTypeLike, *, key: Array) -> tuple[Array, Array]:
        batch, height, width = size
        # the Gaussian of two dimensions is the product of two of one dimension; in this order of axes both are
        # products of large matrices
        u = (random_bytes(key, (height, 2 * batch * width)).astype(dtype) - 127.5) / 128
        across_rows, across_columns = (jnp.asarray(smoothing(n, self.sigma), dtype) for n in (height, width))
        u = jnp.matmul(self.alpha * across_rows, u, precision=lax.Precision.HIGHEST)
        u = jnp.matmul(u.reshape(-1, width), across_columns, precision=lax.Precision.HIGHEST)
        down, right = jnp.moveaxis(u.reshape(height, 2, batch, width), 0, 2)  # each (batch, height, width)
        return down, right


def smoothing(n: int, sigma: float) -> np.ndarray:
    """The matrix (n, n) that convolves n numbers, and zeros beyond them, with a Gaussian whose weights sum to 1."""
    reach = np.arange(-math.ceil(8 * sigma), math.ceil(8 * sigma) + 1)
    total = np.exp(-0.5 * (reach / sigma) ** 2).sum()
    distance = np.arange(n)[:, None] - np.arange(n)
    return np.exp(-0.5 * (distance / sigma) ** 2) / total


@dataclass(frozen=True)
class Distort(Warp):
    """Several warps with one resampling: pixel p shows what was at p + d1(p) + d2(p) + ...

    Args:
        warps: the warps; their order matters only for which randomness each gets.

    Raises:
        FirsthandError: something else than a warp among them.

    Examples:
        >>> Distort((Affine(degrees=15, scale=0.15), Elastic(sigma=6, alpha=36))).warps[1]
        Elastic(sigma=6, alpha=36)

    References:
        D. C. Ciresan, U. Meier, L. M. Gambardella and J. Schmidhuber, "Deep, Big, Simple Neural Nets for
        Handwritten Digit Recognition", Neural Computation 22, 2010.
    """

    warps: tuple[Warp, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "warps", require_all(self, "warps", self.warps, Warp))

    def displacement(self, size: _Size, dtype: DTypeLike, *, key: Array) -> tuple[Array, Array]:
        down = right = jnp.zeros(size, dtype)
        for warp, k in zip(self.warps, jax.random.split(key, len(self.warps)), strict=True):
            more_down, more_right = warp.displacement(size, dtype, key=k)
            down, right = down + more_down, right + more_right
        return down, right
