"""The base of all augmentations: a keyed function of a batch of images, described by a frozen dataclass."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jax import Array, lax

from firsthand.errors import FirsthandError

__all__ = [
    "Augmentation",
    "Compose",
    "is_number",
    "random_bytes",
    "require",
    "require_all",
    "require_part",
    "require_range",
    "require_size",
]


@dataclass(frozen=True)
class Augmentation(ABC):
    """A random change of images that leaves their labels true; every image of a batch gets its own.

    It is called inside the compiled training step, so that changed images exist for one mini-batch only. It holds
    numbers and no arrays: it can be hashed and compared, and its repr says all there is to know about it. One of
    your own is a frozen dataclass with a method `changed`.
    """

    def __call__(self, images: Array, *, key: Array) -> Array:
        """Change a batch.

        Args:
            images: floats (batch, height, width, channels), 0 = background .. 1.
            key: what the change depends on: the same key, the same change.

        Returns:
            The changed images, in the shape and type of those given.

        Raises:
            FirsthandError: integers, or another number of axes.
        """
        name = type(self).__name__
        if not jnp.issubdtype(images.dtype, jnp.floating):
            raise FirsthandError(f"{name}: images of {images.dtype} found, floats from 0 to 1 expected")
        if images.ndim != 4:
            raise FirsthandError(f"{name}: images {images.shape} found, (batch, height, width, channels) expected")
        return self.changed(images, key)

    @abstractmethod
    def changed(self, images: Array, key: Array) -> Array:
        """Compute `__call__` for images that it has checked."""


@dataclass(frozen=True)
class Compose(Augmentation):
    """One augmentation after the other, each with a key of its own.

    Each resamples again, and each resampling blurs a little: use `Distort` to do several warps in one.

    Args:
        parts: the augmentations, first to last; none at all leaves images as they are.

    Raises:
        FirsthandError: something else among the parts.

    Examples:
        >>> Compose((Compose(()),))
        Compose(parts=(Compose(parts=()),))
    """

    parts: tuple[Augmentation, ...]

    def __post_init__(self) -> None:
        # a list is welcome, but what is frozen must hash
        object.__setattr__(self, "parts", require_all(self, "parts", self.parts, Augmentation))

    def changed(self, images: Array, key: Array) -> Array:
        for part, k in zip(self.parts, jax.random.split(key, len(self.parts)), strict=True):
            images = part(images, key=k)
        return images


def random_bytes(key: Array, shape: tuple[int, ...]) -> Array:
    """uint8 0 .. 255, evenly: for a quarter of the work of as many floats, which is what matters on a CPU."""
    count = math.prod(shape)
    words = jax.random.bits(key, (-(-count // 4),), jnp.uint32)  # (ceil(count / 4),)
    return lax.bitcast_convert_type(words, jnp.uint8).ravel()[:count].reshape(shape)


def require_all(owner: Augmentation, name: str, parts: object, kind: type) -> tuple:
    """The parts as a tuple, if each is of one kind."""
    parts = tuple(parts) if isinstance(parts, list | tuple) else (parts,)
    for part in parts:
        if not isinstance(part, kind):
            raise FirsthandError(f"{type(owner).__name__}: {name} has {part!r}, {kind.__name__}s expected")
    return parts


def require_range(owner: Augmentation, low: float, high: float, *names: str) -> None:
    """Refuse fields that are no number from low (included) to high (not included, and never infinite)."""
    expected = f"{low:g} or more" if math.isinf(high) else f"{low:g} or more and below {high:g}"
    for name in names:
        value = getattr(owner, name)
        require(owner, name, is_number(value) and low <= value < high, expected)


def require_part(owner: Augmentation, *names: str) -> None:
    """Refuse fields that are no number from 0 to 1, both included."""
    for name in names:
        value = getattr(owner, name)
        require(owner, name, is_number(value) and 0 <= value <= 1, "0 to 1")


def require_size(owner: Augmentation, *names: str) -> None:
    """Refuse fields that are no whole number of pixels, 0 or more."""
    for name in names:
        value = getattr(owner, name)
        whole = isinstance(value, int) and not isinstance(value, bool)
        require(owner, name, whole and value >= 0, "a whole number, 0 or more")


def require(owner: Augmentation, name: str, holds: bool, expected: str) -> None:
    """Refuse a field, in one line."""
    if not holds:
        value = getattr(owner, name)
        raise FirsthandError(f"{type(owner).__name__}: {name} is {value!r}, {expected} expected")


def is_number(value: object) -> bool:
    """Return whether a field is a number, and not True or False."""
    return isinstance(value, int | float) and not isinstance(value, bool)
