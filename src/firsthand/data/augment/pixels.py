"""Changes that move whole pixels, or set them: nothing is resampled."""

from __future__ import annotations

import math
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from .base import Augmentation, is_number, random_bytes, require, require_part, require_range, require_size

__all__ = ["ColourNoise", "Erase", "HorizontalFlip", "Noise", "RandomCrop", "Shift"]


@dataclass(frozen=True)
class Shift(Augmentation):
    """Move by whole pixels, exactly: from -pixels to pixels, down and across, each of the (2 pixels + 1)^2 as likely.

    What leaves the image at one side is lost, and background (0) enters at the other.

    Args:
        pixels: a whole number, 0 or more.

    Raises:
        FirsthandError: anything else.
    """

    pixels: int

    def __post_init__(self) -> None:
        require_size(self, "pixels")

    def changed(self, images: Array, key: Array) -> Array:
        return _windows(images, self.pixels, key)


@dataclass(frozen=True)
class RandomCrop(Augmentation):
    """Put a border of background around the image and cut a window of the old size out of it, anywhere.

    That is `Shift`, under the name that it has in recipes for CIFAR: the same key gives the same images.

    Args:
        padding: width of the border in pixels, 0 or more.

    Raises:
        FirsthandError: anything else.
    """

    padding: int

    def __post_init__(self) -> None:
        require_size(self, "padding")

    def changed(self, images: Array, key: Array) -> Array:
        return _windows(images, self.padding, key)


def _windows(images: Array, padding: int, key: Array) -> Array:
    """A window of each image with a border, at a place drawn for each."""
    batch, *shape = images.shape
    padded = jnp.pad(images, ((0, 0), (padding, padding), (padding, padding), (0, 0)))
    corners = jax.random.randint(key, (batch, 2), 0, 2 * padding + 1)
    return jax.vmap(lambda image, corner: lax.dynamic_slice(image, (corner[0], corner[1], 0), shape))(padded, corners)


@dataclass(frozen=True)
class HorizontalFlip(Augmentation):
    """Exchange left and right. It leaves labels true for photos, and makes most digits and letters something else.

    Args:
        probability: the part of the images that is flipped, 0 to 1.

    Raises:
        FirsthandError: anything else.
    """

    probability: float = 0.5

    def __post_init__(self) -> None:
        require_part(self, "probability")

    def changed(self, images: Array, key: Array) -> Array:
        flipped = jax.random.bernoulli(key, self.probability, (len(images), 1, 1, 1))
        return jnp.where(flipped, images[:, :, ::-1], images)


@dataclass(frozen=True)
class Erase(Augmentation):
    """Cover a rectangle: of `smallest` to `largest` parts of the image's area, anywhere inside it.

        height = sqrt(area * r), width = sqrt(area / r),  log r uniform between log(aspect) and -log(aspect)

    to whole pixels. A rectangle higher or wider than the image is cut to its size, where the paper draws another;
    and the paper's r is uniform itself, which makes more rectangles high than wide.

    Args:
        probability: the part of the images that has such a rectangle, 0 to 1.
        smallest, largest: bounds of its area, 0 to 1, 1 being the image.
        aspect: height is `aspect` to 1 / aspect times width; above 0, at most 1.
        fill: what covers it, 0 to 1; None: noise, each pixel with one of 256 values from 0 to 1.

    Raises:
        FirsthandError: a value out of its range, or smallest above largest.

    References:
        Z. Zhong, L. Zheng, G. Kang, S. Li and Y. Yang, "Random Erasing Data Augmentation", arXiv:1708.04896, 2017.
    """

    probability: float = 0.5
    smallest: float = 0.02
    largest: float = 0.4
    aspect: float = 0.3
    fill: float | None = None

    def __post_init__(self) -> None:
        require_part(self, "probability", "smallest", "largest")
        require(self, "largest", self.smallest <= self.largest, f"at least smallest ({self.smallest:g})")
        require(self, "aspect", is_number(self.aspect) and 0 < self.aspect <= 1, "above 0 and at most 1")
        require(self, "fill", self.fill is None or (is_number(self.fill) and 0 <= self.fill <= 1), "None or 0 to 1")

    def changed(self, images: Array, key: Array) -> Array:
        batch, height, width, _ = images.shape
        chosen, places, cover = jax.random.split(key, 3)
        area, ratio, top, left = jax.random.uniform(places, (4, batch), images.dtype)
        area = (self.smallest + (self.largest - self.smallest) * area) * (height * width)
        ratio = jnp.exp(math.log(self.aspect) * (2 * ratio - 1))
        covered = (
            jax.random.bernoulli(chosen, self.probability, (batch, 1, 1))
            & _between(height, jnp.sqrt(area * ratio), top)[:, :, None]
            & _between(width, jnp.sqrt(area / ratio), left)[:, None, :]
        )
        if self.fill is None:
            fill = random_bytes(cover, images.shape).astype(images.dtype) / 255
        else:
            fill = jnp.asarray(self.fill, images.dtype)
        return jnp.where(covered[..., None], fill, images)


