"""Members as tasks of a Dask cluster, real processes: each is the training alone with its key, whatever is killed."""

import os
import pickle
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

import jax
import numpy as np
import pytest

from firsthand import cluster, nn
from firsthand.cluster import AtWork, Cluster, remove_kept
from firsthand.data import Examples, Splits, mnist
from firsthand.errors import FirsthandError
from firsthand.learning import Classification, Diverged, History, Recipe, Source, Training, train, train_members
from tests.dask import ROOT, scheduler, worker
from tests.dask import cluster as running_cluster
from tests.processes import PATIENCE, read_until, running, wait_until

NETWORK = nn.Network((nn.FullyConnected(12), nn.Softmax(10)))
RECIPE = Recipe(3, 10, 0.5, momentum=0.5)
KEYS = [jax.random.fold_in(jax.random.key(3), member) for member in range(3)]


def some(n=200):
    splits = mnist()
    return Splits(splits.train[:n], splits.validation[:100], splits.test[:100])


def assert_same(found, expected):
    for one, other in zip(found, expected, strict=True):
        jax.tree.map(np.testing.assert_array_equal, one.model.params, other.model.params)
        assert one.model.provenance == other.model.provenance
        times = {"seconds", "evaluation_seconds"}
        both = [
            [{k: v for k, v in record.items() if k not in times} for record in t.history.records] for t in (one, other)
        ]
        assert both[0] == both[1]
        assert one.history.stopped == other.history.stopped


@pytest.fixture(scope="module")
def address():
    with running_cluster(threads=2) as found:
        yield found


def test_members_on_a_cluster_are_alone_bit_for_bit(address, tmp_path):
    seen = []
    data, path = some(), tmp_path / "checkpoint"
    given = {"keys": KEYS, "checkpoint": path, "scheduler": address}
    found = train_members(NETWORK, data, RECIPE, progress=seen.append, **given)
    assert_same(found, train_members(NETWORK, data, RECIPE, keys=KEYS))
    told = [(at.member, at.epoch) for at in seen if at.record]
    assert sorted(told) == [(m, e) for m in range(3) for e in (1, 2, 3)]
    with pytest.raises(FirsthandError, match="params found on another machine"):
        seen[-1].params()
    assert sorted(each.name for each in tmp_path.iterdir()) == [f"checkpoint-{m}" for m in range(3)]
    longer = RECIPE.changed(epochs=4)
    found = train_members(NETWORK, data, longer, resume=True, **given)
    assert_same(found, train_members(NETWORK, data, longer, keys=KEYS))


def test_an_ensemble_on_a_cluster_is_the_same(address, tmp_path):
    given = {"key": 3, "members": 2, "verbose": False}
    found = train(NETWORK, some(), RECIPE, checkpoint=tmp_path / "c", scheduler=address, **given)
    here = train(NETWORK, some(), RECIPE, **given)
    assert found.model.provenance == here.model.provenance
    with pytest.raises(FirsthandError, match="expected members beside it"):
        train(NETWORK, some(), RECIPE, key=3, scheduler=address)


def test_layers_of_a_program_go_along(address, tmp_path):
    """A worker cannot import from a program or a notebook."""
    namespace = {"__name__": "__main__", "nn": nn, "dataclass": dataclass}
    exec(
        "@dataclass(frozen=True)\n"
        "class Double(nn.Layer):\n"
        "    def out_shape(self, in_shape):\n"
        "        return in_shape\n"
        "    def apply(self, params, x, *, key=None, train=False):\n"
        "        return twice(x)\n"
        "def twice(x):\n"
        "    return 2 * x\n",
        namespace,
    )
    network = nn.Network((nn.FullyConnected(12), namespace["Double"](), nn.Softmax(10)))
    found = train_members(network, some(), RECIPE, keys=KEYS[:1], checkpoint=tmp_path / "c", scheduler=address)
    assert_same(found, train_members(network, some(), RECIPE, keys=KEYS[:1]))
    assert isinstance(found[0].model.network.layers[1], namespace["Double"])


