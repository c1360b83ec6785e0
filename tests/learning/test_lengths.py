"""Sequences of different lengths: costs, gradients and last steps are those of each alone, whatever fills them up."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from firsthand import nn
from firsthand.data import DataError, Sequences, Splits, Vectors
from firsthand.errors import FirsthandError
from firsthand.learning import Classification, NextSymbol, Recipe, evaluate, train
from firsthand.nn import Network

KEY = jax.random.key(4)
TEXTS = ["abca", "dabbacd", "ba", "ccaabd"]
RAGGED = Sequences.of_texts(TEXTS, "abcd", length=9)
pytestmark = pytest.mark.usefixtures("compiled_quickly")

CELLS = [nn.SimpleRNN(5), nn.LSTM(5), nn.GRU(5), nn.Bidirectional(nn.LSTM(4))]
LENGTHS = np.array([3, 1, 7, 5])


def reader(cell, time):
    return Network((nn.Embedding(4, 3), cell, nn.LayerNorm(), nn.Softmax(4)), (time,))


def summed(network, batch, objective):
    """The sum of the costs, as a function of the parameters."""
    return lambda params: jnp.sum(objective.costs(network, params, batch)[0])


def assert_same(found, expected):
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-13), found, expected)


def with_rubbish(examples):
    """The same, with other numbers behind the ends."""
    random, (x, *others, lengths) = np.random.default_rng(0), examples.arrays
    behind = np.arange(x.shape[1])[None] >= lengths[:, None]
    if x.dtype == np.int32:
        other = random.integers(0, 4, x.shape)
        return (np.where(behind, other, x), np.where(behind, other, others[0]), lengths)
    return (np.where(behind[..., None], 1e3 * random.normal(size=x.shape), x), *others, lengths)


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_costs_and_gradients_are_those_of_each_text_alone(cell, float64):
    network, objective = reader(cell, 9), NextSymbol()
    params = network.init(jnp.float64, key=KEY)
    batch = tuple(map(jnp.asarray, with_rubbish(RAGGED)))
    costs, _ = objective.costs(network, params, batch)
    gradient = jax.grad(summed(network, batch, objective))(params)
    alone, gradients, nats = [], [], []
    for text in TEXTS:
        short = reader(cell, len(text) - 1)
        single = tuple(map(jnp.asarray, Sequences.of_text(text, len(text) - 1, "abcd").arrays))
        alone.append(float(objective.costs(short, params, single)[0][0]))
        gradients.append(jax.grad(summed(short, single, objective))(params))
        nats.append(alone[-1] * (len(text) - 1))
    np.testing.assert_allclose(costs, alone, rtol=1e-12)
    assert_same(gradient, jax.tree.map(lambda *each: sum(each), *gradients))
    found = evaluate(network, params, batch, objective)
    assert found["cost"] == pytest.approx(np.mean(alone))
    assert found["bits"] == pytest.approx(sum(nats) / sum(len(text) - 1 for text in TEXTS) / np.log(2))


@pytest.mark.parametrize("cell", [*CELLS[:3], nn.Bidirectional(nn.GRU(4, every_step=False))], ids=str)
def test_the_last_step_is_that_at_the_true_end(cell, float64):
    if not isinstance(cell, nn.Bidirectional):
        cell = type(cell)(5, every_step=False)
    values = np.random.default_rng(1).normal(size=(4, 7, 2))
    labels, objective = np.array([0, 2, 1, 1]), Classification()
    data = Vectors(values, labels, ("a", "b", "c"), LENGTHS)
    values = data.values  # in single precision, as they are kept
    network = Network((cell, nn.Softmax(3, weights_init=nn.large)), (7, 2))
    params = network.init(jnp.float64, key=KEY)
    x, _, lengths = with_rubbish(data)
    x[...] = np.where(np.arange(7)[None, :, None] < LENGTHS[:, None, None], values, x)
    batch = (jnp.asarray(x, jnp.float64), jnp.asarray(labels), jnp.asarray(lengths))
    z = network.weighted_input(params, batch[0], lengths=batch[2])
    gradient = jax.grad(summed(network, batch, objective))(params)
    gradients = []
    for row, (length, label) in enumerate(zip(LENGTHS, labels, strict=True)):
        short = Network(network.layers, (int(length), 2))
        single = (jnp.asarray(values[row : row + 1, :length], jnp.float64), jnp.asarray([label]))
        np.testing.assert_allclose(z[row], short.weighted_input(params, single[0])[0], rtol=1e-12)
        gradients.append(jax.grad(summed(short, single, objective))(params))
    assert_same(gradient, jax.tree.map(lambda *each: sum(each), *gradients))


def test_they_train_whatever_fills_them_up():
    network = reader(nn.LSTM(8), 9)
    recipe = Recipe(3, 2, 0.1, objective=NextSymbol(), clip=1.0, keep_best=False)
    filled = RAGGED.with_arrays(*with_rubbish(RAGGED))
    assert not np.array_equal(filled.inputs, RAGGED.inputs)
    models = [train(network, Splits(each, each, each), recipe, key=KEY).model for each in (RAGGED, filled)]
    jax.tree.map(np.testing.assert_array_equal, *(model.params for model in models))


def test_a_sequence_is_told_apart_by_its_last_true_step():
    """The sign of the last number before the end; behind it stand numbers of the other sign."""
    random = np.random.default_rng(0)
    x, lengths = random.normal(size=(400, 6, 1)).astype(np.float32), random.integers(1, 7, 400)
    last = x[np.arange(400), lengths - 1, 0] > 0
    behind = np.arange(6)[None] >= lengths[:, None]
    x[..., 0] = np.where(behind, np.where(last, -1, 1)[:, None] * np.abs(x[..., 0]), x[..., 0])
    data = Vectors(x, last.astype(np.int32), ("no", "yes"), lengths)
    network = Network((nn.GRU(8, every_step=False), nn.Softmax(2)), (6, 1))
    training = train(network, Splits(data[:300], data[300:], None), Recipe(15, 10, 0.1, momentum=0.9), key=KEY)
    assert max(training.history["validation_accuracy"]) >= 0.95
    with pytest.raises(FirsthandError, match="sequences of different lengths found"):
        training.model.accuracy(data)


@pytest.mark.tiny
def test_what_does_not_fit_is_one_line():
    assert [len(each) for each in RAGGED[1:].arrays] == [3, 3, 3]
    assert RAGGED.digest != Sequences(RAGGED.inputs, RAGGED.targets, RAGGED.symbols).digest
    for lengths, message in (
        ([3, 0, 1, 2], "lengths: 0 found, 1 to 9 expected"),
        ([3, 10, 1, 2], "lengths: 10 found, 1 to 9 expected"),
        ([3, 1], r"lengths: int64 of shape \(2,\) found, integers \(4,\) expected"),
        ([3.0] * 4, "float64"),
    ):
        with pytest.raises(DataError, match=message):
            Sequences(RAGGED.inputs, RAGGED.targets, RAGGED.symbols, np.array(lengths))
    for texts, message in (([], "texts: none found"), (["ab", "a"], "1 characters in 'a' found, 2 to 2 in each")):
        with pytest.raises(DataError, match=message):
            Sequences.of_texts(texts)
    residual = Network((nn.Embedding(4, 3), nn.Residual((nn.LSTM(3),)), nn.Softmax(4)), (9,))
    normalized = Network((nn.Embedding(4, 3), nn.BatchNorm(), nn.LSTM(3), nn.Softmax(4)), (9,))
    for network in (residual, normalized):
        with pytest.raises(FirsthandError, match=r"its layer 2, .*, looks at what fills a sequence up"):
            train(network, Splits(RAGGED, None, None), Recipe(1, 2, 0.1, objective=NextSymbol(), monitor=()), key=KEY)
