"""The convolutional network of *Grokking Deep Learning*, chapter 10, in NumPy.

The idea of the chapter: a convolutional layer is one small linear layer, used again at every position of the image.
So cut each image into all its 3x3 sections, pretend that each section is an image of its own, and send the whole
pile through a linear layer with 9 inputs and 16 outputs.  A batch of matrix rows is all that a convolution needs.

    sections = image_sections(images)        (n * positions, 9)
    layer_1  = tanh(sections . kernels)      (n * positions, 16), then (n, positions * 16)
    layer_2  = softmax(layer_1 . weights)    (n, 10)

The published listing differs from gradient descent in four places, each of which can be switched (`Variant`):

    1.  It slides over 25 x 25 positions; a 3x3 kernel has 26 x 26 on 28 x 28 pixels.
    2.  It moves the kernels uphill: delta is label - output, so `weights += alpha * ...` goes down, and
        `kernels -= alpha * ...` goes up.
    3.  It takes the slope of tanh, 1 - a^2, after dropout has doubled a, so that the slope is negative wherever
        |a| > 1/2, and it leaves the factor 2 out of the error.
    4.  It divides the error by the size of the batch twice, so that alpha = 2 is a learning rate of 2/128.  This one
        changes the speed only, and alpha is chosen to go with it; all variants keep it.

The random numbers are those of the listing, call by call, so that a run from seed 1 is the run that was printed.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

__all__ = [
    "AS_PRINTED",
    "CORRECTED",
    "GRADIENT_DESCENT",
    "Iteration",
    "Parameters",
    "Variant",
    "gradients",
    "image_sections",
    "init",
    "one_hot",
    "outputs",
    "step",
    "train",
]

KERNEL_ROWS = KERNEL_COLUMNS = 3
NUM_KERNELS = 16
NUM_LABELS = 10
BATCH_SIZE = 128
ALPHA = 2.0


class Variant(NamedTuple):
    """The places in which the listing can be doubted; by default it is as printed."""

    positions: int = 25  # along each side of the image, of the 26 that exist
    kernel_sign: int = -1  # kernels += kernel_sign * alpha * k_update
    exact_slope: bool = False  # whether dropout is differentiated


AS_PRINTED = Variant()
CORRECTED = Variant(positions=26, kernel_sign=+1)
GRADIENT_DESCENT = Variant(positions=26, kernel_sign=+1, exact_slope=True)


class Parameters(NamedTuple):
    """The weights of the two layers; there are no biases."""

    kernels: np.ndarray  # (9, 16)
    weights: np.ndarray  # (positions^2 * 16, 10)


class Iteration(NamedTuple):
    """The result of one pass over the training images: shares of right answers, and the weights."""

    test_accuracy: float
    training_accuracy: float  # with dropout on
    parameters: Parameters


def init(variant: Variant, rng: np.random.RandomState) -> Parameters:
    """Uniform random numbers: kernels in [-0.01, 0.01), weights in [-0.1, 0.1)."""
    hidden = variant.positions**2 * NUM_KERNELS
    kernels = 0.02 * rng.random_sample((KERNEL_ROWS * KERNEL_COLUMNS, NUM_KERNELS)) - 0.01
    weights = 0.2 * rng.random_sample((hidden, NUM_LABELS)) - 0.1
    return Parameters(kernels, weights)


def image_sections(images: np.ndarray, positions: int) -> np.ndarray:
    """Every section of every image as a row, (n, 28, 28) -> (n * positions^2, 9).

    The listing collects them in two loops and concatenates; a window that slides over the array is the same.

    Examples:
        >>> image_sections(np.arange(16).reshape(1, 4, 4), positions=2)[:, :3]
        array([[0, 1, 2],
               [1, 2, 3],
               [4, 5, 6],
               [5, 6, 7]])
    """
    windows = np.lib.stride_tricks.sliding_window_view(images, (KERNEL_ROWS, KERNEL_COLUMNS), axis=(1, 2))
    return windows[:, :positions, :positions].reshape(-1, KERNEL_ROWS * KERNEL_COLUMNS)


def softmax(z: np.ndarray) -> np.ndarray:
    """e^z divided by its sum, row by row.  z stays small here: no maximum is taken out first, as in the listing."""
    e = np.exp(z)
    return e / np.sum(e, axis=1, keepdims=True)


def outputs(parameters: Parameters, images: np.ndarray, variant: Variant) -> np.ndarray:
    """The weighted inputs of the output layer without dropout, (n, 28, 28) -> (n, 10).

    Softmax does not change which is largest, so the listing leaves it out when it tests.
    """
    layer_1 = np.tanh(image_sections(images, variant.positions) @ parameters.kernels)  # (n * positions^2, 16)
    return layer_1.reshape(len(images), -1) @ parameters.weights


def gradients(
    parameters: Parameters, images: np.ndarray, labels: np.ndarray, mask: np.ndarray, variant: Variant
) -> tuple[Parameters, np.ndarray]:
    """The direction in which the listing moves, before alpha and signs, and the network's outputs.

    Args:
        parameters: the weights.
        images: (n, 28, 28), values in [0, 1].
        labels: one-hot, (n, 10).
        mask: 1 for a hidden unit that is kept, 0 for one that is dropped, (n, hidden).
        variant: with `exact_slope` this is minus the gradient of sum(log-likelihood cost) / n^2.
    Returns:
        (kernels, weights) as they enter the update, and softmax outputs (n, 10).
    """
    n = len(images)
    sections = image_sections(images, variant.positions)  # (n * positions^2, 9)
    a = np.tanh((sections @ parameters.kernels).reshape(n, -1))  # (n, hidden)
    layer_1 = a * (mask * 2)
    layer_2 = softmax(layer_1 @ parameters.weights)
    # minus (84) of Nielsen's book: softmax and log-likelihood leave label - output
    layer_2_delta = (labels - layer_2) / (n * n)
    back = layer_2_delta @ parameters.weights.T  # (n, hidden)
    layer_1_delta = back * 2 * (1 - a**2) * mask if variant.exact_slope else back * (1 - layer_1**2) * mask
    k_update = sections.T @ layer_1_delta.reshape(-1, NUM_KERNELS)
    return Parameters(k_update, layer_1.T @ layer_2_delta), layer_2


def step(
    parameters: Parameters, images: np.ndarray, labels: np.ndarray, mask: np.ndarray, variant: Variant
) -> tuple[Parameters, int]:
    """One update by one batch: the new parameters, and how many examples were right, with dropout on."""
    update, layer_2 = gradients(parameters, images, labels, mask, variant)
    correct = int(np.sum(np.argmax(layer_2, axis=1) == np.argmax(labels, axis=1)))
    kernels = parameters.kernels + variant.kernel_sign * ALPHA * update.kernels
    return Parameters(kernels, parameters.weights + ALPHA * update.weights), correct


def train(
    images: np.ndarray,
    labels: np.ndarray,
    test_images: np.ndarray,
    test_labels: np.ndarray,
    variant: Variant,
    iterations: int = 300,
    rng: np.random.RandomState | None = None,
    parameters: Parameters | None = None,
) -> Iterator[Iteration]:
    """Train as the listing does, one item per iteration (epoch).

    The last, incomplete batch is never used (104 of the 1,000 images), yet the training accuracy is divided by all.

    Args:
        images, test_images: (n, 28, 28), values in [0, 1].
        labels, test_labels: integers, (n,).
        variant: as printed, or corrected.
        iterations: how many.
        rng: by default from seed 1, as in the listing.
        parameters: to go on from those of an earlier iteration, with `rng` in the state that it then had.
    """
    rng = rng or np.random.RandomState(1)
    targets = one_hot(labels)
    parameters = init(variant, rng) if parameters is None else parameters
    for _ in range(iterations):
        correct = 0
        for start in range(0, len(images) - BATCH_SIZE + 1, BATCH_SIZE):
            batch = slice(start, start + BATCH_SIZE)
            mask = rng.randint(2, size=(BATCH_SIZE, len(parameters.weights)))
            parameters, right = step(parameters, images[batch], targets[batch], mask, variant)
            correct += right
        accuracy = _accuracy(parameters, test_images, test_labels, variant)
        yield Iteration(accuracy, correct / len(images), parameters)


def _accuracy(parameters: Parameters, images: np.ndarray, labels: np.ndarray, variant: Variant) -> float:
    # the sections of all 10,000 test images at once would fill half a gigabyte
    parts = [outputs(parameters, images[i : i + 500], variant) for i in range(0, len(images), 500)]
    return float(np.mean(np.argmax(np.concatenate(parts), axis=1) == labels))


def one_hot(labels: np.ndarray) -> np.ndarray:
    """Integers (n,) as rows with a single 1, (n, 10)."""
    return np.eye(NUM_LABELS)[labels]
