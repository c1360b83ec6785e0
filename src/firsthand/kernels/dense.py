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

__all__ = ["SteppedWeights", "can_step"]

# The choice of the way, all of it; measured by `python -m benchmarks dense`, see docs/performance.md.
_MANY = 16  # examples, from which on matrix products are faster than visits of what is not zero
_MOST = 64  # examples, above which XLA's products and a step of their own are as fast
_WORTH_IT = 100_000  # weights, for few examples; smaller matrices stay in the cache, where XLA is as fast
_WORTH_IT_FOR_MANY = 500_000


def can_step(weights: Array, examples: int) -> bool:
    """Return whether the compiled kernel takes these weights here, for this many examples, and is worth it."""
    return (
        native.library() is not None
        and jax.default_backend() == "cpu"
        and weights.ndim == 2
        and weights.dtype == jnp.float32
        and examples <= _MOST
        and weights.size >= (_WORTH_IT if examples < _MANY else _WORTH_IT_FOR_MANY)
    )


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
    """

    weights: Array
    rate: Array
    l2: float = field(metadata={"static": True})
    zeros_are_dead: bool = field(default=False, metadata={"static": True})

    def __rmatmul__(self, x: Array) -> Array:
        return _product(x, self.weights, self.rate, self.l2, self.zeros_are_dead)


@partial(jax.custom_vjp, nondiff_argnums=(3, 4))
def _product(x: Array, weights: Array, rate: Array, l2: float, zeros_are_dead: bool) -> Array:
    if len(x) >= _MANY or not zeros_are_dead:
        return x @ weights
    result = ShapeDtypeStruct((x.shape[0], weights.shape[1]), jnp.float32)
    return jax.ffi.ffi_call("firsthand_dense_forward", result, vmap_method="sequential")(x, weights)


def _forward(x, weights, rate, l2: float, zeros_are_dead: bool):
    # nobody asks for the error of a network's inputs; what is None here is asked for
    unwanted = None if x.perturbed else ()
    return _product(x.value, weights.value, rate.value, l2, zeros_are_dead), (
        x.value,
        weights.value,
        rate.value,
        unwanted,
    )


def _backward(l2: float, zeros_are_dead: bool, kept: tuple[Array, Array, Array, tuple[()] | None], delta):
    x, weights, rate, unwanted = kept
    if isinstance(delta, SymbolicZero):
        delta = jnp.zeros(delta.shape, jnp.float32)
    of_inputs = x.shape if unwanted is None else (0,)
    results = (ShapeDtypeStruct(weights.shape, jnp.float32), ShapeDtypeStruct(of_inputs, jnp.float32))
    # in place: nobody reads the old weights after the backward pass
    call = jax.ffi.ffi_call("firsthand_dense_update", results, input_output_aliases={0: 0}, vmap_method="sequential")
    stepped, d_x = call(weights, x, delta, -rate, 1 - rate * l2, zeros_are_dead=zeros_are_dead, many=len(x) >= _MANY)
    return d_x if unwanted is None else jnp.zeros_like(x), stepped, jnp.zeros_like(rate)


_product.defvjp(_forward, _backward, symbolic_zeros=True)
