"""What `network` and `network2` share: the way from the book's lists of examples to the reference's matrices.

An example is (x, y): x is (784, 1); y is (10, 1) in training data, and a digit in validation and test data.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from firsthand.errors import FirsthandError
from firsthand.reference.fully_connected import Gradient

__all__ = [
    "as_list",
    "check_network",
    "check_sizes",
    "columns",
    "digits",
    "matrices",
    "outputs",
    "own_weights",
    "redefined",
    "sum_of",
    "vectorized_result",
]

CHUNK = 1000  # examples in a matrix at a time: all 50,000 would take 0.3 GB


def vectorized_result(j: int) -> np.ndarray:
    """The digit j as the desired output: (10, 1), 1.0 in the j-th position and 0.0 elsewhere.

    Examples:
        >>> vectorized_result(3).ravel()
        array([0., 0., 0., 1., 0., 0., 0., 0., 0., 0.])
    """
    e = np.zeros((10, 1))
    e[j] = 1.0
    return e


def as_list(data: Iterable[tuple[Any, Any]], name: str) -> list[tuple[Any, Any]]:
    """The data as a list: itself if it is one, for the originals shuffle the reader's own.

    Raises:
        FirsthandError: there are no examples.
    """
    # Python 3's zip can be read once only, and has no length
    data = data if isinstance(data, list) else list(data)
    if not data:
        raise FirsthandError(f"{name}: no examples, expected at least one (x, y)")
    return data


def columns(vectors: Sequence[np.ndarray], size: int, name: str) -> np.ndarray:
    """X = [x_1 x_2 ... x_m], (size, m), from m arrays of shape (size, 1).

    Raises:
        FirsthandError: one of them has another shape.
    """
    wrong = set(map(np.shape, vectors)) - {(size, 1)}
    if wrong:
        raise FirsthandError(f"{name}: an array of shape {wrong.pop()} found, ({size}, 1) expected")
    # the examples lie one after the other in memory, so that the transposed matrix is what BLAS likes
    return np.concatenate(vectors, dtype=float).reshape(len(vectors), size).T


def digits(data: Sequence[tuple[Any, Any]], convert: bool, name: str) -> np.ndarray:
    """The y of all examples as digits, (n,), from vectors (`convert`) or from digits.

    Raises:
        FirsthandError: the y are of the other kind.
    """
    found = np.shape(data[0][1])
    if convert != bool(found):
        kind = f"arrays of shape {found}" if found else "digits"
        raise FirsthandError(
            f"{name}: y are {kind}, {'arrays (10, 1)' if convert else 'digits'} expected with convert={convert}; "
            "training data hold arrays, validation and test data hold digits"
        )
    return np.array([np.argmax(y) if convert else y for _, y in data])


def check_sizes(sizes: Sequence[int]) -> None:
    """Raise FirsthandError unless `sizes` describes a network."""
    if len(sizes) < 2 or any(size < 1 for size in sizes):
        raise FirsthandError(f"sizes: {sizes} found, at least an input and an output layer of 1 or more expected")


def check_network(weights: Sequence[np.ndarray], biases: Sequence[np.ndarray], sizes: Sequence[int]) -> None:
    """Raise FirsthandError, naming the layer, unless weights and biases have the shapes that `sizes` says.

    Both are the reader's to change, so this is asked before they are used.
    """
    for name, arrays in (("weights", weights), ("biases", biases)):
        if len(arrays) != len(sizes) - 1:
            raise FirsthandError(f"{name}: {len(arrays)} arrays found, {len(sizes) - 1} expected for sizes {sizes}")
    for number, (w, b, k, j) in enumerate(zip(weights, biases, sizes[:-1], sizes[1:], strict=True), start=2):
        for name, array, shape in (("weights", w, (j, k)), ("biases", b, (j, 1))):
            if np.shape(array) != shape:
                raise FirsthandError(f"layer {number}: {name} of shape {np.shape(array)} found, {shape} expected")


def matrices(network: Any, mini_batch: Sequence[tuple[Any, Any]]) -> tuple[np.ndarray, np.ndarray]:
    """A mini-batch as (X, Y), (k, m) and (j, m)."""
    xs, ys = zip(*mini_batch, strict=True)
    return (
        columns(xs, network.sizes[0], "layer 1: x"),
        columns(ys, network.sizes[-1], f"layer {len(network.sizes)}: y"),
    )


def own_weights(network: Any) -> None:
    """Check the network, and give it copies of its weights to overwrite: the reader may still hold the old ones."""
    check_network(network.weights, network.biases, network.sizes)
    network.weights = [np.array(w, dtype=float, order="C") for w in network.weights]


def outputs(network: Any, data: Sequence[tuple[Any, Any]], one_by_one: bool) -> np.ndarray:
    """The output of a network for every example, (j, n)."""
    if one_by_one:
        return np.concatenate([network.feedforward(x) for x, _ in data], axis=1)
    parts = [
        network.feedforward(columns([x for x, _ in data[k : k + CHUNK]], network.sizes[0], "layer 1: x"))
        for k in range(0, len(data), CHUNK)
    ]
    return np.concatenate(parts, axis=1)


def redefined(network: Any, ours: dict[str, Any], method: str) -> bool:
    """Whether the reader has put a method in the place of ours: in a subclass, the class, or the one network.

    Ours take a matrix of examples.  A reader's own is called as the originals called it, with one example.
    """
    return getattr(type(network), method) is not ours[method] or method in vars(network)


def sum_of(gradients: Iterable[tuple[Sequence[np.ndarray], Sequence[np.ndarray]]]) -> Gradient:
    """The sum of gradients (nabla_b, nabla_w), layer by layer."""
    nabla_b, nabla_w = (
        [np.sum(layer, axis=0) for layer in zip(*parts, strict=True)] for parts in zip(*gradients, strict=True)
    )
    return Gradient(nabla_b, nabla_w)
