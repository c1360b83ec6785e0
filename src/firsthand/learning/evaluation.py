"""A network on a whole data set: cost, accuracy, outputs.  Every example counts, whatever the batch size."""

from functools import lru_cache
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from firsthand.models.outputs import in_chunks
from firsthand.nn import Cost, Network

__all__ = ["Score", "evaluate"]


class Score(NamedTuple):
    """What `evaluate` finds."""

    cost: float  # mean over the examples, without penalties
    accuracy: float  # share of the examples whose largest output is at the label
    correct: int
    n: int


def evaluate(network: Network, params, images: Array, labels: Array, cost: Cost) -> Score:
    """Mean cost and accuracy over a data set.

    Args:
        network, params: what to evaluate.
        images: (n, *input_shape), pixels 0..255 as integers or values as floats.
        labels: integers, (n,).
        cost: a cost function of `firsthand.nn`.
    Returns:
        A `Score`.
    """
    total, correct = _score_program(network, cost)(params, images, labels)
    n = len(labels)
    return Score(float(total) / n, int(correct) / n, int(correct), n)


@lru_cache(maxsize=64)
def _score_program(network: Network, cost: Cost):
    def score(params, images: Array, labels: Array) -> tuple[Array, Array]:
        def chunk(batch: tuple[Array, Array]) -> tuple[Array, Array]:
            x, y = batch
            z = network.weighted_input(params, x)
            return cost(z, y, network.activation), jnp.argmax(z, axis=-1).astype(y.dtype) == y

        costs, correct = in_chunks(chunk, (images, labels))
        return jnp.sum(costs), jnp.sum(correct)

    return jax.jit(score)
