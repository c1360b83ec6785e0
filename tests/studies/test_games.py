"""The studies of games: what they conclude from what was measured."""

import numpy as np
import pytest

from firsthand.experiments.experiment import Measured
from firsthand.studies.games import EXPERIMENTS, _curve, _far_above_chance, _matters
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
    assert _curve(list(np.arange(25.0))) == [4.5, 14.5]
    assert _curve([1.0, 2.0]) == [1.5]


@pytest.mark.slow
@pytest.mark.parametrize("id", [experiment.id for experiment in EXPERIMENTS])
def test_games_are_learned_when_shortened_and_drawn(id, tmp_path):
    result, needed = result_of(id, tmp_path)
    for drawing in ALL[id].drawings:
        drawing.draw(result, needed).draw_without_rendering()
    assert all(np.isfinite(value) for value in result.runs[0]["numbers"].values())
