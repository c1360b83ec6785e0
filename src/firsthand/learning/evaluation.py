"""A network on a whole data set: the quantities that it is judged by.

Every example counts, whatever the batch size.
"""

from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from firsthand.models.outputs import in_chunks
from firsthand.nn import Network

from .objective import Objective

__all__ = ["evaluate"]


def evaluate(network: Network, params: Any, arrays: tuple[Array, ...], objective: Objective) -> dict[str, float]:
    """Return the objective's quantities over a data set, by name.

    Args:
        network, params: what to evaluate.
        arrays: of the examples, each (n, ...): see `Examples.arrays`.
        objective: what the network is for.
    Returns:
        Each quantity, without penalties: {'perplexity': 5.03, 'cost': 1.62}.
    """
    totals = _score_program(network, objective)(params, arrays)
    n = len(arrays[0])
    return objective.scores({name: total.item() / n for name, total in totals.items()})


@lru_cache(maxsize=64)
def _score_program(network: Network, objective: Objective):
    def totals(params: Any, arrays: tuple[Array, ...]) -> dict[str, Array]:
        found = in_chunks(lambda batch: objective.measure(network, params, batch), arrays)
        return {name: jnp.sum(values) for name, values in found.items()}

    return jax.jit(totals)
