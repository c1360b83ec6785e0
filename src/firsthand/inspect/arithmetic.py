"""The arithmetic of one unit, written out: inputs times weights, plus bias, through the activation function."""

import math
from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np

from firsthand.errors import FirsthandError
from firsthand.models import Model
from firsthand.nn import Convolution, ConvPool, FullyConnected, Layer, MaxPool, Shape

from .parts import activation_of, layer_outputs, part_named

__all__ = ["Arithmetic", "before_pooling", "input_of", "unit_arithmetic"]


@dataclass(frozen=True, eq=False)
class Arithmetic:
    """How a unit comes to its output: output = activation(sum(inputs * weights) + bias).

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
    a, found = float(output[unit]), part.layer
    activation = activation_of(found)
    name = "" if activation is None else getattr(activation, "__name__", "")
    nothing = np.zeros(0, np.float32)
    if isinstance(found, FullyConnected):
        parameters = model.params[number]
        w, b = np.asarray(parameters["weights"])[:, unit[0]].reshape(x.shape), float(parameters["bias"][unit[0]])
        return Arithmetic(x, w, b, float(np.sum(x * w)) + b, name, a, nothing, None)
    if isinstance(found, ConvPool) or (isinstance(found, Convolution) and found.groups == 1):
        row, column, channel = unit
        w = np.asarray(model.params[number]["weights"])[..., channel]  # (height, width, channels)
        b = float(model.params[number]["bias"][channel])
        (ph, pw), stride = (_pair(found.pool), 1) if isinstance(found, ConvPool) else ((1, 1), found.stride)
        z = _weighted(x, w, found.padding, stride) + b
        window = z[row * ph : (row + 1) * ph, column * pw : (column + 1) * pw]
        kept = _largest(window)
        top, left = (row * ph + kept[0]) * stride, (column * pw + kept[1]) * stride
        patch = _padded(x, found.padding)[top : top + w.shape[0], left : left + w.shape[1]]
        pooled = isinstance(found, ConvPool)
        return Arithmetic(
            patch, w, b, float(window[kept]), name, a, window if pooled else nothing, kept if pooled else None
        )
    if isinstance(found, MaxPool):
        row, column, channel = unit
        (kh, kw), (sh, sw) = _pair(found.size), _pair(found.size if found.stride is None else found.stride)
        window = x[row * sh : row * sh + kh, column * sw : column * sw + kw, channel]
        return Arithmetic(nothing, nothing, 0.0, a, "", a, window, _largest(window))
    return Arithmetic(nothing, nothing, 0.0, a, name, a, nothing, None)


def before_pooling(model: Model, image: np.ndarray, layer: str | int, channel: int) -> tuple[np.ndarray, np.ndarray]:
    """What a pooling layer pools of one channel, and what it keeps.

    Args:
        model: any.
        image: (*input_shape,); integers are pixels 0..255.
        layer: name or number of a `ConvPool` or `MaxPool` that is not inside of another.
        channel: of its output.
    Returns:
        The map before pooling, (rows, columns), for `ConvPool` the weighted inputs of its convolution; and where the
        values are that are kept, truth values of the same shape: one in each window, the first of several.
    Raises:
        FirsthandError: another shape, no such layer or channel, or a layer without pooling.
    """
    part = part_named(model.network, layer)
    x, number = input_of(model, image, layer)
    found = part.layer
    rows, columns, channels = _output_shape(found, x.shape)
    if not 0 <= channel < channels:
        raise FirsthandError(f"channel: found {channel}, expected 0 to {channels - 1} in {part.name!r}")
    if isinstance(found, ConvPool):
        parameters = model.params[number]
        z = _weighted(x, np.asarray(parameters["weights"])[..., channel], found.padding, 1)
        z, size = z + float(parameters["bias"][channel]), _pair(found.pool)
        step = size
    elif isinstance(found, MaxPool):
        z, size = x[..., channel], _pair(found.size)
        step = size if found.stride is None else _pair(found.stride)
    else:
        raise FirsthandError(f"layer {part.name!r}: it does not pool, expected ConvPool or MaxPool")
    kept = np.zeros(z.shape, bool)
    for row in range(rows):
        for column in range(columns):
            top, left = row * step[0], column * step[1]
            inside = _largest(z[top : top + size[0], left : left + size[1]])
            kept[top + inside[0], left + inside[1]] = True
    return z, kept


def input_of(model: Model, image: np.ndarray, layer: str | int) -> tuple[np.ndarray, int]:
    """What enters a layer for one image, and the layer's place in the network, from 0.

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


def _output_shape(layer: Layer, shape: Shape) -> tuple[int, int, int]:
    found = layer.output_shape(shape)
    rows, columns, channels = found if len(found) == 3 else (1, 1, math.prod(found))
    return rows, columns, channels


def _weighted(x: np.ndarray, w: np.ndarray, padding: int, stride: int) -> np.ndarray:
    """x * W of equation (125), of one filter, without its bias, (rows, columns)."""
    patches = np.lib.stride_tricks.sliding_window_view(_padded(x, padding), w.shape[:2], axis=(0, 1))
    return np.einsum("ijcuv,uvc->ij", patches[::stride, ::stride], w, optimize=True)


def _padded(x: np.ndarray, padding: int) -> np.ndarray:
    return np.pad(x, ((padding, padding), (padding, padding), (0, 0)))


def _largest(window: np.ndarray) -> tuple[int, int]:
    row, column = divmod(int(np.argmax(window)), window.shape[1])
    return row, column


def _pair(size: tuple[int, int] | int) -> tuple[int, int]:
    return (size, size) if isinstance(size, int) else (size[0], size[1])
