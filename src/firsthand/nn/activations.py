"""Activation functions: what a unit does with its weighted input z.

Each is a plain function of an array, applied unit by unit; `softmax` alone looks at a whole layer.
"""

import jax
import jax.numpy as jnp
from jax import Array

__all__ = ["gelu", "linear", "relu", "sigmoid", "softmax", "tanh"]


def linear(z: Array) -> Array:
    """The identity, a = z.

    Args:
        z: weighted inputs, any shape.
    Returns:
        Activations, the same shape.
    """
    return z


def sigmoid(z: Array) -> Array:
    """The logistic function, a = 1 / (1 + e^-z), with values in (0, 1).

    Args:
        z: weighted inputs, any shape; large values of either sign saturate without overflow.
    Returns:
        Activations, the same shape.
    References:
        Nielsen, chapter 1, equation (3).
    """
    return jax.nn.sigmoid(z)


def tanh(z: Array) -> Array:
    """The hyperbolic tangent, a = (e^z - e^-z) / (e^z + e^-z), with values in (-1, 1).

    It is a rescaled sigmoid: sigmoid(z) = (1 + tanh(z/2)) / 2.

    Args:
        z: weighted inputs, any shape.
    Returns:
        Activations, the same shape.
    References:
        Nielsen, chapter 3, equations (109) to (111).
    """
    return jnp.tanh(z)


def relu(z: Array) -> Array:
    """The rectified linear unit, a = max(0, z), with slope 0 at z = 0.

    Args:
        z: weighted inputs, any shape.
    Returns:
        Activations, the same shape.
    References:
        Nielsen, chapter 3, equation (112).
    """
    return jax.nn.relu(z)


def gelu(z: Array) -> Array:
    """The Gaussian error linear unit, a = z Phi(z), Phi being the distribution function of N(0, 1).

    Args:
        z: weighted inputs, any shape.
    Returns:
        Activations, the same shape.
    References:
        Hendrycks and Gimpel 2016, 'Gaussian Error Linear Units'.
    """
    return jax.nn.gelu(z, approximate=False)


def softmax(z: Array) -> Array:
    """Positive activations that sum to one: a_j = e^{z_j} / sum_k e^{z_k}.

    The largest z_k is subtracted from all first, which changes nothing and keeps e^z finite.

    Args:
        z: weighted inputs; the last axis is the layer.
    Returns:
        Activations, the same shape, each layer summing to 1.
    References:
        Nielsen, chapter 3, equation (78).
    """
    return jax.nn.softmax(z, axis=-1)
