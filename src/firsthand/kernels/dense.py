"""Weights that take their step of gradient descent during the backward pass.

Plain gradient descent moves a weight matrix by its own gradient alone.  So the step can be taken where the gradient is
found, in one visit to the weights, and the gradient need not be stored: see dense_kernel.h.
"""

from dataclasses import dataclass, field
from functools import partial

import jax
import jax.numpy as jnp
from jax import Array, ShapeDtypeStruct
from jax.custom_derivatives import SymbolicZero

from . import native

__all__ = ["THINNED", "SteppedWeights", "can_step"]

# The choice of the way, all of it; measured by `python -m benchmarks dense`, see docs/performance.md.
_MANY = 16  # examples, from which on matrix products are faster than visits of what is not zero, unless it is thinned
_MOST = 64  # examples, above which XLA's products and a step of their own are as fast as those products
# weights, from which on it is worth it; smaller matrices stay in the cache, where XLA is as fast
_WORTH_IT_FOR_ONE = 200_000
_WORTH_IT_FOR_FEW = 100_000
_WORTH_IT_FOR_MANY = 500_000
THINNED = 0.5  # the dropped share behind a ReLU, from which on visits are faster for any number of examples


def can_step(weights: Array, examples: int, thinned: bool = False) -> bool:
    """Return whether the compiled kernel takes these weights here, for this many examples, and is worth it.

    Args:
        weights: (inputs, units).
        examples: in a mini-batch.
        thinned: see `SteppedWeights`.
    """
    if examples == 1:
        worth_it = _WORTH_IT_FOR_ONE
    else:
        worth_it = _WORTH_IT_FOR_MANY if _by_products(examples, thinned) else _WORTH_IT_FOR_FEW
    return (
        native.library() is not None
        and jax.default_backend() == "cpu"
        and weights.ndim == 2
        and weights.dtype == jnp.float32
        and (examples <= _MOST or thinned)
        and weights.size >= worth_it
    )


def _by_products(examples: int, thinned: bool) -> bool:
    """Return whether the step is two matrix products, zeros included, and not visits of what is not zero."""
    return examples >= _MANY and not thinned


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class SteppedWeights:
    """A weight matrix W, to be multiplied once as x @ W, whose 'gradient' is not dC/dW but the matrix after the step:

        (1 - rate * l2) W - rate * x^T delta                                                        equation (93)

    Args:
        weights: W, (inputs, units), float32.
        rate: the learning rate, a scalar array.
        l2: strength of the L2 penalty, a number.
        zeros_are_dead: whether nobody needs dC/dx where x is 0, as behind a ReLU, whose slope is 0 there.  Then it is
            not computed (it is 0), and only what is not 0 is multiplied; of many examples everything is.
        thinned: whether most of x is 0, as behind a ReLU and dropout of a half: then everything never is.
    """

    weights: Array
    rate: Array
    l2: float = field(metadata={"static": True})
    zeros_are_dead: bool = field(default=False, metadata={"static": True})
    thinned: bool = field(default=False, metadata={"static": True})

    def __rmatmul__(self, x: Array) -> Array:
        return _product(x, self.weights, self.rate, self.l2, self.zeros_are_dead, self.thinned)


@partial(jax.custom_vjp, nondiff_argnums=(3, 4, 5))
def _product(x: Array, weights: Array, rate: Array, l2: float, zeros_are_dead: bool, thinned: bool) -> Array:
    if _by_products(len(x), thinned) or not zeros_are_dead:
        return x @ weights
    result = ShapeDtypeStruct((x.shape[0], weights.shape[1]), jnp.float32)
    return jax.ffi.ffi_call("firsthand_dense_forward", result, vmap_method="sequential")(x, weights)


def _forward(x, weights, rate, l2: float, zeros_are_dead: bool, thinned: bool):
    # nobody asks for the error of a network's inputs; what is None here is asked for
    unwanted = None if x.perturbed else ()
    return _product(x.value, weights.value, rate.value, l2, zeros_are_dead, thinned), (
        x.value,
        weights.value,
        rate.value,
        unwanted,
    )


def _backward(
    l2: float, zeros_are_dead: bool, thinned: bool, kept: tuple[Array, Array, Array, tuple[()] | None], delta
):
    x, weights, rate, unwanted = kept
    if isinstance(delta, SymbolicZero):
        delta = jnp.zeros(delta.shape, jnp.float32)
    of_inputs = x.shape if unwanted is None else (0,)
    results = (ShapeDtypeStruct(weights.shape, jnp.float32), ShapeDtypeStruct(of_inputs, jnp.float32))
    # in place: nobody reads the old weights after the backward pass
    call = jax.ffi.ffi_call("firsthand_dense_update", results, input_output_aliases={0: 0}, vmap_method="sequential")
    many = _by_products(len(x), thinned)
    stepped, d_x = call(weights, x, delta, -rate, 1 - rate * l2, zeros_are_dead=zeros_are_dead, many=many)
    return d_x if unwanted is None else jnp.zeros_like(x), stepped, jnp.zeros_like(rate)


_product.defvjp(_forward, _backward, symbolic_zeros=True)
