"""The answers of docs/exercises, confirmed: one test for each claim that the pages derive."""

from itertools import pairwise
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.optimize import minimize, minimize_scalar
from scipy.special import expit, softmax

from firsthand import nn
from firsthand.reference import fully_connected
from firsthand.reference.functions import CROSS_ENTROPY, LINEAR, QUADRATIC, SIGMOID, Activation, sigmoid, sigmoid_prime

SIZES = (5, 4, 3, 2)
Z = arrays(np.float64, st.integers(2, 6), elements=st.floats(-20, 20))


@pytest.fixture
def example():
    """Weights and biases of three layers, and one example."""
    rng = np.random.default_rng(3)
    biases, weights = fully_connected.scaled_weights(SIZES, rng)
    return weights, biases, rng.normal(size=(5, 1)), np.array([[1.0], [0.0]])


def slope_of(function, parameter, index, h=1e-6):
    """The central difference of a function of no arguments by one entry of an array that it reads."""
    before = parameter[index]
    parameter[index] = before + h
    above = function()
    parameter[index] = before - h
    below = function()
    parameter[index] = before
    return (above - below) / (2 * h)


# ---- chapter 2 ------------------------------------------------------------------------------------------------------


def test_backpropagation_as_matrix_products(example):
    """(33), (34), (35): Sigma'(z) as a diagonal matrix instead of the Hadamard product."""
    weights, biases, x, y = example
    deltas = fully_connected.errors(weights, biases, x, y).deltas
    zs, a = [], x
    for w, b in zip(weights, biases, strict=True):
        zs.append(w @ a + b)
        a = sigmoid(zs[-1])
    sigmas = [np.diagflat(sigmoid_prime(z)) for z in zs]
    nabla_a = a - y
    np.testing.assert_allclose(deltas[2], sigmas[2] @ nabla_a)  # (33)
    np.testing.assert_allclose(deltas[1], sigmas[1] @ weights[2].T @ deltas[2])  # (34)
    np.testing.assert_allclose(
        deltas[0], sigmas[0] @ weights[1].T @ sigmas[1] @ weights[2].T @ sigmas[2] @ nabla_a
    )  # (35)


def test_one_neuron_of_its_own(example):
    """With f in neuron 2 of the first hidden layer, f'(z) takes the place of sigma'(z) there, and nothing else."""
    weights, biases, x, y = example

    def mixed(z):
        return np.concatenate([sigmoid(z[:2]), np.tanh(z[2:3]), sigmoid(z[3:])])

    def back(a, nabla_a):
        slope = a * (1 - a)
        slope[2] = 1 - a[2] ** 2  # f' in place of sigma'
        return nabla_a * slope

    activations = [Activation(mixed, back), SIGMOID, SIGMOID]

    def cost():
        a = x
        for w, b, activation in zip(weights, biases, activations, strict=True):
            a = activation.forward(w @ a + b)
        return QUADRATIC.fn(a, y)

    found = fully_connected.backprop_matrix(weights, biases, x, y, QUADRATIC, activations)
    for j in range(4):
        assert found.nabla_w[0][j, 1] == pytest.approx(slope_of(cost, weights[0], (j, 1)), rel=1e-6, abs=1e-9)
    wrong = fully_connected.backprop_matrix(weights, biases, x, y, QUADRATIC)
    assert not np.allclose(found.nabla_w[0][2], wrong.nabla_w[0][2])


def test_linear_neurons(example):
    """sigma(z) = z: delta^L = nabla_a C and delta^l = (w^{l+1})^T delta^{l+1}; the network is one matrix."""
    weights, biases, x, y = example
    found = fully_connected.errors(weights, biases, x, y, QUADRATIC, [LINEAR] * 3)
    a = weights[2] @ (weights[1] @ (weights[0] @ x + biases[0]) + biases[1]) + biases[2]
    np.testing.assert_allclose(found.deltas[2], a - y)
    np.testing.assert_allclose(found.deltas[0], weights[1].T @ weights[2].T @ (a - y))
    one = weights[2] @ weights[1] @ weights[0]
    rest = weights[2] @ (weights[1] @ biases[0] + biases[1]) + biases[2]
    np.testing.assert_allclose(a, one @ x + rest)


