"""Layers with a memory: what they say of a step depends on the steps before it."""

from dataclasses import dataclass
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import DTypeLike

from firsthand import kernels
from firsthand.errors import FirsthandError

from ..initializers import scaled
from ..layer import Layer, Params, Shape, State
from ..names import Named, initializer_named
from ..windows import Field
from .common import require_positive

__all__ = ["GRU", "LSTM", "Bidirectional", "SimpleRNN"]


@dataclass(frozen=True)
class _Recurrent(Layer):
    """A sequence (time, features) to the states h_t, (time, units), or to the last of them, (units,).

    The state before the first step is zero.  `run` takes another, and gives the last one on: a long text can be read in
    pieces, each of which begins where the one before ended.
    """

    units: int
    every_step: bool = True
    weights_init: Named = Named(initializer_named, scaled)
    recurrent_init: Named = Named(initializer_named, scaled)

    gates: ClassVar[int] = 1  # blocks of `units` columns in W and U
    biases: ClassVar[int] = 1  # and in b
    remembered: ClassVar[int] = 1  # arrays in the state, (batch, units) each
    takes_lengths: ClassVar[bool] = True

    def __post_init__(self) -> None:
        require_positive(self, units=self.units)

    def output_shape(self, input_shape: Shape) -> Shape:
        if len(input_shape) != 2:
            raise self._refuse(input_shape, "a sequence (time, features)")
        return (input_shape[0], self.units) if self.every_step else (self.units,)

    def init(self, input_shape: Shape, dtype: DTypeLike = jnp.float32, *, key: Array) -> Params:
        """W (features, gates * units), U (units, gates * units), both drawn gate by gate, and b."""
        features, columns = input_shape[-1], self.gates * self.units
        first, second = jax.random.split(key)
        return {
            "weights": self.weights_init((features, columns), features, self.units, dtype, key=first),
            "recurrent_weights": self.recurrent_init((self.units, columns), self.units, self.units, dtype, key=second),
            "bias": self._bias(dtype),
        }

    def _bias(self, dtype: DTypeLike) -> Array:
        return jnp.zeros(self.biases * self.units, dtype)

    def start(self, batch: int, dtype: DTypeLike = jnp.float32) -> State:
        """Return the state before the first step: zeros."""
        return tuple(jnp.zeros((batch, self.units), dtype) for _ in range(self.remembered))

    def run(self, params: Params, x: Array, state: State, mask: Array | None = None) -> tuple[Array, State]:
        """Go through sequences from a state.

        Args:
            params: from `init`.
            x: (batch, time, features).
            state: from `start`, or where the piece before has ended.
            mask: (batch, time), true where there is an input; elsewhere the state stays as it is.
        Returns:
            The states h_t, (batch, time, units), and the state after the last step.
        """
        raise NotImplementedError

    def apply(self, params: Params, x: Array, *, key: Array | None = None, train: bool = False) -> Array:
        outputs, state = self.run(params, x, self.start(len(x), x.dtype))
        return outputs if self.every_step else state[0]

    def apply_up_to(self, params: Params, x: Array, lengths: Array) -> Array:
        """Apply the layer and keep the state behind the end of a sequence: the last is that of its true last step."""
        outputs, state = self.run(params, x, self.start(len(x), x.dtype), _steps(x) < lengths[:, None])
        return outputs if self.every_step else state[0]

    def multiply_adds(self, input_shape: Shape) -> int:
        return input_shape[0] * (input_shape[1] + self.units) * self.gates * self.units

    def seen(self, field: Field, input_shape: Shape) -> Field | None:
        # a state depends on all steps up to its own
        return Field(0, field.bottom if self.every_step else input_shape[0], 0, 1)


@dataclass(frozen=True)
class SimpleRNN(_Recurrent):
    """The network of Elman: h_t = f(x_t W + h_{t-1} U + b).

    Args:
        units: number of units.
        every_step: give the states of all steps, and not only the last.
        weights_init, recurrent_init: initializers of W and U, or their names; `identity` for U with ReLU is the start
            of Le, Jaitly and Hinton 2015.
        activation: f, 'tanh' or 'relu'.
    References:
        Elman 1990, 'Finding Structure in Time'; Nielsen, chapter 6, 'Other approaches: recurrent neural networks'.
    """

    activation: str = "tanh"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.activation not in ("tanh", "relu"):
            raise FirsthandError(f"SimpleRNN: activation is {self.activation!r}, expected 'tanh' or 'relu'")

    def run(self, params: Params, x: Array, state: State, mask: Array | None = None) -> tuple[Array, State]:
        W, U, b = _of(params)
        outputs, h = kernels.simple(x, state[0], W, U, b, activation=self.activation, mask=mask)
        return outputs, (h,)


