"""Vectors for symbols."""

from dataclasses import dataclass
from typing import ClassVar

import jax.numpy as jnp
from jax import Array
from jax.typing import DTypeLike

from ..initializers import large
from ..layer import Layer, Params, Shape
from ..names import Named, initializer_named
from ..windows import Field
from .common import require_positive

__all__ = ["Embedding"]


@dataclass(frozen=True)
class Embedding(Layer):
    """A vector for each symbol, which is learned: a_t = W[x_t], the row that the symbol's number selects.

    It is what a fully connected layer without bias makes of symbols as one-hot vectors, without the multiplications.
    A number that is no symbol gives NaN, so that a training with it stops at the first cost.

    Args:
        symbols: how many there are; the inputs are integers 0 to symbols - 1, (time,) for each example.
        features: length of the vectors; the output is a sequence (time, features).
        weights_init: initializer or its name; W is (symbols, features), each unit of which one input feeds at a time.
    References:
        Bengio et al. 2003, 'A Neural Probabilistic Language Model', section 2 (the matrix C).
    """

    takes_integers: ClassVar[bool] = True

    symbols: int
    features: int
    weights_init: Named = Named(initializer_named, large)

    def __post_init__(self) -> None:
        require_positive(self, symbols=self.symbols, features=self.features)

    def output_shape(self, input_shape: Shape) -> Shape:
        if len(input_shape) != 1:
            raise self._refuse(input_shape, "symbols (time,)")
        return (*input_shape, self.features)

    def init(self, input_shape: Shape, dtype: DTypeLike = jnp.float32, *, key: Array) -> Params:
        # a symbol is one input that is 1, the others being 0
        return {"weights": self.weights_init((self.symbols, self.features), 1, self.features, dtype, key=key)}

    def apply(self, params: Params, x: Array, *, key: Array | None = None, train: bool = False) -> Array:
        if not jnp.issubdtype(x.dtype, jnp.integer):
            raise self._refuse(x.shape[1:], f"integers, found {x.dtype}")
        known = (x >= 0) & (x < self.symbols)
        vectors = params["weights"][jnp.where(known, x, 0)]  # (batch, time, features)
        return jnp.where(known[..., None], vectors, jnp.nan)

    def seen(self, field: Field, input_shape: Shape) -> Field | None:
        return field
