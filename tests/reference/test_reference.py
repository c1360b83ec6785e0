"""The reference against finite differences, against the texts, and the engine against the reference."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from firsthand import nn
from firsthand.data import Dataset, Splits, mnist
from firsthand.learning import Classification, Recipe, train
from firsthand.reference import conv_pool, fully_connected, functions, grokking
from firsthand.reference.conv_pool import ConvPool
from firsthand.reference.functions import (
    CROSS_ENTROPY,
    LINEAR,
    LOG_LIKELIHOOD,
    QUADRATIC,
    RELU,
    SIGMOID,
    SOFTMAX,
    TANH,
)

SIZES = (7, 6, 5, 4)
OUTPUTS = [
    (QUADRATIC, SIGMOID),
    (QUADRATIC, LINEAR),
    (QUADRATIC, TANH),
    (QUADRATIC, SOFTMAX),
    (CROSS_ENTROPY, SIGMOID),
    (LOG_LIKELIHOOD, SOFTMAX),
]
ENGINE = {
    SIGMOID: nn.sigmoid,
    LINEAR: nn.linear,
    TANH: nn.tanh,
    RELU: nn.relu,
    SOFTMAX: nn.softmax,
    QUADRATIC: nn.quadratic,
    CROSS_ENTROPY: nn.cross_entropy,
    LOG_LIKELIHOOD: nn.log_likelihood,
}


def named(value):
    return next((ENGINE[key].__name__ for key in ENGINE if key is value), None)


@pytest.fixture
def rng():
    return np.random.default_rng(1)


@pytest.fixture
def example(rng):
    """Weights, biases, and a mini-batch of three examples."""
    biases, weights = fully_connected.scaled_weights(SIZES, rng)
    return weights, biases, rng.standard_normal((7, 3)), np.eye(4)[:, [2, 0, 3]]


def cost_of(weights, biases, x, y, cost, activations, masks):
    a = x
    for w, b, activation, mask in zip(weights, biases, activations, masks, strict=True):
        a = activation.forward(w @ (a * mask) + b)
    return cost.fn(a, y)


def assert_is_gradient(function, parameters, gradients):
    """Central differences along a random direction, of each parameter array in turn."""
    rng = np.random.default_rng(2)
    for parameter, gradient in zip(parameters, gradients, strict=True):
        direction, epsilon, before = rng.standard_normal(parameter.shape), 1e-6, parameter.copy()
        parameter += epsilon * direction
        above = function()
        parameter[...] = before - epsilon * direction
        below = function()
        parameter[...] = before
        assert np.sum(gradient * direction) == pytest.approx((above - below) / (2 * epsilon), rel=1e-6, abs=1e-8)


@pytest.mark.tiny
@pytest.mark.parametrize(("cost", "output"), OUTPUTS, ids=named)
@pytest.mark.parametrize("hidden", [SIGMOID, TANH, RELU, LINEAR, SOFTMAX], ids=named)
def test_backprop_is_the_gradient(cost, output, hidden, example, rng):
    weights, biases, x, y = example
    activations = [hidden, hidden, output]
    masks = [fully_connected.dropout_mask(rng, (k, 3), 0.3) for k in SIZES[:-1]]
    nabla_b, nabla_w = fully_connected.backprop_matrix(weights, biases, x, y, cost, activations, masks)
    assert_is_gradient(
        lambda: cost_of(weights, biases, x, y, cost, activations, masks), weights + biases, nabla_w + nabla_b
    )


@pytest.mark.tiny
@pytest.mark.parametrize("cost", [QUADRATIC, CROSS_ENTROPY], ids=named)
def test_the_matrix_form_is_the_sum_over_the_examples(cost, example):
    weights, biases, x, y = example
    whole = fully_connected.backprop_matrix(weights, biases, x, y, cost)
    single = [fully_connected.backprop(weights, biases, x[:, [i]], y[:, [i]], cost) for i in range(3)]
    for layer in range(3):
        for field in ("nabla_b", "nabla_w"):
            expected = sum(getattr(gradient, field)[layer] for gradient in single)
            np.testing.assert_allclose(getattr(whole, field)[layer], expected, rtol=1e-12, atol=1e-15)


def test_one_blas_call_is_the_update_of_equation_93(example):
    weights, biases, x, y = example
    eta, lmbda, n = 0.7, 3.0, 50
    before = [w.copy() for w in weights]
    gradient = fully_connected.backprop_matrix(weights, biases, x, y, CROSS_ENTROPY)
    penalized = fully_connected.gradient_with_penalties(gradient, weights, 3, n, l2=lmbda)
    expected = fully_connected.descend(weights, biases, penalized, eta)
    fast = fully_connected.sgd_step(weights, biases, x, y, eta, lmbda, n, CROSS_ENTROPY)
    for a, b in zip(expected[0] + expected[1], fast[0] + fast[1], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-15)
    assert all(np.array_equal(w, old) for w, old in zip(weights, before, strict=True))


def test_penalties_have_their_gradients(example):
    weights, biases, x, y = example
    activations, masks, n = [SIGMOID] * 3, [1.0] * 3, 20

    def cost():
        c_0 = cost_of(weights, biases, x, y, CROSS_ENTROPY, activations, masks) / 3
        return fully_connected.cost_with_penalties(c_0, weights, n, l2=0.4, l1=0.3)

    gradient = fully_connected.backprop_matrix(weights, biases, x, y, CROSS_ENTROPY)
    gradient = fully_connected.gradient_with_penalties(gradient, weights, 3, n, l2=0.4, l1=0.3)
    assert_is_gradient(cost, weights + biases, gradient.nabla_w + gradient.nabla_b)


@pytest.mark.tiny
def test_momentum_by_hand():
    w, v = [np.array([1.0])], [np.array([0.5])]
    w, v = fully_connected.descend_with_momentum(w, v, [np.array([2.0])], eta=0.1, mu=0.9)
    assert v[0] == pytest.approx(0.9 * 0.5 - 0.1 * 2)
    assert w[0] == pytest.approx(1 + v[0])


def test_initial_weights_have_their_spread(rng):
    biases, weights = fully_connected.large_weights((400, 300), rng)
    assert np.std(weights[0]) == pytest.approx(1, rel=0.02)
    assert biases[0].shape == (300, 1)
    _, weights = fully_connected.scaled_weights((400, 300), rng)
    assert np.std(weights[0]) == pytest.approx(1 / 20, rel=0.02)


@pytest.mark.tiny
def test_saturated_neurons_cost_finite_amounts():
    a, y = np.array([[0.0], [1.0]]), np.array([[0.0], [1.0]])
    assert CROSS_ENTROPY.fn(a, y) == 0
    assert LOG_LIKELIHOOD.fn(a, y) == 0
    assert np.isfinite(CROSS_ENTROPY.fn(a, np.array([[1.0], [1.0]])))
    assert functions.sigmoid(np.array([-1e4, 0, 1e4])).tolist() == pytest.approx([0, 0.5, 1], abs=1e-300)
    assert functions.softmax(np.array([[1e4], [0.0]])).ravel().tolist() == [1, 0]


CONV_LAYERS = [
    [((3, 3, 2, 4), (2, 2), 0, RELU)],
    [((3, 2, 2, 3), (3, 2), 1, TANH)],  # windows that are incomplete at the edge, and padding
    [((2, 2, 2, 3), (1, 1), 0, SIGMOID)],  # no pooling: a plain convolution
    [((3, 3, 2, 3), (2, 2), 1, TANH), ((2, 2, 3, 4), (2, 2), 0, RELU)],
]


def conv_network(layers, rng):
    """Random convolutional layers on 9x8 images with 2 maps, with two fully connected layers on top."""
    convolutional = [
        ConvPool(rng.standard_normal(shape), rng.standard_normal(shape[-1]), *rest) for shape, *rest in layers
    ]
    x = rng.standard_normal((3, 9, 8, 2))
    a = x
    for layer in convolutional:
        a, _ = layer.forward(a)
    biases, weights = fully_connected.scaled_weights((a[0].size, 6, 4), rng)
    return convolutional, weights, biases, x


@pytest.mark.parametrize("layers", CONV_LAYERS, ids=range(len(CONV_LAYERS)))
def test_conv_pool_backprop_is_the_gradient(layers, rng):
    convolutional, weights, biases, x = conv_network(layers, rng)
    y, activations, masks = (
        np.eye(4)[:, [2, 0, 3]],
        [TANH, SOFTMAX],
        [rng.integers(2, size=(weights[0].shape[1], 3)), 1.0],
    )

    def cost():
        a = x
        for layer in convolutional:
            a, _ = layer.forward(a)
        return cost_of(weights, biases, a.reshape(3, -1).T, y, LOG_LIKELIHOOD, activations, masks)

    gradient = conv_pool.backprop(convolutional, weights, biases, activations, x, y, LOG_LIKELIHOOD, [masks[0], None])
    parameters = [p for layer in convolutional for p in (layer.w, layer.b)] + weights + biases
    slopes = [g for pair in gradient.convolutional for g in pair]
    assert_is_gradient(cost, parameters, slopes + gradient.fully_connected.nabla_w + gradient.fully_connected.nabla_b)


def test_convolution_is_equation_125(rng):
    layer = ConvPool(rng.standard_normal((3, 2, 2, 4)), rng.standard_normal(4), pool=(1, 1), activation=LINEAR)
    x = rng.standard_normal((2, 6, 5, 2))
    a, _ = layer.forward(x)
    for j, k, f in np.ndindex(4, 4, 4):
        section = x[:, j : j + 3, k : k + 2]
        expected = layer.b[f] + np.sum(section * layer.w[..., f], axis=(1, 2, 3))
        np.testing.assert_allclose(a[:, j, k, f], expected, rtol=1e-12)


# ---- the engine against the reference -------------------------------------------------------------------------------

# powers of two, because the engine's learning rate and 1/batch_size are single precision numbers
BATCH, ETA = 8, 0.5


def pixels(rng, shape):
    labels = rng.integers(4, size=BATCH)
    return Dataset(rng.integers(256, size=(BATCH, *shape), dtype=np.uint8), labels, tuple("abcd"))


def engine_params(layers):
    """Reference parameters in the engine's form: examples are rows there, so that weights are transposed."""
    return tuple({"weights": jnp.asarray(w), "bias": jnp.asarray(b.ravel())} for w, b in layers)


