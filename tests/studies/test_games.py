"""The studies of games: what they conclude from what was measured."""

import numpy as np
import pytest

from firsthand.experiments.experiment import Measured
from firsthand.studies import pong
from firsthand.studies.games import EXPERIMENTS, _far_above_chance, _matters, smoothed
from tests.studies.test_chapter3 import ALL, result_of


def runs(both, without, name="no_replay"):
    return [
        Measured({"score_both": a, f"score_{name}": b, "score_at_random": 0.5, "steps_of_the_game": 1e5})
        for a, b in zip(both, without, strict=True)
    ]


@pytest.mark.tiny
def test_every_run_must_be_better():
    assert _matters("no_replay", runs([5, 6], [4, 3])).holds
    assert not _matters("no_replay", runs([5, 6], [4, 5.5])).holds
    assert _far_above_chance("breakout", 5, runs([5, 6], [0, 0])).holds
    assert not _far_above_chance("breakout", 5.5, runs([5, 6], [0, 0])).holds


@pytest.mark.tiny
def test_curves_are_means_of_ten_epochs():
    assert smoothed(list(np.arange(25.0))) == [4.5, 14.5]
    assert smoothed([1.0, 2.0]) == [1.5]


@pytest.mark.tiny
def test_pong_must_be_played_better_than_by_a_human_in_every_run():
    def run(score):
        numbers = {"score": score, "deviation": 1.0, "score_at_random": -20.5, "steps_of_the_game": 6e5}
        return Measured(numbers, {"scores": [score, -1.0]})

    [claim] = pong.EXPERIMENTS[0].claims
    assert claim.finding([run(12.0)], {}).holds
    assert "50% of them won" in claim.finding([run(12.0)], {}).measured.en
    assert not claim.finding([run(12.0), run(9.0)], {}).holds


@pytest.mark.slow
@pytest.mark.parametrize("id", [experiment.id for experiment in (*EXPERIMENTS, *pong.EXPERIMENTS)])
def test_games_are_learned_when_shortened_and_drawn(id, tmp_path):
    if id == "pong":
        pytest.importorskip("ale_py", reason="Pong needs the extra gym")
    result, needed = result_of(id, tmp_path)
    for drawing in ALL[id].drawings:
        drawing.draw(result, needed).draw_without_rendering()
    assert all(np.isfinite(value) for value in result.runs[0]["numbers"].values())
