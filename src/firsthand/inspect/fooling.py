"""Fooling images: noise to the eye, and a known class to the network, with certainty."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from firsthand.errors import FirsthandError
from firsthand.keys import Key, as_key
from firsthand.models import Classifier

from .adversarial import SLOPE, Weigh, as_floats, checked_labels, cost_of, params_of, weigh_of
from .parts import in_batches

__all__ = ["Evolved", "evolved", "grown"]

STRENGTH = 15  # of the polynomial mutation: the larger, the smaller its steps
HALVED = 1000  # generations after which half as many pixels are changed
BLOCK = 25  # generations in one call


class Evolved(NamedTuple):
    """The outcome of an evolution.

    Args:
        images: the champion of each class, (classes, *input_shape), floats between 0 and 1.
        confidence: p of its class, after every block of generations, (blocks, classes).
        generations: at which each class was sure, (classes,); -1 where it never was.
    """

    images: np.ndarray
    confidence: np.ndarray
    generations: np.ndarray


def evolved(
    model: Classifier,
    classes: Sequence[int] | None = None,
    *,
    key: Key,
    sure: float = 0.9999,
    generations: int = 500,
    children: int = 100,
    share: float = 0.1,
) -> Evolved:
    """Breed images that the model is sure of, from noise, by mutation and selection: it takes no gradient.

    Every class has a champion.  In a generation each child is a champion of any class with a share of its pixels
    changed (polynomial mutation); it takes the place of the champion of every class that it is surer of.

    Args:
        model: a `Model`, or an `Ensemble` of them.
        classes: that are bred; all of the model's by default.
        key: all randomness.
        sure: the confidence at which a class is done; when all are, breeding ends.
        generations: largest number of them.
        children: in each generation.
        share: of the pixels that are changed in a child; half as many after every 1,000 generations.
    Returns:
        `Evolved`.
    Raises:
        FirsthandError: a class that the model does not have, or a number out of its range.
    References:
        Nguyen, Yosinski and Clune 2014, 'Deep Neural Networks are Easily Fooled', section 2.2, direct encoding.
    """
    wanted = np.arange(len(model.classes)) if classes is None else np.asarray(classes)
    wanted = checked_labels(model, wanted, len(wanted), "classes")
    if not (0 < share <= 1 and children >= 1 and generations >= 1 and 0 < sure < 1 and len(wanted)):
        raise FirsthandError(
            f"evolved: share {share}, children {children}, generations {generations}, sure {sure} and {len(wanted)} "
            "classes found, expected 0 < share <= 1, 0 < sure < 1, and one or more of the others"
        )
    weigh, params = weigh_of(model), params_of(model)
    start_key, key = jax.random.split(as_key(key))
    champions = jax.random.uniform(start_key, (len(wanted), *model.input_shape))
    costs = jnp.full(len(wanted), jnp.inf)
    program, confidence = _generations_program(weigh, children), []
    done = np.full(len(wanted), -1)
    for block in range(-(-generations // BLOCK)):
        champions, costs = program(
            params, wanted, jnp.float32(share), champions, costs, jnp.int32(block), jax.random.fold_in(key, block)
        )
        confidence.append(np.exp(-np.asarray(costs, np.float64)))
        reached = BLOCK * (block + 1)
        done = np.where((done < 0) & (confidence[-1] >= sure), reached, done)
        if np.all(done >= 0):
            break
    return Evolved(np.asarray(champions), np.array(confidence), done)


def grown(
    model: Classifier, start: np.ndarray, targets: np.ndarray, *, steps: int = 200, rate: float = 0.1
) -> np.ndarray:
    """Descend -ln p_target from any images, by steps of one length along the gradient.

    Args:
        model: a `Model`, or an `Ensemble` of them.
        start: (n, *input_shape), such as noise; integers are pixels 0..255.
        targets: a class for each, (n,).
        steps: how many.
        rate: the length of one.
    Returns:
        float32 (n, *input_shape), between 0 and 1.
    Raises:
        FirsthandError: images or targets that are not the model's.
    References:
        Nguyen, Yosinski and Clune 2014, section 3.7.
    """
    x = as_floats(model.checked(start))
    at = checked_labels(model, targets, len(x), "targets")
    program, params = _grown_program(weigh_of(model), steps), params_of(model)
    found = in_batches(lambda *batch: program(params, jnp.float32(rate), *batch), x, at, size=100)
    return np.concatenate([np.zeros((0, *x.shape[1:]), np.float32), *found])


def _mutated(images: Array, share: Array, key: Array) -> Array:
    """Polynomial mutation (Deb): small steps are frequent, large ones rare, none leads outside of 0 to 1."""
    which, size = jax.random.split(key)
    u = jax.random.uniform(size, images.shape)
    power = 1 / (STRENGTH + 1)
    below = (2 * u + (1 - 2 * u) * (1 - images) ** (STRENGTH + 1)) ** power - 1
    above = 1 - (2 * (1 - u) + 2 * (u - 0.5) * images ** (STRENGTH + 1)) ** power
    step = jnp.where(u < 0.5, below, above)
    chosen = jax.random.bernoulli(which, share, images.shape)
    return jnp.clip(jnp.where(chosen, images + step, images), 0, 1)


@lru_cache(maxsize=16)
def _generations_program(weigh: Weigh, children: int) -> Callable[..., tuple[Array, Array]]:
    def bred(params: Any, classes: Array, share: Any, champions: Array, costs: Array, block: Any, key: Array):
        def generation(at: tuple[Array, Array], number: Array) -> tuple[tuple[Array, Array], None]:
            champions, costs = at
            parent_key, mutation_key = jax.random.split(jax.random.fold_in(key, number))
            parents = champions[jax.random.randint(parent_key, (children,), 0, len(classes))]
            halvings = (block * BLOCK + number) // HALVED
            part = share * 0.5 ** halvings.astype(jnp.float32)
            young = _mutated(parents, part, mutation_key)
            z = weigh(params, young)  # (children, all classes)
            of_class = jax.vmap(lambda c: cost_of(z, jnp.full(children, c)))(classes)  # (classes, children)
            best = jnp.argmin(of_class, axis=1)
            least = jnp.min(of_class, axis=1)
            better = least < costs
            champions = jnp.where(better.reshape(-1, *[1] * (young.ndim - 1)), young[best], champions)
            return (champions, jnp.where(better, least, costs)), None

        return lax.scan(generation, (champions, costs), jnp.arange(BLOCK))[0]

    return jax.jit(bred)


@lru_cache(maxsize=16)
def _grown_program(weigh: Weigh, steps: int) -> Callable[..., Array]:
    def run(params: Any, rate: Array, x: Array, targets: Array) -> Array:
        def step(_, x: Array) -> Array:
            slope = jax.grad(lambda x: jnp.sum(cost_of(weigh(params, x), targets)))(x)
            length = jnp.sqrt(jnp.sum(slope**2, axis=tuple(range(1, x.ndim)), keepdims=True))
            return jnp.clip(x - rate * slope / jnp.maximum(length, SLOPE), 0, 1)

        return lax.fori_loop(0, steps, step, x)

    return jax.jit(run)
