"""The compiled convolution and max-pooling against the plain formula, within its bounds, and in all its forms."""

import importlib.util
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firsthand import kernels, nn
from firsthand.kernels import SteppedWeights, can_step, conv_pool, conv_pool_plain, dense, native
from firsthand.kernels.convolution import convolution
from firsthand.learning import Classification, step

ROOT = Path(__file__).parents[2]
SETS = ("x86_64_v4", "x86_64_v3", "x86_64_v2") if os.uname().machine == "x86_64" else ("baseline",)
needs_native = pytest.mark.skipif(
    kernels.status().active != "native", reason=f"no compiled kernels here: {kernels.status().reason}"
)
pytestmark = pytest.mark.usefixtures("compiled_quickly")  # XLA compiles nothing but what the kernels are compared with


@pytest.fixture(params=SETS)
def instruction_set(request):
    """Each instruction set that this processor has, in turn."""
    library = native.library()
    assert library is not None
    best = library.firsthand_instruction_set()
    if not library.firsthand_use_instruction_set(request.param.encode()):
        pytest.skip(f"this processor does not run {request.param}")
    yield request.param
    assert library.firsthand_use_instruction_set(best)


def example(batch, height, width, channels, size, filters, seed=0):
    keys = jax.random.split(jax.random.key(seed), 3)
    x = jax.random.normal(keys[0], (batch, height, width, channels))
    weights = jax.random.normal(keys[1], (*size, channels, filters)) / (size[0] * size[1] * channels) ** 0.5
    return x, weights, jax.random.normal(keys[2], (filters,)) / 10


def results(function, arguments, **options):
    """Output, and gradients of the input, the weights and the biases for one random delta."""
    y, back = jax.vjp(partial(function, **options), *arguments)
    return y, *back(jnp.cos(jnp.arange(y.size, dtype=y.dtype)).reshape(y.shape))


