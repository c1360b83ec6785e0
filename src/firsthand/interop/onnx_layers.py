"""Layers as operators of ONNX, one function each, and the register of these functions.

ONNX has the channels of an image before its rows, we have them last: between the functions here every value has its
channels on axis 1, and only what depends on the order of a flattened image, or norms over the channels, turns it back.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

from firsthand import nn
from firsthand.errors import FirsthandError
from firsthand.nn.windows import pair

__all__ = ["Graph", "Node", "Value", "Writer", "onnx_writer", "write_activation", "write_network"]


class Node(NamedTuple):
    """One operator: out = op(inputs)."""

    op: str
    inputs: tuple[str, ...]
    output: str
    attributes: dict[str, Any]


class Value(NamedTuple):
    """A value that flows between layers: its name in the graph, and the shape of one example, channels last."""

    name: str
    shape: nn.Shape


class Graph:
    """Operators in the order in which they are computed, and the arrays that they use."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self.arrays: dict[str, np.ndarray] = {}
        self._place: list[str] = []

    @contextmanager
    def inside(self, name: str) -> Iterator[None]:
        """Give what is added in the block names that begin with this one."""
        self._place.append(name)
        yield
        self._place.pop()

    def add(self, op: str, *inputs: str, output: str | None = None, **attributes: Any) -> str:
        """Add an operator; returns the name of its output."""
        output = output or self._name(f"{op.lower()}_{len(self.nodes)}")
        self.nodes.append(Node(op, inputs, output, attributes))
        return output

    def array(self, name: str, values: Any, dtype: Any = np.float32) -> str:
        """Add an array that is part of the model; returns its name."""
        name = self._name(name)
        if name in self.arrays:
            name = f"{name}_{len(self.arrays)}"
        self.arrays[name] = np.ascontiguousarray(np.asarray(values), dtype)
        return name

    def _name(self, name: str) -> str:
        return "/".join([*self._place, name])


def write_network(graph: Graph, network: nn.Network, params: Sequence[nn.Params], x: str) -> str:
    """Add a network; returns the name of its weighted input z, (batch, classes).

    Args:
        graph: to add to.
        network, params: of a model.
        x: name of its input, (batch, *input_shape) with channels last, as floats.
    Raises:
        FirsthandError: a layer that has no writer, or an activation that is not one of `firsthand.nn`'s.
    """
    value = Value(_channels_first(graph, x, len(network.input_shape)), network.input_shape)
    value = _row(graph, network.layers[:-1], list(params[:-1]), value)
    last = network.layers[-1]
    with graph.inside(f"{len(network.layers)}_{type(last).__name__}"):
        z = Value(_writer(last)(graph, last, params[-1], value), network.shapes[-1])
        return _channels_last(graph, z)


def onnx_writer(layer: type[nn.Layer]) -> Callable[["Writer"], "Writer"]:
    """Register the function below as what writes layers of this very type; subclasses need their own.

    The function is called with (graph, layer, params, x: Value), adds operators to the graph, and returns the name of
    the layer's output, or of its weighted input if the layer is an `OutputLayer`: its activation is added by itself.
    All values in the graph have their channels on axis 1.

    Examples:
        >>> from dataclasses import dataclass
        >>> @dataclass(frozen=True)
        ... class Negative(nn.Layer):
        ...     def apply(self, params, x, *, key=None, train=False):
        ...         return -x
        >>> @onnx_writer(Negative)
        ... def negative(graph, layer, params, x):
        ...     return graph.add("Neg", x.name)
    """

    def register(writer: Writer) -> Writer:
        _WRITERS[layer] = writer
        return writer

    return register


def write_activation(graph: Graph, function: Callable, z: str) -> str:
    """Add an activation function; returns the name of its output.

    Raises:
        FirsthandError: it is not one of `firsthand.nn`'s.
    """
    if function is nn.linear:
        return z
    if function is nn.softmax:
        return graph.add("Softmax", z, axis=1)
    if function is nn.gelu:
        # z Phi(z) = z (1 + erf(z / sqrt(2))) / 2; ONNX has an operator only since version 20
        scaled = graph.add("Mul", z, graph.array("sqrt_half", math.sqrt(0.5)))
        phi = graph.add("Add", graph.add("Erf", scaled), graph.array("one", 1.0))
        return graph.add("Mul", z, graph.add("Mul", phi, graph.array("half", 0.5)))
    operators = {nn.relu: "Relu", nn.sigmoid: "Sigmoid", nn.tanh: "Tanh"}
    if function not in operators:
        name = getattr(function, "__name__", repr(function))
        raise FirsthandError(f"ONNX: activation {name} found, one of firsthand.nn's expected")
    return graph.add(operators[function], z)


