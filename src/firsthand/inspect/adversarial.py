"""Adversarial images: changed by so little that nobody sees it, and called something else.

Images go in as pixels 0..255 or floats, and come out as floats between 0 (black) and 1 (white): of uint8, a change of
less than 1/255 would be lost.  All attacks descend or climb

    C(x, l) = -ln p_l,    p = softmax(z(x)),

whatever cost the network was trained with.  Written as ln(1 + e^u), u = ln sum_{j != l} e^{z_j} - z_l, its gradient is
exact where p_l rounds to 1, as it does for most images.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from firsthand.errors import FirsthandError
from firsthand.keys import Key, as_key
from firsthand.models import Classifier, Ensemble, Model
from firsthand.nn import Network

from .box_minimum import box_minimum
from .parts import in_batches

__all__ = ["cost_of", "distortion", "fooled", "gradient_sign", "minimal_distortion", "projected_gradient", "same_size"]

BATCH = 100  # images that are attacked together
SLOPE = 1e-12  # of a gradient that is taken for one
PATIENT = 4  # times as many steps, where no change was found
EASIEST, HARDEST = -6.0, 2.0  # log10 of c in `minimal_distortion`


def gradient_sign(model: Classifier, images: np.ndarray, labels: np.ndarray, epsilon: float) -> np.ndarray:
    """Move every pixel by epsilon, up or down, the way that makes the label less likely: x + epsilon sgn(dC/dx).

    Args:
        model: a `Model`, or an `Ensemble` of them.
        images: (n, *input_shape); integers are pixels 0..255.
        labels: the classes that the images are to lose, (n,).
        epsilon: on the scale where black is 0 and white is 1.
    Returns:
        float32 (n, *input_shape), between 0 and 1.
    Raises:
        FirsthandError: images or labels that are not the model's; a negative epsilon.
    References:
        Goodfellow, Shlens and Szegedy 2014, 'Explaining and Harnessing Adversarial Examples', section 4.
    """
    return projected_gradient(model, images, labels, epsilon, steps=1, rate=epsilon)


def projected_gradient(
    model: Classifier,
    images: np.ndarray,
    labels: np.ndarray,
    epsilon: float,
    *,
    steps: int = 20,
    rate: float | None = None,
    norm: Literal["max", "l2"] = "max",
    key: Key | None = None,
) -> np.ndarray:
    """Climb C(x, label) in small steps, and after each come back to within epsilon of the image.

    Args:
        model, images, labels: as in `gradient_sign`.
        epsilon: the largest change of any pixel; with the norm 'l2', the largest length of the change.
        steps: how many.
        rate: how long one is, in the same norm; 2.5 epsilon / steps by default.
        norm: 'max' moves every pixel by the sign of its slope, 'l2' along the gradient.
        key: begin at a random point within epsilon instead of at the image.
    Returns:
        float32 (n, *input_shape), between 0 and 1: of the points on the way the one with the largest C.
    Raises:
        FirsthandError: images or labels that are not the model's; a negative epsilon, no step, another norm.
    References:
        Madry et al. 2017, 'Towards Deep Learning Models Resistant to Adversarial Attacks', section 2.1.
    """
    if epsilon < 0 or steps < 1 or norm not in ("max", "l2"):
        raise FirsthandError(
            f"attack: epsilon is {epsilon}, steps {steps}, norm {norm!r}; expected 0 or more, 1 or more, 'max' or 'l2'"
        )
    x, at = _given(model, images, labels)
    rate = 2.5 * epsilon / steps if rate is None else rate
    start = x if key is None else _nearby(x, epsilon, norm, as_key(key))
    program = _climb_program(weigh_of(model), steps, norm)
    size = jnp.float32(epsilon), jnp.float32(rate)
    return _joined(x, in_batches(lambda *batch: program(params_of(model), size, *batch), x, start, at, size=BATCH))


def minimal_distortion(
    model: Classifier,
    images: np.ndarray,
    labels: np.ndarray,
    *,
    targets: np.ndarray | None = None,
    steps: int = 12,
    searches: int = 7,
) -> np.ndarray:
    """Find the smallest change that makes the model call each image something else.

    For a number c > 0 it minimizes, by L-BFGS in the box,

        c ||r||^2 + C(x + r, target),    0 <= x + r <= 1,

    from the change that was found before.  c is searched by halving intervals of its logarithm for the largest at which
    x + r is still called the target.

    Args:
        model, images, labels: as in `gradient_sign`.
        targets: what to call the images, (n,); by default the class that comes nearest besides the label.
        steps: of one minimization; four times as many for images that these do not lead astray.
        searches: how many numbers c are tried.
    Returns:
        float32 (n, *input_shape); the image itself where the model calls it something other than the label already
        (with targets, the target), or where no change was found.
    Raises:
        FirsthandError: images, labels or targets that are not the model's.
    References:
        Szegedy et al. 2013, 'Intriguing properties of neural networks', section 4.1, where the first term is c ||r||:
        both have the same minima, with other c.
    """
    x, at = _given(model, images, labels)
    if targets is None:
        z = np.array(model.weighted_inputs(x)) if len(x) else np.zeros((0, len(model.classes)))
        z[np.arange(len(z)), at] = -np.inf
        wanted = z.argmax(axis=1).astype(np.int32)
    else:
        wanted = checked_labels(model, targets, len(x), "targets")

    def searched(steps: int, *arrays: np.ndarray) -> np.ndarray:
        program = _minimal_program(weigh_of(model), steps, searches, targets is not None)
        return _joined(x, in_batches(lambda *batch: program(params_of(model), *batch), *arrays, size=BATCH))

    found = searched(steps, x, at, wanted)
    called = model.predict(found) if len(x) else at
    missed = np.flatnonzero(called == at if targets is None else called != wanted)
    if len(missed):
        # the few for which so few steps do not lead to the other side
        found[missed] = searched(PATIENT * steps, x[missed], at[missed], wanted[missed])
    return found


def fooled(model: Classifier, images: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return a mask of the images that the model calls something other than their labels: (n,), bool."""
    return model.predict(images) != np.asarray(labels)


