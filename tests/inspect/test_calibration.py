"""Calibration: known answers by hand, temperatures that come back, and what becomes of them in files and runs."""

import dataclasses
import json

import jax
import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.special import log_softmax, softmax

from firsthand import nn
from firsthand.data import Dataset, Splits, mnist
from firsthand.errors import FirsthandError
from firsthand.inspect import (
    brier_score,
    expected_calibration_error,
    mistakes,
    negative_log_likelihood,
    reliability,
)
from firsthand.inspect.plots import plot_reliability
from firsthand.learning import Classification, Recipe, train
from firsthand.models import CalibrationError, Model, ModelFileError, best_temperature, fit_temperature

DATA = mnist()

# five examples, two classes: confidences 0.95, 0.85, 0.85 (wrong), 0.55, 0.6 (wrong)
P = np.array([[0.95, 0.05], [0.85, 0.15], [0.15, 0.85], [0.45, 0.55], [0.6, 0.4]])
LABELS = np.array([0, 0, 0, 1, 1])


@pytest.mark.tiny
def test_known_answers():
    found = reliability(P, LABELS, bins=10)
    assert found.n.tolist() == [0, 0, 0, 0, 0, 2, 0, 0, 2, 1]
    np.testing.assert_allclose(found.confidence[[5, 8, 9]], [0.575, 0.85, 0.95])
    np.testing.assert_allclose(found.accuracy[[5, 8, 9]], [0.5, 0.5, 1.0])
    assert np.all(np.isnan(found.accuracy[:5]))
    # 2/5 * |0.5 - 0.575| + 2/5 * |0.5 - 0.85| + 1/5 * |1 - 0.95|
    assert expected_calibration_error(P, LABELS, bins=10) == pytest.approx(0.03 + 0.14 + 0.01)
    assert expected_calibration_error(P, LABELS, bins=1) == pytest.approx(abs(3 / 5 - 3.8 / 5))
    assert negative_log_likelihood(P, LABELS) == pytest.approx(-np.mean(np.log([0.95, 0.85, 0.15, 0.55, 0.4])))
    assert brier_score(P, LABELS) == pytest.approx(2 * np.mean(np.square([0.05, 0.15, 0.85, 0.45, 0.6])))


def test_a_bin_holds_its_upper_edge():
    found = reliability(np.array([[0.5, 0.5], [0.75, 0.25], [1.0, 0.0]]), np.zeros(3, int), bins=4)
    assert found.n.tolist() == [0, 1, 1, 1]


def test_zero_probability_costs_much_but_not_everything():
    p = np.array([[1, 0], [1, 0]], np.float32)
    assert negative_log_likelihood(p, np.array([0, 0])) == 0
    assert 40 < negative_log_likelihood(p, np.array([0, 1])) < 50


def row_of_probabilities(n, classes):
    z = arrays(np.float64, (n, classes), elements=st.floats(-20, 20))
    return z.map(lambda z: softmax(z, axis=1))


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_properties_of_the_scores(data):
    n, classes, bins = (data.draw(st.integers(low, high)) for low, high in ((1, 30), (2, 6), (1, 20)))
    p = data.draw(row_of_probabilities(n, classes))
    labels = data.draw(arrays(np.int64, n, elements=st.integers(0, classes - 1)))
    found = reliability(p, labels, bins)
    full = found.n > 0
    assert found.n.sum() == n
    # confidence lies in its bin, and what is weighted together again gives the whole
    assert np.all(found.confidence[full] > found.edges[:-1][full] - 1e-12)
    assert np.all(found.confidence[full] <= found.edges[1:][full] + 1e-12)
    accuracy = np.mean(p.argmax(axis=1) == labels)
    assert np.sum(found.accuracy[full] * found.n[full]) / n == pytest.approx(accuracy)
    error = expected_calibration_error(p, labels, bins)
    assert abs(accuracy - p.max(axis=1).mean()) - 1e-9 <= error <= 1 + 1e-9
    assert 0 <= brier_score(p, labels) <= 2
    assert negative_log_likelihood(p, labels) >= 0
    order = np.random.default_rng(0).permutation(n)
    assert expected_calibration_error(p[order], labels[order], bins) == pytest.approx(error)


