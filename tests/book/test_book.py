"""The book's programs `network`, `network2` and their data: what they print and return, and what a reader may do."""

import gzip
import io
import json
import pickle
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from firsthand.book import adaptor, expand_mnist, mnist_loader, network, network2
from firsthand.errors import FirsthandError


def mini_batch(m, sizes=(784, 10), seed=0):
    rng = np.random.default_rng(seed)
    labels = rng.integers(sizes[-1], size=m)
    return [(rng.random((sizes[0], 1), dtype=np.float32), np.eye(sizes[-1])[:, [j]]) for j in labels]


def digits_of(data):
    return [(x, int(np.argmax(y))) for x, y in data]


@pytest.fixture(autouse=True)
def seeded():
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002, a reader of the book does this


# ---- network --------------------------------------------------------------------------------------------------------


@pytest.mark.tiny
def test_network_prints_and_judges(capsys):
    data = mini_batch(25)
    net = network.Network([784, 5, 10])
    assert net.SGD(data, 2, 10, 3.0) is None
    assert capsys.readouterr().out == "Epoch 0 complete\nEpoch 1 complete\n"
    net.SGD(data, 1, 10, 0.0, test_data=digits_of(data))
    right = sum(np.argmax(net.feedforward(x)) == np.argmax(y) for x, y in data)
    assert capsys.readouterr().out == f"Epoch 0: {right} / 25\n"


@pytest.mark.tiny
@pytest.mark.parametrize("module", [network, network2])
def test_random_numbers_are_drawn_in_the_order_of_the_originals(module, capsys):
    net = module.Network([784, 5, 10])
    scale = 1 if module is network else np.sqrt(784)
    np.random.seed(0)  # noqa: NPY002, a reader of the book does this
    draw = np.random.randn
    expected = [draw(5, 1), draw(10, 1), draw(5, 784) / scale]
    for found, a in zip([*net.biases, net.weights[0]], expected, strict=True):
        assert np.array_equal(found, a)

    data = mini_batch(7)
    same = list(data)
    net.SGD(data, 2, 3, 0.1)
    random.seed(0)
    random.shuffle(same)
    random.shuffle(same)
    assert [id(x) for x, _ in data] == [id(x) for x, _ in same]
    assert len(capsys.readouterr().out) > 0


@pytest.mark.tiny
@pytest.mark.parametrize("module", [network, network2])
def test_a_step_leaves_old_arrays_alone_and_a_short_batch_takes_its_own_mean(module):
    extra = () if module is network else (0.0, 1)
    net = module.Network([784, 5, 10])
    weights, copies = net.weights, [w.copy() for w in net.weights]
    batch = mini_batch(3)
    nabla_w = sum(net.backprop(x, y)[1][1] for x, y in batch)
    net.update_mini_batch(batch, 0.5, *extra)
    assert all(np.array_equal(w, c) for w, c in zip(weights, copies, strict=True))
    np.testing.assert_allclose(net.weights[1], copies[1] - 0.5 / 3 * nabla_w, rtol=1e-12)


class OneByOne:
    """A reader's own methods, that know one example at a time, and nothing of matrices."""

    def backprop(self, x, y):
        assert x.shape == (784, 1)
        return super().backprop(x, y)  # pyright: ignore[reportAttributeAccessIssue]

    def feedforward(self, a):
        assert a.shape == (784, 1)
        return super().feedforward(a)  # pyright: ignore[reportAttributeAccessIssue]


@pytest.mark.parametrize("module", [network, network2])
def test_a_readers_own_methods_are_called_as_the_originals_call_them(module, capsys):
    mine: Any = type("Mine", (OneByOne, module.Network), {})
    mine = mine([784, 5, 10])
    ours = module.Network([784, 5, 10])
    ours.weights, ours.biases = list(mine.weights), list(mine.biases)
    data = mini_batch(10)
    for net in (mine, ours):
        random.seed(0)
        if module is network:
            net.SGD(list(data), 2, 4, 1.0, test_data=digits_of(data))
        else:
            net.SGD(list(data), 2, 4, 1.0, 0.1, digits_of(data), True, True, True, True)
    for a, b in zip(mine.weights + mine.biases, ours.weights + ours.biases, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-12)


# ---- network2 -------------------------------------------------------------------------------------------------------


