"""ONNX files: layers as ONNX Runtime computes them, whole models and ensembles, and what is refused."""

import dataclasses
import json
import sys

import jax
import numpy as np
import onnx
import onnxruntime
import pytest

from firsthand import FirsthandError, nn
from firsthand.cli import main
from firsthand.data import mnist
from firsthand.interop import compare_onnx, export_onnx, onnx_writer, to_onnx
from firsthand.interop.onnx_layers import _WRITERS, Graph, write_network
from firsthand.models import Ensemble, Model
from firsthand.nn.network import is_statistic

pytestmark = pytest.mark.usefixtures("compiled_quickly")
IMAGE = (9, 8, 2)  # no two sizes alike, so that exchanged axes are seen
LAST = nn.FullyConnected(3, nn.softmax)
LAYERS = {
    "fully connected, tanh": (nn.FullyConnected(5, nn.tanh),),
    "softmax inside": (nn.Softmax(5),),
    "convolution": (nn.Convolution(4, (3, 2), activation=nn.gelu),),
    "convolution, stride and padding": (nn.Convolution(4, 3, stride=2, padding=2, activation=nn.linear),),
    "convolution, groups": (nn.Convolution(6, 3, groups=2, activation=nn.sigmoid),),
    "convolution, softmax over channels": (nn.Convolution(3, 2, activation=nn.softmax),),
    "conv-pool": (nn.ConvPool(4, (2, 3), pool=(3, 2), padding=1, activation=nn.tanh),),
    "conv-pool, incomplete windows": (nn.ConvPool(3, 3), nn.ConvPool(2, 2, activation=nn.sigmoid)),
    "max-pool, overlapping": (nn.MaxPool(3, stride=(2, 1)),),
    "average pool": (nn.AveragePool((2, 3)),),
    "L2 pool": (nn.L2Pool(2, stride=1),),
    "convolution, rows and columns": (nn.Convolution(4, 3, stride=(2, 1), padding=(0, 2), activation=nn.linear),),
    "conv-pool, rows and columns": (nn.ConvPool(4, 3, pool=(2, 1), padding=(2, 0)),),
    "max-pool, padded": (nn.MaxPool(3, stride=1, padding=1),),
    "average pool, padded": (nn.AveragePool((3, 2), stride=2, padding=(2, 1)),),
    "L2 pool, padded": (nn.L2Pool(3, stride=(1, 2), padding=(0, 1)),),
    "dropout, rescale, flatten": (nn.Dropout(0.5), nn.Rescale(255 / 256), nn.Flatten()),
    "activation": (nn.Activation(nn.gelu), nn.Activation(nn.linear)),
    "batch norm of images": (nn.BatchNorm(),),
    "batch norm of vectors": (nn.FullyConnected(5), nn.BatchNorm(epsilon=0.1)),
    "layer norm of images": (nn.Convolution(4, 3), nn.LayerNorm()),
    "layer norm of flattened images": (nn.Flatten(), nn.LayerNorm(epsilon=0.1)),
    "local response normalization": (nn.Convolution(6, 3), nn.LocalResponseNormalization(5, alpha=0.5)),
    "crop": (nn.Crop((4, 5)),),
    "auxiliary classifier": (nn.Auxiliary((nn.Softmax(3),)),),
    "global average pool": (nn.Convolution(4, 3), nn.GlobalAveragePool()),
    "global max pool": (nn.Convolution(4, 3), nn.GlobalMaxPool()),
    "residual": (nn.Residual((nn.Convolution(2, 3, padding=1), nn.BatchNorm())), nn.Residual((nn.Activation(),))),
    "concatenate": (nn.Concatenate(((), (nn.Convolution(3, 3, padding=1),), (nn.BatchNorm(), nn.Activation()))),),
    "concatenate vectors": (nn.Concatenate(((nn.Flatten(),), (nn.GlobalMaxPool(), nn.FullyConnected(4)))),),
    "rows of images": (nn.Rows(), nn.GRU(4, every_step=False)),
    "a code, its mean": (nn.FullyConnected(6), nn.Sparsity(), nn.GaussianCode()),
    "squeeze and excite": (nn.Convolution(5, 3), nn.SqueezeExcite(2)),
}


SEQUENCE = (7, 3)
RECURRENT = {
    "rnn, every step": (nn.SimpleRNN(4), nn.Flatten()),
    "rnn, ReLU, last step": (nn.SimpleRNN(4, every_step=False, activation="relu"),),
    "lstm, two layers": (nn.LSTM(4), nn.LSTM(5, every_step=False)),
    "gru, every step": (nn.GRU(4), nn.LayerNorm(), nn.Flatten()),
    "both directions, every step": (nn.Bidirectional(nn.LSTM(4)), nn.Flatten()),
    "both directions, last steps": (nn.Bidirectional(nn.GRU(4, every_step=False)),),
    "both directions, rnn": (nn.Bidirectional(nn.SimpleRNN(4, every_step=False, activation="relu")),),
}


