"""Layers with a memory beside them, which they read and write by attention."""

from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array, lax
from jax.typing import DTypeLike

from firsthand.errors import FirsthandError

from ..initializers import scaled
from ..layer import Layer, Params, Shape, State
from ..names import Named, initializer_named
from ..windows import Field
from .common import require_positive

__all__ = ["Heads", "NeuralTuringMachine"]

CONTROLLERS = ("feedforward", "lstm")
MEMORY_START = 1e-6  # of every cell: small and the same, so that nothing but what was written tells slots apart
LEAST = 1e-6  # added to squared lengths, so that the slope of the similarity is finite at an empty slot
NO_LOG = 1e-12  # added to weightings before the logarithm of the sharpening


class Heads(NamedTuple):
    """The reading and writing of a machine at every step.

    Args:
        weightings: of the heads over the slots, (batch, time, heads, slots), the reading heads first.
        added: what the writing heads add, (batch, time, writes, width).
        erased: what they erase, of the same shape.
        read: what the reading heads bring, (batch, time, reads, width).
        memory: after every step, (batch, time, width, slots).
    """

    weightings: Array
    added: Array
    erased: Array
    read: Array
    memory: Array


@dataclass(frozen=True)
class NeuralTuringMachine(Layer):
    """A controller that reads and writes a memory M of N slots by attention, all of which is differentiable:

        h_t = controller(x_t, r_{t-1})
        k, beta, g, s, gamma = weights_h h_t, of each head: tanh, softplus, sigmoid, softmax, 1 + softplus
        w^c = softmax(beta K(k, M_{t-1})),  K the cosine of the angle between k and a slot        (5) and (6)
        w^g = g w^c + (1 - g) w_{t-1}                                                             (7)
        w~(i) = sum_j w^g(j) s(i - j),  round about                                               (8)
        w_t(i) = w~(i)^gamma / sum_j w~(j)^gamma                                                  (9)
        M_t(i) = M_{t-1}(i) (1 - w_t(i) e_t) + w_t(i) a_t,  of the writing heads                  (3) and (4)
        r_t = sum_i w_t(i) M_t(i),  of the reading heads                                          (2)

    A sequence (time, features) becomes (time, units + reads * width): h_t and r_t side by side, of which an output
    layer makes what is said.  Before the first step all cells of M are 1e-6, nothing has been read, and all heads are
    at the first slot.

    Args:
        units: of the controller.
        slots, width: N, and the numbers in a slot.
        reads, writes: heads.
        controller: 'feedforward', h_t = tanh(x_t W + r_{t-1} V + b), whose only memory is M; or 'lstm'.
        shift: s has 2 shift + 1 places: a head moves so far at most in one step.
        weights_init: initializer or its name.
    Raises:
        FirsthandError: an unknown controller.
    References:
        Graves, Wayne and Danihelka 2014, 'Neural Turing Machines', section 3, whose equations these are; the start of
        the memory: Collier and Beel 2018, 'Implementing Neural Turing Machines'.
    """

    units: int
    slots: int = 128
    width: int = 20
    reads: int = 1
    writes: int = 1
    controller: str = "feedforward"
    shift: int = 1
    weights_init: Named = Named(initializer_named, scaled)

    def __post_init__(self) -> None:
        sizes = ("units", "slots", "width", "reads", "writes", "shift")
        require_positive(self, **{name: getattr(self, name) for name in sizes})
        if self.controller not in CONTROLLERS:
            raise FirsthandError(
                f"NeuralTuringMachine: controller is {self.controller!r}, expected one of {', '.join(CONTROLLERS)}"
            )

    @property
    def heads(self) -> int:
        """Reading and writing heads together."""
        return self.reads + self.writes

    def output_shape(self, input_shape: Shape) -> Shape:
        if len(input_shape) != 2:
            raise self._refuse(input_shape, "a sequence (time, features)")
        return input_shape[0], self.units + self.reads * self.width

    def init(self, input_shape: Shape, dtype: DTypeLike = jnp.float32, *, key: Array) -> Params:
        n_in, columns = input_shape[-1] + self.reads * self.width, self._gates * self.units
        n_out = self.heads * self._address + 2 * self.writes * self.width
        keys = jax.random.split(key, 3)
        found = {
            # from x_t and r_{t-1}, one above the other
            "weights": self.weights_init((n_in, columns), n_in, self.units, dtype, key=keys[0]),
            "bias": jnp.zeros(columns, dtype),
            "head_weights": self.weights_init((self.units, n_out), self.units, n_out, dtype, key=keys[1]),
            "head_bias": jnp.zeros(n_out, dtype),
        }
        if self.controller == "lstm":
            U = self.weights_init((self.units, columns), self.units, self.units, dtype, key=keys[2])
            forget = jnp.repeat(jnp.array([0.0, 1.0, 0.0, 0.0], dtype), self.units)
            found |= {"recurrent_weights": U, "bias": forget}
        return found

    @property
    def _gates(self) -> int:
        return 4 if self.controller == "lstm" else 1

    @property
    def _address(self) -> int:
        """Numbers that say where a head goes: k, beta, g, s and gamma."""
        return self.width + 2 * self.shift + 4

    def start(self, batch: int, dtype: DTypeLike = jnp.float32) -> State:
        """Return the state before the first step: the controller's h and c, what was read, weightings and memory."""
        h = jnp.zeros((batch, self.units), dtype)
        read = jnp.zeros((batch, self.reads, self.width), dtype)
        weightings = jnp.zeros((batch, self.heads, self.slots), dtype).at[..., 0].set(1)
        # the slots are the last axis, along which the processor computes many at once
        memory = jnp.full((batch, self.width, self.slots), MEMORY_START, dtype)
        return h, h, read, weightings, memory

    def run(self, params: Params, x: Array, state: State) -> tuple[Array, State]:
        def step(state: State, x_t: Array) -> tuple[State, Array]:
            after, _ = self._step(params, x_t, state)
            h, _, read, *_ = after
            return after, jnp.concatenate([h, read.reshape(len(h), -1)], -1)

        state, outputs = lax.scan(step, state, jnp.swapaxes(x, 0, 1))
        return jnp.swapaxes(outputs, 0, 1), state

    def apply(self, params: Params, x: Array, *, key: Array | None = None, train: bool = False) -> Array:
        return self.run(params, x, self.start(len(x), x.dtype))[0]

    def watch(self, params: Params, x: Array) -> Heads:
        """Return what the heads do and what the memory holds at every step of sequences x, (batch, time, features)."""

        def step(state: State, x_t: Array) -> tuple[State, Heads]:
            after, (erase, add) = self._step(params, x_t, state)
            _, _, read, weightings, memory = after
            return after, Heads(weightings, add, erase, read, memory)

        _, found = lax.scan(step, self.start(len(x), x.dtype), jnp.swapaxes(x, 0, 1))
        return jax.tree.map(lambda array: jnp.swapaxes(array, 0, 1), found)

    def _step(self, params: Params, x: Array, state: State) -> tuple[State, tuple[Array, Array]]:
        """One step: the state after it, and what was erased and added, (batch, writes, width) each."""
        h, c, read, before, memory = state
        h, c = self._control(params, jnp.concatenate([x, read.reshape(len(x), -1)], -1), h, c)
        said = h @ params["head_weights"] + params["head_bias"]
        where = said[:, : self.heads * self._address].reshape(len(x), self.heads, self._address)
        what = said[:, self.heads * self._address :].reshape(len(x), self.writes, 2, self.width)
        weightings = self._addressed(where, before, memory)
        erase, add = jax.nn.sigmoid(what[:, :, 0]), jnp.tanh(what[:, :, 1])
        memory = _written(memory, weightings[:, self.reads :], erase, add)
        read = jnp.einsum("bhn,bwn->bhw", weightings[:, : self.reads], memory)
        return (h, c, read, weightings, memory), (erase, add)

    def _control(self, params: Params, x: Array, h: Array, c: Array) -> tuple[Array, Array]:
        z = x @ params["weights"] + params["bias"]
        if self.controller == "feedforward":
            return jnp.tanh(z), c
        i, f, g, o = jnp.split(z + h @ params["recurrent_weights"], 4, axis=-1)
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
        return jax.nn.sigmoid(o) * jnp.tanh(c), c

    def _addressed(self, where: Array, before: Array, memory: Array) -> Array:
        """Weightings (batch, heads, slots): by content, then by place.

        Args:
            where: (batch, heads, width + 2 shift + 4), what the controller says.
            before: the weightings of the step before.
            memory: (batch, width, slots).
        """
        k, beta, g, s, gamma = jnp.split(
            where, (self.width, self.width + 1, self.width + 2, self.width + 3 + 2 * self.shift), axis=-1
        )
        k, beta, g = jnp.tanh(k), jax.nn.softplus(beta), jax.nn.sigmoid(g)
        by_content = jax.nn.softmax(beta * _cosines(k, memory), axis=-1)
        gated = g * by_content + (1 - g) * before
        shifted = _shifted(gated, jax.nn.softmax(s, axis=-1))
        return jax.nn.softmax((1 + jax.nn.softplus(gamma)) * jnp.log(shifted + NO_LOG), axis=-1)

    def multiply_adds(self, input_shape: Shape) -> int:
        time, features = input_shape
        recurrent = self.units if self.controller == "lstm" else 0
        controller = (features + self.reads * self.width + recurrent) * self._gates * self.units
        said = self.units * (self.heads * self._address + 2 * self.writes * self.width)
        cells = self.slots * self.width  # similarity of every head, lengths, erasing and adding, reading
        return time * (controller + said + cells * (self.heads + 1 + 2 * self.writes + self.reads))

    def seen(self, field: Field, input_shape: Shape) -> Field | None:
        return Field(0, field.bottom, 0, 1)


def _cosines(k: Array, memory: Array) -> Array:
    """Cosines between keys (batch, heads, width) and slots (batch, width, slots): (batch, heads, slots)."""
    lengths = lax.rsqrt(jnp.sum(memory**2, 1) + LEAST)[:, None]  # (batch, 1, slots)
    return jnp.einsum("bhw,bwn->bhn", k, memory) * lengths * lax.rsqrt(jnp.sum(k**2, -1, keepdims=True) + LEAST)


def _shifted(weightings: Array, shifts: Array) -> Array:
    """The circular convolution of weightings (batch, heads, slots) with shifts -s ... s, (batch, heads, 2 s + 1)."""
    most = shifts.shape[-1] // 2
    moved = (jnp.roll(weightings, by, -1) * shifts[..., by + most, None] for by in range(-most, most + 1))
    return sum(moved, jnp.zeros_like(weightings))


def _written(memory: Array, weightings: Array, erase: Array, add: Array) -> Array:
    """The memory after all writing heads have erased, and then added."""
    for head in range(weightings.shape[1]):
        memory = memory * (1 - erase[:, head, :, None] * weightings[:, head, None])
    return memory + jnp.einsum("bhw,bhn->bwn", add, weightings)
