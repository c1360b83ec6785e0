"""The fully connected network of chapters 2 and 3, with backpropagation written out.

Layer l has weights w^l of shape (j, k) and biases b^l of shape (j, 1), w^l_{jk} leading from neuron k to neuron j.
`weights[0]` and `biases[0]` belong to the first layer after the input.  Examples are columns: x is (k, 1), or
X = [x_1 x_2 ... x_m] of shape (k, m) for a whole mini-batch.

The four equations (delta^l = dC/dz^l is the error of layer l, * the product element by element):

    delta^L = nabla_a C * sigma'(z^L)                        (BP1)
    delta^l = ((w^{l+1})^T delta^{l+1}) * sigma'(z^l)        (BP2)
    dC/db^l_j    = delta^l_j                                 (BP3)
    dC/dw^l_{jk} = a^{l-1}_k delta^l_j                       (BP4)

Read `backprop` first.  `backprop_matrix` answers the chapter's problem 'Fully matrix-based approach to
backpropagation over a mini-batch': the same lines, with the sum over the examples done by the matrix products.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple, Protocol

import numpy as np

from .functions import QUADRATIC, SIGMOID, Activation, Cost, sigmoid, sigmoid_prime

__all__ = [
    "Errors",
    "Gradient",
    "backprop",
    "backprop_matrix",
    "cost_with_penalties",
    "descend",
    "descend_with_momentum",
    "dropout_mask",
    "errors",
    "feedforward",
    "gradient_with_penalties",
    "large_weights",
    "scaled_weights",
    "sgd_step",
]

Array = np.ndarray
Arrays = Sequence[np.ndarray]
Function = Callable[[np.ndarray], np.ndarray]


class Normal(Protocol):
    """A source of standard normal numbers: a `Generator`, a `RandomState`, or `numpy.random` itself."""

    def standard_normal(self, size: Any) -> Any: ...


class Gradient(NamedTuple):
    """dC/db and dC/dw, layer by layer, shaped like the biases and the weights."""

    nabla_b: list[Array]
    nabla_w: list[Array]


def large_weights(sizes: Sequence[int], rng: Normal) -> tuple[list[Array], list[Array]]:
    """Biases and weights from N(0, 1): the choice of chapter 1, which saturates wide layers."""
    biases = [rng.standard_normal((j, 1)) for j in sizes[1:]]
    weights = [rng.standard_normal((j, k)) for k, j in pairwise(sizes)]
    return biases, weights


def scaled_weights(sizes: Sequence[int], rng: Normal) -> tuple[list[Array], list[Array]]:
    """Biases from N(0, 1), weights from N(0, 1/k), k being the neuron's number of inputs: z starts near 1."""
    biases, weights = large_weights(sizes, rng)
    return biases, [w / np.sqrt(w.shape[1]) for w in weights]


def feedforward(weights: Arrays, biases: Arrays, a: Array, sigma: Function = sigmoid) -> Array:
    """The output of a network of sigmoid neurons, equation (25): a^l = sigma(w^l a^{l-1} + b^l).

    Args:
        weights, biases: of the layers.
        a: the input, (k, m).
        sigma: the activation function.
    Returns:
        The output, (j, m).
    """
    for w, b in zip(weights, biases, strict=True):
        a = sigma(w @ a + b)
    return a


