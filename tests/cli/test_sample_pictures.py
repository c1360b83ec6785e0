"""`firsthand sample` of a network that runs backwards, and the training of one that machines start."""

import json

import jax
import numpy as np
import pytest
from PIL import Image

from firsthand import nn
from firsthand.models import Autoencoder, Generator, load


def read(path):
    with Image.open(path) as picture:
        return np.asarray(picture)


@pytest.fixture
def model(tmp_path):
    network = nn.Network((nn.RBM(6), nn.RBM(8, labels=2)), (5, 4, 1))
    params = network.init(key=jax.random.key(0))
    return Generator(network, params, ("a", "b")).save(tmp_path / "model.safetensors")


def test_pictures_are_written_as_one_sheet(command, model, tmp_path):
    out = tmp_path / "sheet.png"
    code, said, _ = command("sample", model, "--digit", "b", "--count", 23, "--steps", 3, "--out", out)
    assert (code, said[: len(str(out))]) == (0, str(out))
    assert "23 pictures of 'b', each after 3 steps" in said
    first = read(out)
    assert first.shape == (2 * 7 - 2, 20 * 6 - 2)
    code, said, _ = command(
        "sample", "--model", model, "--label", "b", "--count", 23, "--steps", 3, "--out", out, "--json"
    )
    assert json.loads(said) == {"out": str(out), "count": 23, "label": "b", "steps": 3, "seed": 0}
    np.testing.assert_array_equal(read(out), first)


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (("--digit", "7"), "sample: label '7' found, expected one of a, b"),
        (("--length", "7"), "--length: the model writes no text"),
        (("--out", "sheet.doc"), "--out: found sheet.doc, expected the name of a picture, such as sheet.png"),
        (("--count", "0"), "--count: found 0, expected 1 or more"),
    ],
)
def test_what_cannot_be_drawn_is_one_line(command, model, options, line):
    code, _, err = command("sample", model, *options)
    assert (code, err) == (2, f"firsthand: {line}\n")


def test_a_variational_autoencoder_draws_and_another_says_why_not(command, tmp_path):
    network = nn.Network((nn.FullyConnected(4, nn.linear), nn.GaussianCode(), nn.FullyConnected(20)), (5, 4, 1))
    file, out = tmp_path / "model.safetensors", tmp_path / "sheet.png"
    Autoencoder(network, network.init(key=jax.random.key(0))).save(file)
    code, said, err = command("sample", file, "--count", 23, "--out", out)
    assert (code, err) == (0, "")
    assert said.startswith(f"{out}: 23 pictures; mean ink ")
    assert read(out).shape == (2 * 7 - 2, 20 * 6 - 2)
    code, _, err = command("sample", file, "--digit", 3)
    assert (code, err) == (2, "firsthand: --digit: the model draws pictures of no class, each in one step\n")
    plain = nn.Network((nn.FullyConnected(2), nn.FullyConnected(20)), (5, 4, 1))
    Autoencoder(plain, plain.init(key=jax.random.key(0))).save(file)
    code, _, err = command("sample", file, "--out", out)
    assert code == 2
    assert "expected GaussianCode" in err


@pytest.mark.slow
def test_a_belief_net_is_trained_and_draws(command, tmp_path):
    run = tmp_path / "run"
    code, _, err = command("train", "--recipe", "dbn", "--members", 2, "--out", run)
    assert (code, err) == (2, "firsthand: --recipe dbn: expected neither --members nor several devices or processes\n")
    code, said, err = command("train", "--recipe", "dbn", "--examples", 200, "--epochs", 1, "--out", run)
    assert code == 0, err
    assert "first its 3 machines, one after the other" in said
    assert {"model.safetensors", "report.html", "samples.png", "given_and_given_back.png"} <= {
        path.name for path in run.iterdir()
    }
    assert not (run / "pretraining").exists()
    model = load(run / "model.safetensors")
    assert isinstance(model, Generator)
    assert model.classes == tuple("0123456789")
    code, said, err = command("sample", run / "model.safetensors", "--count", 2, "--steps", 1, "--out", run / "s.png")
    assert code == 0, err
