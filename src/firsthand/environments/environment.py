"""Environments: the states of a game, and what each action makes of them."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from typing import Any, ClassVar, NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array

__all__ = ["Environment", "State", "Step", "as_inputs"]

State = Any  # a tree of arrays, whose shapes are always the same


class Step(NamedTuple):
    """The outcome of an action."""

    state: State
    reward: Array  # a number
    ended: Array  # whether the episode is over


@dataclass(frozen=True)
class Environment(ABC):
    """A game with a few actions, whose every function is one that JAX compiles and maps over many games at once.

    A subclass is a frozen dataclass of plain values.  What a player sees is an image of bits, one channel for each kind
    of thing, so that a replay memory holds it in an eighth of a byte per bit.

    Where `compiled` is False the same functions are plain Python, of one game: see `Gymnasium`.  What is seen may then
    be grey pictures or numbers as well.
    """

    name: ClassVar[str]  # in files, and on the command line
    compiled: ClassVar[bool] = True
    actions: ClassVar[tuple[str, ...]]
    channels: ClassVar[tuple[str, ...]]  # the kinds of things, where bits are seen

    @property
    @abstractmethod
    def observation_shape(self) -> tuple[int, ...]:
        """The shape of what a player sees: of bits (height, width, channels)."""

    @property
    def observation_type(self) -> np.dtype:
        """The type of what a player sees: booleans, bytes of grey (uint8), or numbers (float32)."""
        return np.dtype(bool)

    @property
    def moments(self) -> int:
        """The number of steps that a player sees together, the newest last, along the last axis."""
        return 1

    @abstractmethod
    def reset(self, *, key: Array) -> State:
        """Return a state in which an episode begins."""

    @abstractmethod
    def step(self, state: State, action: Array, *, key: Array) -> Step:
        """Return what an action, a number from 0, leads to.

        Args:
            state: of an episode that is not over.
            action: its number in `actions`.
            key: for what happens by chance.
        """

    @abstractmethod
    def observe(self, state: State) -> Array:
        """Return what a player sees: `observation_shape`, `observation_type`."""

    def settings(self) -> dict[str, Any]:
        """Return its settings, as plain data."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def __str__(self) -> str:
        return self.name


def as_inputs(seen: Array) -> Array:
    """Return what is seen as a network takes it: bits as 0.0 and 1.0, bytes and numbers as they are."""
    return seen.astype(jnp.float32) if seen.dtype == bool else seen
