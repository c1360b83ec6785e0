"""Naming the next symbol of a sequence."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from firsthand.data import Examples, Sequences
from firsthand.errors import FirsthandError
from firsthand.models import LanguageModel
from firsthand.nn import Network, Params

from ..objective import Batch, Objective, check_inputs
from ..quantity import COST, Quantity

__all__ = ["NextSymbol", "symbol_log_likelihoods"]

BITS = Quantity("bits", "bits per symbol", "每个符号的比特数", "bit", better="lower", digits=3)
PERPLEXITY = Quantity("perplexity", "perplexity", "困惑度", better="lower")
RIGHT = Quantity("right", "next symbols right", "猜对的下一个符号", "%")


@dataclass(frozen=True)
class NextSymbol(Objective):
    """Predict the next symbol at every place of a sequence: the log-likelihood of the text, per symbol.

        C = -1/T sum_t ln a_t[y_t],    bits = C / ln 2,    perplexity = e^C

    The network's output is (time, symbols) with softmax at every place.  Of sequences of different lengths, T is the
    length of each; bits and perplexity are those of all of their symbols together.
    """

    @property
    def quantities(self) -> tuple[Quantity, ...]:
        return BITS, PERPLEXITY, RIGHT, COST

    def costs(
        self, network: Network, params: Any, batch: Batch, *, key: Array | None = None
    ) -> tuple[Array, tuple[Params, ...]]:
        x, targets, lengths = _parts(batch)
        z, updated = network.forward(params, x, key=key, lengths=lengths)  # (batch, time, symbols)
        return _nats(z, targets, lengths), updated

    def costs_from(
        self, network: Network, params: Any, batch: Batch, memory: Any, *, key: Array | None = None
    ) -> tuple[Array, tuple[Params, ...], Any]:
        x, targets, lengths = _parts(batch)
        if lengths is not None:
            raise FirsthandError(
                "recipe: carry_state is True, but the sequences differ in length; pieces of one text expected, of one "
                "length"
            )
        z, after, updated = network.forward_from(params, x, memory, key=key)
        return _nats(z, targets, None), updated, after

    def measure(self, network: Network, params: Any, batch: Batch) -> dict[str, Array]:
        x, targets, lengths = _parts(batch)
        z = network.weighted_input(params, x, lengths=lengths)
        right = jnp.argmax(z, axis=-1).astype(targets.dtype) == targets  # (batch, time)
        cost = _nats(z, targets, lengths)
        if lengths is None:
            return {"cost": cost, "right": jnp.mean(right.astype(jnp.float32), axis=-1)}
        symbols = lengths.astype(cost.dtype)
        hits = jnp.sum((right & _counted(targets, lengths)).astype(cost.dtype), axis=-1)
        return {"cost": cost, "nats": cost * symbols, "hits": hits, "symbols": symbols}

    def scores(self, means: Mapping[str, float]) -> dict[str, float]:
        if "symbols" in means:  # of different lengths: a long sequence has more to say
            nats = means["nats"] / means["symbols"]
            found = {"cost": means["cost"], "right": means["hits"] / means["symbols"]}
            return {**found, "bits": nats / math.log(2), "perplexity": math.exp(min(nats, 700.0))}
        return {**means, "bits": means["cost"] / math.log(2), "perplexity": math.exp(min(means["cost"], 700.0))}

    def check(self, network: Network, examples: Examples, name: str) -> None:
        if not isinstance(examples, Sequences):
            raise FirsthandError(f"{name}: {type(examples).__name__} found, a language model needs sequences")
        check_inputs(network, examples, f"{name}, sequences")
        if examples.lengths is not None:
            network.check_lengths()
        expected = (*examples.example_shape, len(examples.symbols))
        if network.output_shape != expected:
            raise FirsthandError(
                f"network: its output has shape {network.output_shape}, expected {expected}: at each of "
                f"{expected[0]} places a number for each of {expected[1]} symbols"
            )
        if network.activation.__name__ != "softmax":
            raise FirsthandError(
                f"network: its outputs are {network.activation.__name__}, expected softmax: probabilities of symbols"
            )

    def outputs(self, examples: Examples) -> int | None:
        return len(examples.symbols) if isinstance(examples, Sequences) else None

    def model(self, network: Network, params: Any, examples: Examples, provenance: dict[str, Any]) -> LanguageModel:
        assert isinstance(examples, Sequences)
        return LanguageModel(network, params, examples.symbols, provenance)


def symbol_log_likelihoods(z: Array, targets: Array) -> Array:
    """ln softmax(z_t)[y_t]: weighted inputs (batch, time, symbols), targets (batch, time) -> (batch, time)."""
    return jnp.take_along_axis(jax.nn.log_softmax(z, axis=-1), targets[..., None], axis=-1)[..., 0]


def _nats(z: Array, targets: Array, lengths: Array | None) -> Array:
    """-1/T sum_t ln softmax(z_t)[y_t]: (batch,); T is the number of steps, or the length of each sequence."""
    found = symbol_log_likelihoods(z, targets)
    if lengths is None:
        return -jnp.mean(found, axis=-1)
    return -jnp.sum(jnp.where(_counted(targets, lengths), found, 0), axis=-1) / lengths.astype(found.dtype)


def _counted(targets: Array, lengths: Array) -> Array:
    """Return whether a place stands before the end of its sequence: (batch, time)."""
    return jnp.arange(targets.shape[1], dtype=lengths.dtype)[None] < lengths[:, None]


def _parts(batch: Batch) -> tuple[Array, Array, Array | None]:
    """Inputs, targets, and the lengths of the sequences where they differ."""
    x, targets, *lengths = batch
    return x, targets, lengths[0] if lengths else None
