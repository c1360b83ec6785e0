"""Commands whose trainings are done by the workers of a Dask cluster, through the front door."""

import json
import sys

import numpy as np
import pytest

from firsthand.models import Ensemble
from tests.dask import cluster

pytest.importorskip("optuna")

SHORT = ("--recipe", "fully-connected", "--examples", "300", "--epochs", "2")


@pytest.fixture(scope="module")
def address():
    with cluster() as found:
        yield found


@pytest.fixture
def firsthand(command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return command


@pytest.mark.slow
def test_members_are_those_of_this_machine(address, firsthand):
    code, out, err = firsthand("train", *SHORT, "--members", 2, "--out", "far", "--scheduler", address)
    assert (code, err) == (0, "")
    assert out.startswith(f"2 trainings, each a task of {address}\n")
    assert firsthand("train", *SHORT, "--members", 2, "--out", "near")[0] == 0
    far, near = (Ensemble.load(f"{name}/model.safetensors") for name in ("far", "near"))
    assert far.provenance == near.provenance
    for one, other in zip(far.members, near.members, strict=True):
        np.testing.assert_array_equal(one.params[0]["weights"], other.params[0]["weights"])


def test_a_sweep_leaves_what_it_leaves_here(address, firsthand, tmp_path):
    arguments = ("sweep", *SHORT, "--values", "learning_rate=0.1,0.5", "--json")
    code, _, err = firsthand(*arguments, "--out", "far", "--scheduler", address)
    assert (code, err) == (0, "")
    assert {each.name for each in tmp_path.iterdir()} == {"far"}  # and no checkpoints
    assert firsthand(*arguments, "--out", "near")[0] == 0
    assert json.loads((tmp_path / "far/sweep.json").read_text()) == json.loads(
        (tmp_path / "near/sweep.json").read_text()
    )


def test_a_search_finds_what_it_finds_here(address, firsthand):
    arguments = ("search", *SHORT, "--space", "learning_rate=0.1:1", "--trials", 2, "--json", "--storage")
    code, out, err = firsthand(*arguments, "far", "--scheduler", address)
    assert (code, err) == (0, "")
    found = [json.loads(line) for line in out.splitlines()]
    assert [event["event"] for event in found] == ["trial", "trial", "done"]
    here = [json.loads(line) for line in firsthand(*arguments, "near")[1].splitlines()]
    for one, other in zip(found, here, strict=True):
        assert one.get("settings") == other.get("settings")
        assert one.get("accuracy") == other.get("accuracy")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train"], "--scheduler: found ADDRESS for one network, expected --members N beside it"),
        (["train", "--members", "2", "--device", "cpu"], "--device: found cpu beside --scheduler, whose workers"),
        (["train", "--members", "2", "--threads", "1"], "--threads: found 1 beside --scheduler"),
        (["train", "--members", "2", "--devices", "1"], "--devices: found 1 beside --scheduler"),
        (["sweep", "--values", "l2=0,1", "--device", "cpu"], "--device: found cpu beside --scheduler"),
        (["search", "--space", "l2=0:1", "--device", "cpu"], "--device: found cpu beside --scheduler"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_mistakes_get_one_line(address, firsthand, tmp_path, arguments, message):
    code, out, err = firsthand(*arguments, "--scheduler", address)
    assert (code, out) == (2, "")
    assert err.startswith("firsthand: ")
    assert err.count("\n") == 1
    assert message.replace("ADDRESS", address) in err
    assert not list(tmp_path.iterdir())


def test_a_cluster_that_is_not_there_is_said_before_anything_is_made(firsthand, tmp_path, monkeypatch):
    for command in (["train", "--members", 2], ["sweep", "--values", "l2=0,1"], ["search", "--space", "l2=0:1"]):
        with monkeypatch.context() as patched:
            patched.setattr("firsthand.cluster.PATIENCE", 0.5)
            code, out, err = firsthand(*command, "--scheduler", "tcp://127.0.0.1:9")
        assert (code, out) == (2, "")
        assert "found tcp://127.0.0.1:9, expected the address of a Dask scheduler that answers" in err
        with monkeypatch.context() as patched:
            patched.setitem(sys.modules, "distributed", None)
            code, out, err = firsthand(*command, "--scheduler", "tcp://127.0.0.1:9")
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert "distributed not found: pip install 'firsthand[cluster]'" in err
    assert not list(tmp_path.iterdir())