@pytest.mark.tiny
def test_network2_prints_and_returns_what_it_monitors(capsys):
    data, evaluation = mini_batch(20), digits_of(mini_batch(8, seed=1))
    net = network2.Network([784, 5, 10])
    lists = net.SGD(
        data,
        1,
        10,
        0.5,
        lmbda=0.1,
        evaluation_data=evaluation,
        monitor_evaluation_cost=True,
        monitor_evaluation_accuracy=True,
        monitor_training_cost=True,
        monitor_training_accuracy=True,
    )
    (evaluation_cost,), (evaluation_accuracy,), (training_cost,), (training_accuracy,) = lists
    assert capsys.readouterr().out == (
        "Epoch 0 training complete\n"
        f"Cost on training data: {training_cost}\n"
        f"Accuracy on training data: {training_accuracy} / 20\n"
        f"Cost on evaluation data: {evaluation_cost}\n"
        f"Accuracy on evaluation data: {evaluation_accuracy} / 8\n"
        "\n"
    )
    penalty = 0.5 * 0.1 * sum(np.sum(w**2) for w in net.weights)
    mean = np.mean([network2.CrossEntropyCost.fn(net.feedforward(x), y) for x, y in data])
    assert training_cost == pytest.approx(mean + penalty / 20)
    assert evaluation_cost == pytest.approx(net.total_cost(evaluation, 0.0, convert=True) + penalty / 8)
    assert net.SGD(data, 1, 10, 0.5) == ([], [], [], [])


@pytest.mark.tiny
def test_costs_of_network2_by_hand():
    z, y = np.array([[0.3], [-1.0]]), np.array([[1.0], [0.0]])
    a = network2.sigmoid(z)
    assert network2.QuadraticCost.fn(a, y) == pytest.approx(0.5 * np.linalg.norm(a - y) ** 2)
    assert network2.CrossEntropyCost.fn(a, y) == pytest.approx(-np.log(a[0, 0]) - np.log(1 - a[1, 0]))
    np.testing.assert_allclose(network2.QuadraticCost.delta(z, a, y), (a - y) * network2.sigmoid_prime(z))
    np.testing.assert_allclose(network2.CrossEntropyCost.delta(z, a, y), a - y)


class LastWins:
    """A cost of a reader's own that would be wrong for several columns at once."""

    @staticmethod
    def fn(a, y):
        return -np.log(a[np.argmax(y), 0])

    @staticmethod
    def delta(z, a, y):
        e = np.zeros_like(a)
        e[np.argmax(y)] = a[np.argmax(y)] - 1
        return e


@pytest.mark.tiny
def test_a_readers_own_cost_sees_one_example_at_a_time(tmp_path, monkeypatch):
    data = mini_batch(6)
    net = network2.Network([784, 5, 10], cost=LastWins)
    expected = np.mean([LastWins.fn(net.feedforward(x), y) for x, y in data])
    assert net.total_cost(data, 0.0) == pytest.approx(expected)
    nabla_w = sum(net.backprop(x, y)[1][1] for x, y in data)
    before = net.weights[1]
    net.update_mini_batch(data, 0.5, 0.0, 6)
    np.testing.assert_allclose(net.weights[1], before - 0.5 / 6 * nabla_w, rtol=1e-12)
    # saved by name, it is found again once it is in the module, as in the original
    net.save(tmp_path / "net.json")
    with pytest.raises(FirsthandError, match=r"net.json.*'LastWins' found"):
        network2.load(tmp_path / "net.json")
    monkeypatch.setattr(network2, "LastWins", LastWins, raising=False)
    assert network2.load(tmp_path / "net.json").cost is LastWins


def test_early_stopping_stops(capsys):
    data = mini_batch(10)
    net = network2.Network([784, 5, 10])
    _, accuracy, _, _ = net.SGD(
        data, 50, 5, 0.0, evaluation_data=digits_of(data), monitor_evaluation_accuracy=True, early_stopping_n=3
    )
    # nothing moves at eta = 0: the first epoch may count as a rise, three more do not
    assert len(accuracy) == (4 if accuracy[0] else 3)
    assert capsys.readouterr().out.count("training complete") == len(accuracy)


