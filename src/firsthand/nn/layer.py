"""What every layer is: a frozen description without arrays, that answers five questions.

    output_shape(input_shape)             which shape comes out, before any array exists
    init(input_shape, dtype, key=key)     its parameters, a dict of arrays ({} where it has none)
    apply(params, x, key=, train=)        the formula, on a batch
    forward(params, x, key=)              the formula in training, and the statistics that it has brought up to date
    multiply_adds(input_shape)            how many multiplications with addition one example costs

Shapes are without the batch axis in the first two and the last; images are (height, width, channels).
"""

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, ClassVar

import jax.numpy as jnp
from jax import Array
from jax.typing import DTypeLike

from firsthand.errors import FirsthandError

__all__ = ["STATISTICS", "Layer", "OutputLayer", "Params", "Shape", "ShapeError"]

# names of parameters that follow the data and not the gradient
STATISTICS = ("mean", "variance")

Shape = tuple[int, ...]
Params = dict[str, Any]  # of arrays; of dicts of arrays where a layer has layers inside


class ShapeError(FirsthandError):
    """A layer was given an input that does not fit it."""


@dataclass(frozen=True)
class Layer:
    """What all layers are: here, the identity."""

    takes_symbols: ClassVar[bool] = False  # whether inputs are integers that name symbols, as for an embedding

    def output_shape(self, input_shape: Shape) -> Shape:
        """The shape of one example's output; `ShapeError` where the input does not fit."""
        return input_shape

    def init(self, input_shape: Shape, dtype: DTypeLike = jnp.float32, *, key: Array) -> Params:
        """Fresh parameters for inputs of this shape."""
        return {}

    def apply(self, params: Params, x: Array, *, key: Array | None = None, train: bool = False) -> Array:
        """The layer's output for a batch x, (batch, *input_shape) -> (batch, *output_shape)."""
        return x

    def forward(self, params: Params, x: Array, *, key: Array | None = None) -> tuple[Array, Params]:
        """In training: the output, and the parameters with their statistics brought up to date by this batch."""
        return self.apply(params, x, key=key, train=True), params

    def multiply_adds(self, input_shape: Shape) -> int:
        """Multiplications with addition that the forward pass of one example takes."""
        return 0

    def __str__(self) -> str:
        """The layer with what distinguishes it: ConvPool(20, pool=3, activation=relu)."""
        shown = []
        for number, field in enumerate(fields(self)):
            value = getattr(self, field.name)
            if number == 0:
                shown.append(_shown(value))
            elif field.name == "activation" or value != field.default:
                shown.append(f"{field.name}={_shown(value)}")
        return f"{type(self).__name__}({', '.join(shown)})"

    def _refuse(self, input_shape: Shape, wanted: str) -> ShapeError:
        return ShapeError(f"{self}: the input has shape {input_shape}, expected {wanted}")

    def _image(self, input_shape: Shape) -> tuple[int, int, int]:
        if len(input_shape) != 3:
            raise self._refuse(input_shape, "an image (height, width, channels)")
        height, width, channels = input_shape
        return height, width, channels


def _shown(value: Any) -> str:
    if isinstance(value, tuple):
        return f"({', '.join(map(_shown, value))})"
    return getattr(value, "__name__", str(value))


class OutputLayer:
    """What a layer needs so that a cost can follow it: its weighted input z, and a = activation(z)."""

    activation: Callable[[Array], Array]

    def weighted_input(self, params: Params, x: Array) -> Array:
        """z, of which the layer's output is activation(z)."""
        raise NotImplementedError
