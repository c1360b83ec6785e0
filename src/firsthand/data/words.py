"""Words of a text, each with words that stand near it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from .examples import DataError, Examples, read_only

__all__ = ["WordPairs", "WordText", "word_pairs"]

_WORD = re.compile(r"[a-z]+(?:'[a-z]+)?")


class WordText(NamedTuple):
    """A text as numbers of words.

    `words` is the vocabulary, the most frequent first; `counts` says how often each comes; `sentences` are the words of
    the vocabulary, sentence by sentence.
    """

    words: tuple[str, ...]
    counts: np.ndarray
    sentences: tuple[np.ndarray, ...]

    @classmethod
    def of(cls, sentences: Sequence[str], at_least: int = 5) -> WordText:
        """Number the words, in lower case, that come at least so often; the others are left out.

        Raises:
            DataError: fewer than two words come so often.

        Examples:
            >>> WordText.of(["To be, or not to be", "that is to be asked"], at_least=2).words
            ('be', 'to')
        """
        split = [_WORD.findall(sentence.lower().replace("’", "'")) for sentence in sentences]
        # of equally frequent ones the first of the alphabet
        order = sorted(Counter(word for words in split for word in words).items(), key=lambda item: (-item[1], item[0]))
        kept = [(word, count) for word, count in order if count >= at_least]
        if len(kept) < 2:
            raise DataError(f"text: {len(kept)} words found that come {at_least} times, at least 2 expected")
        numbers = {word: number for number, (word, _) in enumerate(kept)}
        found = (np.array([numbers[w] for w in words if w in numbers], np.int32) for words in split)
        return cls(
            tuple(w for w, _ in kept), np.array([n for _, n in kept]), tuple(each for each in found if len(each))
        )


@dataclass(frozen=True, eq=False)
class WordPairs(Examples):
    """Words, each with one that stands near it and some that were drawn at random.

    Args:
        centres: integers (n, 1), each an index into `words`, as a network is given them; kept as int32.
        neighbours: integers (n,), of words that stand near.
        noise: integers (n, k), of words drawn.
        words: the vocabulary.
    Raises:
        DataError: a wrong shape, or a number that is no word's.
    """

    centres: np.ndarray
    neighbours: np.ndarray
    noise: np.ndarray
    words: tuple[str, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "words", tuple(self.words))
        count = len(self.centres)
        for name, shape in (("centres", (count, 1)), ("neighbours", (count,)), ("noise", (count, -1))):
            found = np.asarray(getattr(self, name))
            fits = found.ndim == len(shape) and all(w in (-1, f) for w, f in zip(shape, found.shape, strict=True))
            if not fits or not found.size or found.dtype.kind not in "iu":
                raise DataError(f"{name}: {found.dtype} of shape {found.shape} found, integers {shape} expected")
            if not 0 <= found.min() <= found.max() < len(self.words):
                raise DataError(f"{name}: a number found that is no word's, 0 to {len(self.words) - 1} expected")
            object.__setattr__(self, name, read_only(found.astype(np.int32, copy=False)))

    @property
    def arrays(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Centres, neighbours and noise."""
        return self.centres, self.neighbours, self.noise

    def with_arrays(self, *arrays: np.ndarray) -> WordPairs:
        """Return pairs over the same vocabulary with other arrays."""
        centres, neighbours, noise = arrays
        return WordPairs(centres, neighbours, noise, self.words)

    def __repr__(self) -> str:
        return f"WordPairs({len(self)} pairs, {self.noise.shape[1]} words of noise each, {len(self.words)} words)"


def word_pairs(
    text: WordText,
    count: int,
    *,
    window: int = 5,
    noise: int = 5,
    keep: float = 1e-3,
    seed: int | Sequence[int],
) -> WordPairs:
    """Draw pairs of neighbours from a text.

    Of a frequent word, of share f among all words, only a part sqrt(keep / f) is looked at; each word's window is 1 to
    `window` words to either side, at random; noise is drawn with probabilities proportional to f^(3/4).

    Args:
        text: numbered words.
        count: number of pairs; where the text gives fewer, some come again.
        window: largest distance of neighbours, in words.
        noise: words of noise for each pair.
        keep: the share of words from which on a word is left out at times.
        seed: of all randomness.
    Raises:
        DataError: no two words stand near each other.
    References:
        Mikolov et al. 2013, 'Distributed Representations of Words and Phrases and their Compositionality', section 2.
    """
    random = np.random.default_rng(seed)
    share = text.counts / text.counts.sum()
    kept = np.minimum(1.0, np.sqrt(keep / share))
    joined, sentence = (
        np.concatenate(text.sentences),
        np.repeat(range(len(text.sentences)), [*map(len, text.sentences)]),
    )
    looked_at = random.random(len(joined)) < kept[joined]
    joined, sentence = joined[looked_at], sentence[looked_at]
    reach = random.integers(1, window + 1, len(joined))
    centres, neighbours = [], []
    for distance in range(1, window + 1):
        near = sentence[distance:] == sentence[:-distance]
        for of, other in ((slice(distance, None), slice(-distance)), (slice(-distance), slice(distance, None))):
            chosen = near & (reach[of] >= distance)
            centres.append(joined[of][chosen])
            neighbours.append(joined[other][chosen])
    pairs = np.stack([np.concatenate(centres), np.concatenate(neighbours)])
    if not pairs.size:
        raise DataError("text: no two words found that stand near each other")
    pairs = pairs[:, np.resize(random.permutation(pairs.shape[1]), count)]
    steps = np.cumsum(share**0.75)
    drawn = np.searchsorted(steps / steps[-1], random.random((count, noise)), side="right")
    return WordPairs(pairs[0][:, None], pairs[1], np.minimum(drawn, len(steps) - 1), text.words)
