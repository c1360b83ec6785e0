"""Chapter 5's experiments: the gradients against oracles, the closed forms against the text, and the figures."""

import json

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firsthand import nn
from firsthand.data import Splits, mnist
from firsthand.experiments.experiment import Measured, Run
from firsthand.experiments.figures import draw_figures
from firsthand.experiments.records import check_measured, conclude, record_of
from firsthand.learning import Classification
from firsthand.nn import Network
from firsthand.reference import fully_connected
from firsthand.reference.functions import CROSS_ENTROPY
from firsthand.studies import common, deep_networks, learning_speed, sigmoid_problems, unstable_gradients

pytestmark = pytest.mark.usefixtures("compiled_quickly")

EXPERIMENTS = {each.id: each for each in deep_networks.EXPERIMENTS}
DATA = mnist()


def concluded(id, *measured, needed=None):
    """A Result as the runs of a file become one."""
    records = [record_of(seed, 1.0, each, "a machine") for seed, each in enumerate(measured)]
    return conclude(EXPERIMENTS[id], json.loads(json.dumps(records)), needed or {}, quick=False)


def shallower(*accuracies):
    """Results of networks with 1, 2, ... hidden layers."""
    found = [
        Measured({"validation_accuracy": each, "test_accuracy": 0.9}, {"validation_accuracy": [each]})
        for each in accuracies
    ]
    return {f"depth-{hidden}": concluded(f"depth-{hidden}", each) for hidden, each in enumerate(found, 1)}


def drawn(id, result, folder, needed=None):
    return [path.stem for path in draw_figures(EXPERIMENTS[id], result, needed or {}, folder)]


def measure(id, place, needed=None, seed=0):
    measured = EXPERIMENTS[id].measure(Run(seed, True, place, needed or {}))
    check_measured(measured)
    return measured


# --- the closed forms -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("id", ["one-neuron-chain", "narrow-window", "identity-neuron"])
def test_closed_forms_have_the_published_values_and_are_drawn(id, tmp_path):
    result = concluded(id, measure(id, tmp_path))
    assert [result.verdict(each) for each in result.published] == ["reached"] * len(result.published)
    assert [finding.holds for _, finding in result.claims] == {
        "one-neuron-chain": [True, True, True],
        "narrow-window": [True],
        # that no constant is needed is what the text says and what is not so
        "identity-neuron": [True, False],
    }[id]
    assert drawn(id, result, tmp_path) == [f"{id}-{drawing.name}" for drawing in EXPERIMENTS[id].drawings]


@given(st.integers(0, 2**32 - 1), st.integers(1, 6))
@settings(max_examples=20, deadline=None)
def test_the_gradient_of_a_chain_is_that_of_finite_differences(seed, layers):
    rng = np.random.default_rng(seed)
    w, b, a = rng.normal(size=(3, layers)), rng.normal(size=(3, layers)), rng.random(3)

    def output(b):
        found = a
        for j in range(layers):
            found = 1 / (1 + np.exp(-(w[:, j] * found + b[:, j])))
        return found

    step = 1e-5 * np.eye(layers)
    for layer in range(layers):
        difference = (output(b + step[layer]) - output(b - step[layer])) / 2e-5
        np.testing.assert_allclose(
            unstable_gradients.Chain(w, b, a).gradient(layer + 1), difference, rtol=1e-3, atol=1e-10
        )


@given(st.floats(4, 50))
def test_at_both_ends_of_the_window_the_factor_is_one(w):
    edge = w * sigmoid_problems.window(w) / 2
    assert w * unstable_gradients.slope(edge) == pytest.approx(1, abs=1e-5)


def test_the_closest_identity_touches_its_error_four_times():
    # Chebyshev: the best of three parameters has an error that reaches its largest value with alternating signs
    x = np.linspace(0, 1, 101)
    w1, b, w2 = sigmoid_problems.closest_to_the_identity(x)
    error = w2 / (1 + np.exp(-(w1 * x + b))) - x
    at = np.flatnonzero(np.abs(error) > 0.999 * np.abs(error).max())
    signs = np.sign(error[at])
    assert 1 + np.count_nonzero(np.diff(signs)) == 4


# --- the speed of learning --------------------------------------------------------------------------------------------


