"""Faults around a run's folder: nothing of the user's is lost, nothing is half begun, one process works at a time."""

import json
import os
import re
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest
from PIL import Image

from firsthand import files
from firsthand.models import Model
from tests.processes import finished


def firsthand(*arguments, cwd=None, **more):
    command = [sys.executable, "-m", "firsthand", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, timeout=120, **more)


@contextmanager
def training(out, *arguments, cwd=None):
    """A training that would go on for ever, once it has a checkpoint."""
    command = [sys.executable, "-u", "-m", "firsthand", "train", "--recipe", "fully-connected", "--out", str(out)]
    command += [*map(str, arguments), "--epochs", "100000"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=cwd) as process:
        try:
            assert process.stdout is not None
            assert any(line.startswith("epoch 3/") for line in process.stdout)
            yield process
        finally:
            process.kill()


def done_epochs(run):
    """The epochs that a stopped run has done, as the refusal of fewer says; nothing is lost by it."""
    before = {path.name: path.read_bytes() for path in run.iterdir() if path.is_file()}
    refused = firsthand("train", "--resume", run, "--epochs", 1)
    assert refused.returncode == 2
    assert {path.name: path.read_bytes() for path in run.iterdir() if path.is_file()} == before
    found = re.fullmatch(r"firsthand: --epochs: found 1, but .* has done (\d+), expected no less\n", refused.stderr)
    assert found is not None, refused.stderr
    return int(found[1])


@pytest.fixture(scope="module")
def killed(pictures, tmp_path_factory):
    """The folder of a killed run, begun with a relative path, in which other programs left hidden things."""
    place = tmp_path_factory.mktemp("place")
    with training("run", "--data", os.path.relpath(pictures, place), cwd=place):
        pass
    run = place / "run"
    (run / ".env").write_text("S=1")
    (run / ".model.safetensors.abcdefgh").write_text("mine")
    (run / "checkpoint.safetensors.bak").write_text("mine")
    (run / ".ipynb_checkpoints").mkdir()
    (run / ".history.json.abcdefgh.firsthand-part").write_text("half of it")
    return run


@pytest.mark.parametrize(
    "settings",
    [
        *("{}", "[]", '{"recipe": 3}', "not JSON", '{"recipe": "quick", "data": "mnist"}'),
        *(f'{{"recipe": "quick", "data": "mnist", "seed": 0, {more}}}' for more in ('"size": -3', '"examples": 0')),
        '{"recipe": "quick", "data": "mnist", "seed": 0, "size": 99999999}',
    ],
)
def test_resume_removes_nothing_of_what_is_no_run(tmp_path, settings):
    (tmp_path / "settings.json").write_text(settings)
    (tmp_path / ".env").write_text("S=1")
    done = firsthand("train", "--resume", tmp_path)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "settings" in done.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"settings.json", ".env"}


@pytest.mark.slow
def test_resume_refuses_other_options_and_names_both_values(killed):
    before = {path.name for path in killed.iterdir()}
    for option, value, found in (
        ("--recipe", "smallest", "fully-connected"),
        ("--learning-rate", "0.25", "0.5"),
        ("--seed", "7", "0"),
        ("--data", "mnist", "own"),
        ("--out", "elsewhere", "--resume"),
    ):
        done = firsthand("train", "--resume", killed, option, value)
        assert done.returncode == 2, (option, done.stdout)
        assert done.stderr.count("\n") == 1
        assert f"{option}: found" in done.stderr
        assert value in done.stderr
        assert found in done.stderr
    assert {path.name for path in killed.iterdir()} == before


