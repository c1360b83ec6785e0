"""Searches and sweeps on the workers of a Dask cluster: what comes of them is what comes of them here."""

import signal
from typing import Any

import jax
import numpy as np
import pytest

from firsthand.errors import FirsthandError
from firsthand.search import Range, Search, search, sweep
from firsthand.search.on_cluster import work_on_cluster
from tests.dask import cluster, scheduler, worker

from .test_search import DATA, SMALL, SPACE
from .test_sweep import KEY, NETWORK, some

pytest.importorskip("optuna")


@pytest.fixture(scope="module")
def address():
    with cluster(threads=2) as found:
        yield found


def plain(result):
    return [(t.number, t.settings, t.accuracy, t.state, t.epochs) for t in result.trials]


def test_a_search_by_one_worker_is_the_search_here(address, tmp_path):
    """Two threads of one process do not take the same trial."""
    seen = []
    found = search(
        SMALL, DATA, SPACE, trials=5, storage=tmp_path / "a", progress=seen.append, scheduler=address, workers=2
    )
    assert plain(found) == plain(search(SMALL, DATA, SPACE, trials=5, storage=tmp_path / "b"))
    assert [trial.number for trial in seen] == [0, 1, 2, 3, 4]
    assert {each.name for each in tmp_path.iterdir()} == {"a", "a.lock", "b", "b.lock"}


def test_a_search_that_fails_on_a_worker_says_so(address, tmp_path):
    with pytest.raises(FirsthandError, match="trials is 0, expected 1 or more"):
        search(SMALL, DATA, SPACE, trials=0, storage=tmp_path / "a", scheduler=address)


def test_a_sweep_on_a_cluster_is_the_sweep_here(address, tmp_path):
    recipe = SMALL.changed(epochs=2).recipe
    values: dict[str, Any] = {"learning_rate": [0.1, 0.5], "dropout": [0.0, 0.5]}
    found = sweep(NETWORK, some(), recipe, key=KEY, checkpoint=tmp_path / "c", scheduler=address, **values)
    here = sweep(NETWORK, some(), recipe, key=KEY, **values)
    assert found.rows() == here.rows()
    for one, other in zip(found.points, here.points, strict=True):
        jax.tree.map(np.testing.assert_array_equal, one.training.model.params, other.training.model.params)


@pytest.mark.slow
def test_the_trial_of_a_worker_that_is_killed_is_tried_again(tmp_path):
    chosen, space = SMALL.changed(epochs=200), {"learning_rate": Range(0.01, 1, log=True)}
    with scheduler() as address, worker(address) as first, worker(address):
        opened = Search(chosen, DATA, space, storage=tmp_path / "s")
        killed = []

        def kill(trial):
            if not killed:
                first.send_signal(signal.SIGKILL)
                killed.append(trial.number)

        work_on_cluster(opened, 8, address, progress=kill)
    trials = opened.result().trials
    assert killed
    assert [trial.number for trial in trials] == list(range(8))
    assert {trial.state for trial in trials} <= {"complete", "pruned"}
    # what it found can be trained again, and every trial has the epochs of its own beginning
    assert all(trial.epochs == 200 for trial in trials if trial.state == "complete")
