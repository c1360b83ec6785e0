"""Recurrent layers over whole sequences: the compiled kernel, and the plain scan beside it.

The kernel takes float32 on a CPU.  It goes through all steps in one call, forward and backward, with the weights packed
in the cache: see recurrent_kernel.h for the equations.  `plain` in every function below asks for the scan.
"""

from functools import partial

import jax
import jax.numpy as jnp
from jax import Array, ShapeDtypeStruct, lax

from firsthand.errors import FirsthandError

from . import native

__all__ = ["gru", "lstm", "simple"]

_CELLS = ("tanh", "relu", "lstm", "gru")  # in the order of `Cell` in recurrent_kernel.h
_WEIGHTS = {"tanh": 1, "relu": 1, "lstm": 4, "gru": 3}  # columns of W and U, in units
_SAVED = {"tanh": 1, "relu": 1, "lstm": 4, "gru": 4}  # what a step keeps for the way back, and biases, in units


def simple(
    x: Array,
    h0: Array,
    W: Array,
    U: Array,
    b: Array,
    *,
    activation: str = "tanh",
    mask: Array | None = None,
    plain: bool = False,
) -> tuple[Array, Array]:
    """h_t = f(x_t W + h_{t-1} U + b), Elman's network (1990).

    Args:
        x: sequences, (batch, time, features).
        h0: the state before the first step, (batch, units).
        W: (features, units).
        U: (units, units).
        b: (units,).
        activation: f, 'tanh' or 'relu'.
        mask: (batch, time), true or 1 where there is an input; elsewhere the state stays as it is.  None is everywhere.
        plain: whether to take the scan in plain JAX also where the compiled kernel could be used.
    Returns:
        The states h_t, (batch, time, units), and the last of them, (batch, units).
    Raises:
        FirsthandError: shapes that do not fit, or another activation.
    """
    if activation not in ("tanh", "relu"):
        raise FirsthandError(f"recurrent activation: found {activation!r}, expected 'tanh' or 'relu'")
    outputs, h, _ = _run(activation, x, h0, h0[:, :0], W, U, b, mask, plain)
    return outputs, h


def lstm(
    x: Array,
    h0: Array,
    c0: Array,
    W: Array,
    U: Array,
    b: Array,
    *,
    mask: Array | None = None,
    plain: bool = False,
) -> tuple[Array, Array, Array]:
    """Long short-term memory (Hochreiter and Schmidhuber 1997) with forget gates (Gers, Schmidhuber and Cummins 2000).

        i, f, g, o = x_t W + h_{t-1} U + b
        c_t = sigmoid(f) c_{t-1} + sigmoid(i) tanh(g),    h_t = sigmoid(o) tanh(c_t)

    Args:
        x, h0, mask, plain: as for `simple`.
        c0: the cells before the first step, (batch, units).
        W: (features, 4 units); the gates i, f, g, o stand side by side.
        U: (units, 4 units).
        b: (4 units,).
    Returns:
        The states h_t, (batch, time, units), and the last state and the last cells, (batch, units) each.
    Raises:
        FirsthandError: shapes that do not fit.
    """
    return _run("lstm", x, h0, c0, W, U, b, mask, plain)


def gru(
    x: Array, h0: Array, W: Array, U: Array, b: Array, *, mask: Array | None = None, plain: bool = False
) -> tuple[Array, Array]:
    """Gated recurrent units (Cho et al. 2014), the reset gate after the product as in their later form.

        r = sigmoid(x_t W_r + h_{t-1} U_r + b_r),    z = sigmoid(x_t W_z + h_{t-1} U_z + b_z)
        n = tanh(x_t W_n + b_n + r (h_{t-1} U_n + b_u)),    h_t = (1 - z) n + z h_{t-1}

    Args:
        x, h0, mask, plain: as for `simple`.
        W: (features, 3 units); the gates r, z, n stand side by side.
        U: (units, 3 units).
        b: (4 units,): b_r, b_z, b_n, b_u.
    Returns:
        The states h_t, (batch, time, units), and the last of them, (batch, units).
    Raises:
        FirsthandError: shapes that do not fit.
    """
    outputs, h, _ = _run("gru", x, h0, h0[:, :0], W, U, b, mask, plain)
    return outputs, h


def _run(
    cell: str, x: Array, h0: Array, c0: Array, W: Array, U: Array, b: Array, mask: Array | None, plain: bool
) -> tuple[Array, Array, Array]:
    _check(cell, x, h0, c0, W, U, b, mask)
    alive = jnp.ones(x.shape[:2], jnp.uint8) if mask is None else mask.astype(jnp.bool_).astype(jnp.uint8)
    scan = partial(_scan, cell)
    arguments = (x, h0, c0, W, U, b, alive)
    kernel_takes = all(a.dtype == jnp.float32 for a in arguments[:-1]) and x.size and h0.size
    if plain or not kernel_takes or native.library() is None:
        return scan(*arguments)
    return lax.platform_dependent(*arguments, cpu=partial(_fused, cell), default=scan)


