"""The layer that can be run backwards: a restricted Boltzmann machine."""

import math
from dataclasses import dataclass
from typing import Literal

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import DTypeLike

from firsthand.errors import FirsthandError

from ..activations import linear, sigmoid
from ..initializers import hinton
from ..layer import Params, Shape
from ..names import Named, initializer_named
from .common import weights_and_bias
from .dense import FullyConnected

__all__ = ["RBM"]


@dataclass(frozen=True)
class RBM(FullyConnected):
    """A restricted Boltzmann machine: visible units v, hidden units h, and no connection within either kind.

        E(v, h) = -c.v - b.h - v W h,   p(v, h) = e^{-E(v, h)} / Z
        p(h_j = 1 | v) = sigmoid(v W + b)_j,   p(v_i = 1 | h) = sigmoid(W h + c)_i
        F(v) = -c.v - sum_j ln(1 + e^{(v W + b)_j}),   so that p(v) = e^{-F(v)} / Z

    Upwards, as a layer of a network, it is `FullyConnected` and gives the probabilities of its hidden units; downwards
    it draws what it has learned to see.  Gaussian units have variance 1: visible ones (v - c)^2 / 2 in the place of
    -c v, and the mean W h + c; hidden ones (activation linear) (h - b)^2 / 2 and the mean v W + b.

    Args:
        units: number of hidden units.
        activation: sigmoid for binary hidden units, linear for Gaussian ones.
        visible: the kind of the visible units; binary ones may hold probabilities.
        labels: number of label units beside the visible ones, of which one is on: p(y | h) is their softmax.  Without a
            label they are all off.
        chains: of persistent contrastive divergence, kept among the parameters as 'chains'.
        untied: weights of its own downwards, 'down' (units, inputs), as up-down learning needs them.
    Raises:
        FirsthandError: a kind of units that there is not, or labels on a layer with weights of its own downwards.
    References:
        Smolensky 1986; Hinton 2002, 'Training Products of Experts by Minimizing Contrastive Divergence'; Hinton,
        Osindero and Teh 2006, 'A Fast Learning Algorithm for Deep Belief Nets' (labels, untied weights).
    """

    weights_init: Named = Named(initializer_named, hinton)
    visible: Literal["binary", "gaussian"] = "binary"
    labels: int = 0
    chains: int = 0
    untied: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.visible not in ("binary", "gaussian"):
            raise FirsthandError(f"RBM: visible is {self.visible!r}, expected 'binary' or 'gaussian'")
        if self.activation not in (sigmoid, linear):
            raise FirsthandError(f"RBM: activation is {self.activation.__name__}, expected sigmoid or linear")
        if min(self.labels, self.chains) < 0:
            raise FirsthandError(f"RBM: labels are {self.labels} and chains {self.chains}, expected 0 or more")
        if self.untied and self.labels:
            raise FirsthandError("RBM: labels found on a layer that is untied, expected on the layer at the top alone")

    @property
    def binary(self) -> bool:
        """True if the hidden units are binary."""
        return self.activation is sigmoid

    def init(self, input_shape: Shape, dtype: DTypeLike = jnp.float32, *, key: Array) -> Params:
        n_in = math.prod(input_shape)
        seen = n_in + self.labels
        params = weights_and_bias(self, (seen, self.units), seen, self.units, dtype, key)
        params["visible_bias"] = jnp.zeros(seen, dtype)
        if self.chains:
            # anywhere: from units that are all off a machine gets away only slowly
            start = jax.random.bernoulli(jax.random.fold_in(key, 1), 0.5, (self.chains, seen))
            params["chains"] = start.astype(dtype)
        if self.untied:
            params["down"] = params["weights"].T
        return params

    def weighted_input(self, params: Params, x: Array) -> Array:
        x, weights = rows(x), params["weights"]
        return x @ (weights[: x.shape[1]] if self.labels else weights) + params["bias"]

    def output_shape(self, input_shape: Shape) -> Shape:
        super().output_shape(input_shape)
        return (self.units,)

    def multiplies_once(self, *keys: str) -> bool:
        return keys == ("weights",) and not self.labels

    def seen_with(self, x: Array, labels: Array | None = None) -> Array:
        """Return the visible units (batch, inputs + labels) of inputs (batch, ...) and labels (batch,), or none."""
        x = rows(x)
        if not self.labels:
            return x
        if labels is None:
            return jnp.concatenate([x, jnp.zeros((len(x), self.labels), x.dtype)], axis=1)
        return jnp.concatenate([x, jax.nn.one_hot(labels, self.labels, dtype=x.dtype)], axis=1)

    def hidden(self, params: Params, v: Array) -> Array:
        """The means of the hidden units given the visible ones, (batch, inputs + labels) -> (batch, units)."""
        return self.activation(v @ params["weights"] + params["bias"])

    def visible_means(self, params: Params, h: Array) -> Array:
        """The means of the visible units given the hidden ones, (batch, units) -> (batch, inputs + labels)."""
        z = h @ (params["down"] if self.untied else params["weights"].T) + params["visible_bias"]
        n_in = z.shape[1] - self.labels
        means = z[:, :n_in] if self.visible == "gaussian" else jax.nn.sigmoid(z[:, :n_in])
        return jnp.concatenate([means, jax.nn.softmax(z[:, n_in:])], axis=1) if self.labels else means

    def draw_hidden(self, params: Params, v: Array, key: Array) -> Array:
        """States of the hidden units, drawn given the visible ones."""
        means = self.hidden(params, v)
        return _bernoulli(means, key) if self.binary else means + jax.random.normal(key, means.shape, means.dtype)

    def draw_visible(self, means: Array, key: Array) -> Array:
        """States of the visible units, drawn by their means (batch, inputs + labels)."""
        n_in = means.shape[1] - self.labels
        own = means[:, :n_in]
        if self.visible == "gaussian":
            states = own + jax.random.normal(key, own.shape, own.dtype)
        else:
            states = _bernoulli(own, key)
        if not self.labels:
            return states
        drawn = jax.random.categorical(jax.random.fold_in(key, 1), jnp.log(means[:, n_in:]))
        return jnp.concatenate([states, jax.nn.one_hot(drawn, self.labels, dtype=means.dtype)], axis=1)

    def energy(self, params: Params, v: Array, h: Array) -> Array:
        """E(v, h) of states, (batch,)."""
        b = params["bias"]
        of_hidden = -h @ b if self.binary else 0.5 * jnp.sum((h - b) ** 2, axis=1)
        return self._of_visible(params, v) + of_hidden - jnp.sum((v @ params["weights"]) * h, axis=1)

    def free_energy(self, params: Params, v: Array) -> Array:
        """F(v) = -ln sum_h e^{-E(v, h)}, (batch, inputs + labels) -> (batch,)."""
        b = params["bias"]
        return self._of_visible(params, v) - self.log_sum(v @ params["weights"] + b, b)

    def log_sum(self, z: Array, b: Array) -> Array:
        """ln sum_h e^{b.h + v W h} over all states of the hidden units, from z = v W + b: (..., units) -> (...)."""
        if self.binary:
            return jnp.sum(jax.nn.softplus(z), axis=-1)
        # the integral over h of e^{-(h - b)^2/2 + h (z - b)}
        return jnp.sum(0.5 * (z**2 - b**2), axis=-1) + 0.5 * self.units * math.log(2 * math.pi)

    def _of_visible(self, params: Params, v: Array) -> Array:
        """The part of the energy that the visible units have by themselves, (batch,)."""
        c = params["visible_bias"]
        if self.visible == "binary":
            return -v @ c
        n_in = v.shape[1] - self.labels
        return 0.5 * jnp.sum((v[:, :n_in] - c[:n_in]) ** 2, axis=1) - v[:, n_in:] @ c[n_in:]


def rows(x: Array) -> Array:
    """Examples of any shape as rows: (batch, ...) -> (batch, values)."""
    return x.reshape(len(x), -1)


def _bernoulli(means: Array, key: Array) -> Array:
    return (jax.random.uniform(key, means.shape, means.dtype) < means).astype(means.dtype)
