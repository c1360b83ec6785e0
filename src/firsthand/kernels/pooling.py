"""Max-pooling whose windows may overlap, in the form that is fast on each kind of device.

On a CPU the gradient of XLA's own windowed maximum, which searches every window again, takes about ten times what a
maximum of shifted copies takes, along the columns first and then along the rows.
"""

import jax.numpy as jnp
import numpy as np
from jax import Array, lax

__all__ = ["max_pool"]

Pair = tuple[int, int]


def max_pool(x: Array, *, size: Pair, stride: Pair, padding: Pair = (0, 0)) -> Array:
    """a[n, i, j, c] = max_{l, m} x[n, i*down - above + l, j*right - beside + m, c], channel by channel.

    The gradient goes to the first of equally large values, row by row.  What is no number comes out as no number.

    Args:
        x: images, (batch, height, width, channels).
        size: (height, width) of the windows.
        stride: (down, right) between neighbouring windows; less than the size where they overlap.
        padding: rows above and below, columns left and right, that belong to windows and are never the largest; less
            than the size.
    Returns:
        (batch, rows, columns, channels), with rows = (height + 2 above - window height) // down + 1.
    """

    def by_shifts(x: Array) -> Array:
        for axis, window, step, border in reversed(list(zip((1, 2), size, stride, padding, strict=True))):
            x = _largest_along(x, axis, window, step, border)
        return x

    def by_xla(x: Array) -> Array:
        borders = ((0, 0), *((border, border) for border in padding), (0, 0))
        # a NumPy number: JAX knows the gradient of a maximum only while it can see where it starts
        return lax.reduce_window(x, np.asarray(-np.inf, x.dtype), lax.max, (1, *size, 1), (1, *stride, 1), borders)

    return lax.platform_dependent(x, cpu=by_shifts, default=by_xla)


def _largest_along(x: Array, axis: int, window: int, step: int, border: int) -> Array:
    if border:
        borders = [(0, 0)] * 4
        borders[axis] = (border, border)
        x = jnp.pad(x, borders, constant_values=-jnp.inf)
    last = (x.shape[axis] - window) // step * step
    largest = lax.slice_in_dim(x, 0, last + 1, step, axis)
    for first in range(1, window):
        other = lax.slice_in_dim(x, first, first + last + 1, step, axis)
        # not `maximum`, which shares the gradient of equal values: 0 is the largest of many windows behind a ReLU
        largest = jnp.where((other > largest) | jnp.isnan(other), other, largest)
    return largest
