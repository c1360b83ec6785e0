"""The experiments of chapter 2, and Grokking's: what they measure, their figures, and the committed result."""

import json
from pathlib import Path

import numpy as np
import pytest

from firsthand.experiments.experiment import Measured, Run
from firsthand.experiments.figures import draw_figures
from firsthand.experiments.records import check_measured, conclude, record_of
from firsthand.experiments.result import Result
from firsthand.studies import backpropagation, first_networks, grokking
from firsthand.studies.backpropagation import finite_differences

RESULTS = Path(__file__).parents[2] / "results" / "experiments"
EXPERIMENTS = {
    each.id: each for each in (*first_networks.EXPERIMENTS, *backpropagation.EXPERIMENTS, *grokking.EXPERIMENTS)
}


def measure(id, place, quick=True, say=lambda line: None):
    measured = EXPERIMENTS[id].measure(Run(0, quick, place, say=say))
    check_measured(measured)
    return measured


def concluded(id, measured, quick=True):
    record = json.loads(json.dumps(record_of(0, 1.0, measured, "a machine")))
    return conclude(EXPERIMENTS[id], [record], {}, quick=quick)


def test_finite_differences_of_a_quadratic_function_are_its_slopes_and_put_everything_back():
    a, b = np.array([[1.0, -2.0], [0.5, 3.0]]), np.array([4.0])
    kept = a.copy(), b.copy()
    calls = []

    def cost():
        calls.append(1)
        return float(np.sum(a**2) + 3 * b[0])

    slopes = finite_differences(cost, [a, b], 1e-6)
    np.testing.assert_allclose(slopes[0], 2 * a + 1e-6, atol=1e-8)
    np.testing.assert_allclose(slopes[1], [3.0], atol=1e-8)
    assert len(calls) == 1 + a.size + b.size
    np.testing.assert_array_equal(a, kept[0])
    np.testing.assert_array_equal(b, kept[1])


@pytest.mark.parametrize("id", ["full-matrix", "why-backprop"])
def test_gradients_agree_and_passes_are_counted(id, tmp_path):
    result = concluded(id, measure(id, tmp_path), quick=False)
    by_claim = {text.en: finding.holds for text, finding in result.claims}
    exact = [holds for claim, holds in by_claim.items() if "fast" not in claim and "as much as two" not in claim]
    assert len(exact) == {"full-matrix": 1, "why-backprop": 2}[id]
    assert all(exact)
    assert draw_figures(EXPERIMENTS[id], result, {}, tmp_path / "figures")


def test_the_first_network_says_which_digits_it_has_not_learned(tmp_path):
    measured = measure("quadratic-30", tmp_path)
    assert measured.numbers["highest_test_accuracy"] == max(measured.arrays["test_accuracy"])
    assert measured.numbers["digits_not_learned"] in range(10)
    # of a digit that is not learned, at least half of its share of the test images is wrong
    assert measured.numbers["test_accuracy"] < 1 - 0.04 * measured.numbers["digits_not_learned"]
    assert draw_figures(EXPERIMENTS["quadratic-30"], concluded("quadratic-30", measured), {}, tmp_path)


def test_the_listing_goes_on_where_it_was_stopped(tmp_path, monkeypatch):
    monkeypatch.setattr(grokking, "VARIANTS", {"printed": grokking.VARIANTS["printed"]})

    def stop(line):
        raise KeyboardInterrupt

    stopped, whole = tmp_path / "stopped", tmp_path / "whole"
    stopped.mkdir()
    whole.mkdir()
    with pytest.raises(KeyboardInterrupt):
        measure("grokking-cnn", stopped, say=stop)
    lines = []
    gone_on = measure("grokking-cnn", stopped, say=lines.append)
    assert len(lines) == 1
    assert lines[0].startswith("printed 2/2")
    assert gone_on == measure("grokking-cnn", whole)
    assert gone_on.numbers["first_training_accuracy"] == 0.055  # as the text prints it


def test_the_committed_result_is_the_printed_run(tmp_path):
    result = Result.load(RESULTS / "grokking-cnn.json")
    (run,) = result.runs
    assert run["numbers"]["test_accuracy"] == 0.8774
    assert {result.verdict(published) for published in result.published} == {"reached"}
    # the claim as the file has it, and as its arrays say
    ((_, finding),) = result.claims
    (claim,) = EXPERIMENTS["grokking-cnn"].claims
    assert finding == claim.finding([Measured(run["numbers"], run["arrays"])], {})
    assert finding.holds
    assert len(run["arrays"]["printed_test"]) == 300
    assert draw_figures(EXPERIMENTS["grokking-cnn"], result, {}, tmp_path)
