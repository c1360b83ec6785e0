"""Attention as a sum over places, written out in float64: Bahdanau, Cho and Bengio 2015, for one example."""

import numpy as np

from .memory import softmax

__all__ = ["additive", "context", "decoded", "gru"]


def additive(s: np.ndarray, annotations: np.ndarray, W: np.ndarray, U: np.ndarray, v: np.ndarray) -> np.ndarray:
    """alpha_i = softmax_i(v . tanh(s W + h_i U)): equation (6) and the alignment model below it.

    Args:
        s: state of what writes, (units,).
        annotations: h, (places, annotated).
        W: (units, attention); U: (annotated, attention); v: (attention,).
    """
    return softmax(np.array([v @ np.tanh(s @ W + h @ U) for h in annotations]))


def context(alpha: np.ndarray, annotations: np.ndarray) -> np.ndarray:
    """c = sum_i alpha_i h_i: equation (5)."""
    return sum((a * h for a, h in zip(alpha, annotations, strict=True)), np.zeros(annotations.shape[1]))


def gru(x: np.ndarray, s: np.ndarray, W: np.ndarray, U: np.ndarray, b: np.ndarray) -> np.ndarray:
    """One step of gated recurrent units, the reset gate after the product; blocks r, z, n, and in b the inner bias."""
    units = len(s)
    (r, z, n), (u_r, u_z, u_n) = np.split(x @ W + b[: 3 * units], 3), np.split(s @ U, 3)
    r, z = 1 / (1 + np.exp(-(r + u_r))), 1 / (1 + np.exp(-(z + u_z)))
    return (1 - z) * np.tanh(n + r * (u_n + b[3 * units :])) + z * s


def decoded(
    written: np.ndarray, s: np.ndarray, annotations: np.ndarray, p: dict[str, np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """The decoder, step by step: o_t = tanh((s_t, c_t, y_{t-1}) R + b), (time, units), and alpha, (time, places).

    Args:
        written: vectors of the symbols before, (time, features).
        s: s_0; annotations: h, (places, annotated).
        p: query_weights, key_weights and v of the attention; weights, recurrent_weights and bias of the GRU;
            readout_weights, readout_bias.
    """
    outputs, looks = [], []
    for y in written:
        alpha = additive(s, annotations, p["query_weights"], p["key_weights"], p["v"])
        c = context(alpha, annotations)
        s = gru(np.concatenate([y, c]), s, p["weights"], p["recurrent_weights"], p["bias"])
        outputs.append(np.tanh(np.concatenate([s, c, y]) @ p["readout_weights"] + p["readout_bias"]))
        looks.append(alpha)
    return np.stack(outputs), np.stack(looks)
