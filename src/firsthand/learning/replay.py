"""The replay memory: the last steps of games in rings of arrays, and what is drawn from them.

`Experience` says how it is filled and what is learned from it.
"""

from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from firsthand.environments import Environment, State, as_inputs
from firsthand.models.outputs import in_chunks
from firsthand.nn import Network

if TYPE_CHECKING:
    from .experience import Experience

__all__ = ["Memory", "Played", "empty_ring", "play_on", "remember_and_draw"]


class Memory(NamedTuple):
    """The memory of the epochs before."""

    states: State  # of all games, as they stand
    # of the last steps, as a ring: (rows, games, ...)
    seen: Array  # bits of what was seen, eight to a byte; or bytes, or numbers
    actions: Array
    rewards: Array
    ended: Array
    position: Array  # the row that is written next
    filled: Array  # how many rows have been written
    target: Any  # parameters of the target network; () without one
    totals: Array  # rewards so far in the episodes that go on, (games,)
    score: Array  # mean of the episodes that ended last


class Played(NamedTuple):
    """Steps of games in their order, (steps, games, ...)."""

    seen: Any  # as the memory keeps it; arrays of JAX, or of NumPy where the game is played in Python
    actions: Any
    rewards: Any
    ended: Any
    after: Any  # what is seen behind the last step, as the memory keeps it, (games, ...)


