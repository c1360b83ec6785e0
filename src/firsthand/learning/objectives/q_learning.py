"""Q-learning: the value of an action is to be its reward and the value of what follows."""

from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
from jax import Array, lax

from firsthand.data import Examples
from firsthand.errors import FirsthandError
from firsthand.models import Policy
from firsthand.nn import Network, Params

from ..experience import Transitions
from ..objective import Batch, Objective, check_inputs
from ..quantity import COST, Quantity

__all__ = ["QLearning"]

ERROR = Quantity("error", "squared error of a value", "动作价值的平方误差", better="lower", digits=4)


@dataclass(frozen=True)
class QLearning(Objective):
    """The network's output a is to be y: Huber's cost of the difference, with the largest slope 1.

        C = 1/2 (y - Q(s, a))^2 where |y - Q| <= 1, and |y - Q| - 1/2 beyond

    What y is, `Experience` says: with a target network it is part of the examples; without one it is

        y = r + discount max_a' Q(s', a')

    of the network as it is, through which no gradient goes.

    References:
        Watkins and Dayan 1992, 'Q-learning'; Mnih et al. 2015, 'Human-Level Control through Deep Reinforcement
        Learning', methods (the error is clipped to [-1, 1]).
    """

    @property
    def quantities(self) -> tuple[Quantity, ...]:
        return ERROR, COST

    def costs(
        self, network: Network, params: Any, batch: Batch, *, key: Array | None = None
    ) -> tuple[Array, tuple[Params, ...]]:
        z, updated = network.forward(params, batch[0], key=key)
        return _huber(_difference(network, params, network.activation(z), batch)), updated

    def measure(self, network: Network, params: Any, batch: Batch) -> dict[str, Array]:
        difference = _difference(network, params, network.apply(params, batch[0]), batch)
        return {"error": difference**2, "cost": _huber(difference)}

    def check(self, network: Network, examples: Examples, name: str) -> None:
        if not isinstance(examples, Transitions):
            raise FirsthandError(f"{name}: {type(examples).__name__} found, Q-learning needs an Experience of games")
        check_inputs(network, examples, name)

    def outputs(self, examples: Examples) -> int | None:
        return len(examples.environment.actions) if isinstance(examples, Transitions) else None

    def model(self, network: Network, params: Any, examples: Examples, provenance: dict[str, Any]) -> Policy:
        assert isinstance(examples, Transitions)
        return Policy(network, params, examples.environment, provenance)


def _difference(network: Network, params: Any, values: Array, batch: Batch) -> Array:
    """y - Q(s, a), (batch,)."""
    _, actions, y, *rest = batch
    if rest:
        discounts, after = rest
        y = y + discounts * lax.stop_gradient(jnp.max(network.apply(params, after), axis=-1))
    return y - jnp.take_along_axis(values, actions[:, None], axis=-1)[:, 0]


def _huber(difference: Array) -> Array:
    size = jnp.abs(difference)
    return jnp.where(size <= 1, 0.5 * difference**2, size - 0.5)
