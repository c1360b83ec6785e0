"""Words as vectors, in which what is alike is near."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from firsthand.errors import FirsthandError
from firsthand.nn import Embedding, Network, Params

from .family import NetworkModel

__all__ = ["WordVectors"]


@dataclass(frozen=True, repr=False)
class WordVectors(NetworkModel):
    """A vector for each word, from the first layer of a network that was to say which words stand near.

    Args:
        network: its first layer is an `Embedding` of the words.
        params: one dict of arrays per layer.
        words: the vocabulary; index = number of the word.
        provenance: how it came to be.
    """

    family: ClassVar[str] = "words"

    network: Network
    params: tuple[Params, ...]
    words: tuple[str, ...]
    provenance: dict[str, Any] = field(default_factory=dict)

    def own_description(self) -> dict[str, Any]:
        return {"words": list(self.words)}

    @classmethod
    def made(cls, network: Network, params: tuple[Params, ...], about: dict[str, Any]) -> "WordVectors":
        words, first = tuple(about["words"]), network.layers[0]
        if not isinstance(first, Embedding) or first.symbols != len(words):
            raise ValueError(f"{len(words)} words for a network that begins with {first}")
        return cls(network, params, words, about["provenance"])

    @cached_property
    def vectors(self) -> np.ndarray:
        """The vectors of all words, each of length 1: (words, features)."""
        found = np.asarray(self.params[0]["weights"], np.float64)
        return found / np.linalg.norm(found, axis=1, keepdims=True)

    def vector(self, word: str) -> np.ndarray:
        """Return the vector of a word, of length 1.

        Raises:
            FirsthandError: the word is not in the vocabulary.
        """
        if word not in self._numbers:
            raise FirsthandError(f"word: {word!r} found, one of the vocabulary's {len(self.words)} words expected")
        return self.vectors[self._numbers[word]]

    def nearest(self, vector: np.ndarray, count: int = 10, without: tuple[str, ...] = ()) -> list[tuple[str, float]]:
        """Return the words whose vectors have the smallest angle to one, with its cosine, nearest first."""
        cosines = self.vectors @ vector / np.linalg.norm(vector)
        order = (self.words[number] for number in np.argsort(-cosines))
        chosen = [word for word in order if word not in without][:count]
        return [(word, float(cosines[self._numbers[word]])) for word in chosen]

    def analogy(self, a: str, b: str, c: str, count: int = 10) -> list[tuple[str, float]]:
        """Return what is to c as b is to a: the nearest words to b - a + c, without these three.

        Raises:
            FirsthandError: a word is not in the vocabulary.
        References:
            Mikolov, Yih and Zweig 2013, 'Linguistic Regularities in Continuous Space Word Representations', section 4.
        """
        return self.nearest(self.vector(b) - self.vector(a) + self.vector(c), count, without=(a, b, c))

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {word: number for number, word in enumerate(self.words)}
