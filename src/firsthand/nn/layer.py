"""The base of all layers: a frozen description without arrays, that answers for itself.

The formula, and what goes with it:

    output_shape(input_shape)             which shape comes out, before any array exists
    init(input_shape, dtype, key=key)     its parameters, a dict of arrays ({} where it has none)
    apply(params, x, key=, train=)        the formula, on a batch
    forward(params, x, key=)              the formula in training, and the statistics that it has brought up to date
    multiply_adds(input_shape)            how many multiplications with addition one example costs

How a sequence is read in pieces, each of which begins where the one before ended (of a layer that does not say, every
step is an input by itself, or it reads sequences as a whole alone: see `Network.start`):

    start(batch, dtype)                   what it remembers before the first step: a tuple of arrays
    run(params, x, state)                 the formula from there on, and what it remembers then

How sequences of different lengths are read, of a layer that does not take every step by itself:

    takes_lengths                         whether it can (False)
    apply_up_to(params, x, lengths)       the formula, without a look at what stands behind their ends

What is known of the formula without computing it.  Each has an answer that is safe where nothing is known, so that a
layer of one's own needs none of them.  (A subclass of another layer inherits its answers: if it changes the formula, it
has to answer again.)

    seen(field, input_shape)              the part of the input on which a part of the output depends (None: unknown)
    zeros_end_gradient(before)            whether an output of 0 lets no gradient through (False: it may)
    dropped_share                         the share of its outputs that training sets to 0 (0.0)
    multiplies_once(*keys)                whether a parameter is a matrix used once, as x @ W (False: it may not)
    takes_integers                        whether the input is numbers of symbols, and not pixels (False)

What it says beside its output, in training; most layers say nothing:

    side(params, x, key=)                 the weighted input of an output of its own, for the objective

What can be shown of it; most layers have nothing to show:

    activation_function                   with which the formula ends
    inside()                              layers within the layer
    kernels(params)                       weights that slide over an image
    terms(params, x, place)               the sum that one weighted input is
    largest_of, before_pooling(params, x) windows of which the largest value is kept

Shapes are those of one example, without the batch axis: (height, width, channels) of an image, (time, features) of a
sequence, (n,) of a vector.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any, ClassVar, NamedTuple

import jax.numpy as jnp
from jax import Array
from jax.typing import DTypeLike

from firsthand.errors import FirsthandError

from .windows import Field, Shape, Windows

__all__ = [
    "STATISTICS",
    "Inside",
    "Layer",
    "OutputLayer",
    "Params",
    "Passed",
    "Shape",
    "ShapeError",
    "State",
    "Terms",
    "seen_through",
]

# names of parameters that follow the data and not the gradient: averages, and the Markov chains of an RBM
STATISTICS = ("mean", "variance", "chains")

Params = dict[str, Any]  # of arrays; of dicts of arrays where a layer has layers inside
State = tuple[Array, ...]  # what a layer remembers of a sequence, with the batch as first axis


class ShapeError(FirsthandError):
    """A layer was given an input that does not fit it."""


class Inside(NamedTuple):
    """A layer within another."""

    label: str  # '1 Convolution'
    keys: tuple[str, ...]  # to its parameters, out of those of the other
    layer: "Layer"


class Passed(NamedTuple):
    """A batch on its way into a layer and on its way out."""

    entered: Array
    left: Array


class Terms(NamedTuple):
    """The sum that a weighted input is: z = sum(inputs * weights) + bias, the two having the same shape."""

    inputs: Any
    weights: Any
    bias: Any


@dataclass(frozen=True)
class Layer:
    """The base of all layers: here, the identity."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "__repr__" not in cls.__dict__:  # before @dataclass writes one that shows addresses of functions
            cls.__repr__ = Layer.__str__

    takes_integers: ClassVar[bool] = False  # whether the input is integers that are no pixels, handed in as they are
    takes_lengths: ClassVar[bool] = False  # whether there is `apply_up_to`

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
        """The output in training, and the parameters with their statistics brought up to date by this batch."""
        return self.apply(params, x, key=key, train=True), params

    def start(self, batch: int, dtype: DTypeLike = jnp.float32) -> State:
        """Return the state before the first step of a batch of sequences; here, nothing."""
        return ()

    def run(self, params: Params, x: Array, state: State) -> tuple[Array, State]:
        """Use the layer from a state on.

        Args:
            params: from `init`.
            x: the next piece of the sequences, (batch, time, ...) of any length.
            state: from `start`, or where the piece before has ended.
        Returns:
            The output of every step, (batch, time, ...), and the state after the last.
        """
        return self.apply(params, x), state

    def apply_up_to(self, params: Params, x: Array, lengths: Array) -> Array:
        """Use the layer on sequences of different lengths, of which nothing behind their ends is looked at.

        Args:
            params: from `init`.
            x: (batch, time, ...), filled up behind their ends.
            lengths: the true ones, integers (batch,).
        Returns:
            As `apply`; where that is one output of a whole sequence, the one at its true end.
        """
        raise NotImplementedError(f"{type(self).__name__} does not read sequences of different lengths")

    def side(self, params: Params, x: Array, *, key: Array | None = None) -> tuple[Array, Params] | None:
        """The side output in training, and the parameters as `forward` gives them; None without a side output.

        Args:
            params: the layer's, after `forward`.
            x: what enters the layer, (batch, *input_shape).
            key: randomness.
        Returns:
            For the objective to add to its cost: the weighted input of an output layer, (batch, ...), or a penalty,
            (batch,), as its objective expects.
        """
        return None

    def multiply_adds(self, input_shape: Shape) -> int:
        """Multiplications with addition that the forward pass of one example takes."""
        return 0

    def seen(self, field: Field, input_shape: Shape) -> Field | None:
        """The part of the input on which a part of the output depends, in use (`apply` without `train`).

        A layer that treats every position by itself, as a normalization over channels does, returns the field it is
        given; one that looks at everything returns `whole(input_shape)`.

        Args:
            field: of the output; rows are time steps where that is a sequence.
            input_shape: of the input.
        Returns:
            A `Field`; None where it is not known, which counts as everything.
        """
        return None

    def zeros_end_gradient(self, before: bool) -> bool:
        """Return whether no gradient passes an output that is 0, as behind a ReLU, whose slope is 0 there.

        Args:
            before: whether it is so of the input.
        """
        return False

    @property
    def dropped_share(self) -> float:
        """The share of its outputs that training sets to 0, as dropout does."""
        return 0.0

    def multiplies_once(self, *keys: str) -> bool:
        """Return whether the formula uses the parameter at these keys once, as a matrix W in x @ W with a matrix x.

        Such a matrix may take its step during the backward pass (see `kernels.SteppedWeights`).
        """
        for row in self.inside():
            for _, path, layer in row:
                if keys[: len(path)] == path:
                    return layer.multiplies_once(*keys[len(path) :])
        return False

    @property
    def activation_function(self) -> Callable[[Array], Array] | None:
        """The function that the formula ends with; None without one."""
        return None

    def inside(self) -> "Sequence[Sequence[Inside]]":
        """Rows of layers within this one, each of which begins with this layer's own input."""
        return ()

    def kernels(self, params: Params) -> Any | None:
        """The weights that slide over an image, (height, width, channels / groups, filters); None without any."""
        return None

    def terms(self, params: Params, x: Any, place: tuple[int, ...]) -> Terms | None:
        """The sum that the weighted input at one place is; None for a layer that computes no such sum.

        Args:
            params: the layer's.
            x: one example, (*input_shape,).
            place: in the output, before pooling where the layer pools.
        """
        return None

    @property
    def largest_of(self) -> Windows | None:
        """The windows of which the largest value is kept; None for a layer that keeps none."""
        return None

    def before_pooling(self, params: Params, x: Array) -> Array:
        """The values of a batch that the windows of `largest_of` lie on, (batch, rows, columns, channels)."""
        return x

    def trace(self, params: Params, x: Array) -> "Iterator[tuple[tuple[str, ...], Passed]]":
        """Yield the batch around each layer inside, by the keys to its parameters; at last (keys ()) around this."""
        for row in self.inside():
            a = x
            for _, path, layer in row:
                p = params
                for name in path:
                    p = p[name]
                for keys, passed in layer.trace(p, a):
                    yield (*path, *keys), passed
                    a = passed.left
        # its own formula, not put together from what was seen inside: the compiler removes what is computed twice
        yield (), Passed(x, self.apply(params, x))

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


def seen_through(layers: Sequence[Layer], field: Field, input_shape: Shape) -> Field | None:
    """The part of what enters layers in a row on which a part of what leaves the last depends; None: unknown.

    Args:
        layers: first to last; without any, the field itself is seen.
        field: of what leaves the last.
        input_shape: of what enters the first.
    """
    shapes = [input_shape]
    for layer in layers:
        shapes.append(layer.output_shape(shapes[-1]))
    found: Field | None = field
    for layer, shape in reversed(list(zip(layers, shapes[:-1], strict=True))):
        if found is not None:
            found = layer.seen(found, shape)
    return found


def _shown(value: Any) -> str:
    if isinstance(value, tuple):
        return f"({', '.join(map(_shown, value))})"
    return getattr(value, "__name__", str(value))


class OutputLayer:
    """The layer that a cost can follow: it has a weighted input z, and a = activation(z)."""

    activation: Callable[[Array], Array]

    @property
    def activation_function(self) -> Callable[[Array], Array] | None:
        """The output is activation(z)."""
        return self.activation

    def weighted_input(self, params: Params, x: Array) -> Array:
        """z, of which the layer's output is activation(z)."""
        raise NotImplementedError
