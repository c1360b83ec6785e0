"""Catch: a ball falls, and a paddle at the bottom is to be under it."""

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from .environment import Environment, Step

__all__ = ["Catch"]


class _State(NamedTuple):
    row: Array  # of the ball, from the top
    column: Array
    paddle: Array


@dataclass(frozen=True)
class Catch(Environment):
    """A ball falls a row at each step; the reward is 1 if the paddle is below it in the last row, else -1.

    Args:
        rows, columns: of the board.
    References:
        Mnih et al. 2014, 'Recurrent Models of Visual Attention', section 4.2; Osband et al. 2020, 'Behaviour Suite for
        Reinforcement Learning' (10 by 5).
    """

    name: ClassVar[str] = "catch"
    actions: ClassVar[tuple[str, ...]] = ("left", "stay", "right")
    channels: ClassVar[tuple[str, ...]] = ("ball", "paddle")

    rows: int = 10
    columns: int = 5

    @property
    def observation_shape(self) -> tuple[int, int, int]:
        return self.rows, self.columns, len(self.channels)

    def reset(self, *, key: Array) -> _State:
        column = jax.random.randint(key, (), 0, self.columns)
        return _State(jnp.int32(0), column, jnp.int32(self.columns // 2))

    def step(self, state: _State, action: Array, *, key: Array) -> Step:
        row = state.row + 1
        paddle = jnp.clip(state.paddle + action - 1, 0, self.columns - 1)
        ended = row == self.rows - 1
        reward = jnp.where(ended, jnp.where(paddle == state.column, 1.0, -1.0), 0.0)
        return Step(_State(row, state.column, paddle), reward, ended)

    def observe(self, state: _State) -> Array:
        seen = jnp.zeros(self.observation_shape, bool)
        return seen.at[state.row, state.column, 0].set(True).at[self.rows - 1, state.paddle, 1].set(True)
