"""Answering questions, symbol by symbol."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
from jax import Array

from firsthand.data import Answers, Examples
from firsthand.errors import FirsthandError
from firsthand.models import LanguageModel
from firsthand.nn import Network, Params, softmax

from ..objective import Batch, Objective, check_inputs
from ..quantity import COST, Quantity
from .next_symbol import symbol_log_likelihoods

__all__ = ["Answering"]

RIGHT = Quantity("right", "symbols of answers right", "答案中正确的符号", "%")
WHOLE = Quantity("whole", "whole answers right", "完全正确的答案", "%")


@dataclass(frozen=True)
class Answering(Objective):
    """Say the answer to a question symbol by symbol; what the network says of the question itself is free.

        C = -1/|A| sum_(t in A) ln a_t[y_t],    A being the places whose next symbol belongs to the answer

    A symbol is right if it is the likeliest one after the question and the right symbols before it: so it is counted by
    Zaremba and Sutskever.  A whole answer is right if all of its symbols are, which is so if and only if the network
    writes it by itself, taking the likeliest symbol each time.

    The network's output is (time, symbols) with softmax at every place.

    References:
        Zaremba and Sutskever 2014, 'Learning to Execute', section 4.
    """

    @property
    def quantities(self) -> tuple[Quantity, ...]:
        return RIGHT, WHOLE, COST

    def costs(
        self, network: Network, params: Any, batch: Batch, *, key: Array | None = None
    ) -> tuple[Array, tuple[Params, ...]]:
        x, targets, asked = batch
        z, updated = network.forward(params, x, key=key)  # (batch, time, symbols)
        return _nats(z, targets, asked), updated

    def measure(self, network: Network, params: Any, batch: Batch) -> dict[str, Array]:
        x, targets, asked = batch
        z = network.weighted_input(params, x)
        right = jnp.argmax(z, axis=-1).astype(targets.dtype) == targets  # (batch, time)
        return {
            "cost": _nats(z, targets, asked),
            "whole": jnp.all(right | ~asked, axis=-1).astype(z.dtype),
            "right_symbols": jnp.sum(right & asked, axis=-1).astype(z.dtype),
            "symbols": jnp.sum(asked, axis=-1).astype(z.dtype),
        }

    def scores(self, means: Mapping[str, float]) -> dict[str, float]:
        right = means["right_symbols"] / means["symbols"]
        return {"right": right, "whole": means["whole"], "cost": means["cost"]}

    def check(self, network: Network, examples: Examples, name: str) -> None:
        if not isinstance(examples, Answers):
            raise FirsthandError(f"{name}: {type(examples).__name__} found, questions with answers expected")
        check_inputs(network, examples, name)
        expected = (*examples.example_shape, len(examples.symbols))
        if network.output_shape != expected or network.activation is not softmax:
            raise FirsthandError(
                f"network: its output is {network.activation.__name__} of shape {network.output_shape}, expected "
                f"softmax of shape {expected}: at every step a probability of each symbol"
            )

    def outputs(self, examples: Examples) -> int | None:
        return len(examples.symbols) if isinstance(examples, Answers) else None

    def model(self, network: Network, params: Any, examples: Examples, provenance: dict[str, Any]) -> LanguageModel:
        assert isinstance(examples, Answers)
        return LanguageModel(network, params, examples.symbols, provenance)


def _nats(z: Array, targets: Array, asked: Array) -> Array:
    """The mean of -ln softmax(z_t)[y_t] over what is asked: (batch, time, symbols), (batch, time) twice -> (batch,)."""
    counts = asked.astype(z.dtype)
    return -jnp.sum(counts * symbol_log_likelihoods(z, targets), axis=-1) / jnp.sum(counts, axis=-1)
