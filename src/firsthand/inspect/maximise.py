"""Images that excite a unit most, kept smooth by a penalty on their total variation."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from firsthand.errors import FirsthandError
from firsthand.keys import Key, as_key
from firsthand.models import Model
from firsthand.nn import Network

from .parts import outputs, part_named

__all__ = ["maximised", "total_variation"]

SMALL = 1e-3  # of a difference: the root of its square has a slope at 0


def total_variation(images: Array) -> Array:
    """sum over pixels of sqrt((x_down - x)^2 + (x_right - x)^2), of images (n, height, width, channels): (n,).

    References:
        Mahendran and Vedaldi 2014, 'Understanding Deep Image Representations by Inverting Them', section 3, beta = 1.
    """
    down = images[:, 1:, :-1] - images[:, :-1, :-1]
    right = images[:, :-1, 1:] - images[:, :-1, :-1]
    return jnp.sum(jnp.sqrt(down**2 + right**2 + SMALL**2) - SMALL, axis=(1, 2, 3))


def maximised(
    model: Model,
    layer: str | int = -1,
    units: np.ndarray | None = None,
    *,
    key: Key,
    smoothness: float = 0.1,
    dark: float = 0.005,
    steps: int = 300,
    rate: float = 0.2,
) -> np.ndarray:
    """Climb, from faint noise, a_unit - smoothness * TV(x) - dark * sum x, by steps of one length along the gradient.

    Both penalties grow from 0 to their whole weight in the first half of the steps.

    Args:
        model: of images.
        layer: its name or number, as in `part_named`; of the last layer the weighted inputs are climbed, because its
            outputs saturate.
        units: numbers of units, or of channels, whose mean over the image is climbed, (n,); all by default.
        key: of the noise.
        smoothness: weight of the total variation; 0 shows what the unit answers to, which is noise to the eye.
        dark: weight of the sum of the pixels, which keeps away ink that does nothing.
        steps, rate: how many, and how long each is; the length falls to 0 on the way.
    Returns:
        float32 (n, *input_shape), between 0 and 1.
    Raises:
        FirsthandError: inputs that are no images, a unit that the layer does not have.
    References:
        Simonyan, Vedaldi and Zisserman 2014, section 2; with the total variation of Mahendran and Vedaldi 2014.
    """
    if len(model.input_shape) != 3:
        raise FirsthandError(f"maximised: inputs have shape {model.input_shape}, expected images")
    part = part_named(model.network, layer)
    count = model.network.num_classes if part.path == (len(model.network.layers) - 1,) else _channels(model, part.name)
    wanted = np.arange(count) if units is None else np.asarray(units)
    if wanted.ndim != 1 or (len(wanted) and not 0 <= wanted.min() <= wanted.max() < count):
        raise FirsthandError(f"maximised: units {wanted.tolist()}, expected numbers from 0 to {count - 1}")
    start = 0.1 * jax.random.uniform(as_key(key), (len(wanted), *model.input_shape))
    weights = jnp.asarray([smoothness, dark, rate], jnp.float32)
    return np.asarray(_climb_program(model.network, part.name, steps)(model.params, start, wanted, weights))


def _channels(model: Model, name: str) -> int:
    shapes = jax.eval_shape(lambda x: outputs(model.network, model.params, x), jnp.zeros((1, *model.input_shape)))
    return shapes[name].shape[-1]


@lru_cache(maxsize=16)
def _climb_program(network: Network, name: str, steps: int) -> Callable[..., Array]:
    last = part_named(network, -1).name

    def answers(params: Any, x: Array, units: Array) -> Array:
        a = network.weighted_input(params, x) if name == last else outputs(network, params, x)[name]
        means = jnp.mean(a.reshape(len(a), -1, a.shape[-1]), axis=1)  # (n, channels)
        return jnp.take_along_axis(means, units[:, None], axis=1)[:, 0]

    def run(params: Any, x: Array, units: Array, weights: Array) -> Array:
        smoothness, dark, rate = weights

        def total(x: Array, share: Array) -> Array:
            penalty = smoothness * total_variation(x) + dark * jnp.sum(x, axis=(1, 2, 3))
            return jnp.sum(answers(params, x, units) - share * penalty)

        def step(number: Array, x: Array) -> Array:
            # the penalties of noise are larger than anything a unit has to say: they come in by and by
            slope = jax.grad(total)(x, jnp.minimum(1, 2 * number.astype(x.dtype) / steps))
            length = jnp.sqrt(jnp.sum(slope**2, axis=(1, 2, 3), keepdims=True))
            left = 1 - number.astype(x.dtype) / steps
            return jnp.clip(x + rate * left * slope / jnp.maximum(length, 1e-12), 0, 1)

        return lax.fori_loop(0, steps, step, x)

    return jax.jit(run)