# ---- chapter 3: costs ------------------------------------------------------------------------------------------------


@given(st.floats(-30, 30))
def test_the_slope_of_the_sigmoid(z):
    h = 1e-5
    assert sigmoid_prime(np.array(z)) == pytest.approx((expit(z + h) - expit(z - h)) / (2 * h), rel=1e-5, abs=1e-10)


def binary(a, y):
    """-[y ln a + (1 - y) ln(1 - a)], with 0 ln 0 = 0."""
    with np.errstate(divide="ignore"):
        return -sum(weight * np.log(p) if weight else 0.0 for weight, p in ((y, a), (1 - y, 1 - a)))


@given(st.floats(0.01, 0.99), st.sampled_from((0.0, 1.0)))
def test_which_of_y_and_a_stands_in_the_logarithm(a, y):
    assert np.isfinite(binary(a, y))  # the right order
    assert binary(y, a) == np.inf  # the other: ln 0 with a weight that is not 0


@given(st.floats(0.01, 0.99), st.floats(0.001, 0.999))
def test_cross_entropy_is_least_where_the_output_is_the_target(y, a):
    entropy = -y * np.log(y) - (1 - y) * np.log(1 - y)
    assert binary(y, y) == pytest.approx(entropy)  # equation (64)
    assert binary(a, y) >= entropy - 1e-12
    # strictly: the excess is a Kullback-Leibler distance, at least 2 (a - y)^2
    assert binary(a, y) - entropy >= 2 * (a - y) ** 2 - 1e-12


@pytest.mark.parametrize(
    ("cost", "activation", "cancelled"),
    [
        (nn.quadratic, nn.sigmoid, False),  # (65)
        (nn.cross_entropy, nn.sigmoid, True),  # (66), (67)
        (nn.quadratic, nn.linear, True),  # (68) to (70)
        (nn.log_likelihood, nn.softmax, True),  # (81), (82), (84)
    ],
)
def test_slopes_of_the_output_layer(cost, activation, cancelled, float64):
    """dC/dw_jk = 1/n sum_x a_k (a_j - y_j) sigma'(z_j), the last factor being there for (65) alone; dC/db without a."""
    keys = jax.random.split(jax.random.key(0), 3)
    before = jax.random.uniform(keys[0], (6, 4), jnp.float64)  # a^{L-1}, six examples
    params = {"w": jax.random.normal(keys[1], (4, 3), jnp.float64), "b": jax.random.normal(keys[2], (3,), jnp.float64)}
    labels = jnp.array([0, 1, 2, 2, 1, 0])

    def mean_cost(params):
        return jnp.mean(cost(before @ params["w"] + params["b"], labels, activation))

    z = before @ params["w"] + params["b"]
    a = activation(z)
    delta = a - jax.nn.one_hot(labels, 3, dtype=a.dtype)
    delta = delta if cancelled else delta * a * (1 - a)
    found = jax.grad(mean_cost)(params)
    np.testing.assert_allclose(found["w"], before.T @ delta / 6, rtol=1e-12)
    np.testing.assert_allclose(found["b"], jnp.mean(delta, axis=0), rtol=1e-12)