def engine_step(network, data, params, **options):
    """The parameters after the engine's step on the one mini-batch, through its public interface."""
    options = {"epochs": 1, **options}
    recipe = Recipe(batch_size=BATCH, learning_rate=ETA, monitor=(), keep_best=False, **options)
    with jax.numpy_dtype_promotion("standard"):  # labels are int32 even where JAX counts in int64
        return train(network, Splits(data, None, None), recipe, key=jax.random.key(0), params=params).model.params


def assert_same(params, layers):
    for found, (w, b) in zip(params, layers, strict=True):
        np.testing.assert_allclose(found["weights"], w, rtol=0, atol=1e-10)
        np.testing.assert_allclose(found["bias"], b.ravel(), rtol=0, atol=1e-10)


@pytest.mark.parametrize("regularizer", [{}, {"l2": 0.3, "l1": 0.2}], ids=str)
@pytest.mark.parametrize(("cost", "output"), OUTPUTS, ids=named)
def test_a_step_of_the_engine_is_a_step_of_the_reference(cost, output, regularizer, rng, float64):
    data = pixels(rng, (3, 3, 1))
    biases, weights = fully_connected.scaled_weights((9, 6, 4), rng)
    network = nn.Network((nn.FullyConnected(6, nn.tanh), nn.FullyConnected(4, ENGINE[output])), (3, 3, 1))
    x, y = data.images.reshape(BATCH, 9).T / 255, np.eye(4)[:, data.labels]

    gradient = fully_connected.backprop_matrix(weights, biases, x, y, cost, [TANH, output])
    gradient = fully_connected.gradient_with_penalties(gradient, weights, BATCH, 1, **regularizer)
    new_weights, new_biases = fully_connected.descend(weights, biases, gradient, ETA)

    start = engine_params([(w.T, b) for w, b in zip(weights, biases, strict=True)])
    after = engine_step(network, data, start, objective=Classification(ENGINE[cost]), **regularizer)
    assert_same(after, [(w.T, b) for w, b in zip(new_weights, new_biases, strict=True)])