def empty_ring(environment: Environment, rows: int, games: int) -> np.ndarray:
    """Return an empty ring (rows, games, ...) for what is seen: of each step the newest moment alone."""
    values = int(np.prod(environment.observation_shape)) // environment.moments
    if environment.observation_type.kind == "b":
        return np.zeros((rows, games, -(-values // 8)), np.uint8)
    return np.zeros((rows, games, values), environment.observation_type)


def play_on(source: "Experience", params: Any, states: State, epsilon: float, *, key: Array) -> tuple[State, Played]:
    """Play the steps of an epoch, epsilon-greedily, from states on."""
    if source.environment.compiled:
        return _compiled_player(source)(params, states, jnp.float32(epsilon), key)
    return _play_in_python(source, params, states, epsilon, key)


@lru_cache(maxsize=16)
def _compiled_player(source: "Experience"):
    environment, network, games = source.environment, source.network, source.games
    observe = jax.vmap(environment.observe)

    def kept(seen: Array) -> Array:
        return jnp.packbits(seen.reshape(games, -1), axis=-1)

    def run(params: Any, states: State, epsilon: Array, key: Array) -> tuple[State, Played]:
        def once(states: State, key: Array) -> tuple[State, tuple[Array, ...]]:
            random_key, way_key, step_key, reset_key = jax.random.split(key, 4)
            seen = observe(states)
            best = jnp.argmax(network.apply(params, as_inputs(seen)), axis=-1).astype(jnp.int32)
            any_action = jax.random.randint(way_key, (games,), 0, len(environment.actions), jnp.int32)
            actions = jnp.where(jax.random.bernoulli(random_key, epsilon, (games,)), any_action, best)
            step = jax.vmap(lambda s, a, k: environment.step(s, a, key=k))
            states, rewards, ended = step(states, actions, jax.random.split(step_key, games))
            fresh = jax.vmap(lambda k: environment.reset(key=k))(jax.random.split(reset_key, games))
            states = jax.tree.map(lambda new, old: jnp.where(_like(ended, new), new, old), fresh, states)
            return states, (kept(seen), actions, rewards, ended)

        states, (seen, actions, rewards, ended) = lax.scan(once, states, jax.random.split(key, source.steps))
        return states, Played(seen, actions, rewards, ended, kept(observe(states)))

    return jax.jit(run)


def _play_in_python(
    source: "Experience", params: Any, states: State, epsilon: float, key: Array
) -> tuple[State, Played]:
    environment, games = source.environment, source.games
    act, random = _best(source.network), np.random.default_rng(np.asarray(jax.random.key_data(key)))
    states = [jax.tree.map(lambda a, game=game: np.asarray(a)[game], states) for game in range(games)]
    ring = empty_ring(environment, source.steps + 1, games)
    shape = source.steps, games
    played = Played(ring[:-1], np.zeros(shape, np.int32), np.zeros(shape, np.float32), np.zeros(shape, bool), ring[-1])
    for number in range(source.steps + 1):
        seen = np.stack([environment.observe(state) for state in states])
        # the moment that is new is the last
        ring[number] = np.split(seen, environment.moments, axis=-1)[-1].reshape(games, -1)
        if number == source.steps:
            break
        at_random = random.random(games) < epsilon
        any_action = random.integers(len(environment.actions), size=games)
        played.actions[number] = np.where(at_random, any_action, np.asarray(act(params, seen)))
        for game, state in enumerate(states):
            step = environment.step(state, played.actions[number, game], key=key)
            played.rewards[number, game], played.ended[number, game] = step.reward, step.ended
            states[game] = step.state
            if step.ended:
                states[game] = environment.reset(key=jax.random.fold_in(key, number * games + game))
    return jax.tree.map(lambda *each: np.stack(each), *states), played


@lru_cache(maxsize=16)
def _best(network: Network):
    return jax.jit(lambda params, seen: jnp.argmax(network.apply(params, as_inputs(seen)), axis=-1))


@lru_cache(maxsize=16)
def remember_and_draw(source: "Experience"):
    """Compile the other half of an epoch: what was played goes into the memory, and its examples come out.

    Returns:
        A function of params, `Memory`, `Played` and two keys; it returns the arrays of `Transitions`, and the memory.
    """
    environment, games, rows, ahead = source.environment, source.games, source.rows, source.ahead
    shape, moments = environment.observation_shape, environment.moments

    def remembered(memory: Memory, played: Played) -> Memory:
        at = (memory.position + jnp.arange(source.steps)) % rows
        rings = {name: getattr(memory, name).at[at].set(getattr(played, name)) for name in _RINGS}

        def sum_up(totals: Array, step: tuple[Array, Array]) -> tuple[Array, tuple[Array, Array]]:
            rewards, ended = step
            totals = totals + rewards
            over = jnp.sum(jnp.where(ended, totals, 0.0)), jnp.sum(ended.astype(jnp.float32))
            return jnp.where(ended, 0.0, totals), over

        totals, (sums, counts) = lax.scan(sum_up, memory.totals, (played.rewards, played.ended))
        mean = jnp.sum(sums) / jnp.maximum(jnp.sum(counts), 1.0)
        return memory._replace(
            **rings,
            position=(memory.position + source.steps) % rows,
            filled=jnp.minimum(memory.filled + source.steps, rows),
            totals=totals,
            score=jnp.where(jnp.sum(counts) > 0, mean, memory.score),
        )

    def shown(kept: Array) -> Array:
        """The observation of one step, as the network takes it: bits as bytes 0 or 255."""
        one = (*shape[:-1], shape[-1] // moments)
        if environment.observation_type.kind == "b":
            kept = jnp.uint8(255) * jnp.unpackbits(kept, axis=-1, count=int(np.prod(one)))
        return kept.reshape(-1, *one)

    def seen_at(memory: Memory, row: Array, game: Array) -> Array:
        """The observation at a step: the moments up to it of the same episode, and zeros before."""
        parts, same = [shown(memory.seen[row, game])], jnp.ones(row.shape, bool)
        for back in range(1, moments):
            same = same & ~memory.ended[(row - back) % rows, game]
            part = shown(memory.seen[(row - back) % rows, game])
            parts.insert(0, jnp.where(_like(same, part), part, jnp.zeros_like(part)))
        return jnp.concatenate(parts, axis=-1) if moments > 1 else parts[0]

    def run(
        params: Any, memory: Memory, played: Played, row_key: Array, game_key: Array
    ) -> tuple[tuple[Array, ...], Memory]:
        memory = remembered(memory, played)
        if source.capacity:
            # of the newest rows it is not remembered what was seen next, of the oldest not what was seen before
            age = jax.random.randint(row_key, (source.count,), ahead, memory.filled - moments + 1)
            row = (memory.position - 1 - age) % rows
            game = jax.random.randint(game_key, (source.count,), 0, games)
            after = seen_at(memory, (row + ahead) % rows, game)
        else:
            row, game = (each.reshape(-1) for each in jnp.mgrid[:rows, :games])
            after = shown(jnp.concatenate([memory.seen[1:], played.after[None]]).reshape(rows * games, -1))
        rewards, discounts = memory.rewards[row, game], source.discount * _goes_on(memory, row, game)
        for further in range(1, ahead):
            later = (row + further) % rows
            rewards = rewards + discounts * memory.rewards[later, game]
            discounts = source.discount * discounts * _goes_on(memory, later, game)
        seen, actions = seen_at(memory, row, game), memory.actions[row, game]
        if not source.renewed:
            return (seen, actions, rewards, discounts, after), memory
        follows = in_chunks(lambda x: jnp.max(network_apply(memory.target, x), axis=-1), after)
        return (seen, actions, rewards + discounts * follows), memory

    network_apply = source.network.apply
    return jax.jit(run)


_RINGS = ("seen", "actions", "rewards", "ended")


def _goes_on(memory: Memory, row: Array, game: Array) -> Array:
    """1.0 where the episode goes on behind a step, else 0.0."""
    return (~memory.ended[row, game]).astype(jnp.float32)


def _like(which: Array, values: Array) -> Array:
    """Truth values (n,) with as many axes as values (n, ...)."""
    return which.reshape(-1, *(1,) * (values.ndim - 1))
