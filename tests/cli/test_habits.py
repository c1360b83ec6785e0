"""Habits of the command line: help, version, completion, nearest names, settings from a file, one rule for models."""

import csv
import os
import re
import sys
from pathlib import Path

import pytest
import typer

from firsthand import FirsthandError
from firsthand.cli import app, common, config, main
from firsthand.cli.common import LAST
from firsthand.cli.next_steps import next_steps
from firsthand.files import versions
from firsthand.zoo.box import boxed_player
from tests.processes import finished

COMMANDS = typer.main.get_command(app).commands  # pyright: ignore[reportAttributeAccessIssue]
SMALL = ["--recipe", "fully-connected", "--examples", 200, "--epochs", 2]


def run(monkeypatch, capsys, *arguments):
    monkeypatch.setattr(sys, "argv", ["firsthand", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        main()
    out, err = capsys.readouterr()
    return ended.value.code, out, err


def test_version(monkeypatch, capsys):
    code, out, _ = run(monkeypatch, capsys, "--version")
    assert (code, out.startswith(f"firsthand {versions()['firsthand']} (Python 3.")) == (0, True)


@pytest.mark.parametrize("name", [None, *COMMANDS])
def test_help_is_short_and_plain(name, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "120")
    code, out, _ = run(monkeypatch, capsys, *filter(None, [name, "-h"]))
    assert code == 0
    assert not re.search(r"<\w+(\[\w+\])?>|\[default: \(", out), "names of types"


def test_options_of_train_stand_in_panels(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "120")
    out = run(monkeypatch, capsys, "train", "--help")[1]
    panels = ("What to train", "How to train", "Fine-tuning", "The run", "Several devices")
    assert [panel in out for panel in panels] == [True] * 5


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("firsthand train --recipe qu", "quick"),
        ("firsthand train --data km", "kmnist"),
        ("firsthand run overfit-5", "overfit-50000"),
        ("firsthand exp", "experiments"),
    ],
)
def test_completion(words, offered):
    asked = {"_FIRSTHAND_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
    command = [sys.executable, "-c", "from firsthand.cli import app; app(prog_name='firsthand')"]
    done = finished(command, env={**os.environ, **asked})
    assert offered in done.stdout.split(), done


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", "--recipe", "qick"], "did you mean 'quick'?"),
        (["train", "--data", "fashion-mist"], "did you mean 'fashion-mnist'?"),
        (["train", "--log", "csw"], "did you mean 'csv'?"),
        (["run", "overfit-100"], "did you mean 'overfit-1000'?"),
        (["trian"], "Did you mean 'train'?"),
        (["train", "--epoch", "3"], "--epochs"),
        (["read"], "--example"),
        (["predict", "x.png", "--top", "0"], "--top: found 0, expected 1 or more"),
    ],
)
def test_what_is_misspelt_or_missing(arguments, message, monkeypatch, capsys):
    code, _, err = run(monkeypatch, capsys, *arguments)
    assert code == 2
    assert message in " ".join(err.split())


def test_the_example_page(monkeypatch, capsys):
    code, out, err = run(monkeypatch, capsys, "read", "--example")
    assert (code, out.split()) == (0, ["685517", "1719078", "12177", "21085182"])
    assert "example.jpg" in err


@pytest.mark.slow
def test_a_run_is_repeated_from_its_file_and_logged(tmp_path, monkeypatch, capsys):
    first, second = tmp_path / "first", tmp_path / "second"
    code, out, err = run(monkeypatch, capsys, "train", *SMALL, "--l2", "1e-4", "--log", "csv", "--out", first)
    assert code == 0, err
    assert f"next:     firsthand evaluate {first / 'model.safetensors'}" in out
    rows = list(csv.DictReader((first / "metrics.csv").read_text().splitlines()))
    assert [row["epoch"] for row in rows] == ["1", "2"]
    assert 0 < float(rows[-1]["validation_accuracy"]) < 1
    code, _, err = run(monkeypatch, capsys, "train", "--config", first / config.NAME, "--out", second)
    assert code == 0, err
    assert (second / config.NAME).read_text() == (first / config.NAME).read_text()
    models = [(folder / "model.safetensors").read_bytes() for folder in (first, second)]
    assert models[0] == models[1]
    # what is given beside the file wins
    third = tmp_path / "third"
    code, _, err = run(monkeypatch, capsys, "train", "--config", first / config.NAME, "--epochs", 1, "--out", third)
    assert code == 0, err
    assert "epochs = 1\n" in (third / config.NAME).read_text()


