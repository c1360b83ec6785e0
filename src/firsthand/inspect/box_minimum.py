"""Minima of many functions at a time, each of a vector in a box: L-BFGS with projection, batched and compiled."""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax.numpy as jnp
from jax import Array, lax

__all__ = ["box_minimum"]

ARMIJO = 1e-4  # the share of the promised fall that a step must bring
HALVINGS = 8  # of a step that does not
CURVED = 1e-10  # s . y / y . y of a pair that says something about the curvature

ValueAndGradient = Callable[[Array], tuple[Array, Array]]


class _State(NamedTuple):
    x: Array  # (n, d)
    value: Array  # (n,)
    gradient: Array  # (n, d)
    moves: Array  # s = x' - x of the last steps, (history, n, d)
    changes: Array  # y = g' - g, (history, n, d)
    weights: Array  # 1 / s . y, 0 where there is no pair, (history, n)
    scale: Array  # s . y / y . y of the last pair, (n,)
    step: Array
    done: Array  # (n,)


def box_minimum(
    function: ValueAndGradient,
    start: Array,
    *,
    low: float = 0.0,
    high: float = 1.0,
    steps: int = 50,
    history: int = 5,
    tolerance: float = 1e-6,
) -> Array:
    """Return local minima of f_1 ... f_n, each from its own start, with every coordinate between `low` and `high`.

    A step goes along -H g, where H is the L-BFGS approximation of the inverse Hessian and coordinates that would leave
    the box are held; what leaves it all the same is put back at its edge.  It is halved until f falls enough.

    Args:
        function: (n, d) -> values (n,) and gradients (n, d); row i depends on row i alone.
        start: (n, d), within the box.
        low, high: the box.
        steps: largest number of them.
        history: pairs of moves and changes of the gradient that H is made of.
        tolerance: a row ends when no coordinate of its projected gradient is larger.
    Returns:
        (n, d): never a larger value than at the start.
    References:
        Liu and Nocedal 1989, 'On the limited memory BFGS method'; Bertsekas 1982, 'Projected Newton methods for
        optimization problems with simple constraints' (why held coordinates keep the step a descent).
    """
    n, d = start.shape
    value, gradient = function(start)
    memory = jnp.zeros((history, n, d), start.dtype)
    state = _State(
        start,
        value,
        gradient,
        memory,
        memory,
        jnp.zeros((history, n), start.dtype),
        _cautious(gradient),
        jnp.zeros((), jnp.int32),
        jnp.zeros(n, bool),
    )
    advance = partial(_advance, function, low, high, history, tolerance)
    return lax.while_loop(lambda at: (at.step < steps) & ~jnp.all(at.done), advance, state).x


def _advance(function: ValueAndGradient, low: float, high: float, history: int, tolerance: float, at: _State) -> _State:
    held = ((at.x <= low) & (at.gradient > 0)) | ((at.x >= high) & (at.gradient < 0))
    free = jnp.where(held, 0, at.gradient)  # (n, d)
    direction = jnp.where(held, 0, -_times_inverse_hessian(at, free, history))
    x, value, gradient, fell = _searched(function, low, high, at, direction)
    moved, changed = x - at.x, gradient - at.gradient
    product, square = _dot(moved, changed), _dot(changed, changed)
    useful = fell & (product > CURVED * square) & (square > 0)
    place = at.step % history
    # a row without a useful pair forgets the oldest one
    weight = jnp.where(useful, 1 / jnp.where(useful, product, 1), 0)
    # where no step along -H g falls, H is forgotten; where none along -g does, this is the end
    failed, plain = ~fell & ~at.done, jnp.all(at.weights == 0, axis=0)
    done = at.done | (failed & plain) | (jnp.max(jnp.abs(jnp.clip(x - gradient, low, high) - x), axis=1) < tolerance)
    return _State(
        x,
        value,
        gradient,
        at.moves.at[place].set(moved),
        at.changes.at[place].set(changed),
        jnp.where(failed, 0, at.weights.at[place].set(weight)),
        jnp.where(
            failed,
            _cautious(at.gradient),
            jnp.where(useful, product / jnp.where(useful, square, 1), at.scale),
        ),
        at.step + 1,
        done,
    )


def _searched(function: ValueAndGradient, low: float, high: float, at: _State, direction: Array) -> Any:
    """The first of the points x + t direction, put back into the box, t = 1, 1/2, 1/4 ..., at which f falls enough."""

    def trial(t: Array) -> tuple[Array, Array, Array, Array]:
        x = jnp.clip(at.x + t[:, None] * direction, low, high)
        value, gradient = function(x)
        promised = _dot(at.gradient, x - at.x)
        return x, value, gradient, (value <= at.value + ARMIJO * promised) & (promised < 0)

    def again(searched):
        t, count, (x, value, gradient, accepted) = searched
        t = jnp.where(accepted, t, t / 2)
        new = trial(t)
        found = tuple(
            jnp.where(accepted.reshape(-1, *[1] * (old.ndim - 1)), old, one)
            for old, one in zip((x, value, gradient), new[:3], strict=True)
        )
        return t, count + 1, (*found, accepted | new[3])

    def more(searched):
        _, count, (*_, accepted) = searched
        return (count < HALVINGS) & ~jnp.all(accepted | at.done)

    t = jnp.ones(len(at.x), at.x.dtype)
    _, _, (x, value, gradient, accepted) = lax.while_loop(more, again, (t, 0, trial(t)))
    fell = accepted & ~at.done
    return (
        jnp.where(fell[:, None], x, at.x),
        jnp.where(fell, value, at.value),
        jnp.where(fell[:, None], gradient, at.gradient),
        fell,
    )


def _times_inverse_hessian(at: _State, g: Array, history: int) -> Array:
    """H g by the two-loop recursion, from the newest pair to the oldest and back."""
    order = (at.step - 1 - jnp.arange(history)) % history

    def newest_first(q: Array, i: Array) -> tuple[Array, Array]:
        alpha = at.weights[i] * _dot(at.moves[i], q)
        return q - alpha[:, None] * at.changes[i], alpha

    def oldest_first(r: Array, found: tuple[Array, Array]) -> tuple[Array, None]:
        i, alpha = found
        beta = at.weights[i] * _dot(at.changes[i], r)
        return r + (alpha - beta)[:, None] * at.moves[i], None

    q, alphas = lax.scan(newest_first, g, order)
    r, _ = lax.scan(oldest_first, at.scale[:, None] * q, (order[::-1], alphas[::-1]))
    return r


def _cautious(gradient: Array) -> Array:
    """The first step, as a factor of the gradient: no longer than 1."""
    return 1 / jnp.maximum(jnp.linalg.norm(gradient, axis=1), 1)


def _dot(a: Array, b: Array) -> Array:
    return jnp.sum(a * b, axis=1)
