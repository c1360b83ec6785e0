"""`network3` of chapter 6: convolutional networks, on this package's engine where the original had Theano.

The interface of the original.  Images are (maps, rows, columns) here, and kernels (filters, maps, rows, columns), as
in the book; they are converted where they enter the engine.  Initial weights come from `numpy.random`, drawn in the
original's order.

What the original does that its author or others would do differently is kept by default, and has a name:
`initial_scale` of a layer, and `shuffle`, `penalty_over` and `same_dropout` of `Network.SGD`.  The problems at the end
of the chapter are solved as further arguments: see `Network.SGD`, `Network.accuracy`, `Network.save` and `load`.
"""

import gzip
import json
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import safetensors.numpy

from firsthand.book import adaptor, mnist_loader
from firsthand.errors import FirsthandError, reading
from firsthand.files import write_atomically

with adaptor.untouched_random():
    from firsthand import nn
    from firsthand.book.distortions import Distortions
    from firsthand.book.network3_engine import Engine, Epochs, Options
    from firsthand.book.theano_names import TheanoNames
    from firsthand.models.file import read_safetensors

# `from network3 import *` brings what the original has imported as well, Theano's part excepted
__all__ = [
    "ConvPoolLayer",
    "Distortions",
    "FullyConnectedLayer",
    "Network",
    "ReLU",
    "SharedArray",
    "SoftmaxLayer",
    "dropout_layer",
    "gzip",
    "linear",
    "load",
    "load_data_shared",
    "np",
    "sigmoid",
    "size",
    "tanh",
]

linear, ReLU, sigmoid, tanh = nn.linear, nn.relu, nn.sigmoid, nn.tanh
_ACTIVATIONS = {"linear": linear, "ReLU": ReLU, "sigmoid": sigmoid, "tanh": tanh}


class SharedArray(np.ndarray):
    """An array that also answers as Theano's shared variables did: w.get_value(), w.set_value(...), w.eval()."""

    @classmethod
    def of(cls, array: np.ndarray) -> "SharedArray":
        return np.array(array).view(cls)

    def get_value(self, borrow=False) -> np.ndarray:
        """The values as a plain array: a copy, or with `borrow` the very numbers."""
        return np.asarray(self) if borrow else np.array(self)

    def set_value(self, value, borrow=False) -> None:
        """Put other values of the same shape in."""
        self[...] = value

    def eval(self) -> np.ndarray:
        """The values as a plain array."""
        return np.array(self)


def load_data_shared(filename=mnist_loader.DEFAULT):
    """MNIST as [training_data, validation_data, test_data], each a tuple (x, y).

    Args:
        filename: as in `mnist_loader.load_data`, or what `expand_mnist` has written.
    Returns:
        x: float32 (n, 784), pixels as v/256; y: int32 (n,).
    """
    # views, because the expanded images are 0.8 GB
    return [
        (np.asarray(x, np.float32).view(SharedArray), np.asarray(y, np.int32).view(SharedArray))
        for x, y in mnist_loader.load_data(filename)
    ]


class ConvPoolLayer(TheanoNames):
    """Convolution, max-pooling and activation.

    Args:
        filter_shape: (filters, maps in the input, rows, columns) of the kernels.
        image_shape: (mini-batch size, maps, rows, columns) of the input.
        poolsize: (rows, columns) of a pooling window.
        activation_fn: sigmoid, tanh, ReLU, linear, or a function of your own on JAX arrays.
        initial_scale: "n_out", as in the original: weights start with the standard deviation sqrt(1/n_out),
            n_out = filters * rows * columns / (pooling window); "n_in" is what chapter 3 recommends.
        ties: where several positions of a pooling window are largest: "all" of them get the gradient, as in Theano, or
            the "first".
    Attributes:
        w, b: kernels (filters, maps, rows, columns) and biases (filters,).
    """

    def __init__(
        self,
        filter_shape,
        image_shape,
        poolsize=(2, 2),
        activation_fn: Callable = sigmoid,
        initial_scale="n_out",
        ties="all",
    ):
        if ties not in ("all", "first"):
            raise FirsthandError(f"ties: {ties!r} found, 'all' or 'first' expected")
        self.ties = ties
        self.filter_shape, self.image_shape, self.poolsize = tuple(filter_shape), tuple(image_shape), tuple(poolsize)
        self.activation_fn = activation_fn
        filters, maps, rows, columns = self.filter_shape
        n_out = filters * rows * columns / int(np.prod(poolsize))
        scale = _scale(initial_scale, n_in=maps * rows * columns, n_out=n_out)
        self.w = SharedArray.of(_normal(scale, self.filter_shape))
        self.b = SharedArray.of(_normal(1.0, (filters,)))
        self.params = [self.w, self.b]

    def __repr__(self):
        return f"ConvPoolLayer{self.filter_shape}"


