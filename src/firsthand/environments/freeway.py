"""Freeway in small: across eight lanes of traffic, as often as there is time."""

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from .environment import Environment, Step

__all__ = ["Freeway"]

SIDE = 10
LANES = SIDE - 2
COLUMN = 4  # of the player
SLOWEST = 5  # steps in which a car moves one column
PAUSE = 3  # steps from one move of the player to the next


class _State(NamedTuple):
    row: Array  # of the player
    pause: Array  # steps before it can move again
    cars: Array  # columns, (LANES,)
    speeds: Array  # steps for a column, negative to the left, (LANES,)
    timers: Array  # steps before each moves, (LANES,)
    steps: Array


@dataclass(frozen=True)
class Freeway(Environment):
    """The player walks up and down through eight lanes with a car each; reaching the top earns 1 and starts over.

    Who is hit is at the bottom again.  Cars come back on the other side; after every crossing they have other speeds
    and directions.  The player can move in one of three steps.

    The game follows the published description of MinAtar's Freeway; the rules here are our own program of it.

    Args:
        limit: steps of an episode.
    References:
        Young and Tian 2019, 'MinAtar: An Atari-Inspired Testbed for Thorough and Reproducible Reinforcement Learning
        Experiments'.
    """

    name: ClassVar[str] = "freeway"
    actions: ClassVar[tuple[str, ...]] = ("up", "stay", "down")
    channels: ClassVar[tuple[str, ...]] = ("player", "car", *(f"trail {speed}" for speed in range(1, SLOWEST + 1)))

    limit: int = 2_500

    @property
    def observation_shape(self) -> tuple[int, int, int]:
        return SIDE, SIDE, len(self.channels)

    def reset(self, *, key: Array) -> _State:
        speeds = _speeds(key)
        cars = jnp.where(speeds > 0, 0, SIDE - 1)
        return _State(jnp.int32(SIDE - 1), jnp.int32(PAUSE), cars, speeds, jnp.abs(speeds), jnp.int32(0))

    def step(self, state: _State, action: Array, *, key: Array) -> Step:
        moves = (state.pause == 0) & (action != 1)
        row = jnp.clip(state.row + jnp.where(moves, action - 1, 0), 0, SIDE - 1)
        pause = jnp.where(moves, PAUSE, jnp.maximum(state.pause - 1, 0))
        there = row == 0
        speeds = jnp.where(there, _speeds(key), state.speeds)
        # a car is hit where it is, and where it drives
        lanes = jnp.arange(1, LANES + 1)
        hit = jnp.any((lanes == row) & (state.cars == COLUMN))
        due = state.timers == 0
        cars = jnp.where(due, (state.cars + jnp.sign(state.speeds)) % SIDE, state.cars)
        timers = jnp.where(there, jnp.abs(speeds), jnp.where(due, jnp.abs(speeds), state.timers - 1))
        hit = hit | jnp.any((lanes == row) & (cars == COLUMN))
        row = jnp.where(hit | there, SIDE - 1, row)
        steps = state.steps + 1
        return Step(_State(row, pause, cars, speeds, timers, steps), there.astype(jnp.float32), steps >= self.limit)

    def observe(self, state: _State) -> Array:
        lanes = jnp.arange(1, LANES + 1)
        seen = jnp.zeros(self.observation_shape, bool).at[state.row, COLUMN, 0].set(True)
        seen = seen.at[lanes, state.cars, 1].set(True)
        # where a car has come from, in the channel of its speed
        return seen.at[lanes, (state.cars - jnp.sign(state.speeds)) % SIDE, 1 + jnp.abs(state.speeds)].set(True)


def _speeds(key: Array) -> Array:
    way_key, speed_key = jax.random.split(key)
    ways = jnp.where(jax.random.bernoulli(way_key, shape=(LANES,)), 1, -1)
    return ways * jax.random.randint(speed_key, (LANES,), 1, SLOWEST + 1)