@pytest.mark.parametrize(
    ("p", "labels", "message"),
    [
        (np.zeros((0, 2)), np.zeros(0, int), "shape \\(0, 2\\)"),
        (np.ones(3), np.zeros(3, int), "shape \\(3,\\)"),
        (P, LABELS[:3], "expected integers \\(5,\\)"),
        (P, LABELS.astype(float), "float64"),
        (P, LABELS + 1, "labels: 1 to 2, expected 0 to 1"),
        (P * 2, LABELS, "sum to 1"),
        (P * np.nan, LABELS, "sum to 1"),
    ],
)
def test_other_things_are_refused(p, labels, message):
    for score in (reliability, brier_score, negative_log_likelihood):
        with pytest.raises(FirsthandError, match=message):
            score(p, labels)


def test_bins_are_one_or_more():
    with pytest.raises(FirsthandError, match="bins is 0"):
        reliability(P, LABELS, 0)


def drawn(seed, n=4000, classes=5):
    """Weighted inputs, and labels drawn with exactly the probabilities softmax(z)."""
    rng = np.random.default_rng(seed)
    z = rng.normal(0, 2, (n, classes))
    labels = (softmax(z, axis=1).cumsum(axis=1) < rng.uniform(size=(n, 1))).sum(axis=1)
    return z, labels


@pytest.mark.tiny
def test_labels_drawn_from_softmax_have_temperature_one():
    z, labels = drawn(0)
    assert best_temperature(z, labels) == pytest.approx(1, abs=0.05)
    assert expected_calibration_error(softmax(z, axis=1), labels) < 0.03


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 1000), scale=st.floats(0.1, 10))
def test_scaled_inputs_scale_the_temperature(seed, scale):
    z, labels = drawn(seed, n=300)
    once = best_temperature(z, labels)
    assert best_temperature(scale * z, labels) == pytest.approx(scale * once, rel=1e-6)
    # what is added to all of a row changes nothing
    assert best_temperature(z + 7, labels) == pytest.approx(once, rel=1e-6)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 1000), other=st.floats(0.02, 50))
def test_no_other_temperature_is_better(seed, other):
    z, labels = drawn(seed, n=100)

    def cost(temperature):
        return -np.mean(log_softmax(z / temperature, axis=1)[np.arange(len(z)), labels])

    assert cost(best_temperature(z, labels)) <= cost(other) + 1e-12


def test_data_that_say_nothing_are_refused():
    z = np.eye(3)[[0, 1, 2, 0]] * 4
    with pytest.raises(CalibrationError, match=r"4 validation images, of which 100\.00% are right \(more confidence"):
        best_temperature(z, np.array([0, 1, 2, 0]))
    with pytest.raises(CalibrationError, match="less confidence is always better"):
        best_temperature(z, np.array([1, 2, 0, 1]))


@pytest.fixture(scope="module", params=["softmax", "sigmoid"])
def trained(request):
    """A small network that has learned too few images too well."""
    layers = (nn.FullyConnected(30, nn.relu), nn.Softmax(10) if request.param == "softmax" else nn.FullyConnected(10))
    cost = nn.log_likelihood if request.param == "softmax" else nn.cross_entropy
    splits = Splits(DATA.train[:300], DATA.validation[:1000], None)
    recipe = Recipe(60, 10, 0.3, objective=Classification(cost), keep_best=False)
    return train(nn.Network(layers), splits, recipe, key=jax.random.key(0)).model


