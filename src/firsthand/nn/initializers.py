"""Starting values of weights and biases.  Every initializer has the same form:

    initializer(shape, fan_in, fan_out, dtype, *, key) -> array

fan_in is the number of inputs that feed one unit, fan_out the number of units that one input feeds.
"""

import math
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.core import Tracer
from jax.typing import DTypeLike

__all__ = ["Initializer", "glorot", "he", "hinton", "identity", "large", "network3", "scaled", "zeros"]

Initializer = Callable[..., Array]


def _gaussian(shape: tuple[int, ...], variance: float, dtype: DTypeLike, key: Array) -> Array:
    """N(0, variance), with the bits of `jax.random.normal(key, shape, dtype)` times the standard deviation."""
    deviation, count = np.asarray(variance**0.5, jnp.dtype(dtype)), math.prod(shape)
    if not 0 < count <= _LONGEST or isinstance(key, Tracer) or not _by_place(key):
        return jax.random.normal(key, shape, dtype) * deviation
    # a number depends on its place in memory alone, so that a few lengths do for all shapes: XLA takes half a second to
    # compile each
    length = 4 ** math.ceil(math.log(max(count, _SHORTEST), 4))
    drawn = np.asarray(jax.random.normal(key, (length,), dtype))[:count].reshape(shape)
    # by NumPy: XLA would compile it for each shape, and in one program with the drawing it rounds otherwise
    return jax.device_put(drawn * deviation)


# beyond, drawing up to four times as many would cost more than a program
_SHORTEST, _LONGEST = 4**5, 4**10


def _by_place(key: Array) -> bool:
    """Return whether a number drawn with a key depends on the key and its place, not on how many are drawn."""
    return bool(getattr(jax.config, "jax_threefry_partitionable", False)) and "threefry" in str(
        jax.random.key_impl(key)
    )


def large(shape: tuple[int, ...], fan_in: int, fan_out: float, dtype: DTypeLike, *, key: Array) -> Array:
    """N(0, 1), whatever the size of the layer: the book's first choice, which saturates wide layers.

    References: Nielsen, chapter 3, 'Weight initialization' (`large_weight_initializer`).
    """
    return _gaussian(shape, 1.0, dtype, key)


def scaled(shape: tuple[int, ...], fan_in: int, fan_out: float, dtype: DTypeLike, *, key: Array) -> Array:
    """N(0, 1/fan_in): weighted inputs start with a spread near 1, so that units start unsaturated.

    References: Nielsen, chapter 3, 'Weight initialization' (`default_weight_initializer`).
    """
    return _gaussian(shape, 1.0 / fan_in, dtype, key)


def network3(shape: tuple[int, ...], fan_in: int, fan_out: float, dtype: DTypeLike, *, key: Array) -> Array:
    """N(0, 1/fan_out): what the book's network3 does, and what its author calls a mistake for 1/fan_in.

    References: Nielsen, chapter 6, listing of `network3.py`.
    """
    return _gaussian(shape, 1.0 / fan_out, dtype, key)


def he(shape: tuple[int, ...], fan_in: int, fan_out: float, dtype: DTypeLike, *, key: Array) -> Array:
    """N(0, 2/fan_in): the factor 2 makes up for the half of its input that a ReLU sets to zero.

    References: He et al. 2015, 'Delving deep into rectifiers', equation (10).
    """
    return _gaussian(shape, 2.0 / fan_in, dtype, key)


def glorot(shape: tuple[int, ...], fan_in: int, fan_out: float, dtype: DTypeLike, *, key: Array) -> Array:
    """N(0, 2/(fan_in + fan_out)): a compromise between the spread forward and the gradient's spread backward.

    References: Glorot and Bengio 2010, 'Understanding the difficulty of training deep feedforward neural
    networks', equation (12).
    """
    return _gaussian(shape, 2.0 / (fan_in + fan_out), dtype, key)


def hinton(shape: tuple[int, ...], fan_in: int, fan_out: float, dtype: DTypeLike, *, key: Array) -> Array:
    """N(0, 0.01^2), whatever the size of the layer: for Boltzmann machines, whose units begin undecided.

    References: Hinton 2010, 'A Practical Guide to Training Restricted Boltzmann Machines', section 8.
    """
    return _gaussian(shape, 0.01**2, dtype, key)


def identity(shape: tuple[int, ...], fan_in: int, fan_out: float, dtype: DTypeLike, *, key: Array) -> Array:
    """The identity matrix, once for each block of columns: a recurrent layer then begins by keeping its state.

    References: Le, Jaitly and Hinton 2015, 'A Simple Way to Initialize Recurrent Networks of Rectified Linear Units'.
    """
    rows, columns = shape
    return jnp.tile(jnp.eye(rows, dtype=dtype), (1, -(-columns // rows)))[:, :columns]


def zeros(shape: tuple[int, ...], fan_in: int, fan_out: float, dtype: DTypeLike, *, key: Array) -> Array:
    """All zero: right for biases, and for the output layer alone; hidden units would all learn the same."""
    return jnp.zeros(shape, dtype)
