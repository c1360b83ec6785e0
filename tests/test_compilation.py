"""Compiled programs kept between processes: the same results, and no failure whatever happens to the files."""

import json
import os
import platform
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from firsthand import compilation
from tests.processes import PATIENCE, wait_until

# a donating training step with the compiled kernels; says what was compiled, and a digest of all results
PROGRAM = """
import hashlib, json, sys
import jax, numpy as np
from jax import monitoring
from firsthand import Splits, compilation, mnist, nn, train
from firsthand.learning import Recipe

folder = compilation.keep_compilations()
counts = {"hits": 0, "misses": 0}
def listen(event, **about):
    name = event.rpartition("cache_")[2]
    if event.startswith("/jax/compilation_cache/cache_") and name in counts:
        counts[name] += 1
monitoring.register_event_listener(listen)
data = mnist()
data = Splits(data.train[:40], data.validation[:20], data.test[:20])
network = nn.Network((nn.ConvPool(3), nn.FullyConnected(700, nn.relu), nn.Softmax(10)))
found = train(network, data, Recipe(epochs=1, batch_size=10, learning_rate=0.1), key=jax.random.key(0))
numbers = b"".join(np.asarray(w).tobytes() for w in jax.tree.leaves(found.model.params))
print(json.dumps({**counts, "folder": folder and str(folder), "digest": hashlib.sha256(numbers).hexdigest()}))
"""


def start(cache):
    environment = {**os.environ, compilation.VARIABLE: str(cache)}
    environment.pop("JAX_COMPILATION_CACHE_DIR", None)
    command = [sys.executable, "-W", "error", "-c", PROGRAM]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def outcome(cache):
    process = start(cache)
    out, said = process.communicate(timeout=PATIENCE)
    assert (process.returncode, said) == (0, "")
    return json.loads(out)


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    root = tmp_path_factory.mktemp("compiled") / "cache"
    return root, outcome(root), outcome("off")


def files(folder):
    return {path: path.read_bytes() for path in Path(folder).iterdir()}


def test_the_second_process_compiles_nothing_and_computes_the_same(first):
    root, one, without = first
    assert without["folder"] is None
    assert without["hits"] == without["misses"] == 0
    assert one["misses"] > 5
    two = outcome(root)
    assert (two["misses"], two["hits"]) == (0, one["misses"] + one["hits"])
    assert two["digest"] == one["digest"] == without["digest"]
    assert Path(one["folder"]).parent == root
    assert {path.stat().st_mode & 0o777 for path in (root, Path(one["folder"]))} == {0o700}


@pytest.mark.slow
def test_damaged_files_are_compiled_anew(first):
    root, one, _ = first
    damaged = [*files(one["folder"])][:3]
    damaged[0].write_bytes(b"")
    damaged[1].write_bytes(damaged[1].read_bytes()[:-100])
    content = bytearray(damaged[2].read_bytes())
    content[len(content) // 2] ^= 1
    damaged[2].write_bytes(content)
    again = outcome(root)
    assert (again["misses"], again["digest"]) == (3, one["digest"])
    assert outcome(root)["misses"] == 0


@pytest.mark.slow
def test_a_kill_while_files_are_written_leaves_whole_ones(first, tmp_path):
    _, one, _ = first
    folder = tmp_path / Path(one["folder"]).name
    process = start(tmp_path)
    try:
        wait_until(lambda: folder.exists() and len(os.listdir(folder)) > 2, "some programs were kept")
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == -signal.SIGKILL
    for path, content in files(folder).items():
        if not path.name.startswith("."):
            assert compilation._Files(folder).get(path.name) == content[:-16]
    assert outcome(tmp_path)["digest"] == one["digest"]


@pytest.mark.slow
def test_a_folder_that_cannot_be_used_is_left_alone(tmp_path):
    (tmp_path / "file").touch()
    assert outcome(tmp_path / "file" / "cache")["folder"] is None


def test_each_python_has_a_folder_of_its_own(tmp_path, monkeypatch):
    """3.14 compresses in a way that those before it cannot read, under the same names."""
    monkeypatch.setenv(compilation.VARIABLE, str(tmp_path / "cache"))
    ours = compilation._folder()
    assert ours is not None
    monkeypatch.setattr(platform, "python_version_tuple", lambda: ("3", "99", "0"))
    assert compilation._folder() != ours


def test_a_folder_that_others_can_write_to_is_not_trusted(tmp_path, monkeypatch):
    monkeypatch.setenv(compilation.VARIABLE, str(tmp_path))
    tmp_path.chmod(0o700)
    assert compilation._folder() is not None
    tmp_path.chmod(0o770)
    assert compilation._folder() is None


def test_a_full_or_vanished_folder_loses_the_entry_only(tmp_path):
    kept = compilation._Files(tmp_path / "gone")
    kept.put("key", b"program")
    assert kept.get("key") is None


def test_what_was_not_used_for_longest_makes_room(tmp_path):
    for used, folder in ((0, "old-version"), (10, "version")):
        (tmp_path / folder).mkdir()
        for number in range(4):
            path = tmp_path / folder / str(number)
            path.write_bytes(bytes(100))
            os.utime(path, (0, used + number))
    compilation._trim(tmp_path, 800)
    assert len([*tmp_path.rglob("?")]) == 8
    compilation._trim(tmp_path, 799)  # to 599 at most
    left = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("?"))
    assert left == ["old-version/3", *(f"version/{number}" for number in range(4))]
