"""Trainings take data, keys and callbacks in the forms in which people have them, and say what they cannot take."""

from typing import Any

import jax
import numpy as np
import pytest

from firsthand import FirsthandError, Recipe, Splits, mnist, nn, train
from firsthand.environments import Catch
from firsthand.inspect import same_size
from firsthand.keys import as_key
from firsthand.learning import Regression, all_of
from firsthand.models import Model, Policy, load

pytestmark = pytest.mark.usefixtures("compiled_quickly")

NETWORK = nn.Network((nn.FullyConnected(10, "relu"), nn.Softmax(10)))
RECIPE = Recipe(1, learning_rate=0.1)


@pytest.fixture(scope="module")
def few():
    return mnist().train[:200]


@pytest.fixture(scope="module")
def model(few):
    return train(NETWORK, few, RECIPE, key=0).model


def same(first, second):
    return all(map(np.array_equal, jax.tree.leaves(first.params), jax.tree.leaves(second.params)))


def test_examples_alone_are_divided(few, model):
    learn, choose = few.split(0.9, 0.1, seed=0)
    assert same(model, train(NETWORK, Splits(learn, choose, None), RECIPE, key=jax.random.key(0)).model)


@pytest.mark.parametrize("scale", [1, 1 / 255])
def test_arrays_are_pixels_and_classes(few, model, scale):
    x = few.images if scale == 1 else few.images * np.float32(scale)
    assert same(model, train(NETWORK, (x, few.labels), RECIPE, key=0).model)


def test_two_pairs_are_training_and_validation(few):
    pairs = [(few.images[:150], few.labels[:150]), (few.images[150:], few.labels[150:])]
    found = train(NETWORK, pairs, RECIPE, key=0).model
    assert same(found, train(NETWORK, Splits(few[:150], few[150:], None), RECIPE, key=0).model)


def test_arrays_to_imitate_stay_numbers():
    x = np.linspace(-1, 1, 40, dtype=np.float32)[:, None]
    network = nn.Network((nn.FullyConnected(1, "linear"),), (1,))
    found = train(network, (x, 3 * x), Recipe(20, 5, 0.2, objective=Regression()), key=0)
    assert found.history.records[-1]["batch_cost"] < found.history.records[0]["batch_cost"] / 10


@pytest.mark.parametrize("data", [7, "mnist", (np.zeros(3),), [1, 2]])
def test_other_data_are_named(data):
    with pytest.raises(FirsthandError, match=r"train: data is a \w+.*, expected Splits\(train, validation, test\)"):
        train(NETWORK, data, RECIPE, key=0)


@pytest.mark.parametrize("key", ["0", 0.5, None, np.zeros(())])
def test_keys_that_are_none(few, key):
    with pytest.raises(FirsthandError, match=r"key: found .*, expected an integer or a key of jax.random.key"):
        train(NETWORK, few, RECIPE, key=key)


@pytest.mark.parametrize("key", [3, np.int64(3), jax.random.key(3)])
def test_keys(key):
    assert np.array_equal(jax.random.key_data(as_key(key)), jax.random.key_data(jax.random.key(3)))
    assert np.array_equal(as_key(jax.random.PRNGKey(3)), jax.random.PRNGKey(3))  # the old form is left alone


def test_what_was_trained_takes_an_integer_as_key():
    game = Catch()
    network = nn.Network((nn.FullyConnected(3, "linear"),), game.observation_shape)
    policy = Policy(network, network.init(key=0), game)
    assert np.array_equal(policy.play(5, key=3).rewards, policy.play(5, key=jax.random.key(3)).rewards)
    images, changed = np.zeros((2, 4, 4, 1), np.float32), np.ones((2, 4, 4, 1), np.float32)
    integer, key = (same_size(images, changed, noise=True, key=each) for each in (3, jax.random.key(3)))
    assert np.array_equal(integer, key)


def test_a_key_where_a_path_is_meant(few, model):
    key: Any = jax.random.key(0)
    with pytest.raises(FirsthandError, match=r"train: checkpoint: found .*, expected a path"):
        train(NETWORK, few, RECIPE, key=0, checkpoint=key)
    with pytest.raises(FirsthandError, match=r"save: found .*, expected a path"):
        model.save(key)
    with pytest.raises(FirsthandError, match=r"model: found .*, expected a path"):
        load(key)
    with pytest.raises(FirsthandError, match=r"model: found .*, expected a path"):
        Model.load(key)


def test_what_a_model_cannot_read_is_said(few, model):
    with pytest.raises(FirsthandError, match=r"one example of shape \(28, 28, 1\) found, .*images\[None\]"):
        model.predict(few.images[0])
    with pytest.raises(FirsthandError, match=r"floats up to 255 found, expected pixels from 0 to 1"):
        model.probabilities(few.images.astype(np.float32))
    assert np.array_equal(model.predict(few.images / np.float32(255)), model.predict(few.images))


def test_floats_of_any_size_are_read_by_a_model_that_learned_floats():
    x = np.random.default_rng(0).normal(0, 9, (60, 4)).astype(np.float32)
    network = nn.Network((nn.Softmax(2),), (4,))
    found = train(network, (x, (x[:, 0] > 0).astype(int)), Recipe(30, 5, 0.1), key=0).model
    assert not found.learned_pixels
    assert np.mean(found.predict(x) == (x[:, 0] > 0)) > 0.9


def test_several_callbacks_are_called_in_order(few):
    calls = []
    train(NETWORK, few, RECIPE, key=0, progress=(lambda at: calls.append(1), lambda at: calls.append(2)))
    assert calls
    assert calls == [1, 2] * (len(calls) // 2)
    assert all_of(()) is None
    assert all_of((print,)) is print


def test_progress_is_one_line(few):
    lines = []
    train(NETWORK, few, RECIPE, key=0, progress=lambda at: lines.append(str(at)))
    assert lines[-1].startswith("epoch 1/1  step 18/18  cost ")
    assert "validation accuracy" in lines[-1]
    assert max(map(len, lines)) < 100
