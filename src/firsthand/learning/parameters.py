"""Rules for parameters by their names: which are penalized, which stay as they are, which move at a rate of their own.

A parameter's name is its place, as in a model file: '0.weights', '3.bias'.  A pattern is such a name with * and ?:
'*weights' names the weights of all layers, '0.*' everything of the first.
"""

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from firsthand.errors import FirsthandError
from firsthand.kernels import SteppedWeights

__all__ = ["check_patterns", "clipped", "matches", "name_of", "penalty", "rate_of", "with_penalties"]

WEIGHTS = ("*weights",)


def name_of(path: tuple) -> str:
    """Return the name of a parameter from its path in the tree: '0.weights'."""
    return jax.tree_util.keystr(path, simple=True, separator=".")


def matches(path: tuple, patterns: Sequence[str]) -> bool:
    """Return whether a parameter's name fits one of the patterns."""
    return any(fnmatchcase(name_of(path), pattern) for pattern in patterns)


def rate_of(path: tuple, rates: Sequence[tuple[str, float]]) -> float:
    """Return the factor of a parameter's learning rate: that of the first pattern that fits, or 1."""
    return next((factor for pattern, factor in rates if matches(path, (pattern,))), 1.0)


def check_patterns(params: Any, field: str, patterns: Sequence[str]) -> None:
    """Raise FirsthandError where a pattern fits no parameter, for it is then misspelt."""
    paths = [path for path, _ in jax.tree_util.tree_leaves_with_path(params)]
    for pattern in patterns:
        if not any(matches(path, (pattern,)) for path in paths):
            names = ", ".join(map(name_of, paths[:6])) + (", ..." if len(paths) > 6 else "")
            raise FirsthandError(f"recipe: {field} has {pattern!r}, which fits no parameter; there are {names}")


def with_penalties(gradient: Any, params: Any, l2: float, l1: float, penalized: Sequence[str] = WEIGHTS) -> Any:
    """dC/dw + l2 w + l1 sgn(w) for what is penalized, equations (88) and (96); the rest as it is."""

    def of(path, g: Any, w: Array) -> Any:
        if isinstance(g, SteppedWeights) or not matches(path, penalized):
            return g
        if l2:
            g = g + l2 * w
        if l1:
            g = g + l1 * jnp.sign(w)
        return g

    if not l2 and not l1:
        return gradient
    return jax.tree_util.tree_map_with_path(of, gradient, params, is_leaf=lambda leaf: isinstance(leaf, SteppedWeights))


def penalty(params: Any, l2: float, l1: float, penalized: Sequence[str] = WEIGHTS) -> float:
    """l2/2 sum w^2 + l1 sum |w| over what is penalized, equations (87) and (95)."""
    weights = [w for path, w in jax.tree_util.tree_leaves_with_path(params) if matches(path, penalized)]
    total = 0.0
    if l2:
        total += 0.5 * l2 * sum(float(jnp.sum(w * w)) for w in weights)
    if l1:
        total += l1 * sum(float(jnp.sum(jnp.abs(w))) for w in weights)
    return total


def clipped(gradient: Any, longest: float) -> Any:
    """The gradient, shortened where it is longer: g min(1, longest / ||g||), with the norm over all parameters.

    References:
        Pascanu, Mikolov and Bengio 2013, 'On the difficulty of training recurrent neural networks', algorithm 1.
    """
    leaves = jax.tree.leaves(gradient)
    norm = jnp.sqrt(sum(jnp.sum(jnp.square(g)) for g in leaves))
    factor = jnp.minimum(1.0, longest / jnp.maximum(norm, jnp.finfo(norm.dtype).tiny))
    return jax.tree.map(lambda g: g * factor.astype(g.dtype), gradient)