def distortion(images: np.ndarray, changed: np.ndarray) -> np.ndarray:
    """The root mean square of the change of the pixels, sqrt(1/d sum_i (x'_i - x_i)^2), (n,): Szegedy's measure."""
    difference = as_floats(changed) - as_floats(images)
    return np.sqrt(np.mean(difference.reshape(len(difference), -1).astype(np.float64) ** 2, axis=1))


def same_size(
    images: np.ndarray,
    changed: np.ndarray,
    *,
    times: float | np.ndarray = 1.0,
    noise: bool = False,
    key: Key | None = None,
) -> np.ndarray:
    """Go from images the way that `changed` goes, or a random way (`noise`, with a key), a multiple of its length.

    A random way is that of normal noise; what leaves 0 to 1 is cut off, as it is for any image.
    """
    x = as_floats(images)
    change = as_floats(changed) - x
    if noise:
        assert key is not None
        random = np.asarray(jax.random.normal(as_key(key), x.shape))
        axes = tuple(range(1, x.ndim))
        change = (
            random
            * np.linalg.norm(change.reshape(len(x), -1), axis=1).reshape(-1, *[1] * len(axes))
            / np.sqrt(np.sum(random**2, axis=axes, keepdims=True))
        )
    return np.clip(x + times * change, 0, 1)


def cost_of(z: Array, labels: Array, activation: Any = None) -> Array:
    """C = ln(1 + e^u), u = ln sum_{j != l} e^{z_j} - z_l: -ln softmax(z)_l, with a gradient that does not vanish.

    Args:
        z: weighted inputs, (batch, classes).
        labels: l, (batch,).
        activation: not asked; with it this is a cost like those of `firsthand.nn`.
    Returns:
        (batch,).
    """
    own = jax.nn.one_hot(labels, z.shape[-1], dtype=bool)
    others = jax.nn.logsumexp(jnp.where(own, -jnp.inf, z), axis=-1)
    return jax.nn.softplus(others - jnp.take_along_axis(z, labels[:, None], axis=-1)[:, 0])


@dataclass(frozen=True)
class Weigh:
    """z(params, x) of a classifier, as a value that programs are found by.

    Args:
        networks: of a model, or of the members of an ensemble.
        temperatures: of the members; empty for a model.
    """

    networks: tuple[Network, ...]
    temperatures: tuple[float | None, ...] = ()

    def __call__(self, params: tuple[Any, ...], x: Array) -> Array:
        z = [network.weighted_input(p, x) for network, p in zip(self.networks, params, strict=True)]
        if not self.temperatures:
            return z[0]
        # ln of the mean of what the members say: see `Ensemble`
        says = [self._probabilities(*one) for one in zip(self.networks, self.temperatures, z, strict=True)]
        return jnp.log(jnp.maximum(sum(says) / len(says), jnp.finfo(z[0].dtype).tiny))

    def _probabilities(self, network: Network, temperature: float | None, z: Array) -> Array:
        if temperature is not None:
            return jax.nn.softmax(z / temperature)
        a = jnp.maximum(network.activation(z), 0)
        total = jnp.sum(a, axis=-1, keepdims=True)
        return jnp.where(total > 0, a / jnp.where(total > 0, total, 1), 1 / a.shape[-1])


def weigh_of(model: Classifier) -> Weigh:
    if isinstance(model, Ensemble):
        return Weigh(tuple(m.network for m in model.members), tuple(m.temperature for m in model.members))
    if not isinstance(model, Model):
        raise FirsthandError(f"attack: {type(model).__name__} found, expected a Model or an Ensemble of models")
    return Weigh((model.network,))


def params_of(model: Classifier) -> tuple[Any, ...]:
    return tuple(m.params for m in model.members) if isinstance(model, Ensemble) else (model.params,)  # type: ignore[attr-defined]


