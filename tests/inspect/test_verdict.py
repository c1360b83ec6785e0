"""The verdict on overfitting: hand-made histories with known answers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firsthand.errors import FirsthandError
from firsthand.inspect import accuracy_noise, cost_turn, overfitting
from firsthand.learning import History

pytestmark = pytest.mark.tiny


def history(training, validation, cost=None):
    records = [
        {"epoch": number, "training_accuracy": t, "validation_accuracy": v}
        for number, (t, v) in enumerate(zip(training, validation, strict=True), start=1)
    ]
    for record, c in zip(records, cost or [], strict=False):
        record["validation_cost"] = c
    return History(records)


def verdict(*curves, training_images=1000, validation_images=1000):
    return overfitting(history(*curves), training_images=training_images, validation_images=validation_images)


def test_a_difference_within_its_noise_is_none():
    found = verdict([0.9, 0.95], [0.9, 0.94])
    assert found.kind == "none"
    # two standard errors of 0.95 and 0.94 on 1,000 images each: 2.04 points
    assert 2 * found.noise == pytest.approx(2 * np.sqrt((0.95 * 0.05 + 0.94 * 0.06) / 1000))
    assert "95.00% of the training images are right, 94.00% of the validation images" in found.english
    assert "没有可测得的过拟合" in found.chinese
    # the same difference on a hundred times as many images is more than noise
    assert verdict([0.95], [0.94], training_images=100_000, validation_images=100_000).kind == "gap"


def test_a_gap_without_harm():
    found = verdict([0.9, 0.99], [0.88, 0.93], [0.3, 0.2])
    assert (found.kind, found.epoch, found.cost_turned, found.accuracy_fell) == ("gap", 2, None, 0)
    assert found.gap == pytest.approx(0.06)
    assert "6.00 points apart" in found.english
    assert "6.00 个百分点" in found.chinese


def test_overfitting_by_the_cost_as_in_chapter_3():
    cost = [1.0, 0.7, 0.6, 0.65, 0.72, 0.78, 0.85, 0.9]
    found = verdict([0.8, 0.9, 0.95, 0.97, 0.99, 1, 1, 1], [0.7, 0.75, 0.78, 0.8, 0.81, 0.82, 0.82, 0.82], cost)
    assert (found.kind, found.cost_turned, found.accuracy_fell) == ("overfitting", 3, 0)
    assert "the validation cost was least at epoch 3" in found.english
    assert "验证代价在第 3 个 epoch 最低" in found.chinese


def test_overfitting_by_the_accuracy():
    found = verdict([0.9, 1.0], [0.9, 0.8])
    assert (found.kind, found.cost_turned) == ("overfitting", None)
    assert found.accuracy_fell == pytest.approx(0.1)
    assert "fallen by 10.00 points" in found.english


def test_what_is_missing_is_said():
    with pytest.raises(FirsthandError, match="no training_accuracy"):
        overfitting(History([{"epoch": 1, "validation_accuracy": 0.5}]), training_images=1, validation_images=1)
    with pytest.raises(FirsthandError, match="n is 0"):
        verdict([1.0], [1.0], validation_images=0)


@given(st.integers(4, 40), st.floats(0.001, 0.1), st.integers(0, 2**32 - 1))
def test_noise_alone_turns_no_cost(epochs, size, seed):
    """A cost that falls all the way, with noise that is small beside the fall."""
    noise = np.random.default_rng(seed).uniform(-1, 1, epochs) * size
    assert cost_turn(list(10 - np.arange(epochs) * 3 * size + noise)) is None


@given(st.integers(1, 10), st.integers(4, 30))
def test_a_steady_rise_is_a_turn(fall, rise):
    cost = [*np.linspace(2, 1, fall, endpoint=False), *np.linspace(1, 3, rise + 1)]
    assert cost_turn(cost) == fall


@given(st.floats(0, 1), st.integers(1, 10**6))
def test_noise_is_never_nothing(accuracy, n):
    assert 0 < accuracy_noise(accuracy, n) <= 0.5 / np.sqrt(n) * (1 + 1e-12)  # rounded twice
