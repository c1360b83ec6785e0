"""A trained network that continues a text."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, ClassVar

import jax
import numpy as np

from firsthand.data.sequences import encode
from firsthand.errors import FirsthandError
from firsthand.keys import Key, as_key
from firsthand.nn import Network, Params, State

from .family import NetworkModel
from .outputs import weighted_inputs

__all__ = ["LanguageModel", "Place"]

# of a long text: this many rows at most, of this many symbols at least, are read side by side
ROWS, ROW = 32, 4096


@dataclass(frozen=True)
class Place:
    """A place in a text: what the model says of the next symbol, and all that it remembers of those before.

    Args:
        model: who reads.
        z: weighted inputs of the output layer, (symbols,); softmax(z) are the probabilities.
        state: what every layer remembers, with a batch of one; empty where the network reads texts only as a whole.
        end: numbers of the last symbols, as many as the network takes at once.
    """

    model: "LanguageModel"
    z: np.ndarray
    state: tuple[State, ...]
    end: np.ndarray

    @property
    def probabilities(self) -> np.ndarray:
        """The probability that each symbol comes next: (symbols,), summing to 1."""
        e = np.exp(self.z - self.z.max())
        return e / e.sum()

    def draw(self, temperature: float, *, key: Key) -> str:
        """Draw the next symbol from p^(1/temperature), normalized."""
        noise = np.asarray(jax.random.gumbel(as_key(key), self.z.shape), np.float64)
        return self.model.symbols[int(np.argmax(self.z / temperature + noise))]

    def then(self, text: str) -> "Place":
        """Return the place behind a text that comes next.

        Raises:
            FirsthandError: a symbol that is not in the alphabet.
        """
        return self.model.read(encode(text, self.model.symbols), self)


@dataclass(frozen=True, repr=False)
class LanguageModel(NetworkModel):
    """A network that says at every place of a sequence how likely each symbol is to come next.

    What it says at a place must depend on that place and those before it alone, as in a recurrent network.  Where its
    layers say what they remember (see `Network.start`) a text is read symbol by symbol, with all of the past in mind;
    otherwise only as much of it counts as the network takes at once.

    Args:
        network: symbols (time,) -> (time, number of symbols), with softmax at every place.
        params: one dict of arrays per layer.
        symbols: the alphabet.
        provenance: how it came to be.
    """

    family: ClassVar[str] = "language"

    network: Network
    params: tuple[Params, ...]
    symbols: tuple[str, ...]
    provenance: dict[str, Any] = field(default_factory=dict)

    def own_description(self) -> dict[str, Any]:
        return {"symbols": list(self.symbols)}

    @classmethod
    def made(cls, network: Network, params: tuple[Params, ...], about: dict[str, Any]) -> "LanguageModel":
        symbols = tuple(about["symbols"])
        if network.output_shape[-1] != len(symbols):
            raise ValueError(f"{len(symbols)} symbols for {network.output_shape[-1]} outputs")
        return cls(network, params, symbols, about["provenance"])

    def begin(self, prompt: str) -> Place:
        """Read the beginning of a text.

        Args:
            prompt: at least one symbol.
        Raises:
            FirsthandError: nothing, or a symbol that is not in the alphabet.
        """
        numbers = self._encoded(prompt)
        state = self._start(1) if self.network.reads_on else ()
        return self.read(numbers, Place(self, np.zeros(len(self.symbols)), state, numbers[:0]))

    def probabilities(self, prompt: str) -> np.ndarray:
        """Return how likely each symbol is to come after a text: (symbols,), summing to 1.

        Raises:
            FirsthandError: as `begin`.
        """
        return self.begin(prompt).probabilities

    def sample(self, prompt: str, length: int, *, key: Key, temperature: float = 1.0) -> str:
        """Continue a text: see `stream`."""
        return "".join(self.stream(prompt, length, key=key, temperature=temperature))

    def stream(self, prompt: str, length: int, *, key: Key, temperature: float = 1.0) -> Iterator[str]:
        """Continue a text symbol by symbol, each drawn from p^(1/temperature), normalized.

        Args:
            prompt: how it begins; it is not part of the result.
            length: how many symbols to draw.
            key: all randomness: a key of JAX or an integer.
            temperature: below 1 the likeliest symbols are preferred, towards 0 the likeliest is always taken.
        Raises:
            FirsthandError: a temperature that is not positive, or as `begin`.
        """
        if not temperature > 0:
            raise FirsthandError(f"sample: temperature is {temperature}, expected a positive number")
        key, place = as_key(key), self.begin(prompt)
        for step in range(length):
            drawn = place.draw(temperature, key=jax.random.fold_in(key, step))
            yield drawn
            if step < length - 1:
                place = place.then(drawn)

    def surprises(self, text: str) -> np.ndarray:
        """Return -log2 p of every symbol of a text but the first, given those before it, in bits: (symbols - 1,).

        A text of 8,192 symbols and more is read in rows side by side, 32 at most, each of which begins without a memory
        of the one before; so are pieces where the network reads texts only as a whole.

        Raises:
            FirsthandError: fewer than two symbols, or one that is not in the alphabet.
        """
        numbers = self._encoded(text)
        count, piece = len(numbers) - 1, self.network.input_shape[0]
        if count < 1:
            raise FirsthandError(f"text: {len(numbers)} symbol found, at least 2 expected")
        on = self.network.reads_on
        rows = min(ROWS, max(1, count // ROW)) if on else -(-count // piece)
        length = -(-count // (rows * piece)) * piece  # of a row, in whole pieces
        padded = np.zeros(rows * length + 1, np.int32)
        padded[: count + 1] = numbers
        x, y = padded[:-1].reshape(rows, length), padded[1:].reshape(rows, length)
        if not on:
            found = _nats(weighted_inputs(self.network, self.params, x), y)
        else:
            state, parts = self._start(rows), []
            for at in range(0, length, piece):
                z, state = _run_program(self.network)(self.params, x[:, at : at + piece], state)
                parts.append(_nats(np.asarray(z), y[:, at : at + piece]))
            found = np.concatenate(parts, axis=1)
        return found.ravel()[:count] / np.log(2)

    def bits(self, text: str) -> float:
        """Return the mean of the `surprises` of a text: bits per symbol."""
        return float(np.mean(self.surprises(text)))

    def perplexity(self, text: str) -> float:
        """Return 2^bits: among how many equally likely symbols the model hesitates, in the mean."""
        return 2 ** self.bits(text)

    def read(self, numbers: np.ndarray, place: Place) -> Place:
        """Go on from a place with symbols, given by their numbers in the alphabet, (time,): `Place.then`."""
        if not len(numbers):
            return place
        piece = self.network.input_shape[0]
        end = np.append(place.end, numbers)[-piece:].astype(np.int32)
        if not self.network.reads_on:
            window = np.zeros((1, piece), np.int32)
            window[0, : len(end)] = end
            z = weighted_inputs(self.network, self.params, window)[0, len(end) - 1]
            return Place(self, z.astype(np.float64), (), end)
        z, state, program = place.z, place.state, _run_program(self.network)
        at = 0
        while at < len(numbers):
            # two programs for texts of any length: for pieces, and for single symbols
            part = numbers[at : at + (piece if len(numbers) - at >= piece else 1)].astype(np.int32)
            found, state = program(self.params, part[None], state)
            z, at = np.asarray(found)[0, -1], at + len(part)
        return replace(place, z=np.asarray(z, np.float64), state=state, end=end)

    def _start(self, batch: int) -> tuple[State, ...]:
        return self.network.start(batch, jax.tree.leaves(self.params)[0].dtype)

    def _encoded(self, text: str) -> np.ndarray:
        if not text:
            raise FirsthandError("text: nothing found, at least one symbol expected")
        return encode(text, self.symbols)


def _nats(z: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """-ln softmax(z)[y] of weighted inputs (..., symbols) and numbers of symbols (...)."""
    z = z.astype(np.float64)
    z = z - z.max(axis=-1, keepdims=True)
    log_p = z - np.log(np.sum(np.exp(z), axis=-1, keepdims=True))
    return -np.take_along_axis(log_p, targets[..., None], axis=-1)[..., 0]


@lru_cache(maxsize=16)
def _run_program(network: Network):
    return jax.jit(network.run)
