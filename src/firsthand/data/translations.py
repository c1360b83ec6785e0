"""Pairs of what is given and what is written of it: two languages, two forms of a date, images with captions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .examples import DataError, Examples, read_only
from .sequences import encode

__all__ = ["BEGIN", "END", "NOTHING", "SIGNS", "Translations", "alphabet_of"]

NOTHING, BEGIN, END = "", "<begin>", "<end>"
SIGNS = (NOTHING, BEGIN, END)  # symbols 0, 1 and 2 of every alphabet


@dataclass(frozen=True, eq=False)
class Translations(Examples):
    """Pairs of what is given and what is written, each of the latter symbol by symbol up to an end.

    Args:
        inputs: integers (n, given + time): what is given, symbols or bytes of an image, and behind it what is written,
            from the sign of its beginning on.
        targets: integers (n, time), the symbol that is written next.
        asked: booleans (n, time), true up to the end.
        symbols: the alphabet, which begins with `SIGNS`.
        writable: how many of the symbols may be written: the first ones; the others are only given.

    Raises:
        DataError: a wrong shape or type, a number that is no symbol's, or an example of which nothing is asked.

    Examples:
        >>> Translations.of_pairs([("ab", "ba"), ("b", "b")], given=3, steps=4, symbols=alphabet_of("ab"))
        Translations(2 pairs, 3 given, 4 steps, alphabet of 5)
    """

    inputs: np.ndarray
    targets: np.ndarray
    asked: np.ndarray
    symbols: tuple[str, ...]
    writable: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "symbols", tuple(self.symbols))
        object.__setattr__(self, "writable", self.writable or len(self.symbols))
        if self.symbols[: len(SIGNS)] != SIGNS or len(set(self.symbols)) < len(self.symbols):
            raise DataError(f"symbols: {self.symbols[:4]} ... found, {SIGNS} and then distinct ones expected")
        inputs, targets, asked = (np.asarray(array) for array in (self.inputs, self.targets, self.asked))
        if inputs.dtype.kind not in "iu" or inputs.ndim != 2 or not inputs.size:
            raise DataError(
                f"inputs: {inputs.dtype} of shape {inputs.shape} found, integers (n, given + time) expected"
            )
        if targets.ndim != 2 or len(targets) != len(inputs) or not 0 < targets.shape[1] < inputs.shape[1]:
            raise DataError(f"targets: shape {targets.shape} found beside inputs {inputs.shape}, (n, time) expected")
        if asked.shape != targets.shape or asked.dtype != bool or not np.all(np.any(asked, axis=1)):
            raise DataError("asked: booleans like targets expected, at least one true of each example")
        written = inputs[:, -targets.shape[1] :]
        for name, found in (("targets", targets), ("inputs", written)):
            if found.min() < 0 or found.max() >= self.writable:
                raise DataError(f"{name}: a number found that no symbol to be written has, 0 to {self.writable - 1}")
        # bytes stay bytes: of images that is a quarter of the memory
        kept = inputs if inputs.dtype == np.uint8 else inputs.astype(np.int32, copy=False)
        object.__setattr__(self, "inputs", read_only(kept))
        object.__setattr__(self, "targets", read_only(targets.astype(np.int32, copy=False)))
        object.__setattr__(self, "asked", read_only(asked))

    @classmethod
    def of_pairs(
        cls,
        pairs: Sequence[tuple[Sequence[str], Sequence[str]]],
        given: int,
        steps: int,
        symbols: Sequence[str],
        writable: int = 0,
    ) -> Translations:
        """Make examples of pairs of sequences of symbols.

        Args:
            pairs: what is given and what is to be written, strings of characters or lists of words.
            given, steps: the longest of the former; and of the latter, its end included.
            symbols, writable: as of the class.
        Raises:
            DataError: no pairs, one that is empty or too long, or an unknown symbol.
        """
        if not pairs:
            raise DataError("pairs: none found, at least one expected")
        sources = np.zeros((len(pairs), given), np.int32)
        for row, (source, _) in enumerate(pairs):
            if not 1 <= len(source) <= given:
                raise DataError(f"pairs: {len(source)} symbols given in {source!r}, 1 to {given} expected")
            sources[row, : len(source)] = encode(source, symbols)
        return cls.of_given(sources, [written for _, written in pairs], steps, symbols, writable)

    @classmethod
    def of_given(
        cls, given: np.ndarray, written: Sequence[Sequence[str]], steps: int, symbols: Sequence[str], writable: int = 0
    ) -> Translations:
        """Make examples of integers that are given, (n, given), and of what is to be written of each.

        Raises:
            DataError: as `of_pairs`.
        """
        targets = np.zeros((len(given), steps), np.int32)
        for row, each in enumerate(written):
            if not 1 <= len(each) < steps:
                raise DataError(f"pairs: {len(each)} symbols to be written in {each!r}, 1 to {steps - 1} expected")
            targets[row, : len(each)], targets[row, len(each)] = encode(each, symbols), SIGNS.index(END)
        before = np.concatenate([np.full((len(given), 1), SIGNS.index(BEGIN)), targets[:, :-1]], axis=1)
        inputs = np.concatenate([given, before.astype(given.dtype)], axis=1)
        return cls(inputs, targets, targets != 0, tuple(symbols), writable)

    @property
    def arrays(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Inputs, targets, and where a symbol is asked for."""
        return self.inputs, self.targets, self.asked

    @property
    def given(self) -> np.ndarray:
        """The symbols that are given, (n, given)."""
        return self.inputs[:, : -self.targets.shape[1]]

    @property
    def references(self) -> list[list[str]]:
        """The text to be written of each, without its end."""
        rows = zip(self.targets, self.asked, strict=True)
        return [[self.symbols[number] for number in row[asked][:-1]] for row, asked in rows]

    def with_arrays(self, *arrays: np.ndarray) -> Translations:
        """Return pairs over the same alphabet with other arrays."""
        inputs, targets, asked = arrays
        return Translations(inputs, targets, asked, self.symbols, self.writable)

    def __repr__(self) -> str:
        steps = self.targets.shape[1]
        return (
            f"Translations({len(self)} pairs, {self.inputs.shape[1] - steps} given, {steps} steps, "
            f"alphabet of {len(self.symbols)})"
        )


def alphabet_of(*texts: Sequence[str]) -> tuple[str, ...]:
    """Return `SIGNS`, and then the different symbols of texts: those of the first, sorted, then what the next add."""
    found: dict[str, None] = dict.fromkeys(SIGNS)
    for text in texts:
        found |= dict.fromkeys(sorted(set(text)))
    return tuple(found)
