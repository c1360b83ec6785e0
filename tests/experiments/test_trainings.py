"""A training as a run of an experiment: what it measures, how it is shortened, stopped and gone on with."""

from pathlib import Path

import jax
import pytest

from firsthand import nn
from firsthand.data import Splits, mnist
from firsthand.experiments.experiment import Run
from firsthand.learning import Cosine, Recipe, train
from firsthand.studies.common import accuracy, trained

pytestmark = pytest.mark.usefixtures("compiled_quickly")

LAYERS = (nn.FullyConnected(12), nn.Softmax(10))
RECIPE = Recipe(3, 10, 0.5, monitor=("training_cost",))
SPLITS = mnist()
SMALL = Splits(SPLITS.train[:200], SPLITS.validation[:100], SPLITS.test[:100])


def at(place, quick=False, say=lambda line: None):
    return Run(4, quick, place, say=say)


def test_numbers_belong_to_the_best_epoch_and_curves_are_what_was_monitored(tmp_path):
    lines = []
    found = accuracy(at(tmp_path, say=lines.append), LAYERS, RECIPE, data=SMALL, curves=("test_accuracy",))
    assert set(found.arrays) == {"training_cost", "validation_accuracy", "test_accuracy"}
    assert all(len(curve) == 3 for curve in found.arrays.values())
    assert lines[-1] == f"epoch 3/3 {found.arrays['validation_accuracy'][2]:.4f}"
    best = int(found.numbers["best_epoch"]) - 1
    assert found.numbers["validation_accuracy"] == max(found.arrays["validation_accuracy"])
    assert found.numbers["test_accuracy"] == pytest.approx(found.arrays["test_accuracy"][best])
    assert 0 < found.numbers["training_accuracy"] <= 1


def test_a_stopped_run_goes_on_to_the_same_result(tmp_path):
    whole = accuracy(at(tmp_path), LAYERS, RECIPE, data=SMALL, name="whole")

    def stop(line):
        if "epoch 2/" in line:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        trained(at(tmp_path, say=stop), LAYERS, RECIPE, data=SMALL)
    lines = []
    assert accuracy(at(tmp_path, say=lines.append), LAYERS, RECIPE, data=SMALL) == whole
    assert lines[0].startswith(("epoch 2/3", "epoch 3/3"))


def test_a_checkpoint_of_another_training_is_not_gone_on_with(tmp_path):
    other = trained(at(tmp_path), LAYERS, Recipe(1, 10, 0.1), data=SMALL)
    lines = []
    found = trained(at(tmp_path, say=lines.append), LAYERS, RECIPE, data=SMALL)
    assert lines[0].startswith("starts again: ")
    assert len(found.history) == 3 > len(other.history)


def test_a_quick_run_has_fewer_epochs_and_examples_and_a_schedule_that_ends_with_it(tmp_path):
    recipe = Recipe(40, 10, Cosine(0.5, 40))
    found = trained(at(tmp_path, quick=True), LAYERS, recipe, data=SMALL, quick_examples=50)
    few = Splits(SMALL.train[:50], SMALL.validation, SMALL.test)
    network = nn.Network(LAYERS)
    expected = train(network, few, Recipe(2, 10, Cosine(0.5, 2)), key=jax.random.key(4))
    assert [{**record, "seconds": 0, "evaluation_seconds": 0} for record in found.history.records] == [
        {**record, "seconds": 0, "evaluation_seconds": 0} for record in expected.history.records
    ]


def test_trainings_of_one_run_have_checkpoints_of_their_own(tmp_path: Path):
    for name in ("sigmoid", "tanh"):
        trained(at(tmp_path, quick=True), LAYERS, RECIPE, data=SMALL, name=name)
    assert {path.stem for path in tmp_path.iterdir()} == {"sigmoid", "tanh"}
