"""Sequences to be copied, recalled and sorted: the tasks of neural Turing machines."""

from collections.abc import Callable, Sequence

import numpy as np

from ..examples import Arrays, DataError
from .held_out import Part, part_of

__all__ = ["BITS", "copy_task", "recall_task", "repeat_task", "sort_task"]

BITS = 8  # in a vector of the copy task and of the sorting task
RECALLED = 6  # in a vector of the recall task
ROWS = 3  # vectors in one of its items
TENTH = 0.1  # by which a number of repeats is made smaller, so that it is like the other inputs

Random = np.random.Generator


def copy_task(
    count: int,
    lengths: tuple[int, int],
    part: Part = "training",
    *,
    seed: int | Sequence[int],
    steps: int | None = None,
) -> Arrays:
    """Make sequences of random vectors of 8 bits, each followed by a mark, after which it is to be said again.

    Args:
        count: number of sequences.
        lengths: of the sequences, the shortest and the longest; each is as likely.
        part: of the data; a sequence of vectors belongs to one part, see `part_of`.
        seed: of all randomness; the same gives the same sequences.
        steps: of an example, 2 longest + 1 by default; what is left behind the copy is idle.
    Returns:
        Inputs (count, steps, 9), the last of which is the mark; what is to be said, (count, steps, 8); and where it is
        asked, booleans (count, steps).
    Raises:
        DataError: lengths that are none, or too few steps.
    References:
        Graves, Wayne and Danihelka 2014, 'Neural Turing Machines', section 4.1.
    """
    shortest, longest = lengths
    steps = 2 * longest + 1 if steps is None else steps
    if not 1 <= shortest <= longest or steps < 2 * longest + 1:
        raise DataError(
            f"copy task: lengths {shortest} to {longest} in {steps} steps found, 1 or more in twice as many and one "
            "expected"
        )
    random = np.random.default_rng(seed)
    x, y, asked = _empty(count, steps, BITS + 1, BITS)
    for row in range(count):
        length = int(random.integers(shortest, longest + 1))
        vectors = _drawn(lambda length=length: random.integers(0, 2, (length, BITS), np.uint8), part)
        x[row, :length, :BITS] = vectors
        x[row, length, BITS] = 1
        y[row, length + 1 : 2 * length + 1] = vectors
        asked[row, length + 1 : 2 * length + 1] = True
    return Arrays((x, y, asked))


def repeat_task(
    count: int,
    lengths: tuple[int, int],
    repeats: tuple[int, int],
    part: Part = "training",
    *,
    seed: int | Sequence[int],
    steps: int | None = None,
) -> Arrays:
    """Make sequences of random vectors of 8 bits, each to be said a given number of times, and then an end mark.

    The step behind a sequence has a mark, and beside it a tenth of the number.

    Args:
        count: number of sequences.
        lengths: of the sequences, the shortest and the longest; each is as likely.
        repeats: the fewest and the most; each number is as likely.
        part: of the data; a sequence of vectors belongs to one part, see `part_of`.
        seed: of all randomness; the same gives the same sequences.
        steps: of an example; by default those that the longest sequence and the most repeats take.
    Returns:
        Inputs (count, steps, 10), the last two of which are the mark and the number; what is to be said, (count, steps,
        9), the last of which is the end mark; and where it is asked, booleans (count, steps).
    Raises:
        DataError: lengths or repeats that are none, or too few steps.
    References:
        Graves, Wayne and Danihelka 2014, 'Neural Turing Machines', section 4.2, where the number has mean 0 and
        variance 1.
    """
    (shortest, longest), (fewest, most) = lengths, repeats
    needed = longest * (most + 1) + 2
    steps = needed if steps is None else steps
    if not 1 <= shortest <= longest or not 1 <= fewest <= most or steps < needed:
        raise DataError(
            f"repeat task: lengths {shortest} to {longest}, {fewest} to {most} times in {steps} steps found, 1 or more "
            f"in {needed} expected"
        )
    random = np.random.default_rng(seed)
    x, y, asked = _empty(count, steps, BITS + 2, BITS + 1)
    for row in range(count):
        length, times = int(random.integers(shortest, longest + 1)), int(random.integers(fewest, most + 1))
        vectors = _drawn(lambda length=length: random.integers(0, 2, (length, BITS), np.uint8), part)
        end = length * (times + 1) + 1
        x[row, :length, :BITS] = vectors
        x[row, length, BITS:] = 1, TENTH * times
        y[row, length + 1 : end, :BITS] = np.tile(vectors, (times, 1))
        y[row, end, BITS] = 1
        asked[row, length + 1 : end + 1] = True
    return Arrays((x, y, asked))