def test_two_steps_of_the_engine_with_momentum(rng, float64):
    data = pixels(rng, (3, 3, 1))
    biases, weights = fully_connected.scaled_weights((9, 4), rng)
    network = nn.Network((nn.Softmax(4),), (3, 3, 1))
    x, y = data.images.reshape(BATCH, 9).T / 255, np.eye(4)[:, data.labels]
    w, v, mu = weights + biases, [np.zeros_like(p) for p in weights + biases], 0.75
    for _ in range(2):
        gradient = fully_connected.backprop_matrix(w[:1], w[1:], x, y, LOG_LIKELIHOOD, [SOFTMAX])
        nabla = [g / BATCH for g in gradient.nabla_w + gradient.nabla_b]
        w, v = fully_connected.descend_with_momentum(w, v, nabla, ETA, mu)
    start = engine_params([(weights[0].T, biases[0])])
    assert_same(engine_step(network, data, start, epochs=2, momentum=mu), [(w[0].T, w[1])])


@pytest.mark.parametrize("layers", CONV_LAYERS, ids=range(len(CONV_LAYERS)))
def test_a_convolutional_step_of_the_engine_is_a_step_of_the_reference(layers, rng, float64):
    convolutional, weights, biases, _ = conv_network(layers, rng)
    data = pixels(rng, (9, 8, 2))
    y = np.eye(4)[:, data.labels]
    below, above = conv_pool.backprop(
        convolutional, weights, biases, [TANH, SOFTMAX], data.images / 255, y, LOG_LIKELIHOOD
    )
    step = ETA / BATCH
    expected = [
        (layer.w - step * nabla_w, layer.b - step * nabla_b)
        for layer, (nabla_w, nabla_b) in zip(convolutional, below, strict=True)
    ] + [
        ((w - step * nabla_w).T, b - step * nabla_b)
        for w, b, nabla_w, nabla_b in zip(weights, biases, above.nabla_w, above.nabla_b, strict=True)
    ]
    network = nn.Network(
        (
            *(
                nn.ConvPool(shape[-1], shape[:2], pool, padding, ENGINE[activation])
                for shape, pool, padding, activation in layers
            ),
            nn.FullyConnected(6, nn.tanh),
            nn.Softmax(4),
        ),
        (9, 8, 2),
    )
    start = engine_params(
        [(layer.w, layer.b) for layer in convolutional] + [(w.T, b) for w, b in zip(weights, biases, strict=True)]
    )
    assert_same(engine_step(network, data, start), expected)


