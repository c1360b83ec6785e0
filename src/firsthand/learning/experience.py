"""Experience: a policy plays, and learns from what it remembers of its games."""

import hashlib
import json
from dataclasses import dataclass
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from firsthand.data import Examples
from firsthand.data.examples import read_only
from firsthand.environments import Environment
from firsthand.errors import FirsthandError
from firsthand.nn import Network

from .quantity import Quantity
from .replay import Memory, empty_ring, play_on, remember_and_draw
from .source import Source

__all__ = ["Experience", "Transitions"]

SCORE = Quantity("score", "score of an episode", "一局的得分", better="higher", digits=2)


@dataclass(frozen=True, eq=False)
class Transitions(Examples):
    """Steps of games, as Q-learning takes them.

    Args:
        contents: what was seen, bits as bytes 0 or 255, (n, *observation_shape); the actions, (n,); what they were
            worth, (n,); and where no target network has added what follows, the discounts, (n,), and what was seen
            next.
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


@dataclass(frozen=True)
class Experience(Source):
    """Transitions drawn at random from the last steps of games that the network itself plays.

    In every epoch the network plays a few steps of each game, epsilon-greedily: with probability epsilon at random,
    and otherwise the action of the largest Q(s, a).  The examples are then drawn from all steps that are remembered
    (experience replay).  A target network, a copy of the parameters that is renewed every few epochs, says what
    follows:

        y = r + discount max_a' Q(s', a'; theta^-), and y = r where the episode ended

    With more steps `ahead` than one, r is the discounted sum of their rewards, and s' what is seen behind them.

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
        ahead: steps of which the rewards are seen before a network says what follows; without a memory 1.
    Raises:
        FirsthandError: an output that is not one number for each action, or a setting that cannot be.
    References:
        Mnih et al. 2013, 'Playing Atari with Deep Reinforcement Learning', algorithm 1; Mnih et al. 2015, 'Human-Level
        Control through Deep Reinforcement Learning' (the target network); Hessel et al. 2018, 'Rainbow' (several steps
        ahead).
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
    ahead: int = 1

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
            (
                "ahead",
                self.ahead,
                1 <= self.ahead <= (self.steps - self.environment.moments if self.capacity else 1),
                f"1 to {self.steps - self.environment.moments}" if self.capacity else "1 without a memory",
            ),
        ):
            if not good:
                raise FirsthandError(f"experience: {name} is {value}, expected {wanted}")
        if not self.capacity and self.environment.moments > 1:
            raise FirsthandError(f"experience: capacity is 0, expected a memory where {self.environment} shows moments")

    @property
    def rows(self) -> int:
        """Steps of every game that are remembered."""
        return self.capacity // self.games or self.steps

    @property
    def digest(self) -> str:
        about = {"environment": self.environment.name, **self.environment.settings()}
        about |= {name: getattr(self, name) for name in _SETTINGS}
        if self.ahead > 1:  # a setting of later versions
            about["ahead"] = self.ahead
        return hashlib.sha256(json.dumps(about).encode()).hexdigest()

    @property
    def like(self) -> Transitions:
        shape = self.count, *self.environment.observation_shape
        dtype = self.environment.observation_type
        seen, numbers = np.zeros(shape, np.uint8 if dtype.kind == "b" else dtype), np.zeros(self.count, np.float32)
        rest = () if self.renewed else (numbers, seen)
        return Transitions((seen, np.zeros(self.count, np.int32), numbers, *rest), self.environment)

    def epsilon(self, epoch: int) -> float:
        """Return the share of actions that are drawn at random in an epoch, from 0."""
        first, last, epochs = self.explore
        return first + (last - first) * min(1.0, epoch / epochs)

    def memory(self, params: Any, *, key: Array) -> Memory:
        ring, keys = (self.rows, self.games), jax.random.split(key, self.games)
        if self.environment.compiled:
            states = jax.vmap(lambda k: self.environment.reset(key=k))(keys)
        else:
            states = jax.tree.map(lambda *each: np.stack(each), *(self.environment.reset(key=k) for k in keys))
        return Memory(
            states,
            jnp.asarray(empty_ring(self.environment, *ring)),
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
        play_key, row_key, game_key = jax.random.split(key, 3)
        states, played = play_on(self, params, memory.states, self.epsilon(epoch), key=play_key)
        # the states of games in Python are none of the program's arrays
        arrays, memory = remember_and_draw(self)(params, memory._replace(states=()), played, row_key, game_key)
        return Transitions(tuple(map(np.asarray, arrays)), self.environment), memory._replace(states=states)

    def scores(self, memory: Memory) -> dict[str, float]:
        return {"training_score": float(memory.score)}


_SETTINGS = ("count", "games", "steps", "capacity", "discount", "renewed", "explore")
