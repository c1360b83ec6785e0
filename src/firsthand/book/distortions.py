"""Training images made different every time they are seen: a problem of chapter 6, solved on the device.

The chapter notes that the expanded data set would not fit into memory.  It need not exist: each mini-batch is
distorted on its way into the network, and forgotten.
"""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jax import Array

from firsthand.errors import FirsthandError

__all__ = ["Distortions"]


@dataclass(frozen=True)
class Distortions:
    """Random rotation, skewing and translation, each image on its own; give it to `network3.Network.SGD`.

    Args:
        rotation: largest angle in degrees, to either side.
        skew: a line of the image moves sideways by at most this many pixels per pixel of height above the centre.
        translation: largest shift in pixels, in both directions.
    """

    rotation: float = 10.0
    skew: float = 0.1
    translation: float = 1.0

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if value < 0:
                raise FirsthandError(f"distortions: {name} is {value}, expected 0 or more")

    def __call__(self, images: Array, *, key: Array) -> Array:
        """Images (m, rows, columns, maps), distorted; pixels from outside are 0.

        The image is asked backwards: the pixel at p shows what was at M (p - centre) + centre - shift, between
        pixels linearly.
        """
        m, rows, columns, _ = images.shape
        # one row each for angle, skew, and shift down and across, in [-1, 1]
        angle, skew, down, across = jax.random.uniform(key, (4, m), images.dtype, -1, 1)
        angle, skew = jnp.deg2rad(self.rotation) * angle, self.skew * skew
        down, across = self.translation * down, self.translation * across

        i, j = jnp.meshgrid(jnp.arange(rows), jnp.arange(columns), indexing="ij")
        centre_i, centre_j = (rows - 1) / 2, (columns - 1) / 2
        y, x = i.astype(images.dtype) - centre_i, j.astype(images.dtype) - centre_j  # (rows, columns)

        def distort(image: Array, angle: Array, skew: Array, down: Array, across: Array) -> Array:
            sheared = x + skew * y
            from_i = jnp.cos(angle) * y - jnp.sin(angle) * sheared + centre_i - down
            from_j = jnp.sin(angle) * y + jnp.cos(angle) * sheared + centre_j - across
            sample = lambda plane: jax.scipy.ndimage.map_coordinates(plane, [from_i, from_j], order=1)  # noqa: E731
            return jax.vmap(sample, in_axes=-1, out_axes=-1)(image)

        return jax.vmap(distort)(images, angle, skew, down, across)