def test_one_that_diverges_ends_all_and_says_so(address, tmp_path):
    network = nn.Network((nn.FullyConnected(12, nn.relu), nn.FullyConnected(10, nn.linear)))
    recipe = Recipe(2, 10, 1e30, objective=Classification(nn.quadratic))
    with pytest.raises(Diverged, match="learning rate") as far:
        train_members(network, some(), recipe, keys=KEYS, checkpoint=tmp_path / "c", scheduler=address)
    with pytest.raises(Diverged) as near:
        train_members(network, some(), recipe, keys=KEYS)
    assert str(far.value) == str(near.value)
    assert pickle.loads(pickle.dumps(Diverged("", Training("model", History())))).training.model == "model"


def test_a_progress_function_that_fails_ends_all(address, tmp_path):
    def fail(at):
        raise ZeroDivisionError("mine")

    with pytest.raises(ZeroDivisionError, match="mine"):
        train_members(
            NETWORK,
            some(),
            RECIPE.changed(epochs=100_000),
            keys=KEYS,
            progress=fail,
            checkpoint=tmp_path / "c",
            scheduler=address,
        )


def test_mistakes_are_one_line(address, tmp_path, monkeypatch):
    given = {"keys": KEYS, "scheduler": address}
    with pytest.raises(FirsthandError, match="found a scheduler without a checkpoint, expected a file in a folder"):
        train_members(NETWORK, some(), RECIPE, **given)
    given["checkpoint"] = tmp_path / "c"
    monkeypatch.setattr(cluster, "PATIENCE", 5.0)
    with pytest.raises(FirsthandError, match=r"found tcp://127\.0\.0\.1:9, expected the address of a Dask scheduler"):
        train_members(NETWORK, some(), RECIPE, **{**given, "scheduler": "tcp://127.0.0.1:9"})
    data = some()._replace(test=threading.Lock())
    with pytest.raises(FirsthandError, match=r"cannot be sent to another machine .*lock"):
        train_members(NETWORK, data, RECIPE, **given)
    with monkeypatch.context() as patched:
        patched.setattr(cluster, "versions", lambda: {"firsthand": "0.0", "python": "3.11.2"})
        with pytest.raises(FirsthandError, match=r"tcp://\S+ has (firsthand|python|jax) \S+, expected"):
            train_members(NETWORK, some(), RECIPE, **given)
    with monkeypatch.context() as patched:
        patched.setitem(sys.modules, "distributed", None)
        with pytest.raises(FirsthandError, match=r"distributed not found: pip install 'firsthand\[cluster\]'"):
            train_members(NETWORK, some(), RECIPE, **given)
    assert list(tmp_path.iterdir()) == []


def ask(here: AtWork):
    """Wait on a worker until there is a reason to stop."""
    here.say("begun")
    while not here.stopped():
        pass
    return "stopped"


def test_a_worker_that_does_not_see_the_folder_says_so(address, tmp_path):
    with Cluster(address) as client, pytest.raises(FirsthandError, match="expected a folder that all machines share"):
        client.call(ask, seen=tmp_path / "nowhere" / "file")


def test_a_task_stops_when_asked_and_when_its_file_has_gone(address, tmp_path):
    """A client that was killed removes nothing; the next one does."""
    with Cluster(address) as client, client.keeping("something", tmp_path / "c") as kept:
        assert kept.read() == "something"
        said = []
        assert client.call(ask, seen=kept.path, tell=said.append, interrupted=lambda: bool(said)) == "stopped"
        with pytest.raises(FirsthandError, match="found no such file any more"):
            client.call(ask, seen=kept.path, tell=lambda message: remove_kept(tmp_path / "c"))
        assert not kept.path.exists()
        kept.path.write_text("other")
        with pytest.raises(FirsthandError, match="found another content"):
            kept.read()
    assert list(tmp_path.iterdir()) == []


def count(here: AtWork):
    """The threads that XLA computes with, once it has begun."""
    jax.block_until_ready(jax.numpy.ones((500, 500)) @ jax.numpy.ones((500, 500)))
    names = [path.read_text().strip() for path in Path("/proc/self/task").glob("*/comm")]
    return [name for name in names if "XLAEigen" in name]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="finds the threads of a process in /proc")
