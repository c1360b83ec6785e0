"""One training on several devices, and in several processes: real ones, one of which is killed."""

import os
import socket
import subprocess
import sys

import jax
import numpy as np
import pytest

from firsthand.errors import FirsthandError
from firsthand.learning import distributed
from firsthand.models import Model
from tests.processes import PATIENCE, finished, read_until, running

# sigmoids: a ReLU or a maximum that is nearly tied may fall differently when sums are taken in another order
OPTIONS = ("--recipe", "fully-connected", "--examples", "1000", "--epochs", "2", "--batch-size", "20", "--json")


def command(*more):
    return [sys.executable, "-m", "firsthand", "train", *OPTIONS, *map(str, more)]


def together(port, process, *more):
    place = ("--coordinator", f"127.0.0.1:{port}", "--processes", 2, "--process-id", process)
    return running(command(*place, *more), stderr=subprocess.PIPE)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    out = tmp_path_factory.mktemp("distributed") / "alone"
    finished(command("--out", out), check=True)
    return Model.load(out / "model.safetensors")


def assert_same(path, alone):
    found = Model.load(path / "model.safetensors")
    for one, other in zip(*map(jax.tree.leaves, (found.params, alone.params)), strict=True):
        assert np.linalg.norm(one - other) < 1e-5 * np.linalg.norm(other)


@pytest.mark.slow
def test_two_devices_are_one(alone, tmp_path):
    environment = {**os.environ, "XLA_FLAGS": "--xla_force_host_platform_device_count=2"}
    out = tmp_path / "two"
    finished(command("--devices", 2, "--out", out), check=True, env=environment)
    assert_same(out, alone)


def test_what_cannot_be_divided_is_said_in_one_line(tmp_path):
    for options, message in (
        (("--devices", 3), "--devices: found 3, expected 1 to 1"),
        (("--processes", 2), "--processes: several need a --coordinator"),
        (("--coordinator", "here", "--processes", 2), "--coordinator: found 'here', expected HOST:PORT"),
        (("--coordinator", "a:1", "--processes", 2, "--process-id", 2), "found 2 of 2 processes, expected 0 to 1"),
    ):
        done = finished(command(*options, "--out", tmp_path / "x"))
        assert done.returncode == 2
        assert message in done.stderr
        assert len(done.stderr.splitlines()) == 1


def test_a_name_at_which_no_other_machine_finds_this_one_is_one_line(monkeypatch):
    """Gloo would announce 127.0.1.1, as Debian has it in /etc/hosts, and others would wait for an answer from it."""
    monkeypatch.setattr(socket, "gethostname", lambda: "here")
    monkeypatch.setattr(socket, "gethostbyname", {"here": "127.0.1.1", "node0": "10.0.0.1"}.__getitem__)
    with pytest.raises(
        FirsthandError, match=r"found 127\.0\.1\.1 as the address of this machine's name, here, expected"
    ):
        distributed.join("node0:7733", 2, 1)


@pytest.mark.slow
def test_two_processes_are_one(alone, tmp_path):
    port, out = free_port(), tmp_path / "two"
    with together(port, 0, "--out", out) as first, together(port, 1) as second:
        for process in (first, second):
            _, errors = process.communicate(timeout=PATIENCE)
            assert process.returncode == 0, errors
    assert_same(out, alone)


@pytest.mark.slow
def test_a_lost_process_is_named_and_the_run_goes_on_without_it(tmp_path):
    port, out = free_port(), tmp_path / "two"
    many = ("--epochs", 500)
    with together(port, 0, "--out", out, *many) as first, together(port, 1, *many) as second:
        read_until(first, lambda line: '"epoch": 2' in line)
        second.kill()
        _, errors = first.communicate(timeout=PATIENCE)
    assert first.returncode == 2, errors
    assert "firsthand: another process of this training was lost" in errors
    resume = [sys.executable, "-m", "firsthand", "train", "--resume", str(out), "--json"]
    with running(resume) as resumed:
        line = read_until(resumed, lambda line: True)
    assert int(line.split('"epoch": ')[1].split(",")[0]) > 2
