"""Layers for the code of an autoencoder: drawn at random, or sparse."""

import math
from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jax import Array

from firsthand.errors import FirsthandError

from ..layer import Layer, Params, Shape
from ..windows import Field, whole

__all__ = ["GaussianCode", "Sparsity"]

_LEAST = 1e-6  # of a mean activation, so that its logarithm stays finite


@dataclass(frozen=True)
class GaussianCode(Layer):
    """A code drawn from the normal distribution whose mean m and log variance s enter: (2 units,) -> (units,).

        z = m + e^{s/2} * noise in training, z = m in use
        D = -1/2 sum_j (1 + s_j - m_j^2 - e^{s_j}), the divergence KL(N(m, e^s) || N(0, 1)) in nat

    In training the layer reports D beside its output: added to the cost of a reconstruction, it makes of an autoencoder
    a variational one, whose codes are distributed nearly like N(0, 1), so that its decoder draws what no encoder saw.
    The first half of the inputs are the means, the second half the log variances.

    References:
        Kingma and Welling 2014, 'Auto-Encoding Variational Bayes', equation (10) and appendix B.
    """

    def output_shape(self, input_shape: Shape) -> Shape:
        if len(input_shape) != 1 or input_shape[0] % 2:
            raise self._refuse(input_shape, "(2 units,): means and log variances")
        return (input_shape[0] // 2,)

    def apply(self, params: Params, x: Array, *, key: Array | None = None, train: bool = False) -> Array:
        mean, log_variance = jnp.split(x, 2, axis=-1)
        if not train:
            return mean
        if key is None:
            raise ValueError("GaussianCode: training needs a key, got None")
        return mean + jnp.exp(log_variance / 2) * jax.random.normal(key, mean.shape, mean.dtype)

    def side(self, params: Params, x: Array, *, key: Array | None = None) -> tuple[Array, Params]:
        mean, log_variance = jnp.split(x, 2, axis=-1)
        return -0.5 * jnp.sum(1 + log_variance - mean**2 - jnp.exp(log_variance), axis=-1), params

    def seen(self, field: Field, input_shape: Shape) -> Field | None:
        return whole(input_shape)


@dataclass(frozen=True)
class Sparsity(Layer):
    """The input, handed on as it is; and in training a penalty on units that are on too often or too seldom:

        P = strength sum_j [r ln(r / r_j) + (1 - r) ln((1 - r) / (1 - r_j))],   r_j the mean of unit j in the mini-batch

    It stands behind sigmoid units.  Added to the cost of a reconstruction, it makes of an autoencoder a sparse one,
    each of whose units waits for something rare.

    Args:
        active: r, the share of the examples for which a unit is to be on.
        strength: factor of the penalty.
    Raises:
        FirsthandError: a share that is not between 0 and 1, or a negative strength.
    References:
        Lee, Ekanadham and Ng 2008, 'Sparse deep belief net model for visual area V2'; Ng 2011, 'Sparse autoencoder'.
    """

    active: float = 0.05
    strength: float = 1.0

    def __post_init__(self) -> None:
        if not 0 < self.active < 1:
            raise FirsthandError(f"Sparsity: active is {self.active}, expected a share between 0 and 1")
        if not (math.isfinite(self.strength) and self.strength >= 0):
            raise FirsthandError(f"Sparsity: strength is {self.strength}, expected 0 or more")

    def apply(self, params: Params, x: Array, *, key: Array | None = None, train: bool = False) -> Array:
        return x

    def side(self, params: Params, x: Array, *, key: Array | None = None) -> tuple[Array, Params]:
        mean = jnp.clip(jnp.mean(x.reshape(len(x), -1), axis=0), _LEAST, 1 - _LEAST)  # (units,)
        r = self.active
        divergence = r * jnp.log(r / mean) + (1 - r) * jnp.log((1 - r) / (1 - mean))
        return jnp.full(len(x), self.strength * jnp.sum(divergence), x.dtype), params

    def seen(self, field: Field, input_shape: Shape) -> Field | None:
        return field