@dataclass(frozen=True)
class LSTM(_Recurrent):
    """Long short-term memory, whose cells c keep what the forget gate lets them:

        i, f, g, o = x_t W + h_{t-1} U + b
        c_t = sigmoid(f) c_{t-1} + sigmoid(i) tanh(g),    h_t = sigmoid(o) tanh(c_t)

    Args:
        units, every_step, weights_init, recurrent_init: as of `SimpleRNN`; the gates i, f, g, o stand side by side.
        forget_bias: where the bias of the forget gate starts: 1 remembers at first (Jozefowicz et al. 2015).
    References:
        Hochreiter and Schmidhuber 1997; Gers, Schmidhuber and Cummins 2000.
    """

    forget_bias: float = 1.0

    gates: ClassVar[int] = 4
    biases: ClassVar[int] = 4
    remembered: ClassVar[int] = 2

    def _bias(self, dtype: DTypeLike) -> Array:
        return jnp.repeat(jnp.array([0.0, self.forget_bias, 0.0, 0.0], dtype), self.units)

    def run(self, params: Params, x: Array, state: State, mask: Array | None = None) -> tuple[Array, State]:
        (h, c), (W, U, b) = state, _of(params)
        outputs, h, c = kernels.lstm(x, h, c, W, U, b, mask=mask)
        return outputs, (h, c)


@dataclass(frozen=True)
class GRU(_Recurrent):
    """Gated recurrent units, the reset gate after the product:

        r = sigmoid(x_t W_r + h_{t-1} U_r + b_r),    z = sigmoid(x_t W_z + h_{t-1} U_z + b_z)
        n = tanh(x_t W_n + b_n + r (h_{t-1} U_n + b_u)),    h_t = (1 - z) n + z h_{t-1}

    Args:
        units, every_step, weights_init, recurrent_init: as of `SimpleRNN`; the gates r, z, n stand side by side.
    References:
        Cho et al. 2014, 'Learning Phrase Representations using RNN Encoder-Decoder'.
    """

    gates: ClassVar[int] = 3
    biases: ClassVar[int] = 4

    def run(self, params: Params, x: Array, state: State, mask: Array | None = None) -> tuple[Array, State]:
        outputs, h = kernels.gru(x, state[0], *_of(params), mask=mask)
        return outputs, (h,)


@dataclass(frozen=True)
class Bidirectional(Layer):
    """A recurrent layer that goes forward, and another like it that goes backward, side by side:

        (time, features) -> (time, 2 units), or of the last steps (2 units,)

    Args:
        cell: a SimpleRNN, LSTM or GRU; each direction has parameters of its own.
    References:
        Schuster and Paliwal 1997, 'Bidirectional Recurrent Neural Networks'.
    """

    takes_lengths: ClassVar[bool] = True

    cell: Any

    def __post_init__(self) -> None:
        if not isinstance(self.cell, _Recurrent):
            raise FirsthandError(f"Bidirectional: {self.cell} found, a recurrent layer expected")

    def output_shape(self, input_shape: Shape) -> Shape:
        *time, units = self.cell.output_shape(input_shape)
        return (*time, 2 * units)

    def init(self, input_shape: Shape, dtype: DTypeLike = jnp.float32, *, key: Array) -> Params:
        keys = jax.random.split(key)
        names = ("forward", "backward")
        return {name: self.cell.init(input_shape, dtype, key=k) for name, k in zip(names, keys, strict=True)}

    def apply(self, params: Params, x: Array, *, key: Array | None = None, train: bool = False) -> Array:
        forward = self.cell.apply(params["forward"], x)
        backward = self.cell.apply(params["backward"], jnp.flip(x, 1))
        if self.cell.every_step:
            backward = jnp.flip(backward, 1)
        return jnp.concatenate([forward, backward], -1)

    def apply_up_to(self, params: Params, x: Array, lengths: Array) -> Array:
        """Each sequence is turned round within its own length."""
        steps, ends = _steps(x), lengths[:, None]
        places = jnp.where(steps < ends, ends - 1 - steps, steps)[..., None]  # (batch, time, 1); its own inverse
        forward = self.cell.apply_up_to(params["forward"], x, lengths)
        turned = jnp.take_along_axis(x, places, axis=1)
        backward = self.cell.apply_up_to(params["backward"], turned, lengths)
        if self.cell.every_step:
            backward = jnp.take_along_axis(backward, places, axis=1)
        return jnp.concatenate([forward, backward], -1)

    def multiply_adds(self, input_shape: Shape) -> int:
        return 2 * self.cell.multiply_adds(input_shape)

    def seen(self, field: Field, input_shape: Shape) -> Field | None:
        return Field(0, input_shape[0], 0, 1)


def _steps(x: Array) -> Array:
    """The numbers of the steps of sequences (batch, time, ...), from 0: (1, time)."""
    return jnp.arange(x.shape[1], dtype=jnp.int32)[None]


def _of(params: Params) -> tuple[Array, Array, Array]:
    return params["weights"], params["recurrent_weights"], params["bias"]
