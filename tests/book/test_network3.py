"""The book's `network3`: against the reference, what it prints, its options, and what a reader may do to it."""

import copy
import json
import pickle
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from firsthand.book import network3
from firsthand.book.network3 import (
    ConvPoolLayer,
    Distortions,
    FullyConnectedLayer,
    Network,
    ReLU,
    SoftmaxLayer,
    linear,
    sigmoid,
    tanh,
)
from firsthand.errors import FirsthandError
from firsthand.reference import conv_pool, functions


@pytest.fixture(autouse=True)
def seeded():
    np.random.seed(0)  # noqa: NPY002, a reader of the book does this


def data(n, n_in=36, classes=4, seed=0):
    rng = np.random.default_rng(seed)
    return rng.random((n, n_in), dtype=np.float32), rng.integers(classes, size=n)


def small(activation_fn=sigmoid, p_dropout=0.0, mini_batch_size=5, ties="all"):
    """6x6 images -> 3 maps of 2x2 -> 6 neurons -> 4 digits."""
    return Network(
        [
            ConvPoolLayer((3, 1, 3, 3), (mini_batch_size, 1, 6, 6), (2, 2), activation_fn, ties=ties),
            FullyConnectedLayer(12, 6, activation_fn, p_dropout),
            SoftmaxLayer(6, 4, p_dropout),
        ],
        mini_batch_size,
    )


# ---- the mathematics ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("activation_fn", "in_reference", "penalty_over", "ties"),
    [
        (sigmoid, functions.SIGMOID, "batches", None),
        (sigmoid, functions.SIGMOID, "examples", None),
        (tanh, functions.TANH, "batches", None),
        (ReLU, functions.RELU, "batches", None),
        (linear, functions.LINEAR, "batches", None),
        (sigmoid, functions.SIGMOID, "batches", "all"),
        (ReLU, functions.RELU, "batches", "all"),
        (ReLU, functions.RELU, "batches", "first"),
    ],
    ids=lambda value: getattr(value, "__name__", None) or (value if isinstance(value, str) else ""),
)
def test_a_mini_batch_moves_the_weights_as_the_originals_formulas_do(
    activation_fn, in_reference, penalty_over, ties, capsys
):
    """The original: w - eta (dC/dw + lmbda w / (number of mini-batches)), Theano's convolution turning its kernels.

    With ties, in images of one grey: all of the maxima learn unless the layer says "first".
    """
    net = small(activation_fn, ties=ties or "all")
    conv, hidden, output = net.layers
    output.w[...] = np.random.default_rng(1).standard_normal(output.w.shape)
    before = [np.array(p, float) for p in net.params]
    x, y = data(10)
    if ties:
        x[...] = x[:, :1]
        conv.b[...] = before[1] = np.abs(before[1])  # ReLU is on for some
    net.SGD((x, y), 1, 5, 0.5, (x, y), None, lmbda=0.3, penalty_over=penalty_over)

    w, b, w1, b1, w2, b2 = before
    penalty = 0.3 / (2 if penalty_over == "batches" else 10)
    # rows of w1 are in the order maps, rows, columns; the reference wants the maps last
    order = np.arange(12).reshape(3, 2, 2).transpose(1, 2, 0).ravel()
    kernels, w1 = w[:, :, ::-1, ::-1].transpose(2, 3, 1, 0), w1[order]
    for part in (slice(0, 5), slice(5, 10)):
        layer = conv_pool.ConvPool(kernels, b, activation=in_reference, ties=ties or "all")
        gradient = conv_pool.backprop(
            [layer],
            [w1.T, w2.T],
            [b1[:, None], b2[:, None]],
            [in_reference, functions.SOFTMAX],
            x[part].reshape(5, 6, 6, 1).astype(float),
            np.eye(4)[:, y[part]],
        )
        ((nabla_w, nabla_b),), above = gradient.convolutional, gradient.fully_connected
        kernels = kernels - 0.5 * (nabla_w / 5 + penalty * kernels)
        b = b - 0.1 * nabla_b
        w1, w2 = (p - 0.5 * (g.T / 5 + penalty * p) for p, g in zip((w1, w2), above.nabla_w, strict=True))
        b1, b2 = (p - 0.1 * g.ravel() for p, g in zip((b1, b2), above.nabla_b, strict=True))

    np.testing.assert_allclose(conv.w, kernels.transpose(3, 2, 0, 1)[:, :, ::-1, ::-1], atol=2e-6)
    np.testing.assert_allclose(conv.b, b, atol=2e-6)
    np.testing.assert_allclose(np.asarray(hidden.w)[order], w1, atol=2e-6)
    np.testing.assert_allclose(hidden.b, b1, atol=2e-6)
    np.testing.assert_allclose(output.w, w2, atol=2e-6)
    np.testing.assert_allclose(output.b, b2, atol=2e-6)


