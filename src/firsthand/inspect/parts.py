"""The layers of a network by name, those inside of others included, and what each makes of images."""

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache, reduce
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from firsthand.errors import FirsthandError
from firsthand.models import Model
from firsthand.nn import Layer, Network, Params

__all__ = [
    "Part",
    "in_batches",
    "layer_outputs",
    "outputs",
    "outputs_program",
    "params_at",
    "part_named",
    "parts",
]


class Part(NamedTuple):
    """A layer with its place in the network."""

    name: str  # '2 ConvPool', inside of another '3 Residual / 1 Convolution'; numbers are from 1
    layer: Layer
    path: tuple[Any, ...]  # to its parameters in the network's
    whole: bool  # whether its parameters are all its own, none of them of a part inside


def parts(network: Network) -> tuple[Part, ...]:
    """All layers in the order in which they are computed: those inside of others come before these.

    Examples:
        >>> from firsthand import nn
        >>> inside = nn.Residual((nn.FullyConnected(784, nn.relu),))
        >>> [part.name for part in parts(nn.Network((inside, nn.Softmax(10)), (784,)))]
        ['1 Residual / 1 FullyConnected', '1 Residual', '2 Softmax']
    """
    return tuple(
        part
        for number, layer in enumerate(network.layers)
        for part in _parts(f"{number + 1} {type(layer).__name__}", layer, (number,))
    )


def part_named(network: Network, name: str | int) -> Part:
    """The part of this name, or the layer of this number: 1 is the first, -1 the last.

    Raises:
        FirsthandError: there is none; the message lists the names.
    """
    found = parts(network)
    for part in found:
        (number, *inside) = part.path
        if part.name == name or (not inside and name in (number + 1, number - len(network.layers))):
            return part
    raise FirsthandError(f"layer: found {name!r}, expected one of {', '.join(part.name for part in found)}")


def params_at(params: Any, path: tuple[Any, ...]) -> Params:
    """The parameters of a part, out of the network's."""
    return reduce(lambda tree, key: tree[key], path, params)


def outputs(network: Network, params: Sequence[Params], x: Array) -> dict[str, Array]:
    """The outputs of every part for a batch x, (batch, *input_shape), by name; the last is the network's output a."""
    passed = network.trace(params, x)
    return {part.name: passed[part.path].left for part in parts(network)}


def layer_outputs(model: Model, images: np.ndarray, layers: Sequence[str | int] | None = None) -> dict[str, np.ndarray]:
    """The outputs of every layer for images, by the layer's name: activations a, (n, *shape of the layer's output).

    Args:
        model: any; Dropout is off, and BatchNorm uses its running statistics, as whenever a model is used.
        images: (n, *input_shape); integers are pixels 0..255.
        layers: names or numbers, as in `part_named`, of the layers that are wanted; all if not given, which for the
            whole of a large data set may be more than the memory holds.
    Returns:
        In the order of computation, or of `layers`; without these the last is the network's output.
    Raises:
        FirsthandError: the images have another shape, or the network has no such layer.
    """
    chosen = parts(model.network) if layers is None else [part_named(model.network, name) for name in layers]
    names = tuple(part.name for part in chosen)
    images, program = model.checked(images), outputs_program(model.network, names)
    found = list(in_batches(lambda x: program(model.params, x), images))
    if not found:
        one = jax.eval_shape(program, model.params, jnp.zeros((1, *images.shape[1:])))
        found = [[np.zeros((0, *a.shape[1:]), a.dtype) for a in one]]
    return {name: np.concatenate(values) for name, values in zip(names, zip(*found, strict=True), strict=True)}


def in_batches(program: Callable[..., Any], *arrays: np.ndarray, size: int = 500) -> Iterator[Any]:
    """A program of arrays of the same length, called with `size` of their rows at a time; all rows count."""
    for start in range(0, len(arrays[0]), size):
        yield jax.device_get(program(*(jnp.asarray(a[start : start + size]) for a in arrays)))


@lru_cache(maxsize=64)
def outputs_program(network: Network, names: tuple[str, ...]) -> Callable[..., list[Array]]:
    """Compile a function (params, x) that returns the outputs of the named parts for a batch."""

    def chosen(params: tuple[Params, ...], x: Array) -> list[Array]:
        found = outputs(network, params, x)
        return [found[name] for name in names]

    return jax.jit(chosen)


def _parts(name: str, layer: Layer, path: tuple[Any, ...]) -> Iterator[Part]:
    rows = layer.inside()
    for row in rows:
        for label, keys, inside in row:
            yield from _parts(f"{name} / {label}", inside, (*path, *keys))
    yield Part(name, layer, path, not rows)
