"""Layers, costs and networks against arithmetic, finite differences, and the texts' numbers."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.test_util import check_grads

from firsthand import FirsthandError, nn
from firsthand.learning import Classification

pytestmark = pytest.mark.usefixtures("compiled_quickly")

IMAGE = (8, 8, 2)
ACTIVATIONS = (nn.linear, nn.sigmoid, nn.tanh, nn.relu, nn.softmax)
MONOTONE = (nn.linear, nn.sigmoid, nn.tanh, nn.relu)
OUTPUTS = {
    nn.quadratic: (nn.sigmoid, nn.softmax, nn.linear, nn.tanh),
    nn.cross_entropy: (nn.sigmoid,),
    nn.log_likelihood: (nn.softmax,),
}
# every layer in every form that changes its formula; activations are crossed in where a layer has one
HIDDEN = (
    [nn.FullyConnected(7, a) for a in ACTIVATIONS]
    + [nn.ConvPool(4, 3, activation=a) for a in MONOTONE]
    + [nn.Convolution(4, 3, activation=a) for a in MONOTONE]
    + [
        nn.ConvPool(3, (2, 3), pool=(3, 2), padding=1, activation=nn.tanh),
        nn.Convolution(4, (3, 2), stride=2, padding=1, activation=nn.tanh),
        nn.Convolution(4, 3, groups=2, activation=nn.tanh),
        nn.Convolution(4, (3, 2), stride=(2, 1), padding=(0, 1), activation=nn.tanh),
        nn.ConvPool(3, (2, 3), padding=(0, 1), activation=nn.tanh),
        nn.MaxPool(2),
        nn.MaxPool(3, stride=2),
        nn.MaxPool(3, stride=1, padding=1),
        nn.AveragePool(3, stride=(2, 1), padding=(1, 0)),
        nn.L2Pool(3, stride=2, padding=(0, 2)),
        nn.AveragePool((2, 3)),
        nn.L2Pool(2),
        nn.Dropout(0.4),
        nn.Flatten(),
        nn.Rescale(0.5),
        nn.FullyConnected(7, nn.gelu),
        nn.Activation(nn.gelu),
        nn.BatchNorm(),
        nn.LayerNorm(),
        nn.LocalResponseNormalization(3, alpha=0.5),
        nn.LocalContrastNormalization(5),
        nn.LocallyConnected(3, (3, 2), stride=(2, 1), padding=(0, 1), activation=nn.tanh),
        nn.LocallyConnected(2, 3),
        nn.Crop((5, 6)),
        nn.Auxiliary((nn.Flatten(), nn.Softmax(5))),
        nn.GlobalAveragePool(),
        nn.GlobalMaxPool(),
        nn.SqueezeExcite(3),
        nn.Sparsity(0.1, 2.0),
        nn.Residual((nn.Convolution(2, 3, padding=1, activation=nn.tanh), nn.BatchNorm(), nn.Dropout(0.3))),
        nn.Concatenate(((nn.MaxPool(2), nn.Dropout(0.2)), (nn.Convolution(3, 2, stride=2, activation=nn.tanh),))),
        nn.Concatenate(((), (nn.BatchNorm(), nn.Residual((nn.LayerNorm(),))))),
    ]
)


def loss(network, cost, labels, key):
    return lambda params, x: jnp.sum(
        cost(network.weighted_input(params, x, key=key, train=True), labels, network.activation)
    )


@pytest.mark.parametrize(
    ("layer", "cost", "activation"),
    [(layer, nn.log_likelihood, nn.softmax) for layer in HIDDEN]
    + [(nn.FullyConnected(7, nn.tanh), cost, a) for cost, good in OUTPUTS.items() for a in good],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_gradients_agree_with_finite_differences(layer, cost, activation, float64):
    # check_grads perturbs along random directions: with inputs of order 1 no ReLU or maximum changes sides
    network = nn.Network((layer, nn.FullyConnected(5, activation, bias_init=nn.large)), IMAGE)
    params = network.init(jnp.float64, key=jax.random.key(1))
    x = jax.random.normal(jax.random.key(2), (3, *IMAGE), jnp.float64)
    labels = jnp.array([0, 4, 2])
    compiled = jax.jit(loss(network, cost, labels, jax.random.key(3)))
    check_grads(compiled, (params, x), order=1, modes=("rev",), eps=1e-6, rtol=1e-6)
    jax.jit(jax.grad(compiled))(params, x)  # as in training: compiled after it was differentiated


@pytest.mark.parametrize("layer", HIDDEN, ids=str)
def test_shapes_are_known_before_any_array(layer):
    expected = layer.output_shape(IMAGE)
    params = layer.init(IMAGE, key=jax.random.key(0))
    y = layer.apply(params, jnp.ones((3, *IMAGE)), key=jax.random.key(1), train=True)
    assert y.shape == (3, *expected)
    assert y.dtype == jnp.float32
    assert layer.multiply_adds(IMAGE) >= 0


@pytest.mark.parametrize("padding", [0, 2])
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("groups", [1, 2])
def test_convolution_is_the_sum_of_equation_125(padding, stride, groups, float64):
    assert_is_the_sum_of_equation_125((padding, padding), (stride, stride), groups, padding, stride)


@pytest.mark.parametrize(
    ("padding", "stride"), [((1, 0), (1, 1)), ((0, 2), (2, 1)), ((1, 1), (2, 3)), ((2, 1), (2, 4))]
)
def test_rows_and_columns_have_their_own_padding_and_stride(padding, stride, float64):
    assert_is_the_sum_of_equation_125(padding, stride, 1, padding, stride)


def assert_is_the_sum_of_equation_125(padding, stride, groups, given_padding, given_stride):
    layer = nn.Convolution(4, (3, 2), given_stride, given_padding, groups, nn.linear, bias_init=nn.large)
    params = layer.init(IMAGE, jnp.float64, key=jax.random.key(0))
    x = np.asarray(jax.random.normal(jax.random.key(1), (2, *IMAGE), jnp.float64))
    y = layer.apply(params, jnp.asarray(x))
    assert y.shape[1:] == layer.output_shape(IMAGE)
    padded = np.pad(x, ((0, 0), (padding[0],) * 2, (padding[1],) * 2, (0, 0)))
    weights, bias = np.asarray(params["weights"]), np.asarray(params["bias"])
    per_group, inputs = 4 // groups, 2 // groups
    for i, j, f in np.ndindex(y.shape[1:]):
        first, top, left = f // per_group * inputs, i * stride[0], j * stride[1]
        window = padded[:, top : top + 3, left : left + 2, first : first + inputs]
        np.testing.assert_allclose(y[:, i, j, f], bias[f] + np.sum(window * weights[..., f], axis=(1, 2, 3)))


def test_conv_pool_is_convolution_then_max_pool(float64):
    x = jax.random.normal(jax.random.key(1), (2, 9, 9, 3), jnp.float64)
    whole = nn.ConvPool(5, 3, pool=(3, 2), padding=1, activation=nn.tanh)
    params = whole.init((9, 9, 3), jnp.float64, key=jax.random.key(0))
    z = nn.Convolution(5, 3, padding=1, activation=nn.linear).apply(params, x)
    expected = jnp.tanh(nn.MaxPool((3, 2)).apply({}, z))
    np.testing.assert_allclose(whole.apply(params, x), expected, rtol=1e-12)


def test_pooling_by_hand():
    x = jnp.arange(16.0).reshape(1, 4, 4, 1)
    assert nn.MaxPool(2).apply({}, x).ravel().tolist() == [5, 7, 13, 15]
    assert nn.MaxPool(2, stride=1).apply({}, x).shape == (1, 3, 3, 1)
    assert nn.AveragePool(2).apply({}, x).ravel().tolist() == [2.5, 4.5, 10.5, 12.5]
    assert nn.L2Pool(4).apply({}, x).item() == pytest.approx(math.sqrt(sum(v * v for v in range(16))))
    assert jnp.all(jax.grad(lambda v: jnp.sum(nn.L2Pool(2).apply({}, v)))(jnp.zeros((1, 4, 4, 1))) == 0)


def test_padding_is_never_the_largest_and_does_not_count():
    x = -1 - jnp.arange(9.0).reshape(1, 3, 3, 1)
    assert nn.MaxPool(3, stride=1, padding=1).apply({}, x)[0, :, :, 0].tolist() == [
        [-1, -1, -2],
        [-1, -1, -2],
        [-4, -4, -5],
    ]
    assert nn.AveragePool(2, padding=1).apply({}, x)[0, :, :, 0].tolist() == [[-1, -2.5], [-5.5, -7]]
    one_row = nn.AveragePool(2, stride=2, padding=(0, 1)).apply({}, x)[0, :, :, 0]
    assert one_row.tolist() == [[-2.5, -4]]  # columns 0, and 1 and 2; the third row fills no window
    assert nn.L2Pool(2, padding=1).apply({}, x)[0, 0, :, 0].tolist() == [1, pytest.approx(math.sqrt(13))]


def test_dropout_keeps_the_mean_and_needs_a_key():
    x = jnp.ones((100, 100))
    y = nn.Dropout(0.25).apply({}, x, key=jax.random.key(0), train=True)
    assert set(np.unique(y).tolist()) == {0.0, np.float32(1 / 0.75).item()}
    assert float(jnp.mean(y)) == pytest.approx(1, abs=0.02)  # 10,000 draws: standard deviation 0.006
    assert nn.Dropout(0.25).apply({}, x) is x
    with pytest.raises(ValueError, match="Dropout: training needs a key"):
        nn.Dropout(0.25).apply({}, x, train=True)


def test_costs_neither_overflow_nor_saturate():
    z = jnp.array([[1e4, -1e4, 0.0], [-1e4, 1e4, 0.0]])
    labels = jnp.array([1, 1])  # the first as wrong as can be, the second right
    for cost, activation in ((nn.cross_entropy, nn.sigmoid), (nn.log_likelihood, nn.softmax)):
        values = cost(z, labels, activation)
        slope = jax.grad(lambda z, cost=cost, a=activation: jnp.sum(cost(z, labels, a)))(z)
        assert bool(jnp.all(jnp.isfinite(values)))
        assert bool(jnp.all(jnp.isfinite(slope)))
        assert float(values[0]) >= 1e4
        assert float(jnp.max(jnp.abs(slope[0]))) == pytest.approx(1)
    assert float(jnp.max(nn.softmax(jnp.array([1e4, 0.0])))) == 1.0


def test_output_errors_of_the_three_costs(float64):
    """delta = dC/dz is (a - y) sigma'(z) for the quadratic cost, and a - y for the other two: (30), (68), (84)."""
    z = jax.random.normal(jax.random.key(0), (4, 3), jnp.float64)
    labels = jnp.array([0, 1, 2, 1])
    y = jax.nn.one_hot(labels, 3, dtype=jnp.float64)
    for cost, activation, delta in (
        (nn.quadratic, nn.sigmoid, lambda a: (a - y) * a * (1 - a)),
        (nn.cross_entropy, nn.sigmoid, lambda a: a - y),
        (nn.log_likelihood, nn.softmax, lambda a: a - y),
    ):
        slope = jax.grad(lambda z, cost=cost, a=activation: jnp.sum(cost(z, labels, a)))(z)
        np.testing.assert_allclose(slope, delta(activation(z)), atol=1e-14)