def by_xla(x, weights, bias, *, pool, padding=(0, 0), activation):
    """The formula with XLA's own convolution: slow to run, quick to compile."""
    numbers = ("NHWC", "HWIO", "NHWC")
    z = jax.lax.conv_general_dilated(x, weights, (1, 1), [(p, p) for p in padding], dimension_numbers=numbers)
    z = z[:, : z.shape[1] // pool[0] * pool[0], : z.shape[2] // pool[1] * pool[1]]
    z = z.reshape(len(z), z.shape[1] // pool[0], pool[0], z.shape[2] // pool[1], pool[1], -1)
    return getattr(nn, activation)(jnp.max(z, axis=(2, 4)) + bias)


def assert_same(arguments, oracle=conv_pool_plain, **options):
    run, check = (jax.jit(partial(results, function, **options)) for function in (conv_pool, oracle))
    for found, expected in zip(run(arguments), check(arguments), strict=True):
        error = jnp.linalg.norm(jnp.ravel(found - expected)) / jnp.maximum(jnp.linalg.norm(jnp.ravel(expected)), 1e-3)
        assert float(error) < 1e-5, options


@needs_native
@pytest.mark.parametrize("activation", ["relu", "sigmoid", "tanh", "linear"])
@pytest.mark.parametrize(("height", "channels", "filters"), [(28, 1, 20), (12, 20, 40)])
def test_the_book_s_layers(instruction_set, activation, height, channels, filters):
    arguments = example(10, height, height, channels, (5, 5), filters)
    assert_same(arguments, pool=(2, 2), activation=activation)


@pytest.mark.slow
@needs_native
@settings(max_examples=10, deadline=None, derandomize=True)
@given(
    size=st.tuples(st.integers(1, 11), st.integers(1, 11)),
    pool=st.just((1, 1)) | st.tuples(st.integers(2, 3), st.integers(2, 3)),
    padding=st.tuples(st.integers(0, 2), st.integers(0, 2)),
    more=st.tuples(st.integers(0, 7), st.integers(0, 7)),
    channels=st.integers(1, 9),
    filters=st.integers(1, 33),
    batch=st.integers(1, 12),
    relu=st.booleans(),
)
def test_any_shape(size, pool, padding, more, channels, filters, batch, relu):
    height, width = (max(1, s + p - 1 - 2 * q + m) for s, p, q, m in zip(size, pool, padding, more, strict=True))
    if height + 2 * padding[0] < size[0] + pool[0] - 1 or width + 2 * padding[1] < size[1] + pool[1] - 1:
        return
    arguments = example(batch, height, width, channels, size, filters)
    assert_same(arguments, by_xla, pool=pool, padding=padding, activation="relu" if relu else "linear")


@needs_native
@pytest.mark.parametrize("channels", [45, 90])  # 57 vectors of 4, and of 8: one more than whole blocks of registers
def test_rows_that_are_wider_than_the_registers(instruction_set, channels):
    assert_same(example(2, 6, 9, channels, (3, 5), 5), by_xla, pool=(2, 2), activation="relu")


@needs_native
@pytest.mark.parametrize(("channels", "filters"), [(1, 20), (32, 5), (24, 64)])
def test_without_pooling_it_is_a_convolution(instruction_set, channels, filters):
    arguments = example(3, 9, 10, channels, (3, 3), filters)
    assert_same(arguments, by_xla, pool=(1, 1), padding=(1, 1), activation="relu")


@needs_native
def test_a_layer_of_rectified_convolutions_uses_it():
    def kernels_in(**options):
        network = nn.Network((nn.Convolution(4, **options), nn.Softmax(10)), input_shape=(8, 8, 2))
        x, params = jnp.ones((2, 8, 8, 2)), network.init(key=jax.random.key(0))
        return jax.jit(network.apply).lower(params, x).as_text().count("firsthand_conv_pool_forward")

    assert kernels_in(size=3) == kernels_in(size=5, padding=2) == 1
    assert kernels_in(size=3, groups=2) == 2
    others = ({"size": 1}, {"size": 3, "stride": 2}, {"size": 3, "activation": nn.tanh})
    assert [kernels_in(**options) for options in others] == [0] * 3


@pytest.mark.parametrize(
    ("size", "stride", "padding"), [((3, 3), (2, 2), (0, 0)), ((3, 2), (1, 2), (1, 0)), ((2, 2), (2, 2), (0, 1))]
)
def test_largest_values_of_windows_that_overlap(size, stride, padding):
    x = jax.random.normal(jax.random.key(0), (2, 7, 8, 3))
    borders = ((0, 0), *((p, p) for p in padding), (0, 0))

    def plain(x):
        return jax.lax.reduce_window(x, -np.inf, jax.lax.max, (1, *size, 1), (1, *stride, 1), borders)

    def total(function, x):
        y = function(x)
        return jnp.sum(y * jnp.cos(jnp.arange(y.size, dtype=y.dtype)).reshape(y.shape))

    ours = partial(kernels.max_pool, size=size, stride=stride, padding=padding)
    np.testing.assert_array_equal(ours(x), plain(x))
    np.testing.assert_allclose(jax.grad(partial(total, ours))(x), jax.grad(partial(total, plain))(x), atol=1e-6)


def test_of_equal_values_in_a_window_the_first_gets_the_gradient():
    x = jnp.array([[0.0, 1.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 0.0]]).reshape(1, 3, 3, 1)
    slope = jax.grad(lambda x: jnp.sum(kernels.max_pool(x, size=(3, 3), stride=(1, 1))))(x)
    assert np.argwhere(slope[0, :, :, 0]).tolist() == [[0, 1]]
    odd = kernels.max_pool(x.at[0, 2, 2, 0].set(jnp.nan), size=(2, 2), stride=(1, 1))
    assert jnp.isnan(odd[0, :, :, 0]).tolist() == [[False, False], [False, True]]


@needs_native
def test_the_first_of_equal_positions_gets_the_gradient(instruction_set):
    x = jnp.zeros((1, 4, 4, 1))
    weights = jnp.ones((1, 1, 1, 1))
    slope = jax.grad(lambda x: jnp.sum(conv_pool(x, weights, jnp.ones(1), pool=(2, 2), activation="relu")))(x)
    assert slope[0, :, :, 0].tolist() == [[1, 0, 1, 0], [0, 0, 0, 0], [1, 0, 1, 0], [0, 0, 0, 0]]


@needs_native
def test_what_is_no_number_comes_through(instruction_set):
    x, weights, bias = example(2, 8, 8, 1, (3, 3), 20)
    y = conv_pool(x, weights * jnp.nan, bias, pool=(2, 2), activation="relu")
    assert bool(jnp.all(jnp.isnan(y)))
    # wherever in its window it is
    for row, column in [(2, 2), (2, 3), (3, 2), (3, 3)]:
        one = x.at[0, row, column, 0].set(jnp.nan)
        same = [f(one, weights[:1, :1], bias, pool=(2, 2), activation="relu") for f in (conv_pool, conv_pool_plain)]
        assert bool(jnp.isnan(same[0][0, 1, 1]).all())
        np.testing.assert_allclose(*same, rtol=1e-5)


@needs_native
@pytest.mark.parametrize(
    ("batch", "height", "width", "channels", "filters"),
    [(16, 6, 7, 8, 8), (1, 12, 13, 9, 33), (3, 7, 22, 21, 45), (2, 14, 8, 16, 100)],
)
def test_fewer_products_agree(instruction_set, batch, height, width, channels, filters):
    """Shapes of Winograd's path: the last windows and vectors overlap, rows and columns are left over."""
    arguments = example(batch, height, width, channels, (5, 5), filters)
    assert_same(arguments, by_xla, pool=(2, 2), activation="relu")


def winners(x, relu=False):
    """The places of each maximum, for random kernels 5x5 of 30 filters."""
    _, weights, bias = example(1, 6, 6, x.shape[-1], (5, 5), 30)
    return sys.modules["firsthand.kernels.conv_pool"]._forward(x, weights, bias, (2, 2), relu)[1]


@pytest.mark.slow
@needs_native
def test_ties_survive_fewer_products(instruction_set):
    x, *_ = example(4, 12, 12, 11, (5, 5), 1)
    assert bool(jnp.all(winners(jnp.full_like(x, 0.7)) == 0))
    assert set(np.unique(winners(jnp.broadcast_to(x[:, :1], x.shape)))) == {0, 1}  # all rows equal
    assert set(np.unique(winners(jnp.broadcast_to(x[:, :, :1], x.shape)))) == {0, 2}  # all columns equal
    blank = winners(x.at[:, 2:8, 4:10].set(0.1))
    assert bool(jnp.all(blank[:, 1, 2] == 0))
    assert len(np.unique(blank)) == 4
    # without biases nothing but exact zeros comes from zeros
    zeros = jnp.zeros_like(x)
    weights = example(1, 6, 6, 11, (5, 5), 30)[1]
    y, back = jax.vjp(lambda x: conv_pool(x, weights, jnp.zeros(30), pool=(2, 2), activation="relu"), zeros)
    assert not y.any()
    assert not back(jnp.ones_like(y))[0].any()


@needs_native
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_no_number_stays_where_it_is_seen(instruction_set, value):
    x, weights, bias = example(36, 12, 12, 8, (5, 5), 9)
    at = np.arange(36)
    x = x.at[at, 2 + at // 6, 4 + at % 6, 3].set(value)  # each pixel that window (1, 2) sees, in an image of its own
    found = conv_pool(x, weights, bias, pool=(2, 2), activation="linear")
    # NumPy's maximum: XLA's loses NaNs in large arrays on a CPU
    plain = np.asarray(convolution(x, weights)).reshape(36, 4, 2, 4, 2, 9).max((2, 4)) + bias
    if np.isnan(value):
        assert bool(jnp.isnan(found[:, 1, 2]).all())
        np.testing.assert_array_equal(jnp.isnan(found), jnp.isnan(plain))
    else:  # infinity may become NaN
        assert not jnp.isfinite(found).any(where=jnp.isposinf(plain))


@needs_native
@pytest.mark.parametrize("shared", [False, True])
def test_vmap_is_a_loop(shared):
    members = [example(4, 12, 12, 3, (5, 5), 10, seed) for seed in range(3)]
    stacked = [jnp.stack(parts) for parts in zip(*members, strict=True)]
    axes = (0, 0, 0)
    if shared:  # one batch of images for all members
        members = [(members[0][0], *rest) for _, *rest in members]
        stacked[0], axes = members[0][0], (None, 0, 0)
    run = partial(results, conv_pool, pool=(2, 2), activation="relu")
    together = jax.vmap(lambda *a: run(a), in_axes=axes)(*stacked)
    for number, member in enumerate(members):
        for found, expected in zip(together, run(member), strict=True):
            np.testing.assert_array_equal(found[number], expected)


@pytest.mark.slow
@needs_native
def test_calls_at_the_same_time_do_not_disturb_each_other():
    run = jax.jit(partial(results, conv_pool, pool=(2, 2), activation="relu"))
    examples = [example(n % 5 + 1, 12, 12, 4, (5, 5), 24, n) for n in range(16)]
    expected = [run(e) for e in examples]
    with ThreadPoolExecutor(8) as pool:
        for _ in range(3):
            for found, wanted in zip(pool.map(run, examples), expected, strict=True):
                jax.tree.map(np.testing.assert_array_equal, found, wanted)


@needs_native
def test_nobody_computes_the_gradient_of_the_images():
    network = nn.Network((nn.ConvPool(4), nn.ConvPool(5), nn.Softmax(10)))
    params = network.init(key=jax.random.key(0))

    def cost(params, x):
        return jnp.sum(nn.log_likelihood(network.weighted_input(params, x), jnp.zeros(2, jnp.int32)))

    program = jax.jit(jax.grad(cost)).lower(params, jnp.ones((2, 28, 28, 1))).compile().as_text() or ""
    assert program.count('custom_call_target="firsthand_conv_pool_weights_gradient"') == 2
    assert program.count('custom_call_target="firsthand_conv_pool_input_gradient"') == 1


@needs_native
@pytest.mark.parametrize(("batch", "inputs", "units"), [(10, 640, 1000), (1, 5, 3), (7, 9, 17), (12, 4, 8), (3, 1, 40)])
def test_weights_that_step_during_the_backward_pass(instruction_set, batch, inputs, units):
    """The matrix after the step is that of equation (93), and the error of the inputs that of BP2, from the old one."""
    keys = jax.random.split(jax.random.key(0), 3)
    x = jax.random.normal(keys[0], (batch, inputs))
    weights = jax.random.normal(keys[1], (inputs, units))
    delta = jax.random.normal(keys[2], (batch, units))
    rate = jnp.float32(0.3)

    @jax.jit
    def backward(x, weights, rate):
        z, back = jax.vjp(lambda x, w: x @ w, x, SteppedWeights(weights, rate, 0.1))
        return z, *back(delta)

    z, d_x, stepped = backward(x, weights, rate)
    np.testing.assert_allclose(z, x @ weights, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(d_x, delta @ weights.T, rtol=2e-5, atol=2e-4)
    expected = (1 - 0.3 * 0.1) * weights - 0.3 * (x.T @ delta)
    np.testing.assert_allclose(stepped.weights, expected, rtol=2e-5, atol=2e-5)


def test_other_types_and_pools_take_the_plain_path(float64):
    x, weights, bias = example(2, 9, 9, 2, (3, 3), 4)
    wide = tuple(a.astype(jnp.float64) for a in (x, weights, bias))
    assert_same(wide, pool=(2, 2), activation="relu")
    assert conv_pool(*wide, pool=(2, 2), activation="relu").dtype == jnp.float64
    assert_same(example(2, 9, 9, 2, (3, 3), 4), pool=(4, 1), activation="tanh")


@pytest.mark.parametrize(("choice", "active"), [("plain", "plain"), ("native", "native")])
def test_the_environment_forces_the_path(choice, active):
    if active == "native" and not native._LIBRARY.exists():
        pytest.skip("no compiled kernels here")
    code = "from firsthand import kernels; print(kernels.status().active)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ, "FIRSTHAND_KERNELS": choice}
    )
    assert done.stdout.strip() == active, done.stderr


def test_a_wrong_choice_is_named():
    done = subprocess.run(
        [sys.executable, "-m", "firsthand", "doctor"],
        capture_output=True,
        text=True,
        env={**os.environ, "FIRSTHAND_KERNELS": "quick"},
    )
    assert done.returncode == 2
    assert done.stderr == "firsthand: FIRSTHAND_KERNELS: found 'quick', expected native or plain\n"


@pytest.mark.parametrize("content", [None, b"no library"], ids=["missing", "damaged"])
def test_without_a_library_the_plain_path_says_why(tmp_path, monkeypatch, content):
    if content is not None:
        (tmp_path / "_native.so").write_bytes(content)
    monkeypatch.delenv("FIRSTHAND_KERNELS", raising=False)
    monkeypatch.setattr(native, "_LIBRARY", tmp_path / "_native.so")
    library, status = native._load.__wrapped__()
    assert library is None
    assert status.active == "plain"
    assert ("not compiled" if content is None else "cannot be loaded") in status.reason
    monkeypatch.setenv("FIRSTHAND_KERNELS", "native")
    with pytest.raises(ValueError, match="FIRSTHAND_KERNELS=native, but the"):
        native._load.__wrapped__()


@needs_native
def test_a_library_that_jax_refuses_is_not_used(monkeypatch):
    def refuse(*_, **__):
        raise RuntimeError("the handler's API version (0.5) is incompatible")

    monkeypatch.delenv("FIRSTHAND_KERNELS", raising=False)
    monkeypatch.setattr(jax.ffi, "register_ffi_target", refuse)
    library, status = native._load.__wrapped__()
    assert library is None
    assert "refuses the compiled kernels: the handler's API version" in status.reason


def setup_module_of_the_package():
    """setup.py, imported without running its setup()."""
    spec = importlib.util.spec_from_file_location("firsthand_setup", ROOT / "setup.py")
    assert spec is not None
    assert spec.loader is not None
    import setuptools

    original, setuptools.setup = setuptools.setup, lambda **_: None
    try:
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    finally:
        setuptools.setup = original
    return module


def test_without_a_compiler_there_is_a_reason(tmp_path, monkeypatch):
    pytest.importorskip("setuptools")
    module = setup_module_of_the_package()
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.delenv("CXX", raising=False)
    with pytest.raises(OSError, match="no C\\+\\+ compiler found"):
        module.compile_kernels(tmp_path / "_native.so")
    monkeypatch.setenv("CXX", "false")
    monkeypatch.chdir(ROOT)
    with pytest.raises(subprocess.CalledProcessError):
        module.compile_kernels(tmp_path / "_native.so")


@pytest.mark.parametrize("machine", ["arm64", "aarch64", "riscv64"])  # the first is what macOS says
def test_other_processors_get_no_flags_of_x86(machine):
    assert setup_module_of_the_package().instruction_sets(machine) == {"baseline": []}


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("g++") is None, reason="no g++ here to compare the kernels with")
def test_the_kernels_are_their_formulas_in_double_precision(tmp_path):
    module = setup_module_of_the_package()
    kernels_folder, name = ROOT / module.KERNELS, "x86_64_v2" if os.uname().machine == "x86_64" else "baseline"
    inner = [kernels_folder / source for source in module.INNER]
    march = module.instruction_sets(os.uname().machine)[name]
    command = ["g++", *module.FLAGS, *march, f"-DFIRSTHAND_ISA={name}", f"-I{kernels_folder}", *inner]
    oracle = ROOT / "tests" / "kernels" / "native" / "oracle.cc"
    subprocess.run([*command, oracle, "-o", tmp_path / "oracle"], check=True, capture_output=True)
    done = subprocess.run([tmp_path / "oracle"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    assert done.stdout.startswith("115 arrays compared")


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("g++") is None, reason="no g++ here to build the sanitized kernels with")
def test_no_access_outside_the_arrays(tmp_path):
    module = setup_module_of_the_package()
    kernel_folder = ROOT / module.KERNELS
    sanitize = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-g", f"-I{kernel_folder}"]
    flags = [flag for flag in module.FLAGS if flag != "-O3"] + [
        "-O0",
        *sanitize,
    ]  # the same accesses, compiled in a third of the time
    levels = module.instruction_sets(os.uname().machine)
    objects = []
    for source in module.INNER:
        for name, march in levels.items():
            objects.append(str(tmp_path / f"{source}.{name}.o"))
            command = [
                "g++",
                *flags,
                *march,
                f"-DFIRSTHAND_ISA={name}",
                "-c",
                kernel_folder / source,
                "-o",
                objects[-1],
            ]
            subprocess.run(command, check=True, capture_output=True)
    program = tmp_path / "bounds"
    driver = ROOT / "tests" / "kernels" / "native" / "bounds.cc"
    subprocess.run(["g++", *flags, driver, *objects, "-o", program], check=True, capture_output=True)
    done = subprocess.run([program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[:3000]
    assert int(done.stdout.split()[0]) > 100


@needs_native
@pytest.mark.parametrize(("zeros_are_dead", "thinned"), [(True, False), (False, False), (True, True)])
@pytest.mark.parametrize(
    ("batch", "inputs", "units", "l2"),
    [
        (10, 64, 1000, 0.0),
        (10, 30, 20, 0.1),
        (1, 50, 3, 0.0),
        (13, 97, 45, 0.1),
        (128, 20, 37, 0.0),
        (300, 3, 1100, 0.1),
    ],
)
def test_inputs_that_are_zero(instruction_set, batch, inputs, units, l2, zeros_are_dead, thinned):
    """Dead inputs have no error, unless examples are many and not thinned; everything else is the plain formula's."""
    random = np.random.default_rng(0)
    weights = random.standard_normal((inputs, units), np.float32)
    delta = random.standard_normal((batch, units), np.float32)

    @jax.jit
    def backward(x, weights, rate):
        z, back = jax.vjp(lambda x, w: x @ w, x, SteppedWeights(weights, rate, l2, zeros_are_dead, thinned))
        return z, *back(delta)

    for density in (0.0, 0.2, 1.0):
        alive = random.random((batch, inputs)) < density
        x = np.where(alive, random.standard_normal((batch, inputs), np.float32), np.float32(0))
        z, d_x, stepped = backward(x, weights, np.float32(0.3))
        error = delta @ weights.T
        for found, expected in (
            (z, x @ weights),
            (d_x, np.where(alive, error, 0) if zeros_are_dead and (thinned or batch < dense._MANY) else error),
            (stepped.weights, (1 - 0.3 * l2) * weights - 0.3 * (x.T @ delta)),
        ):
            assert np.linalg.norm(found - expected) <= 1e-5 * np.linalg.norm(expected)


@pytest.mark.parametrize(
    ("before", "dead"),
    [
        ((nn.FullyConnected(9, nn.relu),), True),
        ((nn.ConvPool(3), nn.Dropout(), nn.Flatten()), True),
        ((nn.Convolution(3), nn.MaxPool(2)), True),
        ((nn.ConvPool(3), nn.FullyConnected(9, nn.sigmoid), nn.Dropout()), False),
        ((nn.FullyConnected(9, nn.linear),), False),
        ((nn.FullyConnected(9, nn.tanh),), False),
        ((nn.FullyConnected(9, nn.linear), nn.BatchNorm(), nn.Activation(nn.relu), nn.Flatten()), True),
        ((nn.ConvPool(3), nn.Residual((nn.BatchNorm(),))), False),
        ((nn.Dropout(), nn.Flatten()), False),
        ((), False),
    ],
)
def test_zeros_are_dead_behind_a_relu_alone(before, dead):
    assert step._rectified(before) == dead


@dataclass(frozen=True)
class Twice(nn.Layer):
    """A layer of somebody's own that uses its matrix twice, as a recurrent one does."""

    def init(self, input_shape, dtype=jnp.float32, *, key):
        return {"weights": 0.1 * jax.random.normal(key, (*input_shape, *input_shape), dtype)}

    def apply(self, params, x, *, key=None, train=False):
        return jnp.tanh(jnp.tanh(x @ params["weights"]) @ params["weights"])


@needs_native
def test_only_matrices_that_are_used_once_step_during_the_backward_pass():
    layers = (nn.Residual((nn.FullyConnected(400),)), Twice(), nn.FullyConnected(300), nn.FullyConnected(3))
    network = nn.Network(layers, (400,))
    params = network.init(key=jax.random.key(0))
    stepping = step._given(network, params, jnp.asarray(0.1), step.Rule(Classification(), 10), alone=True)
    kinds = [isinstance(p["weights"], SteppedWeights) for p in (stepping[0]["0"], *stepping[1:])]
    assert kinds == [True, False, True, False]  # the last is small
    text = nn.Network((nn.Embedding(500, 300), nn.FullyConnected(400), nn.Softmax(500)), (6,))
    params = text.init(key=jax.random.key(0))
    stepping = step._given(text, params, jnp.asarray(0.1), step.Rule(Classification(), 10), alone=True)
    assert [isinstance(p["weights"], SteppedWeights) for p in stepping] == [False, True, True]
    # of a sequence all steps are one matrix product, so that the kernel takes it
    symbols = jax.random.randint(jax.random.key(1), (4, 6), 0, 500)

    def total(params):
        return jnp.sum(text.apply(params, symbols) ** 2)

    stepped, gradient = jax.grad(total)(stepping), jax.grad(total)(params)
    for number in (1, 2):
        expected = params[number]["weights"] - 0.1 * gradient[number]["weights"]
        np.testing.assert_allclose(stepped[number]["weights"].weights, expected, atol=1e-6)


@needs_native
def test_behind_a_relu_and_dropout_of_a_half_any_number_of_examples_is_visited():
    hidden = nn.FullyConnected(400, nn.relu)
    for dropped, thinned in (((), None), ((nn.Dropout(0.25),), None), ((nn.Dropout(0.5),), True)):
        network = nn.Network((hidden, *dropped, hidden, nn.Softmax(10)), (30,))
        params = network.init(key=jax.random.key(0))
        rule = step.Rule(Classification(), 128)
        weights = step._given(network, params, jnp.asarray(0.1), rule, alone=True)[1 + len(dropped)]["weights"]
        assert getattr(weights, "thinned", None) is thinned


@needs_native
@pytest.mark.parametrize(("activation", "l2"), [(nn.relu, 0.0), (nn.relu, 0.01), (nn.sigmoid, 0.01)])
def test_steps_of_gradient_descent_are_those_of_the_plain_path(monkeypatch, activation, l2):
    """Also with dropout, whose zeros are dead before any activation, and with inputs that are 0 and alive."""
    layers = (nn.ConvPool(4, activation=activation), nn.Dropout(0.5), nn.FullyConnected(256, activation))
    network = nn.Network((*layers, nn.Dropout(0.25), nn.FullyConnected(400, activation), nn.Softmax(10)))
    assert all(can_step(jnp.zeros(shape), 10) for shape in ((576, 256), (256, 400)))
    start = network.init(key=jax.random.key(1))
    images = jax.random.randint(jax.random.key(2), (30, 28, 28, 1), 0, 256).astype(jnp.uint8)
    labels = jnp.arange(30) % 10

    def trained():
        step._step_program.cache_clear()
        rule = step.Rule(Classification(), 10, l2=l2)
        carry = step.Carry(jax.tree.map(jnp.copy, start), (rule.optimizer.init(start), None), jnp.zeros(3))
        own = step.Own(jnp.arange(30), jnp.full(3, 0.05), jax.random.key(3))
        shared = step.Shared((images, labels), *(np.int32(number) for number in (30, 0, 3)))
        return step.step_program(network, rule)(carry, own, shared)[0].params

    found = trained()
    monkeypatch.setattr(step, "can_step", lambda *_: False)
    for w, expected, first in zip(*map(jax.tree.leaves, (found, trained(), start)), strict=True):
        assert float(jnp.linalg.norm(w - expected)) < 1e-4 * float(jnp.linalg.norm(expected - first))
    step._step_program.cache_clear()
