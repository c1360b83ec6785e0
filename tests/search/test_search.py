"""The search: what it proposes and prunes, and what becomes of it when processes are interrupted or killed."""

import inspect
import json
import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import jax
import numpy as np
import pytest

from firsthand import cli, nn
from firsthand.data import Dataset, Splits, mnist
from firsthand.errors import FirsthandError
from firsthand.learning import Cosine, Recipe, RecipeError, train
from firsthand.processes import Locks
from firsthand.report.search import plot_search
from firsthand.search import Choices, Range, Search, search
from firsthand.search.journal import JOURNAL
from firsthand.search.search import numeric_fields
from firsthand.zoo import FULLY_CONNECTED, NamedRecipe
from tests.processes import PATIENCE, children_of, is_alive, read_until, running, wait_until

journal = pytest.importorskip("optuna.storages.journal")

SMALL = NamedRecipe("small", "for tests", (nn.Softmax(10),), Recipe(4, 10, 0.1))
SPACE = {"learning_rate": Range(1e-4, 10, log=True)}


def reduced(data: Dataset) -> Dataset:
    return Dataset(np.ascontiguousarray(data.images[:, 2::4, 2::4]), data.labels, data.classes)


DATA = Splits(reduced(mnist().train[:200]), reduced(mnist().validation[:100]), None)


class NoTest(Splits):
    @property
    def test(self):
        raise AssertionError("the test data were looked at")


def test_finds_prunes_and_never_looks_at_test_data(tmp_path):
    seen = []
    data = NoTest(DATA.train, DATA.validation, None)
    found = search(SMALL, data, SPACE, trials=12, storage=tmp_path / "s", progress=seen.append)
    assert [trial.number for trial in seen] == list(range(12)) == [trial.number for trial in found.trials]
    assert tuple(seen) == found.trials == found.finished
    states = {trial.state for trial in found.trials}
    assert "pruned" in states
    assert all(trial.epochs < 4 for trial in found.trials if trial.state == "pruned")
    assert all(1e-4 <= trial.settings["learning_rate"] <= 10 for trial in found.trials)
    assert len({trial.settings["learning_rate"] for trial in found.trials}) == 12
    best = found.best
    assert best is not None
    assert best.accuracy == max(trial.accuracy or 0 for trial in found.trials if trial.state == "complete")
    # what it found can be trained again
    network = nn.Network(SMALL.layers, DATA.train.image_shape)
    model, _ = train(network, DATA, SMALL.changed(**best.settings).recipe, key=jax.random.key(0))
    assert model.provenance["accuracies"]["validation"] == best.accuracy
    figure = plot_search(found, SPACE)
    assert [axes.get_xlabel() for axes in figure.axes] == ["trial", "learning_rate"]
    figure.savefig("/dev/null", format="png")


def test_goes_on_as_if_never_interrupted(tmp_path):
    whole = search(SMALL, DATA, SPACE, trials=6, storage=tmp_path / "a", seed=3)
    search(SMALL, DATA, SPACE, trials=2, storage=tmp_path / "b", seed=3)
    parts = search(SMALL, DATA, SPACE, trials=6, storage=tmp_path / "b", seed=3)
    assert [(t.settings, t.accuracy, t.state) for t in parts.trials] == [
        (t.settings, t.accuracy, t.state) for t in whole.trials
    ]
    other = search(SMALL, DATA, SPACE, trials=1, storage=tmp_path / "c", seed=4)
    assert other.trials[0].settings != whole.trials[0].settings


TWO = {"learning_rate": Range(0.01, 1, log=True), "l2": Range(1e-6, 1e-3, log=True)}
KILLED_AT = """
import os, signal
from tests.search.test_search import DATA, SMALL, TWO, search
from optuna.storages.journal import JournalFileBackend
left, append = int(sys.argv[2]), JournalFileBackend.append_logs
def counted(*arguments):
    global left
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    left -= 1
    return append(*arguments)
JournalFileBackend.append_logs = counted
print("ready", flush=True)
search(SMALL, DATA, TWO, trials=5, storage=path, seed=3)
"""


