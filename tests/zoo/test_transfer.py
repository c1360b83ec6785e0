"""Transfer: what is taken over, what stays as it is, what is learned, and what the command line says of it."""

import json
import sys

import jax
import numpy as np
import pytest

from firsthand import FirsthandError, Recipe, nn
from firsthand.cli import main
from firsthand.data import Dataset, Splits, mnist
from firsthand.models import Ensemble, Model
from firsthand.zoo import Transfer, transfer

pytestmark = pytest.mark.usefixtures("compiled_quickly")

KEY = jax.random.key(0)
CLASSES = ("low", "middle", "high")
NETWORK = nn.Network((nn.FullyConnected(8, nn.relu), nn.Dropout(0.1), nn.FullyConnected(6), nn.Softmax(10)))
START = Model(NETWORK, NETWORK.init(key=jax.random.key(7)), tuple("0123456789"), {"from": "somewhere"})


def three_classes(data):
    return Dataset(data.images, data.labels * 3 // 10, CLASSES)


DATA = Splits(*(three_classes(part[:60]) for part in mnist()))
SHORT = Recipe(2, batch_size=20, learning_rate=0.1)


def test_the_output_layer_is_new_and_the_others_begin_where_they_were():
    plan = Transfer(START, DATA, KEY)
    assert plan.network.num_classes == 3
    assert plan.params[0]["weights"] is START.params[0]["weights"]
    assert plan.params[-1]["weights"].shape == (6, 3)
    assert np.any(Transfer(START, DATA, jax.random.key(1)).params[-1]["weights"] != plan.params[-1]["weights"])


@pytest.mark.parametrize(("frozen", "stay"), [(0, []), (1, [0]), (2, [0]), (3, [0, 2]), (-1, [0, 2])])
def test_frozen_layers_stay_to_the_bit_and_the_others_move(frozen, stay):
    found = transfer(START, DATA, SHORT, frozen=frozen, key=KEY).model
    for number in (0, 2):
        same = np.array_equal(found.params[number]["weights"], START.params[number]["weights"])
        assert same == (number in stay)
    assert found.classes == CLASSES
    assert found.provenance["transfer"]["frozen"] == (3 if frozen == -1 else frozen)
    assert found.provenance["transfer"]["start"] == {"from": "somewhere"}


def test_layers_that_are_taken_over_may_have_a_rate_of_their_own():
    still = transfer(START, DATA, SHORT, kept_rate=0.0, key=KEY).model
    np.testing.assert_array_equal(still.params[0]["weights"], START.params[0]["weights"])
    slow, quick = (transfer(START, DATA, SHORT, kept_rate=rate, key=KEY).model for rate in (0.1, 1.0))
    moved = [np.linalg.norm(model.params[0]["weights"] - START.params[0]["weights"]) for model in (slow, quick)]
    assert 0 < moved[0] < moved[1]


@pytest.mark.parametrize(
    ("start", "options", "line"),
    [
        (Ensemble((START, START)), {}, "Ensemble found, expected a single model"),
        (START, {"frozen": 4}, "frozen is 4, expected -1 .all. or 0 to 3"),
        (START, {"kept_rate": -1.0}, "kept_rate is -1.0"),
    ],
)
def test_what_cannot_be_transferred_is_named(start, options, line):
    with pytest.raises(FirsthandError, match=line):
        Transfer(start, DATA, KEY, **options)


def test_images_of_another_shape_are_refused():
    small = Dataset(DATA.train.images[:, ::2, ::2], DATA.train.labels, CLASSES)
    with pytest.raises(FirsthandError, match="each has shape"):
        Transfer(START, Splits(small, None, None), KEY)


def test_the_front_door(tmp_path, monkeypatch, capsys):
    START.save(tmp_path / "start.safetensors")
    some = three_classes(mnist().train[:120])
    np.savez(tmp_path / "new.npz", images=some.images, labels=some.labels, classes=CLASSES)
    options = ["--from", "start.safetensors", "--data", "new.npz", "--frozen", "1", "--kept-rate", "0.5"]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["firsthand", "train", *options, "--epochs", "2", "--out", "run"])
    with pytest.raises(SystemExit) as ended:
        main()
    out, err = capsys.readouterr()
    assert not ended.value.code, err
    assert out.startswith("72 images of 3 classes to learn, with a new output layer; of 3 layers taken over, 1 stay")
    model = Model.load(tmp_path / "run" / "model.safetensors")
    assert model.classes == CLASSES
    np.testing.assert_array_equal(model.params[0]["weights"], START.params[0]["weights"])
    assert json.loads((tmp_path / "run" / "settings.json").read_text())["kept_rate"] == 0.5
