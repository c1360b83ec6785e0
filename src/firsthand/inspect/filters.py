"""The features of convolutional layers: kernels, feature maps, receptive fields, and their strongest patches."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from firsthand.data import Dataset
from firsthand.errors import FirsthandError
from firsthand.models import Model
from firsthand.nn import Field, Layer, Network, Params, Shape, UnknownField, whole
from firsthand.nn.layer import seen_through

from .parts import Part, in_batches, layer_outputs, outputs, params_at, part_named, parts

__all__ = ["Field", "Strongest", "feature_maps", "kernel_images", "kernel_layers", "receptive_field", "strongest"]


def kernel_layers(network: Network) -> tuple[str, ...]:
    """The names of the layers that have kernels."""
    params = jax.eval_shape(lambda key: network.init(key=key), jax.random.key(0))
    return tuple(part.name for part in parts(network) if part.layer.kernels(params_at(params, part.path)) is not None)


def kernel_images(model: Model, layer: str | int = 1) -> np.ndarray:
    """The kernels of a convolutional layer, (filters, height, width, channels / groups).

    Args:
        model: any with a layer that has kernels, as `Convolution` and `ConvPool` do.
        layer: its name or number, as in `part_named`.
    Raises:
        FirsthandError: the layer has no kernels.
    """
    part = part_named(model.network, layer)
    kernels = part.layer.kernels(params_at(model.params, part.path))
    if kernels is None:
        with_kernels = ", ".join(kernel_layers(model.network)) or "none"
        raise FirsthandError(f"layer {part.name!r}: it has no kernels; layers that have: {with_kernels}")
    return np.moveaxis(np.asarray(kernels), -1, 0)


def feature_maps(model: Model, image: np.ndarray, layer: str | int = 1) -> np.ndarray:
    """The filters' responses to one image, (channels, height, width) of the layer's output.

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

    Every layer says what of its input a part of its output depends on (`Layer.seen`), last to first.  Where one does
    not say, as a layer of your own may, the field is the whole image as an `UnknownField`, whose `known` is False: no
    pixel outside of it changes the unit, but fewer may suffice.

    Args:
        network: of images.
        layer: its name or number, as in `part_named`.
        row, column: of the unit in the layer's output; for outputs that are no image they do not matter.
    Returns:
        A `Field`, for all channels alike: of `Concatenate` it is that of all branches together.  With padding it may
        reach beyond the image, unless the output of the layer is no image.
    Raises:
        FirsthandError: inputs that are no images, or a unit outside of the layer's output.
    """
    if len(network.input_shape) != 3:
        raise FirsthandError(f"receptive_field: inputs have shape {network.input_shape}, expected images")
    part = part_named(network, layer)
    before, shape = _way(network, part)
    if len(shape) == 3 and not (0 <= row < shape[0] and 0 <= column < shape[1]):
        raise FirsthandError(f"receptive_field: unit ({row}, {column}) of {shape[0]}x{shape[1]} in {part.name!r}")
    unit = Field(row, row + 1, column, column + 1) if len(shape) == 3 else whole(shape)
    seen, image = seen_through(before, unit, network.input_shape), whole(network.input_shape)
    if seen is None:
        return UnknownField(*image)
    # units that are no part of an image see no padding either
    return seen if len(shape) == 3 else seen.within(image)


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
    """The patches that each filter responds to most: the place of the largest activation in every image, best first.

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
    flat = [field for row in fields for field in row]
    # at the edge some layers see less: what is missing is filled up as what is beyond the image
    size = max(f.bottom - f.top for f in flat), max(f.right - f.left for f in flat)
    patches = [
        [cut(data.images[i], field, size) for i, field in zip(row, seen, strict=True)]
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


def cut(image: np.ndarray, field: Field, size: tuple[int, int]) -> np.ndarray:
    """The pixels in a field, (*size, channels), 0 beyond the image and beyond the field."""
    patch = np.zeros((*size, image.shape[-1]), image.dtype)
    seen = field.within(whole(image.shape))
    patch[seen.top - field.top : seen.bottom - field.top, seen.left - field.left : seen.right - field.left] = image[
        seen.top : seen.bottom, seen.left : seen.right
    ]
    return patch


def _way(network: Network, part: Part) -> tuple[list[Layer], Shape]:
    """The layers that an input passes through, the part being the last of them, and the shape of what leaves it."""
    number, *keys = part.path
    way, layer = list(network.layers[:number]), network.layers[number]
    while keys:
        row, place = next(
            (row, place)
            for row in layer.inside()
            for place, inside in enumerate(row)
            if inside.keys == tuple(keys[: len(inside.keys)])
        )
        way += [inside.layer for inside in row[:place]]
        layer, keys = row[place].layer, keys[len(row[place].keys) :]
    shape = network.input_shape
    for each in (*way, layer):
        shape = each.output_shape(shape)
    return [*way, layer], shape
