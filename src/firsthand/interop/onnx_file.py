"""A model or an ensemble as an ONNX file that takes pixels and gives probabilities, compared with the model itself."""

import json
import os
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from firsthand.errors import FirsthandError
from firsthand.files import write_atomically
from firsthand.models import Classifier, Ensemble, Model
from firsthand.nn import softmax

from . import onnx_recurrent  # noqa: F401 - its writers register themselves
from .onnx_layers import Graph, write_activation, write_network

__all__ = ["Comparison", "compare_onnx", "export_onnx", "to_onnx"]

# ONNX Runtime has read these since 1.14 (2023); nothing newer is needed
OPERATORS, FILE_VERSION = 18, 8
TOLERANCE = 1e-5


class Comparison(NamedTuple):
    """The output of ONNX Runtime for an ONNX file, compared with that of the model.

    Attributes:
        n: how many images were read by both.
        difference: largest absolute difference of a probability.
        labels: how many labels differ, those not counted whose probabilities tie within the tolerance.
        runtime: version of ONNX Runtime.
    """

    n: int
    difference: float
    labels: int
    runtime: str


def to_onnx(model: Classifier, *, pixels: bool = True) -> bytes:
    """The content of an ONNX file that computes what `predict` and `probabilities` of the model do.

    Its input is `images`, (batch, *input_shape) with any batch size; its outputs are `probabilities`, float32
    (batch, classes), and `label`, int64 (batch,), an index into the classes.  Division by 255 and the temperature are
    inside.  The metadata hold, as JSON, `classes`, `temperature`, `input_shape` and `provenance`.

    Args:
        model: a `Model` or an `Ensemble`; its layers are of `firsthand.nn`, or have a writer (`onnx_writer`).
        pixels: whether the images are pixels, uint8 0..255; otherwise they are float32, taken as they are.
    Raises:
        FirsthandError: the package onnx is missing, or a layer cannot be written.
    """
    onnx = _onnx()
    graph = Graph()
    x = "images"
    if pixels:
        x = graph.add("Div", graph.add("Cast", x, to=onnx.TensorProto.FLOAT), graph.array("white", 255.0))
    if isinstance(model, Ensemble):
        z, probabilities = _ensemble(graph, model, x)
    elif isinstance(model, Model):
        z = write_network(graph, model.network, model.params, x)
        probabilities = _probabilities(graph, model, z)
    else:
        raise FirsthandError(f"ONNX: {type(model).__name__} found, a Model or an Ensemble expected")
    graph.add("Identity", probabilities, output="probabilities")
    graph.add("ArgMax", z, output="label", axis=1, keepdims=0)

    image = onnx.TensorProto.UINT8 if pixels else onnx.TensorProto.FLOAT
    nodes = [onnx.helper.make_node(n.op, n.inputs, [n.output], n.output, **n.attributes) for n in graph.nodes]
    made = onnx.helper.make_graph(
        nodes,
        "firsthand",
        [onnx.helper.make_tensor_value_info("images", image, ["batch", *model.input_shape])],
        [
            onnx.helper.make_tensor_value_info("probabilities", onnx.TensorProto.FLOAT, ["batch", len(model.classes)]),
            onnx.helper.make_tensor_value_info("label", onnx.TensorProto.INT64, ["batch"]),
        ],
        [onnx.numpy_helper.from_array(array, name) for name, array in graph.arrays.items()],
        doc_string=f"{model.parameter_count:,} parameters; classes {', '.join(model.classes)}",
    )
    file = onnx.helper.make_model(
        made,
        opset_imports=[onnx.helper.make_opsetid("", OPERATORS)],
        ir_version=FILE_VERSION,
        producer_name="firsthand",
        producer_version=_version("firsthand"),
    )
    about = {
        "classes": list(model.classes),
        "temperature": model.temperature,
        "input_shape": list(model.input_shape),
        "provenance": model.provenance,
    }
    onnx.helper.set_model_props(file, {name: json.dumps(value) for name, value in about.items()})
    onnx.checker.check_model(file, full_check=True)
    return file.SerializeToString()