def backprop(
    weights: Arrays,
    biases: Arrays,
    x: Array,
    y: Array,
    cost: Cost = QUADRATIC,
    sigma: Function = sigmoid,
    sigma_prime: Function = sigmoid_prime,
) -> Gradient:
    """The gradient of C_x for one example, by backpropagation.

    Args:
        weights, biases: of the layers.
        x: the input, (k, 1).
        y: the desired output, (j, 1).
        cost: the cost function.
        sigma, sigma_prime: the activation function, sigmoid unless given, and its slope.
    Returns:
        dC_x/db and dC_x/dw.
    """
    # `np.dot` and not `@`: it makes the product of a column and a row in a third of the time
    # 1. the input
    a = [x]
    zs = []
    # 2. feedforward: z^l = w^l a^{l-1} + b^l and a^l = sigma(z^l)
    for w, b in zip(weights, biases, strict=True):
        zs.append(np.dot(w, a[-1]) + b)
        a.append(sigma(zs[-1]))
    # 3. the output error
    delta = cost.delta(zs[-1], a[-1], y, SIGMOID)  # (BP1)
    nabla_b, nabla_w = [delta], [np.dot(delta, a[-2].T)]  # (BP3), (BP4)
    # 4. backpropagate the error, from the last hidden layer to the first
    for l in range(len(weights) - 2, -1, -1):  # noqa: E741, the book's letter for a layer
        delta = np.dot(weights[l + 1].T, delta) * sigma_prime(zs[l])  # (BP2)
        nabla_b.insert(0, delta)  # (BP3)
        nabla_w.insert(0, np.dot(delta, a[l].T))  # (BP4)
    # 5. the output
    return Gradient(nabla_b, nabla_w)


class Errors(NamedTuple):
    """The values of a mini-batch in each layer, of which its gradient is made."""

    inputs: list[Array]  # a^{l-1}, (k, m)
    deltas: list[Array]  # delta^l, (j, m)

    def gradient(self) -> Gradient:
        """Step 5 for all columns: the gradient of the sum of their C_x."""
        return Gradient(
            [delta.sum(axis=1, keepdims=True) for delta in self.deltas],  # (BP3)
            [delta @ a.T for delta, a in zip(self.deltas, self.inputs, strict=True)],  # (BP4): sums over examples
        )


def errors(
    weights: Arrays,
    biases: Arrays,
    x: Array,
    y: Array,
    cost: Cost = QUADRATIC,
    activations: Sequence[Activation] | None = None,
    masks: Sequence[Array | None] | None = None,
) -> Errors:
    """Steps 2 to 4 of `backprop` for all columns of a mini-batch at once, for any activations, and with dropout.

    Args:
        weights, biases: of the layers.
        x: the inputs, (k, m).
        y: the desired outputs, (j, m).
        cost: the cost function.
        activations: of each layer; sigmoid by default.
        masks: for each layer, None or an array that multiplies what enters it (`dropout_mask`).
    Returns:
        The inputs and the errors of the layers.
    """
    activations = activations or [SIGMOID] * len(weights)
    masks = masks or [None] * len(weights)
    inputs, outputs = [], []
    a = z = x
    for w, b, activation, mask in zip(weights, biases, activations, masks, strict=True):
        inputs.append(a if mask is None else a * mask)
        z = w @ inputs[-1] + b  # (j, m)
        a = activation.forward(z)
        outputs.append(a)

    deltas = [cost.delta(z, a, y, activations[-1])]  # (BP1), (j, m)
    for l in reversed(range(len(weights) - 1)):  # noqa: E741
        nabla_a = weights[l + 1].T @ deltas[0]  # (k, m)
        mask = masks[l + 1]
        if mask is not None:
            nabla_a = nabla_a * mask  # a neuron that was dropped has caused nothing
        deltas.insert(0, activations[l].back(outputs[l], nabla_a))  # (BP2)
    return Errors(inputs, deltas)


def backprop_matrix(
    weights: Arrays,
    biases: Arrays,
    x: Array,
    y: Array,
    cost: Cost = QUADRATIC,
    activations: Sequence[Activation] | None = None,
    masks: Sequence[Array | None] | None = None,
) -> Gradient:
    """The gradient of the sum of C_x over the columns of a mini-batch; arguments as in `errors`."""
    return errors(weights, biases, x, y, cost, activations, masks).gradient()


def dropout_mask(rng: np.random.Generator, shape: tuple[int, ...], p_dropout: float) -> Array:
    """0 with probability p, and otherwise 1/(1 - p).

    The book multiplies by 0 or 1 and, after training, the weights by 1 - p ('halve the weights outgoing from the
    hidden neurons').  Dividing here already gives the same expected weighted input, and leaves the weights alone.
    """
    return (rng.random(shape) >= p_dropout) / (1 - p_dropout)


