"""The time of the book's programs: against the originals' way, and against the engine itself, in the same run.

    OPENBLAS_NUM_THREADS=1 python benchmarks/speed/book.py

network2  [784, 30, 10], mini-batches of 10, cross-entropy, L2: the full-matrix form against the originals' loop over
          the examples of a mini-batch; training alone, and with the accuracy on the test images after each epoch.
          Expected: at least 5 times faster.

network3  two convolutional layers with ReLU, mini-batches of 10, lambda = 0.1: the book's interface against the
          engine's own with the same recipe.  Expected: at most 1.3 times its time.

It writes results/benchmarks/book.json.  Both of a pair are run in turn, A B A B, on the same 1,000 mini-batches (a
fifth of an epoch), so that whatever else the machine does strikes both; the ratio is the median over the pairs.
"""

import contextlib
import io
import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

# one core for both; must be set before NumPy is imported
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import jax
import numpy as np

from firsthand import nn
from firsthand.book import mnist_loader, network2, network3
from firsthand.data import Splits, mnist
from firsthand.files import describe_machine, versions, write_atomically
from firsthand.learning import Recipe, train

RESULTS = Path(__file__).parents[2] / "results" / "benchmarks" / "book.json"
PAIRS = 9


class PerExample(network2.Network):
    """The originals' way: one example after the other, a fresh gradient for each, and their sum in Python."""

    def update_mini_batch(self, mini_batch, eta, lmbda, n):
        nabla_b = [np.zeros(b.shape) for b in self.biases]
        nabla_w = [np.zeros(w.shape) for w in self.weights]
        for x, y in mini_batch:
            delta_nabla_b, delta_nabla_w = self.backprop(x, y)
            nabla_b = [nb + dnb for nb, dnb in zip(nabla_b, delta_nabla_b, strict=True)]
            nabla_w = [nw + dnw for nw, dnw in zip(nabla_w, delta_nabla_w, strict=True)]
        m = len(mini_batch)
        self.weights = [
            (1 - eta * (lmbda / n)) * w - (eta / m) * nw for w, nw in zip(self.weights, nabla_w, strict=True)
        ]
        self.biases = [b - (eta / m) * nb for b, nb in zip(self.biases, nabla_b, strict=True)]

    def feedforward(self, a):
        for b, w in zip(self.biases, self.weights, strict=True):
            a = 1.0 / (1.0 + np.exp(-(np.dot(w, a) + b)))
        return a

    def backprop(self, x, y):
        nabla_b = [np.zeros(b.shape) for b in self.biases]
        nabla_w = [np.zeros(w.shape) for w in self.weights]
        activation, activations, zs = x, [x], []
        for b, w in zip(self.biases, self.weights, strict=True):
            zs.append(np.dot(w, activation) + b)
            activation = 1.0 / (1.0 + np.exp(-zs[-1]))
            activations.append(activation)
        delta = activations[-1] - y
        nabla_b[-1], nabla_w[-1] = delta, np.dot(delta, activations[-2].T)
        for l in range(2, self.num_layers):  # noqa: E741
            sp = network2.sigmoid_prime(zs[-l])
            delta = np.dot(self.weights[-l + 1].T, delta) * sp
            nabla_b[-l], nabla_w[-l] = delta, np.dot(delta, activations[-l - 1].T)
        return nabla_b, nabla_w


def compare(a: Callable[[], float], b: Callable[[], float]) -> dict[str, float]:
    """Run both in turn, each of which says its seconds; median and quartiles of both, and of their ratio per pair."""
    for function in (a, b):
        function()  # what is done once only (compilation, caches) is not what is asked about
    pairs = [(a(), b()) for _ in range(PAIRS)]
    summary: dict[str, float] = {"pairs": PAIRS}
    for name, values in (
        ("seconds_a", [x for x, _ in pairs]),
        ("seconds_b", [y for _, y in pairs]),
        ("ratio", [x / y for x, y in pairs]),
    ):
        low, median, high = statistics.quantiles(values, n=4)
        summary |= {name: median, f"{name}_lower_quartile": low, f"{name}_upper_quartile": high}
    return summary


