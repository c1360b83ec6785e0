"""The statistics of verdicts: against formulas written out, against simulated worlds, and what each word means."""

import math

import numpy as np
import pytest
from scipy import stats

from firsthand.experiments.statistics import (
    Interval,
    best_of,
    difference_of_accuracies,
    difference_of_values,
    judge,
    margin,
)


@pytest.mark.tiny
def test_the_interval_is_that_of_the_formula():
    values, p = [0.9897, 0.9909, 0.9903], 0.9906
    m, s = np.mean(values), np.std(values, ddof=1)
    images, seeds = p * (1 - p) / 1e4 + m * (1 - m) / 1e4, s**2 * (1 + 1 / 3)
    half = stats.t.ppf(0.975, 2 * ((images + seeds) / seeds) ** 2) * math.sqrt(images + seeds)
    assert difference_of_accuracies(p, values) == pytest.approx((m - p, m - p - half, m - p + half, True))
    fewer = difference_of_accuracies(p, values, images=1_000)
    assert fewer.high - fewer.low > 2 * half
    # runs that agree leave the noise of the images, which is normal
    same = difference_of_accuracies(0.95, [0.95, 0.95])
    assert same.high == pytest.approx(1.959964 * math.sqrt(2 * 0.95 * 0.05 / 1e4))


@pytest.mark.tiny
def test_the_best_of_three_is_that_of_three_of_our_runs():
    values, validation = [0.98, 0.97, 0.99, 0.96], [0.5, 0.7, 0.6, 0.1]
    # of the four groups of three, the second run is best in three, and the third in one
    assert best_of(values, validation, 3) == pytest.approx((3 * 0.97 + 0.99) / 4)
    assert best_of(values, validation, 1) == pytest.approx(np.mean(values))
    interval = difference_of_accuracies(0.97, values, k=3, chosen_by=validation)
    assert interval.difference == pytest.approx(best_of(values, validation, 3) - 0.97)
    assert interval.spread_known
    assert not difference_of_accuracies(0.97, values[:2], k=3, chosen_by=validation[:2]).spread_known
    assert not difference_of_accuracies(0.97, values[:1]).spread_known


def test_the_interval_covers_what_it_promises():
    """2,000 worlds, in which the published network and our five come from the same seeds' distribution."""
    rng = np.random.default_rng(0)
    images, ability, spread, n = 10_000, 0.97, 0.0015, 5
    covered = 0
    for _ in range(2000):
        luck = rng.normal(0, math.sqrt(ability * (1 - ability) / images))  # of our test images, shared by our seeds
        ours = ability + luck + rng.normal(0, spread, n)
        theirs = rng.binomial(images, ability + rng.normal(0, spread)) / images
        interval = difference_of_accuracies(theirs, list(ours), images=images)
        covered += interval.low <= 0 <= interval.high
    assert 0.94 < covered / 2000 < 0.97


@pytest.mark.tiny
def test_a_value_of_one_run_is_held_against_the_interval_for_one_more():
    values = [1.0, 2.0, 3.0, 4.0]
    interval = difference_of_values(2.0, values)
    half = stats.t.ppf(0.975, 3) * np.std(values, ddof=1) * math.sqrt(1.25)
    assert interval == pytest.approx((0.5, 0.5 - half, 0.5 + half, True))


@pytest.mark.tiny
@pytest.mark.parametrize(
    ("low", "high", "known", "verdict"),
    [
        (0.001, 0.003, True, "higher"),
        (-0.001, 0.003, True, "reached"),
        (0.0, 0.0, True, "reached"),
        (-0.003, 0.003, True, "cannot tell"),
        (-0.0015, -0.0005, True, "lower"),
        (-0.003, -0.0005, True, "missed"),
        (0.001, 0.003, False, "cannot tell"),
        (-0.003, -0.0005, False, "cannot tell"),
        (-0.005, -0.0025, False, "missed"),
    ],
)
def test_each_word_means_one_thing(low, high, known, verdict):
    assert judge(Interval((low + high) / 2, low, high, known), 0.002) == verdict


@pytest.mark.tiny
def test_too_far_is_half_as_many_errors_again_and_two_points():
    assert margin(0.996) == pytest.approx(0.002)
    assert margin(0.87) == 0.02
