"""Memories that are read by attention, written out in float64, one example and one slot at a time.

Neural Turing machines: Graves, Wayne and Danihelka 2014, whose equations are cited by their numbers.  Memory networks:
Sukhbaatar, Szlam, Weston and Fergus 2015, section 2.
"""

import numpy as np

__all__ = [
    "addressed",
    "by_content",
    "cosine",
    "hop",
    "interpolated",
    "read",
    "sharpened",
    "shifted",
    "softmax",
    "written",
]


def softmax(z: np.ndarray) -> np.ndarray:
    """Return e^{z_i} / sum_j e^{z_j} of a vector."""
    e = np.exp(z - z.max())
    return e / e.sum()


def cosine(k: np.ndarray, slot: np.ndarray, least: float = 0.0) -> float:
    """K(k, M(i)), the cosine of the angle between a key and a slot, (width,) each: equation (6).

    `least` is added to both squared lengths.
    """
    return float(k @ slot / (np.sqrt(k @ k + least) * np.sqrt(slot @ slot + least)))


def by_content(k: np.ndarray, beta: float, memory: np.ndarray, least: float = 0.0) -> np.ndarray:
    """w^c, where the memory (slots, width) is like the key, the more decidedly the larger beta is: equation (5)."""
    return softmax(beta * np.array([cosine(k, slot, least) for slot in memory]))


def interpolated(content: np.ndarray, before: np.ndarray, g: float) -> np.ndarray:
    """w^g = g w^c + (1 - g) w_{t-1}: equation (7)."""
    return g * content + (1 - g) * before


def shifted(w: np.ndarray, s: np.ndarray) -> np.ndarray:
    """w~(i) = sum_j w(j) s(i - j), indices round about; s holds the places -n to n: equation (8)."""
    most, found = len(s) // 2, np.zeros_like(w)
    for i in range(len(w)):
        for by in range(-most, most + 1):
            found[i] += w[(i - by) % len(w)] * s[by + most]
    return found


def sharpened(w: np.ndarray, gamma: float, no_log: float = 0.0) -> np.ndarray:
    """w(i)^gamma / sum_j w(j)^gamma: equation (9); `no_log` is added to every w first."""
    power = (w + no_log) ** gamma
    return power / power.sum()


def addressed(
    memory: np.ndarray,
    before: np.ndarray,
    k: np.ndarray,
    beta: float,
    g: float,
    s: np.ndarray,
    gamma: float,
    *,
    least: float = 0.0,
    no_log: float = 0.0,
) -> np.ndarray:
    """The weighting of one head over the slots, by content and then by place: equations (5) to (9).

    Args:
        memory: (slots, width); before: the head's weighting at the step before, (slots,).
        k: key (width,); beta: its strength; g: the gate in [0, 1]; s: shifts, (2 n + 1,); gamma: 1 or more.
        least, no_log: what keeps lengths and logarithms from zero.
    """
    content = by_content(k, beta, memory, least)
    return sharpened(shifted(interpolated(content, before, g), s), gamma, no_log)


def read(memory: np.ndarray, w: np.ndarray) -> np.ndarray:
    """r = sum_i w(i) M(i): equation (2)."""
    return sum((weight * slot for weight, slot in zip(w, memory, strict=True)), np.zeros(memory.shape[1]))


def written(memory: np.ndarray, heads: list[tuple[np.ndarray, np.ndarray, np.ndarray]]) -> np.ndarray:
    """The memory after every head, (w, e, a), has erased and then every head has added: equations (3) and (4)."""
    memory = memory.copy()
    for w, erase, _ in heads:
        for i in range(len(memory)):
            memory[i] *= 1 - w[i] * erase
    for w, _, add in heads:
        for i in range(len(memory)):
            memory[i] += w[i] * add
    return memory


def hop(u: np.ndarray, addresses: np.ndarray, contents: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """One look at a memory of sentences: p = softmax(u . m_i), u' = u + sum_i p_i c_i.

    Args:
        u: what is looked for, (features,).
        addresses, contents: m and c of every sentence, (sentences, features) each.
    Returns:
        u' and p.
    """
    p = softmax(np.array([u @ m for m in addresses]))
    return u + sum((weight * c for weight, c in zip(p, contents, strict=True)), np.zeros_like(u)), p
