"""What convolutional layers look for: kernels, feature maps, receptive fields, and the patches they answer to most."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from firsthand.data import Dataset
from firsthand.errors import FirsthandError
from firsthand.models import Model
from firsthand.nn import (
    Activation,
    AveragePool,
    BatchNorm,
    Concatenate,
    Convolution,
    ConvPool,
    Dropout,
    L2Pool,
    Layer,
    LayerNorm,
    MaxPool,
    Network,
    Params,
    Rescale,
    Residual,
    Shape,
)

from .parts import Part, in_batches, layer_outputs, outputs, params_at, part_named, parts, rows

__all__ = ["Field", "Strongest", "feature_maps", "kernel_images", "kernel_layers", "receptive_field", "strongest"]


class Field(NamedTuple):
    """A rectangle of pixels: rows top to bottom - 1, columns left to right - 1, the first row and column being 0.

    Where a layer has padding it may reach beyond the image.
    """

    top: int
    bottom: int
    left: int
    right: int


def kernel_layers(network: Network) -> tuple[str, ...]:
    """The names of the layers that have kernels."""
    return tuple(part.name for part in parts(network) if isinstance(part.layer, Convolution | ConvPool))


def kernel_images(model: Model, layer: str | int = 1) -> np.ndarray:
    """The kernels of a convolutional layer, (filters, height, width, channels / groups).

    Args:
        model: any with a `Convolution` or `ConvPool`.
        layer: its name or number, as in `part_named`.
    Raises:
        FirsthandError: the layer has no kernels.
    """
    part = part_named(model.network, layer)
    if not isinstance(part.layer, Convolution | ConvPool):
        with_kernels = ", ".join(kernel_layers(model.network)) or "none"
        raise FirsthandError(f"layer {part.name!r}: it has no kernels; layers that have: {with_kernels}")
    return np.moveaxis(np.asarray(params_at(model.params, part.path)["weights"]), -1, 0)


def feature_maps(model: Model, image: np.ndarray, layer: str | int = 1) -> np.ndarray:
    """What the filters of a layer make of one image, (channels, height, width) of the layer's output.

    Args:
        model: any.
        image: (height, width, channels); integers are pixels 0..255.
        layer: its name or number, as in `part_named`; its output must be an image.
    Raises:
        FirsthandError: the image has another shape, or the output of the layer is none.
    """
    part = part_named(model.network, layer)
    found = layer_outputs(model, np.asarray(image)[None], [part.name])[part.name][0]
    if found.ndim != 3:
        raise FirsthandError(f"layer {part.name!r}: its output has shape {found.shape}, expected feature maps")
    return np.moveaxis(found, -1, 0)


def receptive_field(network: Network, layer: str | int, row: int = 0, column: int = 0) -> Field:
    """The part of the image that one unit of a layer sees: no pixel outside of it changes what the unit says.

    Going back from rows [r, s) of a layer's output, a window of k rows at a stride of d with padding p sees the rows
    [r d - p, (s - 1) d - p + k) of its input; columns alike.  A layer that sees everything (`FullyConnected`,
    `SqueezeExcite`, ...) ends the way: the field is the whole image.

    Args:
        network: of images.
        layer: its name or number, as in `part_named`.
        row, column: of the unit in the layer's output; for outputs that are no image they do not matter.
    Returns:
        A `Field`, for all channels alike: of `Concatenate` it is that of all branches together.
    Raises:
        FirsthandError: inputs that are no images, or a unit outside of the layer's output.
    """
    if len(network.input_shape) != 3:
        raise FirsthandError(f"receptive_field: inputs have shape {network.input_shape}, expected images")
    part = part_named(network, layer)
    before, shape = _way(network, part)
    if len(shape) == 3 and not (0 <= row < shape[0] and 0 <= column < shape[1]):
        raise FirsthandError(f"receptive_field: unit ({row}, {column}) of {shape[0]}x{shape[1]} in {part.name!r}")
    seen = _seen(before, Field(row, row + 1, column, column + 1)) if len(shape) == 3 else None
    return seen or Field(0, network.input_shape[0], 0, network.input_shape[1])


@dataclass(frozen=True, eq=False)
class Strongest:
    """The places in a data set where each unit or filter of a layer answers most, from different images.

    Args:
        name: of the layer.
        values: activations, (filters, count), largest first.
        images: index of the image in the data set, (filters, count).
        fields: where in it, as `Field`s, a list for each filter.
        patches: what is there, (filters, count, height, width, channels), uint8; 0 beyond the image.
    """

    name: str
    values: np.ndarray
    images: np.ndarray
    fields: list[list[Field]]
    patches: np.ndarray


def strongest(model: Model, data: Dataset, layer: str | int = 1, count: int = 9) -> Strongest:
    """What each filter responds to most: of every image the place of its largest activation, of these the largest.

    Args:
        model: of images.
        data: where to look.
        layer: its name or number, as in `part_named`; of a layer whose output is no image, units take the place of
            filters, and images that of patches.
        count: how many for each filter; fewer where there are fewer images.
    Returns:
        `Strongest`; of equal activations, the earlier image and the upper left place.
    Raises:
        FirsthandError: data that do not fit the model, inputs that are no images, or no place wanted.
    References:
        Zeiler and Fergus 2014, 'Visualizing and Understanding Convolutional Networks', figure 2 (patches).
    """
    model.check_fits(data)
    if count < 1:
        raise FirsthandError(f"strongest: count is {count}, expected 1 or more")
    part = part_named(model.network, layer)
    shape = _way(model.network, part)[1]
    program = _strongest_program(model.network, part.name)
    found = list(in_batches(lambda x: program(model.params, x), data.images))
    values, places = (np.concatenate(each).T for each in zip(*found, strict=True))  # (filters, n)
    images = np.argsort(-values, axis=1, kind="stable")[:, :count]  # (filters, count)
    at = np.take_along_axis(places, images, axis=1)
    across = shape[1] if len(shape) == 3 else 1
    fields = [[receptive_field(model.network, part.name, *divmod(int(p), across)) for p in row] for row in at]
    patches = [
        [_cut(data.images[i], field) for i, field in zip(row, seen, strict=True)]
        for row, seen in zip(images, fields, strict=True)
    ]
    return Strongest(part.name, np.take_along_axis(values, images, axis=1), images, fields, np.array(patches))


@lru_cache(maxsize=32)
def _strongest_program(network: Network, name: str) -> Callable[..., tuple[Array, Array]]:
    def best(params: tuple[Params, ...], x: Array) -> tuple[Array, Array]:
        a = outputs(network, params, x)[name]
        a = a.reshape(a.shape[0], -1, a.shape[-1])  # (batch, places, filters)
        return jnp.max(a, axis=1), jnp.argmax(a, axis=1)

    return jax.jit(best)


def _cut(image: np.ndarray, field: Field) -> np.ndarray:
    beyond = max(0, -field.top, -field.left, field.bottom - image.shape[0], field.right - image.shape[1])
    padded = np.pad(image, ((beyond, beyond), (beyond, beyond), (0, 0)))
    return padded[field.top + beyond : field.bottom + beyond, field.left + beyond : field.right + beyond]


def _way(network: Network, part: Part) -> tuple[list[Layer], Shape]:
    """The layers that an input passes through, the part being the last of them, and the shape of what leaves it."""
    number, *keys = part.path
    way, layer = list(network.layers[:number]), network.layers[number]
    while keys:
        row, place = next(
            (row, place)
            for row in rows(layer)
            for place, inside in enumerate(row)
            if inside.keys == tuple(keys[: len(inside.keys)])
        )
        way += [inside.layer for inside in row[:place]]
        layer, keys = row[place].layer, keys[len(row[place].keys) :]
    shape = network.input_shape
    for each in (*way, layer):
        shape = each.output_shape(shape)
    return [*way, layer], shape


def _seen(layers: Sequence[Layer], field: Field) -> Field | None:
    """What of the input of some layers a field of their output depends on; None for all of it."""
    for layer in reversed(layers):
        if isinstance(layer, Residual | Concatenate):
            ways = [_seen([inside.layer for inside in row], field) for row in rows(layer)]
            if isinstance(layer, Residual):
                ways.append(field)
            if None in ways:
                return None
            top, bottom, left, right = zip(*(way for way in ways if way), strict=True)
            field = Field(min(top), max(bottom), min(left), max(right))
        elif isinstance(layer, Convolution | ConvPool | MaxPool | AveragePool | L2Pool):
            field = _through(layer, field)
        elif not isinstance(layer, Dropout | BatchNorm | LayerNorm | Activation | Rescale):
            return None
    return field


def _through(layer: Layer, field: Field) -> Field:
    """What of its input a layer of windows looks at."""
    (rows_, columns), (down, right), padding = _window(layer)
    return Field(
        field.top * down - padding,
        (field.bottom - 1) * down - padding + rows_,
        field.left * right - padding,
        (field.right - 1) * right - padding + columns,
    )


def _window(layer: Layer) -> tuple[tuple[int, int], tuple[int, int], int]:
    """Height and width of the windows, their distance down and across, and the padding."""
    if isinstance(layer, Convolution):
        return _pair(layer.size), (layer.stride, layer.stride), layer.padding
    if isinstance(layer, ConvPool):
        (kh, kw), (ph, pw) = _pair(layer.size), _pair(layer.pool)
        return (kh + ph - 1, kw + pw - 1), (ph, pw), layer.padding
    assert isinstance(layer, MaxPool | AveragePool | L2Pool)
    return _pair(layer.size), _pair(layer.size if layer.stride is None else layer.stride), 0


def _pair(size: tuple[int, int] | int) -> tuple[int, int]:
    return (size, size) if isinstance(size, int) else size
