"""Examples of any kind: arrays with the same leading axis."""

from __future__ import annotations

import hashlib
import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any, Self

import numpy as np

from firsthand.errors import FirsthandError

__all__ = ["Arrays", "DataError", "Examples"]


class DataError(FirsthandError):
    """Data that cannot be used: one line naming the file or argument, what was found, what was expected."""

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.splitlines()))  # the reasons of other libraries may have several


class Examples(ABC):
    """Examples of one kind, each with its place in every one of several arrays.

    The first array is what a network is given, (n, *example_shape); the others are what an objective needs beside it,
    such as labels.  Images with labels are one kind (`Dataset`), texts another (`Sequences`), and `Arrays` is any
    other.  Immutable: a slice is again examples of the same kind.
    """

    @property
    @abstractmethod
    def arrays(self) -> tuple[np.ndarray, ...]:
        """The arrays, each (n, ...); what a network is given comes first."""

    @abstractmethod
    def with_arrays(self, *arrays: np.ndarray) -> Self:
        """Return examples of the same kind with other arrays."""

    @property
    def example_shape(self) -> tuple[int, ...]:
        """The shape of one example, as a network is given it."""
        return self.arrays[0].shape[1:]

    @cached_property
    def digest(self) -> str:
        """SHA-256 (hex) over shapes, types and values: which data a model was trained on."""
        sha = hashlib.sha256()
        for array in self.arrays:
            sha.update(f"{array.shape}{array.dtype.newbyteorder('<').str}".encode())
            sha.update(np.ascontiguousarray(array, array.dtype.newbyteorder("<")).data)  # the same on every machine
        return sha.hexdigest()

    def split(self, *parts: float, seed: int) -> tuple[Self, ...]:
        """Split at random into disjoint parts that together hold every example.

        Args:
            parts: the sizes of the parts (integers that add up to n), or their fractions of n (floats that
                add up to 1; each part is within one example of its fraction).
            seed: the same seed gives the same split.

        Returns:
            The parts, each in random order.

        Raises:
            DataError: the parts do not add up, or one of them would be empty.
        """
        order = np.random.default_rng(seed).permutation(len(self))
        ends = _part_ends(parts, len(self))
        return tuple(self[order[start:end]] for start, end in pairwise([0, *ends]))

    def __len__(self) -> int:
        return len(self.arrays[0])

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, int | np.integer) and not isinstance(index, bool):
            return tuple(array[index] for array in self.arrays)
        if not isinstance(index, slice):
            # NumPy would let a tuple or a 2-D array reach into the examples
            found, index = index, np.asarray(index)
            if isinstance(found, tuple) or index.ndim != 1 or index.dtype.kind not in "iub":
                raise IndexError(
                    f"index: {type(found).__name__} of shape {index.shape} found, "
                    "an integer, a slice, or a 1-D array of integers or booleans expected"
                )
        return self.with_arrays(*(fixed(array[index]) for array in self.arrays))


@dataclass(frozen=True, eq=False)
class Arrays(Examples):
    """Examples that are nothing but their arrays: vectors to imitate, pairs, whatever an objective takes.

    A writable array is copied; a read-only one is shared.

    Args:
        contents: arrays, each (n, ...); what a network is given comes first.

    Raises:
        DataError: no array, no example, or arrays of different lengths.

    Examples:
        >>> pairs = Arrays((np.zeros((4, 2), np.float32), np.ones(4, np.float32)))
        >>> pairs
        Arrays(4 examples of (2,), ())
        >>> len(pairs[1:]), pairs.example_shape
        (3, (2,))
    """

    contents: tuple[np.ndarray, ...]

    def __post_init__(self) -> None:
        found = (self.contents,) if isinstance(self.contents, np.ndarray) else tuple(self.contents)
        # a frozen dataclass is filled through object.__setattr__
        object.__setattr__(self, "contents", tuple(read_only(np.asarray(array)) for array in found))
        if not self.arrays or any(array.ndim < 1 or not array.size for array in self.arrays):
            shapes = ", ".join(str(array.shape) for array in self.arrays) or "none"
            raise DataError(f"arrays: shapes {shapes} found, at least one example in each expected")
        if len(lengths := {len(array) for array in self.arrays}) > 1:
            raise DataError(f"arrays: lengths {sorted(lengths)} found, the same number of examples in each expected")

    @property
    def arrays(self) -> tuple[np.ndarray, ...]:
        """The arrays, as they were given."""
        return self.contents

    def with_arrays(self, *arrays: np.ndarray) -> Arrays:
        return Arrays(arrays)

    def __repr__(self) -> str:
        return f"Arrays({len(self)} examples of {', '.join(str(array.shape[1:]) for array in self.arrays)})"


def read_only(array: np.ndarray) -> np.ndarray:
    """Return the array itself if nobody can write to it, else a copy that nobody can."""
    return fixed(array.copy()) if array.flags.writeable else array


def checked_lengths(lengths: np.ndarray | None, count: int, time: int) -> np.ndarray | None:
    """Return the true lengths of sequences that are filled up to `time` steps, as int32; None where all are as long.

    Raises:
        DataError: not as many as sequences, or a length outside of 1 to `time`.
    """
    if lengths is None:
        return None
    found = np.asarray(lengths)
    if found.dtype.kind not in "iu" or found.shape != (count,):
        raise DataError(f"lengths: {found.dtype} of shape {found.shape} found, integers ({count},) expected")
    if count and not (found.min() >= 1 and found.max() <= time):
        wrong = found.min() if found.min() < 1 else found.max()
        raise DataError(f"lengths: {wrong} found, 1 to {time} expected, the steps that the sequences are filled up to")
    return read_only(found.astype(np.int32, copy=False))


def fixed(array: np.ndarray) -> np.ndarray:
    """Mark an array that nobody else holds as read-only, in place."""
    array.flags.writeable = False
    return array


def _part_ends(parts: Sequence[float], total: int) -> list[int]:
    """The index at which each part of a split ends, from the sizes or the fractions of the parts."""
    if parts and all(isinstance(part, int | np.integer) for part in parts):
        expected, ends = total, np.cumsum(parts)
    else:
        expected, ends = 1, np.rint(np.cumsum(parts) * total)
    sizes = np.diff(ends, prepend=0)
    if not parts or not math.isclose(sum(parts), expected, abs_tol=1e-9):
        raise DataError(f"parts: {parts} found, sizes that sum to {total} or fractions that sum to 1 expected")
    if min(sizes) < 1:
        raise DataError(f"parts: {parts} of {total} examples found, enough for one in each part expected")
    return [int(end) for end in ends]
