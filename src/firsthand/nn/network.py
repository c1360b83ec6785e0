"""A network: layers in a row, and the shape of what goes in."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array
from jax.tree_util import tree_leaves_with_path as leaves_with_path
from jax.typing import ArrayLike, DTypeLike

from firsthand.errors import FirsthandError
from firsthand.keys import Key, as_key
from firsthand.notebooks import html_table

from .layer import STATISTICS, Layer, OutputLayer, Params, Passed, Shape, ShapeError, State
from .own_layer import check_own
from .windows import Field

__all__ = ["Network", "is_statistic", "statistics_of", "takes_every_step"]

_KEY = jax.eval_shape(lambda: jax.random.key(0))


@dataclass(frozen=True)
class Network:
    """A feed-forward network: x -> layers[0] -> layers[1] -> ... -> a.

    It holds no arrays: `init` makes parameters, `apply` uses them.  The last layer must be one that a cost can
    follow (`FullyConnected` or `Softmax`).

    Args:
        layers: the layers, first to last.
        input_shape: of one example: (height, width, channels) of an image, (n,) of a vector, (time,) of symbols,
            (time, features) of a sequence of vectors.
    Raises:
        ShapeError: a layer does not fit the one before it; the message names both shapes.
        FirsthandError: a layer of your own has no formula, or one that gives another shape than it says.

    Examples:
        >>> import firsthand.nn as nn
        >>> network = nn.Network((nn.FullyConnected(30), nn.FullyConnected(10)), input_shape=(784,))
        >>> network.parameter_count
        23860
    """

    layers: tuple[Layer, ...]
    input_shape: Shape = (28, 28, 1)

    def __post_init__(self) -> None:
        # a list is welcome, but what is frozen must hash
        object.__setattr__(self, "layers", tuple(self.layers))
        object.__setattr__(self, "input_shape", tuple(self.input_shape))
        if not self.layers:
            raise ValueError("Network: no layers, expected at least one")
        if not self.input_shape or min(self.input_shape) < 1:
            raise ValueError(f"Network: input_shape is {self.input_shape}, expected positive sizes")
        if not isinstance(self.layers[-1], OutputLayer):
            raise ValueError(
                f"Network: the last layer is {self.layers[-1]}, expected one that a cost can follow (an OutputLayer), "
                "such as FullyConnected or Softmax"
            )
        shapes = self.shapes
        for number, layer in enumerate(self.layers, start=1):
            check_own(layer, f"layer {number} of {len(self.layers)}", *shapes[number - 1 : number + 1])

    @property
    def shapes(self) -> tuple[Shape, ...]:
        """The shape that enters each layer, and at the end the one that leaves the last: one more than layers."""
        shapes = [self.input_shape]
        for number, layer in enumerate(self.layers, start=1):
            try:
                shapes.append(layer.output_shape(shapes[-1]))
            except ShapeError as error:
                behind = f"; layer {number - 1} is {self.layers[number - 2]}" if number > 1 else ""
                raise ShapeError(f"layer {number} of {len(self.layers)}, {error}{behind}") from None
        return tuple(shapes)

    @property
    def output_layer(self) -> OutputLayer:
        """The last layer, as what a cost needs of it."""
        last = self.layers[-1]
        assert isinstance(last, OutputLayer)
        return last

    @property
    def activation(self) -> Callable[[Array], Array]:
        """The output layer's activation function."""
        return self.output_layer.activation

    @property
    def output_shape(self) -> Shape:
        """The shape of one example's output."""
        return self.shapes[-1]

    @property
    def num_classes(self) -> int:
        """Number of outputs, of each step where they are a sequence."""
        return self.shapes[-1][-1]

    @property
    def multiply_adds(self) -> tuple[int, ...]:
        """The multiplications with addition that one example's forward pass costs, layer by layer."""
        pairs = zip(self.layers, self.shapes[:-1], strict=True)
        return tuple(layer.multiply_adds(shape) for layer, shape in pairs)

    @property
    def parameter_counts(self) -> tuple[int, ...]:
        """Number of parameters of each layer that are learned, found without making an array."""
        return tuple(
            sum(math.prod(leaf.shape) for path, leaf in leaves_with_path(layer) if not is_statistic(path))
            for layer in jax.eval_shape(lambda key: self.init(key=key), jax.random.key(0))
        )

    @property
    def parameter_count(self) -> int:
        """Number of parameters of the whole network."""
        return sum(self.parameter_counts)

    def init(self, dtype: DTypeLike = jnp.float32, *, key: Key) -> tuple[Params, ...]:
        """Fresh parameters: one dict of arrays per layer.

        Args:
            dtype: of the arrays.
            key: of JAX, or an integer.
        """
        keys = jax.random.split(as_key(key), len(self.layers))
        return tuple(
            layer.init(shape, dtype, key=k) for layer, shape, k in zip(self.layers, self.shapes[:-1], keys, strict=True)
        )

    def weighted_input(
        self,
        params: tuple[Params, ...],
        x: ArrayLike,
        *,
        key: Array | None = None,
        train: bool = False,
        lengths: Array | None = None,
    ) -> Array:
        """The output layer's weighted input z, of which `apply` is activation(z).  Costs are computed from it.

        Args:
            params: from `init`.
            x: a batch, (batch, *input_shape): see `as_float`.
            key: randomness for layers like Dropout; only needed with train=True.
            train: whether this is training, which switches Dropout on.
            lengths: of sequences that are filled up behind their ends, integers (batch,): see `check_lengths`.
        Returns:
            (batch, *output shape of the last layer).
        """
        if train:
            return self.forward(params, x, key=key, lengths=lengths)[0]
        a = self.as_float(x, params)
        for layer, p in zip(self.layers[:-1], params[:-1], strict=True):
            a = layer.apply(p, a) if lengths is None or not layer.takes_lengths else layer.apply_up_to(p, a, lengths)
        return self.output_layer.weighted_input(params[-1], a)

    def forward(
        self, params: tuple[Params, ...], x: ArrayLike, *, key: Array | None = None, lengths: Array | None = None
    ) -> tuple[Array, tuple[Params, ...]]:
        """The weighted input in training, and the parameters with their statistics brought up to date by this batch.

        Arguments as in `weighted_input`; what is up to date are the running averages of layers like BatchNorm.
        """
        z, _, updated = self.forward_with_sides(params, x, key=key, lengths=lengths)
        return z, updated

    def forward_with_sides(
        self, params: tuple[Params, ...], x: ArrayLike, *, key: Array | None = None, lengths: Array | None = None
    ) -> tuple[Array, tuple[Array, ...], tuple[Params, ...]]:
        """The results of `forward`, and between them the side outputs of layers like `Auxiliary`, first to last."""
        a = self.as_float(x, params)
        keys = [None] * len(self.layers) if key is None else list(jax.random.split(key, len(self.layers)))
        sides, updated = [], []
        for layer, p, k in zip(self.layers[:-1], params[:-1], keys[:-1], strict=True):
            entered = a
            if lengths is not None and layer.takes_lengths:
                a = layer.apply_up_to(p, a, lengths)
            else:
                a, p = layer.forward(p, a, key=k)
            if (said := layer.side(p, entered, key=k)) is not None:
                sides.append(said[0])
                p = said[1]
            updated.append(p)
        return self.output_layer.weighted_input(params[-1], a), tuple(sides), (*updated, params[-1])

    def check_lengths(self) -> None:
        """Raise FirsthandError unless it can read sequences of different lengths.

        Up to where one output is made of a whole sequence, each layer must take every step by itself, or be one that
        can be told where the sequences end.
        """
        for number, (layer, before, after) in enumerate(
            zip(self.layers, self.shapes[:-1], self.shapes[1:], strict=True), start=1
        ):
            if layer.takes_lengths and len(after) == 1:
                return  # what is behind does not know of steps
            by_itself = takes_every_step(layer, before) and type(layer).side is Layer.side
            learned = jax.eval_shape(lambda key, layer=layer, before=before: layer.init(before, key=key), _KEY)
            if not (layer.takes_lengths or (by_itself and not statistics_of(learned))):
                raise FirsthandError(
                    f"network: its layer {number}, {layer}, looks at what fills a sequence up; for sequences of "
                    "different lengths, recurrent layers and layers that take every step by itself are expected"
                )

    @property
    def reads_on(self) -> bool:
        """True if it can read a sequence in pieces: each of its layers remembers, or takes every step by itself."""
        return self._whole_sequences() is None

    def _whole_sequences(self) -> tuple[int, Layer] | None:
        """The first layer that reads sequences only as a whole, and its number from 1."""
        for number, (layer, before, after) in enumerate(
            zip(self.layers, self.shapes[:-1], self.shapes[1:], strict=True), start=1
        ):
            in_time = len(after) == 2 and after[0] == before[0]
            if not in_time or not (layer.start(1) or takes_every_step(layer, before)):
                return number, layer
        return None

    def start(self, batch: int, dtype: DTypeLike = jnp.float32) -> tuple[State, ...]:
        """Return the states before the first step of a batch of sequences, one per layer.

        Raises:
            FirsthandError: a layer takes sequences only as a whole.
        """
        if (found := self._whole_sequences()) is not None:
            raise FirsthandError(
                f"network: its layer {found[0]}, {found[1]}, takes sequences as a whole, "
                "expected layers that remember or that take every step by itself"
            )
        return tuple(layer.start(batch, dtype) for layer in self.layers)

    def run(
        self, params: tuple[Params, ...], x: ArrayLike, state: tuple[State, ...]
    ) -> tuple[Array, tuple[State, ...]]:
        """Use the network from a state on: the weighted input z of every step, and the state after the last.

        A sequence read in pieces gives what it gives as a whole.

        Args:
            params: from `init`.
            x: the next piece of the sequences, (batch, time, ...), of any length.
            state: from `start`, or where the piece before has ended.
        """
        a, after = self.as_float(x, params), []
        for layer, p, before in zip(self.layers[:-1], params[:-1], state[:-1], strict=True):
            a, now = layer.run(p, a, before)
            after.append(now)
        return self.output_layer.weighted_input(params[-1], a), (*after, state[-1])

    def forward_from(
        self, params: tuple[Params, ...], x: ArrayLike, state: tuple[State, ...], *, key: Array | None = None
    ) -> tuple[Array, tuple[State, ...], tuple[Params, ...]]:
        """Run in training: the weighted input of every step, the state after the last, and the parameters.

        Args:
            params, x, state: as of `run`.
            key: for layers like Dropout.
        Returns:
            z; the state; the parameters with their statistics brought up to date by this batch.
        """
        a = self.as_float(x, params)
        keys = [None] * len(self.layers) if key is None else list(jax.random.split(key, len(self.layers)))
        after, updated = [], []
        for layer, p, k, before in zip(self.layers[:-1], params[:-1], keys[:-1], state[:-1], strict=True):
            if before:
                a, before = layer.run(p, a, before)
            else:
                a, p = layer.forward(p, a, key=k)
            after.append(before)
            updated.append(p)
        z = self.output_layer.weighted_input(params[-1], a)
        return z, (*after, state[-1]), (*updated, params[-1])

    def trace(self, params: Sequence[Params], x: ArrayLike) -> dict[tuple[int | str, ...], Passed]:
        """The inputs and outputs of every layer, those inside of others included, when the network is used.

        Args:
            params: from `init`.
            x: a batch, as for `weighted_input`.
        Returns:
            In the order of computation, by the path to the layer's parameters: (0,) for the first layer, (2, '0') for
            the first inside of the third.  The last is the network's output.
        """
        a, found = self.as_float(x, tuple(params)), {}
        for number, (layer, p) in enumerate(zip(self.layers, params, strict=True)):
            for keys, passed in layer.trace(p, a):
                found[(number, *keys)] = passed
            a = found[(number,)].left
        return found

    def as_float(self, x: ArrayLike, params: tuple[Params, ...]) -> Array:
        """Return examples as the first layer takes them, in the type of the parameters.

        Bytes (uint8) are pixels 0..255 and are divided by 255; floats stay as they are.  Where the first layer takes
        integers, as `Embedding` does, they stay integers.

        Raises:
            FirsthandError: integers that are no pixels for a first layer that does not take them, or floats for one
                that takes integers.
        """
        x, first = jnp.asarray(x), self.layers[0]
        integers = jnp.issubdtype(x.dtype, jnp.integer)
        if first.takes_integers != integers and x.dtype != jnp.uint8:
            wanted = "integers" if first.takes_integers else "floats, or pixels as uint8"
            hint = "" if first.takes_integers else " (a layer of your own for symbols says so: takes_integers = True)"
            raise FirsthandError(
                f"network: {x.dtype} of shape {x.shape} found, but its first layer, {first}, takes {wanted}{hint}"
            )
        if first.takes_integers or not integers:
            return x
        leaves = jax.tree.leaves(params)
        return x.astype(leaves[0].dtype if leaves else jnp.float32) / 255

    def apply(
        self, params: tuple[Params, ...], x: ArrayLike, *, key: Array | None = None, train: bool = False
    ) -> Array:
        """The network's output a, (batch, *output shape); arguments as in `weighted_input`."""
        return self.activation(self.weighted_input(params, x, key=key, train=train))

    def __repr__(self) -> str:
        return f"Network(({', '.join(map(str, self.layers))}{',' * (len(self.layers) == 1)}), {self.input_shape})"

    def _repr_html_(self) -> str:
        head, *rows = self._table()
        return html_table(head, rows, numbers=2)

    def summary(self) -> str:
        """A table: layer, output shape, parameters, multiply-adds of one example's forward pass."""
        rows = self._table()
        widths = [max(len(row[i]) for row in rows) for i in range(4)]
        lines = [
            "  ".join(
                cell.ljust(width) if i < 2 else cell.rjust(width)
                for i, (cell, width) in enumerate(zip(row, widths, strict=True))
            ).rstrip()
            for row in rows
        ]
        rule = "-" * (sum(widths) + 6)
        return "\n".join([lines[0], rule, *lines[1:-1], rule, lines[-1]])

    def _table(self) -> list[tuple[str, str, str, str]]:
        """The rows of `summary`, its head first and the total last."""
        rows = [("layer", "output shape", "parameters", "multiply-adds")]
        multiply_adds = self.multiply_adds
        rows.append(("input", _times(self.input_shape), "", ""))
        for layer, shape, count, work in zip(
            self.layers, self.shapes[1:], self.parameter_counts, multiply_adds, strict=True
        ):
            rows.append((str(layer), _times(shape), f"{count:,}", f"{work:,}"))
        rows.append(("total", "", f"{self.parameter_count:,}", f"{sum(multiply_adds):,}"))
        return rows


def takes_every_step(layer: Layer, input_shape: Shape) -> bool:
    """Return whether a layer takes every step of a sequence by itself, as far as it says so.

    It is asked of the second of three steps at least: the first has none before it, and the last none behind it.
    """
    step = Field(1, 2, 0, 1)
    return layer.seen(step, (max(3, input_shape[0]), *input_shape[1:])) == step


def is_statistic(path: tuple) -> bool:
    """Return whether a parameter, given by its path in the tree, follows the data and not the gradient."""
    return getattr(path[-1], "key", None) in STATISTICS


def statistics_of(params: Any) -> list[Array]:
    """Return the parameters that follow the data and not the gradient, in the order of the tree."""
    return [leaf for path, leaf in leaves_with_path(params) if is_statistic(path)]


def _times(shape: Shape) -> str:
    return "x".join(str(size) for size in shape)