def recall_task(
    count: int, items: tuple[int, int], part: Part = "training", *, seed: int | Sequence[int], steps: int | None = None
) -> Arrays:
    """Make lists of items, of one of which the next is to be said.

    An item is three random vectors of 6 bits.  A mark stands before each; behind the list, between two marks of another
    kind, one item of it comes again, and the one that followed it is asked for.

    Args:
        count: number of lists.
        items: in a list, the fewest and the most; each number is as likely.
        part: of the data; a list belongs to one part, see `part_of`.
        seed: of all randomness; the same gives the same lists.
        steps: of an example; by default those that the longest list takes.
    Returns:
        Inputs (count, steps, 8), the last two of which are the marks; what is to be said, (count, steps, 6); and where
        it is asked, booleans (count, steps).
    Raises:
        DataError: fewer than two items, or too few steps.
    References:
        Graves, Wayne and Danihelka 2014, 'Neural Turing Machines', section 4.3.
    """
    fewest, most = items
    needed = (ROWS + 1) * most + 2 * ROWS + 2
    steps = needed if steps is None else steps
    if not 2 <= fewest <= most or steps < needed:
        raise DataError(
            f"recall task: {fewest} to {most} items in {steps} steps found, two or more in {needed} expected"
        )
    random = np.random.default_rng(seed)
    x, y, asked = _empty(count, steps, RECALLED + 2, RECALLED)
    for row in range(count):
        number = int(random.integers(fewest, most + 1))
        found = _drawn(lambda number=number: random.integers(0, 2, (number, ROWS, RECALLED), np.uint8), part)
        query, at = int(random.integers(number - 1)), 0
        for item in found:
            x[row, at, RECALLED] = 1
            x[row, at + 1 : at + 1 + ROWS, :RECALLED] = item
            at += 1 + ROWS
        x[row, [at, at + ROWS + 1], RECALLED + 1] = 1
        x[row, at + 1 : at + 1 + ROWS, :RECALLED] = found[query]
        answer = slice(at + ROWS + 2, at + 2 * ROWS + 2)
        y[row, answer], asked[row, answer] = found[query + 1], True
    return Arrays((x, y, asked))


def sort_task(count: int, given: int, wanted: int, part: Part = "training", *, seed: int | Sequence[int]) -> Arrays:
    """Make sets of random vectors of 8 bits with priorities: those of the highest are to be said, highest first.

    A priority is even in [-1, 1] and stands beside its vector; a mark ends the set.

    Args:
        count: number of sets.
        given: vectors in a set.
        wanted: this many of which are asked for.
        part: of the data; the vectors of a set, in their order, belong to one part, see `part_of`.
        seed: of all randomness; the same gives the same sets.
    Returns:
        Inputs (count, given + 1 + wanted, 10), the last two of which are priority and mark; what is to be said, (count,
        steps, 8); and where it is asked, booleans (count, steps).
    Raises:
        DataError: more are wanted than given, or none.
    References:
        Graves, Wayne and Danihelka 2014, 'Neural Turing Machines', section 4.5.
    """
    if not 1 <= wanted <= given:
        raise DataError(f"sorting task: {wanted} wanted of {given} found, 1 to {given} expected")
    random = np.random.default_rng(seed)
    x, y, asked = _empty(count, given + 1 + wanted, BITS + 2, BITS)
    for row in range(count):
        vectors = _drawn(lambda: random.integers(0, 2, (given, BITS), np.uint8), part)
        priorities = random.uniform(-1, 1, given)
        x[row, :given, :BITS], x[row, :given, BITS] = vectors, priorities
        x[row, given, BITS + 1] = 1
        y[row, given + 1 :] = vectors[np.argsort(-priorities)[:wanted]]
        asked[row, given + 1 :] = True
    return Arrays((x, y, asked))


def _empty(count: int, steps: int, inputs: int, outputs: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return (
        np.zeros((count, steps, inputs), np.float32),
        np.zeros((count, steps, outputs), np.float32),
        np.zeros((count, steps), np.bool_),
    )


def _drawn(draw: Callable[[], np.ndarray], part: Part) -> np.ndarray:
    """The first drawing that belongs to the part: one belongs to the same whenever it is drawn."""
    while part_of((found := draw()).tobytes().hex()) != part:
        pass
    return found