@pytest.mark.tiny
@given(arrays(np.float64, 3, elements=st.floats(-2, 2)), st.integers(0, 4))
def test_no_cost_takes_the_input_out_of_the_gradient(w, which):
    """C = C(a), a = sigma(w x + b): dC/dw_j = x_j dC/db for any C, so that a weight of an input of 0 does not learn."""
    x = np.array([0.0, 1e-3, 0.7])
    costs = (np.square, np.exp, np.sin, lambda a: -np.log(a), lambda a: 1 / (1 - a))

    def cost():
        return costs[which](expit(w @ x + 0.1))

    b = np.array([0.1])

    def cost_of_b():
        return costs[which](expit(w @ x + b[0]))

    by_b = slope_of(cost_of_b, b, 0)
    slopes = [slope_of(cost, w, j) for j in range(3)]
    np.testing.assert_allclose(slopes, x * by_b, rtol=1e-4, atol=1e-7)
    assert slopes[0] == 0


# ---- chapter 3: softmax ----------------------------------------------------------------------------------------------


def test_sigmoid_outputs_need_not_sum_to_one():
    assert sum(sigmoid(np.zeros(3))) == 1.5
    assert sum(sigmoid(np.array([5.0, 5.0, 5.0]))) > 2.9
    assert sum(sigmoid(np.array([-5.0, -5.0, -5.0]))) < 0.1


def jacobian(function, z, h=1e-6):
    steps = np.eye(len(z)) * h
    return np.stack([(function(z + step) - function(z - step)) / (2 * h) for step in steps], axis=1)


@given(Z)
def test_softmax_is_monotone_and_not_local(z):
    """da_j/dz_k = a_j ([j = k] - a_k): above 0 for j = k, below 0 otherwise, and for no pair 0."""
    a = softmax(z)
    formula = a[:, None] * (np.eye(len(z)) - a[None])
    np.testing.assert_allclose(jacobian(softmax, z), formula, atol=1e-8)
    off = ~np.eye(len(z), dtype=bool)
    assert np.all(formula[off] < 0)  # strictly, in exact arithmetic for all z; here for |z| up to 20
    # 1 - a_k as the sum of the others, which rounding cannot make 0
    others = np.array([np.delete(a, k).sum() for k in range(len(z))])
    assert np.all(a * others > 0)
    # of sigmoids, every output has one weighted input
    np.testing.assert_array_equal(jacobian(expit, z)[off], 0)


@given(Z)
def test_softmax_can_be_inverted_up_to_a_constant(z):
    constants = z - np.log(softmax(z))
    np.testing.assert_allclose(constants, np.log(np.sum(np.exp(z))), atol=1e-9)
    np.testing.assert_allclose(softmax(z + 3.0), softmax(z), atol=1e-12)  # C cannot be known from a


@given(arrays(np.float64, 4, elements=st.integers(-3, 3)), st.floats(0.1, 5))
def test_softmax_softens_the_maximum(z, c):
    a = softmax(c * z)  # equation (83)
    assert np.all(a > 0)
    assert a.sum() == pytest.approx(1)
    largest = z == z.max()
    np.testing.assert_allclose(softmax(1e3 * z), largest / largest.sum(), atol=1e-12)  # equals share the 1


# ---- chapter 5 -------------------------------------------------------------------------------------------------------


def chain(slope, w, z, layers):
    """|product of w k sigma'(k z)|: what an activation sigma(k z), k = 4 slope, does to a gradient through layers."""
    k = 4 * slope
    return abs(w * k * sigmoid_prime(np.array(k * z))) ** layers


def test_steep_activations_make_the_gradient_explode_or_vanish():
    assert chain(0.25, 1, 0, 10) == pytest.approx(4**-10)  # sigma itself, at its best: vanishes
    assert chain(2, 1, 0, 10) == pytest.approx(2**10)  # slope 2: explodes
    assert chain(2, 1, 1, 10) < 1e-20  # and vanishes as soon as z leaves the middle
    assert chain(25, 1, 0.3, 1) < 1e-6  # the steeper, the narrower


@given(st.floats(-4, 4, exclude_min=True, exclude_max=True), st.floats(-10, 10), st.floats(-10, 10))
def test_a_weight_below_four_always_shrinks(w, a, b):
    assert abs(w) * sigmoid_prime(np.array(w * a + b)) < 1