def _row(graph: Graph, layers: Sequence[nn.Layer], params: Sequence[nn.Params], x: Value) -> Value:
    """Layers in a row."""
    for number, (layer, p) in enumerate(zip(layers, params, strict=True), start=1):
        with graph.inside(f"{number}_{type(layer).__name__}"):
            name = _writer(layer)(graph, layer, p, x)
            if isinstance(layer, nn.OutputLayer):
                name = write_activation(graph, layer.activation, name)
            x = Value(name, layer.output_shape(x.shape))
    return x


def _writer(layer: nn.Layer) -> "Writer":
    # the very type: a class of somebody's own may compute something else than its parent
    if type(layer) not in _WRITERS:
        raise FirsthandError(f"ONNX: layer {layer} cannot be written; firsthand.interop.onnx_writer teaches it")
    return _WRITERS[type(layer)]


def _inside(params: nn.Params, count: int) -> list[nn.Params]:
    return [params[str(number)] for number in range(count)]


def _channels_first(graph: Graph, name: str, axes: int) -> str:
    return name if axes == 1 else graph.add("Transpose", name, perm=(0, axes, *range(1, axes)))


def _channels_last(graph: Graph, x: Value) -> str:
    axes = len(x.shape)
    return x.name if axes == 1 else graph.add("Transpose", x.name, perm=(0, *range(2, axes + 1), 1))


def _flatten(graph: Graph, layer: nn.Layer | None, params: nn.Params, x: Value) -> str:
    return x.name if len(x.shape) == 1 else graph.add("Flatten", _channels_last(graph, x), axis=1)


def _weighted_input(graph: Graph, params: nn.Params, x: Value) -> str:
    weights, bias = graph.array("weights", params["weights"]), graph.array("bias", params["bias"])
    if len(x.shape) == 2:
        steps = graph.add("Add", graph.add("MatMul", _channels_last(graph, x), weights), bias)
        return _channels_first(graph, steps, 2)
    return graph.add("Gemm", _flatten(graph, None, {}, x), weights, bias)


def _fully_connected(graph: Graph, layer: nn.FullyConnected, params: nn.Params, x: Value) -> str:
    return _weighted_input(graph, params, x)


def _convolved(graph: Graph, layer: Any, params: nn.Params, x: Value, **attributes: Any) -> str:
    weights = np.transpose(np.asarray(params["weights"]), (3, 2, 0, 1))  # (filters, channels / groups, height, width)
    bias = graph.array("bias", params["bias"])
    kernel = graph.array("weights", weights)
    pads = pair(layer.padding) * 2
    return graph.add("Conv", x.name, kernel, bias, kernel_shape=weights.shape[2:], pads=pads, **attributes)


def _convolution(graph: Graph, layer: nn.Convolution, params: nn.Params, x: Value) -> str:
    z = _convolved(graph, layer, params, x, strides=pair(layer.stride), group=layer.groups)
    return write_activation(graph, layer.activation, z)


def _conv_pool(graph: Graph, layer: nn.ConvPool, params: nn.Params, x: Value) -> str:
    pool = pair(layer.pool)
    # the bias, the same within a window, may be added before the maximum
    largest = graph.add("MaxPool", _convolved(graph, layer, params, x), kernel_shape=pool, strides=pool)
    return write_activation(graph, layer.activation, largest)


def _pooled(graph: Graph, op: str, layer: Any, name: str, **attributes: Any) -> str:
    strides = pair(layer.size if layer.stride is None else layer.stride)
    pads = pair(layer.padding) * 2
    return graph.add(op, name, kernel_shape=pair(layer.size), strides=strides, pads=pads, **attributes)


def _max_pool(graph: Graph, layer: nn.MaxPool, params: nn.Params, x: Value) -> str:
    return _pooled(graph, "MaxPool", layer, x.name)


def _average_pool(graph: Graph, layer: nn.AveragePool, params: nn.Params, x: Value) -> str:
    return _pooled(graph, "AveragePool", layer, x.name)


def _l2_pool(graph: Graph, layer: nn.L2Pool, params: nn.Params, x: Value) -> str:
    means = _pooled(graph, "AveragePool", layer, graph.add("Mul", x.name, x.name), count_include_pad=1)
    return graph.add("Sqrt", graph.add("Mul", means, graph.array("window", float(math.prod(pair(layer.size))))))


def _same(graph: Graph, layer: nn.Layer, params: nn.Params, x: Value) -> str:
    return x.name


