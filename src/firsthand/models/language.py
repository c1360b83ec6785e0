"""A trained network that goes on with a text."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from firsthand.data import Sequences
from firsthand.data.sequences import encode
from firsthand.errors import FirsthandError
from firsthand.nn import Network, Params

from .family import NetworkModel
from .outputs import weighted_inputs

__all__ = ["LanguageModel"]


@dataclass(frozen=True)
class LanguageModel(NetworkModel):
    """A network that says at every place of a sequence how likely each symbol is to come next.

    What it says at a place must depend on that place and those before it alone, as in a recurrent network.

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

    def probabilities(self, prompt: str) -> np.ndarray:
        """Return how likely each symbol is to come after a text: (symbols,), summing to 1.

        Args:
            prompt: at least one symbol; of a longer text than the network takes, the end counts.
        Raises:
            FirsthandError: nothing, or a symbol that is not in the alphabet.
        """
        window, last = self._window(self._encoded(prompt))
        return np.asarray(_next_program(self.network)(self.params, window, last))

    def sample(self, prompt: str, length: int, *, key: Array, temperature: float = 1.0) -> str:
        """Go on with a text: see `stream`."""
        return "".join(self.stream(prompt, length, key=key, temperature=temperature))

    def stream(self, prompt: str, length: int, *, key: Array, temperature: float = 1.0) -> Iterator[str]:
        """Go on with a text symbol by symbol, each drawn from p^(1/temperature), normalized.

        Args:
            prompt: how it begins; it is not part of the result.
            length: how many symbols to draw.
            key: all randomness.
            temperature: below 1 the likeliest symbols are preferred, towards 0 the likeliest is always taken.
        Raises:
            FirsthandError: a temperature that is not positive, or as `probabilities`.
        """
        if not temperature > 0:
            raise FirsthandError(f"sample: temperature is {temperature}, expected a positive number")
        numbers = self._encoded(prompt)
        program = _next_program(self.network)
        for step in range(length):
            window, last = self._window(numbers)
            z = np.log(np.maximum(np.asarray(program(self.params, window, last), np.float64), 1e-300)) / temperature
            noise = np.asarray(jax.random.gumbel(jax.random.fold_in(key, step), z.shape), np.float64)
            drawn = int(np.argmax(z + noise))
            numbers = np.append(numbers, np.int32(drawn))[-self.network.input_shape[0] :]
            yield self.symbols[drawn]

    def bits(self, text: str) -> float:
        """Return the mean of -log2 p over the symbols of a text but the first: bits per symbol.

        The text is read in pieces as long as the network takes; each begins without a memory of the one before.

        Raises:
            FirsthandError: fewer than two symbols, or one that is not in the alphabet.
        """
        numbers = self._encoded(text)
        if len(numbers) < 2:
            raise FirsthandError(f"text: {len(numbers)} symbol found, at least 2 expected")
        length = self.network.input_shape[0]
        count = -(-(len(numbers) - 1) // length)
        padded = np.zeros(count * length + 1, np.int32)
        padded[: len(numbers)] = numbers
        data = Sequences(padded[:-1].reshape(count, length), padded[1:].reshape(count, length), self.symbols)
        z = weighted_inputs(self.network, self.params, data.inputs).astype(np.float64)  # (count, length, symbols)
        z -= z.max(axis=-1, keepdims=True)
        log_p = z - np.log(np.sum(np.exp(z), axis=-1, keepdims=True))
        picked = np.take_along_axis(log_p, data.targets[..., None], axis=-1).ravel()[: len(numbers) - 1]
        return float(-np.mean(picked) / np.log(2))

    def perplexity(self, text: str) -> float:
        """Return 2^bits: among how many equally likely symbols the model hesitates, in the mean."""
        return 2 ** self.bits(text)

    def _encoded(self, text: str) -> np.ndarray:
        if not text:
            raise FirsthandError("text: nothing found, at least one symbol expected")
        return encode(text, self.symbols)

    def _window(self, numbers: np.ndarray) -> tuple[np.ndarray, np.int32]:
        """The end of a sequence as the network takes it, filled up behind, and the place of its last symbol."""
        length = self.network.input_shape[0]
        end = numbers[-length:]
        window = np.zeros((1, length), np.int32)
        window[0, : len(end)] = end
        return window, np.int32(len(end) - 1)


@lru_cache(maxsize=16)
def _next_program(network: Network):
    def probabilities(params: Any, window: Array, last: Array) -> Array:
        z = network.weighted_input(params, window)  # (1, time, symbols)
        return jax.nn.softmax(jnp.take(z[0], last, axis=0))

    return jax.jit(probabilities)