def window(w):
    """The width of the inputs a for which |w sigma'(w a + b)| >= 1, for |w| >= 4."""
    w = abs(w)
    return 2 / w * np.log(w * (1 + np.sqrt(1 - 4 / w)) / 2 - 1)


@given(st.floats(4.01, 60), st.sampled_from((-1, 1)), st.floats(-5, 5))
def test_the_width_of_the_window(size, sign, b):
    w = sign * size
    middle, half = -b / w, window(w) / 2

    def factor(a):
        return abs(w) * sigmoid_prime(np.array(w * a + b))

    # at both ends it is 1, inside more, outside less
    assert factor(middle - half) == pytest.approx(1, rel=1e-6)
    assert factor(middle + half) == pytest.approx(1, rel=1e-6)
    assert factor(middle) >= factor(middle + 0.9 * half) > 1
    assert factor(middle + 1.1 * half + 1e-6) < 1


def test_the_widest_window():
    # typed as a plain object by some versions of SciPy's stubs
    found: Any = minimize_scalar(lambda w: -window(w), bounds=(4, 100), method="bounded")
    assert found.x == pytest.approx(6.9, abs=0.05)
    assert -found.fun == pytest.approx(0.45, abs=0.005)
    assert window(4) == 0


@pytest.mark.parametrize("w", [1.0, 0.3, 0.1])
def test_the_identity_neuron(w):
    """(4/w) sigma(w (x - 1/2)) = x + (2/w - 1/2) + error, |error| <= w^2/96 on [0, 1]."""
    x = np.linspace(0, 1, 201)
    error = 4 / w * sigmoid(w * x - w / 2) - (2 / w - 0.5) - x
    assert np.max(np.abs(error)) <= w * w / 96
    assert np.max(np.abs(error)) == pytest.approx(w * w / 96, rel=0.1)  # no better: the bound is the error for small w


def test_without_its_constant_the_identity_neuron_is_off():
    """The value and slope of w_2 sigma(w_1 x + b) at x = 1/2 are right only for w_1 > 2: w_1 cannot be small."""
    for middle in (0.01, 0.3, 0.5, 0.9):  # sigma(w_1/2 + b)
        w_2, w_1 = 1 / (2 * middle), 2 / (1 - middle)
        b = np.log(middle / (1 - middle)) - w_1 / 2
        assert w_1 > 2
        assert w_2 * expit(w_1 / 2 + b) == pytest.approx(0.5)
        assert w_2 * w_1 * sigmoid_prime(np.array(w_1 / 2 + b)) == pytest.approx(1)
    x = np.linspace(0, 1, 101)

    def worst(p):
        return np.max(np.abs(p[0] * expit(p[1] * x + p[2]) - x))

    found = min(
        (minimize(worst, start, method="Nelder-Mead", options={"maxiter": 4000}) for start in ((1, 4, -2), (2, 2, -1))),
        key=lambda result: result.fun,
    )
    assert found.fun == pytest.approx(0.056, abs=0.002)  # the best that we find: 6 % of the range


# ---- chapter 6 -------------------------------------------------------------------------------------------------------


def test_features_move_with_the_image_and_the_layers_above_do_not():
    """A shift by the pooling window moves feature maps exactly; by one pixel, they change; what follows sees places."""
    network = nn.Network((nn.ConvPool(3, 3), nn.Softmax(4)), (12, 12, 1))
    params = network.init(key=jax.random.key(0))
    image = np.zeros((1, 12, 12, 1), np.float32)
    image[0, 3:7, 3:7] = np.random.default_rng(0).random((4, 4, 1))
    maps = [network.layers[0].apply(params[0], jnp.roll(image, shift, axis=2)) for shift in (0, 1, 2)]
    np.testing.assert_allclose(maps[2][:, :, 1:], maps[0][:, :, :-1], rtol=1e-5)
    assert not np.allclose(maps[1], maps[0])
    assert not np.allclose(maps[1][:, :, 1:], maps[0][:, :, :-1])
    z = [network.weighted_input(params, np.roll(image, shift, axis=2)) for shift in (0, 2)]
    assert not np.allclose(z[0], z[1], atol=1e-3)


