"""Stories with questions, each answered by one word."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .examples import DataError, read_only
from .labelled import Labelled, check_classes, checked_labels
from .sequences import encode

__all__ = ["Questions"]


@dataclass(frozen=True, eq=False)
class Questions(Labelled):
    """Stories of sentences, each with a question behind it, as one row of words' numbers.

    The last sentence stands right before the question, so that a place is an age; shorter stories begin later.

    Args:
        inputs: integers (n, (sentences + 1) * words), each an index into `symbols`, 0 where there is no word; int32.
        labels: integers (n,), each an index into `classes`.
        classes: the words that are answers.
        symbols: the vocabulary; the first is no word.
        words: in a sentence, at most.

    Raises:
        DataError: a wrong shape, or a number that is no word's.
    """

    inputs: np.ndarray
    labels: np.ndarray
    classes: tuple[str, ...]
    symbols: tuple[str, ...]
    words: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "classes", tuple(self.classes))
        object.__setattr__(self, "symbols", tuple(self.symbols))
        check_classes(self.classes)
        inputs = np.asarray(self.inputs)
        if inputs.dtype.kind not in "iu" or inputs.ndim != 2 or not inputs.size or inputs.shape[1] % self.words:
            raise DataError(
                f"inputs: {inputs.dtype} of shape {inputs.shape} found, integers (n, sentences * {self.words}) expected"
            )
        if inputs.min() < 0 or inputs.max() >= len(self.symbols):
            raise DataError(f"inputs: a number found that is no word's, 0 to {len(self.symbols) - 1} expected")
        object.__setattr__(self, "inputs", read_only(inputs.astype(np.int32, copy=False)))
        object.__setattr__(self, "labels", read_only(checked_labels(self.labels, self.classes)))
        if len(self.inputs) != len(self.labels):
            raise DataError(f"labels: {len(self.labels)} found for {len(self.inputs)} stories, one each expected")

    @classmethod
    def of_stories(
        cls,
        stories: Sequence[tuple[Sequence[str], str, str]],
        sentences: int,
        words: int,
        classes: Sequence[str],
        symbols: Sequence[str],
    ) -> Questions:
        """Make examples of stories: sentences, the question and its answer, words parted by spaces.

        Raises:
            DataError: no story, one that is too long, or an unknown word.
        """
        if not stories:
            raise DataError("stories: none found, at least one expected")
        inputs = np.zeros((len(stories), sentences + 1, words), np.int32)
        for row, (told, question, answer) in enumerate(stories):
            if len(told) > sentences or answer not in classes:
                raise DataError(
                    f"stories: {len(told)} sentences and the answer {answer!r} found, {sentences} at most expected and "
                    f"one of {', '.join(classes)}"
                )
            for place, sentence in zip(range(-1 - len(told), 0), (*told, question), strict=True):
                numbers = encode(sentence.split(), symbols)
                if len(numbers) > words:
                    raise DataError(f"stories: {sentence!r} found, {words} words at most expected")
                inputs[row, place, : len(numbers)] = numbers
        labels = np.array([list(classes).index(answer) for _, _, answer in stories])
        return cls(inputs.reshape(len(stories), -1), labels, tuple(classes), tuple(symbols), words)

    @property
    def arrays(self) -> tuple[np.ndarray, np.ndarray]:
        """Inputs and labels."""
        return self.inputs, self.labels

    def with_arrays(self, *arrays: np.ndarray) -> Questions:
        """Return stories over the same vocabulary with other arrays."""
        inputs, labels = arrays
        return Questions(inputs, labels, self.classes, self.symbols, self.words)

    def __repr__(self) -> str:
        sentences = self.inputs.shape[1] // self.words - 1
        return f"Questions({len(self)} stories of up to {sentences} sentences, {len(self.symbols)} words)"
