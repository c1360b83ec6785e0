"""`network2` of chapter 3: cost functions, L2 regularization, better initial weights, monitoring, early stopping.

The interface of the original; the equations are in `firsthand.reference`.  All randomness is that of `random` (order
of the data) and `numpy.random` (weights), drawn in the original's order.
"""

import json
import random
import sys
from pathlib import Path
from typing import Any

import numpy as np

from firsthand.book import adaptor
from firsthand.book.adaptor import vectorized_result
from firsthand.errors import FirsthandError, reading
from firsthand.files import write_atomically
from firsthand.reference import fully_connected as reference
from firsthand.reference import functions
from firsthand.reference.functions import sigmoid, sigmoid_prime

# `from network2 import *` brings what the original has imported as well
__all__ = [
    "CrossEntropyCost",
    "Network",
    "QuadraticCost",
    "json",
    "load",
    "np",
    "random",
    "sigmoid",
    "sigmoid_prime",
    "sys",
    "vectorized_result",
]


class QuadraticCost:
    """C_x = 1/2 ||y - a||^2."""

    @staticmethod
    def fn(a, y):
        """The cost of an output a, where y was desired; of several columns, the sum."""
        return functions.QUADRATIC.fn(a, y)

    @staticmethod
    def delta(z, a, y):
        """The error of the output layer, (30): (a - y) * sigma'(z)."""
        return (a - y) * sigmoid_prime(z)


class CrossEntropyCost:
    """C_x = -sum_j [y_j ln a_j + (1 - y_j) ln(1 - a_j)]."""

    @staticmethod
    def fn(a, y):
        """The cost of an output a, where y was desired; of several columns, the sum."""
        return functions.CROSS_ENTROPY.fn(a, y)

    @staticmethod
    def delta(z, a, y):
        """The error of the output layer, (66): a - y, whatever z is."""
        return functions.CROSS_ENTROPY.delta(z, a, y, functions.SIGMOID)


