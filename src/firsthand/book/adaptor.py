"""The way from the book's lists of examples to the reference's matrices, shared by `network` and `network2`.

An example is (x, y): x is (784, 1); y is (10, 1) in training data, and a digit in validation and test data.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from firsthand.errors import FirsthandError
from firsthand.reference import fully_connected as reference
from firsthand.reference.fully_connected import Function, Gradient
from firsthand.reference.functions import Cost

__all__ = [
    "activate",
    "as_list",
    "check_network",
    "check_sizes",
    "columns",
    "digits",
    "examples",
    "gradient",
    "matrices",
    "outputs",
    "own_weights",
    "redefined",
    "sum_of",
    "untouched_random",
    "vectorized_result",
]

_NUMBERS = {(), (1,), (1, 1)}  # shapes of what is one number
CHUNK = 1000  # examples in a matrix at a time: all 50,000 would take 0.3 GB


@contextmanager
def untouched_random() -> Iterator[None]:
    """Give `numpy.random` back as it was: the reader's seed is for the reader's weights.

    JAX, for one, moves it while it is imported.
    """
    state = np.random.get_state()  # noqa: NPY002, the originals' generator
    try:
        yield
    finally:
        np.random.set_state(state)  # noqa: NPY002


def vectorized_result(j: int) -> np.ndarray:
    """The digit j as the desired output: (10, 1), 1.0 in the j-th position and 0.0 elsewhere.

    Examples:
        >>> vectorized_result(3).ravel()
        array([0., 0., 0., 1., 0., 0., 0., 0., 0., 0.])
    """
    e = np.zeros((10, 1))
    e[j] = 1.0
    return e


def as_list(data: Iterable[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
    """The data as a list: itself if it is one, for the originals shuffle the reader's own."""
    # Python 3's zip can be read once only, and has no length
    return data if isinstance(data, list) else list(data)


def examples(data: Iterable[tuple[Any, Any]], name: str) -> list[tuple[Any, Any]]:
    """The data as a list with something in it, to learn from or to take a mean of.

    Raises:
        FirsthandError: there are no examples.
    """
    data = as_list(data)
    if not data:
        raise FirsthandError(f"{name}: no examples, expected at least one (x, y)")
    return data


def columns(vectors: Sequence[Any], size: int, name: str) -> np.ndarray:
    """X = [x_1 x_2 ... x_m], (size, m), from m arrays of shape (size, 1); of size 1, numbers will do.

    Raises:
        FirsthandError: one of them has another shape.
    """
    wrong = set(map(np.shape, vectors)) - {(size, 1)}
    if size == 1 and wrong <= _NUMBERS:
        return np.array([np.reshape(v, ()) for v in vectors], float).reshape(1, -1)
    if wrong:
        raise FirsthandError(f"{name}: an array of shape {wrong.pop()} found, ({size}, 1) expected")
    # the examples lie one after the other in memory, so that the transposed matrix is what BLAS likes
    return np.concatenate(vectors, dtype=float).reshape(len(vectors), size).T


def digits(network: Any, data: Sequence[tuple[Any, Any]], convert: bool, name: str) -> np.ndarray:
    """The y of all examples as digits, (n,), from vectors (`convert`) or from digits.

    With one output, a vector is a number, and either is right.

    Raises:
        FirsthandError: the y are of the other kind.
    """
    if not data:
        return np.zeros(0, int)
    found = np.shape(data[0][1])
    if (found in _NUMBERS) == (convert and network.sizes[-1] > 1):
        kind = f"arrays of shape {found}" if found else "digits"
        raise FirsthandError(
            f"{name}: y are {kind}, {'arrays (10, 1)' if convert else 'digits'} expected with convert={convert}; "
            "training data hold arrays, validation and test data hold digits"
        )
    return np.array([np.argmax(y) for _, y in data]) if convert else np.ravel(np.array([y for _, y in data]))


def check_sizes(sizes: Sequence[int]) -> None:
    """Raise FirsthandError unless `sizes` describes a network."""
    if len(sizes) < 2 or any(size < 1 for size in sizes):
        raise FirsthandError(f"sizes: {sizes} found, at least an input and an output layer of 1 or more expected")


