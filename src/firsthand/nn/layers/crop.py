"""A window of the image: a random one in training, the middle one in use."""

from dataclasses import dataclass

import jax
from jax import Array, lax

from ..layer import Layer, Params, Shape
from ..windows import Field, pair
from .common import require_positive

__all__ = ["Crop"]


@dataclass(frozen=True)
class Crop(Layer):
    """A window of each image, drawn at random for each in training, the middle one in use.

    As a layer, and not as an augmentation, because what follows it sees smaller images.  `models.ten_crop` averages
    what a network says of the corners, the middle and their mirror images.

    Args:
        size: (height, width) of the window, or one number for both.
    References:
        Krizhevsky, Sutskever and Hinton 2012, 'ImageNet Classification with Deep Convolutional Neural Networks',
        section 4.1 (windows of 224x224 out of 256x256).
    """

    size: tuple[int, int] | int

    def __post_init__(self) -> None:
        height, width = pair(self.size)
        require_positive(self, height=height, width=width)

    def output_shape(self, input_shape: Shape) -> Shape:
        (height, width), (rows, columns, channels) = pair(self.size), self._image(input_shape)
        if rows < height or columns < width:
            raise self._refuse(input_shape, f"at least {height}x{width} pixels")
        return height, width, channels

    def middle(self, input_shape: Shape) -> tuple[int, int]:
        """The upper left pixel of the window in use, (row, column)."""
        height, width, _ = self.output_shape(input_shape)
        return (input_shape[0] - height) // 2, (input_shape[1] - width) // 2

    def apply(self, params: Params, x: Array, *, key: Array | None = None, train: bool = False) -> Array:
        batch, rows, columns, _ = x.shape
        shape = self.output_shape(x.shape[1:])
        if not train:
            top, left = self.middle(x.shape[1:])
            return x[:, top : top + shape[0], left : left + shape[1]]
        if key is None:
            raise ValueError("Crop: training needs a key, got None")
        places = jax.numpy.array([rows - shape[0] + 1, columns - shape[1] + 1])
        corners = jax.random.randint(key, (batch, 2), 0, places)
        return jax.vmap(lambda image, at: lax.dynamic_slice(image, (at[0], at[1], 0), shape))(x, corners)

    def seen(self, field: Field, input_shape: Shape) -> Field | None:
        top, left = self.middle(input_shape)
        return Field(field.top + top, field.bottom + top, field.left + left, field.right + left)

    def zeros_end_gradient(self, before: bool) -> bool:
        return before
