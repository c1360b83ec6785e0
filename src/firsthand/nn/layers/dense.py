"""Layers in which every unit sees every input."""

import math
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
from jax import Array
from jax.typing import DTypeLike

from ..activations import relu, sigmoid, softmax
from ..initializers import scaled, zeros
from ..layer import Layer, OutputLayer, Params, Shape, Terms
from ..names import Named, activation_named, initializer_named
from ..windows import Field, whole
from .common import require_positive, weights_and_bias

__all__ = ["FullyConnected", "Softmax"]


@dataclass(frozen=True)
class FullyConnected(OutputLayer, Layer):
    """Every unit sees every input: a = activation(x W + b), equation (25) with examples as rows.

    An image is flattened on the way in, as in the book's `network3`.  In a sequence every step is an input by itself,
    (time, features) -> (time, units), with the same W and b; `Flatten` in front makes one vector of all steps.

    Args:
        units: number of units, n_out.
        activation: function of the weighted input, or its name.
        weights_init, bias_init: initializers, or their names; W is (n_in, units), b is (units,).
    """

    units: int
    activation: Named = Named(activation_named, sigmoid)  # pyright: ignore[reportIncompatibleMethodOverride]
    weights_init: Named = Named(initializer_named, scaled)
    bias_init: Named = Named(initializer_named, zeros)

    def __post_init__(self) -> None:
        require_positive(self, units=self.units)

    def output_shape(self, input_shape: Shape) -> Shape:
        if math.prod(input_shape) == 0:
            raise self._refuse(input_shape, "at least one input")
        return (input_shape[0], self.units) if len(input_shape) == 2 else (self.units,)

    def init(self, input_shape: Shape, dtype: DTypeLike = jnp.float32, *, key: Array) -> Params:
        n_in = _inputs(input_shape)
        return weights_and_bias(self, (n_in, self.units), n_in, self.units, dtype, key)

    def weighted_input(self, params: Params, x: Array) -> Array:
        outer = x.shape[:2] if x.ndim == 3 else x.shape[:1]  # (batch, time) of sequences, otherwise (batch,)
        # one matrix product of all steps
        z = x.reshape(math.prod(outer), _inputs(x.shape[1:])) @ params["weights"] + params["bias"]
        return z.reshape(*outer, self.units)

    def apply(self, params: Params, x: Array, *, key: Array | None = None, train: bool = False) -> Array:
        return self.activation(self.weighted_input(params, x))

    def multiply_adds(self, input_shape: Shape) -> int:
        return math.prod(input_shape) * self.units

    def seen(self, field: Field, input_shape: Shape) -> Field | None:
        return field if len(input_shape) == 2 else whole(input_shape)

    def zeros_end_gradient(self, before: bool) -> bool:
        return self.activation is relu

    def multiplies_once(self, *keys: str) -> bool:
        return keys == ("weights",)

    def terms(self, params: Params, x: Any, place: tuple[int, ...]) -> Terms | None:
        *step, unit = place
        inputs = x[step[0]] if step else x
        return Terms(inputs, params["weights"][:, unit].reshape(inputs.shape), params["bias"][unit])


@dataclass(frozen=True)
class Softmax(FullyConnected):
    """A fully connected layer whose outputs are probabilities: a_j = e^{z_j} / sum_k e^{z_k}, equation (78)."""

    activation: Named = Named(activation_named, softmax)


def _inputs(shape: Shape) -> int:
    """The number of inputs of one unit."""
    return shape[1] if len(shape) == 2 else math.prod(shape)
