"""The time of one `feedforward` and one `backprop` of the book's networks, against the methods that the book prints.

    OPENBLAS_NUM_THREADS=1 python benchmarks/speed/book_single.py

It writes results/benchmarks/book_single.json.  Both of a pair run in turn, A B A B, 100 calls at a time, by the clock
of the thread, which stands still while other programs have the processor.  Expected: no slower than the originals.
"""

import json
import os
import statistics
import time
import timeit
from datetime import UTC, datetime
from pathlib import Path

# one core for both; must be set before NumPy is imported
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from firsthand.book import mnist_loader, network, network2
from firsthand.files import describe_machine, versions, write_atomically

RESULTS = Path(__file__).parents[2] / "results" / "benchmarks" / "book_single.json"
ROUNDS, CALLS = 101, 100


def sigmoid(z):
    return 1.0 / (1.0 + np.exp(-z))


def sigmoid_prime(z):
    return sigmoid(z) * (1 - sigmoid(z))


class Printed:
    """The methods as chapters 1 to 3 print them."""

    def __init__(self, net, delta):
        self.num_layers, self.weights, self.biases, self.delta = len(net.sizes), net.weights, net.biases, delta

    def feedforward(self, a):
        for b, w in zip(self.biases, self.weights):  # noqa: B905
            a = sigmoid(np.dot(w, a) + b)
        return a

    def backprop(self, x, y):
        nabla_b = [np.zeros(b.shape) for b in self.biases]
        nabla_w = [np.zeros(w.shape) for w in self.weights]
        activation = x
        activations = [x]
        zs = []
        for b, w in zip(self.biases, self.weights):  # noqa: B905
            z = np.dot(w, activation) + b
            zs.append(z)
            activation = sigmoid(z)
            activations.append(activation)
        delta = self.delta(zs[-1], activations[-1], y)
        nabla_b[-1] = delta
        nabla_w[-1] = np.dot(delta, activations[-2].transpose())
        for l in range(2, self.num_layers):  # noqa: E741
            z = zs[-l]
            sp = sigmoid_prime(z)
            delta = np.dot(self.weights[-l + 1].transpose(), delta) * sp
            nabla_b[-l] = delta
            nabla_w[-l] = np.dot(delta, activations[-l - 1].transpose())
        return nabla_b, nabla_w


def in_turn(theirs, ours) -> dict[str, float]:
    """Median microseconds of a call of each, and the median ratio of the pairs, above 1 where ours is faster."""
    times = [
        [timeit.timeit(call, number=CALLS, timer=time.thread_time) / CALLS * 1e6 for call in (theirs, ours)]
        for _ in range(ROUNDS)
    ]
    ratios = sorted(a / b for a, b in times)
    return {
        "original_us": round(statistics.median(a for a, _ in times), 2),
        "ours_us": round(statistics.median(b for _, b in times), 2),
        "times_as_fast": round(statistics.median(ratios), 3),
        "first_quartile": round(ratios[ROUNDS // 4], 3),
        "third_quartile": round(ratios[3 * ROUNDS // 4], 3),
    }


def main() -> None:
    """Measure, write and print."""
    x, y = mnist_loader.load_data_wrapper()[0][0]
    deltas = {network: lambda z, a, y: (a - y) * sigmoid_prime(z), network2: lambda z, a, y: a - y}
    found = {}
    for sizes in ([784, 30, 10], [784, 100, 10]):
        for module, delta in deltas.items():
            ours = module.Network(sizes)
            theirs = Printed(ours, delta)
            for name, args in (("feedforward", (x,)), ("backprop", (x, y))):
                a, b = getattr(theirs, name), getattr(ours, name)
                for u, v in zip(np.array(a(*args), object).ravel(), np.array(b(*args), object).ravel(), strict=True):
                    np.testing.assert_allclose(np.asarray(u, float), np.asarray(v, float), rtol=1e-10, atol=1e-15)
                found[f"{module.__name__.rsplit('.')[-1]} {sizes} {name}"] = in_turn(lambda: a(*args), lambda: b(*args))  # noqa: B023
    about = {
        "what": f"one call, {ROUNDS} rounds in turn of {CALLS} calls, thread time, one thread",
        "machine": describe_machine(),
        "versions": versions(),
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
    }
    write_atomically(RESULTS, json.dumps({**about, "results": found}, indent=1) + "\n")
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
