"""Several trainings at a time: each is the training alone with its key, however they are run."""

import signal
import sys

import jax
import numpy as np
import pytest

from firsthand import nn
from firsthand.data import Splits, mnist
from firsthand.errors import FirsthandError
from firsthand.learning import Classification, Cosine, Diverged, Recipe, train, train_members
from firsthand.learning.members import plan
from firsthand.models import Ensemble, Model, ModelFileError, load_model, voted
from tests.processes import PATIENCE, read_until, running

pytestmark = pytest.mark.usefixtures("compiled_quickly")

SMALL = nn.Network((nn.FullyConnected(12), nn.Softmax(10)))
RECIPE = Recipe(3, 10, Cosine(0.5, 3), momentum=0.5, average=0.9)
KEYS = [jax.random.fold_in(jax.random.key(3), member) for member in range(3)]


def some(n=200):
    splits = mnist()
    return Splits(splits.train[:n], splits.validation[:100], splits.test[:100])


def assert_same(found, expected, **tolerance):
    jax.tree.map(
        lambda a, b: (
            np.testing.assert_allclose(a, b, **tolerance) if tolerance else np.testing.assert_array_equal(a, b)
        ),
        found,
        expected,
    )


def test_side_by_side_is_alone_bit_for_bit():
    seen = []
    together = train_members(SMALL, some(), RECIPE, keys=KEYS, progress=seen.append)
    for key, training in zip(KEYS, together, strict=True):
        alone = train(SMALL, some(), RECIPE, key=key)
        assert_same(training.model.params, alone.model.params)
        assert training.history["validation_accuracy"] == alone.history["validation_accuracy"]
        assert training.model.provenance == alone.model.provenance
    assert {(at.member, at.epoch) for at in seen if at.record} == {(m, e) for m in range(3) for e in (1, 2, 3)}


def test_as_one_program_is_alone_up_to_rounding():
    recipe = Recipe(6, 10, 0.5, patience=1)
    together = train_members(SMALL, some(), recipe, keys=KEYS, one_program=True)
    for key, training in zip(KEYS, together, strict=True):
        alone = train(SMALL, some(), recipe, key=key)
        # each stops by itself: what is left goes on as a smaller program
        assert len(training.history) == len(alone.history)
        assert_same(training.model.params, alone.model.params, rtol=1e-3, atol=1e-5)


def test_each_may_have_its_own_network_and_recipe():
    networks = [SMALL, nn.Network((nn.FullyConnected(7), nn.Softmax(10)))]
    recipes = [Recipe(1, 10, 0.5), Recipe(2, 20, 0.1)]
    found = train_members(networks, some(), recipes, keys=KEYS[:2])
    for network, recipe, key, training in zip(networks, recipes, KEYS, found, strict=False):
        assert_same(training.model.params, train(network, some(), recipe, key=key).model.params)
    with pytest.raises(FirsthandError, match="differ in nothing but their rates"):
        train_members(networks, some(), recipes, keys=KEYS[:2], one_program=True)
    with pytest.raises(FirsthandError, match="2 networks and 2 recipes for 3 keys"):
        train_members(networks, some(), recipes, keys=KEYS)


@pytest.mark.parametrize("one_program", [False, True])
def test_one_that_diverges_ends_all(one_program):
    network = nn.Network((nn.FullyConnected(12, nn.relu), nn.FullyConnected(10, nn.linear)))
    with pytest.raises(Diverged, match="learning rate"):
        train_members(
            network,
            some(),
            Recipe(2, 10, 1e30, objective=Classification(nn.quadratic)),
            keys=KEYS,
            one_program=one_program,
        )


def test_members_go_on_from_their_checkpoints(tmp_path):
    whole = train_members(SMALL, some(), RECIPE, keys=KEYS)
    first = Recipe(2, 10, Cosine(0.5, 3), momentum=0.5, average=0.9)
    path = tmp_path / "checkpoint"
    train_members(SMALL, some(), first, keys=KEYS[:2], checkpoint=path)  # the third never began
    resumed = train_members(SMALL, some(), RECIPE, keys=KEYS, checkpoint=path, resume=True)
    for one, other in zip(resumed, whole, strict=True):
        assert_same(one.model.params, other.model.params)


