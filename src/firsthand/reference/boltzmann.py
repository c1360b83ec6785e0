"""A restricted Boltzmann machine written out, in float64: energy, probabilities, contrastive divergence, likelihood.

A joint state of visible units v and hidden units h has an energy, and is the likelier the lower that is:

    E(v, h) = -c.v - b.h - v W h,      p(v, h) = e^{-E(v, h)} / Z,      Z = sum_{v, h} e^{-E(v, h)}

No unit is connected with one of its own kind, so that all of one kind are drawn at once, given the other:

    p(h_j = 1 | v) = sigmoid(v W + b)_j,      p(v_i = 1 | h) = sigmoid(W h + c)_i

Summing over the hidden units gives the free energy of what is seen, and with it the likelihood that learning raises:

    F(v) = -c.v - sum_j ln(1 + e^{(v W + b)_j}),      ln p(v) = -F(v) - ln Z
    d ln p(v)/dW = <v h> with v given - <v h> of the machine left to itself

Z has 2^visible terms, so that the second mean is exact for tiny machines only.  Contrastive divergence takes it after k
steps of Gibbs sampling that begin at the data.

Shapes: v (batch, visible), h (batch, hidden), W (visible, hidden), b (hidden,), c (visible,).  Gaussian visible units
of variance 1 have (v - c)^2 / 2 in the place of -c v; their mean given h is W h + c.

References:
    Hinton 2002, 'Training Products of Experts by Minimizing Contrastive Divergence'; Hinton 2010, 'A Practical Guide to
    Training Restricted Boltzmann Machines'.
"""

import itertools
from collections.abc import Iterator

import numpy as np

__all__ = [
    "contrastive_divergence",
    "energy",
    "free_energy",
    "hidden_probabilities",
    "likelihood_gradient",
    "log_likelihood",
    "log_partition",
    "visible_means",
]


def energy(
    v: np.ndarray, h: np.ndarray, W: np.ndarray, b: np.ndarray, c: np.ndarray, gaussian: bool = False
) -> np.ndarray:
    """E(v, h) of states, one number for each: (batch,)."""
    own = 0.5 * np.sum((v - c) ** 2, axis=1) if gaussian else -v @ c
    return own - h @ b - np.sum(v @ W * h, axis=1)


def free_energy(v: np.ndarray, W: np.ndarray, b: np.ndarray, c: np.ndarray, gaussian: bool = False) -> np.ndarray:
    """F(v) = -ln sum_h e^{-E(v, h)}: (batch,)."""
    own = 0.5 * np.sum((v - c) ** 2, axis=1) if gaussian else -v @ c
    return own - np.sum(np.logaddexp(0, v @ W + b), axis=1)


def hidden_probabilities(v: np.ndarray, W: np.ndarray, b: np.ndarray) -> np.ndarray:
    """p(h_j = 1 | v): (batch, hidden)."""
    return _sigmoid(v @ W + b)


def visible_means(h: np.ndarray, W: np.ndarray, c: np.ndarray, gaussian: bool = False) -> np.ndarray:
    """p(v_i = 1 | h), or the means of Gaussian units: (batch, visible)."""
    z = h @ W.T + c
    return z if gaussian else _sigmoid(z)


def contrastive_divergence(
    v: np.ndarray,
    W: np.ndarray,
    b: np.ndarray,
    c: np.ndarray,
    drawn: Iterator[np.ndarray],
    k: int = 1,
    *,
    states: bool = False,
    gaussian: bool = False,
    start: np.ndarray | None = None,
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Estimate the gradient of the mean of -ln p(v), with k steps of Gibbs sampling.

    Args:
        v: data.
        W, b, c: parameters.
        drawn: all randomness: for each step, numbers uniform in [0, 1) for the hidden units, and, where states are
            drawn, the same for the visible ones (normal numbers for Gaussian ones).
        k: steps.
        states: draw the states of the visible units; otherwise their means are handed on, which is less noisy.
        gaussian: the visible units' kind.
        start: where the chains begin, (chains, visible); at the data by default.  Given what an earlier call
            returned, this is persistent contrastive divergence.
    Returns:
        The gradients of W, b and c by name; and the visible units at the chains' ends.
    """
    at = v if start is None else start
    for _ in range(k):
        h = (next(drawn) < hidden_probabilities(at, W, b)).astype(v.dtype)
        means = visible_means(h, W, c, gaussian)
        if not states:
            at = means
        elif gaussian:
            at = means + next(drawn)
        else:
            at = (next(drawn) < means).astype(v.dtype)
    data, model = hidden_probabilities(v, W, b), hidden_probabilities(at, W, b)
    own = (v - c, at - c) if gaussian else (v, at)
    return {
        "W": -(v.T @ data / len(v) - at.T @ model / len(at)),
        "b": -(data.mean(0) - model.mean(0)),
        "c": -(own[0].mean(0) - own[1].mean(0)),
    }, at


def log_partition(W: np.ndarray, b: np.ndarray, c: np.ndarray, gaussian: bool = False) -> float:
    """ln Z, exact, by running through all states of the hidden units: tiny machines only."""
    h = _all_states(len(b))
    if gaussian:  # the integral over v of e^{-(v - c)^2/2 + v.a} is (2 pi)^{n/2} e^{a.c + a.a/2}
        a = h @ W.T
        return _log_sum(h @ b + a @ c + 0.5 * np.sum(a**2, axis=1)) + 0.5 * len(c) * np.log(2 * np.pi)
    return _log_sum(h @ b + np.sum(np.logaddexp(0, h @ W.T + c), axis=1))


def log_likelihood(v: np.ndarray, W: np.ndarray, b: np.ndarray, c: np.ndarray, gaussian: bool = False) -> np.ndarray:
    """ln p(v) = -F(v) - ln Z, exact: (batch,)."""
    return -free_energy(v, W, b, c, gaussian) - log_partition(W, b, c, gaussian)


def likelihood_gradient(v: np.ndarray, W: np.ndarray, b: np.ndarray, c: np.ndarray) -> dict[str, np.ndarray]:
    """The exact gradient of the mean of -ln p(v), for binary units: what contrastive divergence is an estimate of."""
    every = _all_states(len(c))
    p = np.exp(-free_energy(every, W, b, c) - log_partition(W, b, c))  # (2^visible,)
    data, model = hidden_probabilities(v, W, b), hidden_probabilities(every, W, b)
    return {
        "W": -(v.T @ data / len(v) - (p[:, None] * every).T @ model),
        "b": -(data.mean(0) - p @ model),
        "c": -(v.mean(0) - p @ every),
    }


def _all_states(units: int) -> np.ndarray:
    """Every state of some binary units: (2^units, units)."""
    return np.array(list(itertools.product((0.0, 1.0), repeat=units)))


def _log_sum(values: np.ndarray) -> float:
    """ln sum e^values, without overflow."""
    return float(np.logaddexp.reduce(values))


def _sigmoid(z: np.ndarray) -> np.ndarray:
    return 1.0 / (1.0 + np.exp(-z))