def test_dropout_scales_the_weights_when_it_does_not_drop():
    with_dropout, without = small(p_dropout=0.25), small()
    for a, b in zip(with_dropout.layers, without.layers, strict=True):
        scale = 0.75 if hasattr(a, "p_dropout") else 1.0
        b.w[...], b.b[...] = np.asarray(a.w) * scale, a.b
    x = jnp.asarray(data(20)[0].reshape(20, 6, 6, 1))
    outputs = [net.engine.network.apply(net.engine.params(), x) for net in (with_dropout, without)]
    np.testing.assert_allclose(*outputs, rtol=1e-5)


def test_dropout_repeats_itself_unless_told_otherwise(capsys):
    def trained(**options):
        np.random.seed(1)  # noqa: NPY002
        net = small(p_dropout=0.5)
        net.SGD(data(50), 1, 5, 0.1, data(5), None, **options)
        return np.array(net.layers[1].w)

    assert np.array_equal(trained(), trained())
    assert not np.array_equal(trained(), trained(same_dropout=False))


@pytest.mark.tiny
def test_initial_weights_are_those_of_the_original():
    np.random.seed(7)  # noqa: NPY002
    conv = ConvPoolLayer((20, 1, 5, 5), (10, 1, 28, 28))
    full = FullyConnectedLayer(100, 50)
    np.random.seed(7)  # noqa: NPY002
    draw = np.random.normal
    expected = [
        draw(0, np.sqrt(1 / 125), (20, 1, 5, 5)),
        draw(0, 1, 20),
        draw(0, np.sqrt(1 / 50), (100, 50)),
        draw(0, 1, 50),
    ]
    for found, a in zip([*conv.params, *full.params], expected, strict=True):
        np.testing.assert_array_equal(found, a.astype(np.float32))
    assert not np.any(SoftmaxLayer(3, 2).w)
    assert np.std(FullyConnectedLayer(400, 100, initial_scale="n_in").w) == pytest.approx(0.05, rel=0.03)


def test_layers_may_stand_in_any_order_and_have_functions_of_their_own(capsys):
    x, y = data(10)
    net = Network(
        [
            FullyConnectedLayer(36, 18, activation_fn=tanh),
            ConvPoolLayer((3, 2, 2, 2), (5, 2, 3, 3), (2, 2), activation_fn=jax.nn.softplus),
            ConvPoolLayer((2, 3, 1, 1), (5, 3, 1, 1), (1, 1)),
            SoftmaxLayer(2, 4),
        ],
        5,
    )
    net.SGD((x, y), 20, 5, 0.5, (x, y), (x, y))
    assert net.history["training_cost"][-1] < net.history["training_cost"][0]


# ---- what it prints and offers --------------------------------------------------------------------------------------


