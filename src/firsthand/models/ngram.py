"""Counting what follows what: the language model without a network, which a network has to beat."""

from dataclasses import dataclass

import numpy as np

from firsthand.data.sequences import encode
from firsthand.errors import FirsthandError

__all__ = ["NGram"]


@dataclass(frozen=True)
class _Counts:
    """The counts of grams of one length k: the history of k - 1 symbols, and the symbol after it.

    Args:
        grams: the different ones, as numbers in base `symbols`, sorted.
        counts: how often each was seen.
        histories: the different ones among them, sorted.
        totals: the sum of the counts after each history.
        followers: how many different symbols came after it.
        discount: D.
    """

    grams: np.ndarray
    counts: np.ndarray
    histories: np.ndarray
    totals: np.ndarray
    followers: np.ndarray
    discount: float

    @classmethod
    def of(cls, grams: np.ndarray, counts: np.ndarray, symbols: int) -> "_Counts":
        histories, first, followers = np.unique(grams // symbols, return_index=True, return_counts=True)
        once, twice = np.sum(counts == 1), np.sum(counts == 2)
        discount = float(once / (once + 2 * twice)) if once else 0.5
        return cls(grams, counts, histories, np.add.reduceat(counts, first), followers, discount)


@dataclass(frozen=True)
class NGram:
    """Interpolated Kneser-Ney smoothing: the last n - 1 symbols say what comes next, mixed with what fewer say:

        p_k(s | h) = max(c(hs) - D, 0) / c(h) + D N(h) / c(h) p_{k-1}(s | h'),    p_0 = 1 / number of symbols

    with h' the history h without its first symbol, and N(h) how many different symbols followed h.  c counts how often
    a gram of n symbols was seen; for shorter ones, how many different symbols it was seen behind.  Each length has its
    D = n_1 / (n_1 + 2 n_2), from how many grams were counted once and twice.

    References:
        Kneser and Ney 1995, 'Improved backing-off for m-gram language modeling'; Chen and Goodman 1999, 'An empirical
        study of smoothing techniques for language modeling', equations (18) to (20).

    Examples:
        >>> model = NGram.of("she sells sea shells by the sea shore. " * 20, order=4)
        >>> round(model.bits("she sells sea shells"), 2)
        0.52
    """

    symbols: tuple[str, ...]
    tables: tuple[_Counts, ...]  # of grams of 1, 2, ..., n symbols

    @classmethod
    def of(cls, text: str, order: int, symbols: tuple[str, ...] | None = None) -> "NGram":
        """Count a text.

        Args:
            text: at least `order` symbols.
            order: n, the length of the longest grams.
            symbols: the alphabet; by default the characters of the text.
        Raises:
            FirsthandError: an order of which there is no gram, or whose grams do not fit a number of 63 bits.
        """
        alphabet = tuple(sorted(set(text))) if symbols is None else symbols
        if not 1 <= order <= len(text) or len(alphabet) ** order >= 2**63:
            raise FirsthandError(
                f"n-gram: order is {order} for {len(alphabet)} symbols and a text of {len(text):,}, "
                "expected 1 or more, no longer than the text, and symbols ** order below 2 ** 63"
            )
        numbers, base = encode(text, alphabet), len(alphabet)
        longest = np.unique(_grams(numbers, order, base), return_counts=True)
        tables = [_Counts.of(*longest, base)]
        for k in range(order - 1, 0, -1):
            longer = np.unique(_grams(numbers, k + 1, base))
            # each of the different longer grams is one symbol more that this one was seen behind
            tables.append(_Counts.of(*np.unique(longer % base**k, return_counts=True), base))
        return cls(alphabet, tuple(reversed(tables)))

    def probabilities(self, history: str) -> np.ndarray:
        """Return how likely each symbol is to come after a text: (symbols,), summing to 1."""
        numbers, base = encode(history, self.symbols), len(self.symbols)
        p = np.full(base, 1 / base)
        for k, table in enumerate(self.tables[: len(numbers) + 1], start=1):
            before = numbers[len(numbers) - k + 1 :]
            grams = _grams(before, k - 1, base)[0] * base + np.arange(base) if k > 1 else np.arange(base)
            p = _interpolated(table, grams, base, p)
        return p

    def surprises(self, text: str) -> np.ndarray:
        """Return -log2 p of every symbol of a text but the first, given those before it, in bits: (symbols - 1,).

        Raises:
            FirsthandError: a symbol that is not in the alphabet.
        """
        numbers, base = encode(text, self.symbols), len(self.symbols)
        p = np.full(len(numbers), 1 / base)
        for k, table in enumerate(self.tables, start=1):
            if k <= len(numbers):
                p[k - 1 :] = _interpolated(table, _grams(numbers, k, base), base, p[k - 1 :])
        return -np.log2(p[1:])

    def bits(self, text: str) -> float:
        """Return the mean of the `surprises` of a text: bits per symbol."""
        return float(np.mean(self.surprises(text)))


def _interpolated(table: _Counts, grams: np.ndarray, base: int, shorter: np.ndarray) -> np.ndarray:
    """p_k of grams, from p_{k-1} of the same symbols after a history that is one shorter."""
    counts = _found(table.grams, table.counts, grams)
    totals, followers = (_found(table.histories, each, grams // base) for each in (table.totals, table.followers))
    D = table.discount
    known = totals > 0  # after a history that was never seen, the shorter one says all
    mixed = (np.maximum(counts - D, 0) + D * followers * shorter) / np.where(known, totals, 1)
    return np.where(known, mixed, shorter)


def _grams(numbers: np.ndarray, k: int, base: int) -> np.ndarray:
    """The grams of k symbols that follow each other in a text, as numbers in a base."""
    count = len(numbers) - k + 1
    found = np.zeros(count, np.int64)
    for place in range(k):
        found = found * base + numbers[place : place + count]
    return found


def _found(keys: np.ndarray, values: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """The value of each wanted key, 0 where there is none; the keys are sorted."""
    at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[at] == wanted, values[at], 0)