def test_the_first_lengths_are_those_of_backpropagation_written_out():
    few, key = DATA.train[:50], jax.random.key(1)
    params = Network(learning_speed.hidden_layers(2)).init(key=key)
    x = few.images.reshape(50, -1).T / 255
    gradient = fully_connected.backprop_matrix(
        [np.asarray(part["weights"], float).T for part in params],
        [np.asarray(part["bias"], float)[:, None] for part in params],
        x,
        np.eye(10)[few.labels].T,
        CROSS_ENTROPY,
    )
    expected = [np.linalg.norm(nabla_b) / 50 for nabla_b in gradient.nabla_b[:-1]]
    found = learning_speed.speeds(2, few, epochs=2, penalty=0.0, key=key)
    np.testing.assert_allclose(found[0], expected, rtol=1e-4)
    assert np.all(found[1] < found[0])


def test_biases_start_as_wide_as_the_text_has_them():
    params = Network(learning_speed.hidden_layers(1)).init(key=jax.random.key(0))
    assert np.std(params[0]["bias"]) == pytest.approx(1, abs=0.4)
    assert np.std(params[0]["weights"]) == pytest.approx(784**-0.5, rel=0.05)


def test_the_start_is_measured_against_the_text_and_drawn(tmp_path):
    runs = [measure("gradient-at-start", tmp_path, seed=seed) for seed in range(5)]
    result = concluded("gradient-at-start", *runs)
    assert all(result.verdict(each) == "reached" for each in result.published)
    assert result.claims[0][1].holds
    assert drawn("gradient-at-start", result, tmp_path) == ["gradient-at-start-units", "gradient-at-start-lengths"]


def test_speeds_are_measured_and_drawn(tmp_path, monkeypatch):
    monkeypatch.setattr(learning_speed, "IMAGES", 100)
    found = measure("speed-of-learning", tmp_path)
    assert set(map(len, found.arrays["speeds_4"])) == {len(found.arrays["epochs"])}
    assert len(found.arrays["speeds_3_without_penalty"]) == 3
    assert found.numbers["ratio_at_start_4"] == found.numbers["ratio_at_start_4_without_penalty"] > 10
    result = concluded("speed-of-learning", found)
    assert len(result.claims) == 3
    assert drawn("speed-of-learning", result, tmp_path) == ["speed-of-learning-speeds"]


def test_claims_about_the_speed_can_fail():
    shares = {f"first_slower_{k}{suffix}": 0.4 for k in (2, 3, 4) for suffix in ("", "_without_penalty")}
    ratios = {f"{name}_4": 50.0 for name in ("ratio_at_start", "largest_ratio", "ratio_at_end")}
    run = Measured(
        {**shares, **ratios, "ratio_at_end_4_without_penalty": 1.0},
        {"epochs": [0, 5, 10], "speeds_2": [[1.0, 0.5, 0.6], [1.0, 0.5, 0.6]]},
    )
    claims = EXPERIMENTS["speed-of-learning"].claims
    assert [claim.finding([run], {}).holds for claim in claims] == [False, False, False]
    assert "40%/40%/40%" in claims[0].finding([run], {}).measured.en


# --- depth ------------------------------------------------------------------------------------------------------------


def test_four_networks_are_compared_and_drawn(tmp_path, monkeypatch):
    few = Splits(DATA.train[:200], DATA.validation[:100], DATA.test[:100])
    monkeypatch.setattr(common, "mnist", lambda: few)
    needed = shallower(0.91, 0.92, 0.93)
    result = concluded("depth-4", measure("depth-4", tmp_path), needed=needed)
    assert result.claims[0][1].measured.en.startswith("with 1 to 4 hidden layers: 91.00%, 92.00%, 93.00%, ")
    assert drawn("depth-4", result, tmp_path, needed) == ["depth-4-depth"]


@pytest.mark.parametrize(("four", "holds"), [(0.9690, True), (0.9750, False)])
def test_four_layers_are_no_better_only_if_they_are_not(four, holds):
    [claim] = EXPERIMENTS["depth-4"].claims
    run = Measured({"validation_accuracy": four})
    assert claim.finding([run], shallower(0.9648, 0.9690, 0.9657)).holds == holds


def test_networks_and_penalty_are_those_of_the_text():
    network = Network(learning_speed.hidden_layers(3))
    assert [shape[-1] for shape in network.shapes[1:]] == [30, 30, 30, 10]
    assert deep_networks.RECIPE.l2 == 5.0 / 50_000
    assert deep_networks.RECIPE.objective == Classification(nn.cross_entropy)