def test_network3_prints_the_lines_of_the_original(capsys):
    net = small()
    training, validation, test = data(5005, seed=1), data(7, seed=2), data(12, seed=3)
    assert net.SGD(training, 2, 5, 0.1, validation, test) is None
    validation_accuracy, test_accuracy = net.history["validation_accuracy"], net.history["test_accuracy"]
    lines, best, last, tests = [], 0.0, 0, iter(test_accuracy)
    for epoch, accuracy in enumerate(validation_accuracy):
        # 1001 mini-batches an epoch
        lines += [f"Training mini-batch number {i}" for i in range(0, 2002, 1000) if i // 1001 == epoch]
        lines.append(f"Epoch {epoch}: validation accuracy {accuracy:.2%}")
        if accuracy >= best:
            best, last = accuracy, 1001 * (epoch + 1) - 1
            lines.append("This is the best validation accuracy to date.")
            lines.append(f"The corresponding test accuracy is {next(tests):.2%}")
    lines.append("Finished training network.")
    lines.append(f"Best validation accuracy of {best:.2%} obtained at iteration {last}")
    lines.append(f"Corresponding test accuracy of {test_accuracy[-1]:.2%}")
    assert capsys.readouterr().out.splitlines() == lines
    # 7 validation images and 12 test images: all of them count, though 5 divides neither
    assert validation_accuracy[0] * 7 == pytest.approx(round(validation_accuracy[0] * 7))
    assert net.accuracy(validation) == validation_accuracy[-1]
    assert [len(net.test_mb_predictions(i)) for i in range(3)] == [5, 5, 2]


def test_the_problems_of_the_chapter_are_options(capsys):
    x, y = data(20)
    net = small()
    rates = []

    def eta(epoch):
        rates.append(epoch)
        return 1e-30

    net.SGD((x, y), 9, 5, eta, (x, y), None, early_stopping_n=2, diagnostics=True, shuffle=True)
    assert rates == [0, 1, 2]  # nothing moves: one epoch may be the best, two more are not better
    assert net.history["training_accuracy"] == net.history["validation_accuracy"]
    assert "The training accuracy is" in capsys.readouterr().out
    before = np.array(net.layers[0].w)
    net.SGD((x, y), 1, 5, 0.1, (x, y), None, distortions=Distortions())
    assert not np.array_equal(net.layers[0].w, before)


def test_networks_are_saved_and_loaded(tmp_path):
    net = small(ReLU, p_dropout=0.5)
    net.save(tmp_path / "net")
    state = np.random.get_state()[2]  # pyright: ignore[reportArgumentType]  # noqa: NPY002
    again = network3.load(tmp_path / "net")
    assert np.random.get_state()[2] == state  # pyright: ignore[reportArgumentType]  # noqa: NPY002
    assert [type(layer) for layer in again.layers] == [type(layer) for layer in net.layers]
    assert again.layers[1].activation_fn is ReLU
    assert again.accuracy(data(50)) == net.accuracy(data(50))
    assert all(np.array_equal(a, b) for a, b in zip(net.params, again.params, strict=True))
    own = Network([FullyConnectedLayer(36, 3, activation_fn=jax.nn.softplus), SoftmaxLayer(3, 4)])
    with pytest.raises(FirsthandError, match="activation_fn is none of"):
        own.save(tmp_path / "own")
    (tmp_path / "other").write_bytes(b"no network")
    with pytest.raises(FirsthandError, match="other: not a network3 file"):
        network3.load(tmp_path / "other")


@pytest.mark.tiny
def test_weights_answer_like_theanos_shared_variables():
    w = FullyConnectedLayer(3, 2).w
    copy = w.get_value()
    assert type(copy) is np.ndarray
    copy[...] = 5
    assert not np.any(w == 5)
    w.set_value(copy)
    assert np.array_equal(w.eval(), copy)
    w.get_value(borrow=True)[0, 0] = 6
    assert w[0, 0] == 6


@pytest.mark.tiny
def test_dropout_layer_and_size():
    ones = np.ones((200, 50))
    dropped = network3.dropout_layer(ones, 0.25)
    assert set(np.unique(dropped)) == {0, 1}
    assert np.mean(dropped) == pytest.approx(0.75, abs=0.02)
    assert np.array_equal(dropped, network3.dropout_layer(ones, 0.25))
    assert network3.size((ones, np.zeros(200))) == 200


def test_mnist_is_shared_as_in_the_original():
    parts = network3.load_data_shared()
    assert [(x.shape, str(x.dtype), y.shape, str(y.dtype)) for x, y in parts] == [
        ((n, 784), "float32", (n,), "int32") for n in (50_000, 10_000, 10_000)
    ]
    assert network3.size(parts[0]) == parts[0][0].get_value(borrow=True).shape[0] == 50_000


# ---- distortions ----------------------------------------------------------------------------------------------------


def test_distortions_move_what_is_in_the_image():
    x = np.zeros((4, 9, 9, 1), np.float32)
    x[:, 4, 6] = 1.0  # right of the centre
    images, key = jnp.asarray(x), jax.random.key(0)
    np.testing.assert_allclose(Distortions(0, 0, 0)(images, key=key), x, atol=1e-6)

    def centres(distorted):
        i, j = np.indices((9, 9))
        mass = np.asarray(distorted)[..., 0]
        total = mass.sum(axis=(1, 2))
        return (mass * i).sum(axis=(1, 2)) / total, (mass * j).sum(axis=(1, 2)) / total

    for distortions in (Distortions(0, 0, 2), Distortions(45, 0, 0)):
        i, j = centres(distortions(images, key=key))
        assert len({round(float(v), 3) for v in i}) == 4  # each image on its own
    radius = np.hypot(i - 4, j - 4)
    np.testing.assert_allclose(radius, 2, atol=0.2)  # rotation keeps the distance from the centre
    i, j = centres(Distortions(0, 0.5, 0)(images, key=key))
    np.testing.assert_allclose([i, j], [[4] * 4, [6] * 4], atol=1e-5)  # the middle line stays when an image is skewed
    with pytest.raises(FirsthandError, match="skew is -1"):
        Distortions(skew=-1)


# ---- mistakes -------------------------------------------------------------------------------------------------------


CONV = ((3, 1, 3, 3), (5, 1, 6, 6))


@pytest.mark.tiny
@pytest.mark.parametrize(
    ("mistake", "message"),
    [
        (lambda: Network([]), "a SoftmaxLayer expected as the last"),
        (lambda: Network([FullyConnectedLayer(3, 2)]), "a SoftmaxLayer expected as the last"),
        (lambda: Network([FullyConnectedLayer(3, 2), SoftmaxLayer(3, 2)]), r"layer 2, SoftmaxLayer\(3, 2\): n_in 3"),
        (lambda: Network([ConvPoolLayer(*CONV), SoftmaxLayer(13, 4)]), r"layer 2, .* \(3, 2, 2\) comes in"),
        (
            lambda: Network([ConvPoolLayer(*CONV), ConvPoolLayer((1, 3, 1, 1), (5, 3, 3, 3)), SoftmaxLayer(1, 4)]),
            r"layer 2, ConvPoolLayer.*image_shape \(3, 3, 3\) found, \(3, 2, 2\) comes in",
        ),
        (
            lambda: Network([ConvPoolLayer((3, 2, 3, 3), (5, 1, 6, 6)), SoftmaxLayer(12, 4)]),
            "kernels for 2 maps found, 1 come in",
        ),
        (
            lambda: Network([ConvPoolLayer((3, 1, 7, 7), (5, 1, 6, 6)), SoftmaxLayer(12, 4)]),
            "layer 1, .*larger than",
        ),
        (lambda: FullyConnectedLayer(3, 2, initial_scale="n"), "initial_scale: 'n' found"),
        (lambda: ConvPoolLayer(*CONV, ties="last"), "ties: 'last' found, 'all' or 'first' expected"),
        (lambda: small().SGD(data(10), 1, 6, 0.1, data(5), None), "mini_batch_size: 6 found, 5 expected"),
        (lambda: small().SGD(data(3), 1, 5, 0.1, data(5), None), "1 to 3 examples expected"),
        (lambda: small().SGD(data(10), 0, 5, 0.1, data(5), None), "at least 1 epoch"),
        (lambda: small().SGD(data(10, n_in=35), 1, 5, 0.1, data(5), None), r"training_data: x \(10, 35\)"),
        (lambda: small().SGD(data(10), 1, 5, 0.1, data(0), None), "validation_data: .*at least 1"),
        (lambda: small().SGD(data(10), 1, 5, 0.1, data(5), None, penalty_over="all"), "penalty_over: 'all' found"),
    ],
)
def test_mistakes_get_one_clear_line(mistake, message):
    with pytest.raises(FirsthandError, match=message):
        mistake()


def test_a_cost_that_is_no_number_is_said(capsys):
    x, y = data(50)
    net = Network([FullyConnectedLayer(36, 6, activation_fn=linear), SoftmaxLayer(6, 4)])
    with pytest.raises(FirsthandError, match=r"the cost is .* eta \(1e\+20\) is likely too large"):
        net.SGD((x * 1e10, y), 3, 5, 1e20, (x, y), None)


# ---- what programs written for the original ask for -----------------------------------------------------------------


def test_theanos_names_say_what_is_there_instead():
    net = small()
    for ask, message in (
        (lambda: net.layers[-1].y_out, r"SoftmaxLayer.y_out: there is no Theano here; predict\(x\)"),
        (lambda: net.layers[0].output, r"predict_proba\(x\)"),
        (lambda: net.x, r"Network.x: .* predict\(x\)"),
        (lambda: net.test_mb_predictions(0), "no test data found"),
    ):
        with pytest.raises(FirsthandError, match=message):
            ask()
    assert not hasattr(net, "x")  # as Python wants it
    with pytest.raises(AttributeError, match="'Network' object has no attribute 'nothing'"):
        _ = net.nothing


def test_predictions_are_the_digits_of_the_largest_outputs(capsys):
    net = small()
    x, y = data(50)
    net.SGD((x, y), 5, 5, 0.5, (x, y), (x, y))
    outputs = net.predict_proba(x)
    assert outputs.shape == (50, 4)
    np.testing.assert_allclose(outputs.sum(axis=1), 1, rtol=1e-5)
    assert np.array_equal(net.predict(x), np.argmax(outputs, axis=1))
    assert np.mean(net.predict(x) == y) == net.accuracy((x, y))
    assert np.array_equal(net.test_mb_predictions(2), net.predict(x[10:15]))
    with pytest.raises(FirsthandError, match=r"x: shape \(36,\) found, \(n, 36\) expected"):
        net.predict(x[0])


def test_a_trained_network_can_be_pickled_and_copied(capsys):
    net = small(ReLU, p_dropout=0.5)
    x, y = data(20)
    net.SGD((x, y), 1, 5, 0.1, (x, y), (x, y))
    for again in (pickle.loads(pickle.dumps(net)), copy.deepcopy(net)):
        assert np.array_equal(again.predict_proba(x), net.predict_proba(x))
        assert again.history == net.history
        before = again.layers[0].w.get_value()
        again.SGD((x, y), 1, 5, 0.1, (x, y), None)
        assert not np.array_equal(again.layers[0].w, before)
        assert again.params[0] is again.layers[0].w


class Graph(SoftmaxLayer):
    """A layer with a cost of its own, as programs for the original have it."""

    def cost(self, net):
        raise AssertionError


@pytest.mark.tiny
def test_parts_of_theanos_graph_are_refused_and_not_passed_over():
    with pytest.raises(FirsthandError, match=r"layer 2, Graph\(3, 2\): cost of its own found"):
        Network([FullyConnectedLayer(36, 3), Graph(3, 2)])
    layer = FullyConnectedLayer(36, 3)
    layer.set_inpt = lambda *_: None  # pyright: ignore[reportAttributeAccessIssue]
    with pytest.raises(FirsthandError, match=r"layer 1, .*: set_inpt of its own found"):
        Network([layer, SoftmaxLayer(3, 2)])


# ---- the published accuracies ---------------------------------------------------------------------------------------


@pytest.mark.slow
def test_two_convolutional_layers_learn_in_three_epochs(capsys):
    """Chapter 6, 'Using rectified linear units': 99.23 % after 60 epochs; after three, see results/network3.json."""
    training_data, validation_data, test_data = network3.load_data_shared()
    np.random.seed(0)  # noqa: NPY002
    net = Network(
        [
            ConvPoolLayer((20, 1, 5, 5), (10, 1, 28, 28), (2, 2), ReLU),
            ConvPoolLayer((40, 20, 5, 5), (10, 20, 12, 12), (2, 2), ReLU),
            FullyConnectedLayer(40 * 4 * 4, 100, ReLU),
            SoftmaxLayer(100, 10),
        ],
        10,
    )
    net.SGD(training_data, 3, 10, 0.03, validation_data, test_data, lmbda=0.1)
    record = json.loads((Path(__file__).parents[2] / "results" / "network3.json").read_text())[
        "in the original's order"
    ]
    assert net.history["test_accuracy"][-1] >= record["mean"] - 4 * record["standard_deviation"]