def compare_onnx(
    content: bytes, model: Classifier, images: np.ndarray, *, tolerance: float = TOLERANCE
) -> Comparison | None:
    """Let ONNX Runtime and the model read the same images; None where the package onnxruntime is missing.

    Args:
        content: of the file, from `to_onnx`.
        model: that was exported.
        images: (n, *input_shape), uint8 or float32 as the file expects.
        tolerance: probabilities closer than this count as a tie.
    """
    try:
        import onnxruntime
    except ModuleNotFoundError:
        return None
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    found, labels = session.run(["probabilities", "label"], {"images": images})
    found, labels = np.asarray(found), np.asarray(labels)
    expected = model.probabilities(images)
    lost = expected.max(axis=1) - expected[np.arange(len(labels)), labels]
    differ = (labels != model.predict(images)) & (lost > tolerance)
    difference = float(np.max(np.abs(found - expected), initial=0.0))
    return Comparison(len(images), difference, int(np.sum(differ)), _version("onnxruntime"))


def export_onnx(
    model: Classifier,
    path: str | os.PathLike[str],
    *,
    images: np.ndarray | None = None,
    pixels: bool = True,
    tolerance: float = TOLERANCE,
) -> Comparison | None:
    """Write a model or an ensemble as an ONNX file, once ONNX Runtime has been seen to agree with it.

    Args:
        model, pixels: see `to_onnx`.
        path: of the file, whose name ends with .onnx; an existing one is replaced at once or not at all.
        images: to compare on; a thousand random ones by default.
        tolerance: largest absolute difference of a probability that is accepted.
    Returns:
        What was compared; None where the package onnxruntime is missing, and the file is written unseen.
    Raises:
        FirsthandError: as `to_onnx`; another name; or ONNX Runtime gives something else than the model.  Nothing is
            written then.
    """
    path = Path(path)
    if path.suffix != ".onnx":
        raise FirsthandError(f"{path}: expected a name that ends with .onnx")
    content = to_onnx(model, pixels=pixels)
    if images is None:
        images = _random_images(model.input_shape, pixels)
    seen = compare_onnx(content, model, images, tolerance=tolerance)
    if seen is not None and (seen.difference > tolerance or seen.labels):
        raise FirsthandError(
            f"{path}: not written: on {seen.n:,} images ONNX Runtime's probabilities differ from the model's by up to "
            f"{seen.difference:.1e} ({tolerance:.0e} accepted), and {seen.labels} labels differ"
        )
    write_atomically(path, content)
    return seen


def _probabilities(graph: Graph, model: Model, z: str) -> str:
    """The graph of `Model.probabilities_at`."""
    if model.temperature is not None:
        return _softened(graph, z, model.temperature)
    outputs = write_activation(graph, model.network.activation, z)
    if model.network.activation is softmax:
        return outputs
    # shares of the sum of what is positive; all classes alike where nothing is
    a = graph.add("Relu", outputs)
    axis, zero, one = graph.array("axis", (1,), np.int64), graph.array("zero", 0.0), graph.array("one", 1.0)
    total = graph.add("ReduceSum", a, axis, keepdims=1)
    some = graph.add("Greater", total, zero)
    shares = graph.add("Div", a, graph.add("Where", some, total, one))
    return graph.add("Where", some, shares, graph.array("alike", 1 / len(model.classes)))


def _ensemble(graph: Graph, ensemble: Ensemble, x: str) -> tuple[str, str]:
    """z = ln p of the mean probability p, and softmax(z/T)."""
    said = []
    for number, member in enumerate(ensemble.members):
        with graph.inside(f"member_{number}"):
            z = write_network(graph, member.network, member.params, x)
            said.append(_probabilities(graph, member, z))
    mean = graph.add("Mean", *said)
    z = graph.add("Log", graph.add("Max", mean, graph.array("tiny", np.finfo(np.float32).tiny)))
    return z, _softened(graph, z, ensemble.temperature or 1.0)


def _softened(graph: Graph, z: str, temperature: float) -> str:
    return graph.add("Softmax", graph.add("Div", z, graph.array("temperature", temperature)), axis=1)


def _random_images(shape: Sequence[int], pixels: bool, n: int = 1000) -> np.ndarray:
    rng = np.random.default_rng(0)
    if pixels:
        return rng.integers(0, 256, (n, *shape), np.uint8)
    return rng.standard_normal((n, *shape), np.float32)


def _onnx() -> Any:
    try:
        import onnx
    except ModuleNotFoundError:
        raise FirsthandError("ONNX: package onnx not found: pip install 'firsthand[onnx]'") from None
    return onnx


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"
