"""The source of an epoch's examples: always the same data, or others in every epoch."""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import jax
from jax import Array

from firsthand.data import Examples

__all__ = ["Fixed", "Made", "Source", "as_source"]


class Source(ABC):
    """Gives the examples of every epoch.

    All epochs have examples of one kind, as many and of the same shapes, so that one compiled program serves for all.
    What an epoch gets depends on its number, the key, the parameters and the source's memory alone, and the memory is
    in every checkpoint: a training that is resumed sees the same.
    """

    def memory(self, params: Any, *, key: Array) -> Any:
        """Return what it remembers before the first epoch, a tree of arrays; here nothing.

        Args:
            params: where the network begins.
            key: of this alone.
        """
        return ()

    @abstractmethod
    def examples(self, epoch: int, params: Any, *, key: Array) -> Examples:
        """Return the examples of an epoch.

        Args:
            epoch: its number, from 0.
            params: of the network when the epoch begins.
            key: of this epoch.
        """

    def recall(self, epoch: int, params: Any, memory: Any, *, key: Array) -> tuple[Examples, Any]:
        """Return the examples of an epoch, as `examples`, and what is remembered of it; here memory stays as it is.

        Args:
            memory: what is remembered of the epochs before.
        """
        return self.examples(epoch, params, key=key), memory

    def scores(self, memory: Any) -> dict[str, float]:
        """Return what the epoch's record says of the source beside what the recipe monitors; here nothing."""
        return {}

    @property
    @abstractmethod
    def like(self) -> Examples:
        """Examples of the kind and the shapes that every epoch has."""

    @property
    @abstractmethod
    def digest(self) -> str:
        """A digest of the examples: a resumed training must find the same."""


@dataclass(frozen=True)
class Fixed(Source):
    """The same examples in every epoch."""

    data: Examples

    def examples(self, epoch: int, params: Any, *, key: Array) -> Examples:
        return self.data

    @property
    def like(self) -> Examples:
        return self.data

    @property
    def digest(self) -> str:
        return self.data.digest


@dataclass(frozen=True)
class Made(Source):
    """New examples in every epoch, made by a function: of a task by rule, there is no end.

    Args:
        make: takes a key, and returns examples; the same key gives the same ones.
    """

    make: Callable[[Array], Examples]

    def examples(self, epoch: int, params: Any, *, key: Array) -> Examples:
        return self.make(key)

    @cached_property
    def like(self) -> Examples:  # pyright: ignore[reportIncompatibleMethodOverride] - asked for often
        return self.make(jax.random.key(0))

    @property
    def digest(self) -> str:
        return hashlib.sha256(f"made like {self.like.digest}".encode()).hexdigest()


def as_source(data: Examples | Source) -> Source:
    """Return data as a source: examples are the same in every epoch."""
    return data if isinstance(data, Source) else Fixed(data)
