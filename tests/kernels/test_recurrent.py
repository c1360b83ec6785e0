"""The compiled recurrent layers against the plain scan in double precision, with and without masks."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from firsthand import kernels
from firsthand.errors import FirsthandError
from firsthand.kernels import gru, lstm, native, simple

needs_native = pytest.mark.skipif(
    kernels.status().active != "native", reason=f"no compiled kernels here: {kernels.status().reason}"
)
pytestmark = pytest.mark.usefixtures("compiled_quickly")
CELLS = {
    "tanh": (partial(simple, activation="tanh"), 1, 1),
    "relu": (partial(simple, activation="relu"), 1, 1),
    "lstm": (lstm, 4, 4),
    "gru": (gru, 3, 4),
}


def example(cell, batch, time, features, units, seed=0):
    """A function and its arguments: x, the states before the first step, W, U, b."""
    function, gates, biases = CELLS[cell]
    random = np.random.default_rng(seed)

    def normal(*shape, scale=1.0):
        return jnp.asarray(scale * random.standard_normal(shape), jnp.float32)

    states = [normal(batch, units) for _ in range(2 if cell == "lstm" else 1)]
    weights = normal(features, gates * units, scale=features**-0.5), normal(units, gates * units, scale=units**-0.5)
    return function, [normal(batch, time, features), *states, *weights, normal(biases * units, scale=0.1)]


def results(function, arguments, **options):
    """Outputs and last states, and the gradients of every argument for errors of all of them."""
    found, back = jax.vjp(partial(function, **options), *arguments)
    slopes = [jnp.cos(jnp.arange(y.size, dtype=y.dtype)).reshape(y.shape) for y in found]
    return found, back(tuple(slopes))


def assert_same(function, arguments, mask=None):
    found = jax.jit(partial(results, function, mask=mask))(arguments)
    with jax.enable_x64(True):
        wide = [jnp.asarray(a, jnp.float64) for a in arguments]
        expected = jax.jit(partial(results, function, mask=mask, plain=True))(wide)
    for one, other in zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True):
        assert one.dtype == jnp.float32
        assert other.dtype == jnp.float64
        error = np.linalg.norm(np.ravel(one - np.asarray(other)))
        assert error < 2e-6 * np.linalg.norm(np.ravel(other)) + 1e-7


@pytest.fixture(params=["x86_64_v4", "x86_64_v3", "x86_64_v2", "baseline"])
def instruction_set(request):
    """Each instruction set that this processor has, in turn."""
    library = native.library()
    assert library is not None
    best = library.firsthand_instruction_set()
    if not library.firsthand_use_instruction_set(request.param.encode()):
        pytest.skip(f"this processor does not run {request.param}")
    yield request.param
    assert library.firsthand_use_instruction_set(best)


@needs_native
@pytest.mark.parametrize("cell", CELLS)
def test_forward_and_back_through_time(instruction_set, cell):
    assert_same(*example(cell, 5, 7, 10, 37))


@needs_native
@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize(("batch", "time", "features", "units"), [(1, 1, 1, 1), (3, 2, 65, 16), (18, 20, 3, 49)])
def test_other_shapes(cell, batch, time, features, units):
    assert_same(*example(cell, batch, time, features, units))


@needs_native
@pytest.mark.parametrize("cell", CELLS)
def test_the_state_stays_where_there_is_no_input(cell):
    function, arguments = example(cell, 6, 9, 4, 20)
    lengths = np.array([9, 5, 0, 1, 9, 7])
    at_the_end = np.arange(9) < lengths[:, None]
    for mask in (at_the_end, at_the_end[:, ::-1], np.random.default_rng(1).random((6, 9)) < 0.6):
        assert_same(function, arguments, jnp.asarray(mask))
    outputs, h, *_ = function(*arguments, mask=jnp.asarray(at_the_end))
    np.testing.assert_array_equal(h[2], arguments[1][2])
    np.testing.assert_array_equal(outputs[1, 4:], np.broadcast_to(h[1], (5, 20)))


@needs_native
@pytest.mark.parametrize("cell", CELLS)
def test_what_is_no_number_comes_through(cell):
    function, arguments = example(cell, 3, 4, 2, 18)
    arguments[0] = arguments[0].at[1, 2, 0].set(jnp.nan)
    outputs = function(*arguments)[0]
    assert bool(jnp.isnan(outputs[1, 2:]).all())
    assert bool(jnp.isfinite(outputs[0]).all() & jnp.isfinite(outputs[1, :2]).all() & jnp.isfinite(outputs[2]).all())


@needs_native
@pytest.mark.parametrize("cell", CELLS)
def test_saturated_gates_are_finite(cell):
    if cell == "relu":
        pytest.skip("nothing saturates")
    function, arguments = example(cell, 2, 3, 4, 17)
    arguments[0] = 1e4 * arguments[0]
    for array in jax.tree.leaves(results(function, arguments)):
        assert bool(jnp.isfinite(array).all())


@needs_native
def test_gradients_that_nobody_asks_for_are_not_computed():
    _, (x, h0, c0, W, U, b) = example("lstm", 2, 3, 4, 5)
    weights = jax.grad(lambda W: jnp.sum(lstm(x, h0, c0, W, U, b)[0]))
    program = jax.jit(weights).lower(W).compile().as_text() or ""
    assert program.count('custom_call_target="firsthand_recurrent_backward"') == 1
    assert "firsthand_recurrent_input_gradient" not in program


@needs_native
def test_vmap_is_a_loop():
    members = [example("gru", 2, 5, 3, 8, seed)[1] for seed in range(3)]
    together = jax.vmap(lambda *a: results(gru, a))(*(np.stack(parts) for parts in zip(*members, strict=True)))
    for number, member in enumerate(members):
        for one, other in zip(jax.tree.leaves(together), jax.tree.leaves(results(gru, member)), strict=True):
            np.testing.assert_array_equal(one[number], other)


@pytest.mark.parametrize("cell", CELLS)
def test_the_plain_scan_s_first_step_by_hand(cell):
    function, (x, *states, W, U, b) = example(cell, 2, 1, 3, 4)
    outputs = function(x, *states, W, U, b, plain=True)[0]
    xw, hu = x[:, 0] @ W, states[0] @ U

    def sigmoid(z):
        return 1 / (1 + np.exp(-z))

    if cell == "lstm":
        i, f, g, o = np.split(xw + hu + b, 4, axis=1)
        expected = sigmoid(o) * np.tanh(sigmoid(f) * states[1] + sigmoid(i) * np.tanh(g))
    elif cell == "gru":
        r, z = sigmoid(xw[:, :4] + hu[:, :4] + b[:4]), sigmoid(xw[:, 4:8] + hu[:, 4:8] + b[4:8])
        n = np.tanh(xw[:, 8:] + b[8:12] + r * (hu[:, 8:] + b[12:]))
        expected = (1 - z) * n + z * states[0]
    else:
        expected = np.tanh(xw + hu + b) if cell == "tanh" else np.maximum(xw + hu + b, 0)
    np.testing.assert_allclose(outputs[:, 0], expected, rtol=1e-5, atol=1e-6)


def test_wrong_shapes_are_named():
    _, (x, h0, c0, W, U, b) = example("lstm", 2, 3, 4, 5)
    with pytest.raises(FirsthandError, match=r"^lstm: W: found shape \(4, 19\), expected \(4, 20\)$"):
        lstm(x, h0, c0, W[:, 1:], U, b)
    with pytest.raises(FirsthandError, match=r"^lstm: mask: found shape \(3, 2\), expected \(2, 3\)$"):
        lstm(x, h0, c0, W, U, b, mask=jnp.ones((3, 2)))
    with pytest.raises(FirsthandError, match=r"^tanh: b: found shape \(20,\), expected \(5,\)$"):
        simple(x, h0, W[:, :5], U[:, :5], b)
    with pytest.raises(FirsthandError, match=r"^lstm: found x"):
        lstm(x[0], h0, c0, W, U, b)
    with pytest.raises(FirsthandError, match=r"^recurrent activation: found 'gelu'"):
        simple(x, h0, W[:, :5], U[:, :5], b[:5], activation="gelu")