def made(*layers, shape=IMAGE, classes="abc", seed=0, **fields):
    """A model with random parameters, running averages and biases included, so that none is a neutral 0 or 1."""
    network = nn.Network(layers, shape)
    rng = np.random.default_rng(seed)

    def drawn(path, leaf):
        if is_statistic(path):
            return rng.uniform(0.3, 2, leaf.shape).astype(np.float32)
        return rng.normal(0, np.sqrt(leaf.shape[-1] / leaf.size), leaf.shape).astype(np.float32)

    params = jax.eval_shape(lambda key: network.init(key=key), jax.random.key(0))
    return Model(network, jax.tree_util.tree_map_with_path(drawn, params), tuple(classes), **fields)


def pixels(n, shape=IMAGE):
    return np.random.default_rng(1).integers(0, 256, (n, *shape), np.uint8)


def assert_same(model, images, content=None):
    seen = compare_onnx(content or to_onnx(model), model, images)
    assert seen is not None
    assert seen.difference < 1e-5
    assert seen.labels == 0


@pytest.mark.parametrize("layers", LAYERS.values(), ids=LAYERS)
def test_every_layer_gives_what_firsthand_gives(layers):
    assert_same(made(*layers, LAST), pixels(7))


@pytest.mark.parametrize("layers", RECURRENT.values(), ids=RECURRENT)
def test_every_recurrent_layer_gives_what_firsthand_gives(layers):
    model = made(*layers, LAST, shape=SEQUENCE)
    sequences = np.random.default_rng(1).standard_normal((5, *SEQUENCE), np.float32)
    assert_same(model, sequences, to_onnx(model, pixels=False))


def test_every_layer_that_can_be_written_is_tested():
    def types(layers):
        for layer in layers:
            yield type(layer)
            for row in layer.inside():
                yield from types(inside.layer for inside in row)

    tested = {one for layers in (*LAYERS.values(), *RECURRENT.values()) for one in types(layers)}
    public = {one for name in nn.__all__ if isinstance(one := getattr(nn, name), type) and issubclass(one, nn.Layer)}
    assert tested == public & set(_WRITERS)


@pytest.mark.parametrize(
    ("last", "temperature"),
    [
        (nn.FullyConnected(3), None),
        (nn.FullyConnected(3), 1.7),
        (nn.Softmax(3), 0.6),
        (nn.FullyConnected(3, nn.relu), None),
    ],
    ids=["sigmoids", "sigmoids with temperature", "softmax with temperature", "ReLUs, some of them all zero"],
)
def test_probabilities_as_the_model_means_them(last, temperature):
    assert_same(made(last, temperature=temperature), pixels(50))


def test_where_no_output_is_positive_all_classes_are_alike():
    model = made(nn.FullyConnected(3, nn.relu), shape=(2,))
    model.params[0]["bias"][:] = -100
    (found,) = session(to_onnx(model)).run(["probabilities"], {"images": pixels(2, (2,))})
    np.testing.assert_allclose(np.asarray(found), 1 / 3, rtol=1e-6)


@pytest.mark.parametrize("temperature", [None, 1.3])
def test_an_ensemble_is_one_file(temperature):
    members = (made(nn.ConvPool(2, 3), LAST), made(nn.FullyConnected(3), seed=1), made(LAST, seed=2, temperature=2.0))
    assert_same(Ensemble(members, temperature=temperature), pixels(20))


def session(content):
    return onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])


def test_floats_are_taken_as_they_are_and_any_number_of_them():
    model = made(nn.FullyConnected(4, nn.relu), LAST, shape=(6,))
    x = np.random.default_rng(2).normal(0, 3, (50, 6)).astype(np.float32)
    content = to_onnx(model, pixels=False)
    for n in (0, 1, 50):
        (found,) = session(content).run(["probabilities"], {"images": x[:n]})
        np.testing.assert_allclose(np.asarray(found), model.probabilities(x[:n]), atol=1e-6)


def test_the_file_says_what_it_is():
    model = made(LAST, temperature=1.5, provenance={"seed": 3})
    file = onnx.load_from_string(to_onnx(model))
    onnx.checker.check_model(file, full_check=True)
    about = {entry.key: json.loads(entry.value) for entry in file.metadata_props}
    assert about == {
        "classes": ["a", "b", "c"],
        "temperature": 1.5,
        "input_shape": list(IMAGE),
        "provenance": {"seed": 3},
    }
    (given,) = session(file.SerializeToString()).get_inputs()
    assert (given.name, given.type, given.shape) == ("images", "tensor(uint8)", ["batch", *IMAGE])
    assert (file.producer_name, file.ir_version, file.opset_import[0].version) == ("firsthand", 8, 18)


