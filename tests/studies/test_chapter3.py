"""Chapter 3's experiments: the closed ones against the text, the trainings shortened, on a few images."""

import json
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firsthand import nn
from firsthand.data import Splits, mnist
from firsthand.errors import FirsthandError
from firsthand.experiments.experiment import Measured, Run
from firsthand.experiments.records import conclude, record_of
from firsthand.studies import (
    catalogue,
    common,
    cost_functions,
    more_data,
    overfitting,
    polynomial,
    regularization,
    softmax,
    wide_networks,
)

pytestmark = pytest.mark.usefixtures("compiled_quickly")

THEMES = (cost_functions, softmax, overfitting, regularization, polynomial, more_data, wide_networks)
EXPERIMENTS = {each.id: each for theme in THEMES for each in theme.EXPERIMENTS}
ALL = {each.id: each for each in catalogue.EXPERIMENTS}  # what is needed may be of another chapter
# shared/EXPERIMENTS.md
PUBLISHED = {
    "cross-entropy-30": {"test_accuracy": 0.9549},
    "cross-entropy-100": {"test_accuracy": 0.9682},
    "overfit-1000": {"test_accuracy": 0.8227, "last_training_accuracy": 1.0},
    "overfit-50000": {"highest_training_accuracy": 0.9786, "test_accuracy": 0.9533},
    "l2-1000": {"test_accuracy": 0.871},
    "l2-50000": {"test_accuracy": 0.9649},
    "l2-100-hidden": {"last_validation_accuracy": 0.9792},
    "l2-100-hidden-60": {"last_validation_accuracy": 0.9804},
    "dropout-mlp": {"without_test_accuracy": 0.984, "dropout_l2_test_accuracy": 0.987},
    "simard-mlp": {"plain_test_accuracy": 0.984, "affine_test_accuracy": 0.989, "elastic_test_accuracy": 0.993},
}
CLOSED = (
    "neuron-quadratic-easy",
    "neuron-quadratic-stuck",
    "neuron-cross-entropy",
    "softmax-values",
    "softmax-temperature",
)
TRAINED = ("cross-entropy-30", "overfit-1000", "l2-1000", "l2-50000", "early-stopping")
LONG = ("l1", "cross-entropy-100", "l2-100-hidden", "l2-100-hidden-60", "more-data-svm", "dropout-mlp", "simard-mlp")


def few() -> Splits:
    data = mnist()
    return Splits(data.train[:300], data.validation[:100], data.test[:100])


@pytest.fixture
def on_a_few_images(monkeypatch):
    for module in (common, overfitting, regularization, more_data):
        monkeypatch.setattr(module, "mnist", few)
    monkeypatch.setattr(more_data, "QUICK_SIZES", (100, 200))


def result_of(id, place, *, quick=True, seeds=(0,)):
    """The Result of an experiment, after those that it needs, and those."""
    experiment = ALL[id]
    needed = {other: result_of(other, place, quick=quick)[0] for other in experiment.needs}
    records = []
    for seed in seeds:
        folder = place / id / str(seed)
        folder.mkdir(parents=True)
        records.append(record_of(seed, 1.0, experiment.measure(Run(seed, quick, folder, needed)), "a test"))
    return conclude(experiment, records, needed, quick=quick), needed


def check_drawn(id, result, needed):
    for drawing in ALL[id].drawings:
        figure = drawing.draw(result, needed)
        figure.draw_without_rendering()
        assert all(axes.lines or axes.patches for axes in figure.axes)
    assert {drawing.name for drawing in ALL[id].drawings} == set(result.captions)
    assert len(json.dumps(result.runs)) < 100_000


@pytest.mark.tiny
def test_they_are_those_of_the_list_with_its_numbers():
    # figures without a number, and those that are held against closed forms below
    others = {"overfit-50000", "polynomial", "early-stopping", "l1", "more-data", "more-data-svm"}
    assert set(EXPERIMENTS) == {*CLOSED, *TRAINED, *LONG, *PUBLISHED, *others}
    for id, numbers in PUBLISHED.items():
        assert {each.quantity: each.value for each in EXPERIMENTS[id].published} == numbers
        assert all(each.kind == "accuracy" for each in EXPERIMENTS[id].published)


def test_importing_them_is_light():
    names = ", ".join(theme.__name__ for theme in THEMES)
    code = f"import sys, {names}; print(*sys.modules)"
    modules = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert {"matplotlib", "sklearn"}.isdisjoint(modules)


# --- closed forms ---


@pytest.mark.parametrize("id", CLOSED)
def test_closed_forms_reach_what_is_published(id, tmp_path):
    result, needed = result_of(id, tmp_path, quick=False)
    assert result.published
    assert {result.verdict(published) for published in result.published} == {"reached"}
    check_drawn(id, result, needed)


@pytest.mark.parametrize("start", [(0.6, 0.9), (2.0, 2.0)])
@pytest.mark.parametrize("cost", [nn.quadratic, nn.cross_entropy])
def test_the_neuron_is_gradient_descent(start, cost, float64):
    def of(b):
        # a second output with target 1 that is right: what a label needs, and no cost that moves
        z = jnp.stack([jnp.asarray(start[0]) + b, jnp.asarray(40.0)])[None]
        return cost(z, jnp.array([1]), nn.sigmoid)[0]

    found = cost_functions.neuron(start, 0.15, cross_entropy=cost is nn.cross_entropy, epochs=1)
    slope = float(jax.grad(of)(jnp.asarray(start[1])))
    assert found.bias[1] == pytest.approx(start[1] - 0.15 * slope, rel=1e-12)
    assert found.cost[0] == pytest.approx(float(of(jnp.asarray(start[1]))), rel=1e-12)