class FullyConnectedLayer(TheanoNames):
    """Every neuron sees every input.

    Args:
        n_in, n_out: numbers of inputs and of neurons.
        activation_fn: sigmoid, tanh, ReLU, linear, or a function of your own on JAX arrays.
        p_dropout: probability that an input of the layer is dropped in training; w is multiplied by 1 - p_dropout
            at all other times.
        initial_scale: "n_out", as in the original: weights start with the standard deviation sqrt(1/n_out); "n_in"
            is what its author meant.
    Attributes:
        w, b: weights (n_in, n_out) and biases (n_out,).
    """

    def __init__(self, n_in, n_out, activation_fn: Callable = sigmoid, p_dropout=0.0, initial_scale="n_out"):
        self.n_in, self.n_out, self.activation_fn, self.p_dropout = n_in, n_out, activation_fn, p_dropout
        self.w = SharedArray.of(_normal(_scale(initial_scale, n_in=n_in, n_out=n_out), (n_in, n_out)))
        self.b = SharedArray.of(_normal(1.0, (n_out,)))
        self.params = [self.w, self.b]

    def __repr__(self):
        return f"{type(self).__name__}({self.n_in}, {self.n_out})"


class SoftmaxLayer(FullyConnectedLayer):
    """The output layer, with the log-likelihood cost; its weights and biases start at zero.

    Args:
        n_in, n_out, p_dropout: as in `FullyConnectedLayer`.
    """

    def __init__(self, n_in, n_out, p_dropout=0.0):
        self.n_in, self.n_out, self.p_dropout = n_in, n_out, p_dropout
        self.w = SharedArray.of(np.zeros((n_in, n_out), np.float32))
        self.b = SharedArray.of(np.zeros((n_out,), np.float32))
        self.params = [self.w, self.b]


