"""Reading a number of several digits whole, without cutting it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
from jax import Array

from firsthand.data import Examples
from firsthand.errors import FirsthandError
from firsthand.models.numbers import NumberModel, number_log_likelihoods, outputs_of_numbers
from firsthand.nn import Network, Params

from ..objective import Batch, Objective, check_inputs
from ..quantity import COST, Quantity

__all__ = ["WholeNumber"]

WHOLE = Quantity("whole", "whole numbers right", "整个数字正确", "%")
DIGITS = Quantity("digits", "digits right", "单个数字正确", "%")


@dataclass(frozen=True)
class WholeNumber(Objective):
    """Each example shows a number of up to `longest` digits; the network says how many, and which, with a softmax each:

        C = -ln P(L) - sum_{i <= L} ln P(S_i)

    What it says of the places behind the last digit costs nothing.  Examples are what is looked at, the lengths
    (n,), and the digits (n, longest).

    Args:
        longest: most digits of a number.
    References:
        Goodfellow et al. 2013, arXiv:1312.6082, section 3.
    """

    longest: int = 5

    @property
    def quantities(self) -> tuple[Quantity, ...]:
        return WHOLE, DIGITS, COST

    def costs(
        self, network: Network, params: Any, batch: Batch, *, key: Array | None = None
    ) -> tuple[Array, tuple[Params, ...]]:
        x, lengths, digits = batch
        z, updated = network.forward(params, x, key=key)
        return self._costs(z, lengths, digits), updated

    def _costs(self, z: Array, lengths: Array, digits: Array) -> Array:
        of_lengths, of_digits = number_log_likelihoods(z, self.longest)
        chosen = jnp.take_along_axis(of_digits, digits[..., None], axis=-1)[..., 0]  # (batch, longest)
        there = jnp.where(self._there(lengths), chosen, 0)
        return -jnp.take_along_axis(of_lengths, lengths[:, None], axis=-1)[:, 0] - jnp.sum(there, axis=-1)

    def _there(self, lengths: Array) -> Array:
        """Mask the places that hold a digit, (batch, longest)."""
        return jnp.arange(self.longest) < lengths[:, None]

    def measure(self, network: Network, params: Any, batch: Batch) -> dict[str, Array]:
        x, lengths, digits = batch
        z = network.weighted_input(params, x)
        of_lengths, of_digits = number_log_likelihoods(z, self.longest)
        best = jnp.pad(jnp.cumsum(jnp.max(of_digits, axis=-1), axis=-1), ((0, 0), (1, 0)))
        right = (jnp.argmax(of_digits, axis=-1) == digits) | ~self._there(lengths)  # (batch, longest)
        length_right = jnp.argmax(of_lengths + best, axis=-1) == lengths
        digits_right = jnp.sum(right & self._there(lengths), axis=-1)
        return {
            "cost": self._costs(z, lengths, digits),
            "whole": length_right & jnp.all(right, axis=-1),
            "digits_right": digits_right.astype(jnp.float32),
            "digits_there": lengths.astype(jnp.float32),
        }

    def scores(self, means: Mapping[str, float]) -> dict[str, float]:
        share = means["digits_right"] / max(means["digits_there"], 1e-9)
        return {"whole": means["whole"], "digits": share, "cost": means["cost"]}

    def check(self, network: Network, examples: Examples, name: str) -> None:
        arrays = examples.arrays
        if len(arrays) != 3 or arrays[2].shape[1:] != (self.longest,):
            found = ", ".join(str(array.shape) for array in arrays)
            raise FirsthandError(
                f"{name}: arrays {found} found, inputs, lengths (n,) and digits (n, {self.longest}) expected"
            )
        check_inputs(network, examples, name)
        if network.output_shape != (outputs_of_numbers(self.longest),):
            raise FirsthandError(
                f"network: its output has shape {network.output_shape}, expected "
                f"({outputs_of_numbers(self.longest)},): 0 to {self.longest} digits, and ten values for each place"
            )

    def outputs(self, examples: Examples) -> int | None:
        return outputs_of_numbers(self.longest)

    def model(self, network: Network, params: Any, examples: Examples, provenance: dict[str, Any]) -> NumberModel:
        return NumberModel(network, params, self.longest, provenance)
