"""A network by hand: chapter 1 and 2 in NumPy, backpropagation and all, in a page.

    python examples/network_by_hand.py

>>> accuracy = main(images=2000, epochs=3)
>>> accuracy > 0.8
True
"""

from itertools import pairwise

import numpy as np

from firsthand import mnist


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def gradient(weights, biases, x, y):
    """Slopes of the quadratic cost, summed over the columns of x: (BP1) to (BP4)."""
    activations = [x]
    for w, b in zip(weights, biases, strict=True):
        activations.append(sigmoid(w @ activations[-1] + b))  # (units, examples)
    a = activations[-1]
    delta = (a - y) * a * (1 - a)  # (BP1)
    slopes = []
    for layer in reversed(range(len(weights))):
        slopes.append((delta @ activations[layer].T, delta.sum(axis=1, keepdims=True)))  # (BP4), (BP3)
        a = activations[layer]
        delta = (weights[layer].T @ delta) * a * (1 - a)  # (BP2)
    return slopes[::-1]


def main(images=50_000, epochs=30, batch=10, rate=3.0):
    data, rng = mnist(), np.random.default_rng(0)
    x = data.train.images[:images].reshape(-1, 784).T / 255  # examples are columns
    y = np.eye(10)[:, data.train.labels[:images]]
    sizes = (784, 30, 10)
    weights = [rng.normal(size=(j, k)) / k**0.5 for k, j in pairwise(sizes)]
    biases = [rng.normal(size=(j, 1)) for j in sizes[1:]]
    for _ in range(epochs):
        order = rng.permutation(x.shape[1])
        for start in range(0, len(order), batch):
            some = order[start : start + batch]
            for layer, (w, b) in enumerate(gradient(weights, biases, x[:, some], y[:, some])):
                weights[layer] -= rate / batch * w
                biases[layer] -= rate / batch * b
    a = data.test.images.reshape(-1, 784).T / 255
    for w, b in zip(weights, biases, strict=True):
        a = sigmoid(w @ a + b)
    return float(np.mean(a.argmax(axis=0) == data.test.labels))


if __name__ == "__main__":
    print(f"test accuracy: {main():.2%}")
