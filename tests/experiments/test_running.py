"""Running experiments, with real processes: in order, resumed after a kill, with failures, quick, and again."""

import json
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import firsthand
from firsthand.errors import FirsthandError
from firsthand.experiments.experiment import Measured
from firsthand.experiments.records import ExperimentError, Place, conclude, record_of
from firsthand.experiments.result import Result
from firsthand.experiments.running import run_all
from firsthand.studies.catalogue import EXPERIMENTS
from tests.processes import PATIENCE, children_of, is_alive, read_until, running, wait_until

# experiments that count in files what is done, and take no time
MODULE = "tiny_experiments"
CODE = '''
import os, time
from pathlib import Path
from firsthand.experiments.drawing import panels
from firsthand.experiments.experiment import Claim, Comparison, Drawing, Experiment, Measured
from firsthand.experiments.result import Finding, Published, Source, Text

HERE = Path(__file__).parent
SOURCE = Source("A text", "section 1")


def did(what):
    with (HERE / "done.txt").open("a") as file:
        file.write(what + "\\n")


def plain(run):
    did(f"plain {run.seed}{' quick' if run.quick else ''}")
    return Measured({"test_accuracy": 0.9 + run.seed / 100, "validation_accuracy": 0.9 - run.seed / 100},
                    {"curve": [1, 2, 3]})


def slow(run):
    """Ten epochs; each is kept."""
    kept = run.place / "epochs"
    epochs = int(kept.read_text()) if kept.exists() else 0
    for epoch in range(epochs, 10):
        did(f"slow {run.seed} epoch {epoch}")
        time.sleep(0.05)
        kept.write_text(str(epoch + 1))
        run.say(f"epoch {epoch + 1}/10")
        if epoch == 4 and (HERE / "hang").exists():
            time.sleep(60)
    return Measured({"value": 1.0})


def broken(run):
    did("broken")
    raise ZeroDivisionError("there is\\nnothing")


def dies(run):
    did("dies")
    os._exit(7)


def dependent(run):
    did("dependent")
    return Measured({"value": run.needed["plain"].mean("test_accuracy")})


def above(runs, needed):
    n = needed["plain"].n
    return Finding(n > 2, Text(f"{n} runs", f"{n} 次"))


def of_broken(run):
    did("of-broken")
    return Measured({"value": 0.0})


def draw(result, needed):
    figure, ((axes,),) = panels(1, 1)
    axes.plot(result.runs[0]["arrays"]["curve"])
    return figure


def rises(runs):
    accuracies = [run.numbers["test_accuracy"] for run in runs]
    return Finding(accuracies == sorted(accuracies), Text(f"{accuracies}", f"{accuracies}"))


def experiment(id, measure, **more):
    return Experiment(id, Text(f"what {id} shows", f"{id} 的内容"), SOURCE, measure, **{"runs": 1, **more})


EXPERIMENTS = (
    experiment("plain", plain, runs=3, minutes=0.01,
               published=(Published("test_accuracy", 0.91),),
               claims=(Claim(Text("it rises", "上升"), rises),),
               drawings=(Drawing("curve", Text("look", "看"), draw),)),
    experiment("slow", slow, minutes=5),
    experiment("broken", broken),
    experiment("dies", dies),
    experiment("dependent", dependent, needs=("plain",), minutes=9,
               claims=(Comparison(Text("plain has three runs", "有三次"), above),)),
    experiment("of-broken", of_broken, needs=("broken",)),
)
'''


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with a module of experiments that new processes can import, and that is the current one."""
    (tmp_path / f"{MODULE}.py").write_text(CODE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, MODULE, raising=False)
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{Path(firsthand.__file__).parents[1]}")
    yield tmp_path
    sys.modules.pop(MODULE, None)


def run(*ids, said=None, **options):
    settings = {"out": "out", "scratch": "scratch", "jobs": 1, "module": MODULE}
    return run_all(ids, **{**settings, **options}, say=(said.append if said is not None else lambda line: None))


def done(here):
    path = here / "done.txt"
    return path.read_text().splitlines() if path.exists() else []


def test_runs_of_two_states_of_an_experiment_are_not_mixed():
    quadratic = next(each for each in EXPERIMENTS if each.id == "quadratic-30")
    old = Measured({"test_accuracy": 0.95, "validation_accuracy": 0.95})
    new = Measured({**old.numbers, "highest_test_accuracy": 0.96})
    records = [record_of(seed, 1.0, measured, "a machine") for seed, measured in enumerate((new, old))]
    with pytest.raises(ExperimentError, match="its run 1 has no highest_test_accuracy; measure it with --again"):
        conclude(quadratic, records, {}, quick=True)
    with pytest.raises(ExperimentError, match="its run 1 has no highest_test_accuracy"):  # what explains
        conclude(quadratic, records[1:], {}, quick=True)


def test_a_result_has_all_runs_the_claims_and_the_figures_and_is_not_run_again(here):
    said = []
    assert run("dependent", said=said, jobs=2) == ()
    assert done(here) == ["plain 0", "plain 1", "plain 2", "dependent"] or set(done(here)[:3]) == {
        f"plain {seed}" for seed in range(3)
    }
    assert done(here)[-1] == "dependent"  # what is needed comes first, and is run although nobody asked
    assert said[0] == "plain: is run too, others need it"
    result = Result.load("out/plain.json")
    assert (result.n, result.quick) == (3, False)
    assert [entry["seed"] for entry in result.runs] == [0, 1, 2]
    assert result.mean("test_accuracy") == pytest.approx(0.91)
    assert result.best("test_accuracy", 1) == result.values("test_accuracy")[0]
    assert result.best("test_accuracy", 3) == 0.9  # the run that is best on validation data
    assert result.verdict(result.published[0]) == "cannot tell"  # three runs two points apart
    assert result.claims[0][1].holds
    assert result.command == "firsthand run plain"
    assert "cores" in result.machine
    assert Result.load("out/dependent.json").values("value") == [pytest.approx(0.91)]
    assert [path.stem for path in Path("out/figures").iterdir()] == ["plain-curve"]
    assert not Path("scratch/plain").exists()

    before = Path("out/plain.json").read_bytes()
    Path("out/figures/plain-curve.svg").unlink()
    assert run("plain", "dependent") == ()
    assert Path("out/figures/plain-curve.svg").exists()
    assert len(done(here)) == 4
    assert Path("out/plain.json").read_bytes() == before


def test_failures_are_one_line_each_and_stop_nobody_else(here):
    failed = run("broken", "of-broken", "dies", "plain", runs=1, jobs=2)
    assert {line.partition(":")[0].partition(",")[0] for line in failed} == {"broken", "of-broken", "dies"}
    lines = {line.partition(":")[0]: line for line in failed}
    assert "ZeroDivisionError: there is nothing; see scratch/broken/0.error.txt" in lines["broken, run 0"]
    assert "Traceback" in Path("scratch/broken/0.error.txt").read_text()
    assert "its process ended (exit code 7)" in lines["dies, run 0"]
    assert lines["of-broken"] == "of-broken: not run, it needs broken"
    assert Result.load("out/plain.json").n == 1
    assert "of-broken" not in done(here)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_stopped_process_loses_no_complete_run_and_at_most_an_epoch(how, here):
    (here / "hang").touch()
    code = f"from firsthand.experiments.running import run_all; run_all({['slow']}, out='out', scratch='scratch', "
    code += f"jobs=1, module='{MODULE}')"
    place = Place.of(Path("scratch"), False, "slow", 0)
    with running([sys.executable, "-c", code], start_new_session=True, stderr=subprocess.DEVNULL) as process:
        wait_until(lambda: (place.work / "epochs").exists() and (place.work / "epochs").read_text() == "5")
        workers = children_of(process.pid) if sys.platform == "linux" else []
        os.kill(process.pid, how)
        assert process.wait(PATIENCE) == -how
    (here / "hang").unlink()
    wait_until(lambda: not any(map(is_alive, workers)), "the worker had ended with it")
    assert len(done(here)) == 5
    assert not Path("out/slow.json").exists()

    assert run("slow") == ()
    assert done(here) == [f"slow 0 epoch {epoch}" for epoch in range(10)]
    assert Result.load("out/slow.json").n == 1


def test_the_clock_of_a_stopped_run_goes_on(here):
    place = Place.of(Path("scratch"), False, "slow", 0)
    place.folder.mkdir(parents=True)
    place.clock.write_text("100")
    run("slow")
    assert 100 <= Result.load("out/slow.json").seconds < 200  # what was there is counted, and counted once


def test_quick_runs_are_compared_with_nothing_and_never_mixed_with_whole_ones(here):
    assert run("plain", quick=True, out="quick") == ()
    result = Result.load("quick/plain.json")
    assert (result.quick, result.n, result.claims) == (True, 1, ())
    assert result.verdict(result.published[0]) == "not compared"
    assert result.command.endswith("--quick")
    assert done(here) == ["plain 0 quick"]
    (failed,) = run("plain", out="quick")
    assert "quick/plain.json has shortened runs, expected whole ones" in failed
    assert Result.load("quick/plain.json") == result


def test_more_runs_are_added_to_those_that_are_there(here):
    run("plain", runs=2)
    first = Result.load("out/plain.json")
    said = []
    run("plain", runs=4, said=said)
    assert said[0] == "plain: 2 runs are there, 4 wanted; the missing ones are run"
    result = Result.load("out/plain.json")
    assert result.runs[:2] == first.runs
    assert done(here) == [f"plain {seed}" for seed in range(4)]
    run("plain", said=said)
    assert said[-1] == "plain: 4 runs are there, 3 wanted; all are kept"
    assert Result.load("out/plain.json") == result


def test_a_comparison_is_asked_anew_when_what_it_compares_with_is_new(here):
    run("dependent", runs=1)
    assert Result.load("out/dependent.json").claims[0][1] == (False, ("1 runs", "1 次"))
    said = []
    run("plain", said=said)
    assert said[-1] == "dependent: its runs are the same, its texts and claims are renewed"
    assert Result.load("out/dependent.json").claims[0][1] == (True, ("3 runs", "3 次"))
    assert done(here).count("dependent") == 1

    Path("out/plain.json").unlink()
    assert run("dependent", runs=2) == ()  # what it needs is measured first, then it is concluded
    assert Result.load("out/dependent.json").claims[0][1].measured.en == "2 runs"


def test_again_measures_anew(here):
    run("dependent")
    run("dependent", again=True)
    assert done(here).count("dependent") == 2
    assert done(here).count("plain 0") == 1


def test_another_version_is_said_aloud(here):
    run("plain", runs=1)
    path = Path("out/plain.json")
    found = json.loads(path.read_text())
    found["versions"]["firsthand"] = "0.0.1"
    path.write_text(json.dumps(found))
    said = []
    run("plain", runs=1, said=said)
    assert "measured with firsthand 0.0.1" in said[0]
    assert len(done(here)) == 1


def test_texts_are_renewed_without_measuring(here):
    run("plain")
    path = Path("out/plain.json")
    found = json.loads(path.read_text())
    found["title"] = ["an older title", "旧标题"]
    path.write_text(json.dumps(found))
    said = []
    run("plain", said=said)
    assert said == ["plain: its runs are the same, its texts and claims are renewed"]
    assert Result.load(path).title.en == "what plain shows"
    assert len(done(here)) == 3


def test_what_cannot_be_run_is_said_in_one_line(here):
    with pytest.raises(FirsthandError, match="experiment 'plane': not known, expected one of plain"):
        run("plane")
    with pytest.raises(FirsthandError, match="found 0 jobs"):
        run("plain", jobs=0)
    Path("out").mkdir(exist_ok=True)
    Path("out/plain.json").write_text("{}")
    (failed,) = run("plain")
    assert failed.startswith("plain: out/plain.json: not a result of an experiment")
    Path("file").touch()
    with pytest.raises(FirsthandError, match="file: a file, expected a folder"):
        run("plain", out="file")


def test_two_processes_do_not_work_in_the_same_folder(here):
    code = """
        import sys, time
        from firsthand.processes import Locks
        from pathlib import Path
        assert Locks(Path("scratch/lock")).try_take(1)
        print("taken", flush=True)
        time.sleep(60)
    """
    Path("scratch").mkdir()
    command = [sys.executable, "-c", textwrap.dedent(code)]
    with running(command) as other:
        read_until(other, lambda line: line == "taken\n")
        with pytest.raises(FirsthandError, match="scratch: another process runs experiments there"):
            run("plain")
