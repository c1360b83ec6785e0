"""A trained network that says numbers."""

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, ClassVar

import jax
import numpy as np
from jax import Array

from firsthand.errors import FirsthandError
from firsthand.nn import Network, Params

from .family import NetworkModel
from .outputs import in_chunks

__all__ = ["Regressor"]


@dataclass(frozen=True, repr=False)
class Regressor(NetworkModel):
    """A network whose outputs are estimates of numbers.

    Args:
        network: as many outputs as there are numbers to estimate.
        params: one dict of arrays per layer.
        provenance: how it came to be.
    """

    family: ClassVar[str] = "regression"

    network: Network
    params: tuple[Params, ...]
    provenance: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def made(cls, network: Network, params: tuple[Params, ...], about: dict[str, Any]) -> "Regressor":
        return cls(network, params, about["provenance"])

    def predict(self, x: np.ndarray) -> np.ndarray:
        """Return the estimates for examples (n, *input_shape): (n, *output shape), as floats.

        Raises:
            FirsthandError: examples of another shape, or none.
        """
        x = np.asarray(x)
        if x.shape[1:] != self.input_shape or not len(x):
            raise FirsthandError(f"model: examples have shape {x.shape}, expected (n, *{self.input_shape})")
        return np.asarray(_program(self.network)(self.params, x))


@lru_cache(maxsize=16)
def _program(network: Network):
    def estimates(params: Any, x: Array) -> Array:
        return in_chunks(lambda part: network.apply(params, part), x)

    return jax.jit(estimates)