def test_a_worker_keeps_to_the_cores_of_its_threads(tmp_path, monkeypatch):
    monkeypatch.delenv("NPROC", raising=False)
    for threads in (1, 3):
        with running_cluster(threads) as found, Cluster(found) as client:
            assert len(client.call(count, seen=tmp_path)) == threads


def test_without_workers_ctrl_c_does_not_wait(tmp_path):
    with scheduler() as found, Cluster(found) as client, pytest.raises(KeyboardInterrupt):
        client.call(ask, seen=tmp_path, interrupted=lambda: True)


@dataclass(frozen=True)
class Counted(Source):
    """The same examples in every epoch, and a line in a file for each that begins."""

    data: Examples
    path: Path

    def examples(self, epoch, params, *, key):
        with self.path.open("a") as file:
            file.write(f"{epoch}\n")
        return self.data

    @property
    def like(self):
        return self.data

    @property
    def digest(self):
        return self.data.digest


def counted():
    return some()._replace(train=Counted(some().train, Path("epochs").absolute()))


PROGRAM = """
import sys
import jax, numpy as np
from pathlib import Path
from firsthand.learning import train_members
from tests.learning.test_members_on_cluster import KEYS, NETWORK, RECIPE, counted
tell = lambda at: print(at.member, at.epoch, flush=True)
given = {"keys": KEYS, "progress": tell, "checkpoint": Path("checkpoint"), "scheduler": sys.argv[1]}
found = train_members(NETWORK, counted(), RECIPE.changed(epochs=int(sys.argv[2])), **given)
np.savez("found.npz", *(a for each in found for a in jax.tree.leaves(each.model.params)))
print("stopped:", *(each.history.stopped for each in found))
"""


def program(address, epochs, folder):
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    environment = {**os.environ, "PYTHONPATH": path}
    command = [sys.executable, "-c", PROGRAM, address, epochs]
    return running(command, cwd=folder, env=environment, stderr=subprocess.PIPE)


@pytest.mark.slow
def test_a_member_of_a_worker_that_is_killed_resumes_on_another(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with scheduler() as address, worker(address) as first, worker(address), program(address, 300, tmp_path) as client:
        read_until(client, lambda line: int(line.split()[1]) >= 3)
        first.send_signal(signal.SIGKILL)
        said, errors = client.communicate(timeout=PATIENCE)
    assert client.returncode == 0, errors
    told = [tuple(map(int, line.split())) for line in said.splitlines() if not line.startswith("stopped")]
    assert {member for member, epoch in told if epoch == 300} == {0, 1, 2}
    begun = [int(line) for line in Path("epochs").read_text().split()]
    # the epoch in which the worker was killed, and the one whose checkpoint was not written yet
    assert 3 * 300 <= len(begun) <= 3 * 300 + 2
    found = np.load("found.npz")
    expected = train_members(NETWORK, counted(), RECIPE.changed(epochs=300), keys=KEYS)
    leaves = [a for each in expected for a in jax.tree.leaves(each.model.params)]
    assert len(found.files) == len(leaves)
    for name, a in zip(found.files, leaves, strict=True):
        np.testing.assert_array_equal(found[name], a)


@pytest.mark.slow
def test_ctrl_c_stops_the_tasks_and_keeps_their_epochs(tmp_path):
    with running_cluster(threads=3) as address, program(address, 1_000_000, tmp_path) as client:
        begun = set()
        read_until(client, lambda line: begun.add(line.split()[0]) or len(begun) == 3)
        wait_until(lambda: len(list(tmp_path.glob("checkpoint-*"))) == 3)
        client.send_signal(signal.SIGINT)
        said, errors = client.communicate(timeout=PATIENCE)
        assert client.returncode == 0, errors
        assert said.splitlines()[-1].count("interrupted: kept epoch") == 3
        assert not list(tmp_path.glob(".*"))
        epochs = (tmp_path / "epochs").read_text()
        with Cluster(address) as other:  # the worker is free again
            assert other.call(end, seen=tmp_path) == "done"
        assert (tmp_path / "epochs").read_text() == epochs


def end(here: AtWork):
    return "done"
