"""A gridworld: rooms with a goal, to be reached in few steps."""

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from .environment import Environment, Step

__all__ = ["Gridworld"]

_ROOMS = """\
.....#.....
.....#.....
...........
.....#.....
.....#.....
#.####.....
.....###.##
.....#.....
.....#.....
...........
.....#....."""
_WALLS = np.array([[cell == "#" for cell in line] for line in _ROOMS.splitlines()])
_FREE = np.argwhere(~_WALLS)
_MOVES = np.array([(-1, 0), (0, 1), (1, 0), (0, -1)], np.int32)


class _State(NamedTuple):
    place: Array  # (row, column)
    goal: Array
    steps: Array


@dataclass(frozen=True)
class Gridworld(Environment):
    """Four rooms and four doors: the reward is 1 at the goal, which is elsewhere in every episode, and 0 before.

    Args:
        slips: how often a move goes in a direction drawn at random.
        limit: steps after which an episode ends without reward.
    References:
        Sutton, Precup and Singh 1999, 'Between MDPs and semi-MDPs', figure 2 (the rooms).
    """

    name: ClassVar[str] = "gridworld"
    actions: ClassVar[tuple[str, ...]] = ("up", "right", "down", "left")
    channels: ClassVar[tuple[str, ...]] = ("wall", "player", "goal")

    slips: float = 0.1
    limit: int = 100

    @property
    def observation_shape(self) -> tuple[int, int, int]:
        return (*_WALLS.shape, len(self.channels))

    def reset(self, *, key: Array) -> _State:
        place, goal = jax.random.choice(key, jnp.asarray(_FREE, jnp.int32), (2,), replace=False)
        return _State(place, goal, jnp.int32(0))

    def step(self, state: _State, action: Array, *, key: Array) -> Step:
        slip_key, way_key = jax.random.split(key)
        slipped = jax.random.bernoulli(slip_key, self.slips)
        action = jnp.where(slipped, jax.random.randint(way_key, (), 0, len(self.actions)), action)
        wanted = state.place + jnp.asarray(_MOVES)[action]
        inside = jnp.clip(wanted, 0, jnp.array(_WALLS.shape) - 1)
        place = jnp.where(jnp.asarray(_WALLS)[inside[0], inside[1]], state.place, inside)
        there, steps = jnp.all(place == state.goal), state.steps + 1
        return Step(_State(place, state.goal, steps), there.astype(jnp.float32), there | (steps >= self.limit))

    def observe(self, state: _State) -> Array:
        seen = jnp.zeros(self.observation_shape, bool).at[..., 0].set(jnp.asarray(_WALLS))
        return seen.at[(*state.place, 1)].set(True).at[(*state.goal, 2)].set(True)