def test_tanh_is_a_sigmoid_in_other_coordinates():
    """The network of tanh with w, b, w', b' is that of sigma with 2w, 2b, 2w', b' - sum w'."""
    rng = np.random.default_rng(0)
    w, b, up, top = rng.normal(size=(4, 6)), rng.normal(size=6), rng.normal(size=(6, 3)), rng.normal(size=3)
    x = rng.normal(size=(5, 4))
    by_tanh = np.tanh(x @ w + b) @ up + top
    by_sigmoid = sigmoid(x @ (2 * w) + 2 * b) @ (2 * up) + top - up.sum(axis=0)
    np.testing.assert_allclose(by_sigmoid, by_tanh, rtol=1e-12)


@given(st.floats(0.1, 4), st.integers(1, 4), st.integers(0, 2**31))
def test_rescaling_relu_weights_rescales_the_output(c, matrices, seed):
    """L - 1 matrices times c make the output c^{L-1} times as large, without biases or with b^l times c^l."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(2, 6, matrices + 1)
    weights = [rng.normal(size=pair) for pair in pairwise(sizes)]
    biases = [rng.normal(size=size) for size in sizes[1:]]
    x = rng.normal(size=sizes[0])

    def output(scale, with_biases):
        a = x
        for number, (w, b) in enumerate(zip(weights, biases, strict=True), start=1):
            a = np.maximum(a @ (scale * w) + with_biases * scale**number * b, 0)
        return a

    for with_biases in (0, 1):
        np.testing.assert_allclose(output(c, with_biases), c**matrices * output(1, with_biases), rtol=1e-9, atol=1e-12)


def test_biases_that_are_left_alone_break_the_rule():
    w, b, x = np.array([[1.0]]), np.array([1.0]), np.array([1.0])
    assert np.maximum(x @ (2 * w) + b, 0) == 3
    assert 2 * np.maximum(x @ w + b, 0) == 4


@given(arrays(np.float64, 5, elements=st.integers(-3, 3)), st.floats(0.2, 5), st.integers(1, 4))
def test_under_a_softmax_the_factor_is_a_temperature(z, c, power):
    """z times c^{L-1} orders the classes alike; all that changes is how sure the network says it is."""
    scaled = c**power * z
    assert np.argmax(softmax(scaled)) == np.argmax(scaled) == np.argmax(z)
    surer = softmax(scaled).max() >= softmax(z).max() - 1e-12
    assert surer if c >= 1 else softmax(scaled).max() <= softmax(z).max() + 1e-12


@given(st.integers(0, 1000))
def test_a_relu_halves_the_mean_square(seed):
    """E[max(0, z)^2] = E[z^2] / 2 for any z that is as often z as -z: where the 2 of N(0, 2/n_in) comes from."""
    z = np.random.default_rng(seed).normal(size=1000)
    both = np.concatenate([z, -z])
    assert np.mean(np.maximum(both, 0) ** 2) == pytest.approx(np.mean(both**2) / 2)


def test_cross_entropy_keeps_the_error_of_a_saturated_neuron():
    """sigma'(z) cancels: at z = 6 with y = 0 the quadratic error is 400 times smaller."""
    z, y = np.array([[6.0]]), np.array([[0.0]])
    a = sigmoid(z)
    ratio = CROSS_ENTROPY.delta(z, a, y, SIGMOID) / QUADRATIC.delta(z, a, y, SIGMOID)
    assert ratio.item() == pytest.approx(1 / sigmoid_prime(z).item())
    assert ratio.item() > 400
