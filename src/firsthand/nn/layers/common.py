"""The common ground of several layers: sizes that are positive, and a matrix with a bias."""

from typing import Any

import jax
from jax.typing import DTypeLike

from ..layer import Layer, Params, Shape

__all__ = ["require_positive", "weights_and_bias"]


def require_positive(layer: Layer, **values: int) -> None:
    """Refuse a layer of which one of these numbers is less than 1."""
    for name, value in values.items():
        if value < 1:
            raise ValueError(f"{type(layer).__name__}: {name} is {value}, expected 1 or more")


def weights_and_bias(
    layer: Any,
    shape: Shape,
    fan_in: int,
    fan_out: float,
    dtype: DTypeLike,
    key: jax.Array,
    bias_shape: Shape | None = None,
) -> Params:
    """Fresh weights of this shape, and a bias for each of the last axis or of the shape that is given.

    `layer` says how they start: `weights_init` and `bias_init`.
    """
    weights_key, bias_key = jax.random.split(key)
    return {
        "weights": layer.weights_init(shape, fan_in, fan_out, dtype, key=weights_key),
        "bias": layer.bias_init(shape[-1:] if bias_shape is None else bias_shape, fan_in, fan_out, dtype, key=bias_key),
    }
