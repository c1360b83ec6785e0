"""A trained network that plays."""

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from firsthand.environments import Environment, Film, Scores, as_inputs, film, named, play
from firsthand.errors import FirsthandError
from firsthand.keys import Key, as_key
from firsthand.nn import Network, Params

from .family import NetworkModel

__all__ = ["Policy"]


@dataclass(frozen=True, repr=False)
class Policy(NetworkModel):
    """A network that values each action of a game, and takes the best.

    Args:
        network: as many outputs as the game has actions.
        params: one dict of arrays per layer.
        environment: the game.
        provenance: how it came to be.
    """

    family: ClassVar[str] = "policy"

    network: Network
    params: tuple[Params, ...]
    environment: Environment
    provenance: dict[str, Any] = field(default_factory=dict)

    def own_description(self) -> dict[str, Any]:
        return {"environment": {"name": self.environment.name, "settings": self.environment.settings()}}

    @classmethod
    def made(cls, network: Network, params: tuple[Params, ...], about: dict[str, Any]) -> "Policy":
        environment = named(about["environment"]["name"], about["environment"]["settings"])
        if network.input_shape != environment.observation_shape:
            raise ValueError(f"inputs {network.input_shape} found, {environment.observation_shape} expected")
        if network.output_shape != (len(environment.actions),):
            raise ValueError(f"outputs {network.output_shape} found, one for each of {environment.actions} expected")
        return cls(network, params, environment, about["provenance"])

    def values(self, seen: np.ndarray) -> np.ndarray:
        """Return Q(s, a), the value of each action, for what is seen: (n, *observation_shape) -> (n, actions).

        Raises:
            FirsthandError: observations of another shape, or none.
        """
        seen = np.asarray(seen)
        if seen.shape[1:] != self.input_shape or not len(seen):
            raise FirsthandError(f"model: observations have shape {seen.shape}, expected (n, *{self.input_shape})")
        return np.asarray(_values(self.network)(self.params, jnp.asarray(seen, self.environment.observation_type)))

    def act(self, seen: np.ndarray) -> np.ndarray:
        """Return the number of the best action for what is seen: (n, *observation_shape) -> (n,)."""
        return self.values(seen).argmax(axis=1)

    def play(self, episodes: int, *, key: Key, epsilon: float = 0.0, limit: int = 10_000) -> Scores:
        """Play episodes, with an action at random once in 1/epsilon steps.

        Raises:
            FirsthandError: no episode, or an epsilon that is not a share.
        """
        if episodes < 1 or not 0 <= epsilon <= 1:
            raise FirsthandError(f"play: {episodes} episodes, epsilon {epsilon} found, expected 1 or more, and 0 to 1")
        act = _acting(self.network, epsilon)
        return play(self.environment, act, self.params, episodes=episodes, limit=limit, key=as_key(key))

    def film(self, *, key: Key, epsilon: float = 0.0, limit: int = 500) -> Film:
        """Play one episode, and keep what was seen and done."""
        return film(self.environment, _acting(self.network, epsilon), self.params, limit=limit, key=as_key(key))


@lru_cache(maxsize=16)
def _values(network: Network):
    return jax.jit(lambda params, seen: network.apply(params, as_inputs(seen)))


@lru_cache(maxsize=16)
def _acting(network: Network, epsilon: float):
    def act(params: Any, seen: Array, *, key: Array) -> Array:
        best = jnp.argmax(network.apply(params, as_inputs(seen)), axis=-1)
        random_key, way_key = jax.random.split(key)
        any_action = jax.random.randint(way_key, best.shape, 0, network.num_classes)
        return jnp.where(jax.random.bernoulli(random_key, epsilon, best.shape), any_action, best)

    return act
