"""A trained network that gives back what it is given."""

import math
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, ClassVar, NamedTuple

import jax
import numpy as np
from jax import Array

from firsthand.errors import FirsthandError
from firsthand.keys import Key, as_key
from firsthand.nn import GaussianCode, Network, Params

from .family import NetworkModel
from .outputs import in_chunks

__all__ = ["Autoencoder"]


@dataclass(frozen=True, repr=False)
class Autoencoder(NetworkModel):
    """A network whose output is to be its input, so that its narrowest layer holds what distinguishes the examples.

    Args:
        network: as many outputs as an example has values.
        params: one dict of arrays per layer.
        provenance: how it came to be.
    """

    family: ClassVar[str] = "autoencoder"

    network: Network
    params: tuple[Params, ...]
    provenance: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def made(cls, network: Network, params: tuple[Params, ...], about: dict[str, Any]) -> "Autoencoder":
        if math.prod(network.output_shape) != math.prod(network.input_shape):
            raise ValueError(f"{math.prod(network.output_shape)} outputs for {math.prod(network.input_shape)} inputs")
        return cls(network, params, about["provenance"])

    @property
    def code_layer(self) -> int:
        """The layer with the fewest outputs, from 0; the first of equals."""
        sizes = [math.prod(shape) for shape in self.network.shapes[1:]]
        return sizes.index(min(sizes))

    def reconstruct(self, x: np.ndarray) -> np.ndarray:
        """Return what the network makes of examples (n, *input_shape), in the same shape, as floats."""
        x = self._checked(x)
        outputs = np.asarray(_programs(self.network, self.code_layer).reconstruct(self.params, x))
        return outputs.reshape(x.shape)

    def encode(self, x: np.ndarray) -> np.ndarray:
        """Return the outputs of the narrowest layer for examples (n, *input_shape): (n, units)."""
        codes = np.asarray(_programs(self.network, self.code_layer).encode(self.params, self._checked(x)))
        return codes.reshape(len(codes), -1)

    def decode(self, codes: np.ndarray) -> np.ndarray:
        """Return what the layers behind the narrowest make of codes (n, units): (n, *input_shape), as floats."""
        codes = np.asarray(codes, np.float32)
        shape = self.network.shapes[self.code_layer + 1]
        if codes.ndim != 2 or codes.shape[1] != math.prod(shape) or not len(codes):
            raise FirsthandError(f"model: codes have shape {codes.shape}, expected (n, {math.prod(shape)})")
        outputs = _programs(self.network, self.code_layer).decode(self.params, codes.reshape(-1, *shape))
        return np.asarray(outputs).reshape(-1, *self.input_shape)

    def sample(self, count: int, *, key: Key) -> np.ndarray:
        """Return what the decoder makes of codes drawn from N(0, 1): (count, *input_shape), as floats.

        Raises:
            FirsthandError: the narrowest layer is no `nn.GaussianCode`, so that nothing is known of where codes lie.
        """
        layer = self.network.layers[self.code_layer]
        if not isinstance(layer, GaussianCode):
            raise FirsthandError(
                f"sample: the code of this autoencoder is layer {self.code_layer + 1}, {layer}, expected GaussianCode: "
                "only the codes of a variational autoencoder can be drawn"
            )
        if count < 1:
            raise FirsthandError(f"sample: count {count} found, expected 1 or more")
        return self.decode(
            np.asarray(jax.random.normal(as_key(key), (count, *self.network.shapes[self.code_layer + 1])))
        )

    def errors(self, x: np.ndarray) -> np.ndarray:
        """Return the squared error of every example, ||x - a||^2: (n,)."""
        x = self._checked(x)
        given = np.asarray(self.network.as_float(x, self.params))
        return np.sum((given - self.reconstruct(x)).reshape(len(x), -1).astype(np.float64) ** 2, axis=1)

    def _checked(self, x: np.ndarray) -> np.ndarray:
        x = np.asarray(x)
        if x.shape[1:] != self.input_shape or not len(x):
            raise FirsthandError(f"model: examples have shape {x.shape}, expected (n, *{self.input_shape})")
        return x


class _Programs(NamedTuple):
    """The compiled programs of a network; all take its parameters first."""

    reconstruct: Any
    encode: Any
    decode: Any


@lru_cache(maxsize=16)
def _programs(network: Network, code_layer: int) -> _Programs:
    def reconstructed(params: Any, x: Array) -> Array:
        return in_chunks(lambda part: network.apply(params, part), x)

    def code(params: Any, x: Array) -> Array:
        def part(x: Array) -> Array:
            a = network.as_float(x, params)
            for layer, p in zip(network.layers[: code_layer + 1], params, strict=False):
                a = layer.apply(p, a)
            return a

        return in_chunks(part, x)

    def decoded(params: Any, codes: Array) -> Array:
        def part(a: Array) -> Array:
            for layer, p in zip(network.layers[code_layer + 1 :], params[code_layer + 1 :], strict=True):
                a = layer.apply(p, a)
            return a

        return in_chunks(part, codes)

    return _Programs(jax.jit(reconstructed), jax.jit(code), jax.jit(decoded))
