"""The part of an image that excites a filter: its activation sent back to the pixels, as Zeiler and Fergus do it."""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from firsthand.data import Dataset
from firsthand.errors import FirsthandError
from firsthand.models import Model
from firsthand.nn import Layer, Network, linear

from .filters import Strongest, cut, strongest
from .parts import in_batches, part_named

__all__ = ["Projected", "deconvolved", "project_strongest"]


@dataclass(frozen=True, eq=False)
class Projected:
    """The patches that excite the filters of a layer most, and the pixels in them that do so.

    Args:
        found: the strongest places in a data set, with their patches.
        patches: the projections at these places, (filters, count, height, width, channels), 0 beyond the image.
    """

    found: Strongest
    patches: np.ndarray


def deconvolved(model: Model, images: np.ndarray, layer: str | int, channels: np.ndarray) -> np.ndarray:
    """Send the strongest activation of one channel of a layer back to the pixels, everything else being 0.

    Down through each layer the signal is rectified, s <- max(s, 0), where the layer has an activation function; then it
    goes back through the rest of the layer, which is linear once it is known which values pooling kept (its switches):
    unpooled to where the maxima were, and filtered with the transposed kernels.

    Args:
        model: of images; its layers in a row.
        images: (n, *input_shape); integers are pixels 0..255.
        layer: its name or number, as in `part_named`.
        channels: of the layer's output, one for each image, (n,); of a layer whose output is no image, its units.
    Returns:
        float32 (n, *input_shape): positive where more light would excite the channel more.
    Raises:
        FirsthandError: images of another shape, a layer within another, a channel that the layer does not have.
    References:
        Zeiler and Fergus 2013, 'Visualizing and Understanding Convolutional Networks', section 2.1.
    """
    part = part_named(model.network, layer)
    if len(part.path) > 1:
        raise FirsthandError(f"deconvolved: {part.name!r} is within another layer, expected one of the network's own")
    number: int = next(iter(part.path))
    images, channels = model.checked(images), np.asarray(channels)
    count = model.network.shapes[number + 1][-1]
    if channels.shape != (len(images),) or channels.dtype.kind not in "iu":
        raise FirsthandError(f"channels: {channels.dtype} {channels.shape}, expected integers ({len(images)},)")
    if len(channels) and not 0 <= channels.min() <= channels.max() < count:
        raise FirsthandError(f"channels: {channels.min()} to {channels.max()}, expected 0 to {count - 1}")
    program = _projection_program(model.network, number)
    found = in_batches(lambda *batch: program(model.params, *batch), images, channels.astype(np.int32), size=100)
    return np.concatenate([np.zeros((0, *model.input_shape), np.float32), *found])


def project_strongest(model: Model, data: Dataset, layer: str | int = 1, count: int = 9) -> Projected:
    """Look for what excites each filter of a layer most in a data set, and project it: figure 2 of the paper.

    Args:
        model: of images.
        data: where to look.
        layer: its name or number.
        count: places for each filter, from different images.
    Raises:
        FirsthandError: as `strongest` and `deconvolved`.
    """
    found = strongest(model, data, layer, count)
    filters, shown = found.images.shape
    projections = deconvolved(model, data.images[found.images.ravel()], layer, np.repeat(np.arange(filters), shown))
    size = found.patches.shape[2:4]
    fields = [field for row in found.fields for field in row]
    patches = [cut(image, field, size) for image, field in zip(projections, fields, strict=True)]
    return Projected(found, np.array(patches).reshape(found.patches.shape))


@lru_cache(maxsize=32)
def _projection_program(network: Network, number: int) -> Callable[..., Array]:
    layers = network.layers[: number + 1]

    def projected(params: Any, images: Array, channels: Array) -> Array:
        x = network.as_float(images, params)
        entered = []
        for layer, p in zip(layers, params, strict=False):
            entered.append(x)
            x = layer.apply(p, x)
        flat = x.reshape(len(x), -1, x.shape[-1])  # (batch, places, channels)
        of_channel = jnp.take_along_axis(flat, channels[:, None, None], axis=2)[..., 0]  # (batch, places)
        place = jnp.argmax(of_channel, axis=1)
        signal = jnp.zeros_like(flat).at[jnp.arange(len(flat)), place, channels].set(jnp.max(of_channel, axis=1))
        signal = signal.reshape(x.shape)
        for layer, p, before in reversed(list(zip(layers, params, entered, strict=False))):
            signal = _down(layer, p, before, signal)
        return signal

    return jax.jit(projected)


def _down(layer: Layer, params: Any, entered: Array, signal: Array) -> Array:
    """A signal at the output of a layer, sent to its input."""
    if layer.activation_function not in (None, linear):
        signal = jnp.maximum(signal, 0)
    fields = {field.name for field in dataclasses.fields(layer)}
    for name in ("activation", "function"):
        if name in fields:
            layer = dataclasses.replace(layer, **{name: linear})  # type: ignore[arg-type]
    (back,) = jax.vjp(lambda x: layer.apply(params, x), entered)[1](signal)
    return back
