"""Several views of each image, of which a classifier's answers are averaged: the ten-crop test."""

from collections.abc import Callable

import numpy as np

from firsthand.errors import FirsthandError
from firsthand.nn import Crop, Network
from firsthand.nn.windows import pair

from .model import Model

__all__ = ["mirrored", "ten_crop"]


def ten_crop(model: Model, images: np.ndarray) -> np.ndarray:
    """Return the mean of what a model says of ten windows of each image: the corners, the middle, and these mirrored.

        p = 1/10 sum_v p(window v of x)

    Args:
        model: its network begins with a `Crop` layer, which says how large a window is.
        images: (n, *input_shape).
    Returns:
        Probabilities, (n, classes).
    Raises:
        FirsthandError: another first layer, or images of another shape.
    References:
        Krizhevsky, Sutskever and Hinton 2012, section 4.1.
    """
    first, *layers = model.network.layers
    if not isinstance(first, Crop):
        raise FirsthandError(f"ten_crop: the first layer is {first}, expected Crop")
    images, (height, width) = model.checked(images), pair(first.size)
    inside = Network(tuple(layers), first.output_shape(model.input_shape))
    classifier = Model(inside, model.params[1:], model.classes, temperature=model.temperature)
    below, beside = model.input_shape[0] - height, model.input_shape[1] - width
    corners = [(0, 0), (0, beside), (below, 0), (below, beside), first.middle(model.input_shape)]
    windows = [lambda x, at=at: x[:, at[0] : at[0] + height, at[1] : at[1] + width] for at in corners]
    views = [*windows, *(lambda x, window=window: window(x)[:, :, ::-1] for window in windows)]
    return _mean_over(classifier, images, views)


def mirrored(model: Model, images: np.ndarray) -> np.ndarray:
    """Return the mean of what a model says of each image and of its mirror image: probabilities, (n, classes)."""
    return _mean_over(model, model.checked(images), [lambda x: x, lambda x: x[:, :, ::-1]])


def _mean_over(model: Model, images: np.ndarray, views: list[Callable[[np.ndarray], np.ndarray]]) -> np.ndarray:
    return np.mean([model.probabilities(np.ascontiguousarray(view(images))) for view in views], axis=0)