@pytest.mark.parametrize(
    ("z4", "printed"),
    [
        (0.5, (0.315, 0.009, 0.633, 0.043)),
        (1.6, (0.290, 0.009, 0.584, 0.118)),
        (3.5, (0.174, 0.005, 0.349, 0.472)),
    ],
)
def test_softmax_values_printed_in_chapter_3(z4, printed):
    np.testing.assert_allclose(nn.softmax(jnp.array([2.5, -1, 3.2, z4])), printed, atol=5e-4)


@pytest.mark.parametrize(
    ("initializer", "variance"),
    [
        (nn.large, 1.0),
        (nn.scaled, 1 / 50),
        (nn.network3, 1 / 80),
        (nn.he, 2 / 50),
        (nn.glorot, 2 / 130),
        (nn.zeros, 0.0),
    ],
    ids=lambda v: getattr(v, "__name__", str(v)),
)
def test_initializers_have_their_variance(initializer, variance):
    w = initializer((200, 200), 50, 80, jnp.float32, key=jax.random.key(0))
    assert w.dtype == jnp.float32
    # the variance of 40,000 normal draws has a relative standard deviation of 0.7 %
    assert float(jnp.var(w)) == pytest.approx(variance, rel=0.04)


def test_conv_pool_counts_its_fan_out_as_network3_does():
    assert "weights" in nn.ConvPool(20).init((28, 28, 1), key=jax.random.key(0))
    w = nn.ConvPool(200, 5, weights_init=nn.network3).init((28, 28, 4), key=jax.random.key(0))["weights"]
    assert float(jnp.var(w)) == pytest.approx(4 / (200 * 25), rel=0.05)