@pytest.mark.slow
def test_a_search_whose_processes_are_killed_ends_as_if_none_were(tmp_path):
    """Real kills between any two lines of the journal, half-made proposals included: the same trials, none lost."""
    whole = search(SMALL, DATA, TWO, trials=5, storage=tmp_path / "a", seed=3)
    for lines in (3, 1, 4, 2, 7):  # that each of the processes lives to write
        with in_another_process(KILLED_AT, tmp_path / "b", lines) as process:
            assert process.wait(120) == -signal.SIGKILL
    parts = search(SMALL, DATA, TWO, trials=5, storage=tmp_path / "b", seed=3)
    assert [(t.number, t.settings, t.accuracy, t.state, t.epochs) for t in parts.trials] == [
        (t.number, t.settings, t.accuracy, t.state, t.epochs) for t in whole.trials
    ]


def test_choices_whole_numbers_and_divergence(tmp_path):
    space = {
        "learning_rate": Choices((1e30,)),
        "l2": Choices((1e30,)),
        "batch_size": Range(50, 100),
        "epochs": Choices((1, 2)),
    }
    found = search(SMALL, DATA, space, trials=2, storage=tmp_path / "s")
    assert [trial.state for trial in found.trials] == ["diverged", "diverged"]
    assert found.best is None
    assert all(isinstance(trial.settings["batch_size"], int) for trial in found.trials)
    plot_search(found, space).savefig("/dev/null", format="png")


def test_ctrl_c_leaves_a_trial_that_is_tried_again(tmp_path):
    opened = Search(SMALL, DATA, SPACE, storage=tmp_path / "s")
    asked = iter(range(1000))
    with pytest.raises(KeyboardInterrupt):
        opened.work(3, stop=lambda: next(asked) >= 8)
    left = opened.result().trials[-1]
    assert left.state == "running"
    found = search(SMALL, DATA, SPACE, trials=3, storage=tmp_path / "s")
    assert len(found.finished) == len(found.trials) == 3
    assert found.trials[left.number].settings == left.settings


@contextmanager
def in_another_process(code, *arguments):
    """A process that runs code with `path` set, and has said that it is ready."""
    command = [sys.executable, "-c", "import sys; path = sys.argv[1]\n" + code, *arguments]
    with running(command, cwd=Path(__file__).parents[2]) as process:
        assert read_until(process, lambda line: True) == "ready\n"
        yield process


def test_the_dead_hold_no_lock_and_their_trials_are_tried_again(tmp_path, monkeypatch):
    """A process is killed while it holds all locks, in the middle of a line of the journal."""
    search(SMALL, DATA, SPACE, trials=1, storage=tmp_path / "s")
    opened = Search(SMALL, DATA, SPACE, storage=tmp_path / "s")
    dead = opened._propose().number  # a trial that runs, as far as the journal says
    opened.locks.release(2 + dead)
    code = """
import time
from pathlib import Path
from firsthand.processes import Locks
locks = Locks(Path(path + ".lock"))
for number in range(5):
    locks.take(number)
with open(path, "ab") as file:
    file.write(b'{"op_code":6,"worker')
print("ready", flush=True)
time.sleep(60)
"""
    with in_another_process(code, tmp_path / "s") as process:
        assert not Locks(tmp_path / "s.lock").try_take(JOURNAL)
        process.kill()
    # Optuna's own locks would make everybody wait for 30 seconds
    for lock in (journal.JournalFileOpenLock, journal.JournalFileSymlinkLock):
        monkeypatch.delattr(lock, "acquire")
    found = search(SMALL, DATA, SPACE, trials=2, storage=tmp_path / "s")
    assert [trial.state for trial in found.trials] == ["complete", "complete"]
    for line in (tmp_path / "s").read_text().splitlines():
        json.loads(line)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seed": 1}, "this search has seed 0, not 1"),
        ({"space": {"learning_rate": Range(0.1, 1)}}, "this search has space"),
        ({"chosen": FULLY_CONNECTED}, 'this search has recipe "small", not "fully-connected"'),
        ({"data": DATA._replace(train=DATA.train[:100])}, "this search has training data"),
    ],
)
def test_another_search_is_refused(tmp_path, change, message):
    arguments = {"chosen": SMALL, "data": DATA, "space": SPACE, "storage": tmp_path / "s", "seed": 0}
    Search(**arguments)
    content = (tmp_path / "s").read_bytes()
    with pytest.raises(FirsthandError, match=message):
        Search(**{**arguments, **change})
    assert (tmp_path / "s").read_bytes() == content