def timed(function: Callable[[], object]) -> Callable[[], float]:
    """The function as one that returns the seconds it took."""

    def run() -> float:
        started = time.perf_counter()
        with contextlib.redirect_stdout(io.StringIO()):
            function()
        return time.perf_counter() - started

    return run


def full_matrix_against_per_example(monitored: bool) -> dict[str, float]:
    """A fifth of an epoch, and with `monitored` of its evaluation on the test images as well."""
    training_data, _, test_data = mnist_loader.load_data_wrapper()
    part, test_part = training_data[:10_000], test_data[:2_000]
    options = {"evaluation_data": test_part, "monitor_evaluation_accuracy": True} if monitored else {}

    def epoch(net: network2.Network) -> Callable[[], float]:
        return timed(lambda: net.SGD(part, 1, 10, 0.5, lmbda=1.0, **options))

    return compare(epoch(PerExample([784, 30, 10])), epoch(network2.Network([784, 30, 10])))


def book_against_engine() -> dict[str, float]:
    """A fifth of an epoch of steps; next to nothing is evaluated on either side."""
    (x, y), _, _ = network3.load_data_shared()
    part, few = (x[:10_000], y[:10_000]), (x[:10], y[:10])
    net = network3.Network(
        [
            network3.ConvPoolLayer((20, 1, 5, 5), (10, 1, 28, 28), activation_fn=network3.ReLU),
            network3.ConvPoolLayer((40, 20, 5, 5), (10, 20, 12, 12), activation_fn=network3.ReLU),
            network3.FullyConnectedLayer(40 * 4 * 4, 100, activation_fn=network3.ReLU),
            network3.SoftmaxLayer(100, 10),
        ],
        10,
    )
    network = nn.Network((nn.ConvPool(20), nn.ConvPool(40), nn.FullyConnected(100, nn.relu), nn.Softmax(10)))
    recipe = Recipe(epochs=1, batch_size=10, learning_rate=0.03, l2=0.1 / 1000, shuffle=False, monitor=())
    data = Splits(mnist().train[:10_000], None, None)

    def engine() -> float:
        # of its steps alone, for it evaluates the training data in the end
        return train(network, data, recipe, key=jax.random.key(0)).history["seconds"][0]

    return compare(timed(lambda: net.SGD(part, 1, 10, 0.03, few, None, lmbda=0.1)), engine)


def report(title: str, a: str, b: str, unit: str, result: dict[str, float]) -> None:
    print(title)
    for name, key in ((a, "seconds_a"), (b, "seconds_b")):
        low, high = result[f"{key}_lower_quartile"], result[f"{key}_upper_quartile"]
        print(f"    {name:<32}{result[key]:8.3f} s {unit}   (quartiles {low:.3f} to {high:.3f})")
    low, high = result["ratio_lower_quartile"], result["ratio_upper_quartile"]
    print(f"    ratio                           {result['ratio']:8.2f}     (quartiles {low:.2f} to {high:.2f})")


def main() -> None:
    results: dict = {"machine": describe_machine(), "versions": versions()}
    for name, monitored in (("network2", False), ("network2_monitored", True)):
        results[name] = full_matrix_against_per_example(monitored)
        report(
            f"network2 [784, 30, 10], 1,000 mini-batches of 10{', and accuracy' if monitored else ''}, {PAIRS} pairs",
            "per example, as the originals",
            "full matrix",
            "per fifth of an epoch",
            results[name],
        )
    results["network3"] = book_against_engine()
    report(
        f"network3, two convolutional layers with ReLU, 1,000 mini-batches of 10, {PAIRS} pairs",
        "the book's interface",
        "the engine's own",
        "per fifth of an epoch",
        results["network3"],
    )
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(RESULTS, json.dumps(results, indent=1) + "\n")
    if results["network2"]["ratio"] < 5:
        sys.exit("network2: the full-matrix form is less than 5 times as fast as the loop over the examples")
    if results["network3"]["ratio"] > 1.3:
        sys.exit("network3: the book's interface takes more than 1.3 times the time of the engine's own")


if __name__ == "__main__":
    main()
