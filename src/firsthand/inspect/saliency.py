"""The pixels that a decision hangs on: by the slope at each, and by covering a window."""

from collections.abc import Callable
from functools import lru_cache
from typing import Literal

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from firsthand.errors import FirsthandError
from firsthand.models import Classifier, Ensemble, Model
from firsthand.nn import Network

from .parts import in_batches

__all__ = ["gradient_saliency", "input_gradient", "occlusion"]


def gradient_saliency(model: Model | Ensemble, images: np.ndarray, classes: np.ndarray | None = None) -> np.ndarray:
    """max over channels of |dz_class/dx|: how much each pixel, by a small change, would move the class's z.

    Args:
        model: of images; for an ensemble it is the mean over its members of dz/dx.
        images: (n, height, width, channels); integers are pixels 0..255.
        classes: one for each image, (n,); what the model predicts if not given.
    Returns:
        (n, height, width), 0 or more, per unit of x, which is 0 for black and 1 for white.
    Raises:
        FirsthandError: images of another shape, or classes that the model does not have.
    References:
        Simonyan, Vedaldi and Zisserman 2014, 'Deep Inside Convolutional Networks', section 3.
    """
    _require_images(model)
    return np.max(np.abs(input_gradient(model, images, classes)), axis=-1)


def input_gradient(model: Model | Ensemble, images: np.ndarray, classes: np.ndarray | None = None) -> np.ndarray:
    """dz_class/dx with its sign, the shape of the images; arguments as in `gradient_saliency`."""
    images = model.checked(images)
    at = _classes(model, images, classes)
    members = model.members if isinstance(model, Ensemble) else (model,)
    total = np.zeros(images.shape, np.float32)
    for member in members:
        program = _gradient_program(member.network)
        parts = in_batches(lambda x, y, p=member.params, f=program: f(p, x, y), images, at)
        total += np.concatenate([np.zeros((0, *images.shape[1:]), np.float32), *parts]) / len(members)
    return total


def occlusion(
    model: Classifier,
    images: np.ndarray,
    classes: np.ndarray | None = None,
    *,
    size: int = 5,
    background: float = 0,
    of: Literal["probability", "z"] = "probability",
) -> np.ndarray:
    """The fall of the class's probability when a window about each pixel is covered with the background.

    Args:
        model: of images; any `Classifier`.
        images: (n, height, width, channels); integers are pixels 0..255.
        classes: one for each image, (n,); what the model predicts if not given.
        size: height and width of the window in pixels; odd, so that it has a middle.
        background: the value that covers, in the units of the images.
        of: 'z' for the fall of the weighted input, which still tells where a probability is close to 1 all over.
    Returns:
        (n, height, width): original minus covered, at the middle of the window; negative where covering helps.
    Raises:
        FirsthandError: images of another shape, classes that the model does not have, a window without a middle.
    References:
        Zeiler and Fergus 2014, 'Visualizing and Understanding Convolutional Networks', section 4.2.
    """
    _require_images(model)
    if size < 1 or size % 2 == 0:
        raise FirsthandError(f"occlusion: size is {size}, expected an odd number of pixels")
    if of not in ("probability", "z"):
        raise FirsthandError(f"occlusion: of is {of!r}, expected 'probability' or 'z'")
    images = model.checked(images)
    at = _classes(model, images, classes)
    height, width = images.shape[1:3]
    # (places, height, width): what each window covers
    r, c = np.arange(height), np.arange(width)
    rows = np.abs(r[:, None] - r[None]) <= size // 2  # (middles, height)
    columns = np.abs(c[:, None] - c[None]) <= size // 2
    covered = (rows[:, None, :, None] & columns[None, :, None, :]).reshape(-1, height, width)
    falls = [np.zeros((0, height, width), np.float32)]
    for image, k in zip(images, at, strict=True):
        before = _score(model, image[None], of)[0, k]
        after = [
            _score(model, np.where(part[..., None], np.asarray(background, image.dtype), image), of)[:, k]
            for part in np.array_split(covered, -(-len(covered) // 1000))
        ]
        falls.append((before - np.concatenate(after)).reshape(1, height, width).astype(np.float32))
    return np.concatenate(falls)


def _score(model: Classifier, images: np.ndarray, of: str) -> np.ndarray:
    z = model.weighted_inputs(images)
    return z if of == "z" else model.probabilities_at(z)


def _require_images(model: Classifier) -> None:
    if len(model.input_shape) != 3:
        raise FirsthandError(f"model: it reads inputs of shape {model.input_shape}, not images")


def _classes(model: Classifier, images: np.ndarray, classes: np.ndarray | None) -> np.ndarray:
    if classes is None:
        return model.predict(images).astype(np.int32)
    classes = np.asarray(classes)
    if classes.shape != (len(images),) or classes.dtype.kind not in "iu":
        raise FirsthandError(f"classes: {classes.dtype} of shape {classes.shape}, expected integers ({len(images)},)")
    if len(classes) and not 0 <= classes.min() <= classes.max() < len(model.classes):
        raise FirsthandError(f"classes: {classes.min()} to {classes.max()}, expected 0 to {len(model.classes) - 1}")
    return classes.astype(np.int32)


@lru_cache(maxsize=32)
def _gradient_program(network: Network) -> Callable[..., Array]:
    def total(x: Array, params, classes: Array) -> Array:
        z = network.weighted_input(params, x)  # (batch, classes)
        # an example's z depends on no other example, so that the gradient of the sum is the gradient of each
        return jnp.sum(jnp.take_along_axis(z, classes[:, None], axis=1))

    def gradient(params, images: Array, classes: Array) -> Array:
        return jax.grad(total)(network.as_float(images, params), params, classes)

    return jax.jit(gradient)