class Network:
    """A network of layers of sigmoid neurons.

    Args:
        sizes: number of neurons in each layer, the inputs first.
        cost: a class with `fn(a, y)` and `delta(z, a, y)`: `CrossEntropyCost`, `QuadraticCost`, or one of your own;
            an instance will do as well.
    Attributes:
        num_layers, sizes, cost: as given.
        biases, weights: one array per layer after the input, (j, 1) and (j, k); lists that may be read and written.
    """

    def __init__(self, sizes, cost: Any = CrossEntropyCost):
        adaptor.check_sizes(sizes)
        self.num_layers = len(sizes)
        self.sizes = sizes
        self.default_weight_initializer()
        self.cost = cost

    def default_weight_initializer(self):
        """Biases from N(0, 1), weights from N(0, 1/k), k being the number of inputs of a neuron."""
        self.biases, self.weights = reference.scaled_weights(self.sizes, np.random)

    def large_weight_initializer(self):
        """Biases and weights from N(0, 1), as in chapter 1: for comparison."""
        self.biases, self.weights = reference.large_weights(self.sizes, np.random)

    def feedforward(self, a):
        """The output (j, 1) for an input a (k, 1); several inputs side by side give as many outputs."""
        return adaptor.activate(self, a, sigmoid)

    def SGD(
        self,
        training_data,
        epochs,
        mini_batch_size,
        eta,
        lmbda=0.0,
        evaluation_data=None,
        monitor_evaluation_cost=False,
        monitor_evaluation_accuracy=False,
        monitor_training_cost=False,
        monitor_training_accuracy=False,
        early_stopping_n=0,
        *,
        shuffle=None,
    ):
        """Train by mini-batch stochastic gradient descent with L2 regularization, and print what is monitored.

        Args:
            training_data: list of (x, y), x (784, 1) and y (10, 1); it is shuffled in place.
            epochs: passes over the training data.
            mini_batch_size: examples in a mini-batch; the last one has what is left over, and takes its own mean.
            eta, lmbda: learning rate and regularization parameter.
            evaluation_data: list of (x, digit), usually the validation or the test data.
            monitor_...: what to measure and print after every epoch.
            early_stopping_n: stop when accuracy has not risen for this many epochs; 0 never stops.  It is that on
                the evaluation data if it is monitored, otherwise that on the training data.
            shuffle: a function that shuffles a list in place, `random.shuffle` unless given; with `python2.shuffle`
                the seeds of the book's own programs repeat its own runs.
        Returns:
            Four lists with a number per epoch, empty if not monitored: evaluation_cost, evaluation_accuracy,
            training_cost, training_accuracy.  Accuracies are counts.
        """
        training_data = adaptor.examples(training_data, "training_data")
        if evaluation_data is not None:
            evaluation_data = adaptor.as_list(evaluation_data)
        elif monitor_evaluation_cost or monitor_evaluation_accuracy:
            raise FirsthandError("evaluation_data: none found, but the evaluation is to be monitored")
        if mini_batch_size < 1:
            raise FirsthandError(f"mini_batch_size: {mini_batch_size} found, 1 or more expected")
        if early_stopping_n > 0 and not (monitor_evaluation_accuracy or monitor_training_accuracy):
            raise FirsthandError(
                f"early_stopping_n: {early_stopping_n} found without an accuracy to go by, "
                "monitor_evaluation_accuracy=True expected with it"
            )
        n, n_data = len(training_data), len(evaluation_data or ())
        evaluation_cost, evaluation_accuracy = [], []
        training_cost, training_accuracy = [], []
        best_accuracy, epochs_without_rise = 0, 0
        step = self.update_mini_batch if adaptor.redefined(self, _OURS, "update_mini_batch") else self._step_in_place
        for j in range(epochs):
            (shuffle or random.shuffle)(training_data)
            adaptor.own_weights(self)
            for k in range(0, n, mini_batch_size):
                step(training_data[k : k + mini_batch_size], eta, lmbda, n)
            print(f"Epoch {j} training complete")
            accuracy = 0
            if monitor_training_cost:
                training_cost.append(self.total_cost(training_data, lmbda))
                print(f"Cost on training data: {training_cost[-1]}")
            if monitor_training_accuracy:
                accuracy = self.accuracy(training_data, convert=True)
                training_accuracy.append(accuracy)
                print(f"Accuracy on training data: {accuracy} / {n}")
            if monitor_evaluation_cost:
                evaluation_cost.append(self.total_cost(evaluation_data, lmbda, convert=True))
                print(f"Cost on evaluation data: {evaluation_cost[-1]}")
            if monitor_evaluation_accuracy:
                accuracy = self.accuracy(evaluation_data)
                evaluation_accuracy.append(accuracy)
                print(f"Accuracy on evaluation data: {accuracy} / {n_data}")
            print()
            if early_stopping_n > 0:
                epochs_without_rise = 0 if accuracy > best_accuracy else epochs_without_rise + 1
                best_accuracy = max(accuracy, best_accuracy)
                if epochs_without_rise == early_stopping_n:
                    break
        return evaluation_cost, evaluation_accuracy, training_cost, training_accuracy

    def update_mini_batch(self, mini_batch, eta, lmbda, n):
        """Move the weights and biases against the gradient of one mini-batch, equations (93) and (94).

        All examples go through backpropagation at once, as the columns of a matrix (a problem of chapter 2).  The
        new weights are new arrays.

        Args:
            mini_batch: list of (x, y).
            eta, lmbda: learning rate and regularization parameter.
            n: size of the whole training set.
        """
        adaptor.own_weights(self)
        self._step_in_place(mini_batch, eta, lmbda, n)

    def _step_in_place(self, mini_batch, eta, lmbda, n):
        mini_batch = adaptor.examples(mini_batch, "mini_batch")
        if _replaced() or adaptor.redefined(self, _OURS, "backprop"):
            # what the reader has put in the place of ours knows one example at a time
            gradient = adaptor.sum_of(self.backprop(x, y) for x, y in mini_batch)
            gradient = reference.gradient_with_penalties(gradient, self.weights, len(mini_batch), n, l2=lmbda)
            self.weights, self.biases = reference.descend(self.weights, self.biases, gradient, eta)
        else:
            x, y = adaptor.matrices(self, mini_batch)
            self.weights, self.biases = reference.sgd_step(
                self.weights, self.biases, x, y, eta, lmbda, n, self._cost(), overwrite=True
            )

    def backprop(self, x, y):
        """The gradient of C_x for one example: (nabla_b, nabla_w), lists shaped like `biases` and `weights`."""
        return adaptor.gradient(self, x, y, self._cost(), sigmoid, sigmoid_prime)

    def accuracy(self, data, convert=False):
        """Count the examples that are right: the network's answer is its neuron of highest activation.

        Args:
            data: list of (x, y).
            convert: True for training data, whose y are arrays (10, 1); False for others, whose y are digits.
        """
        data = adaptor.as_list(data)
        y = adaptor.digits(self, data, convert, "data")
        return int(np.sum(np.argmax(self._outputs(data), axis=0) == y))

    def total_cost(self, data, lmbda, convert=False):
        """The mean cost over the examples, plus lmbda / (2 n) sum w^2, n being the number of these examples.

        Args:
            data: list of (x, y).
            lmbda: regularization parameter.
            convert: False for training data, whose y are arrays (10, 1); True for others, whose y are digits.
        Raises:
            FirsthandError: there are no data, or y are of the other kind or shape.
        """
        data = adaptor.examples(data, "data")
        ys = [y for _, y in data]
        if convert and self.sizes[-1] > 1:
            ys = [vectorized_result(j) for j in adaptor.digits(self, data, False, "data")]
        y = adaptor.columns(ys, self.sizes[-1], f"layer {self.num_layers}: y")
        a = self._outputs(data)
        if self._takes_matrices():
            c_0 = self.cost.fn(a, y)
        else:  # a cost of the reader's own knows one example at a time
            c_0 = sum(self.cost.fn(a[:, [i]], y[:, [i]]) for i in range(len(data)))
        return float(reference.cost_with_penalties(c_0 / len(data), self.weights, len(data), l2=lmbda))

    def save(self, filename):
        """Write the network to a JSON file, in the original's form: sizes, weights, biases, cost."""
        data = {
            "sizes": [int(size) for size in self.sizes],
            "weights": [np.asarray(w).tolist() for w in self.weights],
            "biases": [np.asarray(b).tolist() for b in self.biases],
            "cost": getattr(self.cost, "__name__", type(self.cost).__name__),  # of a class, or of an instance
        }
        write_atomically(filename, json.dumps(data))

    def _takes_matrices(self) -> bool:
        """Return whether the cost is one of ours, class or instance, as we have written it."""
        return any(self.cost.fn is fn and self.cost.delta is delta for fn, delta in _COSTS)

    def _cost(self) -> functions.Cost:
        def delta(z, a, y, _):
            if z.shape[1] == 1 or self._takes_matrices():
                return self.cost.delta(z, a, y)
            one_by_one = [self.cost.delta(z[:, [i]], a[:, [i]], y[:, [i]]) for i in range(z.shape[1])]
            return np.concatenate(one_by_one, axis=1)

        return functions.Cost(self.cost.fn, delta)

    def _outputs(self, data) -> np.ndarray:
        return adaptor.outputs(self, data, _replaced() or adaptor.redefined(self, _OURS, "feedforward"))


