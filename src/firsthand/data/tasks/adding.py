"""The adding problem: a sum of two numbers that stand far apart in a sequence."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from ..examples import Arrays, DataError
from .held_out import Part, part_of

__all__ = ["adding_problem"]


def adding_problem(count: int, length: int, part: Part = "training", *, seed: int | Sequence[int]) -> Arrays:
    """Make sequences of numbers, two of which are marked; their sum is wanted.

    Every step has a number, even in [0, 1], and a mark, 0 or 1.  One of the marked numbers is in the first half, the
    other in the second.  Pairs of places are held out: those of one part are never marked in another.  Who always says
    1, the mean of the sum, has a squared error of 1/6 in the mean.

    Args:
        count: number of sequences.
        length: T, steps of a sequence.
        part: of the data; see `part_of`.
        seed: of all randomness; the same gives the same sequences.
    Returns:
        Sequences (count, T, 2) and sums (count, 1), both float32.
    Raises:
        DataError: a length that is too short.
    References:
        Hochreiter and Schmidhuber 1997, 'Long Short-Term Memory', section 5.4; Le, Jaitly and Hinton 2015, section 4.1.
    """
    random, places = np.random.default_rng(seed), _places(length, part)
    if not len(places):
        raise DataError(f"adding problem: length {length} found, a longer one expected: no places for {part} data")
    chosen = places[random.integers(len(places), size=count)]  # (count, 2)
    x = np.zeros((count, length, 2), np.float32)
    x[..., 0] = random.random((count, length), np.float32)
    rows = np.arange(count)[:, None]
    x[rows, chosen, 1] = 1
    return Arrays((x, np.sum(x[rows, chosen, 0], axis=1, keepdims=True)))


@lru_cache(maxsize=64)
def _places(length: int, part: Part) -> np.ndarray:
    """The pairs of places that may be marked in a part, (pairs, 2)."""
    half = length // 2
    pairs = ((i, j) for i in range(half) for j in range(half, length))
    return np.array([(i, j) for i, j in pairs if part_of(f"{i} {j} of {length}") == part])