def _check(cell: str, x: Array, h0: Array, c0: Array, W: Array, U: Array, b: Array, mask: Array | None) -> None:
    if x.ndim != 3 or not x.shape[1] or U.ndim != 2:
        found = f"x {x.shape} and U {U.shape}"
        raise FirsthandError(f"{cell}: found {found}, expected x (batch, time, features) and U (units, ...)")
    (batch, time, features), units = x.shape, U.shape[0]
    expected = {
        "h0": (h0, (batch, units)),
        "c0": (c0, (batch, units if cell == "lstm" else 0)),
        "W": (W, (features, _WEIGHTS[cell] * units)),
        "U": (U, (units, _WEIGHTS[cell] * units)),
        "b": (b, (_SAVED[cell] * units,)),
    }
    if mask is not None:
        expected["mask"] = (mask, (batch, time))
    for name, (array, shape) in expected.items():
        if array.shape != shape:
            raise FirsthandError(f"{cell}: {name}: found shape {array.shape}, expected {shape}")


def _scan(
    cell: str, x: Array, h0: Array, c0: Array, W: Array, U: Array, b: Array, mask: Array
) -> tuple[Array, Array, Array]:
    """The equations as they stand, in plain JAX: what the kernel is tested against."""
    units = len(U)

    def step(carry: tuple[Array, Array], at: tuple[Array, Array]) -> tuple[tuple[Array, Array], Array]:
        (h, c), (x_t, alive) = carry, at
        new_h, new_c = _step(cell, x_t @ W, h @ U, b, h, c, units)
        h, c = (jnp.where(alive[:, None] != 0, new, old) for new, old in ((new_h, h), (new_c, c)))
        return (h, c), h

    (h, c), outputs = lax.scan(step, (h0, c0), (jnp.swapaxes(x, 0, 1), jnp.swapaxes(mask, 0, 1)))
    return jnp.swapaxes(outputs, 0, 1), h, c


def _step(cell: str, xw: Array, hu: Array, b: Array, h: Array, c: Array, units: int) -> tuple[Array, Array]:
    if cell == "lstm":
        i, f, g, o = jnp.split(xw + hu + b, 4, axis=1)
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
        return jax.nn.sigmoid(o) * jnp.tanh(c), c
    if cell == "gru":
        r, z = jnp.split(jax.nn.sigmoid(xw[:, : 2 * units] + hu[:, : 2 * units] + b[: 2 * units]), 2, axis=1)
        b_n, b_u = b[2 * units : 3 * units], b[3 * units :]
        n = jnp.tanh(xw[:, 2 * units :] + b_n + r * (hu[:, 2 * units :] + b_u))
        return (1 - z) * n + z * h, c
    return (jnp.tanh if cell == "tanh" else jax.nn.relu)(xw + hu + b), c


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def _fused(
    cell: str, x: Array, h0: Array, c0: Array, W: Array, U: Array, b: Array, mask: Array
) -> tuple[Array, Array, Array]:
    return _forward(cell, x, h0, c0, W, U, b, mask)[0]


def _forward(cell: str, x: Array, h0: Array, c0: Array, W: Array, U: Array, b: Array, mask: Array):
    (batch, time, _), units = x.shape, len(U)
    of_cells = units if cell == "lstm" else 0
    shapes = ((time, units), (units,), (of_cells,), (time, _SAVED[cell] * units), (time, of_cells))
    call = _call("firsthand_recurrent_forward", tuple(_floats(batch, *shape) for shape in shapes))
    outputs, h, c, gates, cells = call(x, h0, c0, W, U, b, mask, cell=_CELLS.index(cell))
    return (outputs, h, c), (x, h0, c0, W, U, mask, outputs, gates, cells)


def _backward(cell: str, kept: tuple[Array, ...], slopes: tuple[Array, Array, Array]):
    x, h0, c0, W, U, mask, outputs, gates, cells = kept
    number = _CELLS.index(cell)
    bias = _floats(_SAVED[cell] * len(U))
    shapes = (*map(_like, (gates, W, U)), bias, _like(h0), _like(c0))
    # in place: nobody reads the gates after the backward pass
    call = _call("firsthand_recurrent_backward", shapes, input_output_aliases={6: 0})
    errors, d_W, d_U, d_b, d_h0, d_c0 = call(x, h0, c0, U, mask, outputs, gates, cells, *slopes, cell=number)
    # a call of its own: XLA removes it where nobody asks for the gradient of the sequences
    d_x = _call("firsthand_recurrent_input_gradient", _like(x))(errors, W, U, cell=number)
    return d_x, d_h0, d_c0, d_W, d_U, d_b, None


_fused.defvjp(_forward, _backward)


def _call(target: str, results, **options):
    return jax.ffi.ffi_call(target, results, vmap_method="sequential", **options)


def _floats(*shape: int) -> ShapeDtypeStruct:
    return ShapeDtypeStruct(shape, jnp.float32)


def _like(array: Array) -> ShapeDtypeStruct:
    return _floats(*array.shape)
