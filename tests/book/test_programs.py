"""Expectations of programs written for the book's originals of `firsthand.book`, besides its mathematics."""

import gzip
import importlib
import json
import pickle
import random
import subprocess
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest

from firsthand import book
from firsthand.book import mnist_average_darkness, mnist_loader, network, network2, network3, python2
from firsthand.errors import FirsthandError

BOOK = Path(book.__file__).parent
XOR = [(np.array([[a], [b]], float), float(a != b)) for a in (0, 1) for b in (0, 1)]


@pytest.fixture(autouse=True)
def seeded():
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002, a reader of the book does this


def mini_batch(m, seed=0):
    rng = np.random.default_rng(seed)
    return [(rng.random((784, 1), dtype=np.float32), np.eye(10)[:, [j]]) for j in rng.integers(10, size=m)]


# ---- importing ------------------------------------------------------------------------------------------------------

IMPORT = """
import json, sys
sys.path.insert(0, sys.argv[1])
import numpy as np
np.random.seed(5)
import {name}
print(json.dumps([np.random.random(), sorted(sys.modules)]))
"""


@pytest.mark.parametrize("name", ["network", "network2", "mnist_loader", "expand_mnist", "network3"])
def test_importing_leaves_the_readers_seed_alone_and_takes_no_more_than_it_needs(name):
    """A program that seeds before it imports gets the weights of its seed, and JAX comes with `network3` alone."""
    command = [sys.executable, "-c", IMPORT.format(name=name), str(BOOK)]
    number, modules = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert number == np.random.RandomState(5).random_sample()
    if name != "network3":
        assert {"jax", "scipy", "optax", "matplotlib", "firsthand.nn"}.isdisjoint(modules)


@pytest.mark.tiny
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("network", "Network np random sigmoid sigmoid_prime"),
        ("network2", "CrossEntropyCost Network QuadraticCost json load np random sigmoid sys vectorized_result"),
        ("mnist_loader", "gzip load_data load_data_wrapper np vectorized_result"),
        (
            "network3",
            "ConvPoolLayer FullyConnectedLayer Network ReLU SoftmaxLayer gzip load_data_shared np tanh",
        ),
    ],
)
def test_star_imports_bring_what_the_originals_bring(name, expected):
    names = {}
    exec(f"from firsthand.book.{name} import *", names)
    assert set(expected.split()) <= set(names)


# ---- the order of the data ------------------------------------------------------------------------------------------


@pytest.mark.tiny
@pytest.mark.parametrize("module", [network, network2])
def test_python_2s_shuffle_is_an_option(module, capsys):
    numbers = list(range(1000))
    random.seed(12345678)
    python2.shuffle(numbers)
    python2.shuffle(numbers)
    # printed by Python 2.7.18: random.seed(12345678); n = range(1000); random.shuffle(n); random.shuffle(n)
    assert numbers[:10] == [616, 891, 584, 427, 119, 878, 562, 277, 788, 72]

    data = mini_batch(7)
    expected = list(data)
    for _ in range(2):
        python2.shuffle(expected, random.Random(3).random)
    module.Network([784, 5, 10]).SGD(data, 2, 3, 0.1, shuffle=lambda x: python2.shuffle(x, random.Random(3).random))
    assert [id(x) for x, _ in data] == [id(x) for x, _ in expected]


# ---- data -----------------------------------------------------------------------------------------------------------


def test_the_originals_own_expanded_file_is_read(tmp_path):
    """Lists of arrays and of NumPy integers, as `expand_mnist.py` of the original has pickled them."""
    rng = np.random.default_rng(0)
    images, digits = rng.random((30, 784), dtype=np.float32), rng.integers(10, size=30)
    rest = (images[:4], digits[:4])
    parts = ([list(images), list(digits)], rest, rest)
    for dots in (b"numpy._core.", b"numpy.core."):  # NumPy 2 and 1
        pickled = pickle.dumps(parts, protocol=2).replace(b"numpy._core.", dots)
        (tmp_path / "expanded.pkl.gz").write_bytes(gzip.compress(pickled))
        (x, y), *_ = network3.load_data_shared(tmp_path / "expanded.pkl.gz")
        assert np.array_equal(x, images)
        assert np.array_equal(y, digits)


def test_arrays_of_a_file_may_be_changed(tmp_path):
    part = (np.ones((3, 784), np.float32), np.arange(3))
    (tmp_path / "mnist.pkl.gz").write_bytes(gzip.compress(pickle.dumps((part, part, part), protocol=2)))
    for images, digits in mnist_loader.load_data(tmp_path / "mnist.pkl.gz"):
        images *= 2
        digits[0] = 5
        assert np.all(images == 2)
        assert digits.tolist() == [5, 1, 2]