def _between(n: int, length: Array, place: Array) -> Array:
    """Mask the pixels, of n, in a stretch of about `length`, put at `place` of its possible positions: (batch, n).

    Args:
        n: how many pixels there are.
        length: how many are meant, (batch,); at most n are taken.
        place: 0 to 1, (batch,).
    """
    length = jnp.minimum(jnp.round(length), n)
    start = jnp.floor(place * (n - length + 1))  # 0 .. n - length, evenly
    i = jnp.arange(n, dtype=length.dtype)
    return (start[:, None] <= i) & (i < (start + length)[:, None])


@dataclass(frozen=True)
class Noise(Augmentation):
    """Add normal noise to every pixel, and cut the sum to 0 .. 1.

    On background the negative half of the noise is cut off, so that background gains 0.4 deviation in the mean.

    Args:
        deviation: standard deviation of the noise; 1 is the way from background to full ink.

    Raises:
        FirsthandError: a negative or infinite deviation.
    """

    deviation: float

    def __post_init__(self) -> None:
        require_range(self, 0, math.inf, "deviation")

    def changed(self, images: Array, key: Array) -> Array:
        return jnp.clip(images + self.deviation * jax.random.normal(key, images.shape, images.dtype), 0, 1)


@dataclass(frozen=True)
class ColourNoise(Augmentation):
    """Add to all pixels of an image the same random colour, along the directions in which colours differ:

        x <- x + sum_i a_i l_i p_i,   a_i normal with a standard deviation of `deviation`

    p_i and l_i being the eigenvectors and eigenvalues of the covariance of the colours of all pixels; light changes so,
    in strength and in colour, and things do not.  Values are not cut to 0 .. 1.

    Args:
        directions: p_i, (channels,) each.
        strengths: l_i, for pixels from 0 to 1.
        deviation: of a_i.

    Raises:
        FirsthandError: not one strength for each direction, or a negative or infinite deviation.

    References:
        Krizhevsky, Sutskever and Hinton 2012, 'ImageNet Classification with Deep Convolutional Neural Networks',
        section 4.1.
    """

    directions: tuple[tuple[float, ...], ...]
    strengths: tuple[float, ...]
    deviation: float = 0.1

    def __post_init__(self) -> None:
        require(self, "strengths", len(self.strengths) == len(self.directions), "as many as directions")
        require_range(self, 0, math.inf, "deviation")

    @classmethod
    def of(cls, images: np.ndarray, deviation: float = 0.1) -> ColourNoise:
        """Find the directions and strengths in images, uint8 (n, height, width, channels)."""
        colours = images.reshape(-1, images.shape[-1]) / 255
        strengths, directions = np.linalg.eigh(np.cov(colours.T).reshape(images.shape[-1], -1))
        return cls(tuple(map(tuple, directions.T.tolist())), tuple(strengths.tolist()), deviation)

    def changed(self, images: Array, key: Array) -> Array:
        a = self.deviation * jax.random.normal(key, (len(images), len(self.strengths)), images.dtype)
        directions, strengths = (jnp.asarray(each, images.dtype) for each in (self.directions, self.strengths))
        return images + ((a * strengths) @ directions)[:, None, None]
