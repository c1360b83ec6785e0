"""Sequences of symbols, such as the characters of a text, each with the symbol that comes next."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from .examples import DataError, Examples, checked_lengths, read_only
from .splits import Splits

__all__ = ["Sequences", "encode", "text_splits"]


@dataclass(frozen=True, eq=False)
class Sequences(Examples):
    """Sequences, and at every place the symbol that is to be named there.

    Args:
        inputs: integers (n, time), each an index into `symbols`; kept as int32.
        targets: integers (n, time), of the same kind; in a language model, `inputs` one step later.
        symbols: the alphabet; index = number of the symbol.
        lengths: how many places of each sequence count, (n,), where they are not as long as each other; what fills
            them up behind is not looked at.

    Raises:
        DataError: a wrong dtype or shape, a number that is no symbol's, or a length that is none.

    Examples:
        >>> Sequences.of_text("to be or not to be", length=5)
        Sequences(3 sequences of 5 symbols, alphabet of 7)
        >>> Sequences.of_texts(["to be", "or", "not to be"])
        Sequences(3 sequences of 1 to 8 symbols, alphabet of 7)
    """

    inputs: np.ndarray
    targets: np.ndarray
    symbols: tuple[str, ...]
    lengths: np.ndarray | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "symbols", tuple(self.symbols))
        for name in ("inputs", "targets"):
            object.__setattr__(self, name, read_only(_checked(getattr(self, name), name, self.symbols)))
        if self.inputs.shape != self.targets.shape:
            raise DataError(f"targets: shape {self.targets.shape} found, {self.inputs.shape} expected, as of inputs")
        object.__setattr__(self, "lengths", checked_lengths(self.lengths, *self.inputs.shape))

    @classmethod
    def of_text(cls, text: str, length: int, symbols: Sequence[str] | None = None) -> Sequences:
        """Cut a text into pieces of `length` characters, each of which is to say the character that comes next.

        A last piece that would be shorter is left out.

        Args:
            text: at least length + 1 characters.
            length: of the pieces.
            symbols: the alphabet; by default the characters of the text, sorted.

        Raises:
            DataError: the text is too short, or has a character that is not among the symbols.
        """
        alphabet = tuple(sorted(set(text))) if symbols is None else tuple(symbols)
        numbers = encode(text, alphabet)
        count = (len(numbers) - 1) // length if length >= 1 else 0
        if count < 1:
            raise DataError(
                f"text: {len(text)} characters found, at least {length + 1} expected for a length of {length}"
            )
        end = count * length
        return cls(numbers[:end].reshape(count, length), numbers[1 : end + 1].reshape(count, length), alphabet)

    @classmethod
    def of_texts(
        cls, texts: Sequence[str], symbols: Sequence[str] | None = None, length: int | None = None
    ) -> Sequences:
        """Take each text as a sequence, whose symbols are to say the one that comes next; they may differ in length.

        Args:
            texts: at least 2 symbols in each.
            symbols: the alphabet; by default the characters of the texts, sorted.
            length: that all are filled up to; by default that of the longest.

        Raises:
            DataError: no text, one that is too short or too long, or a character that is not among the symbols.
        """
        alphabet = tuple(sorted(set("".join(texts)))) if symbols is None else tuple(symbols)
        steps = max((len(text) for text in texts), default=0) - 1 if length is None else length
        wrong = next((text for text in texts if not 2 <= len(text) <= steps + 1), None)
        if not texts or wrong is not None:
            found = "none" if wrong is None else f"{len(wrong)} characters in {wrong[:20]!r}"
            raise DataError(f"texts: {found} found, 2 to {steps + 1} in each expected")
        numbers = np.zeros((len(texts), steps + 1), np.int32)
        for row, text in zip(numbers, texts, strict=True):
            row[: len(text)] = encode(text, alphabet)
        return cls(numbers[:, :-1], numbers[:, 1:], alphabet, np.array([len(text) - 1 for text in texts]))

    @property
    def arrays(self) -> tuple[np.ndarray, ...]:
        """Inputs and targets, and the lengths where they differ."""
        return (self.inputs, self.targets, *(() if self.lengths is None else (self.lengths,)))

    def with_arrays(self, *arrays: np.ndarray) -> Sequences:
        """Return sequences over the same alphabet with other inputs and targets, and lengths."""
        inputs, targets, *lengths = arrays
        return Sequences(inputs, targets, self.symbols, *lengths)

    def __repr__(self) -> str:
        count, steps = self.inputs.shape
        length = f"{steps}" if self.lengths is None else f"{self.lengths.min()} to {self.lengths.max()}"
        return f"Sequences({count} sequences of {length} symbols, alphabet of {len(self.symbols)})"


def encode(text: Iterable[str], symbols: Sequence[str]) -> np.ndarray:
    """Return the numbers of symbols in an alphabet, int32 (time,).

    Raises:
        DataError: a symbol is not in the alphabet; the message names it and its place.
    """
    numbers = {symbol: number for number, symbol in enumerate(symbols)}
    try:
        return np.array([numbers[symbol] for symbol in text], np.int32)
    except KeyError as error:
        place = next(i for i, symbol in enumerate(text) if symbol == error.args[0])
        raise DataError(
            f"text: {error.args[0]!r} found at position {place}, one of the alphabet's {len(symbols)} symbols expected"
        ) from None


def text_splits(
    text: str, length: int, parts: tuple[float, float, float] = (0.9, 0.05, 0.05)
) -> Splits[Sequences, Sequences]:
    """Divide a text, in its order, into training, validation and test sequences over one alphabet.

    Args:
        text: the whole.
        length: characters in a sequence.
        parts: fractions of the text.

    Raises:
        DataError: a part is shorter than one sequence.
    """
    symbols = tuple(sorted(set(text)))
    first, second = round(parts[0] * len(text)), round((parts[0] + parts[1]) * len(text))
    pieces = text[:first], text[first:second], text[second:]
    return Splits(*(Sequences.of_text(piece, length, symbols) for piece in pieces))


def _checked(numbers: np.ndarray, name: str, symbols: tuple[str, ...]) -> np.ndarray:
    numbers = np.asarray(numbers)
    if numbers.dtype.kind not in "iu" or numbers.ndim != 2 or not numbers.size:
        raise DataError(f"{name}: {numbers.dtype} of shape {numbers.shape} found, integers (n, time) expected")
    low, high = numbers.min(), numbers.max()
    if low < 0 or high >= len(symbols):
        found = low if low < 0 else high
        raise DataError(f"{name}: {found} found, 0 to {len(symbols) - 1} expected for {len(symbols)} symbols")
    return numbers.astype(np.int32, copy=False)