def test_a_thousand_test_images_through_the_front_door(tmp_path, capsys, monkeypatch):
    model = made(nn.ConvPool(6), nn.ConvPool(8), nn.Softmax(10), shape=(28, 28, 1), classes="0123456789")
    model.save(tmp_path / "m.safetensors")
    arguments = ["export", str(tmp_path / "m.onnx"), "--model", str(tmp_path / "m.safetensors")]
    monkeypatch.setattr(sys, "argv", ["firsthand", *arguments, "--json"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0
    said = json.loads(capsys.readouterr().out)
    assert said["compared"]["n"] == 1000
    assert said["compared"]["images"] == "MNIST test images"
    assert said["compared"]["difference"] <= 1e-5
    assert said["bytes"] == (tmp_path / "m.onnx").stat().st_size
    assert_same(model, mnist().test.images[1000:2000], (tmp_path / "m.onnx").read_bytes())


def test_a_file_that_differs_is_not_written(tmp_path):
    model = made(LAST)
    with pytest.raises(FirsthandError, match=r"m\.onnx: not written: on 1,000 images .* differ .* \(1e-12 accepted\)"):
        export_onnx(model, tmp_path / "m.onnx", tolerance=1e-12)
    assert list(tmp_path.iterdir()) == []
    other = dataclasses.replace(model, params=made(LAST, seed=1).params)
    seen = compare_onnx(to_onnx(other), model, pixels(30))
    assert seen is not None
    assert seen.labels > 0
    assert seen.difference > 0.01


@dataclasses.dataclass(frozen=True)
class Doubled(nn.FullyConnected):
    """A layer of somebody's own, with another formula than its parent's."""


@dataclasses.dataclass(frozen=True)
class Squared(nn.Layer):
    """A layer of somebody's own, which is taught how it is written."""

    def apply(self, params, x, *, key=None, train=False):
        return x * x


@dataclasses.dataclass(frozen=True)
class Negative(nn.FullyConnected):
    """An output layer of somebody's own."""

    def weighted_input(self, params, x):
        return -super().weighted_input(params, x)


def test_a_layer_of_ones_own_can_be_taught():
    @onnx_writer(Squared)
    def squared(graph, layer, params, x):
        return graph.add("Mul", x.name, x.name)

    @onnx_writer(Negative)
    def negative(graph, layer, params, x):
        return graph.add("Neg", _WRITERS[nn.FullyConnected](graph, layer, params, x))

    try:
        assert_same(made(nn.Convolution(3, 3), Squared(), Negative(4), Negative(3)), pixels(20))
    finally:
        del _WRITERS[Squared], _WRITERS[Negative]


def test_sequences_are_written_step_by_step():
    network = nn.Network((nn.FullyConnected(4, nn.gelu), nn.LayerNorm(), nn.Softmax(3)), (5, 6))
    params = network.init(key=jax.random.key(0))
    graph = Graph()
    z = write_network(graph, network, params, "x")
    nodes = [onnx.helper.make_node(n.op, n.inputs, [n.output], **n.attributes) for n in graph.nodes]
    value = onnx.helper.make_tensor_value_info
    described = onnx.helper.make_graph(
        nodes,
        "sequences",
        [value("x", onnx.TensorProto.FLOAT, ["batch", 5, 6])],
        [value(z, onnx.TensorProto.FLOAT, ["batch", 5, 3])],
        [onnx.numpy_helper.from_array(array, name) for name, array in graph.arrays.items()],
    )
    file = onnx.helper.make_model(described, opset_imports=[onnx.helper.make_opsetid("", 18)], ir_version=8)
    x = np.random.default_rng(0).normal(size=(2, 5, 6)).astype(np.float32)
    (found,) = session(file.SerializeToString()).run([z], {"x": x})
    np.testing.assert_allclose(np.asarray(found), network.weighted_input(params, x), atol=1e-5)


def test_what_cannot_be_exported_is_named(tmp_path):
    def mine(z):
        return z * z

    for layers, message in (
        ((nn.Activation(mine), LAST), r"ONNX: activation mine found, one of firsthand\.nn's expected"),
        ((Doubled(3), LAST), r"ONNX: layer Doubled\(3, .*\) cannot be written"),
        ((nn.LocallyConnected(2, 3), LAST), r"ONNX: layer LocallyConnected\(2, .*\) cannot be written"),
        ((LAST, Doubled(3)), r"ONNX: layer Doubled\(3, .*\) cannot be written"),
    ):
        model = made(*layers)
        with pytest.raises(FirsthandError, match=message):
            write_network(Graph(), model.network, model.params, "images")
    with pytest.raises(FirsthandError, match=r"m\.pb: expected a name that ends with \.onnx"):
        export_onnx(made(LAST), tmp_path / "m.pb")


def test_without_the_extra_there_is_one_line(tmp_path, capsys, monkeypatch):
    made(LAST).save(tmp_path / "m.safetensors")
    arguments = ["export", str(tmp_path / "m.onnx"), "--model", str(tmp_path / "m.safetensors")]
    monkeypatch.setattr(sys, "argv", ["firsthand", *arguments])
    monkeypatch.setitem(sys.modules, "onnxruntime", None)  # as if it were not installed
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0
    assert "not compared: package onnxruntime not found" in capsys.readouterr().out
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert capsys.readouterr().err == "firsthand: ONNX: package onnx not found: pip install 'firsthand[onnx]'\n"
