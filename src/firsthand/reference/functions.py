"""Activation functions and cost functions, each with the derivative that backpropagation needs of it.

Everywhere in the reference an example is a column, as in the book: z, a and y are (j, m), j neurons and m examples,
m = 1 being the book's single training example x.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

__all__ = [
    "CROSS_ENTROPY",
    "LINEAR",
    "LOG_LIKELIHOOD",
    "QUADRATIC",
    "RELU",
    "SIGMOID",
    "SOFTMAX",
    "TANH",
    "Activation",
    "Cost",
    "sigmoid",
    "sigmoid_prime",
    "softmax",
]

Array = np.ndarray

# for a single example the way to NumPy takes longer than its work: looking names up in it, and making arrays of
# Python's numbers
_exp, _maximum, _reciprocal = np.exp, np.maximum, np.reciprocal
_LEAST, _ONE = np.array(-709.0), np.array(1.0)


def sigmoid(z: Array) -> Array:
    """sigma(z) = 1 / (1 + e^-z), equation (3)."""
    # e^709 is about the largest number there is; below z = -709, sigma is 0 in its first 308 digits anyway
    e = _exp(-_maximum(z, _LEAST))
    e += _ONE
    return _reciprocal(e)


def sigmoid_prime(z: Array) -> Array:
    """sigma'(z) = sigma(z) (1 - sigma(z))."""
    a = sigmoid(z)
    return a * (_ONE - a)


def softmax(z: Array) -> Array:
    """a_j = e^{z_j} / sum_k e^{z_k}, equation (78), for every column."""
    # subtracting the largest z from all changes nothing and keeps e^z finite
    e = np.exp(z - np.max(z, axis=0))
    return e / np.sum(e, axis=0)


class Activation(NamedTuple):
    """A function of weighted inputs, and the way back through it.

    `back(a, nabla_a)` turns dC/da into delta = dC/dz: it is nabla_a * sigma'(z) where every neuron has its own
    function, and the matrix Sigma'(z) of equation (33) where it has not, as in a softmax layer.  Each of these
    slopes can be told from the activation a = sigma(z) alone, which saves computing sigma again.
    """

    forward: Callable[[Array], Array]
    back: Callable[[Array, Array], Array]


def _softmax_back(a: Array, nabla_a: Array) -> Array:
    # da_j/dz_k = a_j ([j = k] - a_k), so that dC/dz_k = a_k (dC/da_k - sum_j a_j dC/da_j)
    return a * (nabla_a - np.sum(a * nabla_a, axis=0))


SIGMOID = Activation(sigmoid, lambda a, nabla_a: nabla_a * (a * (1 - a)))
TANH = Activation(np.tanh, lambda a, nabla_a: nabla_a * (1 - a**2))
RELU = Activation(lambda z: np.maximum(z, 0.0), lambda a, nabla_a: nabla_a * (a > 0))
LINEAR = Activation(lambda z: z, lambda a, nabla_a: nabla_a)
SOFTMAX = Activation(softmax, _softmax_back)


class Cost(NamedTuple):
    """A cost function C = sum_x C_x, and the error of the output layer that it causes.

    `fn(a, y)` is the sum over the examples (the mean, the 1/n of the book, is taken by whoever calls), and
    `delta(z, a, y, activation)` is dC_x/dz for each of them, equation (BP1).
    """

    fn: Callable[[Array, Array], float]
    delta: Callable[[Array, Array, Array, Activation], Array]


def _quadratic(a: Array, y: Array) -> float:
    """1/2 ||y - a||^2, equation (27)."""
    return 0.5 * float(np.sum((a - y) ** 2))


def _cross_entropy(a: Array, y: Array) -> float:
    """-sum_j [y_j ln a_j + (1 - y_j) ln(1 - a_j)], equation (63)."""
    # 0 ln 0 is 0 here, which NumPy calls NaN; a saturated neuron that is wrong costs the largest number there is,
    # and two of them infinitely much
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return float(np.sum(np.nan_to_num(-y * np.log(a) - (1 - y) * np.log(1 - a))))


def _log_likelihood(a: Array, y: Array) -> float:
    """-ln a_y, equation (80); y is one-hot here, and picks the output of the label."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return float(np.sum(np.nan_to_num(-y * np.log(a))))


# (BP1) with nabla_a = a - y, equation (30)
QUADRATIC = Cost(_quadratic, lambda z, a, y, activation: activation.back(a, a - y))
# For these two, the cost's derivative cancels the activation's: equations (66) and (84).  They hold for sigmoid
# and for softmax outputs respectively, which is why neurons that are badly wrong learn fast with them.
CROSS_ENTROPY = Cost(_cross_entropy, lambda z, a, y, activation: a - y)
LOG_LIKELIHOOD = Cost(_log_likelihood, lambda z, a, y, activation: a - y)
