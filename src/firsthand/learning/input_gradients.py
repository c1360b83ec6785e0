"""The gradient of an objective with respect to what goes in: which change of an example changes its cost most."""

from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from firsthand.data import Examples
from firsthand.errors import FirsthandError
from firsthand.models.outputs import in_chunks
from firsthand.nn import Network

from .objective import Batch, Objective

__all__ = ["input_gradients"]


def input_gradients(
    network: Network, params: Any, examples: Examples | tuple[Array | np.ndarray, ...], objective: Objective
) -> np.ndarray:
    """Return dC_x/dx for every example x, C_x being its cost when the network is used (without dropout).

    Args:
        network, params: of a model or a training.
        examples: whose inputs are pixels or floats, or their arrays.
        objective: whose cost it is: the quantity 'cost' of `Objective.measure`.
    Returns:
        Floats (n, *input_shape); of pixels, with respect to their values between 0 and 1.
    Raises:
        FirsthandError: examples that do not fit the network; symbols, which have no neighbours.

    Examples:
        >>> from firsthand import mnist, nn
        >>> from firsthand.learning import Classification
        >>> network = nn.Network((nn.FullyConnected(30), nn.Softmax(10)))
        >>> params = network.init(key=jax.random.key(0))
        >>> input_gradients(network, params, mnist().test[:7], Classification()).shape
        (7, 28, 28, 1)
    """
    if network.layers[0].takes_integers:
        raise FirsthandError(
            f"gradient of inputs: the first layer, {network.layers[0]}, takes symbols, expected numbers"
        )
    if isinstance(examples, Examples):
        objective.check(network, examples, "examples")
        examples = examples.arrays
    return np.asarray(_program(network, objective)(params, tuple(map(jnp.asarray, examples))))


@lru_cache(maxsize=16)
def _program(network: Network, objective: Objective):
    def gradients(params: Any, arrays: Batch) -> Array:
        def of_batch(batch: Batch) -> Array:
            x, *rest = batch

            def total(x: Array) -> Array:
                # costs of different examples do not depend on each other: of the sum, each row is its own gradient
                return jnp.sum(objective.measure(network, params, (x, *rest))["cost"])

            return jax.grad(total)(network.as_float(x, params))

        return in_chunks(of_batch, arrays)

    return jax.jit(gradients)