@pytest.mark.tiny
def test_of_no_examples_none_are_right():
    assert network.Network([784, 10]).evaluate([]) == 0
    assert network2.Network([784, 10]).accuracy([]) == network2.Network([784, 10]).accuracy([], convert=True) == 0


# ---- networks with one output ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", [float, lambda y: np.array([y]), lambda y: np.array([[y]])])
def test_one_output_may_be_wanted_as_a_number(form, capsys):
    """Exclusive or, and the same run for each form of y: the original's broadcasting makes them one."""
    data = [(x, form(y)) for x, y in XOR]
    net = network2.Network([2, 3, 1], cost=network2.CrossEntropyCost)
    costs = net.SGD(list(data), 500, 2, 2.0, monitor_training_cost=True, monitor_training_accuracy=True)[2]
    assert costs[-1] < 0.05 < costs[0]
    outputs = [float(net.feedforward(x)[0, 0]) for x, _ in XOR]
    assert [round(a) for a in outputs] == [0, 1, 1, 0]
    wanted = [y for _, y in XOR]
    by_hand = -np.mean([np.log(a if y else 1 - a) for a, y in zip(outputs, wanted, strict=True)])
    assert costs[-1] == pytest.approx(by_hand)
    assert net.total_cost(data, 0.0, convert=True) == pytest.approx(by_hand)
    nabla_b, _ = net.backprop(*data[1])
    assert nabla_b[-1] == pytest.approx(outputs[1] - 1)


# ---- what a reader puts in the place of ours ------------------------------------------------------------------------


def test_an_instance_of_a_cost_does_as_well_as_its_class(tmp_path, capsys):
    def trained(cost):
        random.seed(1)
        np.random.seed(1)  # noqa: NPY002
        net = network2.Network([784, 5, 10], cost=cost)
        return net, net.SGD(mini_batch(20), 2, 5, 0.5, monitor_training_cost=True)

    (by_class, costs), (by_instance, same) = trained(network2.CrossEntropyCost), trained(network2.CrossEntropyCost())
    assert costs == same
    assert all(map(np.array_equal, by_class.weights, by_instance.weights))
    by_instance.save(tmp_path / "net.json")
    assert network2.load(tmp_path / "net.json").cost is network2.CrossEntropyCost


