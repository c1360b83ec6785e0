"""Compiled loops in this process, timed in turn: A B C, A B C, ..., as contest.py does with processes."""

import time
from collections.abc import Callable, Sequence

import jax

__all__ = ["in_turn", "timed"]


def timed(loop: Callable[[int], object]) -> Callable[[int], float]:
    """A function of how often the loop goes round, which tells the seconds that one time took; compiled by then."""

    def measure(count: int) -> float:
        start = time.perf_counter()
        jax.block_until_ready(loop(count))
        return (time.perf_counter() - start) / count

    measure(1)  # compiles
    return measure


def in_turn(loops: Sequence[Callable[[int], float]], rounds: int, seconds: float) -> list[list[float]]:
    """Seconds of each of the `timed` loops, round by round, a turn lasting about so long: result[loop][round]."""
    turns = [max(1, int(seconds / loop(3))) for loop in loops]
    values: list[list[float]] = [[] for _ in loops]
    for _ in range(rounds):
        for found, loop, count in zip(values, loops, turns, strict=True):
            found.append(loop(count))
    return values