PROGRAM = """
import jax, sys
from firsthand import nn
from firsthand.data import mnist
from firsthand.learning import Recipe, train_members
network = nn.Network((nn.FullyConnected(12), nn.Softmax(10)))
keys = [jax.random.key(n) for n in range(int(sys.argv[1]))]
tell = lambda at: print(at.member, at.record is not None, flush=True)
found = train_members(network, mnist(), Recipe(1000, 10, 0.5), keys=keys, progress=tell)
print([training.history.stopped for training in found])
"""


@pytest.mark.slow
def test_ctrl_c_keeps_the_last_epoch_of_each():
    with running([sys.executable, "-c", PROGRAM, "1"]) as process:
        read_until(process, lambda line: line.split() == ["0", "True"])
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    assert "interrupted: kept epoch" in rest


@pytest.mark.tiny
def test_the_plan_says_what_it_does():
    layout = plan(5, one_program=False)
    assert [members for _, members in layout.groups] == [[0], [1], [2], [3], [4]]
    assert "5 trainings" in str(layout)
    assert plan(5, one_program=True).groups == [(jax.local_devices()[0], [0, 1, 2, 3, 4])]


@pytest.fixture(scope="module")
def trained():
    return train(SMALL, some(), RECIPE, key=jax.random.key(3), members=3)


def test_an_ensemble_is_its_members_trained_alone(trained):
    for key, member, history in zip(KEYS, trained.model.members, trained.histories, strict=True):
        alone = train(SMALL, some(), RECIPE, key=key)
        assert_same(member.params, alone.model.params)
        assert history.best_epoch == alone.history.best_epoch
    test = some().test
    assert trained.model.provenance["accuracies"]["test"] == trained.model.accuracy(test)


def test_probabilities_are_the_mean_of_the_members(trained):
    images = some().test.images
    expected = np.mean([member.probabilities(images) for member in trained.model.members], axis=0)
    np.testing.assert_allclose(trained.model.probabilities(images), expected, rtol=1e-4)
    assert trained.model.predict(images).tolist() == expected.argmax(1).tolist()
    assert trained.model.vote(images).shape == (len(images),)
    assert trained.model.predict(images[:0]).shape == (0,)


@pytest.mark.tiny
def test_votes_count_heads_and_probabilities_break_ties():
    one, two, three = ([[0.5, 0.3, 0.2]], [[0.1, 0.5, 0.4]], [[0.1, 0.1, 0.8]])
    assert voted(np.array([one, one, three])).tolist() == [0]
    assert voted(np.array([one, two, three])).tolist() == [2]  # one vote each: the largest mean
    assert voted(np.array([one, two])).tolist() == [1]


def test_an_ensemble_is_one_file(trained, tmp_path):
    path = trained.model.save(tmp_path / "five")
    loaded = load_model(path)
    assert isinstance(loaded, Ensemble)
    images = some().test.images
    np.testing.assert_array_equal(loaded.probabilities(images), trained.model.probabilities(images))
    assert loaded.provenance == trained.model.provenance
    single = trained.model.members[0].save(tmp_path / "one")
    assert isinstance(load_model(single), Model)
    with pytest.raises(ModelFileError, match="not a model file"):
        Model.load(path)
    with pytest.raises(ModelFileError, match="expected 'firsthand-ensemble-1'"):
        Ensemble.load(single)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ModelFileError):
        load_model(path)


def test_members_must_fit_together(trained):
    other = Model(nn.Network((nn.Softmax(10),), (784,)), ({},), trained.model.classes)
    with pytest.raises(FirsthandError, match="different input_shape"):
        Ensemble((trained.model.members[0], other))
    with pytest.raises(FirsthandError, match="no members"):
        Ensemble(())
    with pytest.raises(FirsthandError, match="members is 0"):
        train(SMALL, some(), RECIPE, key=KEYS[0], members=0)
