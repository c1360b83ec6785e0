"""Layers made of layers."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import DTypeLike

from ..activations import relu, sigmoid
from ..initializers import he
from ..layer import Inside, Layer, OutputLayer, Params, Shape, ShapeError, seen_through
from ..windows import Field, whole
from .dense import FullyConnected

__all__ = ["Auxiliary", "Concatenate", "Residual", "SqueezeExcite"]


@dataclass(frozen=True)
class Residual(Layer):
    """A residual block: the output of the layers inside, added to the input: a = x + f(x).

    Args:
        layers: f, first to last; its output has the shape of its input.
    References:
        He et al. 2016, 'Deep Residual Learning for Image Recognition', equation (1).
    """

    layers: tuple[Layer, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "layers", _nonempty(self, self.layers))

    def output_shape(self, input_shape: Shape) -> Shape:
        inside = _shapes(self.layers, input_shape)[-1]
        if inside != input_shape:
            raise ShapeError(f"Residual: the layers inside make {inside} of {input_shape}, expected the same shape")
        return input_shape

    def init(self, input_shape: Shape, dtype: DTypeLike = jnp.float32, *, key: Array) -> Params:
        return _init(self.layers, input_shape, dtype, key)

    def apply(self, params: Params, x: Array, *, key: Array | None = None, train: bool = False) -> Array:
        if train:
            return self.forward(params, x, key=key)[0]
        return x + _apply(self.layers, params, x)

    def forward(self, params: Params, x: Array, *, key: Array | None = None) -> tuple[Array, Params]:
        inside, params = _forward(self.layers, params, x, key)
        return x + inside, params

    def multiply_adds(self, input_shape: Shape) -> int:
        return _multiply_adds(self.layers, input_shape)

    def seen(self, field: Field, input_shape: Shape) -> Field | None:
        inside = seen_through(self.layers, field, input_shape)
        return None if inside is None else field.union(inside)

    def inside(self) -> Sequence[Sequence[Inside]]:
        return [[Inside(f"{n + 1} {type(layer).__name__}", (str(n),), layer) for n, layer in enumerate(self.layers)]]


@dataclass(frozen=True)
class Concatenate(Layer):
    """Several rows of layers side by side, each with the same input; their outputs are joined at the last axis.

    Args:
        branches: rows of layers, first to last; a row without layers hands the input through.
    References:
        Szegedy et al. 2015, 'Going Deeper with Convolutions', figure 2.
    """

    branches: tuple[tuple[Layer, ...], ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "branches", tuple(tuple(branch) for branch in _nonempty(self, self.branches)))

    def output_shape(self, input_shape: Shape) -> Shape:
        shapes = [_shapes(branch, input_shape)[-1] for branch in self.branches]
        if len({shape[:-1] for shape in shapes}) > 1:
            raise ShapeError(f"Concatenate: the branches make {shapes} of {input_shape}, expected one height and width")
        return (*shapes[0][:-1], sum(shape[-1] for shape in shapes))

    def init(self, input_shape: Shape, dtype: DTypeLike = jnp.float32, *, key: Array) -> Params:
        keys = jax.random.split(key, len(self.branches))
        made = (_init(branch, input_shape, dtype, k) for branch, k in zip(self.branches, keys, strict=True))
        return {str(number): params for number, params in enumerate(made)}

    def apply(self, params: Params, x: Array, *, key: Array | None = None, train: bool = False) -> Array:
        if train:
            return self.forward(params, x, key=key)[0]
        parts = [_apply(branch, params[str(number)], x) for number, branch in enumerate(self.branches)]
        return jnp.concatenate(parts, axis=-1)

    def forward(self, params: Params, x: Array, *, key: Array | None = None) -> tuple[Array, Params]:
        keys = _split(key, len(self.branches))
        made = [_forward(b, params[str(n)], x, k) for n, (b, k) in enumerate(zip(self.branches, keys, strict=True))]
        updated = {str(number): params for number, (_, params) in enumerate(made)}
        return jnp.concatenate([part for part, _ in made], axis=-1), updated

    def multiply_adds(self, input_shape: Shape) -> int:
        return sum(_multiply_adds(branch, input_shape) for branch in self.branches)

    def seen(self, field: Field, input_shape: Shape) -> Field | None:
        seen = [seen_through(branch, field, input_shape) for branch in self.branches]
        known = [each for each in seen if each is not None]
        return known[0].union(*known[1:]) if len(known) == len(seen) else None

    def inside(self) -> Sequence[Sequence[Inside]]:
        return [
            [
                Inside(f"{b + 1}.{n + 1} {type(layer).__name__}", (str(b), str(n)), layer)
                for n, layer in enumerate(branch)
            ]
            for b, branch in enumerate(self.branches)
        ]


@dataclass(frozen=True)
class Auxiliary(Layer):
    """The input, handed on as it is; and in training an answer of its own, which the objective adds to its cost:

        C = C(z) + weight sum_i C(z_i),   z_i the weighted inputs of the auxiliary output layers

    so that the layers in front get a gradient from nearby.  In use nothing is computed.

    Args:
        layers: what gives the answer, first to last; the last is one that a cost can follow, such as `Softmax`, with as
            many outputs as the network has.
    References:
        Szegedy et al. 2015, 'Going Deeper with Convolutions', section 5; Lee et al. 2015, 'Deeply-Supervised Nets'.
    """

    layers: tuple[Layer, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "layers", _nonempty(self, self.layers))
        if not isinstance(self.layers[-1], OutputLayer):
            raise ValueError(f"Auxiliary: the last layer inside is {self.layers[-1]}, expected one like Softmax")

    def output_shape(self, input_shape: Shape) -> Shape:
        _shapes(self.layers, input_shape)  # refuses what does not fit the layers inside
        return input_shape

    def init(self, input_shape: Shape, dtype: DTypeLike = jnp.float32, *, key: Array) -> Params:
        return _init(self.layers, input_shape, dtype, key)

    def side(self, params: Params, x: Array, *, key: Array | None = None) -> tuple[Array, Params]:
        a, updated = _forward(self.layers[:-1], params, x, key)
        last, own = self.layers[-1], str(len(self.layers) - 1)
        assert isinstance(last, OutputLayer)
        return last.weighted_input(params[own], a), updated | {own: params[own]}

    def seen(self, field: Field, input_shape: Shape) -> Field | None:
        return field

    def zeros_end_gradient(self, before: bool) -> bool:
        return False  # the own answer's gradient goes where zeros are, too

    def multiplies_once(self, *keys: str) -> bool:
        return False  # an objective that asks for no sides does not multiply at all


@dataclass(frozen=True)
class SqueezeExcite(Layer):
    """Every channel of the image times a number between 0 and 1 that the means of all channels decide:

        a = x sigmoid(W_2 relu(W_1 mean(x) + b_1) + b_2)

    Args:
        units: of the small hidden layer in between.
    References:
        Hu, Shen and Sun 2018, 'Squeeze-and-Excitation Networks', equations (2) to (4).
    """

    units: int

    def _rows(self, channels: int) -> dict[str, FullyConnected]:
        return {
            "squeeze": FullyConnected(self.units, relu, weights_init=he),
            "excite": FullyConnected(channels, sigmoid),
        }

    def __post_init__(self) -> None:
        self._rows(1)  # refuses what is not a number of units

    def output_shape(self, input_shape: Shape) -> Shape:
        return self._image(input_shape)

    def init(self, input_shape: Shape, dtype: DTypeLike = jnp.float32, *, key: Array) -> Params:
        channels, keys = self._image(input_shape)[2], jax.random.split(key)
        squeeze, excite = self._rows(channels).values()
        return {
            "squeeze": squeeze.init((channels,), dtype, key=keys[0]),
            "excite": excite.init((self.units,), dtype, key=keys[1]),
        }

    def apply(self, params: Params, x: Array, *, key: Array | None = None, train: bool = False) -> Array:
        share = jnp.mean(x, (1, 2))  # (batch, channels)
        for name, layer in self._rows(x.shape[-1]).items():
            share = layer.apply(params[name], share)
        return x * share[:, None, None, :]

    def multiply_adds(self, input_shape: Shape) -> int:
        return 2 * input_shape[-1] * self.units + math.prod(input_shape)

    def seen(self, field: Field, input_shape: Shape) -> Field | None:
        return whole(input_shape)

    def multiplies_once(self, *keys: str) -> bool:
        return keys in (("squeeze", "weights"), ("excite", "weights"))


def _nonempty(layer: Layer, inside: Sequence) -> tuple:
    if not inside:
        raise ValueError(f"{type(layer).__name__}: nothing inside, expected at least one")
    return tuple(inside)


def _shapes(layers: Sequence[Layer], input_shape: Shape) -> list[Shape]:
    shapes = [input_shape]
    for layer in layers:
        shapes.append(layer.output_shape(shapes[-1]))
    return shapes


def _init(layers: Sequence[Layer], input_shape: Shape, dtype: DTypeLike, key: Array) -> Params:
    keys = jax.random.split(key, max(1, len(layers)))
    made = zip(layers, _shapes(layers, input_shape)[:-1], keys[: len(layers)], strict=True)
    return {str(number): layer.init(shape, dtype, key=k) for number, (layer, shape, k) in enumerate(made)}


def _apply(layers: Sequence[Layer], params: Params, x: Array) -> Array:
    for number, layer in enumerate(layers):
        x = layer.apply(params[str(number)], x)
    return x


def _forward(layers: Sequence[Layer], params: Params, x: Array, key: Array | None) -> tuple[Array, Params]:
    updated = {}
    for number, (layer, k) in enumerate(zip(layers, _split(key, len(layers)), strict=True)):
        x, updated[str(number)] = layer.forward(params[str(number)], x, key=k)
    return x, updated


def _multiply_adds(layers: Sequence[Layer], input_shape: Shape) -> int:
    shapes = _shapes(layers, input_shape)[:-1]
    return sum(layer.multiply_adds(shape) for layer, shape in zip(layers, shapes, strict=True))


def _split(key: Array | None, count: int) -> Sequence[Array | None]:
    return [None] * count if key is None else list(jax.random.split(key, max(1, count))[:count])
