"""Dropout: in training, values that are left out at random."""

import math
from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jax import Array

from ..layer import Layer, Params, Shape
from ..windows import Field

__all__ = ["Dropout"]


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

    def seen(self, field: Field, input_shape: Shape) -> Field | None:
        return field

    def zeros_end_gradient(self, before: bool) -> bool:
        return before  # what is dropped ends it as well

    @property
    def dropped_share(self) -> float:
        return self.rate


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
