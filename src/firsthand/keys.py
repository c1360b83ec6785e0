"""Keys of all randomness: JAX's, or an integer as its seed."""

import operator
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
from jax import Array

from firsthand.errors import FirsthandError

__all__ = ["Key", "as_key"]

Key: TypeAlias = Array | int


def as_key(key: Any, where: str = "key") -> Array:
    """A key of JAX; an integer is the seed of one.

    Args:
        key: from `jax.random.key`, or an integer.
        where: begins the message of the error.
    Raises:
        FirsthandError: it is neither.

    Examples:
        >>> as_key(0) == jax.random.key(0)
        Array(True, dtype=bool)
    """
    if isinstance(key, Array) and key.dtype != bool and (key.ndim or jnp.issubdtype(key.dtype, jax.dtypes.prng_key)):
        return key
    try:
        return jax.random.key(operator.index(key))
    except (TypeError, OverflowError):
        raise FirsthandError(f"{where}: found {key!r:.60}, expected an integer or a key of jax.random.key") from None