def test_settings_of_every_type_are_taken(tmp_path, monkeypatch, capsys):
    (tmp_path / "run.toml").write_text("carry_state = false\nmomentum = 0\ninvert = true\nepochs = 0\n")
    code, _, err = run(monkeypatch, capsys, "train", "--config", tmp_path / "run.toml")
    assert (code, err) == (2, "firsthand: --epochs: found 0, expected 1 or more\n")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("train --epochs x", "--epochs: found 'x', expected a whole number"),
        ("train --l2=x", "--l2: found 'x', expected a number"),
        ("train --epoch 3", "--epoch: no such option of `firsthand train`; did you mean '--epochs'?"),
        ("train --epochs", "option '--epochs' requires an argument; see firsthand train --help"),
        ("train more", "got unexpected extra argument(s) (more); see firsthand train --help"),
        ("trai", "no such command 'trai'. Did you mean 'train'?"),
        ("predict", "missing argument 'images'; see firsthand predict --help"),
        ("sweep --values l3=1", "--values: found 'l3', expected dropout, epochs"),
        ("data nowhere", "data: found 'nowhere', expected mnist"),
        ("data --export .", "--export: . exists already, expected a new folder"),
    ],
)
def test_what_is_typed_wrongly_is_one_line(line, message, monkeypatch, capsys):
    code, out, err = run(monkeypatch, capsys, *line.split())
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert f"firsthand: {message}" in err


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("epochz = 3", "'epochz' found, expected options of `firsthand train`; did you mean 'epochs'?"),
        ("epochs = [3]", "epochs is [3], expected a whole number"),
        ("epochs = true", "epochs is true, expected a whole number"),
        ("epochs = 'x'", 'epochs is "x", expected a whole number'),
        ("l2 = 'x'", 'l2 is "x", expected a number'),
        ("carry-state = 1", "carry-state is 1, expected true or false"),
        ("epochs = ", "not a TOML file of settings"),
        ("out = 'here'", "'out' found, expected options"),
    ],
)
def test_files_of_settings_that_are_none(text, message, tmp_path, monkeypatch, capsys):
    (tmp_path / "run.toml").write_text(text)
    code, _, err = run(monkeypatch, capsys, "train", "--config", tmp_path / "run.toml")
    assert code == 2
    assert f"--config: {tmp_path / 'run.toml'}" in err
    assert message in err


def test_settings_and_resume_do_not_go_together(tmp_path, monkeypatch, capsys):
    (tmp_path / "run.toml").write_text("seed = 1\n")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "settings.json").write_text("{}")
    code, _, err = run(monkeypatch, capsys, "train", "--config", tmp_path / "run.toml", "--resume", tmp_path / "run")
    assert (code, "expected one of both" in err) == (2, True)


def test_one_rule_for_models(tmp_path, monkeypatch, capsys):
    """The named model, else the bundled one; 'last' is the newest under runs/."""
    monkeypatch.chdir(tmp_path)
    bundled = common.find_model(None)
    with pytest.raises(FirsthandError, match="no model under runs/"):
        common.find_model(LAST)
    for number, name in enumerate(("old", "new")):
        folder = tmp_path / "runs" / name
        folder.mkdir(parents=True)
        bundled.save(folder / "model.safetensors")
        os.utime(folder / "model.safetensors", (number, number))
    capsys.readouterr()
    assert common.find_model(LAST, quiet=False).classes == bundled.classes
    assert capsys.readouterr().err == f"model: {Path('runs/new/model.safetensors')}\n"


def test_the_newest_of_a_kind_is_taken(tmp_path, monkeypatch):
    """A digit reader that was trained last does not stand in the way of a policy."""
    monkeypatch.chdir(tmp_path)
    models = {"reader": common.find_model(None), "player": boxed_player("catch")}
    for number, (name, model) in enumerate(reversed(models.items())):
        folder = tmp_path / "runs" / name
        folder.mkdir(parents=True)
        model.save(folder / "model.safetensors")
        os.utime(folder / "model.safetensors", (number, number))
    assert type(common.find_trained(None, True, ("policy",))) is type(models["player"])
    assert type(common.find_trained(None, True)) is type(models["reader"])
    with pytest.raises(FirsthandError, match="no language model under runs/"):
        common.find_trained(LAST, True, ("language",))


@pytest.mark.parametrize(("data", "more"), [("mnist", ""), ("my digits", " --data 'my digits'")])
def test_what_to_do_next_is_measured_on_the_data_of_the_training(data, more):
    first, *_ = next_steps(common.find_model(None), Path("runs/a/model.safetensors"), data).splitlines()
    assert first == f"next:     firsthand evaluate {Path('runs/a/model.safetensors')}{more}"