def check_network(weights: Sequence[np.ndarray], biases: Sequence[np.ndarray], sizes: Sequence[int]) -> None:
    """Raise FirsthandError, naming the layer, unless weights and biases have the shapes that `sizes` says.

    Both are the reader's to change, so this is asked before they are used.
    """
    try:
        if [w.shape for w in weights] == list(zip(sizes[1:], sizes, strict=False)) and [b.shape for b in biases] == [
            (j, 1) for j in sizes[1:]
        ]:
            return  # as nearly always, told in a tenth of the time of what follows
    except AttributeError:
        pass  # lists instead of arrays will do
    for name, arrays in (("weights", weights), ("biases", biases)):
        if len(arrays) != len(sizes) - 1:
            raise FirsthandError(f"{name}: {len(arrays)} arrays found, {len(sizes) - 1} expected for sizes {sizes}")
    for number, (w, b, k, j) in enumerate(zip(weights, biases, sizes[:-1], sizes[1:], strict=True), start=2):
        for name, array, shape in (("weights", w, (j, k)), ("biases", b, (j, 1))):
            if np.shape(array) != shape:
                raise FirsthandError(f"layer {number}: {name} of shape {np.shape(array)} found, {shape} expected")


def activate(network: Any, a: Any, sigma: Function) -> np.ndarray:
    """The output of a network of neurons `sigma` for the input a: one column (k, 1), or several side by side (k, m).

    Raises:
        FirsthandError: weights, biases and input do not fit.
    """
    output = a
    try:
        # one example in no more time than the original takes: if it does not fit, multiplying tells, and why is asked
        # below
        for w, b in zip(network.weights, network.biases, strict=True):
            z = w.dot(output)
            if z.shape != b.shape:
                break
            output = sigma(z + b)
        else:
            return output
    except (AttributeError, TypeError, ValueError):
        pass
    check_network(network.weights, network.biases, network.sizes)
    if np.ndim(a) != 2 or np.shape(a)[0] != network.sizes[0]:
        raise FirsthandError(f"layer 1: input of shape {np.shape(a)} found, ({network.sizes[0]}, 1) expected")
    return reference.feedforward(network.weights, network.biases, a, sigma)


def gradient(
    network: Any, x: Any, y: Any, cost: Cost, sigma: Function, sigma_prime: Function
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """The gradient of C_x for one example, as the lists nabla_b and nabla_w.

    Raises:
        FirsthandError: weights, biases and example do not fit.
    """
    try:
        # as above: every error has the shape of its biases, or something did not fit
        nabla_b, nabla_w = reference.backprop(network.weights, network.biases, x, y, cost, sigma, sigma_prime)
        if [delta.shape for delta in nabla_b] == [b.shape for b in network.biases]:
            return nabla_b, nabla_w
    except (AttributeError, TypeError, ValueError):
        pass
    check_network(network.weights, network.biases, network.sizes)
    x, y = matrices(network, [(x, y)])
    nabla_b, nabla_w = reference.backprop(network.weights, network.biases, x, y, cost, sigma, sigma_prime)
    return nabla_b, nabla_w


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
    if not data:
        return np.zeros((network.sizes[-1], 0))
    if one_by_one:
        return np.concatenate([network.feedforward(x) for x, _ in data], axis=1)
    parts = [
        network.feedforward(columns([x for x, _ in data[k : k + CHUNK]], network.sizes[0], "layer 1: x"))
        for k in range(0, len(data), CHUNK)
    ]
    return np.concatenate(parts, axis=1)


def redefined(network: Any, ours: dict[str, Any], method: str) -> bool:
    """Return whether the reader has replaced one of our methods: in a subclass, the class, or the one network.

    Ours take a matrix of examples.  A reader's own is called as the originals called it, with one example.
    """
    return getattr(type(network), method) is not ours[method] or method in vars(network)


def sum_of(gradients: Iterable[tuple[Sequence[np.ndarray], Sequence[np.ndarray]]]) -> Gradient:
    """The sum of gradients (nabla_b, nabla_w), layer by layer."""
    nabla_b, nabla_w = (
        [np.sum(layer, axis=0) for layer in zip(*parts, strict=True)] for parts in zip(*gradients, strict=True)
    )
    return Gradient(nabla_b, nabla_w)
