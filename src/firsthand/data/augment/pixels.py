"""Changes that move whole pixels, or set them: nothing is resampled."""

from __future__ import annotations

from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jax import Array, lax

from .base import Augmentation, require_size

__all__ = ["RandomCrop", "Shift"]


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