@pytest.mark.tiny
def test_networks_are_saved_in_the_form_of_the_original(tmp_path):
    path = tmp_path / "net.json"
    net = network2.Network((4, 3, 2), cost=network2.QuadraticCost)
    net.save(str(path))
    data = json.loads(path.read_text())
    assert data["sizes"] == [4, 3, 2]
    assert data["cost"] == "QuadraticCost"
    assert np.array_equal(data["weights"][1], net.weights[1])
    # a file as the original writes it
    with open(path, "w") as file:
        json.dump({key: data[key] for key in ("sizes", "weights", "biases", "cost")}, file)
    again = network2.load(str(path))
    assert again.cost is network2.QuadraticCost
    for a, b in zip(net.weights + net.biases, again.weights + again.biases, strict=True):
        assert np.array_equal(a, b)
    for change, message in (
        ({"cost": "os"}, "cost: 'os' found"),
        ({"sizes": [4, 5, 2]}, r"layer 2: weights of shape \(3, 4\) found, \(5, 4\) expected"),
        ({"weights": [[["a"]]]}, "not a network"),
    ):
        path.write_text(json.dumps(data | change))
        with pytest.raises(FirsthandError, match=rf"net.json.*{message}"):
            network2.load(path)
    path.write_text("{}")
    with pytest.raises(FirsthandError, match=r"net.json: .*'sizes'"):
        network2.load(path)


# ---- data -----------------------------------------------------------------------------------------------------------


def test_mnist_has_the_shapes_of_the_original():
    data = mnist_loader.load_data()
    assert [(x.shape, x.dtype, y.shape, y.dtype) for x, y in data] == [
        ((n, 784), np.float32, (n,), np.int64) for n in (50_000, 10_000, 10_000)
    ]
    assert data[0][1][:5].tolist() == [5, 0, 4, 1, 9]
    assert data[0][0].max() == 255 / 256
    training_data, validation_data, test_data = mnist_loader.load_data_wrapper()
    assert all(type(part) is list for part in (training_data, validation_data, test_data))
    x, y = training_data[0]
    assert x.shape == (784, 1)
    assert np.array_equal(y, mnist_loader.vectorized_result(5))
    assert test_data[0][0].shape == (784, 1)
    assert test_data[0][1] == 7
    assert np.array_equal(network2.vectorized_result(3), np.eye(10)[:, [3]])


@pytest.fixture
def small(tmp_path, monkeypatch):
    """The folders of the originals, with a data file of 20 images in the place of MNIST."""
    rng = np.random.default_rng(0)
    parts = tuple((rng.random((n, 784), dtype=np.float32), rng.integers(10, size=n)) for n in (12, 4, 4))
    (tmp_path / "data").mkdir()
    (tmp_path / "src").mkdir()
    (tmp_path / "data" / "mnist.pkl.gz").write_bytes(gzip.compress(pickle.dumps(parts, protocol=2)))
    monkeypatch.chdir(tmp_path / "src")
    return parts


def test_the_books_own_file_is_read_where_the_original_reads_it(small):
    training_data, _, test_data = mnist_loader.load_data()
    assert np.array_equal(training_data[0], small[0][0])
    assert np.array_equal(test_data[1], small[2][1])
    assert len(mnist_loader.load_data_wrapper()[0]) == 12
    with pytest.raises(FileNotFoundError):
        mnist_loader.load_data("elsewhere.pkl.gz")


def test_nothing_in_a_data_file_is_executed(tmp_path):
    (tmp_path / "evil.pkl.gz").write_bytes(gzip.compress(pickle.dumps(io.BytesIO)))
    with pytest.raises(FirsthandError, match="BytesIO"):
        mnist_loader.load_data(tmp_path / "evil.pkl.gz")


@pytest.mark.tiny
def test_an_image_is_displaced_in_four_directions():
    image = np.zeros((28, 28))
    image[0, 0], image[27, 5], image[9, 27] = 1, 2, 3
    found = expand_mnist.displaced(image.reshape(1, 784)).reshape(5, 28, 28)
    places = [{(int(i), int(j)): int(picture[i, j]) for i, j in np.argwhere(picture)} for picture in found]
    assert places == [
        {(0, 0): 1, (27, 5): 2, (9, 27): 3},
        {(1, 0): 1, (10, 27): 3},  # down: the 2 at the bottom is gone, and does not come in at the top
        {(26, 5): 2, (8, 27): 3},  # up
        {(0, 1): 1, (27, 6): 2},  # right
        {(27, 4): 2, (9, 26): 3},  # left
    ]


