"""Adam, whose steps a recipe's learning rate scales."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import jax
import optax

__all__ = ["Adam"]


@dataclass(frozen=True)
class Adam:
    """The direction of a step in units of each parameter's own recent gradients: value for a recipe's `optimizer`.

        m <- b1 m + (1 - b1) g,    v <- b2 v + (1 - b2) g^2
        w <- w - learning_rate * m' / (sqrt(v') + eps),    m' = m / (1 - b1^t),    v' = v / (1 - b2^t)

    Unlike Optax's own it leaves the learning rate to the recipe, so that schedules and `--learning-rate` hold for it.

    References:
        Kingma and Ba 2015, 'Adam: A Method for Stochastic Optimization', algorithm 1.
    """

    b1: float = 0.9
    b2: float = 0.999
    eps: float = 1e-8

    @property
    def transformation(self) -> optax.GradientTransformation:
        """The same object for the same values, so that a program is compiled for it once."""
        return _made(self)


@lru_cache(maxsize=64)
def _made(adam: Adam) -> optax.GradientTransformation:
    init, update = optax.scale_by_adam(adam.b1, adam.b2, adam.eps)

    def updated(updates: Any, state: Any, params: Any = None) -> tuple[Any, Any]:
        with jax.numpy_dtype_promotion("standard"):  # Optax relies on promotion, whatever the caller has set
            return update(updates, state, params)

    return optax.GradientTransformation(init, updated)