def test_what_the_text_says_of_the_neuron_and_what_does_not_hold(tmp_path):
    stuck, _ = result_of("neuron-quadratic-stuck", tmp_path, quick=False)
    assert [finding.holds for _, finding in stuck.claims] == [True]
    cured, _ = result_of("neuron-cross-entropy", tmp_path, quick=False)
    # 300 epochs are too few for the learning rate that the text names
    assert [finding.holds for _, finding in cured.claims] == [True, True, False]


def test_the_claims_about_softmax_and_polynomials_hold(tmp_path):
    for id in ("softmax-values", "softmax-temperature", "polynomial"):
        result, needed = result_of(id, tmp_path, quick=False)
        assert result.claims
        assert all(finding.holds for _, finding in result.claims)
        check_drawn(id, result, needed)


# --- how claims are measured ---


def of_curves(**curves):
    return Measured({}, curves)


def test_when_test_accuracy_has_settled():
    rising = [0.5 + 0.3 * min(epoch, 200) / 200 for epoch in range(1, 401)]
    assert 200 <= overfitting._settled(rising) <= 210  # ten epochs on, all its neighbours are level
    assert overfitting._settled([0.5]) == 1


@given(st.lists(st.floats(0, 1), min_size=1, max_size=60))
def test_settling_is_at_one_of_the_epochs(accuracy):
    assert 1 <= overfitting._settled(accuracy) <= len(accuracy)


def test_a_training_cost_that_rises_is_found():
    falling = np.linspace(1, 0.1, 400)
    assert overfitting._training_cost_falls([of_curves(training_cost=falling.tolist())]).holds
    falling[300:] += np.tile([0, 0.1], 50)
    assert not overfitting._training_cost_falls([of_curves(training_cost=falling.tolist())]).holds


def test_a_test_accuracy_that_stands_still_does_not_rise():
    assert not regularization._still_rising([of_curves(test_accuracy=[0.8] * 400)]).holds
    assert regularization._still_rising([of_curves(test_accuracy=np.linspace(0.8, 0.9, 400).tolist())]).holds


@pytest.mark.parametrize(("weights", "share"), [([1.0] * 10, 0.5), ([9.0, -1, 1, 1], 0.25), ([0.0, 0, 0, -1], 0.25)])
def test_the_share_of_weights_that_holds_half(weights, share):
    assert regularization._share_with_half(np.array(weights)) == share


# --- trainings ---


@pytest.mark.usefixtures("on_a_few_images")
@pytest.mark.parametrize("id", [*TRAINED, *(pytest.param(id, marks=pytest.mark.slow) for id in LONG)])
def test_trainings_run_when_shortened_and_are_drawn(id, tmp_path):
    if id == "more-data-svm":
        pytest.importorskip("sklearn")
    result, needed = result_of(id, tmp_path)
    assert result.quick
    assert all(result.verdict(published) == "not compared" for published in result.published)
    assert all(
        0 <= value <= 1
        for name in result.runs[0]["numbers"]
        if "accuracy" in name and "epoch" not in name
        for value in result.values(name)
    )
    check_drawn(id, result, needed)
    for other, found in needed.items():
        check_drawn(other, found, {})


@pytest.mark.usefixtures("on_a_few_images")
def test_sizes_that_were_measured_before_a_stop_are_not_measured_again(tmp_path):
    asked = []

    def accuracies(run, size):
        asked.append(size)
        if size == 200 and len(asked) < 3:
            raise KeyboardInterrupt
        return {"validation": size / 1000, "test": 0.5}

    run = Run(0, True, tmp_path)
    with pytest.raises(KeyboardInterrupt):
        more_data._at_all_sizes(run, accuracies)
    found = more_data._at_all_sizes(run, accuracies)
    assert asked == [100, 200, 200]
    assert found.numbers["validation_accuracy_100"] == 0.1
    assert found.arrays["sizes"] == [100, 200]


@pytest.mark.usefixtures("on_a_few_images")
def test_without_scikit_learn_there_is_one_clear_line(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.svm", None)
    with pytest.raises(FirsthandError, match=r"^more-data-svm: scikit-learn is not installed; install it with: pip"):
        more_data._svm_at(Run(0, True, tmp_path), 100)


def test_the_network_must_be_ahead_everywhere_and_data_make_up_for_it():
    sizes = [100, 5000, 50_000]

    def at_sizes(*accuracies):
        numbers = {f"validation_accuracy_{size}": found for size, found in zip(sizes, accuracies, strict=True)}
        return Measured(numbers, {"sizes": sizes})

    records = [record_of(0, 1.0, at_sizes(0.6, 0.9, 0.95), "a test")]
    needed = {"more-data": conclude(EXPERIMENTS["more-data"], records, {}, quick=False)}
    for holds, runs in ((True, [at_sizes(0.3, 0.89, 0.94)]), (False, [at_sizes(0.3, 0.9, 0.9)])):
        found = [claim.finding(runs, needed).holds for claim in EXPERIMENTS["more-data-svm"].claims]
        assert found == [holds, holds]
