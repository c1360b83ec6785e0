"""Experience: a policy plays, and learns from what it remembers of its games."""

import hashlib
import json
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from firsthand.data import Examples
from firsthand.data.examples import read_only
from firsthand.environments import Environment, State
from firsthand.errors import FirsthandError
from firsthand.models.outputs import in_chunks
from firsthand.nn import Network

from .quantity import Quantity
from .source import Source

__all__ = ["Experience", "Transitions"]

SCORE = Quantity("score", "score of an episode", "一局的得分", better="higher", digits=2)


@dataclass(frozen=True, eq=False)
class Transitions(Examples):
    """Steps of games, as Q-learning takes them.

    Args:
        contents: what was seen, bytes 0 or 255, (n, *observation_shape); the actions, (n,); what they were worth, (n,);
            and where no target network has added what follows, the discounts, (n,), and what was seen next.
        environment: the game.
    """

    contents: tuple[np.ndarray, ...]
    environment: Environment

    def __post_init__(self) -> None:
        object.__setattr__(self, "contents", tuple(read_only(np.asarray(array)) for array in self.contents))

    @property
    def arrays(self) -> tuple[np.ndarray, ...]:
        return self.contents

    def with_arrays(self, *arrays: np.ndarray) -> "Transitions":
        return Transitions(arrays, self.environment)


class Memory(NamedTuple):
    """The memory of the epochs before."""

    states: State  # of all games, as they stand
    # of the last steps, as a ring: (rows, games, ...)
    seen: Array  # bits of what was seen, eight to a byte
    actions: Array
    rewards: Array
    ended: Array
    position: Array  # the row that is written next
    filled: Array  # how many rows have been written
    target: Any  # parameters of the target network; () without one
    totals: Array  # rewards so far in the episodes that go on, (games,)
    score: Array  # mean of the episodes that ended last


