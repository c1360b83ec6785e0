"""The benchmarks measure the same thing in all frameworks, and the READMEs say what was measured."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks import summary
from benchmarks.speed import contest, cores, floor, nets, peers, steps

ROOT = Path(__file__).parents[2]

NEEDED = {"torch_eager": "torch", "torch_compile": "torch", "keras_jax": "keras", "sklearn_mlp": "sklearn"}


@pytest.fixture(scope="module")
def place():
    with contest.workplace() as folder:
        yield folder


@pytest.fixture(scope="module")
def ours(place):
    worker = contest.Worker("firsthand", 1, place)
    for net in ("784-30-10", "conv-2"):
        contest.prepare(place, net, worker, steps=0)
        assert contest.disagreement(worker, "train", place, net, 10, steps=1) == 0
    yield worker
    worker.close()


# torch.compile takes a C++ compiler and half a minute: its agreement is checked whenever it is timed
@pytest.mark.parametrize("peer", [peer for peer in peers.PEERS if peer not in ("firsthand", "torch_compile")])
def test_a_step_is_the_same_in_every_framework(peer, place, ours):
    if peer in NEEDED and importlib.util.find_spec(NEEDED[peer]) is None:
        pytest.skip(f"{NEEDED[peer]} is not installed (extra bench)")
    worker = contest.Worker(peer, 1, place)
    try:
        for net in ("784-30-10", "conv-2"):
            for variant in peers.VARIANTS[peer]:
                if variant.fits(nets.NETS[net]):
                    apart = contest.disagreement(worker, variant.name, place, net, 10, steps=1)
                    assert apart < 1e-4, (net, variant.name)
    finally:
        worker.close()


def test_a_contender_that_cannot_run_is_recorded_with_its_reason(place, ours):
    worker = contest.Worker("no_such_framework", 1, place)
    try:
        with pytest.raises(contest.Failed, match="no_such_framework"):
            worker.ask("versions")
    finally:
        worker.close()


def test_a_contender_whose_process_dies_is_recorded(place):
    worker = contest.Worker("firsthand", 1, place)
    worker.close()
    with pytest.raises(contest.Failed, match="the process ended"):
        worker.ask("versions")


def test_the_dense_floor_counts_forward_and_both_backward_passes():
    # conv 1: 24*24 positions, 5*5 taps, 20 filters; conv 2: 8*8 positions, 5*5*20, 40; FC 640 x 100; softmax 100 x 10
    forward = 24 * 24 * 25 * 20 + 8 * 8 * 500 * 40 + 64_000 + 1_000
    assert sum(n for _, n in floor.multiply_adds(nets.NETS["conv-2"])) == forward
    inputs = forward - 24 * 24 * 25 * 20  # none for the images
    assert floor.flops(nets.NETS["conv-2"], 10) == 2 * 10 * (2 * forward + inputs)


def test_the_sparse_floor_is_an_eighth_of_the_convolutions_backward_pass():
    dense, sparse = (floor.flops(nets.NETS["conv-2"], 1, sparse) for sparse in (False, True))
    assert dense - sparse == 2 * 7 / 8 * (24 * 24 * 25 * 20 + 2 * 8 * 8 * 500 * 40)


def test_the_networks_have_the_shapes_of_firsthands():
    from benchmarks.speed.peers.firsthand import network

    for net in nets.NETS.values():
        ours = [count for count in network(net).parameter_counts if count]
        assert ours == [int(np.prod(shape)) + shape[-1] for _, shape in nets.shapes(net)]


def test_ratios_are_paired_within_rounds():
    assert summary.ratios([2.0, 6.0, 10.0], [1.0, 2.0, 10.0])["values"] == [2.0, 3.0, 1.0]
    assert summary.spread([3.0, 1.0, 2.0])["median"] == 2.0


def test_a_target_that_was_not_measured_is_none():
    missing = [{"net": "conv-2", "batch_size": 10, "contenders": []}]
    assert {row["measured"] for row in steps.verdicts(missing)} == {None}
    assert {row["measured"] for row in cores.verdicts(missing)} == {None}


def test_the_gain_of_all_cores_is_paired_within_rounds():
    ours = [
        {"peer": "firsthand", "threads": n, "seconds_per_step": summary.spread(list(values))} for n, values in _TIMES
    ]
    rows = cores.verdicts([{"net": "conv-2", "batch_size": 10, "contenders": ours}])
    assert [row["measured"] for row in rows if row["what"].startswith("conv-2, mini-batch 10: firsthand")] == [2.0]


_TIMES = ((1, (2.0, 6.0, 10.0)), (2, (1.0, 2.0, 10.0)))


@pytest.mark.tiny
def test_the_readmes_say_what_was_measured():
    tool = [sys.executable, str(ROOT / "tools" / "documents" / "readme_tables.py"), "--check"]
    result = subprocess.run(tool, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr


def _tool(*arguments: str) -> subprocess.CompletedProcess[str]:
    tool = [sys.executable, str(ROOT / "tools" / "documents" / "readme_tables.py"), *arguments]
    return subprocess.run(tool, capture_output=True, text=True)


def test_the_check_finds_a_number_typed_by_hand(tmp_path):
    for name in ("README.md", "README.zh-CN.md"):
        (tmp_path / name).write_text("<!-- begin:performance -->\n<!-- end:performance -->\n", encoding="utf-8")
    (tmp_path / "results" / "benchmarks").mkdir(parents=True)
    timed = {"seconds_per_step": {"median": 0.001}, "ratio_to_firsthand_on_one_core": {"median": 1.0}}
    slower = {"seconds_per_step": {"median": 0.005}, "ratio_to_firsthand_on_one_core": {"median": 5.0}}
    step = {
        "net": "conv-2",
        "batch_size": 10,
        "contenders": [{"peer": "firsthand", "threads": 1, **timed}, {"peer": "torch_eager", "threads": 2, **slower}],
    }
    facts = {"machine": "a machine", "versions": {"jax": "1"}, "date": "today", "n": 5, "threads": [1, 2]}
    (tmp_path / "results" / "benchmarks" / "steps.json").write_text(json.dumps({**facts, "steps": [step]}))

    assert _tool("--check", "--root", str(tmp_path)).returncode == 1
    assert _tool("--root", str(tmp_path)).returncode == 0
    assert _tool("--check", "--root", str(tmp_path)).returncode == 0
    for name in ("README.md", "README.zh-CN.md"):
        text = (tmp_path / name).read_text(encoding="utf-8")
        assert "| 5.0× |" in text
        (tmp_path / name).write_text(text.replace("5.0×", "50×"), encoding="utf-8")
    assert _tool("--check", "--root", str(tmp_path)).returncode == 1


def test_an_unknown_marker_is_an_error(tmp_path):
    for name in ("README.md", "README.zh-CN.md"):
        (tmp_path / name).write_text("<!-- begin:nothing -->\n<!-- end:nothing -->\n", encoding="utf-8")
    result = _tool("--check", "--root", str(tmp_path))
    assert result.returncode != 0
    assert "begin:nothing" in result.stderr
