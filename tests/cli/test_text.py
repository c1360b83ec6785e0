"""Language models on the command line: train, sample, evaluate, and what does not go together."""

import json
import signal
import subprocess
import sys

import numpy as np
import pytest

from firsthand.cli.texts import check_kind, load_text_splits, refuse_text
from firsthand.data import shakespeare_text
from firsthand.errors import FirsthandError
from firsthand.models import LanguageModel
from firsthand.zoo import QUICK, SHAKESPEARE
from tests.processes import PATIENCE, read_until, running
from tests.processes import called_text as firsthand


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A text of one's own, and a short training on it through the front door."""
    folder = tmp_path_factory.mktemp("text")
    (folder / "own.txt").write_text(shakespeare_text().train[:4000])
    done = firsthand("train", "--recipe", "shakespeare", "--data", "own.txt", "--epochs", 2, "--out", "run", cwd=folder)
    assert done.returncode == 0, done.stderr
    (folder / "printed").write_text(done.stdout)
    return folder


def test_training_on_a_text_prints_bits_and_leaves_a_report(folder):
    lines = (folder / "printed").read_text().splitlines()
    assert lines[0].startswith("epoch 1/2")
    assert lines[0].endswith(" bit")
    assert lines[3].startswith("bits per symbol: training ")
    assert lines[4].startswith("perplexity: training ")
    assert {path.name for path in (folder / "run").iterdir()} == {
        "model.safetensors",
        "history.json",
        "learning_curves.png",
        "report.html",
        "run.toml",
        "settings.json",
    }
    page = (folder / "run" / "report.html").read_text()
    assert "test text, read on with a memory" in page
    assert "written at temperature 0.8" in page
    assert "accuracy" not in page
    assert json.loads((folder / "run" / "settings.json").read_text())["data"] == str(folder / "own.txt")


def test_a_sample_repeats_with_its_seed_and_is_judged_on_the_test_part(folder):
    def sample(*more):
        done = firsthand("sample", folder / "run" / "model.safetensors", "--prompt", "Rom", "--length", 40, *more)
        assert done.returncode == 0, done.stderr
        return done.stdout

    first = sample("--seed", 3)
    assert first.startswith("Rom")
    assert len(first) == 44  # with the prompt and the end of the line
    assert json.loads(sample("--seed", 3, "--json"))["text"] == first[3:-1]
    done = firsthand(
        "evaluate", "--model", folder / "run" / "model.safetensors", "--data", folder / "own.txt", "--json"
    )
    found = json.loads(done.stdout)
    assert (found["part"], found["n"]) == (True, 199)
    assert found["perplexity"] == pytest.approx(2 ** found["bits"])