def cost_with_penalties(c_0: float, weights: Arrays, n: int, l2: float = 0.0, l1: float = 0.0) -> float:
    """C = C_0 + l2/(2n) sum w^2 + l1/n sum |w|, equations (87) and (95); n is the size of the training set."""
    return (
        c_0
        + 0.5 * l2 / n * sum(float(np.sum(w**2)) for w in weights)
        + l1 / n * sum(float(np.sum(np.abs(w))) for w in weights)
    )


def gradient_with_penalties(
    gradient: Gradient, weights: Arrays, m: int, n: int, l2: float = 0.0, l1: float = 0.0
) -> Gradient:
    """The gradient of the regularized mean cost: dC_0/dw + l2/n w + l1/n sgn(w), equations (88) and (96).

    Args:
        gradient: summed over a mini-batch.
        weights: of the layers; biases are not regularized.
        m: examples in the mini-batch.
        n: examples in the training set.
        l2, l1: the two lambdas of the book.
    """
    nabla_w = [nw / m + l2 / n * w + l1 / n * np.sign(w) for nw, w in zip(gradient.nabla_w, weights, strict=True)]
    return Gradient([nb / m for nb in gradient.nabla_b], nabla_w)


def descend(weights: Arrays, biases: Arrays, gradient: Gradient, eta: float) -> tuple[list[Array], list[Array]]:
    """One step of gradient descent, w -> w - eta dC/dw and b -> b - eta dC/db; new weights and new biases."""
    return (
        [w - eta * nw for w, nw in zip(weights, gradient.nabla_w, strict=True)],
        [b - eta * nb for b, nb in zip(biases, gradient.nabla_b, strict=True)],
    )


def descend_with_momentum(
    parameters: Arrays, velocities: Arrays, gradients: Arrays, eta: float, mu: float
) -> tuple[list[Array], list[Array]]:
    """One step with momentum, v -> mu v - eta dC/dw and w -> w + v, equations (107) and (108).

    Returns:
        New parameters and new velocities.
    """
    velocities = [mu * v - eta * g for v, g in zip(velocities, gradients, strict=True)]
    return [p + v for p, v in zip(parameters, velocities, strict=True)], velocities


def sgd_step(
    weights: Arrays,
    biases: Arrays,
    x: Array,
    y: Array,
    eta: float,
    lmbda: float = 0.0,
    n: int = 1,
    cost: Cost = QUADRATIC,
    overwrite: bool = False,
) -> tuple[list[Array], list[Array]]:
    """One step on a mini-batch of m examples, equations (93) and (94), in its fast form, for sigmoid neurons.

    (BP4) and the update with L2 together say

        w -> (1 - eta lmbda / n) w - (eta / m) delta a^T

    which is what the BLAS calls GEMM, C <- beta C + alpha A B: one call per layer does all of it, and the gradient
    never exists in memory.

    Args:
        weights, biases: of the layers.
        x, y: inputs (k, m) and desired outputs (j, m).
        eta, lmbda: learning rate and L2 parameter.
        n: size of the training set.
        cost: the cost function.
        overwrite: let the arrays of the weights become the new ones, which saves a copy of them.
    Returns:
        The new weights and the new biases.
    """
    # imported on use, because it takes longer than NumPy itself
    from scipy.linalg.blas import dgemm  # pyright: ignore[reportAttributeAccessIssue]  made by f2py

    inputs, deltas = errors(weights, biases, x, y, cost)
    m = x.shape[1]
    alpha, beta = -eta / m, 1 - eta * lmbda / n
    # BLAS counts columns first, so that to it these arrays are transposed: w^T <- beta w^T + alpha a delta^T
    return (
        [
            dgemm(alpha, a, delta.T, beta, w.T, overwrite_c=overwrite).T
            for w, a, delta in zip(weights, inputs, deltas, strict=True)
        ],
        [b + alpha * delta.sum(axis=1, keepdims=True) for b, delta in zip(biases, deltas, strict=True)],
    )
