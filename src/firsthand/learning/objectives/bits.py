"""Saying bits at the steps of a sequence where they are asked for."""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from firsthand.data import Examples
from firsthand.errors import FirsthandError
from firsthand.models import Regressor
from firsthand.nn import Network, Params, sigmoid

from ..objective import Batch, Objective, check_inputs
from ..quantity import COST, Quantity

__all__ = ["Bits"]

WRONG = Quantity("wrong", "bits wrong", "错误的比特", "%", better="lower")
WHOLE = Quantity("whole", "whole sequences right", "完全正确的序列", "%")


@dataclass(frozen=True)
class Bits(Objective):
    """Say vectors of bits at the steps where they are asked for: the cross-entropy, equation (63), per bit.

        C = -1/(|A| n) sum_(t in A) sum_j [y_tj ln a_tj + (1 - y_tj) ln(1 - a_tj)],    A being the steps asked for

    The examples are three arrays: inputs (time, features), bits (time, n) as floats, and booleans (time,), true where
    the bits are asked for.  The network's output is (time, n) with sigmoid; a bit is wrong if its output is on the
    other side of 1/2.

    References:
        Graves, Wayne and Danihelka 2014, 'Neural Turing Machines', section 4.
    """

    @property
    def quantities(self) -> tuple[Quantity, ...]:
        return WRONG, WHOLE, COST

    def costs(
        self, network: Network, params: Any, batch: Batch, *, key: Array | None = None
    ) -> tuple[Array, tuple[Params, ...]]:
        x, y, asked = batch
        z, updated = network.forward(params, x, key=key)  # (batch, time, n)
        return _nats(z, y, asked), updated

    def measure(self, network: Network, params: Any, batch: Batch) -> dict[str, Array]:
        x, y, asked = batch
        z = network.weighted_input(params, x)
        wrong = ((z > 0) != (y > 0.5)) & asked[..., None]  # (batch, time, n)
        return {
            "cost": _nats(z, y, asked),
            "wrong_bits": jnp.sum(wrong, axis=(1, 2)).astype(z.dtype),
            "bits": y.shape[-1] * jnp.sum(asked, axis=1).astype(z.dtype),
            "whole": ~jnp.any(wrong, axis=(1, 2)),
        }

    def scores(self, means: Any) -> dict[str, float]:
        return {"wrong": means["wrong_bits"] / means["bits"], "whole": means["whole"], "cost": means["cost"]}

    def check(self, network: Network, examples: Examples, name: str) -> None:
        arrays = examples.arrays
        if len(arrays) != 3 or arrays[1].ndim != 3 or arrays[2].dtype != bool or arrays[2].shape != arrays[1].shape[:2]:
            found = ", ".join(f"{array.dtype} {array.shape}" for array in arrays)
            raise FirsthandError(
                f"{name}: arrays {found} found, inputs, bits (n, time, bits) and booleans (n, time) expected"
            )
        check_inputs(network, examples, name)
        expected = arrays[1].shape[1:]
        if network.output_shape != expected or network.activation is not sigmoid:
            raise FirsthandError(
                f"network: its output is {network.activation.__name__} of shape {network.output_shape}, expected "
                f"sigmoid of shape {expected}: every bit at every step"
            )

    def outputs(self, examples: Examples) -> int | None:
        arrays = examples.arrays
        return arrays[1].shape[-1] if len(arrays) == 3 and arrays[1].ndim == 3 else None

    def model(self, network: Network, params: Any, examples: Examples, provenance: dict[str, Any]) -> Regressor:
        return Regressor(network, params, provenance)


def _nats(z: Array, y: Array, asked: Array) -> Array:
    """The mean cross-entropy of the bits that are asked for: (batch, time, n) twice, (batch, time) -> (batch,)."""
    each = jax.nn.softplus(z) - y.astype(z.dtype) * z
    counts = asked.astype(z.dtype)
    return jnp.sum(each * counts[..., None], axis=(1, 2)) / (y.shape[-1] * jnp.sum(counts, axis=1))
