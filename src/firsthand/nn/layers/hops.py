"""A memory of sentences that is looked at several times."""

from dataclasses import dataclass
from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import DTypeLike

from ..layer import Layer, Params, Shape
from .attention import UNKNOWN, vectors
from .common import require_positive

__all__ = ["MemoryNetwork"]


@dataclass(frozen=True)
class MemoryNetwork(Layer):
    """Sentences as a memory that a question looks at several times, each time with what it has found:

        m_i = sum_j l_j A x_ij + T_A(i),    c_i = sum_j l_j C x_ij + T_C(i),    u = sum_j l_j B q_j
        p_i = softmax_i(u . m_i),    u <- u + sum_i p_i c_i

    x_ij is word j of sentence i; l_j, a vector for each place of a word, tells orders of words apart (position
    encoding), T(i), one for each place of a sentence, tells when it was said.  The C of a hop is the A of the next, and
    B is the first A ('adjacent').  Word 0 is none, and sentences without words are not looked at.

        ((sentences + 1) * words,) integers, the question last -> (features,), u after the last hop

    Args:
        symbols: how many words there are.
        features: length of their vectors.
        hops: how often it looks.
        sentences, words: of a story, and of a sentence.
        scale: of the normal distribution that the vectors begin with.
        linear: p_i = u . m_i without the softmax: a start from which the way to what must be looked at is shorter.
    References:
        Sukhbaatar, Szlam, Weston and Fergus 2015, 'End-To-End Memory Networks', sections 2 and 4.1.
    """

    takes_integers: ClassVar[bool] = True

    symbols: int
    features: int
    hops: int
    sentences: int
    words: int
    scale: float = 0.1
    linear: bool = False

    def __post_init__(self) -> None:
        names = ("symbols", "features", "hops", "sentences", "words")
        require_positive(self, **{name: getattr(self, name) for name in names})

    def output_shape(self, input_shape: Shape) -> Shape:
        if input_shape != ((self.sentences + 1) * self.words,):
            raise self._refuse(input_shape, f"{self.sentences} sentences and a question of {self.words} words each")
        return (self.features,)

    def init(self, input_shape: Shape, dtype: DTypeLike = jnp.float32, *, key: Array) -> Params:
        """The first A and the C of every hop, (hops + 1, symbols, features), and their T."""
        first, second = jax.random.split(key)
        shapes = (self.hops + 1, self.symbols, self.features), (self.hops + 1, self.sentences, self.features)
        embeddings, times = (
            self.scale * jax.random.normal(k, shape, dtype) for k, shape in zip((first, second), shapes, strict=True)
        )
        return {"embeddings": embeddings, "times": times}

    def apply(self, params: Params, x: Array, *, key: Array | None = None, train: bool = False) -> Array:
        return self._look(params, x)[0]

    def looks(self, params: Params, x: Array) -> Array:
        """Return p of every hop, the weights of the sentences: (batch, hops, sentences)."""
        return self._look(params, x)[1]

    def _look(self, params: Params, x: Array) -> tuple[Array, Array]:
        x = x.reshape(len(x), self.sentences + 1, self.words)
        told, asked = x[:, :-1], x[:, -1]
        there = jnp.any(told != 0, -1)  # (batch, sentences)

        def memory(number: int) -> Array:
            return self._sentences(params["embeddings"][number], told) + params["times"][number]

        u, found, addresses = self._sentences(params["embeddings"][0], asked), [], memory(0)
        for hop in range(self.hops):
            alike = jnp.einsum("bf,bsf->bs", u, addresses)
            p = jnp.where(there, alike, 0) if self.linear else jax.nn.softmax(jnp.where(there, alike, UNKNOWN), -1)
            addresses = memory(hop + 1)  # the contents of this hop, and what the next is found by
            u = u + jnp.einsum("bs,bsf->bf", p, addresses)
            found.append(p)
        return u, jnp.stack(found, 1)

    def _sentences(self, embedding: Array, words: Array) -> Array:
        """The vectors of sentences, (..., words) -> (..., features)."""
        there = (words != 0)[..., None]
        known = jnp.where(there, vectors(embedding, words), 0)
        places = jnp.asarray(position_encoding(self.words, self.features), embedding.dtype)
        return jnp.einsum("...wf,wf->...f", known, places)

    def multiply_adds(self, input_shape: Shape) -> int:
        vectors_made = (self.hops + 1) * (self.sentences + 1) * self.words * self.features
        return vectors_made + 2 * self.hops * self.sentences * self.features


def position_encoding(words: int, features: int) -> np.ndarray:
    """l_kj = (1 - j/J) - (k/d)(1 - 2j/J) for word j of J and feature k of d, both from 1: (words, features)."""
    j, k = np.arange(1, words + 1)[:, None] / words, np.arange(1, features + 1)[None] / features
    return (1 - j) - k * (1 - 2 * j)