class Network(TheanoNames):
    """A network of such layers; it can be pickled.

    Args:
        layers: first to last; the last is a `SoftmaxLayer`.
        mini_batch_size: the one that `SGD` will be given; left out, it is taken from there.
    Attributes:
        history: after `SGD`, a list of numbers per epoch for each of validation_accuracy, test_accuracy (at the
            epochs when it was measured), training_cost and, with diagnostics, training_accuracy.
    """

    def __init__(self, layers: Sequence[Any], mini_batch_size: int | None = None):
        self.layers = layers
        self.mini_batch_size = mini_batch_size
        self.params = [param for layer in layers for param in layer.params]
        self.history: dict[str, list[float]] = {}
        self.engine = Engine(layers)
        self._test_images: Any = None

    def __getstate__(self) -> dict[str, Any]:
        # the engine is made of the layers again, and test data are not the network's
        return {name: value for name, value in vars(self).items() if name not in ("engine", "_test_images")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state, engine=Engine(state["layers"]), _test_images=None)

    def SGD(
        self,
        training_data,
        epochs,
        mini_batch_size,
        eta,
        validation_data,
        test_data,
        lmbda=0.0,
        *,
        shuffle=False,
        penalty_over="batches",
        same_dropout=True,
        early_stopping_n=0,
        distortions: Distortions | None = None,
        diagnostics=False,
    ):
        """Train by mini-batch stochastic gradient descent, and print the original's lines.

        Args:
            training_data, validation_data, test_data: tuples (x, y), x (n, n_in) and y digits (n,); test_data may be
                None.  The test accuracy is taken whenever the validation accuracy is the best so far.
            epochs: passes over the training data.
            mini_batch_size: examples in a mini-batch.  What is left over at the end of the training data is not
                trained on, as in the original; of the other data, every example counts.
            eta: learning rate, or a function of the epoch (0, 1, ...).
            lmbda: L2 parameter.
            shuffle: a new order of the training data every epoch; the original keeps one order.
            penalty_over: "batches", the original's cost + lmbda/2 sum w^2 / (number of mini-batches); or
                "examples", as in network2 and equation (87).
            same_dropout: draw the same random numbers for every layer, as in the original.
            early_stopping_n: stop when the validation accuracy has not risen for this many epochs; 0 never stops.
            distortions: how to distort the training images, differently each time.
            diagnostics: measure accuracy on the training data as well, and print how far it is ahead.
        Raises:
            FirsthandError: data that do not fit, or a cost that is no longer a number.
        """
        if self.mini_batch_size not in (None, mini_batch_size):
            raise FirsthandError(
                f"mini_batch_size: {mini_batch_size} found, {self.mini_batch_size} expected as in the network"
            )
        self.mini_batch_size = mini_batch_size
        training = self.engine.data(training_data, "training_data")
        validation = self.engine.data(validation_data, "validation_data")
        test = None if test_data is None else self.engine.data(test_data, "test_data")
        if epochs < 1 or not 1 <= mini_batch_size <= len(training.y):
            raise FirsthandError(
                f"epochs, mini_batch_size: {epochs}, {mini_batch_size} found, at least 1 epoch and mini-batches of "
                f"1 to {len(training.y)} examples expected"
            )
        self._test_images = None if test is None else test.x
        batches = len(training.y) // mini_batch_size
        over = {"batches": batches, "examples": len(training.y)}
        if penalty_over not in over:
            raise FirsthandError(f"penalty_over: {penalty_over!r} found, 'batches' or 'examples' expected")
        options = Options(mini_batch_size, lmbda / over[penalty_over], same_dropout, distortions)
        run = Epochs(self.engine, training, options, shuffle)
        self.history = {"training_cost": [], "validation_accuracy": [], "test_accuracy": []}
        best_validation_accuracy, best_iteration, test_accuracy, without_rise = 0.0, 0, 0.0, 0
        eta_of: Callable[[int], Any] = eta if callable(eta) else lambda _: eta
        for epoch in range(epochs):
            self.history["training_cost"].append(run.epoch(epoch, eta_of(epoch)))
            validation_accuracy = self.engine.accuracy(validation)
            self.history["validation_accuracy"].append(validation_accuracy)
            print(f"Epoch {epoch}: validation accuracy {validation_accuracy:.2%}")
            without_rise = 0 if validation_accuracy > best_validation_accuracy else without_rise + 1
            if validation_accuracy >= best_validation_accuracy:
                print("This is the best validation accuracy to date.")
                best_validation_accuracy = validation_accuracy
                best_iteration = batches * (epoch + 1) - 1
                if test is not None:
                    test_accuracy = self.engine.accuracy(test)
                    self.history["test_accuracy"].append(test_accuracy)
                    print(f"The corresponding test accuracy is {test_accuracy:.2%}")
            if diagnostics:
                accuracy = self.engine.accuracy(training)
                self.history.setdefault("training_accuracy", []).append(accuracy)
                print(
                    f"The training accuracy is {accuracy:.2%}, "
                    f"{accuracy - validation_accuracy:+.2%} against the validation accuracy"
                )
            if early_stopping_n > 0 and without_rise >= early_stopping_n:
                break
        print("Finished training network.")
        print(f"Best validation accuracy of {best_validation_accuracy:.2%} obtained at iteration {best_iteration}")
        if test is not None:
            print(f"Corresponding test accuracy of {test_accuracy:.2%}")

    def accuracy(self, data) -> float:
        """The share of any data (x, y) that the network gets right."""
        return self.engine.accuracy(self.engine.data(data, "data"))

    def predict(self, x) -> np.ndarray:
        """The digits (n,) that the network sees in images x (n, n_in): the original's `layers[-1].y_out`."""
        return self.engine.classify(self.engine.images(x, "x"))[0]

    def predict_proba(self, x) -> np.ndarray:
        """The softmax layer's outputs (n, n_out) for images x (n, n_in): the original's `layers[-1].output`."""
        return self.engine.classify(self.engine.images(x, "x"))[1]

    def test_mb_predictions(self, i: int) -> np.ndarray:
        """The digits that the network sees in the i-th mini-batch of the test data that `SGD` was given.

        Raises:
            FirsthandError: it was given none.
        """
        if self._test_images is None or self.mini_batch_size is None:
            raise FirsthandError("test_mb_predictions: no test data found, those of SGD expected; see predict(x)")
        part = slice(i * self.mini_batch_size, (i + 1) * self.mini_batch_size)
        return self.engine.classify(self._test_images[part])[0]

    def save(self, filename) -> None:
        """Write the network to a file that `load` reads: the weights as safetensors, with a description of the layers.

        Raises:
            FirsthandError: an activation function of your own, by whose name nobody else would find it.
        """
        arrays = {
            f"{i}.{name}": getattr(layer, name).get_value() for i, layer in enumerate(self.layers) for name in "wb"
        }
        about = {
            "format": _FORMAT,
            "layers": [_description(layer) for layer in self.layers],
            "mini_batch_size": self.mini_batch_size,
        }
        write_atomically(filename, safetensors.numpy.save(arrays, {"firsthand": json.dumps(about)}))


