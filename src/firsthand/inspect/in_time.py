"""Networks with a memory, step by step: what their layers hand on, and how far back the last step's cost reaches."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from firsthand.data.sequences import encode
from firsthand.errors import FirsthandError
from firsthand.models import LanguageModel, Model, Place
from firsthand.nn import Network, Params, State
from firsthand.nn.network import takes_every_step

__all__ = ["Followed", "Unrolled", "follow", "remembering", "unrolled", "unrolled_text"]

TEXT_STEPS = 128  # of a text that is unrolled: one program for all lengths


class Followed(NamedTuple):
    """A text as a model reads it, letter by letter.

    Args:
        z: the weighted inputs after each letter, (time, symbols): softmax(z[t]) are the probabilities of letter t + 1.
        outputs: of each layer that remembers, what it hands on at each letter, (time, units).
        place: the end of the text, where the model can go on.
    """

    z: np.ndarray
    outputs: tuple[np.ndarray, ...]
    place: Place


class Unrolled(NamedTuple):
    """A network with a memory, unrolled in time, and the way back through it.

    Args:
        z: the weighted input of the output layer: of every step (time, outputs), or of the whole sequence (outputs,).
        outputs: of each layer that remembers, what it hands on at each step, (time, units).
        gradient: of each such layer, ||dC/ds|| for its state s before step t, (time,); [0] is that of the start.
        cost: C, of the last step or of the whole sequence, in nats.
    """

    z: np.ndarray
    outputs: tuple[np.ndarray, ...]
    gradient: tuple[np.ndarray, ...]
    cost: float


def remembering(network: Network) -> tuple[int, ...]:
    """The places in a network of the layers that remember, from 0; none of one that reads sequences as a whole."""
    return tuple(number for number, layer in enumerate(network.layers) if layer.start(1))


def follow(model: LanguageModel, text: str, before: Place | None = None) -> Followed:
    """Read a text, and keep what is said and handed on at every letter.

    Args:
        model: who reads; of one that reads texts only as a whole there are no outputs.
        text: at least one symbol.
        before: where to go on; by default it is the beginning.
    Raises:
        FirsthandError: nothing, or a symbol that is not in the alphabet.
    """
    if not text:
        raise FirsthandError("text: nothing found, at least one symbol expected")
    numbers = encode(text, model.symbols)
    network, piece = model.network, model.network.input_shape[0]
    if not network.reads_on:
        place, said = before, []
        for number in numbers:
            place = model.begin(model.symbols[number]) if place is None else model.read(np.array([number]), place)
            said.append(place.z)
        assert place is not None
        return Followed(np.stack(said), (), place)
    state = network.start(1, jax.tree.leaves(model.params)[0].dtype) if before is None else before.state
    program, said, handed, at = _follow_program(network), [], [], 0
    while at < len(numbers):
        # two programs for texts of any length: for pieces, and for single symbols
        part = numbers[at : at + (piece if len(numbers) - at >= piece else 1)]
        z, outputs, state = program(model.params, part[None], state)
        said.append(np.asarray(z)[0])
        handed.append([np.asarray(each)[0] for each in outputs])
        at += len(part)
    z = np.concatenate(said).astype(np.float64)
    end = np.append(numbers[:0] if before is None else before.end, numbers)[-piece:].astype(np.int32)
    outputs = tuple(np.concatenate(each) for each in zip(*handed, strict=True))
    return Followed(z, outputs, Place(model, z[-1], state, end))


def unrolled_text(model: LanguageModel, text: str, params: tuple[Params, ...] | None = None) -> Unrolled:
    """Unroll a language model over a text; the cost is that of its last letter, given those before it.

    Args:
        model: one that reads on.
        text: 2 to 129 symbols.
        params: others than the model's, such as those that a training begins with.
    Raises:
        FirsthandError: another number of symbols, one that is not in the alphabet, or a network without a memory.
    """
    if not 2 <= len(text) <= TEXT_STEPS + 1:
        raise FirsthandError(f"text: {len(text)} symbols found, 2 to {TEXT_STEPS + 1} expected")
    numbers = encode(text, model.symbols)
    if not model.network.reads_on or not remembering(model.network):
        raise FirsthandError("model: it reads texts only as a whole, expected one with a memory")
    steps = len(numbers) - 1
    x = np.zeros((1, TEXT_STEPS), np.int32)
    x[0, :steps] = numbers[:-1]
    return _unroll(model.network, params or model.params, x, steps, int(numbers[-1]), True)


def unrolled(model: Model, example: np.ndarray, label: int, params: tuple[Params, ...] | None = None) -> Unrolled:
    """Unroll a classifier over one example that it reads step by step, such as the rows of an image.

    Args:
        model: one with a layer that remembers.
        example: of the network's input shape.
        label: y of the cost -ln softmax(z)[y].
        params: others than the model's, such as those that a training begins with.
    Raises:
        FirsthandError: no layer remembers, or one between two that do takes sequences as a whole.
    """
    if not remembering(model.network):
        raise FirsthandError("model: none of its layers remembers, expected a recurrent network")
    steps = model.network.shapes[remembering(model.network)[0]][0]
    return _unroll(model.network, params or model.params, example[None], steps, label, False)


def _unroll(network: Network, params: Any, x: np.ndarray, steps: int, target: int, of_step: bool) -> Unrolled:
    cost, z, outputs, gradient = _unroll_program(network, of_step)(params, x, np.int32(steps), np.int32(target))
    shown = np.asarray(z)[:steps] if of_step else np.asarray(z)
    return Unrolled(
        shown.astype(np.float64),
        tuple(np.asarray(each)[:steps] for each in outputs),
        tuple(np.asarray(each, np.float64)[:steps] for each in gradient),
        float(cost),
    )


@lru_cache(maxsize=16)
def _follow_program(network: Network):
    def run(params: Any, x: Array, state: tuple[State, ...]) -> tuple[Array, tuple[Array, ...], tuple[State, ...]]:
        a, after, outputs = network.as_float(x, params), [], []
        for layer, p, before in zip(network.layers[:-1], params[:-1], state[:-1], strict=True):
            a, now = layer.run(p, a, before)
            after.append(now)
            if now:
                outputs.append(a)
        return network.output_layer.weighted_input(params[-1], a), tuple(outputs), (*after, state[-1])

    return jax.jit(run)


@dataclass(frozen=True)
class _Parts:
    """A network in three parts: what comes before the first layer that remembers, what is a step, what comes behind."""

    network: Network
    first: int
    last: int

    @classmethod
    def of(cls, network: Network) -> "_Parts":
        numbers = remembering(network)
        for number in range(numbers[0], numbers[-1]):
            layer, shape = network.layers[number], network.shapes[number]
            if number not in numbers and not takes_every_step(layer, shape):
                raise FirsthandError(
                    f"network: its layer {number + 1}, {layer}, between two that remember, takes sequences as a whole, "
                    "expected one that takes every step by itself"
                )
        return cls(network, numbers[0], numbers[-1])

    def before(self, params: Any, x: Array) -> Array:
        a = self.network.as_float(x, params)
        for layer, p in zip(self.network.layers[: self.first], params, strict=False):
            a = layer.apply(p, a)
        return a

    def step(self, params: Any, a: Array, states: tuple[State, ...]) -> tuple[tuple[Array, ...], tuple[State, ...]]:
        """One step of the layers from the first that remembers to the last: their outputs, and their states."""
        outputs, after, left = [], [], list(states)
        for number in range(self.first, self.last + 1):
            layer = self.network.layers[number]
            if layer.start(1):
                a, now = layer.run(params[number], a, left.pop(0))
                after.append(now)
                outputs.append(a[:, 0])
            else:
                a, _ = layer.run(params[number], a, ())
        return tuple(outputs), tuple(after)

    def behind(self, params: Any, a: Array) -> Array:
        for number in range(self.last + 1, len(self.network.layers) - 1):
            a = self.network.layers[number].apply(params[number], a)
        return self.network.output_layer.weighted_input(params[-1], a)


@lru_cache(maxsize=16)
def _unroll_program(network: Network, of_step: bool) -> Callable:
    """Compile (params, x, steps, target) -> (C, z, outputs, ||dC/ds|| before each step).

    A zero is added to every state; the gradient for it is that for the state.
    """
    parts = _Parts.of(network)
    whole = len(network.shapes[parts.last + 1]) == 1  # the last that remembers hands on its last output alone

    def program(params: Any, x: Array, steps: Array, target: Array):
        entered = jnp.swapaxes(parts.before(params, x), 0, 1)  # (time, 1, ...)
        time = len(entered)
        kind = jax.tree.leaves(params)[0].dtype
        start = tuple(network.layers[number].start(1, kind) for number in remembering(network))
        nothing = jax.tree.map(lambda a: jnp.zeros((time, *a.shape), a.dtype), start)

        def cost(added: Any):
            def go(states: Any, at: Any):
                number, a, more = at
                given = jax.tree.map(jnp.add, states, more)
                outputs, after = parts.step(params, a[:, None], given)
                after = jax.tree.map(lambda new, old: jnp.where(number < steps, new, old), after, given)
                return after, outputs

            _, outputs = lax.scan(go, start, (jnp.arange(time, dtype=jnp.int32), entered, added))
            outputs = tuple(each[:, 0] for each in outputs)  # (time, units)
            handed = outputs[-1][steps - 1] if whole else outputs[-1]
            z = parts.behind(params, handed[None])[0]
            last = z[steps - 1] if of_step else z
            return -jax.nn.log_softmax(last)[target], (z, outputs)

        (value, (z, outputs)), gradient = jax.value_and_grad(cost, has_aux=True)(nothing)
        lengths = tuple(
            jnp.sqrt(sum(jnp.sum(part**2, axis=(1, 2)) for part in state)) for state in gradient
        )  # of all that a layer remembers, of an LSTM h and c together
        return value, z, outputs, lengths

    return jax.jit(program)
