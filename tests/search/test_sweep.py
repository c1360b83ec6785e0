"""Sweeps: every combination once, each the training alone."""

import json
import sys

import jax
import numpy as np
import pytest

from firsthand import nn
from firsthand.data import Splits, mnist
from firsthand.errors import FirsthandError
from firsthand.learning import Recipe, train, train_members
from firsthand.search import plots, sweep
from tests.processes import finished

pytestmark = pytest.mark.usefixtures("compiled_quickly")

NETWORK = nn.Network((nn.FullyConnected(12), nn.Dropout(0.1), nn.Softmax(10)))
KEY = jax.random.key(2)


def some(n=200):
    splits = mnist()
    return Splits(splits.train[:n], splits.validation[:100], None)


def test_every_combination_is_the_training_alone():
    recipe = Recipe(2, 10, 0.1)
    found = sweep(NETWORK, some(), recipe, key=KEY, learning_rate=[0.1, 0.5], dropout=[0.0, 0.5])
    assert [point.settings for point in found.points] == [
        {"learning_rate": rate, "dropout": dropout} for rate in (0.1, 0.5) for dropout in (0.0, 0.5)
    ]
    network = nn.Network((nn.FullyConnected(12), nn.Dropout(0.5), nn.Softmax(10)))
    alone = train(network, some(), Recipe(2, 10, 0.5), key=KEY)
    jax.tree.map(np.testing.assert_array_equal, found.points[3].training.model.params, alone.model.params)
    rows = found.rows()
    assert rows[3]["validation_accuracy"] == max(alone.history["validation_accuracy"])
    assert found.best.settings.items() <= max(rows, key=lambda row: row["validation_accuracy"]).items()
    assert str(found).splitlines()[0].split() == ["learning_rate", "dropout", "batch_cost", "validation_accuracy"]
    figure = plots.plot_sweep(found)
    assert len(figure.axes[0].lines) == 4


def test_learning_rates_are_arguments_of_one_program():
    recipes = [Recipe(2, 10, rate) for rate in (0.1, 0.5)]
    together = train_members(NETWORK, some(), recipes, keys=[KEY, KEY], one_program=True)
    for recipe, training in zip(recipes, together, strict=True):
        alone = train(NETWORK, some(), recipe, key=KEY)
        for one, other in zip(*map(jax.tree.leaves, (training.model.params, alone.model.params)), strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-5)


@pytest.mark.tiny
@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "no values"),
        ({"learnign_rate": [0.1]}, "found 'learnign_rate', expected dropout, epochs, .*; did you mean 'learning_rate'"),
        ({"l2": []}, r"l2 is \[\], expected a list of numbers"),
        ({"l2": "0.1"}, "l2 is '0.1', expected a list of numbers"),
        ({"l2": [True]}, r"l2 is \[True\], expected a list of numbers"),
        ({"shuffle": [True]}, "found 'shuffle', expected dropout, epochs"),
        ({"l2": [-1.0]}, "l2 is -1.0, expected 0 or more"),
    ],
)
def test_what_cannot_be_swept_is_named(values, message):
    with pytest.raises(FirsthandError, match=message):
        sweep(NETWORK, some(), Recipe(1, 10, 0.1), key=KEY, **values)


@pytest.mark.tiny
def test_dropout_needs_a_layer_for_it():
    with pytest.raises(FirsthandError, match="no Dropout layer"):
        sweep(nn.Network((nn.Softmax(10),)), some(), Recipe(1, 10, 0.1), key=KEY, dropout=[0.1])


@pytest.mark.slow
def test_a_sweep_through_the_front_door(tmp_path):
    program = [sys.executable, "-m", "firsthand", "sweep", "--recipe", "fully-connected", "--examples", "300"]
    options = ["--epochs", "1", "--values", "learning_rate=0.001,0.5", "--out", str(tmp_path / "out")]
    done = finished([*program, *options])
    assert done.returncode == 0, done.stderr
    assert "best on validation data: learning_rate 0.5" in done.stdout
    rows = json.loads((tmp_path / "out" / "sweep.json").read_text())
    assert [row["learning_rate"] for row in rows] == [0.001, 0.5]
    assert (tmp_path / "out" / "sweep.png").stat().st_size > 5000
    for values, message in (
        ("l2=a", "expected FIELD=A,B,C of numbers"),
        ("l3=1", "found 'l3', expected dropout, epochs"),
    ):
        wrong = finished([*program, "--values", values], cwd=tmp_path)
        assert wrong.returncode == 2
        assert message in wrong.stderr
        assert len(wrong.stderr.splitlines()) == 1
        assert not (tmp_path / "runs").exists()
