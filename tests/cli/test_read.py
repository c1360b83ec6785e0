"""`firsthand read` and `predict` as a user meets them: real files, exit codes."""

import csv
import io
import json

import numpy as np
import pytest
from PIL import Image

from firsthand.data import mnist
from tests.processes import called as firsthand


def line(indices):
    images = mnist().test.images[..., 0]
    parts = [np.asarray(Image.fromarray(images[i]).resize((56, 56), Image.Resampling.BICUBIC)) for i in indices]
    return Image.fromarray(255 - np.pad(np.hstack([np.pad(part, ((0, 0), (8, 0))) for part in parts]), 24))


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """Two numbers, an empty page, and a file that is no picture."""
    folder = tmp_path_factory.mktemp("pictures")
    (folder / "inner").mkdir()
    line(range(5)).save(folder / "a.png")
    line(range(10, 15)).save(folder / "inner" / "b.jpg", quality=90)
    Image.new("L", (300, 200), 240).save(folder / "empty.png")
    (folder / "broken.png").write_bytes(b"no picture")
    return folder


A, B = "72104", "06901"


def test_one_picture_prints_its_number_and_nothing_else(pictures):
    done = firsthand("read", pictures / "a.png")
    assert (done.returncode, done.stdout.decode(), done.stderr) == (0, f"{A}\n", b"")


def test_standard_input(pictures):
    done = firsthand("read", "-", stdin=(pictures / "a.png").read_bytes())
    assert (done.returncode, done.stdout.decode()) == (0, f"{A}\n")


def test_a_folder_with_a_bad_file_reads_the_others_and_exits_with_1(pictures):
    done = firsthand("read", pictures)
    assert done.returncode == 1
    printed = done.stdout.decode().splitlines()
    assert printed == [f"{pictures / 'a.png'}: {A}", f"{pictures / 'inner' / 'b.jpg'}: {B}"]
    errors = done.stderr.decode().splitlines()
    assert len(errors) == 2
    assert errors[0].startswith(f"{pictures / 'empty.png'}: nothing is written here")
    assert errors[1].startswith(f"firsthand: {pictures / 'broken.png'}: no picture found")


def test_json_csv_and_lines(pictures):
    found = [json.loads(one) for one in firsthand("read", pictures, "--json").stdout.splitlines()]
    assert [one["image"] for one in found] == [
        str(pictures / name) for name in ("a.png", "broken.png", "empty.png", "inner/b.jpg")
    ]
    assert found[0]["text"] == A
    assert len(found[0]["lines"][0]["digits"]) == 5
    assert "no picture found" in found[1]["error"]
    assert found[2]["lines"] == []
    assert found[2]["reason"]
    rows = list(csv.DictReader(io.StringIO(firsthand("read", pictures / "a.png", "--csv").stdout.decode())))
    assert "".join(row["value"] for row in rows) == A
    assert all(0.5 < float(row["probability"]) <= 1 for row in rows)
    (row,) = csv.DictReader(io.StringIO(firsthand("read", pictures / "a.png", "--csv", "--lines").stdout.decode()))
    assert row["text"] == A
    printed = firsthand("read", pictures / "a.png", "--lines").stdout.decode()
    assert printed.startswith(f"{A}  ")
    assert "%  at " in printed


def test_explain_draws_every_stage(pictures, tmp_path):
    done = firsthand("read", pictures / "a.png", "--explain", tmp_path / "stages")
    assert done.stdout.decode() == f"{A}\n"
    with Image.open(tmp_path / "stages" / "a.png") as picture:
        assert min(picture.size) > 400


def test_predict_uses_the_model_in_the_box(pictures, tmp_path):
    Image.fromarray(mnist().test.images[0, ..., 0]).save(tmp_path / "seven.png")
    done = firsthand("predict", "seven.png", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.decode().startswith("seven.png: 7  (7 ")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["none.png"], "none.png: no such file found, a picture expected"),
        (["text.txt"], "text.txt: no picture found"),
        (["empty"], "empty: a folder without pictures found"),
        (["a.png", "--min-confidence", "2"], "--min-confidence: found 2, expected 0 to 1"),
        (["a.png", "--csv", "--json"], "--csv and --json: both found"),
        (["a.png", "--model", "none.safetensors"], "none.safetensors: no such model file"),
        (["a.png", "--explain", "text.txt"], "text.txt"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_mistakes_get_one_line_and_exit_code_2(pictures, tmp_path, arguments, message):
    (tmp_path / "text.txt").write_text("no picture")
    (tmp_path / "empty").mkdir()
    (tmp_path / "a.png").write_bytes((pictures / "a.png").read_bytes())
    done = firsthand("read", *arguments, cwd=tmp_path)
    errors = done.stderr.decode()
    assert done.returncode == 2, errors
    assert errors.startswith("firsthand: ")
    assert errors.count("\n") == 1, errors
    assert message in errors
    assert done.stdout == b""
