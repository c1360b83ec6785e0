"""The check of layers that users write: a mistake in one is found where the network is made, and its layer named."""

import jax
import jax.numpy as jnp

from firsthand.errors import FirsthandError

from .layer import Layer, Shape

__all__ = ["check_own"]

_EXAMPLES = 2
_SIGNATURE = "apply(self, params, x, *, key=None, train=False)"


def check_own(layer: Layer, name: str, entered: Shape, left: Shape) -> None:
    """Refuse a layer from outside of this package that has no formula, or one that does not do what it says.

    Args:
        layer: of the network; layers of this package have tests, and pass, with those inside of them looked at.
        name: of the layer in messages: 'layer 2 of 3'.
        entered, left: the shapes of one example's input, and of its output as `output_shape` gives it.
    Raises:
        FirsthandError: no formula, one that cannot be called, or an output of another shape.
    """
    if type(layer).__module__.partition(".")[0] == "firsthand":
        for row in layer.inside():
            shape = entered
            for number, _, each in row:
                after = each.output_shape(shape)
                check_own(each, f"{name}, {type(layer).__name__} {number.split()[0]}", shape, after)
                shape = after
        return
    name = f"{name}, {type(layer).__name__}"
    if type(layer).apply is Layer.apply and type(layer).forward is Layer.forward:
        raise FirsthandError(f"{name}: no formula found, expected {_SIGNATURE}")
    x = jax.ShapeDtypeStruct((_EXAMPLES, *entered), jnp.int32 if layer.takes_integers else jnp.float32)

    def formula(key: jax.Array, x: jax.Array) -> jax.Array:
        return layer.forward(layer.init(entered, key=key), x, key=key)[0]

    try:
        found = jax.eval_shape(formula, jax.random.key(0), x).shape
    except (TypeError, AttributeError, KeyError) as error:
        said = str(error).splitlines()[0]
        raise FirsthandError(f"{name}: {type(error).__name__}: {said}; expected init, and {_SIGNATURE}") from error
    if found != (_EXAMPLES, *left):
        raise FirsthandError(f"{name}: an output of shape {found[1:]} found, {left} expected: output_shape says so")