@pytest.mark.parametrize("content", [b"some notes, no newline", b"{}\n", b"3\n", b'"op_code"\n', b"\xff\n" * 3])
def test_other_files_are_refused_and_not_touched(tmp_path, content):
    (tmp_path / "s").write_bytes(content)
    with pytest.raises(FirsthandError, match="not a storage of a search"):
        Search(SMALL, DATA, SPACE, storage=tmp_path / "s")
    assert (tmp_path / "s").read_bytes() == content


def test_a_damaged_storage_is_refused(tmp_path):
    Search(SMALL, DATA, SPACE, storage=tmp_path / "s")
    lines = (tmp_path / "s").read_bytes().splitlines(keepends=True)
    (tmp_path / "s").write_bytes(b"".join([lines[0], b"nonsense\n", *lines[1:]]))
    with pytest.raises(FirsthandError, match="not a usable storage"):
        Search(SMALL, DATA, SPACE, storage=tmp_path / "s")


@pytest.mark.parametrize(
    ("space", "message"),
    [
        ({}, "space: nothing found"),
        ({"shuffle": Choices((0, 1))}, "space: found 'shuffle', expected one of epochs, batch_size"),
        ({"momentum": Range(0, 1)}, r"recipe: momentum is 1\.0, expected"),
        ({"batch_size": Range(1.5, 3)}, r"space: batch_size has \[1\.5, 3\], expected whole numbers"),
        ({"halvings": Choices((1, 2))}, "recipe: halvings is 1, expected a patience"),
    ],
)
def test_spaces_that_make_no_recipe_are_refused(tmp_path, space, message):
    with pytest.raises(FirsthandError, match=message):
        Search(SMALL, DATA, space, storage=tmp_path / "s")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("make", [lambda: Range(1, 1), lambda: Range(0, 1, log=True), lambda: Range(0, float("inf"))])
def test_no_range(make):
    with pytest.raises(FirsthandError, match="space: found"):
        make()
    with pytest.raises(FirsthandError, match="one or more different ones"):
        Choices((1, 1))


def test_all_numbers_of_a_recipe_can_be_searched():
    fields = numeric_fields()
    assert {
        "epochs": int,
        "batch_size": int,
        "learning_rate": float,
        "l2": float,
        "patience": int,
    }.items() <= fields.items()
    assert {"nesterov", "shuffle", "optimizer", "cost", "monitor", "keep_best"}.isdisjoint(fields)


def test_a_schedule_follows_the_epochs():
    cosine = NamedRecipe("cosine", "", SMALL.layers, Recipe(8, learning_rate=Cosine(0.1, 8)))
    assert cosine.changed(epochs=3).recipe.learning_rate == Cosine(0.1, 3)
    assert cosine.changed(epochs=3, learning_rate=0.5).recipe.learning_rate == 0.5
    with pytest.raises(RecipeError, match="epochs is 0"):
        cosine.changed(epochs=0)


def test_without_optuna_one_line_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(FirsthandError, match=r"pip install 'firsthand\[search\]'"):
        Search(SMALL, DATA, SPACE, storage=tmp_path / "s")


# the command line


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """Small images in a file, for processes that are to start quickly."""
    path = tmp_path_factory.mktemp("own") / "small.npz"
    data = reduced(mnist().train[:1000])
    np.savez(path, images=data.images, labels=data.labels)
    return path


def firsthand(monkeypatch, capsys, *arguments):
    """The command line in this process: exit code, output, errors."""
    monkeypatch.setattr(sys, "argv", ["firsthand", *map(str, arguments)])
    with pytest.raises(SystemExit) as end:
        cli.main()
    return (end.value.code, *capsys.readouterr())


