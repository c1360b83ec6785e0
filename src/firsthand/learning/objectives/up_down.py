"""Fine-tuning a deep belief net to generate: the up-down algorithm, a contrastive wake and sleep."""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from firsthand.data import Examples
from firsthand.errors import FirsthandError
from firsthand.nn import RBM, Network, statistics_of

from ..objective import Batch
from .contrastive_divergence import ContrastiveDivergence, divergence, gibbs, machine_of

__all__ = ["UpDown"]


@dataclass(frozen=True)
class UpDown(ContrastiveDivergence):
    """Fine-tune the machines of a deep belief net together: those below the top are `untied`.

        up      draw the states of all layers from an example; the weights that lead down learn to predict each layer
                from the one above it:          dC/dD = -h^T (v - sigmoid(h D + c))
        top     k steps of Gibbs sampling, which begin there, with the label, or, persistent, where those of the last
                step ended: contrastive divergence
        down    draw the states of all layers from what those steps ended with; the weights that lead up learn to
                predict each layer from the one below:   dC/dW = -v^T (h - sigmoid(v W + b))

    Args:
        k: steps of Gibbs sampling at the top; 3, 6 and 10 in the source.
        persistent: continue the `chains` of the machine at the top, which the source does not.
    References:
        Hinton, Osindero and Teh 2006, 'A Fast Learning Algorithm for Deep Belief Nets', section 5 and appendix B.
    """

    k: int = 3

    def gradient(
        self, network: Network, params: Any, batch: Batch, weights: Array, *, key: Array
    ) -> tuple[Array, list[Array], Any]:
        top, below = machine_of(network), _untied(network)
        counts = weights[:, None]
        found: list[dict[str, Array]] = [jax.tree.map(jnp.zeros_like, dict(p)) for p in params]
        keys = jax.random.split(key, 2 * len(below) + 1)

        # up: states v_0, v_1, ... of which each is drawn given the one before
        states = [network.as_float(batch[0], params).reshape(len(batch[0]), -1)]
        for layer, p, drawn in zip(below, params, keys[: len(below)], strict=False):
            states.append(layer.draw_hidden(p, states[-1], drawn))
        for number, (layer, p) in enumerate(zip(below, params, strict=False)):
            v, h = states[number], states[number + 1]
            error = counts * (v - layer.visible_means(p, h))
            found[number]["down"] = -h.T @ error
            found[number]["visible_bias"] = -jnp.sum(error, axis=0)
        cost = jnp.sum(counts * (states[0] - below[0].visible_means(params[0], states[1])) ** 2)

        v = top.seen_with(states[-1], batch[1] if top.labels else None)
        start, of_end = self.start(top, params[-1], v, weights)
        end, _ = gibbs(top, params[-1], start, self.k, keys[-1], states=True)
        found[-1] = divergence(top, params[-1], v, weights, end, of_end)
        updated = {**params[-1], "chains": end} if self.persistent else params[-1]

        # down, from what the machine at the top has come to
        v = end[:, : end.shape[1] - top.labels]
        for number in reversed(range(len(below))):
            layer, p, h = below[number], params[number], v
            means = layer.visible_means(p, h)
            v = layer.draw_visible(means, keys[len(below) + number]) if number else means
            error = of_end[:, None] * (h - layer.hidden(p, v))
            found[number]["weights"] = -v.T @ error
            found[number]["bias"] = -jnp.sum(error, axis=0)
        return cost, statistics_of((*params[:-1], updated)), tuple(found)

    def check(self, network: Network, examples: Examples, name: str) -> None:
        super().check(network, examples, name)
        _untied(network)


def _untied(network: Network) -> tuple[RBM, ...]:
    """The machines below the top."""
    below = tuple(layer for layer in network.layers[:-1] if isinstance(layer, RBM) and layer.untied and layer.binary)
    if not below or len(below) < len(network.layers) - 1:
        raise FirsthandError("network: up-down learning expects binary RBMs that are untied below the one at the top")
    return below
