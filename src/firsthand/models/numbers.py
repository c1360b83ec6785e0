"""A trained network that reads a number of several digits whole."""

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from firsthand.errors import FirsthandError
from firsthand.nn import Network, Params

from .family import NetworkModel
from .outputs import in_chunks

__all__ = ["NumberModel", "ReadNumber", "number_log_likelihoods", "outputs_of_numbers"]


class ReadNumber(NamedTuple):
    """A number as it was read: its digits, '' where there is none, and the probability that all of it is right."""

    text: str
    probability: float


def outputs_of_numbers(longest: int) -> int:
    """The number of outputs of a network for numbers: 0 to `longest` digits, and ten for every place."""
    return longest + 1 + 10 * longest


def number_log_likelihoods(z: Array, longest: int) -> tuple[Array, Array]:
    """Split weighted inputs into the logarithms of a softmax over lengths and of one over digits for each place.

    Args:
        z: (batch, outputs), see `outputs_of_numbers`.
        longest: most digits of a number.
    Returns:
        ln P(L), (batch, longest + 1), and ln P(S_i), (batch, longest, 10).
    """
    lengths, digits = z[:, : longest + 1], z[:, longest + 1 :].reshape(-1, longest, 10)
    return jax.nn.log_softmax(lengths), jax.nn.log_softmax(digits)


@dataclass(frozen=True, repr=False)
class NumberModel(NetworkModel):
    """A network that says how many digits there are, and which: the likeliest number of all,

        ln P(S) = ln P(L) + sum_{i <= L} ln P(S_i)

    Args:
        network: with `outputs_of_numbers(longest)` outputs.
        params: one dict of arrays per layer.
        longest: most digits of a number.
        provenance: how it came to be.
    References:
        Goodfellow, Bulatov, Ibarz, Arnoud and Shet 2013, 'Multi-digit Number Recognition from Street View Imagery
        using Deep Convolutional Neural Networks', section 3 and appendix A.
    """

    family: ClassVar[str] = "numbers"

    network: Network
    params: tuple[Params, ...]
    longest: int
    provenance: dict[str, Any] = field(default_factory=dict)

    def own_description(self) -> dict[str, Any]:
        return {"longest": self.longest}

    @classmethod
    def made(cls, network: Network, params: tuple[Params, ...], about: dict[str, Any]) -> "NumberModel":
        longest = about["longest"]
        if type(longest) is not int or network.output_shape != (outputs_of_numbers(longest),):
            raise ValueError(f"outputs of shape {network.output_shape} for numbers of {longest!r} digits")
        return cls(network, params, longest, about["provenance"])

    def read(self, images: np.ndarray) -> list[ReadNumber]:
        """Return the likeliest number of every image, (n, *input_shape).

        Raises:
            FirsthandError: the images have another shape.
        """
        images = np.asarray(images)
        if images.shape[1:] != self.input_shape or not len(images):
            raise FirsthandError(f"model: images have shape {images.shape}, expected (n, *{self.input_shape})")
        lengths, digits, probabilities = _program(self.network, self.longest)(self.params, images)
        rows = zip(np.asarray(lengths), np.asarray(digits), np.asarray(probabilities), strict=True)
        return [ReadNumber("".join(map(str, values[:length])), float(p)) for length, values, p in rows]


@lru_cache(maxsize=16)
def _program(network: Network, longest: int):
    def part(params: Any, x: Array) -> tuple[Array, Array, Array]:
        of_lengths, of_digits = number_log_likelihoods(network.weighted_input(params, x), longest)
        best = jnp.cumsum(jnp.max(of_digits, axis=-1), axis=-1)  # (batch, longest): of the first 1, 2, ...
        totals = of_lengths + jnp.pad(best, ((0, 0), (1, 0)))  # (batch, longest + 1)
        return jnp.argmax(totals, axis=-1), jnp.argmax(of_digits, axis=-1), jnp.exp(jnp.max(totals, axis=-1))

    return jax.jit(lambda params, images: in_chunks(lambda x: part(params, x), images))