@pytest.mark.slow
@pytest.mark.parametrize("how", ["interrupted", "closed"])
def test_a_sample_that_nobody_wants_any_more_ends_quietly(folder, how):
    command = ["sample", str(folder / "run" / "model.safetensors"), "--length", "1000000"]
    process = subprocess.Popen(
        [sys.executable, "-m", "firsthand", *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    assert len(process.stdout.read(5)) == 5  # letter by letter, long before the end
    if how == "interrupted":
        process.send_signal(signal.SIGINT)
    else:
        process.stdout.close()
        process.stdout = None
    _, errors = process.communicate(timeout=PATIENCE)
    assert (process.returncode, errors) == (130 if how == "interrupted" else 0, b"")


@pytest.mark.slow
@pytest.mark.parametrize(
    "more", [(), ("--carry-state", "--clip", "0.5", "--batch-size", "8")], ids=["pieces", "carried"]
)
def test_a_killed_run_goes_on_bit_for_bit(folder, tmp_path, more):
    arguments = ["train", "--recipe", "shakespeare", "--data", str(folder / "own.txt"), "--epochs", "6", "--seed", "4"]
    arguments += more
    whole = firsthand(*arguments, "--out", tmp_path / "whole")
    assert whole.returncode == 0, whole.stderr
    with running([sys.executable, "-u", "-m", "firsthand", *arguments, "--out", str(tmp_path / "killed")]) as process:
        read_until(process, lambda line: line.startswith("epoch 2/"))
        process.kill()
    resumed = firsthand("train", "--resume", tmp_path / "killed")
    assert resumed.returncode == 0, resumed.stderr
    one, two = (LanguageModel.load(tmp_path / name / "model.safetensors") for name in ("whole", "killed"))
    for a, b in zip(one.params, two.params, strict=True):
        assert a.keys() == b.keys()
        for name in a:
            np.testing.assert_array_equal(a[name], b[name])
    records = [json.loads((tmp_path / name / "history.json").read_text())["records"] for name in ("whole", "killed")]
    assert [each["validation_bits"] for each in records[0]] == [each["validation_bits"] for each in records[1]]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty, a text expected"),
        (b"abc" * 100, "300 characters found, at least 1,300 expected"),
        (b"a" * 2000, "1 different character found, 2 or more expected"),
        (b"to be\0" * 300, "a zero byte found at byte 5, a text in UTF-8 expected"),
        (b"caf\xe9 " * 400, "byte 0xe9 found at byte 3, a text in UTF-8 expected"),
        ("".join(map(chr, range(0x4E00, 0x4E00 + 8001))).encode(), "8,001 different characters found, at most 8,000"),
    ],
    ids=["empty", "short", "one character", "binary", "latin-1", "too many symbols"],
)
def test_a_file_that_is_no_text_to_learn_is_refused(tmp_path, content, message):
    path = tmp_path / "own.txt"
    path.write_bytes(content)
    with pytest.raises(FirsthandError, match=f"--data: .*own.txt: {message}"):
        load_text_splits(str(path), 64)


def test_what_does_not_go_together_is_refused(folder, tmp_path):
    with pytest.raises(FirsthandError, match="found mnist, images; the recipe shakespeare takes a text"):
        check_kind(SHAKESPEARE, "mnist")
    for name in ("shakespeare", "own.txt"):
        with pytest.raises(FirsthandError, match=f"found {name}, a text; the recipe quick takes images"):
            check_kind(QUICK, name)
    with pytest.raises(FirsthandError, match="sweep: the recipe shakespeare learns a text"):
        refuse_text(SHAKESPEARE, "sweep")
    for name, what in ((tmp_path, "a folder"), (tmp_path / "none.txt", "no such file")):
        with pytest.raises(FirsthandError, match=rf"\({what}\), expected shakespeare or FILE.txt"):
            load_text_splits(str(name), 64)
    with pytest.raises(FirsthandError, match="--examples: found 99, expected 1 to 56"):
        load_text_splits(str(folder / "own.txt"), 64, 99)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["sample", "MODEL", "--prompt", "é"], "--prompt: 'é' found at position 0, one of the alphabet's"),
        (["sample", "MODEL", "--temperature", "0"], "--temperature: found 0, expected a positive number"),
        (["train", "--carry-state", "--out", "none"], "--carry-state: the recipe digit-reader learns images"),
        (["evaluate", "MODEL", "--data", "mnist"], "found mnist, images; a language model reads a text"),
        (["predict", "own.txt", "--model", "MODEL"], "LanguageModel found, a model that names classes expected"),
    ],
)
def test_mistakes_are_one_line(folder, arguments, message):
    done = firsthand(*(word.replace("MODEL", "run/model.safetensors") for word in arguments), cwd=folder)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.slow
def test_data_made_by_rule_come_with_the_recipe(tmp_path):
    done = firsthand("train", "--recipe", "dates", "--epochs", 1, "--out", "run", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "whole answers right: training " in done.stdout
    assert "whole answers right" in (tmp_path / "run" / "report.html").read_text()
    for option, value in (("--data", "mnist"), ("--examples", 3), ("--members", 2)):
        done = firsthand("train", "--recipe", "dates", option, value, cwd=tmp_path)
        assert done.returncode == 2
        assert f"{option}: found {value}; the recipe dates learns from data that are made by rule" in done.stderr
