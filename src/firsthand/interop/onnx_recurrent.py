"""Recurrent layers as ONNX's operators RNN, LSTM and GRU, and what hands them the rows of an image."""

from typing import Any

import numpy as np

from firsthand import nn

from .onnx_layers import Graph, Value, onnx_writer

__all__: list[str] = []

# operator, and where it has each of our gates: i, f, g, o are its i, o, f, c; r, z, n its z, r, h
_OPERATORS: dict[type, tuple[str, tuple[int, ...]]] = {
    nn.SimpleRNN: ("RNN", (0,)),
    nn.LSTM: ("LSTM", (0, 3, 1, 2)),
    nn.GRU: ("GRU", (1, 0, 2)),
}


@onnx_writer(nn.Rows)
def _rows(graph: Graph, layer: nn.Rows, params: nn.Params, x: Value) -> str:
    height, width, channels = x.shape
    image = graph.add("Transpose", x.name, perm=(0, 2, 3, 1))
    rows = graph.add("Reshape", image, graph.array("shape", (0, height, width * channels), np.int64))
    return graph.add("Transpose", rows, perm=(0, 2, 1))


@onnx_writer(nn.SimpleRNN)
@onnx_writer(nn.LSTM)
@onnx_writer(nn.GRU)
def _one_direction(graph: Graph, layer: Any, params: nn.Params, x: Value) -> str:
    return _written(graph, layer, [params], x)


@onnx_writer(nn.Bidirectional)
def _both_directions(graph: Graph, layer: nn.Bidirectional, params: nn.Params, x: Value) -> str:
    return _written(graph, layer.cell, [params["forward"], params["backward"]], x)


def _written(graph: Graph, cell: Any, directions: list[nn.Params], x: Value) -> str:
    """The states of all steps, (batch, units, time), or of the last, (batch, units); both directions side by side."""
    operator, _ = _OPERATORS[type(cell)]
    arrays = zip(*(_arrays(cell, params) for params in directions), strict=True)
    inputs = [graph.array(name, np.stack(each)) for name, each in zip(("W", "R", "B"), arrays, strict=True)]
    more: dict[str, Any] = {"hidden_size": cell.units}
    if len(directions) == 2:
        more["direction"] = "bidirectional"
    if isinstance(cell, nn.SimpleRNN):
        more["activations"] = [cell.activation.capitalize()] * len(directions)
    if isinstance(cell, nn.GRU):
        more["linear_before_reset"] = 1
    steps = graph.add("Transpose", x.name, perm=(2, 0, 1))  # (time, batch, features)
    states = graph.add(operator, steps, *inputs, **more)  # (time, directions, batch, units)
    if cell.every_step:
        states = graph.add("Transpose", states, perm=(2, 1, 3, 0))  # (batch, directions, units, time)
        shape = (0, len(directions) * cell.units, x.shape[0])
    else:
        # the way back ends at the first step
        ends = [_end(graph, states, step, number) for number, step in enumerate((-1, 0)[: len(directions)])]
        return ends[0] if len(ends) == 1 else graph.add("Concat", *ends, axis=1)
    return graph.add("Reshape", states, graph.array("shape", shape, np.int64))


def _end(graph: Graph, states: str, step: int, direction: int) -> str:
    """The state of one step in one direction, (batch, units)."""
    found = graph.add("Gather", states, graph.array("step", (step,), np.int64), axis=0)
    found = graph.add("Gather", found, graph.array("direction", (direction,), np.int64), axis=1)
    return graph.add("Squeeze", found, graph.array("axes", (0, 1), np.int64))


def _arrays(cell: Any, params: nn.Params) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """W (gates units, features), R (gates units, units) and both biases in a row, gates in the operator's order."""
    order = list(_OPERATORS[type(cell)][1])

    def turned(weights: Any) -> np.ndarray:
        blocks = np.asarray(weights).T.reshape(len(order), cell.units, -1)
        return blocks[order].reshape(len(order) * cell.units, -1)

    bias = np.asarray(params["bias"]).reshape(-1, cell.units)
    of_input, of_state = bias[order], np.zeros((len(order), cell.units), np.float32)
    if isinstance(cell, nn.GRU):
        of_state[2] = bias[3]  # b_u, inside the product with the reset gate
    both = np.concatenate([of_input.ravel(), of_state.ravel()])
    return turned(params["weights"]), turned(params["recurrent_weights"]), both
