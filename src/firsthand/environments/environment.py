"""Environments: the states of a game, and what each action makes of them."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from typing import Any, ClassVar, NamedTuple

from jax import Array

__all__ = ["Environment", "State", "Step"]

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
    """

    name: ClassVar[str]  # in files, and on the command line
    actions: ClassVar[tuple[str, ...]]
    channels: ClassVar[tuple[str, ...]]  # the kinds of things

    @property
    @abstractmethod
    def observation_shape(self) -> tuple[int, int, int]:
        """The shape of what a player sees: (height, width, channels)."""

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
        """Return what a player sees: booleans, `observation_shape`."""

    def settings(self) -> dict[str, Any]:
        """Return its settings, as plain data."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def __str__(self) -> str:
        return self.name
