"""Chapter 6's experiments: networks and recipes as the text has them, the claims, the vote, and the figures."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firsthand import nn
from firsthand.data import Splits, expanded, mnist
from firsthand.experiments.experiment import Measured, Run
from firsthand.experiments.figures import draw_figures
from firsthand.experiments.records import check_measured, conclude, record_of
from firsthand.nn import Network
from firsthand.studies import common, convolution, expanded_data, feature_maps

pytestmark = pytest.mark.usefixtures("compiled_quickly")

EXPERIMENTS = {each.id: each for each in (*convolution.EXPERIMENTS, *expanded_data.EXPERIMENTS)}
DATA = mnist()
FEW = Splits(DATA.train[:60], DATA.validation[:50], DATA.test)


@pytest.fixture
def few_images(monkeypatch):
    """Trainings on sixty images, which take no longer than their programs take to compile."""
    small = Splits(FEW.train, FEW.validation, FEW.test[:50])
    monkeypatch.setattr(common, "mnist", lambda: small)
    monkeypatch.setattr(expanded_data, "mnist", lambda: small)
    monkeypatch.setattr(
        expanded_data, "expanded_mnist", lambda: Splits(expanded(small.train[:12]), small.validation, small.test)
    )


def measure(id, place, needed=None, seed=0):
    measured = EXPERIMENTS[id].measure(Run(seed, True, place, needed or {}))
    check_measured(measured)
    return measured


def concluded(id, *measured, needed=None, quick=False):
    """A Result as the runs of a file become one."""
    records = [record_of(seed, 1.0, each, "a machine") for seed, each in enumerate(measured)]
    return conclude(EXPERIMENTS[id], json.loads(json.dumps(records)), needed or {}, quick=quick)


def drawn(id, result, folder, needed=None):
    return [path.stem for path in draw_figures(EXPERIMENTS[id], result, needed or {}, folder)]


def found_before(id, accuracy=None):
    """A Result for those that need it, without claims; it found what the text did, or another accuracy."""
    accuracy = EXPERIMENTS[id].published[0].value if accuracy is None else accuracy
    names = ("test_accuracy", "validation_accuracy", "network3_test_accuracy")
    curve = {"validation_accuracy": [0.9, 0.95, accuracy]}
    return concluded(id, Measured(dict.fromkeys(names, accuracy), curve), quick=True)


# --- networks and recipes ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("filters", "units", "shapes"),
    [
        ((), (100,), [(100,), (10,)]),
        ((20,), (100,), [(12, 12, 20), (100,), (10,)]),
        ((20, 40), (300, 300), [(12, 12, 20), (4, 4, 40), (300,), (300,), (10,)]),
    ],
)
def test_networks_have_the_shapes_of_the_text(filters, units, shapes):
    assert list(Network(convolution.conv_network(filters, units, nn.sigmoid)).shapes[1:]) == shapes


def test_softmax_starts_at_zero_and_the_others_as_they_should():
    for activation, start in ((nn.relu, nn.he), (nn.tanh, nn.scaled)):
        assert convolution.conv_network((20,), (100,), activation) == (
            nn.ConvPool(20, activation=activation, weights_init=start),
            nn.FullyConnected(100, activation, weights_init=start),
            nn.Softmax(10, weights_init=nn.zeros),
        )


def test_penalties_are_lambda_over_the_number_of_mini_batches():
    assert expanded_data.ON_EXPANDED.l2 * 250_000 / expanded_data.ON_EXPANDED.batch_size == pytest.approx(0.1)
    assert math.ceil(50_000 / convolution.BATCH_SIZE) == convolution.BATCHES


def test_every_experiment_is_complete():
    for each in EXPERIMENTS.values():
        assert each.title.zh != each.title.en
        assert all(other in EXPERIMENTS for other in each.needs), each.id
        assert each.published or each.claims, each.id
        for text in (*each.deviations, *(claim.text for claim in each.claims)):
            assert text.en.endswith((".", ")"))
            assert text.zh.endswith(("。", "）"))


def test_parameters_are_counted_exactly(tmp_path):
    result = concluded("parameters", measure("parameters", tmp_path))
    assert all(result.verdict(each) == "reached" for each in result.published)
    assert result.claims[0][1] == (True, ("45.3 times", "45.3 倍"))


# --- runs, shortened and on few images --------------------------------------------------------------------------------


@pytest.mark.usefixtures("few_images")
def test_the_networks_own_start_is_measured_beside_network3s(tmp_path):
    found = measure("conv-1-no-fc", tmp_path)
    assert {"test_accuracy", "network3_test_accuracy", "network3_validation_accuracy"} <= set(found.numbers)
    said = concluded("conv-1-no-fc", found, needed={"conv-1": found_before("conv-1")}).claims[0][1].measured.en
    assert said.startswith(f"98.78% with it, {found.numbers['test_accuracy']:.2%} without")


@pytest.mark.usefixtures("few_images")
def test_tanh_is_held_against_sigmoid_and_drawn(tmp_path):
    needed = {"conv-2": found_before("conv-2")}
    found = measure("conv-2-tanh", tmp_path)
    assert set(found.arrays) == {"validation_accuracy"}
    result = concluded("conv-2-tanh", found, needed=needed)
    assert f"after one epoch {found.numbers['first_epoch']:.2%} against 90.00%" in result.claims[0][1].measured.en
    assert "after 2 epochs" in result.claims[1][1].measured.en
    assert drawn("conv-2-tanh", result, tmp_path, needed) == ["conv-2-tanh-validation"]


@pytest.mark.usefixtures("few_images")
def test_dropout_leaves_what_the_vote_and_the_filters_need(tmp_path):
    runs = []
    for seed in (0, 1):
        place = tmp_path / str(seed)
        place.mkdir()
        runs.append(measure("dropout", place, seed=seed))
    kernels = np.array(runs[0].arrays["kernels"])
    assert kernels.shape == (20, 5, 5)
    wrong = runs[0].arrays["mistakes"]
    assert len(wrong) == round(50 * (1 - runs[0].numbers["test_accuracy"]))
    assert all(FEW.test.labels[index] != called for index, called in wrong)

    needed = {"dropout": concluded("dropout", *runs, needed={"expanded": found_before("expanded")})}
    ensemble = measure("ensemble", tmp_path, needed)
    assert ensemble.numbers["members"] == 2
    assert ensemble.numbers["test_accuracy"] == pytest.approx(1 - ensemble.numbers["errors"] / 50)
    assert drawn("ensemble", concluded("ensemble", ensemble), tmp_path, needed) == ["ensemble-mistakes"]

    filters = measure("filters", tmp_path, needed)
    assert filters.arrays["kernels"] == runs[0].arrays["kernels"]
    assert drawn("filters", concluded("filters", filters), tmp_path, needed) == ["filters-kernels"]


@pytest.mark.slow
@pytest.mark.usefixtures("few_images")
@pytest.mark.parametrize("id", ["shallow", "conv-2-relu", "expanded-two-fc-100", "simard-conv", "ciresan-mlp"])
def test_every_kind_of_network_trains(id, tmp_path):
    needed = {name: found_before(name) for name in EXPERIMENTS[id].needs}
    result = concluded(id, measure(id, tmp_path), needed=needed)
    assert len(result.claims) == len(EXPERIMENTS[id].claims)


# --- claims -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("id", "before", "after", "holds"),
    [
        ("conv-1", {"shallow": 0.978}, 0.9878, True),
        ("conv-1", {"shallow": 0.978}, 0.985, False),
        ("conv-1-no-fc", {"conv-1": 0.988}, 0.986, True),
        ("conv-1-no-fc", {"conv-1": 0.988}, 0.989, False),
        ("conv-2", {"conv-1": 0.988}, 0.9906, True),
        ("conv-2", {"conv-1": 0.988}, 0.9885, False),
        ("conv-2-relu", {"conv-2": 0.9906}, 0.9905, False),
        ("expanded", {"conv-2-relu": 0.9923}, 0.9937, True),
        ("expanded-fc-300", {"expanded": 0.9937}, 0.9946, True),
        ("expanded-two-fc-1000", {"expanded": 0.9937}, 0.9957, False),
        ("dropout", {"expanded": 0.9937}, 0.9955, True),
        ("dropout", {"expanded": 0.9937}, 0.9940, False),
    ],
)
def test_claims_hold_only_where_the_numbers_say_so(id, before, after, holds):
    [claim] = EXPERIMENTS[id].claims
    needed = {name: found_before(name, accuracy) for name, accuracy in before.items()}
    assert claim.finding([Measured({"test_accuracy": after})], needed).holds == holds


# --- the vote ---------------------------------------------------------------------------------------------------------

LABELS = np.array([0, 1, 2, 3])


def test_the_majority_decides_and_a_draw_goes_to_the_first_in_order():
    assert expanded_data.voted([{1: 7}, {1: 7}, {}], LABELS) == [[1, 7, 2]]
    assert expanded_data.voted([{1: 7}, {}, {}], LABELS) == []
    assert expanded_data.voted([{1: 7}, {1: 8}, {}], LABELS) == [[1, 7, 1]]
    assert expanded_data.voted([{}, {1: 8}, {1: 7}], LABELS) == []
    assert expanded_data.voted([{1: 5}, {1: 7}, {1: 7}, {}, {}], LABELS) == [[1, 7, 2]]


answers = st.lists(st.integers(0, 9), min_size=4, max_size=4)


@given(st.lists(answers, min_size=1, max_size=5))
def test_the_vote_is_that_over_all_answers(members):
    mistakes = [{i: a for i, a in enumerate(each) if a != LABELS[i]} for each in members]
    expected = []
    for i, label in enumerate(LABELS):
        given_answers = [each[i] for each in members]
        called = max(given_answers, key=given_answers.count)  # the first of those with the most votes
        if called != label:
            expected.append([i, called, given_answers.count(called)])
    assert expanded_data.voted(mistakes, LABELS) == expected


# --- kernels ----------------------------------------------------------------------------------------------------------


def test_roughness_is_one_for_noise_and_small_for_regions():
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(2_000, 5, 5))
    assert np.mean(feature_maps.roughness(noise)) == pytest.approx(25 / 24, abs=0.02)
    slope = np.broadcast_to(np.arange(5.0), (1, 5, 5))
    # neighbours across differ by 1, those below not at all; the variance of 0 ... 4 is 2
    np.testing.assert_allclose(feature_maps.roughness(slope), [0.5 / 4])
    board = (np.indices((5, 5)).sum(axis=0) % 2)[None].astype(float)
    assert feature_maps.roughness(board)[0] > 1.9
