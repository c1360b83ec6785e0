"""Giving back what was put in, through a narrow layer or out of noise."""

import math
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from firsthand.data import Examples
from firsthand.errors import FirsthandError
from firsthand.models import Autoencoder
from firsthand.nn import Network, Params, sigmoid

from ..objective import Batch, Objective, check_inputs
from ..quantity import COST, Quantity
from ..step import Augment

__all__ = ["Reconstruction"]

ERROR = Quantity("error", "squared error per example", "每个样本的平方误差", better="lower", digits=3)


@dataclass(frozen=True)
class Reconstruction(Objective):
    """The output a of the network is to be its input x; what the examples have beside it is not looked at.

        C = 1/2 ||x - a||^2,    or, for values between 0 and 1,    C = -sum_j [x_j ln a_j + (1 - x_j) ln(1 - a_j)]

    The penalties of layers such as `nn.GaussianCode` and `nn.Sparsity` are added in training.  With the first and the
    cross-entropy, the cost of an example is then the negative variational lower bound of its log likelihood, estimated
    with one code drawn.

    Args:
        cross_entropy: use the second cost, which needs an output layer of sigmoids.
        noise: a function of a mini-batch and a key, one of `firsthand.data.augment`'s: the network is given the
            examples with noise, and is to give them back without it (a denoising autoencoder).
    """

    cross_entropy: bool = False
    noise: Augment | None = None

    @property
    def quantities(self) -> tuple[Quantity, ...]:
        return ERROR, COST

    def costs(
        self, network: Network, params: Any, batch: Batch, *, key: Array | None = None
    ) -> tuple[Array, tuple[Params, ...]]:
        x = given = network.as_float(batch[0], params)
        if self.noise is not None:
            assert key is not None
            key, noise_key = jax.random.split(key)
            given = self.noise(x, key=noise_key)
        z, penalties, updated = network.forward_with_sides(params, given, key=key)
        costs = self._costs(network, z, x)  # (batch,)
        for penalty in penalties:
            self.check_costs(penalty, batch)
            costs += penalty
        return costs, updated

    def measure(self, network: Network, params: Any, batch: Batch) -> dict[str, Array]:
        x = network.as_float(batch[0], params)
        z = network.weighted_input(params, x)
        difference = _rows(network.activation(z)) - _rows(x)
        return {"error": jnp.sum(difference**2, axis=-1), "cost": self._costs(network, z, x)}

    def _costs(self, network: Network, z: Array, x: Array) -> Array:
        z, x = _rows(z), _rows(x)  # (batch, values)
        if self.cross_entropy:
            return jnp.sum(jax.nn.softplus(z) - x * z, axis=-1)
        return 0.5 * jnp.sum((x - network.activation(z)) ** 2, axis=-1)

    def check(self, network: Network, examples: Examples, name: str) -> None:
        check_inputs(network, examples, name)
        values, outputs = math.prod(network.input_shape), math.prod(network.output_shape)
        if outputs != values:
            raise FirsthandError(
                f"network: it has {outputs} outputs, expected {values}, as many as an example has values"
            )
        if self.cross_entropy and network.activation is not sigmoid:
            raise FirsthandError(
                f"network: its outputs are {network.activation.__name__}, expected sigmoid for the cross-entropy"
            )

    def outputs(self, examples: Examples) -> int | None:
        return math.prod(examples.example_shape)

    def model(self, network: Network, params: Any, examples: Examples, provenance: dict[str, Any]) -> Autoencoder:
        return Autoencoder(network, params, provenance)


def _rows(values: Array) -> Array:
    return values.reshape(len(values), -1)
