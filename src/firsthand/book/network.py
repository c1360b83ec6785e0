"""`network` of chapters 1 and 2: stochastic gradient descent with backpropagation, sigmoid neurons, quadratic cost.

The interface of the original; the equations are in `firsthand.reference.fully_connected`.  All randomness is that of
`random` (order of the data) and `numpy.random` (weights), drawn in the original's order, so that seeding those two
repeats a run.
"""

import random

import numpy as np

from firsthand.book import adaptor
from firsthand.errors import FirsthandError
from firsthand.reference import fully_connected as reference
from firsthand.reference import functions
from firsthand.reference.functions import sigmoid, sigmoid_prime

# `from network import *` brings what the original has imported as well
__all__ = ["Network", "np", "random", "sigmoid", "sigmoid_prime"]


class Network:
    """A network of layers of sigmoid neurons.

    Args:
        sizes: number of neurons in each layer: [784, 30, 10] has 784 inputs, 30 hidden neurons and 10 outputs.
    Attributes:
        num_layers, sizes: its layers, the input among them.
        biases, weights: one array per layer after the input, (j, 1) and (j, k), at first from N(0, 1); lists that
            may be read and written.
    """

    def __init__(self, sizes):
        adaptor.check_sizes(sizes)
        self.num_layers = len(sizes)
        self.sizes = sizes
        self.biases, self.weights = reference.large_weights(sizes, np.random)

    def feedforward(self, a):
        """The output (j, 1) for an input a (k, 1); several inputs side by side give as many outputs."""
        return adaptor.activate(self, a, sigmoid)

    def SGD(self, training_data, epochs, mini_batch_size, eta, test_data=None, *, shuffle=None):
        """Train by mini-batch stochastic gradient descent, and print a line after each epoch.

        Args:
            training_data: list of (x, y), x (784, 1) and y (10, 1); it is shuffled in place.
            epochs: passes over the training data.
            mini_batch_size: examples in a mini-batch; the last one has what is left over, and takes its own mean.
            eta: the learning rate.
            test_data: list of (x, digit) on which the network is judged after every epoch.
            shuffle: a function that shuffles a list in place, `random.shuffle` unless given; with `python2.shuffle`
                the seeds of the book's own programs repeat its own runs.
        """
        training_data = adaptor.examples(training_data, "training_data")
        if test_data is not None:
            test_data = list(test_data)
        if mini_batch_size < 1:
            raise FirsthandError(f"mini_batch_size: {mini_batch_size} found, 1 or more expected")
        step = self.update_mini_batch if adaptor.redefined(self, _OURS, "update_mini_batch") else self._step_in_place
        for j in range(epochs):
            (shuffle or random.shuffle)(training_data)
            adaptor.own_weights(self)
            for k in range(0, len(training_data), mini_batch_size):
                step(training_data[k : k + mini_batch_size], eta)
            if test_data:
                print(f"Epoch {j}: {self.evaluate(test_data)} / {len(test_data)}")
            else:
                print(f"Epoch {j} complete")

    def update_mini_batch(self, mini_batch, eta):
        """Move the weights and biases against the gradient of one mini-batch, a list of (x, y).

        All examples go through backpropagation at once, as the columns of a matrix (a problem of chapter 2).  The
        new weights are new arrays.
        """
        adaptor.own_weights(self)
        self._step_in_place(mini_batch, eta)

    def _step_in_place(self, mini_batch, eta):
        mini_batch = adaptor.examples(mini_batch, "mini_batch")
        if _replaced() or any(adaptor.redefined(self, _OURS, name) for name in ("backprop", "cost_derivative")):
            # what the reader has put in the place of ours knows one example at a time
            gradient = adaptor.sum_of(self.backprop(x, y) for x, y in mini_batch)
            self.weights, self.biases = reference.descend(self.weights, self.biases, gradient, eta / len(mini_batch))
            return
        x, y = adaptor.matrices(self, mini_batch)
        self.weights, self.biases = reference.sgd_step(
            self.weights, self.biases, x, y, eta, cost=self._cost(), overwrite=True
        )

    def backprop(self, x, y):
        """The gradient of C_x for one example: (nabla_b, nabla_w), lists shaped like `biases` and `weights`."""
        return adaptor.gradient(self, x, y, self._cost(), sigmoid, sigmoid_prime)

    def evaluate(self, test_data):
        """Count the (x, digit) that are right: the network's answer is its neuron of highest activation."""
        test_data = adaptor.as_list(test_data)
        y = adaptor.digits(self, test_data, convert=False, name="test_data")
        a = adaptor.outputs(self, test_data, _replaced() or adaptor.redefined(self, _OURS, "feedforward"))
        return int(np.sum(np.argmax(a, axis=0) == y))

    def cost_derivative(self, output_activations, y):
        """dC_x/da for the output activations: a - y, the cost being quadratic."""
        return output_activations - y

    def _cost(self) -> functions.Cost:
        def delta(z, a, y, _):
            return self.cost_derivative(a, y) * sigmoid_prime(z)

        return functions.QUADRATIC._replace(delta=delta)


# what a reader's own method is recognized by: it is not one of these
_OURS = {name: vars(Network)[name] for name in ("update_mini_batch", "backprop", "feedforward", "cost_derivative")}


def _replaced() -> bool:
    """Return whether the reader has replaced this module's sigmoid or its slope by other functions."""
    return sigmoid is not functions.sigmoid or sigmoid_prime is not functions.sigmoid_prime
