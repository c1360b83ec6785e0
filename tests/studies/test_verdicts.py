"""Every verdict of results/ computed anew from the stored runs, by formulas of this file's own."""

import math
import re
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from firsthand.experiments.result import Result
from firsthand.report.experiments import VERDICTS, load_results, overall
from firsthand.report.experiments_page import experiments_page
from firsthand.studies.catalogue import EXPERIMENTS

ROOT = Path(__file__).parents[2]
RESULTS = sorted((ROOT / "results" / "experiments").glob("*.json"))
DECLARED = {experiment.id: experiment for experiment in EXPERIMENTS}


def numbers(result, quantity):
    """A number of every run, or the end of its curve."""
    return [
        run["numbers"].get(quantity, (run["arrays"].get(quantity.removeprefix("last_")) or [None])[-1])
        for run in result.runs
    ]


def word(result, published, quantity):
    values = np.array(numbers(result, quantity))
    n, p = len(values), published.value
    if published.kind == "exact" or (published.kind == "value" and np.ptp(values) <= 1e-6 * abs(p)):
        return "reached" if abs(values.mean() - p) <= published.tolerance + 1e-9 else "missed"
    if published.kind == "value":
        half = stats.t.ppf(0.975, n - 1) * values.std(ddof=1) * math.sqrt(1 + 1 / n)
        return "reached" if abs(values.mean() - p) <= half else "missed"
    k = published.best_of
    if n < max(2, k):
        m = values.mean()
        high = m - p + 1.959964 * math.sqrt((p * (1 - p) + m * (1 - m)) / published.images)
        return "missed" if high < -min((1 - p) / 2, 0.02) else "cannot tell"
    chosen_by = numbers(result, "validation_accuracy")
    m = (
        np.mean([values[max(g, key=lambda i: chosen_by[i])] for g in combinations(range(n), k)])
        if k > 1
        else values.mean()
    )
    images = (p * (1 - p) + m * (1 - m)) / published.images
    seeds = values.var(ddof=1) * (1 + k / n)
    degrees = (n - 1) * ((images + seeds) / seeds) ** 2 if seeds else 1e9
    half = stats.t.ppf(0.975, degrees) * math.sqrt(images + seeds)
    far = min((1 - p) / 2, 0.02)
    low, high = m - p - half, m - p + half
    if low > 0:
        return "higher"
    if high < 0:
        return "lower" if low > -far else "missed"
    return "reached" if low >= -far else "cannot tell"


@pytest.mark.tiny
@pytest.mark.parametrize("path", RESULTS, ids=lambda path: path.stem)
def test_the_verdicts_are_those_of_the_stored_runs(path):
    result = Result.load(path)
    experiment = DECLARED[result.id]
    assert result.published == experiment.published, "declared anew: python tools/documents/renew_results.py"
    assert [text for text, _ in result.claims] == [claim.text for claim in experiment.claims]
    for published in result.published:
        expected = word(result, published, published.quantity)
        if expected not in ("reached", "higher") and published.explained_by:
            by = word(result, published, published.explained_by)
            expected = "explained" if by == "reached" else expected
        assert result.verdict(published) == expected, published


@pytest.mark.tiny
def test_the_first_line_of_the_report_counts_them(tmp_path):
    results = load_results(RESULTS[0].parent)
    said = re.search(r"<p><strong>(.*?)</strong></p>", experiments_page(results, [], tmp_path, "en"))
    assert said is not None
    every = [result.verdict(published) for result in results for published in result.published]
    counts = {verdict: every.count(verdict) for verdict in VERDICTS if verdict in every}
    assert f"{len(every)} published numbers: " + ", ".join(f"{c} {v}" for v, c in counts.items()) + ";" in said[1]
    held = [finding.holds for result in results for _, finding in result.claims]
    assert f"{len(held)} claims: {sum(held)} hold, {len(held) - sum(held)} do not;" in said[1]


@pytest.mark.tiny
def test_the_pages_of_results_say_the_same(tmp_path):
    for name, at in (("docs/results.md", 0), ("docs/results.zh-CN.md", 1)):
        rows = dict(re.findall(r"^\| `([\w-]+)` \|.*\| ([^|]+) \| [^|]+ \|$", (ROOT / name).read_text(), re.M))
        for path in RESULTS:
            assert rows[path.stem].strip("* ") == VERDICTS[overall(Result.load(path))][at], path.stem
