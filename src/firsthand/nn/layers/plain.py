"""Layers without parameters that look at no neighbours."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import jax.numpy as jnp
from jax import Array

from ..activations import relu
from ..layer import Layer, Params, Shape
from ..names import Named, activation_named
from ..windows import Field, whole

__all__ = ["Activation", "Flatten", "Rescale", "Rows"]


@dataclass(frozen=True)
class Activation(Layer):
    """An activation function on its own, for where something stands between it and the weighted input.

    Args:
        function: of the layer's input, unit by unit; or its name.
    """

    function: Named = Named(activation_named, relu)

    def apply(self, params: Params, x: Array, *, key: Array | None = None, train: bool = False) -> Array:
        return self.function(x)

    def seen(self, field: Field, input_shape: Shape) -> Field | None:
        return field

    def zeros_end_gradient(self, before: bool) -> bool:
        return self.function is relu

    @property
    def activation_function(self) -> Callable[[Array], Array] | None:
        return self.function


@dataclass(frozen=True)
class Flatten(Layer):
    """All values of an example in one row: (height, width, channels) -> (height * width * channels,).

    A sequence (time, features) becomes a vector of all its steps, in order.
    """

    def output_shape(self, input_shape: Shape) -> Shape:
        return (math.prod(input_shape),)

    def apply(self, params: Params, x: Array, *, key: Array | None = None, train: bool = False) -> Array:
        return x.reshape(x.shape[0], -1)

    def seen(self, field: Field, input_shape: Shape) -> Field | None:
        return whole(input_shape)

    def zeros_end_gradient(self, before: bool) -> bool:
        return before


@dataclass(frozen=True)
class Rescale(Layer):
    """Every value times `factor`.

    Example: the book's file holds pixels as v/256 where ours are v/255; Rescale(255 / 256) in front reproduces it.
    """

    factor: float

    def apply(self, params: Params, x: Array, *, key: Array | None = None, train: bool = False) -> Array:
        return x * jnp.asarray(self.factor, x.dtype)

    def seen(self, field: Field, input_shape: Shape) -> Field | None:
        return field


@dataclass(frozen=True)
class Rows(Layer):
    """The rows of an image as the steps of a sequence, top to bottom: (height, width, channels) -> (time, features).

    time = height, features = width * channels: a recurrent layer behind it reads the image row by row.
    """

    def output_shape(self, input_shape: Shape) -> Shape:
        height, width, channels = self._image(input_shape)
        return height, width * channels

    def apply(self, params: Params, x: Array, *, key: Array | None = None, train: bool = False) -> Array:
        return x.reshape(*x.shape[:2], -1)

    def seen(self, field: Field, input_shape: Shape) -> Field | None:
        return Field(field.top, field.bottom, 0, input_shape[1])

    def zeros_end_gradient(self, before: bool) -> bool:
        return before
