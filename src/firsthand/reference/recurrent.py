"""Recurrent networks with backpropagation through time, written out: the equations as in chapter 2, in float64.

A step t has its own error, as a layer has: delta_t = dC/dz_t, z_t being the weighted input of the step.  It is made of
two parts, what the step's own output does to the cost and what it does through the next step's weighted input; the
weights, which all steps share, get the sum of all steps' gradients.
"""

import numpy as np

__all__ = ["lstm", "lstm_backward", "simple", "simple_backward"]


def _sigmoid(z: np.ndarray) -> np.ndarray:
    return 1.0 / (1.0 + np.exp(-z))


def simple(x: np.ndarray, h0: np.ndarray, W: np.ndarray, U: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Elman's network, h_t = tanh(z_t) with z_t = x_t W + h_{t-1} U + b.

    Args:
        x: sequences (batch, time, features); h0: (batch, units); W: (features, units); U: (units, units); b: (units,).
    Returns:
        All states, h_0 included: (batch, time + 1, units).
    """
    states = [h0]
    for t in range(x.shape[1]):
        states.append(np.tanh(x[:, t] @ W + states[-1] @ U + b))
    return np.stack(states, 1)


def simple_backward(
    x: np.ndarray, states: np.ndarray, W: np.ndarray, U: np.ndarray, cost_slope: np.ndarray
) -> dict[str, np.ndarray]:
    """Backpropagation through time.

        delta_t = (dC/dh_t + delta_{t+1} U^T) (1 - h_t^2)                                      (BP1 and BP2 in one)
        dC/db = sum_t delta_t,  dC/dW = sum_t x_t^T delta_t,  dC/dU = sum_t h_{t-1}^T delta_t    (BP3 and BP4)

    Args:
        x, W, U: as for `simple`; states: what it returned.
        cost_slope: dC/dh_t of the outputs by themselves, (batch, time, units).
    Returns:
        The gradients of W, U, b, x and h0, by name.
    """
    found = {"W": np.zeros_like(W), "U": np.zeros_like(U), "b": np.zeros(U.shape[1]), "x": np.zeros_like(x)}
    through_next = np.zeros_like(states[:, 0])  # delta_{t+1} U^T
    for t in reversed(range(x.shape[1])):
        delta = (cost_slope[:, t] + through_next) * (1 - states[:, t + 1] ** 2)
        found["b"] += delta.sum(0)
        found["W"] += x[:, t].T @ delta
        found["U"] += states[:, t].T @ delta
        found["x"][:, t] = delta @ W.T
        through_next = delta @ U.T
    return found | {"h0": through_next}


def lstm(
    x: np.ndarray, h0: np.ndarray, c0: np.ndarray, W: np.ndarray, U: np.ndarray, b: np.ndarray
) -> tuple[np.ndarray, list[tuple[np.ndarray, ...]]]:
    """Long short-term memory: i, f, g, o = x_t W + h_{t-1} U + b, gate beside gate.

        c_t = sigmoid(f) c_{t-1} + sigmoid(i) tanh(g),    h_t = sigmoid(o) tanh(c_t)

    Args:
        x, h0: as for `simple`; c0: (batch, units); W: (features, 4 units); U: (units, 4 units); b: (4 units,).
    Returns:
        The states h_0 ... h_T, (batch, time + 1, units), and of every step what its way back needs.
    """
    states, cells, kept = [h0], c0, []
    for t in range(x.shape[1]):
        z = np.split(x[:, t] @ W + states[-1] @ U + b, 4, axis=1)
        i, f, g, o = _sigmoid(z[0]), _sigmoid(z[1]), np.tanh(z[2]), _sigmoid(z[3])
        before, cells = cells, f * cells + i * g
        kept.append((i, f, g, o, before, cells))
        states.append(o * np.tanh(cells))
    return np.stack(states, 1), kept


def lstm_backward(
    x: np.ndarray,
    states: np.ndarray,
    kept: list[tuple[np.ndarray, ...]],
    W: np.ndarray,
    U: np.ndarray,
    cost_slope: np.ndarray,
) -> dict[str, np.ndarray]:
    """Backpropagation through time: the cell hands its error on, times the forget gate and nothing else.

        e_t = dC/dc_t = dC/dh_t o (1 - tanh(c_t)^2) + e_{t+1} f_{t+1}
        delta_i = e_t g i (1 - i),  delta_f = e_t c_{t-1} f (1 - f),  delta_g = e_t i (1 - g^2),
        delta_o = dC/dh_t tanh(c_t) o (1 - o)

    Args:
        x, W, U: as for `lstm`; states, kept: what it returned.
        cost_slope: dC/dh_t of the outputs by themselves, (batch, time, units).
    Returns:
        The gradients of W, U, b, x, h0 and c0, by name.
    """
    found = {"W": np.zeros_like(W), "U": np.zeros_like(U), "b": np.zeros(U.shape[1]), "x": np.zeros_like(x)}
    through_next, error = np.zeros_like(states[:, 0]), np.zeros_like(states[:, 0])
    for t in reversed(range(x.shape[1])):
        i, f, g, o, before, cells = kept[t]
        of_state = cost_slope[:, t] + through_next
        error = error + of_state * o * (1 - np.tanh(cells) ** 2)
        delta = np.concatenate(
            [
                error * g * i * (1 - i),
                error * before * f * (1 - f),
                error * i * (1 - g**2),
                of_state * np.tanh(cells) * o * (1 - o),
            ],
            axis=1,
        )
        found["b"] += delta.sum(0)
        found["W"] += x[:, t].T @ delta
        found["U"] += states[:, t].T @ delta
        found["x"][:, t] = delta @ W.T
        through_next, error = delta @ U.T, error * f
    return found | {"h0": through_next, "c0": error}