@lru_cache(maxsize=32)
def _climb_program(weigh: Weigh, steps: int, norm: str) -> Callable[..., Array]:
    def climbed(params: Any, size: tuple[Array, Array], x: Array, start: Array, labels: Array) -> Array:
        epsilon, rate = size
        gradient = jax.value_and_grad(lambda x: _total(weigh, params, x, labels), has_aux=True)

        def step(_, at):
            now, best, most = at
            (_, costs), slope = gradient(now)
            best, most = jnp.where(_rows(costs > most, x), now, best), jnp.maximum(costs, most)
            if norm == "max":
                now = jnp.clip(now + rate * jnp.sign(slope), x - epsilon, x + epsilon)
            else:
                change = now + rate * slope / jnp.maximum(_length(slope), SLOPE) - x
                now = x + change * jnp.minimum(1, epsilon / jnp.maximum(_length(change), SLOPE))
            return jnp.clip(now, 0, 1), best, most

        now, best, most = lax.fori_loop(0, steps, step, (start, start, jnp.full(len(x), -jnp.inf)))
        # the last point counts whatever it costs where there was but one step: that is the method
        last = jnp.full(len(x), True) if steps == 1 else cost_of(weigh(params, now), labels) > most
        return jnp.where(_rows(last, x), now, best)

    return jax.jit(climbed)


@lru_cache(maxsize=32)
def _minimal_program(weigh: Weigh, steps: int, searches: int, targeted: bool) -> Callable[..., Array]:
    def found(params: Any, x: Array, labels: Array, targets: Array) -> Array:
        flat = x.reshape(len(x), -1)

        def called(at: Array) -> Array:
            return jnp.argmax(weigh(params, at.reshape(x.shape)), axis=-1)

        def succeeds(at: Array) -> Array:
            return called(at) == targets if targeted else called(at) != labels

        def minimum(c: Array, start: Array) -> Array:
            def total(at: Array) -> tuple[Array, Array]:
                costs = cost_of(weigh(params, at.reshape(x.shape)), targets)
                values = c * jnp.sum((at - flat) ** 2, axis=1) + costs
                return jnp.sum(values), values

            def value_and_gradient(at: Array) -> tuple[Array, Array]:
                (_, values), gradient = jax.value_and_grad(total, has_aux=True)(at)
                return values, gradient

            return box_minimum(value_and_gradient, start, steps=steps)

        def search(number: Array, at):
            low, high, best, least = at
            exponent = jnp.where(number == 0, low, (low + high) / 2)
            tried = minimum(10**exponent, jnp.where(jnp.isfinite(least)[:, None], best, flat))
            right, size = succeeds(tried), jnp.sum((tried - flat) ** 2, axis=1)
            better = right & (size < least)
            low, high = jnp.where(right, exponent, low), jnp.where(right | (number == 0), high, exponent)
            return low, high, jnp.where(better[:, None], tried, best), jnp.where(better, size, least)

        n = len(x)
        begin = jnp.full(n, EASIEST), jnp.full(n, HARDEST), flat, jnp.full(n, jnp.inf)
        *_, best, _ = lax.fori_loop(0, searches, search, begin)
        return jnp.where(succeeds(flat)[:, None], flat, best).reshape(x.shape)

    return jax.jit(found)


def _total(weigh: Weigh, params: Any, x: Array, labels: Array) -> tuple[Array, Array]:
    # costs of different images do not depend on each other: of the sum, each row is its own gradient
    costs = cost_of(weigh(params, x), labels)
    return jnp.sum(costs), costs


def _rows(values: Array, like: Array) -> Array:
    return values.reshape(-1, *[1] * (like.ndim - 1))


def _length(x: Array) -> Array:
    return jnp.sqrt(jnp.sum(x**2, axis=tuple(range(1, x.ndim)), keepdims=True))


def _nearby(x: np.ndarray, epsilon: float, norm: str, key: Array) -> np.ndarray:
    if norm == "max":
        change = jax.random.uniform(key, x.shape, minval=-epsilon, maxval=epsilon)
    else:
        way, far = jax.random.split(key)
        change = jax.random.normal(way, x.shape)
        radius = jax.random.uniform(far, (len(x),)) ** (1 / max(1, np.prod(x.shape[1:])))
        change = epsilon * radius.reshape(-1, *[1] * (x.ndim - 1)) * change / _length(change)
    return np.clip(x + np.asarray(change), 0, 1).astype(np.float32)


def _given(model: Classifier, images: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    images = as_floats(model.checked(images))
    return images, checked_labels(model, labels, len(images), "labels")


def checked_labels(model: Classifier, labels: np.ndarray, n: int, name: str) -> np.ndarray:
    labels = np.asarray(labels)
    if labels.shape != (n,) or labels.dtype.kind not in "iu":
        raise FirsthandError(f"{name}: {labels.dtype} of shape {labels.shape}, expected integers ({n},)")
    if n and not 0 <= labels.min() <= labels.max() < len(model.classes):
        raise FirsthandError(f"{name}: {labels.min()} to {labels.max()}, expected 0 to {len(model.classes) - 1}")
    return labels.astype(np.int32)


def as_floats(images: np.ndarray) -> np.ndarray:
    images = np.asarray(images)
    return images.astype(np.float32) / 255 if images.dtype.kind in "iub" else images.astype(np.float32)


def _joined(like: np.ndarray, parts: Any) -> np.ndarray:
    return np.concatenate([np.zeros((0, *like.shape[1:]), np.float32), *parts])