@pytest.mark.slow
def test_the_command_that_it_prints_trains_what_it_promises(own, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    arguments = ["--recipe", "fully-connected", "--data", own, "--epochs", 2, "--examples", 500, "--seed", 3]
    arguments += ["--space", "learning_rate=0.1:5:log", "--space", "batch_size=5,10", "--storage", "s.journal"]
    code, out, err = firsthand(monkeypatch, capsys, "search", *arguments, "--trials", 2)
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0].split() == ["trial", "state", "validation", "epochs", "seconds", "learning_rate", "batch_size"]
    assert [line.split()[:2] for line in lines[1:3]] == [["0", "complete"], ["1", "complete"]]
    assert lines[3].startswith("best: trial ")
    assert lines[4].startswith("train it with: firsthand train --recipe fully-connected --data ")
    code, out, _ = firsthand(monkeypatch, capsys, "search", *arguments, "--trials", 3, "--json")
    events = [json.loads(line) for line in out.splitlines()]
    assert [event["event"] for event in events] == ["trial", "trial", "trial", "done"]
    done = events[-1]
    assert Path(done["picture"]).read_bytes().startswith(b"\x89PNG")
    command = done["command"].split()
    assert command[0] == "firsthand"
    code, out, _ = firsthand(monkeypatch, capsys, *command[1:], "--json", "--out", "run")
    assert code == 0
    assert json.loads(out.splitlines()[-1])["accuracies"]["validation"] == done["best"]["accuracy"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--space", "nonsense=1:2"], "--space: found 'nonsense=1:2', expected FIELD=VALUES with a field of epochs"),
        (["--space", "l2"], "--space: found 'l2', expected LOW:HIGH, LOW:HIGH:log or A,B,C of numbers"),
        (["--space", "batch_size=1.5:2"], "or A,B,C of whole numbers"),
        (["--space", "l2=1:2:linear"], "--space: found 'l2=1:2:linear', expected LOW:HIGH"),
        (["--space", "l2=2:1"], "--space l2=2:1: space: found 2 to 1, expected two numbers, the smaller first"),
        (["--space", "l2=0:1:log"], "as the lower end of a log range"),
        (["--space", "l2=-1:1"], "recipe: l2 is -1.0, expected 0 or more"),
        (["--space", "l2=0:1", "--trials", "0"], "--trials: found 0"),
        (["--space", "l2=0:1", "--workers", "0"], "--workers: found 0"),
        (["--space", "epochs=1:2", "--epochs", "3"], "--epochs: given, and in --space as well"),
        (["--space", "l2=0:1", "--storage", "nowhere/s"], "nowhere/s: there is no folder nowhere"),
        (["--space", "l2=0:1", "--storage", "."], ".: a folder, expected a file"),
        (["--space", "l2=0:1", "--recipe", "nonsense"], "--recipe: found 'nonsense'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_mistakes_get_one_line_and_exit_code_2(own, tmp_path, monkeypatch, capsys, arguments, message):
    monkeypatch.chdir(tmp_path)
    code, out, err = firsthand(monkeypatch, capsys, "search", "--recipe", "fully-connected", "--data", own, *arguments)
    assert (code, out) == (2, "")
    assert err.startswith("firsthand: ")
    assert err.count("\n") == 1
    assert message in err
    assert not list(tmp_path.iterdir())


def test_what_can_be_searched_can_be_trained():
    options = inspect.signature(cli.train.train).parameters
    assert set(numeric_fields()) <= set(options)


def told(process):
    """The next line of what a search says."""
    return json.loads(read_until(process, lambda line: True))


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="children are found under /proc")
def test_killed_workers_block_nobody_and_ctrl_c_keeps_what_is_there(own, tmp_path):
    """One of two workers is killed, then who started them; the same command goes on, and is interrupted."""
    command = [sys.executable, "-m", "firsthand", "search", "--recipe", "fully-connected", "--data", str(own)]
    command += ["--space", "learning_rate=0.1:2", "--epochs", "30", "--storage", str(tmp_path / "s"), "--json"]
    command += ["--trials", "1000", "--workers", "2"]

    with running(command) as process:
        assert told(process)["event"] == "trial"
        one, other = children_of(process.pid)
        os.kill(one, signal.SIGKILL)
        numbers = [told(process)["number"] for _ in range(4)]
        assert len(set(numbers)) == 4  # the other one works on
        process.kill()  # nobody is left to end it
    wait_until(lambda: not is_alive(other), "the other worker had ended")

    with running(command, stderr=subprocess.PIPE) as process:
        events = [told(process) for _ in range(5)]  # of the first time, without waiting
        while len(events) < 5 or events[-1]["number"] <= max(numbers) + 2:
            events.append(told(process))
        workers = children_of(process.pid)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert "firsthand: interrupted; the same command resumes it\n" in err
    events += [json.loads(line) for line in out.splitlines()]
    # what ran in the processes that were killed was tried again: no number is missing, none has failed
    states = {event["number"]: event["state"] for event in events if event["event"] == "trial"}
    assert set(numbers) <= set(states)
    assert "failed" not in states.values()
    assert events[-1]["event"] == "done"
    assert events[-1]["command"].startswith("firsthand train ")
    assert events[-1]["best"]["accuracy"] > 0.5
    wait_until(lambda: not any(map(is_alive, workers)), "the workers had ended")
