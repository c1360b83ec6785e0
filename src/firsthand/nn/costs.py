"""Cost functions: how far an output layer is from the labels, one number per example.

All take the *weighted inputs* z of the output layer and its activation, not the outputs a = activation(z): in
terms of z the logarithms cancel against the exponentials, so that no cost overflows, and none is stuck at log(0)
when a unit saturates.  Labels are integers; the one-hot targets y of the formulas are made here and nowhere else.

The mean over a mini-batch, and with it the factor 1/n of the book, is taken by whoever calls.
"""

from collections.abc import Callable
from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jax import Array

from .activations import sigmoid, softmax

__all__ = ["Cost", "Smoothed", "cross_entropy", "log_likelihood", "quadratic"]

Activation = Callable[[Array], Array]
Cost = Callable[[Array, Array, Activation], Array]


def quadratic(z: Array, labels: Array, activation: Activation) -> Array:
    """The quadratic cost C = 1/2 ||y - a||^2, with a = activation(z).

    Args:
        z: weighted inputs of the output layer, (batch, classes).
        labels: integers below `classes`, (batch,).
        activation: that of the output layer; any.
    Returns:
        One cost per example, (batch,).
    References:
        Nielsen, chapter 2, equation (26).
    """
    y = jax.nn.one_hot(labels, z.shape[-1], dtype=z.dtype)  # (batch, classes)
    return 0.5 * jnp.sum((y - activation(z)) ** 2, axis=-1)


def cross_entropy(z: Array, labels: Array, activation: Activation = sigmoid) -> Array:
    """The cross-entropy C = -sum_j [y_j ln a_j + (1 - y_j) ln(1 - a_j)] of sigmoid outputs a = sigmoid(z).

    Computed as sum_j [softplus(z_j) - y_j z_j], the same number: ln a = z - softplus(z), ln(1 - a) = -softplus(z).

    Args:
        z: weighted inputs of the output layer, (batch, classes).
        labels: integers below `classes`, (batch,).
        activation: must be `sigmoid`.
    Returns:
        One cost per example, (batch,).
    Raises:
        ValueError: the output layer is not sigmoid, so that the formula would not be its cost.
    References:
        Nielsen, chapter 3, equation (63).
    """
    if activation is not sigmoid:
        raise ValueError(f"cost cross_entropy needs sigmoid outputs, got {activation.__name__}")
    y = jax.nn.one_hot(labels, z.shape[-1], dtype=z.dtype)  # (batch, classes)
    return jnp.sum(jax.nn.softplus(z) - y * z, axis=-1)


def log_likelihood(z: Array, labels: Array, activation: Activation = softmax) -> Array:
    """The log-likelihood cost C = -ln a_y of softmax outputs a = softmax(z), y being the label.

    Args:
        z: weighted inputs of the output layer, (batch, classes).
        labels: integers below `classes`, (batch,).
        activation: must be `softmax`.
    Returns:
        One cost per example, (batch,).
    Raises:
        ValueError: the output layer is not softmax, so that the formula would not be its cost.
    References:
        Nielsen, chapter 3, equation (80).
    """
    if activation is not softmax:
        raise ValueError(f"cost log_likelihood needs softmax outputs, got {activation.__name__}")
    y = jax.nn.one_hot(labels, z.shape[-1], dtype=z.dtype)  # (batch, classes)
    return -jnp.sum(y * jax.nn.log_softmax(z, axis=-1), axis=-1)


@dataclass(frozen=True)
class Smoothed:
    """A cost with smoothed labels: the target of K classes is (1 - smoothing) y + smoothing / K instead of y.

    It is taken as the mean of the cost over labels drawn so.  For the two costs with logarithms that is the cost of
    the smoothed target; for the quadratic cost it differs by a number that does not depend on z.

    Args:
        cost: of the labels as they are.
        smoothing: share of the target that is spread over all classes, in [0, 1).
    References:
        Szegedy et al. 2016, 'Rethinking the Inception Architecture', section 7.
    """

    cost: Cost
    smoothing: float

    def __call__(self, z: Array, labels: Array, activation: Activation) -> Array:
        """One cost per example, (batch,), for weighted inputs z (batch, classes)."""

        def of_class(k: Array) -> Array:
            return self.cost(z, jnp.full_like(labels, k), activation)

        spread = jnp.mean(jax.vmap(of_class)(jnp.arange(z.shape[-1])), axis=0)  # (batch,)
        return (1 - self.smoothing) * self.cost(z, labels, activation) + self.smoothing * spread