# what a reader's own method or cost is recognized by: it is not one of these
_OURS = {name: vars(Network)[name] for name in ("update_mini_batch", "backprop", "feedforward")}
_COSTS = [(cost.fn, cost.delta) for cost in (QuadraticCost, CrossEntropyCost)]


def _replaced() -> bool:
    """Return whether the reader has replaced this module's sigmoid or its slope by other functions."""
    return sigmoid is not functions.sigmoid or sigmoid_prime is not functions.sigmoid_prime


def load(filename):
    """Read a network from a file that `Network.save`, ours or the original's, has written.

    Raises:
        FileNotFoundError: there is no such file.
        FirsthandError: it holds no network; the message says what is wrong.
    """
    if not Path(filename).exists():
        raise FileNotFoundError(f"{filename}: no such file")
    with reading(filename, "not a network of network2"):
        data = json.loads(Path(filename).read_text())
        sizes, name = data["sizes"], data["cost"]
        weights, biases = ([np.array(a, dtype=float) for a in data[key]] for key in ("weights", "biases"))
        adaptor.check_sizes(sizes)
        adaptor.check_network(weights, biases, sizes)
        # a class of the reader's own is found once it has been put into this module, as in the original
        cost = getattr(sys.modules[__name__], name, None)
        if not (hasattr(cost, "fn") and hasattr(cost, "delta")):
            raise FirsthandError(f"cost: {name!r} found, QuadraticCost or CrossEntropyCost expected")
    net = Network(sizes, cost=cost)
    net.weights, net.biases = weights, biases
    return net