def test_a_fitted_model_is_calibrated_and_says_the_same(trained):
    test = DATA.test[:2000]
    fitted = fit_temperature(trained, DATA.validation[:2000])
    np.testing.assert_array_equal(fitted.predict(test.images), trained.predict(test.images))
    assert fitted.accuracy(test) == trained.accuracy(test)
    before, after = (model.probabilities(test.images) for model in (trained, fitted))
    np.testing.assert_allclose(after.sum(axis=1), 1, rtol=1e-5)
    assert np.mean(after.argmax(axis=1) == trained.predict(test.images)) == 1
    assert negative_log_likelihood(after, test.labels) < negative_log_likelihood(before, test.labels)
    assert expected_calibration_error(after, test.labels) < 0.05
    about = fitted.provenance["calibration"]
    assert about["temperature"] == fitted.temperature
    assert about["n"] == 2000
    assert about["nll_after"] < about["nll_before"]
    validation = DATA.validation[:2000]
    for model, name in ((trained, "nll_before"), (fitted, "nll_after")):
        cost = negative_log_likelihood(model.probabilities(validation.images), validation.labels)
        assert cost == pytest.approx(about[name], rel=1e-6)


def test_three_times_the_weighted_inputs_three_times_the_temperature(trained):
    tripled = [dict(layer) for layer in trained.params]
    tripled[-1] = {name: 3 * value for name, value in tripled[-1].items()}
    one = fit_temperature(trained, DATA.validation[:1000])
    three = fit_temperature(dataclasses.replace(trained, params=tuple(tripled)), DATA.validation[:1000])
    assert one.temperature is not None
    assert three.temperature == pytest.approx(3 * one.temperature, rel=1e-4)
    images = DATA.test.images[:50]
    np.testing.assert_allclose(three.probabilities(images), one.probabilities(images), rtol=1e-3, atol=1e-6)


def test_mistakes_have_calibrated_probabilities(trained):
    test = DATA.test[:500]
    fitted = fit_temperature(trained, DATA.validation[:1000])
    probabilities = fitted.probabilities(test.images)
    for mistake in mistakes(fitted, test):
        assert mistake.probability == pytest.approx(probabilities[mistake.index, mistake.predicted])


def test_the_temperature_survives_the_file(trained, tmp_path):
    fitted = fit_temperature(trained, DATA.validation[:1000])
    loaded = Model.load(fitted.save(tmp_path / "m.safetensors"))
    assert loaded.temperature == fitted.temperature
    images = DATA.test.images[:20]
    np.testing.assert_array_equal(loaded.probabilities(images), fitted.probabilities(images))
    assert Model.load(trained.save(tmp_path / "n.safetensors")).temperature is None


def with_about(path, change):
    with safetensors.safe_open(path, framework="numpy") as file:
        about = json.loads(file.metadata()["firsthand"])
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no dict
    change(about)
    path.write_bytes(safetensors.numpy.save(tensors, {"firsthand": json.dumps(about)}))


def test_files_from_before_there_were_temperatures_load(trained, tmp_path):
    path = trained.save(tmp_path / "m.safetensors")
    with_about(path, lambda about: about.pop("temperature"))
    assert Model.load(path).temperature is None


@pytest.mark.parametrize("bad", [0, -1.5, float("nan"), float("inf"), "2", True, [1.0]])
def test_a_bad_temperature_is_refused(trained, tmp_path, bad):
    path = trained.save(tmp_path / "m.safetensors")
    with_about(path, lambda about: about.update(temperature=bad))
    with pytest.raises(ModelFileError, match=r"temperature is .*, expected a positive, finite number") as error:
        Model.load(path)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)
    with pytest.raises(FirsthandError, match="temperature is"):
        dataclasses.replace(trained, temperature=bad)


def test_other_images_are_refused(trained):
    other = Dataset(np.zeros((2, 5, 5, 1), np.uint8), np.array([0, 1]), ("a", "b"))
    with pytest.raises(FirsthandError, match="images have shape"):
        fit_temperature(trained, other)


def test_no_images_have_no_probabilities(trained):
    fitted = dataclasses.replace(trained, temperature=2.0)
    assert fitted.probabilities(DATA.test.images[:0]).shape == (0, 10)


def test_reliability_diagrams_are_drawn():
    figure = plot_reliability({"before": reliability(P, LABELS), "after": reliability(P[:1], LABELS[:1])})
    titles = [axes.get_title() for axes in figure.axes]
    assert "before\nexpected calibration error 18.00%, n = 5" in titles
    figure.savefig("/dev/null", format="png")