def test_expanded_data_are_written_once(small, capsys):
    expand_mnist.main()
    assert capsys.readouterr().out == (
        "Expanding the MNIST training set\n"
        "Expanding image number 12\n"
        "Saving expanded data. This may take a few minutes.\n"
    )
    (images, digits), _, test_data = mnist_loader.load_data(expand_mnist.DEFAULT)
    assert images.shape == (60, 784)
    assert np.array_equal(test_data[0], small[2][0])
    # shuffled by `random`, as the original shuffles its list of pairs
    order = list(range(60))
    random.seed(0)
    random.shuffle(order)
    assert np.array_equal(images, expand_mnist.displaced(small[0][0])[order])
    assert np.array_equal(digits, np.repeat(small[0][1], 5)[order])
    expand_mnist.main()
    assert capsys.readouterr().out.endswith("The expanded training set already exists.  Exiting.\n")
    assert [path.name for path in Path("../data").iterdir() if path.name.startswith(".")] == []


# ---- mistakes -------------------------------------------------------------------------------------------------------


def wrong_weights(module):
    net = module.Network([784, 5, 10])
    net.weights[1] = np.zeros((10, 6))
    return net


DATA = mini_batch(3)


@pytest.mark.tiny
@pytest.mark.parametrize(
    ("mistake", "message"),
    [
        (lambda m: m.Network([784]), r"sizes: \[784\]"),
        (lambda m: m.Network([784, 0]), "sizes"),
        (lambda m: m.Network([784, 10]).SGD([], 1, 10, 3.0), "training_data: no examples"),
        (lambda m: m.Network([784, 10]).SGD(DATA, 1, 0, 3.0), "mini_batch_size: 0 found"),
        (lambda m: m.Network([783, 10]).SGD(DATA, 1, 2, 3.0), r"layer 1: x: .*\(784, 1\) found, \(783, 1\)"),
        (lambda m: m.Network([784, 9]).SGD(DATA, 1, 2, 3.0), r"layer 2: y: .*\(10, 1\) found, \(9, 1\)"),
        (lambda m: wrong_weights(m).SGD(DATA, 1, 2, 3.0), r"layer 3: weights of shape \(10, 6\) found, \(10, 5\)"),
        (lambda m: m.Network([784, 10]).feedforward(np.zeros(784)), r"layer 1: input of shape \(784,\) found"),
        (lambda m: m.Network([784, 10]).backprop(np.zeros((3, 1)), DATA[0][1]), r"layer 1: x"),
    ],
)
@pytest.mark.parametrize("module", [network, network2])
def test_mistakes_get_one_clear_line(module, mistake, message):
    with pytest.raises(FirsthandError, match=message):
        mistake(module)


@pytest.mark.tiny
def test_mistakes_with_data_get_one_clear_line():
    net, net2 = network.Network([784, 10]), network2.Network([784, 10])
    for mistake, message in (
        (lambda: net.evaluate(DATA), r"y are arrays of shape \(10, 1\), digits expected"),
        (lambda: net.update_mini_batch([], 1.0), "mini_batch: no examples"),
        (lambda: net2.accuracy(DATA), r"digits expected with convert=False"),
        (lambda: net2.accuracy(digits_of(DATA), convert=True), "y are digits"),
        (lambda: net2.SGD(DATA, 1, 2, 1.0, monitor_evaluation_cost=True), "evaluation_data: none found"),
        (lambda: net2.SGD(DATA, 1, 2, 1.0, early_stopping_n=2), "early_stopping_n: 2"),
        (lambda: adaptor.examples(iter([]), "data"), "data: no examples"),
        (lambda: net2.total_cost([], 0.0), "data: no examples"),
    ):
        with pytest.raises(FirsthandError, match=message):
            mistake()


# ---- the published accuracies ---------------------------------------------------------------------------------------


@pytest.mark.slow
def test_network_reaches_95_percent(capsys):
    training_data, _, test_data = mnist_loader.load_data_wrapper()
    net = network.Network([784, 30, 10])
    net.SGD(training_data, 30, 10, 3.0)
    assert net.evaluate(test_data) >= 9500


@pytest.mark.slow
def test_network2_with_cross_entropy_and_regularization_reaches_96_percent(capsys):
    training_data, _, test_data = mnist_loader.load_data_wrapper()
    net = network2.Network([784, 30, 10], cost=network2.CrossEntropyCost)
    net.large_weight_initializer()
    _, accuracy, _, _ = net.SGD(
        training_data, 30, 10, 0.5, evaluation_data=test_data, lmbda=5.0, monitor_evaluation_accuracy=True
    )
    # the text reports the best epoch, 96.49 %; at this learning rate single epochs lie up to 1 % below
    assert max(accuracy) >= 9600