@dataclass(frozen=True)
class Experience(Source):
    """Transitions drawn at random from the last steps of games that the network itself plays.

    In every epoch the network plays a few steps of each game, epsilon-greedily: with probability epsilon at random,
    and otherwise the action of the largest Q(s, a).  The examples are then drawn from all steps that are remembered
    (experience replay).  A target network, a copy of the parameters that is renewed every few epochs, says what
    follows:

        y = r + discount max_a' Q(s', a'; theta^-), and y = r where the episode ended

    Args:
        environment: the game.
        network: plays; the one that is trained.
        count: transitions in an epoch's examples.
        games: played side by side.
        steps: of every game, in an epoch.
        capacity: transitions that are remembered.  0 remembers none: the examples of an epoch are its own steps, in
            their order, and count is games times steps.
        discount: of a reward one step later.
        renewed: epochs for which a target network stays as it is; 0 for no target network, so that the network that
            learns says what follows.
        explore: epsilon at the start and in the end, and the epochs in which it falls in a line.
    Raises:
        FirsthandError: an output that is not one number for each action, or a setting that cannot be.
    References:
        Mnih et al. 2013, 'Playing Atari with Deep Reinforcement Learning', algorithm 1; Mnih et al. 2015, 'Human-Level
        Control through Deep Reinforcement Learning' (the target network).
    """

    quantity: ClassVar[Quantity] = SCORE

    environment: Environment
    network: Network
    count: int = 8_192
    games: int = 16
    steps: int = 64
    capacity: int = 100_000
    discount: float = 0.99
    renewed: int = 4
    explore: tuple[float, float, int] = (1.0, 0.1, 100)

    def __post_init__(self) -> None:
        actions = len(self.environment.actions)
        shape = self.environment.observation_shape
        if self.network.input_shape != shape or self.network.output_shape != (actions,):
            raise FirsthandError(
                f"network: it makes {self.network.output_shape} of {self.network.input_shape}, "
                f"expected {(actions,)} of {shape} for {self.environment}: a value for each action"
            )
        own = self.games * self.steps
        for name, value, good, wanted in (
            (
                "count",
                self.count,
                self.count >= 1 and (self.capacity > 0 or self.count == own),
                f"{own}, games x steps",
            ),
            ("games", self.games, self.games >= 1, "1 or more"),
            ("steps", self.steps, self.steps >= 2, "2 or more"),
            ("capacity", self.capacity, self.capacity == 0 or self.capacity >= own, f"0, or {own} and more"),
            ("discount", self.discount, 0 <= self.discount <= 1, "0 to 1"),
            ("renewed", self.renewed, self.renewed >= 0, "0 or more"),
            (
                "explore",
                self.explore,
                all(0 <= e <= 1 for e in self.explore[:2]) and self.explore[2] >= 1,
                "(0 to 1, 0 to 1, epochs)",
            ),
        ):
            if not good:
                raise FirsthandError(f"experience: {name} is {value}, expected {wanted}")

    @property
    def rows(self) -> int:
        """Steps of every game that are remembered."""
        return self.capacity // self.games or self.steps

    @property
    def digest(self) -> str:
        about = {"environment": self.environment.name, **self.environment.settings()}
        about |= {name: getattr(self, name) for name in _SETTINGS}
        return hashlib.sha256(json.dumps(about).encode()).hexdigest()

    @property
    def like(self) -> Transitions:
        shape = self.count, *self.environment.observation_shape
        seen, numbers = np.zeros(shape, np.uint8), np.zeros(self.count, np.float32)
        rest = () if self.renewed else (numbers, seen)
        return Transitions((seen, np.zeros(self.count, np.int32), numbers, *rest), self.environment)

    def epsilon(self, epoch: int) -> float:
        """Return the share of actions that are drawn at random in an epoch, from 0."""
        first, last, epochs = self.explore
        return first + (last - first) * min(1.0, epoch / epochs)

    def memory(self, params: Any, *, key: Array) -> Memory:
        bits = int(np.prod(self.environment.observation_shape))
        ring = self.rows, self.games
        return Memory(
            jax.vmap(lambda k: self.environment.reset(key=k))(jax.random.split(key, self.games)),
            jnp.zeros((*ring, -(-bits // 8)), jnp.uint8),
            jnp.zeros(ring, jnp.int32),
            jnp.zeros(ring, jnp.float32),
            jnp.zeros(ring, bool),
            jnp.int32(0),
            jnp.int32(0),
            jax.tree.map(jnp.copy, params) if self.renewed else (),
            jnp.zeros(self.games, jnp.float32),
            jnp.float32(0),
        )

    def examples(self, epoch: int, params: Any, *, key: Array) -> Transitions:
        memory_key, key = jax.random.split(key)
        return self.recall(epoch, params, self.memory(params, key=memory_key), key=key)[0]

    def recall(self, epoch: int, params: Any, memory: Memory, *, key: Array) -> tuple[Transitions, Memory]:
        if self.renewed and epoch % self.renewed == 0:
            memory = memory._replace(target=jax.tree.map(jnp.copy, params))
        arrays, memory = _program(self)(params, memory, jnp.float32(self.epsilon(epoch)), key)
        return Transitions(tuple(map(np.asarray, arrays)), self.environment), memory

    def scores(self, memory: Memory) -> dict[str, float]:
        return {"training_score": float(memory.score)}


_SETTINGS = ("count", "games", "steps", "capacity", "discount", "renewed", "explore")


@lru_cache(maxsize=16)
def _program(source: Experience):
    environment, network, games, rows = source.environment, source.network, source.games, source.rows
    observe = jax.vmap(environment.observe)

    def played(params: Any, memory: Memory, epsilon: Array, key: Array) -> Memory:
        def once(memory: Memory, key: Array) -> tuple[Memory, tuple[Array, Array]]:
            random_key, way_key, step_key, reset_key = jax.random.split(key, 4)
            seen = observe(memory.states)
            best = jnp.argmax(network.apply(params, seen.astype(jnp.float32)), axis=-1).astype(jnp.int32)
            any_action = jax.random.randint(way_key, (games,), 0, len(environment.actions), jnp.int32)
            actions = jnp.where(jax.random.bernoulli(random_key, epsilon, (games,)), any_action, best)
            step = jax.vmap(lambda s, a, k: environment.step(s, a, key=k))
            state, reward, ended = step(memory.states, actions, jax.random.split(step_key, games))
            fresh = jax.vmap(lambda k: environment.reset(key=k))(jax.random.split(reset_key, games))
            state = jax.tree.map(lambda new, old: jnp.where(_like(ended, new), new, old), fresh, state)
            at, totals = memory.position, memory.totals + reward
            memory = memory._replace(
                states=state,
                seen=memory.seen.at[at].set(jnp.packbits(seen.reshape(games, -1), axis=-1)),
                actions=memory.actions.at[at].set(actions),
                rewards=memory.rewards.at[at].set(reward),
                ended=memory.ended.at[at].set(ended),
                position=(at + 1) % rows,
                filled=jnp.minimum(memory.filled + 1, rows),
                totals=jnp.where(ended, 0.0, totals),
            )
            return memory, (jnp.sum(jnp.where(ended, totals, 0.0)), jnp.sum(ended.astype(jnp.float32)))

        memory, (sums, counts) = lax.scan(once, memory, jax.random.split(key, source.steps))
        mean = jnp.sum(sums) / jnp.maximum(jnp.sum(counts), 1.0)
        return memory._replace(score=jnp.where(jnp.sum(counts) > 0, mean, memory.score))

    def unpacked(seen: Array) -> Array:
        """Bits of what was seen, as bytes 0 or 255: (n, bytes) -> (n, *observation_shape)."""
        shape = environment.observation_shape
        bits = jnp.unpackbits(seen, axis=-1, count=int(np.prod(shape)))
        return (jnp.uint8(255) * bits).reshape(-1, *shape)

    def recalled(params: Any, memory: Memory, epsilon: Array, key: Array) -> tuple[tuple[Array, ...], Memory]:
        play_key, row_key, game_key = jax.random.split(key, 3)
        memory = played(params, memory, epsilon, play_key)
        if source.capacity:
            # of the newest row it is not remembered what was seen next
            age = jax.random.randint(row_key, (source.count,), 1, memory.filled)
            row = (memory.position - 1 - age) % rows
            game = jax.random.randint(game_key, (source.count,), 0, games)
            after = unpacked(memory.seen[(row + 1) % rows, game])
        else:
            row, game = (each.reshape(-1) for each in jnp.mgrid[:rows, :games])
            now = jnp.packbits(observe(memory.states).reshape(games, -1), axis=-1)
            after = unpacked(jnp.concatenate([memory.seen[1:], now[None]]).reshape(rows * games, -1))
        seen, actions = unpacked(memory.seen[row, game]), memory.actions[row, game]
        rewards, goes_on = memory.rewards[row, game], ~memory.ended[row, game]
        discounts = source.discount * goes_on.astype(jnp.float32)
        if not source.renewed:
            return (seen, actions, rewards, discounts, after), memory
        follows = in_chunks(lambda x: jnp.max(network.apply(memory.target, x), axis=-1), after)
        return (seen, actions, rewards + discounts * follows), memory

    return jax.jit(recalled)


def _like(which: Array, values: Array) -> Array:
    """Truth values (games,) with as many axes as values (games, ...)."""
    return which.reshape(-1, *(1,) * (values.ndim - 1))