@pytest.mark.tiny
def test_parameter_counts_of_the_texts():
    fully = nn.Network((nn.FullyConnected(30), nn.FullyConnected(10)), (784,))
    assert fully.parameter_count == 23_860
    assert fully.parameter_counts[0] == 23_550
    conv = nn.Network((nn.ConvPool(20), nn.ConvPool(40), nn.FullyConnected(100, nn.relu), nn.Softmax(10)), (28, 28, 1))
    assert conv.parameter_counts == (520, 40 * (20 * 25 + 1), 640 * 100 + 100, 1010)
    assert conv.shapes == ((28, 28, 1), (12, 12, 20), (4, 4, 40), (100,), (10,))
    # 24 * 24 positions x 20 filters x 25 weights, 8 * 8 x 40 x 500, and the two matrices
    multiply_adds = 24 * 24 * 20 * 25 + 8 * 8 * 40 * 500 + 640 * 100 + 1000
    assert f"{multiply_adds:,}" in conv.summary()


@pytest.mark.tiny
@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: nn.Network((nn.ConvPool(5, 30), nn.Softmax(10))),
            r"layer 1 of 2, ConvPool.*\(28, 28, 1\).*31x31",
        ),
        (
            lambda: nn.Network((nn.FullyConnected(5), nn.ConvPool(5), nn.Softmax(10))),
            r"layer 2 of 3.*\(5,\).*image",
        ),
        (lambda: nn.Network((nn.Convolution(4, groups=2), nn.Softmax(10))), "divisible into 2 groups"),
        (lambda: nn.Network((nn.MaxPool(29), nn.Softmax(10))), "at least 29x29"),
        (lambda: nn.Network(()), "no layers"),
        (lambda: nn.Network((nn.Dropout(),)), "the last layer is Dropout"),
        (lambda: nn.Network((nn.Softmax(10),), (0,)), "input_shape"),
        (lambda: nn.FullyConnected(0), "units is 0, expected 1 or more"),
        (lambda: nn.Convolution(3, groups=2), "3 filters do not fall into 2 groups"),
        (lambda: nn.Convolution(3, padding=-1), "padding is -1"),
        (lambda: nn.Convolution(3, padding=(0, -1)), r"padding is \(0, -1\)"),
        (lambda: nn.Convolution(3, stride=(1, 0)), "stride is 0, expected 1 or more"),
        (lambda: nn.MaxPool(2, padding=2), "padding is 2, expected 0 or more and less than the size 2"),
        (lambda: nn.FullyConnected(3, "rellu"), "FullyConnected: activation: found 'rellu'.*did you mean 'relu'"),
        (lambda: nn.Convolution(3, weights_init="hee"), "Convolution: weights_init: found 'hee'.*did you mean 'he'"),
        (lambda: nn.Activation(3), "Activation: function: found 3, expected a function or one of gelu"),  # type: ignore
        (lambda: nn.cost_named("crossentropy"), "cost: found 'crossentropy'.*did you mean 'cross_entropy'"),
        (
            lambda: nn.Network((nn.FullyConnected(4), nn.ConvPool(5), nn.Softmax(3)), (7, 6)),
            r"layer 2 of 3, ConvPool\(5.*shape \(7, 4\), expected an image .*; layer 1 is FullyConnected\(4,",
        ),
        (lambda: nn.ConvPool(3, activation=nn.softmax), "activation is softmax, expected one of"),
        (lambda: nn.Dropout(1.0), "rate is 1.0"),
        (lambda: nn.cross_entropy(jnp.zeros((1, 2)), jnp.zeros(1, int), nn.softmax), "needs sigmoid outputs"),
        (
            lambda: nn.log_likelihood(jnp.zeros((1, 2)), jnp.zeros(1, int), nn.sigmoid),
            "needs softmax outputs",
        ),
    ],
)
def test_what_does_not_fit_says_so(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize("layer", [*HIDDEN, nn.Softmax(3, weights_init=nn.zeros)], ids=str)
def test_networks_survive_json(layer):
    import json

    network = nn.Network((layer, nn.Softmax(10)), IMAGE)
    assert nn.from_json(json.loads(json.dumps(nn.to_json(network)))) == network


@pytest.mark.parametrize(
    "value",
    [
        {"layer": "os.system"},
        {"function": "Layer"},
        {"function": "__import__"},
        {"layer": "Dropout", "speed": 3},
        {"layer": "relu"},
    ],
    ids=str,
)
def test_json_can_name_nothing_but_layers(value):
    with pytest.raises(ValueError, match=r"unknown|Dropout"):
        nn.from_json(value)


def test_json_refuses_what_could_not_be_read_back():
    def mine(z):
        return z

    with pytest.raises(ValueError, match="mine is not one of firsthand's own"):
        nn.to_json(nn.Network((nn.FullyConnected(3, mine),)))


def test_integers_are_pixels_and_floats_are_values():
    network = nn.Network((nn.Softmax(3),), (2, 2, 1))
    params = network.init(key=jax.random.key(0))
    pixels = np.array([[[[0], [51]], [[102], [255]]]], np.uint8)
    np.testing.assert_allclose(
        network.apply(params, pixels), network.apply(params, (pixels / 255).astype(np.float32)), rtol=1e-6
    )


def test_batch_norm_normalizes_the_batch_and_remembers_its_statistics():
    layer = nn.BatchNorm(momentum=0.75)
    params = layer.init(IMAGE, key=jax.random.key(0))
    x = 3 + 2 * jax.random.normal(jax.random.key(1), (500, *IMAGE))
    y, updated = layer.forward(params, x)
    np.testing.assert_allclose(jnp.mean(y, (0, 1, 2)), 0, atol=1e-5)
    np.testing.assert_allclose(jnp.var(y, (0, 1, 2)), 1, rtol=1e-4)
    np.testing.assert_allclose(updated["mean"], 0.25 * jnp.mean(x, (0, 1, 2)), rtol=1e-5)
    np.testing.assert_allclose(updated["variance"], 0.75 + 0.25 * jnp.var(x, (0, 1, 2)), rtol=1e-5)
    # in use, one image has the result that it has among others
    alone, among = layer.apply(updated, x[:1]), layer.apply(updated, x)
    np.testing.assert_allclose(alone, among[:1], rtol=1e-6)
    settled = updated | {"mean": jnp.mean(x, (0, 1, 2)), "variance": jnp.var(x, (0, 1, 2))}
    np.testing.assert_allclose(layer.apply(settled, x), y, atol=1e-4)


@pytest.mark.tiny
def test_statistics_are_no_learned_parameters():
    network = nn.Network((nn.BatchNorm(), nn.Residual((nn.BatchNorm(),)), nn.Softmax(10)), IMAGE)
    assert network.parameter_counts == (4, 4, 128 * 10 + 10)


def test_layer_norm_makes_every_example_alike():
    layer = nn.LayerNorm()
    x = jax.random.normal(jax.random.key(0), (5, 40)) * jnp.arange(1.0, 6)[:, None]
    y = layer.apply(layer.init((40,), key=jax.random.key(1)), x)
    np.testing.assert_allclose(jnp.mean(y, -1), 0, atol=1e-6)
    np.testing.assert_allclose(jnp.var(y, -1), 1, rtol=1e-3)


def test_layers_with_layers_inside():
    inside = nn.Convolution(2, 3, padding=1)
    x = jax.random.normal(jax.random.key(0), (4, *IMAGE))
    residual = nn.Residual((inside,))
    params = residual.init(IMAGE, key=jax.random.key(1))
    np.testing.assert_array_equal(residual.apply(params, x), x + inside.apply(params["0"], x))
    both = nn.Concatenate(((inside,), ()))
    params = both.init(IMAGE, key=jax.random.key(1))
    expected = jnp.concatenate([inside.apply(params["0"]["0"], x), x], -1)
    np.testing.assert_array_equal(both.apply(params, x), expected)
    assert both.output_shape(IMAGE) == (8, 8, 4)
    with pytest.raises(nn.ShapeError, match=r"Residual: .*\(8, 8, 3\) of \(8, 8, 2\)"):
        nn.Network((nn.Residual((nn.Convolution(3, 3, padding=1),)), nn.Softmax(10)), IMAGE)
    with pytest.raises(nn.ShapeError, match="one height and width"):
        nn.Network((nn.Concatenate(((), (nn.MaxPool(2),))), nn.Softmax(10)), IMAGE)


def test_a_crop_is_the_middle_in_use_and_anywhere_in_training():
    x = jnp.arange(6.0 * 5).reshape(1, 6, 5, 1)
    layer = nn.Crop((4, 3))
    np.testing.assert_array_equal(layer.apply({}, x), x[:, 1:5, 1:4])
    many = layer.apply({}, jnp.tile(x, (200, 1, 1, 1)), key=jax.random.key(0), train=True)
    corners = many[:, 0, 0, 0].astype(int)
    assert {(int(c) // 5, int(c) % 5) for c in corners} == {(i, j) for i in range(3) for j in range(3)}
    for window, corner in zip(many[:20], corners, strict=False):
        top, left = divmod(int(corner), 5)
        np.testing.assert_array_equal(window, x[0, top : top + 4, left : left + 3])
    assert layer.seen(nn.Field(0, 1, 2, 3), (6, 5, 1)) == nn.Field(1, 2, 3, 4)
    with pytest.raises(
        nn.ShapeError, match=r"Crop\(\(4, 3\)\): the input has shape \(3, 5, 1\), expected at least 4x3"
    ):
        layer.output_shape((3, 5, 1))


def test_auxiliary_answers_are_added_to_the_cost_and_absent_in_use(float64):
    inside = (nn.Flatten(), nn.Softmax(5))
    network = nn.Network((nn.Convolution(2, 3), nn.Auxiliary(inside), nn.Softmax(5)), IMAGE)
    params = network.init(jnp.float64, key=jax.random.key(1))
    x, labels = jax.random.normal(jax.random.key(2), (3, *IMAGE), jnp.float64), jnp.array([0, 4, 2])
    plain = nn.Network((network.layers[0], network.layers[2]), IMAGE)
    np.testing.assert_array_equal(network.apply(params, x), plain.apply((params[0], params[2]), x))
    beside = nn.Network((network.layers[0], *inside), IMAGE)
    own = (params[0], params[1]["0"], params[1]["1"])
    for weight in (0.0, 0.3):
        objective = Classification(auxiliary=weight)
        costs, _ = objective.costs(network, params, (x, labels))
        main, side = (
            Classification().costs(net, p, (x, labels))[0]
            for net, p in ((plain, (params[0], params[2])), (beside, own))
        )
        np.testing.assert_allclose(costs, main + weight * side, rtol=1e-12)
    total = jax.jit(lambda params: jnp.sum(Classification().costs(network, params, (x, labels))[0]))
    check_grads(total, (params,), order=1, modes=("rev",), eps=1e-6, rtol=1e-6)
    with pytest.raises(ValueError, match="Auxiliary: the last layer inside is Flatten"):
        nn.Auxiliary((nn.Flatten(),))


def test_squeeze_excite_scales_whole_channels():
    layer = nn.SqueezeExcite(3)
    x = jax.random.uniform(jax.random.key(0), (4, *IMAGE))
    share = layer.apply(layer.init(IMAGE, key=jax.random.key(1)), x) / x
    np.testing.assert_allclose(share, jnp.broadcast_to(share[:, :1, :1], share.shape), rtol=1e-5)
    assert 0 < float(jnp.min(share)) < float(jnp.max(share)) < 1


@pytest.mark.parametrize(("cost", "activation"), [(nn.cross_entropy, nn.sigmoid), (nn.log_likelihood, nn.softmax)])
def test_smoothed_labels_are_those_of_the_formula(cost, activation, float64):
    z = jax.random.normal(jax.random.key(0), (3, 4), jnp.float64)
    labels = jnp.array([0, 3, 1])
    y = 0.9 * jax.nn.one_hot(labels, 4) + 0.1 / 4
    a = activation(z)
    terms = y * jnp.log(a) + ((1 - y) * jnp.log(1 - a) if cost is nn.cross_entropy else 0)
    np.testing.assert_allclose(nn.Smoothed(cost, 0.1)(z, labels, activation), -jnp.sum(terms, -1), rtol=1e-10)
    assert nn.Smoothed(cost, 0.0)(z, labels, activation).tolist() == cost(z, labels, activation).tolist()


def test_smoothed_labels_move_the_quadratic_cost_the_right_way(float64):
    z = jax.random.normal(jax.random.key(0), (3, 4), jnp.float64)
    labels = jnp.array([0, 3, 1])
    y = 0.9 * jax.nn.one_hot(labels, 4) + 0.1 / 4
    smoothed = jax.grad(lambda z: jnp.sum(nn.Smoothed(nn.quadratic, 0.1)(z, labels, nn.sigmoid)))(z)
    formula = jax.grad(lambda z: jnp.sum(0.5 * (y - nn.sigmoid(z)) ** 2))(z)
    np.testing.assert_allclose(smoothed, formula, rtol=1e-10)


SEQUENCE = (5, 6)  # steps, features


def test_every_step_of_a_sequence_is_an_input_by_itself():
    layer = nn.FullyConnected(4, nn.tanh, bias_init=nn.large)
    params = layer.init(SEQUENCE, key=jax.random.key(0))
    x = jax.random.normal(jax.random.key(1), (3, *SEQUENCE))
    y = layer.apply(params, x)
    assert y.shape == (3, *layer.output_shape(SEQUENCE)) == (3, 5, 4)
    for step in range(5):
        np.testing.assert_allclose(y[:, step], layer.apply(params, x[:, step]), rtol=1e-5, atol=1e-6)
    assert layer.multiply_adds(SEQUENCE) == 5 * 6 * 4
    flat = nn.Network((nn.Flatten(), nn.Softmax(3)), SEQUENCE)
    assert flat.shapes == (SEQUENCE, (30,), (3,))
    per_step = nn.Network((nn.LayerNorm(), nn.FullyConnected(4), nn.Dropout(), nn.Softmax(3)), SEQUENCE)
    assert per_step.shapes[-1] == (5, 3)
    assert per_step.num_classes == 3
    probabilities = per_step.apply(per_step.init(key=jax.random.key(2)), x)
    np.testing.assert_allclose(jnp.sum(probabilities, -1), jnp.ones((3, 5)), rtol=1e-5)


def test_gradients_of_sequences_agree_with_finite_differences(float64):
    network = nn.Network((nn.FullyConnected(4, nn.tanh), nn.LayerNorm(), nn.FullyConnected(3, nn.sigmoid)), SEQUENCE)
    params = network.init(jnp.float64, key=jax.random.key(0))
    x = jax.random.normal(jax.random.key(1), (2, *SEQUENCE), jnp.float64)
    total = jax.jit(lambda params, x: jnp.sum(network.apply(params, x) ** 2))
    check_grads(total, (params, x), order=1, modes=("rev",), eps=1e-6, rtol=1e-6)


TEXT = nn.Network((nn.Embedding(7, 4), nn.FullyConnected(5, nn.tanh), nn.Softmax(7)), (6,))


def test_gradients_of_embeddings_agree_with_finite_differences(float64):
    params = TEXT.init(jnp.float64, key=jax.random.key(0))
    symbols = jnp.array([[0, 6, 6, 1, 2, 3], [5, 4, 3, 2, 1, 0]])
    total = jax.jit(lambda params: jnp.sum(TEXT.apply(params, symbols) ** 2))
    check_grads(total, (params,), order=1, modes=("rev",), eps=1e-6, rtol=1e-6)


def test_an_embedding_is_a_fully_connected_layer_of_one_hot_vectors():
    params, symbols = TEXT.init(key=jax.random.key(0)), jnp.array([[0, 6, 6, 1, 2, 3]], jnp.uint8)
    assert TEXT.shapes == ((6,), (6, 4), (6, 5), (6, 7))
    vectors = TEXT.layers[0].apply(params[0], symbols)
    np.testing.assert_allclose(vectors, jax.nn.one_hot(symbols, 7) @ params[0]["weights"], rtol=1e-6)
    # the numbers are no pixels: they come in as they are
    np.testing.assert_array_equal(TEXT.trace(params, symbols)[0,].left, vectors)
    np.testing.assert_array_equal(TEXT.apply(params, symbols), TEXT.trace(params, symbols)[2,].left)
    odd = TEXT.layers[0].apply(params[0], jnp.array([[0, 7, -1]]))
    assert jnp.isnan(odd).all(-1).tolist() == [[False, True, True]]
    with pytest.raises(
        FirsthandError, match=r"float32 of shape \(1, 6\) found.*Embedding\(7, features=4\), takes integers"
    ):
        TEXT.apply(params, jnp.zeros((1, 6)))
    with pytest.raises(
        nn.ShapeError, match=r"layer 2 of 3, Embedding.*\(6, 4\), expected symbols.*layer 1 is Embedding"
    ):
        nn.Network((nn.Embedding(7, 4), nn.Embedding(7, 4), nn.Softmax(3)), (6,))


def test_local_response_normalization_is_the_formula_of_its_source():
    x = np.random.default_rng(0).normal(size=(2, 3, 2, 7)).astype(np.float32)
    y = nn.LocalResponseNormalization(5, alpha=0.3, beta=0.6, k=1.5).apply({}, jnp.asarray(x))
    for i in range(7):
        total = np.sum(x[..., max(0, i - 2) : min(6, i + 2) + 1] ** 2, -1)
        np.testing.assert_allclose(y[..., i], x[..., i] / (1.5 + 0.3 * total) ** 0.6, rtol=1e-5)


def test_local_contrast_normalization_is_the_formula_of_its_source(float64):
    x = np.random.default_rng(0).normal(size=(2, 7, 6, 3))
    layer = nn.LocalContrastNormalization(5, spread=1.3)

    def around(values):
        found = np.zeros((2, 7, 6))
        for j, k in np.ndindex(7, 6):
            weights = {
                (p, q): math.exp(-((p - j) ** 2 + (q - k) ** 2) / (2 * 1.3**2))
                for p in range(max(0, j - 2), min(7, j + 3))
                for q in range(max(0, k - 2), min(6, k + 3))
            }
            total = sum(w * values[:, p, q].sum(-1) for (p, q), w in weights.items())
            found[:, j, k] = total / (3 * sum(weights.values()))
        return found[..., None]

    v = x - around(x)
    s = np.sqrt(around(v**2))
    expected = v / np.maximum(s.mean((1, 2, 3), keepdims=True), s)
    np.testing.assert_allclose(layer.apply({}, jnp.asarray(x)), expected, rtol=1e-9)
    # what does not matter: brightness, and contrast
    np.testing.assert_allclose(layer.apply({}, jnp.asarray(3 * x + 5)), expected, rtol=1e-7)
    for grey in (0.0, 0.7):
        flat = jnp.full((1, 4, 4, 2), grey, jnp.float32)
        assert float(jnp.max(jnp.abs(layer.apply({}, flat)))) < 0.01
        assert jnp.all(jnp.isfinite(jax.grad(lambda x: jnp.sum(layer.apply({}, x) ** 2))(flat)))


def test_local_connections_are_a_convolution_whose_weights_differ_by_place(float64):
    shared = nn.Convolution(3, (3, 2), stride=(2, 1), padding=(1, 0), activation=nn.tanh, bias_init=nn.large)
    layer = nn.LocallyConnected(3, (3, 2), stride=(2, 1), padding=(1, 0), activation=nn.tanh)
    x = jax.random.normal(jax.random.key(0), (2, *IMAGE), jnp.float64)
    params = shared.init(IMAGE, jnp.float64, key=jax.random.key(1))
    rows, columns, _ = layer.output_shape(IMAGE)
    same = {
        "weights": jnp.broadcast_to(params["weights"].reshape(12, 3), (rows, columns, 12, 3)),
        "bias": jnp.broadcast_to(params["bias"], (rows, columns, 3)),
    }
    np.testing.assert_allclose(layer.apply(same, x), shared.apply(params, x), rtol=1e-9)
    own = same | {"weights": same["weights"].at[1, 2].multiply(2)}
    changed = np.any(np.asarray(layer.apply(own, x) != layer.apply(same, x)), axis=(0, 3))
    assert np.argwhere(changed).tolist() == [[1, 2]]
    assert layer.multiply_adds(IMAGE) == shared.multiply_adds(IMAGE)
    assert nn.Network((layer, nn.Softmax(2)), IMAGE).parameter_counts[0] == rows * columns * 3 * (12 + 1)


@pytest.mark.tiny
def test_names_stand_for_functions():
    assert nn.FullyConnected(30, "relu") == nn.FullyConnected(30, nn.relu)
    assert nn.Convolution(3, activation="gelu", weights_init="he").weights_init is nn.he
    assert nn.cost_named("quadratic") is nn.quadratic
    assert Classification("cross_entropy").cost is nn.cross_entropy
    with pytest.raises(FirsthandError, match=r"Classification: cost: found 'quadratik'.*did you mean 'quadratic'"):
        Classification("quadratik")
    own = jnp.sin
    assert nn.Activation(own).function is own


@pytest.mark.parametrize("layer", HIDDEN, ids=str)
def test_what_passes_the_layers_is_what_they_compute(layer):
    network = nn.Network((layer, nn.Softmax(3)), IMAGE)
    params, x = network.init(key=jax.random.key(0)), jax.random.normal(jax.random.key(1), (2, *IMAGE))
    passed = network.trace(params, x)
    assert list(passed)[-1] == (1,)
    np.testing.assert_array_equal(passed[0,].entered, x)
    np.testing.assert_array_equal(passed[0,].left, passed[1,].entered)
    np.testing.assert_array_equal(passed[1,].left, network.apply(params, x))


@pytest.mark.parametrize("layer", [layer for layer in HIDDEN if layer.zeros_end_gradient(True)], ids=str)
def test_where_zeros_end_the_gradient_it_is_zero(layer):
    """A layer that says so itself, whatever is told about its input."""
    x = jax.nn.relu(jax.random.normal(jax.random.key(1), (2, *IMAGE))).at[0].set(0)
    params = layer.init(IMAGE, key=jax.random.key(0))

    def through_relu(z):
        return layer.apply(params, jax.nn.relu(z), key=jax.random.key(2), train=True)

    y, back = jax.vjp(through_relu, jnp.where(x > 0, x, -1.0))
    (slope,) = back((y == 0).astype(y.dtype))
    assert bool(jnp.any(y == 0))
    assert not jnp.any(slope)


@pytest.mark.parametrize("shape", [(20, 1, 5, 5), (640, 100), (10,), (1023,), (1024,), (1025,), (1200, 900), (0, 3)])
def test_initial_weights_are_the_plain_normal_numbers_to_the_last_bit(shape):
    """They are drawn with fewer programs than there are shapes; inside another program, by the plain formula."""
    key = jax.random.key(8)
    plain = jax.random.normal(key, shape, jnp.float32) * jnp.asarray(0.02**0.5, jnp.float32)
    drawn = nn.he(shape, 100, 1.0, jnp.float32, key=key)
    assert (drawn.shape, drawn.dtype) == (plain.shape, plain.dtype)
    np.testing.assert_array_equal(drawn, plain)
    traced = jax.jit(lambda key: nn.he(shape, 100, 1.0, jnp.float32, key=key))(key)
    np.testing.assert_allclose(traced, plain, rtol=1e-6, atol=0)
