"""A network on a whole data set: cost, accuracy, outputs.  Every example counts, whatever the batch size."""

from functools import lru_cache, partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from firsthand.nn import Cost, Network

__all__ = ["Score", "classify", "evaluate", "weighted_inputs"]

# large enough to keep the processor busy, small enough that the feature maps of a batch stay in its cache
CHUNK = 100


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


def classify(network: Network, params, images: Array | np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Labels (n,) and outputs a (n, classes) for n inputs, (n, *input_shape).

    The labels are those of the largest weighted inputs, which do not tie where two sigmoids have saturated at 1.
    """
    labels, outputs, _ = _classify_program(network)(params, jnp.asarray(images))
    return np.asarray(labels), np.asarray(outputs)


def weighted_inputs(network: Network, params, images: Array | np.ndarray) -> np.ndarray:
    """The output layer's weighted inputs z, (n, classes), for n inputs, (n, *input_shape)."""
    return np.asarray(_classify_program(network)(params, jnp.asarray(images))[2])


@lru_cache(maxsize=64)
def _score_program(network: Network, cost: Cost):
    def score(params, images: Array, labels: Array) -> tuple[Array, Array]:
        def chunk(batch: tuple[Array, Array]) -> tuple[Array, Array]:
            x, y = batch
            z = network.weighted_input(params, x)
            return cost(z, y, network.activation), jnp.argmax(z, axis=-1).astype(y.dtype) == y

        costs, correct = _in_chunks(chunk, (images, labels))
        return jnp.sum(costs), jnp.sum(correct)

    return jax.jit(score)


@lru_cache(maxsize=64)
def _classify_program(network: Network):
    def chunk(params, x: Array) -> tuple[Array, Array, Array]:
        z = network.weighted_input(params, x)
        return jnp.argmax(z, axis=-1), network.activation(z), z

    return jax.jit(lambda params, images: _in_chunks(partial(chunk, params), images))


def _in_chunks(function, batch):
    """A function of a batch over CHUNK examples at a time, and over what is left; the results in one row."""
    n = len(jax.tree.leaves(batch)[0])
    whole = n // CHUNK * CHUNK
    results = []
    if whole:
        chunks = jax.tree.map(lambda a: a[:whole].reshape(-1, CHUNK, *a.shape[1:]), batch)
        mapped = jax.lax.map(function, chunks)
        results.append(jax.tree.map(lambda a: a.reshape(-1, *a.shape[2:]), mapped))
    if n - whole:
        results.append(function(jax.tree.map(lambda a: a[whole:], batch)))
    return jax.tree.map(lambda *parts: jnp.concatenate(parts), *results)
