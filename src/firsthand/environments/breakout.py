"""Breakout in small: a ball, a paddle, and three rows of bricks on a board of 10 by 10."""

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from .environment import Environment, Step

__all__ = ["Breakout"]

SIDE = 10
TOP, ROWS = 1, 3  # the first row of bricks, and how many


class _State(NamedTuple):
    ball: Array  # (row, column)
    way: Array  # (down, right), -1 or 1 each
    before: Array  # where the ball was
    paddle: Array
    bricks: Array  # (SIDE, SIDE), booleans


@dataclass(frozen=True)
class Breakout(Environment):
    """The ball flies diagonally, and comes back from walls, bricks and the paddle; a brick is 1, and is gone.

    The episode is over when the ball gets past the paddle.  Where the paddle meets the ball under its own column the
    ball goes on sideways as before; where it meets it a column ahead, the ball comes back where it came from.  A wall
    that has lost its last brick is built again when the ball is next at the paddle.

    The game follows the published description of MinAtar's Breakout; the rules here are our own program of it.

    References:
        Young and Tian 2019, 'MinAtar: An Atari-Inspired Testbed for Thorough and Reproducible Reinforcement Learning
        Experiments'.
    """

    name: ClassVar[str] = "breakout"
    actions: ClassVar[tuple[str, ...]] = ("left", "stay", "right")
    channels: ClassVar[tuple[str, ...]] = ("paddle", "ball", "trail", "brick")

    @property
    def observation_shape(self) -> tuple[int, int, int]:
        return SIDE, SIDE, len(self.channels)

    def reset(self, *, key: Array) -> _State:
        right = jax.random.bernoulli(key)  # it starts at one of the sides
        ball = jnp.stack([jnp.int32(TOP + ROWS - 1), jnp.where(right, SIDE - 1, 0)])
        way = jnp.stack([jnp.int32(1), jnp.where(right, -1, 1)])
        return _State(ball, way, ball, jnp.int32(SIDE // 2 - 1), _wall().at[ball[0], ball[1]].set(False))

    def step(self, state: _State, action: Array, *, key: Array) -> Step:
        paddle = jnp.clip(state.paddle + action - 1, 0, SIDE - 1)
        (row, column), (down, right) = state.ball, state.way
        right = jnp.where((column + right < 0) | (column + right >= SIDE), -right, right)
        down = jnp.where(row + down < 0, 1, down)
        ahead = jnp.stack([row + down, column + right])
        bottom = ahead[0] == SIDE - 1
        hit = state.bricks[ahead[0], ahead[1]]
        below, beside = bottom & (paddle == column), bottom & (paddle == ahead[1]) & (paddle != column)
        saved = below | beside
        # from a brick and from the paddle the ball comes back in its own row
        turned = hit | saved
        ball = jnp.stack([jnp.where(turned, row, ahead[0]), jnp.where(beside, column, ahead[1])])
        way = jnp.stack([jnp.where(turned, -down, down), jnp.where(beside, -right, right)])
        bricks = state.bricks.at[ahead[0], ahead[1]].set(False)
        bricks = jnp.where(saved & ~bricks.any(), _wall(), bricks)
        return Step(_State(ball, way, state.ball, paddle, bricks), hit.astype(jnp.float32), bottom & ~saved)

    def observe(self, state: _State) -> Array:
        places = jnp.zeros((SIDE, SIDE, 3), bool)
        places = places.at[SIDE - 1, state.paddle, 0].set(True)
        places = places.at[state.ball[0], state.ball[1], 1].set(True)
        places = places.at[state.before[0], state.before[1], 2].set(True)
        return jnp.concatenate([places, state.bricks[..., None]], axis=-1)


def _wall() -> Array:
    return jnp.zeros((SIDE, SIDE), bool).at[TOP : TOP + ROWS].set(True)
