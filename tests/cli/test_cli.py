"""The command line as a user meets it: real files, and every mistake in one line with exit code 2.

Trainings are real processes; what follows them is called in this one, which has imported JAX already.
"""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from firsthand.data import mnist
from firsthand.models import Model
from tests.processes import called_text as firsthand
from tests.processes import finished, read_until, running


def as_process(*arguments, cwd=None):
    return finished([sys.executable, "-m", "firsthand", *arguments], cwd=cwd)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A short real training, through the front door."""
    out = tmp_path_factory.mktemp("cli") / "runs" / "first"
    done = as_process("train", "--recipe", "digit-reader", "--examples", 2000, "--epochs", 3, "--out", out)
    assert done.returncode == 0, done.stderr
    return out, done.stdout


def test_train_prints_lines_and_leaves_a_whole_folder(run):
    out, printed = run
    lines = printed.splitlines()
    assert [line.split()[1] for line in lines[:3]] == ["1/3", "2/3", "3/3"]
    assert "steps/s" in lines[0]
    assert lines[3].startswith("finished: 3 epochs")
    assert "test 9" in lines[4]  # ninety-odd per cent after 600 steps
    assert lines[5].startswith("calibrated: temperature ")
    assert lines[-4] == f"report:   {out / 'report.html'}"
    assert lines[-3] == f"next:     firsthand evaluate {out / 'model.safetensors'}"
    found = {path.name for path in out.iterdir()}
    pictures = {"learning_curves.png", "confusion_matrix.png", "mistakes.png", "reliability.png"}
    assert found == pictures | {"model.safetensors", "history.json", "report.html", "run.toml", "settings.json"}
    for name in pictures:
        with Image.open(out / name) as picture:
            assert min(picture.size) > 200
    history = json.loads((out / "history.json").read_text())
    assert [record["epoch"] for record in history["records"]] == [1, 2, 3]
    page = (out / "report.html").read_text()
    assert page.count("data:image/png;base64,") == 4
    assert "test calibration error" in page
    assert "http" not in page.replace("http-equiv", "")


@pytest.mark.slow
def test_a_killed_run_goes_on_with_resume(tmp_path):
    """SIGKILL in the middle, then --resume: the same model as without, and nothing left over."""
    arguments = ["train", "--recipe", "fully-connected", "--examples", 3000, "--epochs", 6, "--seed", 5]
    whole = as_process(*arguments, "--out", tmp_path / "whole")
    assert whole.returncode == 0, whole.stderr
    command = [sys.executable, "-u", "-m", "firsthand", *map(str, arguments), "--out", str(tmp_path / "killed")]
    with running(command) as process:
        read_until(process, lambda line: line.startswith("epoch 2/"))
        process.kill()
    resumed = as_process("train", "--resume", tmp_path / "killed")
    assert resumed.returncode == 0, resumed.stderr
    one, two = (Model.load(tmp_path / name / "model.safetensors") for name in ("whole", "killed"))
    for a, b in zip(one.params, two.params, strict=True):
        np.testing.assert_array_equal(a["weights"], b["weights"])
    assert one.temperature == two.temperature is not None
    assert {p.name for p in (tmp_path / "killed").iterdir()} == {p.name for p in (tmp_path / "whole").iterdir()}
    again = as_process("train", "--resume", tmp_path / "killed")
    assert again.returncode == 2
    assert "is complete" in again.stderr


def test_predict_names_a_digit_cut_from_the_test_set(run, tmp_path):
    out, _ = run
    done = firsthand("data", "--export", tmp_path / "digits", "--count", 8)
    assert "8 images written" in done.stderr
    files = sorted((tmp_path / "digits").glob("*/*.png"))
    assert len(files) == 8
    done = firsthand("predict", *files, "--model", out / "model.safetensors", "--json")
    answers = json.loads(done.stdout)
    right = [a["label"] == Path(a["image"]).parent.name for a in answers]
    assert sum(right) >= 7  # the model has seen 2,000 images
    assert all(abs(sum(a["candidates"].values()) - 1) < 0.3 for a in answers)


def test_predict_resizes_and_says_so(run, tmp_path):
    out, _ = run
    big = Image.fromarray(255 - mnist().test.images[0, ..., 0]).resize((280, 280))
    big.save(tmp_path / "big.png")
    done = firsthand("predict", "big.png", "--model", out / "model.safetensors", cwd=tmp_path)
    assert done.returncode == 0
    assert "big.png: 7" in done.stdout
    assert "found at " in done.stdout


def test_the_newest_model_is_called_last(run):
    out, _ = run
    done = firsthand("evaluate", "last", "--json", cwd=out.parent.parent)
    result = json.loads(done.stdout)
    assert result["n"] == 10_000
    assert result["accuracy"] > 0.9
    assert np.array(result["confusion"]).sum() == 10_000
    assert np.trace(result["confusion"]) == result["correct"]
    model = Model.load(out / "model.safetensors")
    assert result["temperature"] == model.temperature == model.provenance["calibration"]["temperature"]
    assert 0 <= result["expected_calibration_error"] < 0.1
    assert 0 < result["negative_log_likelihood"] < 0.5
    assert 0 < result["brier_score"] < 0.2
    assert "(not calibrated)" not in firsthand("evaluate", "last", cwd=out.parent.parent).stdout


@pytest.mark.slow
def test_own_images_in_folders_train_and_evaluate(tmp_path, run):
    as_process("data", "--export", tmp_path / "own", "--count", 200)
    trained = as_process(
        "train", "--recipe", "fully-connected", "--data", tmp_path / "own", "--epochs", 2, "--json",
        "--out", tmp_path / "run",
    )  # fmt: skip
    events = [json.loads(line) for line in trained.stdout.splitlines()]
    assert [event["event"] for event in events] == ["epoch", "epoch", "done"]
    assert set(events[-1]["accuracies"]) == {"training", "validation", "test"}
    done = as_process("evaluate", "--data", tmp_path / "own", "--model", run[0] / "model.safetensors", "--json")
    assert json.loads(done.stdout)["n"] == 200


def test_summary_data_and_doctor():
    assert "digit-reader" in firsthand("summary").stdout
    table = firsthand("summary", "--recipe", "digit-reader").stdout
    assert "85,670" in table
    assert "10,000 images 28x28x1" in firsthand("data").stdout
    facts = json.loads(firsthand("doctor", "--json").stdout)
    assert {"machine", "versions", "devices", "kernels"} <= set(facts)
    assert 1 <= facts["threads"] <= facts["cores"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", "--recipe", "nonsense"], "--recipe: found 'nonsense', expected one of digit-reader"),
        (["train", "--data", "nowhere"], "nowhere', expected mnist, fashion-mnist"),
        (["train", "--epochs", "0"], "--epochs: found 0, expected 1 or more"),
        (["train", "--learning-rate", "-1"], "--learning-rate: found -1.0, expected a positive number"),
        (["train", "--examples", "0"], "--examples: found 0, expected 1 to 50000"),
        (["train", "--out", "."], "exists already, expected a new folder"),
        (["train", "--resume", "nowhere"], "--resume: nowhere is no folder of a run"),
        (["train", "--threads", "0"], "--threads: found 0, expected 1"),
        (["run", "sigmoid-or-softmax", "--threads", "1000"], "--threads: found 1000, expected 1"),
        (["train", "--device", "abacus"], "--device: found 'abacus', expected cpu, gpu or tpu"),
        (["evaluate", "last"], "no model under runs/"),
        (["evaluate", "--model", "none.safetensors"], "none.safetensors: no such model file"),
        (["evaluate", "--model", "text.txt"], "text.txt: not a model file, or a damaged one"),
        (["predict", "none.png", "--model", "MODEL"], "none.png: no such file found"),
        (["predict", "text.txt", "--model", "MODEL"], "text.txt: no picture found"),
        (["read", "empty.png"], "empty.png: an empty file found"),
        (["predict", ".", "--model", "MODEL"], "a folder found, a picture expected"),
        (["data", "--export", "."], "exists already"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_mistakes_get_one_line_and_exit_code_2(run, tmp_path, arguments, message):
    (tmp_path / "text.txt").write_text("no picture, no model")
    (tmp_path / "empty.png").touch()
    model = run[0] / "model.safetensors"
    before = sorted(tmp_path.rglob("*"))
    done = firsthand(*[str(model) if a == "MODEL" else a for a in arguments], cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith("firsthand: ")
    assert done.stderr.count("\n") == 1, done.stderr
    assert message in done.stderr
    assert sorted(tmp_path.rglob("*")) == before  # nothing half-written


def test_wrong_usage_is_exit_code_2():
    assert firsthand("train", "--nonsense").returncode == 2


@pytest.mark.slow
def test_a_diverging_training_keeps_nothing_or_the_last_good_epoch(tmp_path):
    done = as_process("train", "--recipe", "digit-reader", "--examples", 500, "--learning-rate", 1e6, cwd=tmp_path)
    assert done.returncode == 2
    assert "the learning rate (1e+06) is likely too large" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.slow
def test_an_ensemble_through_the_front_door(tmp_path):
    out = tmp_path / "two"
    done = as_process("train", "--examples", 300, "--epochs", 1, "--members", 2, "--out", out)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("2 trainings, ")
    assert "member 1  epoch 1/1" in done.stdout
    assert "by votes: validation" in done.stdout
    assert {path.name for path in out.glob("checkpoint*")} == set()
    assert len(json.loads((out / "history.json").read_text())) == 2
    evaluated = as_process("evaluate", "--model", out / "model.safetensors", "--json")
    accuracy = json.loads(evaluated.stdout)["accuracy"]
    assert f"test {accuracy:.2%}" in done.stdout
    described = as_process("summary", "--model", out / "model.safetensors")
    assert "2 of 2 members:" in described.stdout
