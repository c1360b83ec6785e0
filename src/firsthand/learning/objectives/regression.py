"""Saying numbers that are close to those wanted."""

import math
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
from jax import Array

from firsthand.data import Examples
from firsthand.errors import FirsthandError
from firsthand.models import Regressor
from firsthand.nn import Network, Params

from ..objective import Batch, Objective, check_inputs
from ..quantity import COST, Quantity

__all__ = ["Regression"]

ERROR = Quantity("error", "squared error per example", "每个样本的平方误差", better="lower", digits=4)


@dataclass(frozen=True)
class Regression(Objective):
    """The output a is to be the second array of the examples, y: the quadratic cost, equation (6).

        C = 1/2 ||y - a||^2

    The squared error is ||y - a||^2; where y is one number, its mean over the examples is the mean squared error.
    """

    @property
    def quantities(self) -> tuple[Quantity, ...]:
        return ERROR, COST

    def costs(
        self, network: Network, params: Any, batch: Batch, *, key: Array | None = None
    ) -> tuple[Array, tuple[Params, ...]]:
        x, y = batch
        z, updated = network.forward(params, x, key=key)
        return 0.5 * _squares(network.activation(z), y), updated

    def measure(self, network: Network, params: Any, batch: Batch) -> dict[str, Array]:
        x, y = batch
        error = _squares(network.apply(params, x), y)
        return {"error": error, "cost": 0.5 * error}

    def check(self, network: Network, examples: Examples, name: str) -> None:
        arrays = examples.arrays
        if len(arrays) != 2 or arrays[1].dtype.kind != "f":
            found = ", ".join(f"{array.dtype} {array.shape}" for array in arrays)
            raise FirsthandError(f"{name}: arrays {found} found, inputs and floats to be estimated expected")
        check_inputs(network, examples, name)
        if network.output_shape != (wanted := arrays[1].shape[1:]):
            raise FirsthandError(f"network: its output has shape {network.output_shape}, expected {wanted} for {name}")

    def outputs(self, examples: Examples) -> int | None:
        return math.prod(examples.arrays[1].shape[1:]) if len(examples.arrays) == 2 else None

    def model(self, network: Network, params: Any, examples: Examples, provenance: dict[str, Any]) -> Regressor:
        return Regressor(network, params, provenance)


def _squares(a: Array, y: Array) -> Array:
    """||y - a||^2 of every example: (batch, ...) twice -> (batch,)."""
    return jnp.sum((y.astype(a.dtype) - a).reshape(len(y), -1) ** 2, axis=-1)
