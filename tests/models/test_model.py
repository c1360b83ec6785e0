"""Models: what they say, and what becomes of their file when it is whole, damaged, or not a model at all."""

import json
import struct

import jax
import numpy as np
import pytest
import safetensors.numpy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from firsthand import nn
from firsthand.data import mnist
from firsthand.errors import FirsthandError
from firsthand.files import write_atomically
from firsthand.models import Model, ModelFileError, mirrored, ten_crop

NETWORK = nn.Network((nn.ConvPool(2), nn.Dropout(0.1), nn.Softmax(10)))


@pytest.fixture(scope="module")
def model():
    return Model(NETWORK, jax.device_get(NETWORK.init(key=jax.random.key(0))), tuple("0123456789"), {"seed": 0})


def test_a_model_survives_its_file(model, tmp_path):
    images = mnist().test.images[:20]
    loaded = Model.load(model.save(tmp_path / "m.safetensors"))
    assert loaded.network == model.network
    assert loaded.provenance == {"seed": 0}
    np.testing.assert_array_equal(loaded.outputs(images), model.outputs(images))


def test_probabilities_labels_and_top_k_agree(model):
    images = mnist().test.images[:7]
    probabilities = model.probabilities(images)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-6)
    np.testing.assert_array_equal(model.predict(images), probabilities.argmax(axis=1))
    best = model.top_k(images, 2)
    assert [row[0][0] for row in best] == [str(label) for label in model.predict(images)]
    assert all(len(row) == 2 and row[0][1] >= row[1][1] for row in best)
    assert model.outputs(images[:0]).shape == (0, 10)
    assert model.predict(images[:0]).shape == (0,)


def test_sigmoid_outputs_are_made_to_sum_to_one():
    network = nn.Network((nn.FullyConnected(4, nn.relu, weights_init=nn.zeros),), (2, 2, 1))
    model = Model(network, network.init(key=jax.random.key(0)), tuple("abcd"))
    np.testing.assert_allclose(model.probabilities(np.zeros((1, 2, 2, 1), np.uint8)), 0.25)


def test_saturated_outputs_do_not_tie():
    """In float32 sigmoid(20) and sigmoid(30) are both 1: the label comes from the weighted inputs."""
    network = nn.Network((nn.FullyConnected(2),), (1, 1, 1))
    params = ({"weights": np.zeros((1, 2), np.float32), "bias": np.array([20, 30], np.float32)},)
    model = Model(network, params, ("a", "b"))
    assert model.predict(np.zeros((1, 1, 1, 1), np.uint8)).tolist() == [1]


def test_other_images_are_refused(model):
    with pytest.raises(ValueError, match=r"images have shape \(28, 30, 1\), expected \(28, 28, 1\)"):
        model.predict(np.zeros((1, 28, 30, 1), np.uint8))


def rewritten(path, change_about=lambda about: about, change_arrays=lambda arrays: arrays):
    with safetensors.safe_open(path, framework="numpy") as file:
        about = json.loads(file.metadata()["firsthand"])
        arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no dict
    content = safetensors.numpy.save(change_arrays(arrays), {"firsthand": json.dumps(change_about(about))})
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("about", "arrays", "message"),
    [
        (lambda a: {**a, "format": "other"}, lambda x: x, "found 'other'"),
        (lambda a: {**a, "classes": ["a"]}, lambda x: x, "1 classes for 10 outputs"),
        (lambda a: {**a, "network": {"layer": "eval"}}, lambda x: x, "unknown layer 'eval'"),
        (lambda a: {k: v for k, v in a.items() if k != "network"}, lambda x: x, "'network'"),
        (lambda a: {**a, "network": 3}, lambda x: x, "not one of a network"),
        (
            lambda a: a,
            lambda x: {k: v for k, v in x.items() if k != "0.bias"},
            "arrays missing: \\['0.bias'\\]",
        ),
        (
            lambda a: a,
            lambda x: {**x, "0.bias": np.zeros(3, np.float32)},
            r"0.bias is float32\[3\], expected",
        ),
        (lambda a: a, lambda x: {**x, "0.bias": np.zeros(2)}, r"0.bias is float64\[2\], expected"),
        (lambda a: a, lambda x: {**x, "0.bias": np.full(2, np.nan, np.float32)}, "not finite"),
        (lambda a: a, lambda x: {**x, "extra": np.zeros(1, np.float32)}, "left over: \\['extra'\\]"),
    ],
)
def test_what_is_wrong_inside_is_named(model, tmp_path, about, arrays, message):
    path = model.save(tmp_path / "m.safetensors")
    rewritten(path, about, arrays)
    with pytest.raises(ModelFileError, match=message) as error:
        Model.load(path)
    assert str(path) in str(error.value)


def test_files_that_are_no_models(tmp_path):
    with pytest.raises(FileNotFoundError, match="no such model file"):
        Model.load(tmp_path / "none")
    with pytest.raises(ModelFileError, match="a folder, expected a model file"):
        Model.load(tmp_path)
    for content in (b"", b"PK\x03\x04", b"\x80\x04\x95", struct.pack("<Q", 1 << 60), b"{}" * 100):
        (tmp_path / "file").write_bytes(content)
        with pytest.raises(ModelFileError, match="not a model file, or a damaged one"):
            Model.load(tmp_path / "file")


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_damaged_file_is_refused_or_harmless(model, tmp_path, data):
    """Cut anywhere, or with any byte changed: an error that names the file, or a model of finite numbers."""
    path = model.save(tmp_path / "m.safetensors")
    content = bytearray(path.read_bytes())
    at = data.draw(st.integers(0, len(content) - 1))
    if data.draw(st.booleans()):
        content = content[:at]
    else:
        content[at] ^= data.draw(st.integers(1, 255))
    path.write_bytes(bytes(content))
    try:
        loaded = Model.load(path)
    except ModelFileError as error:
        sound = str(path) in str(error)
    else:
        sound = bool(np.all(np.isfinite(loaded.outputs(mnist().test.images[:1]))))
    assert sound


def test_writing_is_all_or_nothing(tmp_path, monkeypatch):
    path = tmp_path / "file"
    write_atomically(path, "old")

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(OSError, match="disk full"):
        write_atomically(path, "new")
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_the_ten_crop_test_is_the_mean_over_ten_windows(model):
    network = nn.Network((nn.Crop(24), nn.ConvPool(2), nn.Softmax(10)))
    whole = Model(network, jax.device_get(network.init(key=jax.random.key(0))), tuple("0123456789"))
    inside = Model(nn.Network(network.layers[1:], (24, 24, 1)), whole.params[1:], whole.classes)
    images = mnist().test.images[:3]
    expected = np.zeros((3, 10))
    for top, left in ((0, 0), (0, 4), (4, 0), (4, 4), (2, 2)):
        window = images[:, top : top + 24, left : left + 24]
        expected += inside.probabilities(window) + inside.probabilities(window[:, :, ::-1])
    np.testing.assert_allclose(ten_crop(whole, images), expected / 10, rtol=1e-5)
    both = (model.probabilities(images) + model.probabilities(images[:, :, ::-1])) / 2
    np.testing.assert_allclose(mirrored(model, images), both, rtol=1e-5)
    with pytest.raises(FirsthandError, match=r"ten_crop: the first layer is ConvPool\(2.*expected Crop"):
        ten_crop(model, images)
