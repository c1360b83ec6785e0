"""The networks that are measured, said in the terms of no framework, and the problem that each contender is given.

This file and the peers' need NumPy alone, so that no framework's process carries another framework.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

__all__ = [
    "FULLY_CONNECTED",
    "KNOWN",
    "NETS",
    "WIDE",
    "Conv",
    "Dense",
    "Drop",
    "Net",
    "Problem",
    "load_params",
    "load_problem",
    "save_params",
    "shapes",
]

PIXELS = 28


@dataclass(frozen=True)
class Conv:
    """Convolution, 2x2 max-pooling, ReLU."""

    filters: int
    size: int = 5


@dataclass(frozen=True)
class Dense:
    """A fully connected layer; `activation` is sigmoid, relu, or none for the last, which the cost follows."""

    units: int
    activation: str = "none"


@dataclass(frozen=True)
class Drop:
    """Dropout of the next layer's inputs."""

    rate: float = 0.5


@dataclass(frozen=True)
class Net:
    """A network with its cost: `softmax` with log-likelihood, or `sigmoid` with cross-entropy, summed over outputs."""

    name: str
    layers: tuple[Conv | Dense | Drop, ...]
    output: str
    learning_rate: float

    @property
    def convolutional(self) -> bool:
        """True if its input is images, and not rows of pixels."""
        return isinstance(self.layers[0], Conv)

    def without_dropout(self) -> "Net":
        """The same with nothing left to chance, so that contenders can be compared number by number."""
        return replace(self, layers=tuple(layer for layer in self.layers if not isinstance(layer, Drop)))


_CONVOLUTIONS = (Conv(20), Conv(40))
_NETS = (
    Net("784-30-10", (Dense(30, "sigmoid"), Dense(10)), "sigmoid", 0.5),
    Net("784-100-10", (Dense(100, "sigmoid"), Dense(10)), "sigmoid", 0.5),
    Net("conv-2", (*_CONVOLUTIONS, Dense(100, "relu"), Dense(10)), "softmax", 0.05),
    Net(
        "dropout",
        (*_CONVOLUTIONS, Drop(), Dense(1000, "relu"), Drop(), Dense(1000, "relu"), Drop(), Dense(10)),
        "softmax",
        0.03,
    ),
)
NETS = {net.name: net for net in _NETS}


def _fully_connected(*units: int) -> Net:
    layers = (*(Dense(width, "relu") for width in units), Dense(10))
    return Net("-".join(map(str, (PIXELS**2, *units, 10))) + " ReLU", layers, "softmax", 0.05)


_WIDTHS = ((), (30,), (100,), (200,), (512, 256), (1000, 1000), (4096,))
FULLY_CONNECTED = {net.name: net for net in (_fully_connected(*units) for units in _WIDTHS)}
WIDE = Net("conv-wide", (Conv(32), Conv(64), Dense(256, "relu"), Dense(10)), "softmax", 0.05)
KNOWN = NETS | FULLY_CONNECTED | {WIDE.name: WIDE}


def shapes(net: Net) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    """(shape of what enters, shape of the weights) of each layer with parameters; images are height, width, channels.

    Weights are (height, width, channels, filters) and (inputs, units): firsthand's form, and that of the files.
    """
    found: list[tuple[tuple[int, ...], tuple[int, ...]]] = []
    shape: tuple[int, ...] = (PIXELS, PIXELS, 1)
    for layer in net.layers:
        if isinstance(layer, Conv):
            assert len(shape) == 3
            height, width, channels = shape
            found.append((shape, (layer.size, layer.size, channels, layer.filters)))
            shape = ((height - layer.size + 1) // 2, (width - layer.size + 1) // 2, layer.filters)
        elif isinstance(layer, Dense):
            found.append((shape, (int(np.prod(shape)), layer.units)))
            shape = (layer.units,)
    return found


@dataclass(frozen=True)
class Problem:
    """The problem that a contender trains on: all have the same arrays.

    Args:
        net: the network.
        batch_size: examples in a mini-batch.
        images: uint8 (n, 28, 28, 1).
        labels: int32 (n,).
        order: int32 (n,); step i takes the examples order[i * batch_size : (i + 1) * batch_size].
        params: weights and bias of each layer with parameters, alternating, in firsthand's shapes.
    """

    net: Net
    batch_size: int
    images: np.ndarray
    labels: np.ndarray
    order: np.ndarray
    params: list[np.ndarray]

    def floats(self) -> np.ndarray:
        """The pixels as float32 between 0 and 1, for contenders that keep them so: (n, 28, 28, 1)."""
        return self.images.astype(np.float32) / 255


def save_params(path: Path, params: list[np.ndarray]) -> None:
    """Write parameters for `load_params`."""
    np.savez(path, *params)


def load_params(path: Path) -> list[np.ndarray]:
    """Parameters as `save_params` wrote them."""
    with np.load(path) as file:
        return [file[f"arr_{i}"] for i in range(len(file.files))]


def load_problem(folder: Path, net: str, batch_size: int, dropout: bool = True) -> Problem:
    """The problem that `benchmarks.speed.contest.prepare` laid down in a folder."""
    chosen = KNOWN[net] if dropout else KNOWN[net].without_dropout()
    images, labels, order = (np.load(folder / f"{name}.npy") for name in ("images", "labels", "order"))
    return Problem(chosen, batch_size, images, labels, order, load_params(folder / f"{net}.npz"))
