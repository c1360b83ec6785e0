"""The arithmetic of one unit, written out: inputs times weights, plus bias, through the activation function."""

from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np

from firsthand.errors import FirsthandError
from firsthand.models import Model
from firsthand.nn import Field, Layer, Params, Windows

from .parts import layer_outputs, part_named

__all__ = ["Arithmetic", "before_pooling", "input_of", "unit_arithmetic"]


@dataclass(frozen=True, eq=False)
class Arithmetic:
    """The arithmetic of one unit: output = activation(sum(inputs * weights) + bias).

    Args:
        inputs, weights: of the same shape: (height, width, channels) of a kernel, or that of the whole input of a fully
            connected layer; for a layer without weights, both empty.
        bias: 0.0 for a layer without.
        z: the weighted input; for a layer without weights, the output.
        activation: name of the function, '' for a layer without.
        output: a.
        window: of a pooling layer, the values among which the largest is kept (rows, columns), for `ConvPool` the
            weighted inputs; otherwise empty.
        kept: (row, column) in the window of the value that is kept, the first of several; None without a window.
    """

    inputs: np.ndarray
    weights: np.ndarray
    bias: float
    z: float
    activation: str
    output: float
    window: np.ndarray
    kept: tuple[int, int] | None


def unit_arithmetic(model: Model, image: np.ndarray, layer: str | int, unit: tuple[int, ...]) -> Arithmetic:
    """The arithmetic of one unit for one image.

    Args:
        model: any.
        image: (*input_shape,); integers are pixels 0..255.
        layer: name or number of a layer that is not inside of another, as in `part_named`.
        unit: its place in the layer's output, (row, column, channel) or (number,).
    Raises:
        FirsthandError: another shape, no such layer, a layer inside of another, or no such unit.
    """
    part = part_named(model.network, layer)
    x, number = input_of(model, image, layer)
    output = layer_outputs(model, image[None], [part.name])[part.name][0]
    if len(unit) != output.ndim or not all(0 <= at < size for at, size in zip(unit, output.shape, strict=True)):
        raise FirsthandError(f"unit: found {unit}, expected a place in {part.name!r}, {output.shape}")
    a, found, params = float(output[unit]), part.layer, model.params[number]
    activation = found.activation_function
    name = "" if activation is None else getattr(activation, "__name__", "")
    nothing = np.zeros(0, np.float32)
    window, kept, place = nothing, None, unit
    if found.largest_of is not None:
        row, column, channel = unit
        values = _before_pooling(found, params, x, channel)
        seen = _window(found.largest_of, row, column, values)
        window = values[seen.top : seen.bottom, seen.left : seen.right]
        kept = _largest(window)
        place = (seen.top + kept[0], seen.left + kept[1], channel)
    terms = found.terms(params, x, place)
    if terms is None:
        return Arithmetic(nothing, nothing, 0.0, a, name, a, window, kept)
    inputs, weights, bias = np.asarray(terms.inputs), np.asarray(terms.weights), float(terms.bias)
    return Arithmetic(inputs, weights, bias, float(np.sum(inputs * weights)) + bias, name, a, window, kept)


def before_pooling(model: Model, image: np.ndarray, layer: str | int, channel: int) -> tuple[np.ndarray, np.ndarray]:
    """One channel before and after its pooling layer: what is pooled, and what is kept.

    Args:
        model: any.
        image: (*input_shape,); integers are pixels 0..255.
        layer: name or number of a layer that keeps the largest of windows and is not inside of another.
        channel: of its output.
    Returns:
        The map before pooling, (rows, columns), for `ConvPool` the weighted inputs of its convolution; and where the
        values are that are kept, truth values of the same shape: one in each window, the first of several.
    Raises:
        FirsthandError: another shape, no such layer or channel, or a layer without pooling.
    """
    part = part_named(model.network, layer)
    x, number = input_of(model, image, layer)
    windows = part.layer.largest_of
    if windows is None:
        raise FirsthandError(f"layer {part.name!r}: it does not pool; ConvPool and MaxPool do")
    rows, columns, channels = part.layer.output_shape(x.shape)
    if not 0 <= channel < channels:
        raise FirsthandError(f"channel: found {channel}, expected 0 to {channels - 1} in {part.name!r}")
    values = _before_pooling(part.layer, model.params[number], x, channel)
    kept = np.zeros(values.shape, bool)
    for row in range(rows):
        for column in range(columns):
            seen = _window(windows, row, column, values)
            inside = _largest(values[seen.top : seen.bottom, seen.left : seen.right])
            kept[seen.top + inside[0], seen.left + inside[1]] = True
    return values, kept


def input_of(model: Model, image: np.ndarray, layer: str | int) -> tuple[np.ndarray, int]:
    """The input of a layer for one image, and the layer's place in the network, from 0.

    Raises:
        FirsthandError: another shape, no such layer, or a layer inside of another.
    """
    part = part_named(model.network, layer)
    if len(part.path) != 1:
        raise FirsthandError(f"layer {part.name!r}: it is inside of another, expected one that is not")
    (number,) = part.path
    image = model.checked(np.asarray(image)[None])
    if number == 0:
        return np.asarray(model.network.as_float(jnp.asarray(image), model.params))[0], 0
    (before,) = layer_outputs(model, image, [number]).values()  # layers are named from 1
    return before[0], number


def _before_pooling(layer: Layer, params: Params, x: np.ndarray, channel: int) -> np.ndarray:
    """One channel of what a layer pools of one example, (rows, columns)."""
    return np.asarray(layer.before_pooling(params, jnp.asarray(x)[None]))[0, :, :, channel]


def _window(windows: Windows, row: int, column: int, values: np.ndarray) -> Field:
    """The values in one window, without padding."""
    return windows.seen(Field(row, row + 1, column, column + 1)).within(Field(0, values.shape[0], 0, values.shape[1]))


def _largest(window: np.ndarray) -> tuple[int, int]:
    row, column = divmod(int(np.argmax(window)), window.shape[1])
    return row, column
