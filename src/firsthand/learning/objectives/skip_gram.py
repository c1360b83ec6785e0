"""Saying which words stand near a word."""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from firsthand.data import Examples, WordPairs
from firsthand.errors import FirsthandError
from firsthand.models import WordVectors
from firsthand.nn import Embedding, Network, Params, linear

from ..objective import Batch, Objective, check_inputs
from ..quantity import COST, Quantity

__all__ = ["SkipGram"]

NEAR = Quantity("near", "neighbours above noise", "邻词高于噪声词", "%")


@dataclass(frozen=True)
class SkipGram(Objective):
    """Tell the words near a word from words that were drawn at random: skip-gram with negative sampling.

        C = -ln sigma(z_near) - sum_(noise j) ln sigma(-z_j),    z_j = v_word . w_j

    The network is an Embedding, a Flatten and a linear FullyConnected layer with an output for each word, of which only
    those that occur in C are computed.  Judged is how often z of the neighbour is larger than z of one word of noise.

    References:
        Mikolov et al. 2013, 'Distributed Representations of Words and Phrases and their Compositionality',
        equation (4).
    """

    @property
    def quantities(self) -> tuple[Quantity, ...]:
        return COST, NEAR

    def costs(
        self, network: Network, params: Any, batch: Batch, *, key: Array | None = None
    ) -> tuple[Array, tuple[Params, ...]]:
        near, noise = _weighted_inputs(params, batch)
        return jax.nn.softplus(-near) + jnp.sum(jax.nn.softplus(noise), axis=-1), params

    def measure(self, network: Network, params: Any, batch: Batch) -> dict[str, Array]:
        near, noise = _weighted_inputs(params, batch)
        return {
            "cost": jax.nn.softplus(-near) + jnp.sum(jax.nn.softplus(noise), axis=-1),
            "near": jnp.mean((near[:, None] > noise).astype(near.dtype), axis=-1),
        }

    def check(self, network: Network, examples: Examples, name: str) -> None:
        if not isinstance(examples, WordPairs):
            raise FirsthandError(f"{name}: {type(examples).__name__} found, pairs of words expected")
        check_inputs(network, examples, name)
        count = len(examples.words)
        first, last = network.layers[0], network.layers[-1]
        if not isinstance(first, Embedding) or first.symbols != count or len(network.layers) != 3:
            raise FirsthandError(f"network: {network.layers} found, Embedding({count}), Flatten and one more expected")
        if network.output_shape != (count,) or network.activation is not linear:
            raise FirsthandError(f"network: its last layer is {last}, expected a linear one of {count} units")

    def outputs(self, examples: Examples) -> int | None:
        return len(examples.words) if isinstance(examples, WordPairs) else None

    def model(self, network: Network, params: Any, examples: Examples, provenance: dict[str, Any]) -> WordVectors:
        assert isinstance(examples, WordPairs)
        return WordVectors(network, params, examples.words, provenance)


def _weighted_inputs(params: Any, batch: Batch) -> tuple[Array, Array]:
    """z of the neighbours, (batch,), and of the noise, (batch, k)."""
    centres, neighbours, noise = batch
    inner, outer, bias = params[0]["weights"], params[2]["weights"].T, params[2]["bias"]
    v = inner[centres[:, 0]]  # (batch, features)
    asked = jnp.concatenate([neighbours[:, None], noise], axis=1)  # (batch, 1 + k)
    z = jnp.einsum("bf,bkf->bk", v, outer[asked]) + bias[asked]
    return z[:, 0], z[:, 1:]