def _crop(graph: Graph, layer: nn.Crop, params: nn.Params, x: Value) -> str:
    first = layer.middle(x.shape)
    past = [at + pixels for at, pixels in zip(first, pair(layer.size), strict=True)]
    ends = (graph.array(name, where, np.int64) for name, where in (("first", first), ("past", past), ("axes", (2, 3))))
    return graph.add("Slice", x.name, *ends)


def _gaussian_code(graph: Graph, layer: nn.GaussianCode, params: nn.Params, x: Value) -> str:
    limits = {"first": 0, "past": x.shape[0] // 2, "axes": 1}  # the means alone
    return graph.add("Slice", x.name, *(graph.array(name, (at,), np.int64) for name, at in limits.items()))


def _rescale(graph: Graph, layer: nn.Rescale, params: nn.Params, x: Value) -> str:
    return graph.add("Mul", x.name, graph.array("factor", layer.factor))


def _activation(graph: Graph, layer: nn.Activation, params: nn.Params, x: Value) -> str:
    return write_activation(graph, layer.function, x.name)


def _batch_norm(graph: Graph, layer: nn.BatchNorm, params: nn.Params, x: Value) -> str:
    arrays = [graph.array(name, params[name]) for name in ("scale", "bias", "mean", "variance")]
    return graph.add("BatchNormalization", x.name, *arrays, epsilon=layer.epsilon)


def _layer_norm(graph: Graph, layer: nn.LayerNorm, params: nn.Params, x: Value) -> str:
    arrays = [graph.array(name, params[name]) for name in ("scale", "bias")]
    y = graph.add("LayerNormalization", _channels_last(graph, x), *arrays, axis=-1, epsilon=layer.epsilon)
    return _channels_first(graph, y, len(x.shape))


def _local_response(graph: Graph, layer: nn.LocalResponseNormalization, params: nn.Params, x: Value) -> str:
    size = layer.neighbours
    # ONNX divides alpha by the size
    return graph.add("LRN", x.name, size=size, alpha=layer.alpha * size, beta=layer.beta, bias=layer.k)


def _global_pool(op: str) -> Callable[[Graph, nn.Layer, nn.Params, Value], str]:
    def write(graph: Graph, layer: nn.Layer, params: nn.Params, x: Value) -> str:
        return graph.add(op, x.name, graph.array("height_and_width", (2, 3), np.int64), keepdims=0)

    return write


def _residual(graph: Graph, layer: nn.Residual, params: nn.Params, x: Value) -> str:
    return graph.add("Add", x.name, _row(graph, layer.layers, _inside(params, len(layer.layers)), x).name)


def _concatenate(graph: Graph, layer: nn.Concatenate, params: nn.Params, x: Value) -> str:
    parts = []
    for number, branch in enumerate(layer.branches):
        with graph.inside(f"branch_{number}"):
            parts.append(_row(graph, branch, _inside(params[str(number)], len(branch)), x).name)
    return graph.add("Concat", *parts, axis=1)


def _squeeze_excite(graph: Graph, layer: nn.SqueezeExcite, params: nn.Params, x: Value) -> str:
    share = graph.add("ReduceMean", x.name, graph.array("height_and_width", (2, 3), np.int64), keepdims=0)
    for name, operator in (("squeeze", "Relu"), ("excite", "Sigmoid")):
        with graph.inside(name):
            share = graph.add(operator, _weighted_input(graph, params[name], Value(share, (1,))))  # (batch, channels)
    return graph.add("Mul", x.name, graph.add("Unsqueeze", share, graph.array("as_image", (2, 3), np.int64)))


Writer = Callable[[Graph, Any, nn.Params, Value], str]

_WRITERS: dict[type, Writer] = {
    nn.Activation: _activation,
    nn.Auxiliary: _same,
    nn.AveragePool: _average_pool,
    nn.BatchNorm: _batch_norm,
    nn.Concatenate: _concatenate,
    nn.Convolution: _convolution,
    nn.ConvPool: _conv_pool,
    nn.Crop: _crop,
    nn.Dropout: _same,
    nn.Flatten: _flatten,
    nn.FullyConnected: _fully_connected,
    nn.GaussianCode: _gaussian_code,
    nn.GlobalAveragePool: _global_pool("ReduceMean"),
    nn.GlobalMaxPool: _global_pool("ReduceMax"),
    nn.L2Pool: _l2_pool,
    nn.LayerNorm: _layer_norm,
    nn.LocalResponseNormalization: _local_response,
    nn.MaxPool: _max_pool,
    nn.Rescale: _rescale,
    nn.Residual: _residual,
    nn.Softmax: _fully_connected,
    nn.Sparsity: _same,
    nn.SqueezeExcite: _squeeze_excite,
}
