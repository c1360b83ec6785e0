"""`firsthand predict`: one digit on a picture of any kind; nothing, or two of them, are said to be that."""

import json
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from firsthand.cli.one_digit import name_digit
from firsthand.data import mnist
from firsthand.reading import boxed_model

TEST = mnist().test


def answer(path, model=None):
    return name_digit(path, model or boxed_model(), (28, 28, 1), 3)


def photo(digits, tmp_path, size=140, at=(50, 40), name="photo.png"):
    """Digits in dark ink on light paper, each a fifth of the picture."""
    paper = np.full((size, size), 225, np.uint8)
    for i, digit in enumerate(digits):
        top, left = at[0], at[1] + 30 * i
        paper[top : top + 28, left : left + 28] -= (0.75 * TEST.images[digit, ..., 0]).astype(np.uint8)
    Image.fromarray(paper).save(tmp_path / name)
    return tmp_path / name


def test_images_of_mnist_go_to_the_model_as_they_are(tmp_path):
    for i in range(100):
        Image.fromarray(TEST.images[i, ..., 0]).save(tmp_path / "digit.png")
        found = answer(tmp_path / "digit.png")
        assert found.notes == (), i
        assert found.candidates == dict(boxed_model().top_k(TEST.images[i : i + 1], 3)[0])


def test_a_digit_that_fills_a_fifth_of_its_picture_is_found(tmp_path):
    right = 0
    for i in range(20):
        found = answer(photo([i], tmp_path, at=(20 + 3 * i, 90 - 4 * i)))
        right += next(iter(found.candidates), None) == str(TEST.labels[i])
        assert not found.candidates or found.notes[0].startswith("found at ")
    assert right >= 18


@pytest.mark.parametrize("size", [(224, 224), (1, 1), (28, 28), (3000, 2)])
@pytest.mark.parametrize("grey", [0, 128, 255])
def test_nothing_is_said_to_be_nothing(tmp_path, size, grey):
    Image.new("L", size, grey).save(tmp_path / "blank.png")
    assert answer(tmp_path / "blank.png") == ({}, (), "nothing is on the picture")


def test_two_digits_are_said_as_such(tmp_path):
    found = answer(photo([0, 1], tmp_path))
    assert found.candidates == {}
    assert found.reason == "2 digits are on the picture, expected one; `firsthand read` reads 72"


def test_white_ink_on_transparent_ground(tmp_path):
    pixels = np.full((28, 28, 4), 255, np.uint8)
    pixels[..., 3] = TEST.images[0, ..., 0]
    Image.fromarray(pixels).resize((200, 200)).save(tmp_path / "ink.png")
    assert next(iter(answer(tmp_path / "ink.png").candidates)) == "7"


@pytest.mark.parametrize("form", [(), ("--json",)], ids=["text", "json"])
def test_a_picture_that_is_none_does_not_stop_the_others(tmp_path, command, form):
    (tmp_path / "a.png").write_text("no picture")
    seven = photo([0], tmp_path, name="b.png")
    code, out, err = command("predict", tmp_path / "a.png", seven, "", *form)
    assert code == 1
    assert [line.split(":")[0] for line in err.splitlines()] == ["firsthand", "firsthand"]
    assert "a.png" in err.splitlines()[0]
    assert f"{seven}: 7" in out if not form else json.loads(out)[1]["label"] == "7"
    assert command("predict", tmp_path / "a.png", *form)[0] == 2


def test_through_the_front_door(tmp_path):
    Image.new("L", (224, 224), 255).save(tmp_path / "blank.png")
    command = [sys.executable, "-m", "firsthand", "predict", "blank.png", str(photo([0], tmp_path)), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=120)
    assert done.returncode == 0, done.stderr
    blank, seven = json.loads(done.stdout)
    assert (blank["label"], blank["reason"]) == (None, "nothing is on the picture")
    assert seven["label"] == "7"
    for name in ("predict", "read"):
        empty = subprocess.run(
            [sys.executable, "-m", "firsthand", name, ""], capture_output=True, text=True, timeout=120
        )
        assert (empty.returncode, empty.stderr.count("\n")) == (2, 1)
        assert "an empty name found" in empty.stderr


FORKED = """
import multiprocessing, warnings
import numpy as np, firsthand
from firsthand.errors import FirsthandError
from firsthand.reading import boxed_model, read_many
warnings.simplefilter("ignore")  # JAX's own, of the fork
blank = np.zeros((1, 28, 28, 1), np.uint8)
digits = np.hstack([np.pad(firsthand.mnist().test.images[0, ..., 0], 6)] * 3)
photo = 255 - np.pad(digits, 200)  # so large that a network looks for regions first
def tried(kind):
    try:
        if kind == "predict":
            return boxed_model().predict(blank).tolist()
        return next(iter(read_many([photo if kind == "photo" else 255 - digits]))).text
    except FirsthandError as error:
        return str(error)
before = multiprocessing.get_context("fork").Pool(1) if WHEN == "before" else None
print(tried("predict"))
with before or multiprocessing.get_context("fork").Pool(1) as pool:
    for kind in ("predict", "read", "photo"):
        print(pool.apply_async(tried, [kind]).get(120))
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="forks")
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_fork_after_jax_has_started_is_refused_in_one_line(when):
    code = FORKED.replace("WHEN", repr(when))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=240)
    first, *forked = done.stdout.splitlines()
    assert first == "[1]", done.stderr
    if when == "before":
        assert forked == ["[1]", "777", "777"]
    else:
        assert len(forked) == 3
        assert all(line.startswith("this process was forked") for line in forked)
        assert all("forked after JAX had started" in line and "'spawn'" in line for line in forked)