def test_dropout_of_the_engine_is_that_of_the_reference(rng, float64):
    biases, weights = fully_connected.scaled_weights((9, 6, 4), rng)
    network = nn.Network((nn.FullyConnected(6, nn.sigmoid), nn.Dropout(0.5), nn.Softmax(4)), (9,))
    x, labels, key = rng.standard_normal((BATCH, 9)), rng.integers(4, size=BATCH), jax.random.key(3)
    # the mask that the engine draws, made visible by dropping from ones
    mask = nn.Dropout(0.5).apply({}, jnp.ones((BATCH, 6)), key=jax.random.split(key, 3)[1], train=True)
    gradient = fully_connected.backprop_matrix(
        weights, biases, x.T, np.eye(4)[:, labels], LOG_LIKELIHOOD, [SIGMOID, SOFTMAX], [None, np.asarray(mask).T]
    )
    first, last = engine_params([(w.T, b) for w, b in zip(weights, biases, strict=True)])

    def cost(params):
        z = network.weighted_input(params, jnp.asarray(x), key=key, train=True)
        return jnp.sum(nn.log_likelihood(z, jnp.asarray(labels), nn.softmax))

    found = jax.grad(cost)((first, {}, last))
    assert_same((found[0], found[2]), [(w.T, b) for w, b in zip(gradient.nabla_w, gradient.nabla_b, strict=True)])


# ---- Grokking Deep Learning, chapter 10 -----------------------------------------------------------------------------


def test_grokking_prints_what_the_text_prints():
    """The text: 'I:0 Test-Acc:0.0288 Train-Acc:0.055'."""
    data, test = mnist().train[:1000], mnist().test
    assert test is not None
    run = grokking.train(
        data.images[..., 0] / 255, data.labels, test.images[..., 0] / 255, test.labels, grokking.AS_PRINTED, 1
    )
    assert [iteration[:2] for iteration in run] == [(0.0288, 0.055)]


def test_grokking_corrected_is_gradient_descent(rng):
    variant = grokking.GRADIENT_DESCENT._replace(positions=4)
    images, labels = rng.random((5, 6, 6)), grokking.one_hot(rng.integers(10, size=5))
    parameters = grokking.Parameters(rng.standard_normal((9, 16)), rng.standard_normal((256, 10)))
    mask = rng.integers(2, size=(5, 256))
    update, _ = grokking.gradients(parameters, images, labels, mask, variant)

    def cost():
        sections = grokking.image_sections(images, 4)
        layer_1 = np.tanh((sections @ parameters.kernels).reshape(5, -1)) * mask * 2
        return LOG_LIKELIHOOD.fn(grokking.softmax(layer_1 @ parameters.weights).T, labels.T) / 25

    assert_is_gradient(cost, parameters, [-update.kernels, -update.weights])
    # as printed, the kernels' direction is none: this is what `exact_slope` is for
    printed, _ = grokking.gradients(parameters, images, labels, mask, variant._replace(exact_slope=False))
    assert not np.allclose(printed.kernels, update.kernels)