_FORMAT = "firsthand-book-network3-1"
# the arguments that make each layer again
_ARGUMENTS = {
    ConvPoolLayer: ("filter_shape", "image_shape", "poolsize", "activation_fn", "ties"),
    FullyConnectedLayer: ("n_in", "n_out", "activation_fn", "p_dropout"),
    SoftmaxLayer: ("n_in", "n_out", "p_dropout"),
}


def _description(layer: Any) -> dict[str, Any]:
    values = {name: getattr(layer, name) for name in _ARGUMENTS[type(layer)]}
    if "activation_fn" in values:
        names = [name for name, function in _ACTIVATIONS.items() if function is values["activation_fn"]]
        if not names:
            raise FirsthandError(f"{layer}: activation_fn is none of {', '.join(_ACTIVATIONS)}, and cannot be saved")
        values["activation_fn"] = names[0]
    return {"layer": type(layer).__name__, **values}


def load(filename) -> Network:
    """Read a network that `Network.save` has written; nothing in the file is executed.

    Raises:
        FileNotFoundError: there is no such file.
        FirsthandError: it holds no network; the message says what is wrong.
    """
    arrays, about = read_safetensors(filename, _FORMAT, "network3")
    makers = {maker.__name__: maker for maker in _ARGUMENTS}
    with reading(filename, "not a usable network3 file"):
        layers = []
        for i, values in enumerate(about["layers"]):
            maker = makers[values.pop("layer")]
            if "activation_fn" in values:
                values["activation_fn"] = _ACTIVATIONS[values["activation_fn"]]
            with adaptor.untouched_random():  # making layers draws weights, which loading them should not
                layer = maker(**values)
            for name in "wb":
                getattr(layer, name).set_value(arrays[f"{i}.{name}"])
            layers.append(layer)
        return Network(layers, about["mini_batch_size"])


def size(data) -> int:
    """The number of examples in (x, y)."""
    return len(data[0])


def dropout_layer(layer, p_dropout):
    """An array with each value dropped with probability p_dropout; the same ones every time, as in the original."""
    rng = np.random.RandomState(np.random.RandomState(0).randint(999999))
    return np.asarray(layer) * rng.binomial(1, 1 - p_dropout, np.shape(layer)).astype(np.float32)


def _normal(scale: float, shape: tuple[int, ...]) -> np.ndarray:
    return np.random.normal(0.0, scale, shape).astype(np.float32)  # noqa: NPY002, the reader's seed decides


def _scale(initial_scale: str, n_in: float, n_out: float) -> float:
    over = {"n_in": n_in, "n_out": n_out}
    if initial_scale not in over:
        raise FirsthandError(f"initial_scale: {initial_scale!r} found, 'n_out' or 'n_in' expected")
    return float(np.sqrt(1.0 / over[initial_scale]))
