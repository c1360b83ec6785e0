"""A network on any number of inputs, a chunk at a time: labels, outputs, weighted inputs."""

from functools import lru_cache, partial

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from firsthand.nn import Network

__all__ = ["classify", "in_chunks", "weighted_inputs"]

# large enough to keep the processor busy, small enough that the feature maps of a batch stay in its cache
CHUNK = 100


def classify(network: Network, params, images: Array | np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Labels (n,) and outputs a (n, classes) for n inputs, (n, *input_shape).

    The labels are those of the largest weighted inputs, which do not tie where two sigmoids have saturated at 1.
    """
    labels, outputs, _ = _classify_program(network)(params, images)
    return np.asarray(labels), np.asarray(outputs)


def weighted_inputs(network: Network, params, images: Array | np.ndarray) -> np.ndarray:
    """The output layer's weighted inputs z, (n, classes), for n inputs, (n, *input_shape)."""
    return np.asarray(_classify_program(network)(params, images)[2])


@lru_cache(maxsize=64)
def _classify_program(network: Network):
    def chunk(params, x: Array) -> tuple[Array, Array, Array]:
        z = network.weighted_input(params, x)
        return jnp.argmax(z, axis=-1), network.activation(z), z

    return jax.jit(lambda params, images: in_chunks(partial(chunk, params), images))


def in_chunks(function, batch):
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
