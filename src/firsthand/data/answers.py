"""Questions with their answers, each pair as one sequence of symbols."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .examples import DataError, Examples, read_only
from .sequences import encode

__all__ = ["Answers"]


@dataclass(frozen=True, eq=False)
class Answers(Examples):
    """Sequences that begin with a question and end with its answer; only the answer's symbols are asked for.

    Args:
        inputs: integers (n, time), each an index into `symbols`; kept as int32.
        targets: integers (n, time), the symbol that comes next.
        asked: booleans (n, time), true where the next symbol belongs to the answer.
        symbols: the alphabet; index = number of the symbol.

    Raises:
        DataError: a wrong shape, a number that is no symbol's, or an example of which nothing is asked.

    Examples:
        >>> sums = Answers.of_pairs([("1+2=", "3."), ("9+8=", "17.")], length=6, symbols="0123456789+=.")
        >>> sums
        Answers(2 questions with answers, 6 steps, alphabet of 13)
        >>> "".join(sums.symbols[n] for n in sums.targets[1][sums.asked[1]])
        '17.'
    """

    inputs: np.ndarray
    targets: np.ndarray
    asked: np.ndarray
    symbols: tuple[str, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "symbols", tuple(self.symbols))
        kinds = {"inputs": np.int32, "targets": np.int32, "asked": np.bool_}
        for name, kind in kinds.items():
            found = np.asarray(getattr(self, name))
            if found.ndim != 2 or not found.size or found.shape != np.shape(self.inputs):
                raise DataError(f"{name}: shape {found.shape} found, (n, time) expected, the same of all three")
            if kind is np.int32 and not (found.min() >= 0 and found.max() < len(self.symbols)):
                raise DataError(f"{name}: a number found that is no symbol's, 0 to {len(self.symbols) - 1} expected")
            object.__setattr__(self, name, read_only(found.astype(kind, copy=False)))
        if not np.all(np.any(self.asked, axis=1)):
            raise DataError("asked: an example found of which no symbol is asked, at least one expected")

    @classmethod
    def of_pairs(cls, pairs: Sequence[tuple[str, str]], length: int, symbols: Sequence[str]) -> Answers:
        """Make sequences of `length` steps of questions and answers; shorter ones are filled up behind.

        Raises:
            DataError: no pairs, one that is too long, an empty question or answer, or an unknown symbol.
        """
        if not pairs:
            raise DataError("pairs: none found, at least one question with its answer expected")
        asked = np.zeros((len(pairs), length), np.bool_)
        for row, (question, answer) in enumerate(pairs):
            size = len(question) + len(answer)
            if not question or not answer or size > length + 1:
                raise DataError(
                    f"pairs: {question!r} and {answer!r} found, {length + 1} symbols together at most, some in each"
                )
            asked[row, len(question) - 1 : size - 1] = True
        text = "".join((question + answer).ljust(length + 1, symbols[0]) for question, answer in pairs)
        numbers = encode(text, symbols).reshape(len(pairs), length + 1)
        return cls(numbers[:, :-1], numbers[:, 1:], asked, tuple(symbols))

    @property
    def arrays(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Inputs, targets, and where a symbol is asked for."""
        return self.inputs, self.targets, self.asked

    def with_arrays(self, *arrays: np.ndarray) -> Answers:
        """Return questions and answers over the same alphabet with other arrays."""
        inputs, targets, asked = arrays
        return Answers(inputs, targets, asked, self.symbols)

    def __repr__(self) -> str:
        count, length = self.inputs.shape
        return f"Answers({count} questions with answers, {length} steps, alphabet of {len(self.symbols)})"