@pytest.mark.parametrize("module", [network, network2])
def test_another_sigmoid_is_used_wherever_ours_would_be(module, monkeypatch, capsys):
    """tanh in the place of the sigmoid, one example at a time, against the formulas written out."""
    calls = []

    def tanh(z):
        calls.append(z.shape)
        return np.tanh(z)

    net = module.Network([784, 5, 10])
    monkeypatch.setattr(module, "sigmoid", tanh)
    monkeypatch.setattr(module, "sigmoid_prime", lambda z: 1 - np.tanh(z) ** 2)
    data = mini_batch(6)
    (w1, w2), (b1, b2) = [w.copy() for w in net.weights], [b.copy() for b in net.biases]
    nabla_w1, nabla_b2 = np.zeros_like(w1), np.zeros_like(b2)
    for x, y in data:
        a1 = np.tanh(w1 @ x + b1)
        a2 = np.tanh(w2 @ a1 + b2)
        np.testing.assert_allclose(net.feedforward(x), a2)
        delta = (a2 - y) * (1 if module is network2 else 1 - a2**2)
        nabla_b2 += delta
        nabla_w1 += (w2.T @ delta) * (1 - a1**2) @ x.T
    extra = () if module is network else (0.0, 6)
    net.update_mini_batch(data, 0.5, *extra)
    np.testing.assert_allclose(net.weights[0], w1 - 0.5 / 6 * nabla_w1, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(net.biases[1], b2 - 0.5 / 6 * nabla_b2, rtol=1e-9, atol=1e-12)
    (net.evaluate if module is network else net.accuracy)([(x, int(np.argmax(y))) for x, y in data])
    assert set(calls) == {(5, 1), (10, 1)}


@pytest.mark.tiny
def test_another_derivative_of_the_cost_sees_one_example_at_a_time():
    class Mine(network.Network):
        def cost_derivative(self, output_activations, y):
            assert y.shape == (10, 1)
            return 2 * (output_activations - y)

    mine, ours = Mine([784, 10]), network.Network([784, 10])
    mine.weights, mine.biases = list(ours.weights), list(ours.biases)
    data = mini_batch(4)
    mine.update_mini_batch(data, 0.5)
    ours.update_mini_batch(data, 1.0)
    np.testing.assert_allclose(mine.weights[0], ours.weights[0], rtol=1e-12)


# ---- the other modules ----------------------------------------------------------------------------------------------


def test_average_darkness_guesses_as_many_as_the_book_says(capsys):
    """Chapter 1: 'getting 2,225 of the 10,000 test images correct'."""
    assert mnist_average_darkness.main() == 2225
    assert capsys.readouterr().out == (
        "Baseline classifier using average darkness of image.\n2225 of 10000 values correct.\n"
    )


def test_the_support_vector_machine_counts_what_it_gets_right(monkeypatch, capsys):
    from firsthand.book import mnist_svm

    (images, digits), _, test = mnist_loader.load_data()
    small = (images[:1000], digits[:1000])
    monkeypatch.setattr(mnist_loader, "load_data", lambda: (small, None, (test[0][:500], test[1][:500])))
    right = mnist_svm.svm_baseline()
    assert right > 350
    assert capsys.readouterr().out == f"Baseline classifier using an SVM.\n{right} of 500 values correct.\n"


@pytest.fixture
def conv(monkeypatch):
    module = importlib.import_module("firsthand.book.conv")
    for name in ("training_data", "validation_data", "test_data"):
        x, y = getattr(module, name)
        monkeypatch.setattr(module, name, (x[:100], y[:100]))
    monkeypatch.setattr(network3, "load_data_shared", lambda filename: [module.training_data])
    yield module
    plt.close("all")


def test_the_networks_of_chapter_6_train_with_the_originals_settings(conv, monkeypatch, capsys):
    trained = []

    def count(self, training_data, epochs, mini_batch_size, eta, validation_data, test_data, lmbda):
        trained.append((len(self.layers), epochs, mini_batch_size, eta, lmbda))
        assert validation_data is conv.validation_data
        assert test_data is conv.test_data

    monkeypatch.setattr(conv.Network, "SGD", count)
    monkeypatch.setattr(conv, "ensemble", lambda nets: ([], []))
    monkeypatch.setattr(plt, "savefig", lambda name: None)
    conv.run_experiments()
    relu = [(4, 60, 10, 0.03, lmbda) for lmbda in (0.0, *conv.LAMBDAS) for _ in range(3)]
    assert trained == [
        *[(2, 60, 10, 0.1, 0.0)] * 3,
        *[(3, 60, 10, 0.1, 0.0)] * 3,
        *[(2, 60, 10, 0.1, 0.0)] * 3,
        *[(4, 60, 10, 0.1, 0.0)] * 3,
        *relu,
        *[(4, 20, 10, 0.03, 0.1)] * 9,
        *[(5, 60, 10, 0.03, 0.1)] * 9,
        *[(5, 40, 10, 0.03, 0.0)] * 5,
    ]
    conv.regularized_dbl_conv()
    assert trained[-3:] == [(4, 60, 10, 0.1, 10.0)] * 3
    assert "Training with expanded data, 300 neurons in the FC layer, run num 2\n" in capsys.readouterr().out


def test_networks_vote_and_their_errors_are_drawn(conv, capsys):
    nets = conv.shallow(n=3, epochs=1)
    places, said = conv.ensemble(nets)
    votes = np.stack([net.predict(conv.test_data[0]) for net in nets])
    for place, digit in zip(places, said, strict=True):
        assert digit != conv.test_data[1][place]
        assert np.sum(votes[:, place] == digit) >= 1
    majority = [np.bincount(v).argmax() for v in votes.T if np.bincount(v).max() > 1]
    agreed = [j for j, v in enumerate(votes.T) if np.bincount(v).max() > 1]
    wrong = {j for j, digit in zip(agreed, majority, strict=True) if digit != conv.test_data[1][j]}
    assert len(majority) > 50
    assert wrong == set(places) & set(agreed)
    assert f"Accuracy is {1 - len(places) / 100:.2%}\n" in capsys.readouterr().out
    assert len(conv.plot_errors(places, said).gcf().axes) == min(40, len(places))
    net = conv.basic_conv(n=1, epochs=1)
    assert len(conv.plot_filters(net, 0, 5, 4).gcf().axes) == 20


@pytest.mark.tiny
def test_svm_without_scikit_learn_says_what_to_install(monkeypatch):
    from firsthand.book import mnist_svm

    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(FirsthandError, match=r"pip install 'firsthand\[sklearn\]'"):
        mnist_svm.svm_baseline()
