"""Whole episodes: what a policy scores, and what a game looks like."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from firsthand.errors import FirsthandError

from .environment import Environment
from .live import SIDE_BY_SIDE

__all__ = ["Act", "Film", "Scores", "film", "play", "show"]

# of the parameters, what players see, (games, *observation_shape), and a key: actions, (games,)
Act = Callable[..., Array]

# the colours of channels, for people
COLOURS = np.array(
    [
        (0, 114, 178), (213, 94, 0), (120, 120, 120), (0, 158, 115),
        (204, 121, 167), (230, 159, 0), (86, 180, 233), (240, 228, 66),
    ],
    np.uint8,
)  # fmt: skip
GROUND = np.array((16, 16, 20), np.uint8)


class Scores(NamedTuple):
    """The scores of episodes."""

    rewards: np.ndarray  # the sum of each episode, (episodes,)
    steps: np.ndarray  # of each
    ended: np.ndarray  # whether it was over before the last step that was allowed


class Film(NamedTuple):
    """One episode, step by step."""

    observations: np.ndarray  # (steps + 1, *observation_shape)
    actions: np.ndarray  # (steps,)
    rewards: np.ndarray  # (steps,)


def play(environment: Environment, act: Act, params: Any, *, episodes: int, limit: int = 10_000, key: Array) -> Scores:
    """Play episodes side by side until all are over.

    Args:
        environment: the game.
        act: the policy; a function that is always the same object is compiled once.
        params: its parameters.
        episodes: how many.
        limit: steps after which an episode is cut off.
        key: of the games and the policy.
    """
    if not environment.compiled:
        groups = [min(SIDE_BY_SIDE, episodes - first) for first in range(0, episodes, SIDE_BY_SIDE)]
        keys = jax.random.split(key, len(groups))
        found = [_play(environment, act, params, *group, limit=limit) for group in zip(groups, keys, strict=True)]
        return Scores(*map(np.concatenate, zip(*found, strict=True)))
    found = _player(environment, act, episodes, limit)(params, key)
    return Scores(*map(np.asarray, found))


@lru_cache(maxsize=16)
def _player(environment: Environment, act: Act, episodes: int, limit: int):
    def run(params: Any, key: Array) -> tuple[Array, Array, Array]:
        start_key, key = jax.random.split(key)
        state = jax.vmap(lambda k: environment.reset(key=k))(jax.random.split(start_key, episodes))
        zeros = jnp.zeros(episodes)

        def going(at):
            number, _, _, _, over = at
            return (number < limit) & ~jnp.all(over)

        def once(at):
            number, state, rewards, steps, over = at
            act_key, step_key = jax.random.split(jax.random.fold_in(key, number))
            seen = jax.vmap(environment.observe)(state)
            actions = act(params, seen, key=act_key)
            keys = jax.random.split(step_key, episodes)
            found = jax.vmap(lambda s, a, k: environment.step(s, a, key=k))(state, actions, keys)
            rewards = rewards + jnp.where(over, 0.0, found.reward)
            return number + 1, found.state, rewards, steps + (~over).astype(jnp.int32), over | found.ended

        none = jnp.zeros(episodes, bool)
        at = (jnp.int32(0), state, zeros, jnp.zeros(episodes, jnp.int32), none)
        _, _, rewards, steps, over = lax.while_loop(going, once, at)
        return rewards, steps, over

    return jax.jit(run)


def _play(environment: Environment, act: Act, params: Any, episodes: int, key: Array, *, limit: int) -> Scores:
    """`play` of a few episodes, in Python."""
    start_key, key = jax.random.split(key)
    states = [environment.reset(key=each) for each in jax.random.split(start_key, episodes)]
    rewards, counts, over = np.zeros(episodes, np.float32), np.zeros(episodes, np.int32), np.zeros(episodes, bool)
    act = jax.jit(act)
    seen = np.stack(list(map(environment.observe, states)))
    for number in range(limit):
        act_key = jax.random.fold_in(key, number)
        actions = np.asarray(act(params, seen, key=act_key))
        for at in np.flatnonzero(~over):
            step = environment.step(states[at], actions[at], key=act_key)
            states[at], over[at] = step.state, step.ended
            rewards[at] += step.reward
            counts[at] += 1
            seen[at] = environment.observe(step.state)
        if over.all():
            break
    return Scores(rewards, counts, over)


def film(environment: Environment, act: Act, params: Any, *, limit: int = 500, key: Array) -> Film:
    """Play one episode, and keep what was seen and done, at most `limit` steps of it."""
    start_key, key = jax.random.split(key)
    observe, step = environment.observe, lambda s, a, k: environment.step(s, a, key=k)
    if environment.compiled:
        observe, step = jax.jit(observe), jax.jit(step)
    state = environment.reset(key=start_key)
    observations, actions, rewards = [np.asarray(observe(state))], [], []
    for number in range(limit):
        act_key, step_key = jax.random.split(jax.random.fold_in(key, number))
        action = act(params, observations[-1][None], key=act_key)[0]
        state, reward, ended = step(state, action, step_key)
        observations.append(np.asarray(observe(state)))
        actions.append(int(action))
        rewards.append(float(reward))
        if ended:
            break
    return Film(np.stack(observations), np.array(actions), np.array(rewards, np.float32))


def show(observation: np.ndarray, scale: int = 1) -> np.ndarray:
    """Return an observation as a picture: bytes (height scale, width scale, 3).

    Of bits each channel has a colour of its own; of bytes the last channel is shown in grey, or three in their colours.

    Raises:
        FirsthandError: numbers are seen, which are no picture.
    """
    if observation.ndim != 3:
        raise FirsthandError(f"show: numbers of shape {observation.shape} found, expected a picture")
    height, width, channels = observation.shape
    if observation.dtype == bool:
        picture = np.broadcast_to(GROUND, (height, width, 3)).copy()
        for channel in reversed(range(channels)):
            picture[observation[..., channel]] = COLOURS[channel % len(COLOURS)]
    else:
        picture = observation if channels == 3 else observation[..., -1:].repeat(3, axis=-1)
    return picture.repeat(scale, axis=0).repeat(scale, axis=1)