def test_resume_from_elsewhere_obeys_epochs_and_keeps_what_is_not_its_own(killed, tmp_path):
    settings = json.loads((killed / "settings.json").read_text())
    assert Path(settings["data"]).is_absolute()
    epochs = done_epochs(killed) + 1
    done = firsthand("train", "--resume", killed, "--epochs", epochs, "--recipe", "fully-connected", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads((killed / "settings.json").read_text())["overrides"] == {"epochs": epochs}
    assert len(Model.load(killed / "model.safetensors").classes) == 10
    kept = {".env", ".model.safetensors.abcdefgh", "checkpoint.safetensors.bak", ".ipynb_checkpoints"}
    found = {path.name for path in killed.iterdir()}
    assert kept < found
    assert "checkpoint.safetensors" not in found
    assert ".history.json.abcdefgh.firsthand-part" not in found


@pytest.mark.slow
def test_a_second_process_is_kept_out_of_a_run(pictures, tmp_path):
    with training(tmp_path / "run", "--data", pictures) as first:
        second = firsthand("train", "--resume", tmp_path / "run")
        assert second.returncode == 2
        assert "another process trains in it" in second.stderr
        assert first.poll() is None
    # the lock has ended with its process
    done = firsthand("train", "--resume", tmp_path / "run", "--epochs", done_epochs(tmp_path / "run"))
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("option", ["--out", "--resume"])
def test_a_folder_without_settings_is_a_run_that_can_begin(pictures, tmp_path, option):
    """A kill may come between the folder and its settings."""
    run = tmp_path / "run"
    run.mkdir()
    (run / ".settings.json.abcdefgh.firsthand-part").write_text('{"reci')
    options = ("--data", pictures, "--recipe", "fully-connected", "--epochs", 1)
    done = firsthand("train", option, run, *options)
    assert done.returncode == 0, done.stderr
    assert ("had not begun: it begins now" in done.stderr) == (option == "--resume")
    assert json.loads((run / "settings.json").read_text())["recipe"] == "fully-connected"
    assert not list(run.glob(".*"))
    again = firsthand("train", "--out", run, *options)
    assert again.returncode == 2
    assert "exists already" in again.stderr


@pytest.mark.slow
def test_a_longer_run_takes_its_schedule_along(pictures, tmp_path):
    run = tmp_path / "run"
    command = ["train", "--recipe", "quick", "--data", pictures, "--out", run, "--epochs", 100_000]
    with subprocess.Popen(
        [sys.executable, "-u", "-m", "firsthand", *map(str, command)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert any(line.startswith("epoch 3/") for line in process.stdout)
        process.send_signal(signal.SIGKILL)
    done = firsthand("train", "--resume", run, "--epochs", done_epochs(run) + 1)
    assert done.returncode == 0, done.stderr
    assert "finished: " in done.stdout


def test_leftovers_are_known_by_their_whole_name(tmp_path):
    path = files.write_atomically(tmp_path / "a.json", "{}")
    names = [
        ".a.json.abcdefgh.firsthand-part",
        ".a.json.abcdefgh",
        ".env",
        "b.abcdefgh.firsthand-part",
        ".firsthand-part",
    ]
    for name in names:
        (tmp_path / name).write_text("x")
    (tmp_path / ".c.json.abcdefgh.firsthand-part").mkdir()
    files.remove_leftovers(tmp_path)
    assert {each.name for each in tmp_path.iterdir()} == {path.name, *names[1:], ".c.json.abcdefgh.firsthand-part"}


def test_a_full_disk_names_the_file(tmp_path):
    """The limit on a file's size stands for a full disk: it too comes in the middle of a write.

    -B, because Python leaves the half of a compiled module behind, and other processes would trip over it.
    """
    code = "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (9, 9));"
    code += "from firsthand.files import write_atomically; write_atomically(sys.argv[1], b'0' * 99)"
    path = tmp_path / "model.safetensors"
    done = subprocess.run([sys.executable, "-B", "-c", code, path], capture_output=True, text=True, timeout=120)
    assert done.stderr.strip().splitlines()[-1].endswith(f"File too large: '{path}'")
    assert not list(tmp_path.iterdir())


RESULTS = Path(__file__).parents[2] / "results" / "experiments"
FULL = (
    "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (99, 99)); from firsthand.cli import main; main()"
)


@pytest.mark.parametrize(
    ("command", "named"),
    [
        (["data", "--export", "out"], "out/7/00000.png"),
        (["report", "--results", RESULTS, "--out", "out.html"], "out.html"),
    ],
    ids=["data", "report"],
)
def test_a_full_disk_names_the_file_for_pictures_and_pages_too(tmp_path, command, named):
    kept = {**os.environ, "FIRSTHAND_COMPILATION_CACHE": "off"}
    done = finished([sys.executable, "-B", "-c", FULL, *command], cwd=tmp_path, env=kept)
    assert (done.returncode, done.stderr) == (2, f"firsthand: [Errno 27] File too large: '{named}'\n")
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_figure_that_does_not_fit_leaves_nothing(tmp_path):
    def save(file):
        file.write(b"half")
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        files.write_saved(tmp_path / "figure.png", save)
    assert not list(tmp_path.iterdir())


def test_exported_images_stay_in_their_folder(tmp_path):
    Image.new("L", (28, 28), 9).save(tmp_path / "x.png")
    (tmp_path / "table.csv").write_text("name,label\n" + "".join(f"x.png,{label}\n" for label in ("../a", "..", "b/c")))
    done = firsthand("data", tmp_path / "table.csv", "--export", tmp_path / "inner" / "out", "--count", 9)
    assert done.returncode == 0, done.stderr
    written = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("0*.png"))
    assert written == ["inner/out/.._a/00000.png", "inner/out/_../00001.png", "inner/out/b_c/00002.png"]
