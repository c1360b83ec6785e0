"""`mnist_average_darkness` of the book: a digit told by how dark its image is, the least that can be done.

python -m firsthand.book.mnist_average_darkness
"""

from collections import defaultdict

import numpy as np

from firsthand.book import mnist_loader

__all__ = ["avg_darknesses", "defaultdict", "guess_digit", "main", "mnist_loader"]


def main() -> int:
    """Print how many of the test images are guessed, which is also returned."""
    training_data, _, test_data = mnist_loader.load_data()
    avgs = avg_darknesses(training_data)
    num_correct = sum(int(guess_digit(image, avgs) == digit) for image, digit in zip(*test_data, strict=True))
    print("Baseline classifier using average darkness of image.")
    print(f"{num_correct} of {len(test_data[1])} values correct.")
    return num_correct


def avg_darknesses(training_data) -> defaultdict[int, float]:
    """The average darkness of each digit's images, darkness being the sum of an image's pixels.

    Args:
        training_data: (images, digits), (n, 784) and (n,).
    Returns:
        Darkness by digit, for the digits that there are; 0.0 for others.
    """
    images, digits = (np.asarray(part) for part in training_data)
    darknesses = images.sum(axis=1, dtype=float)
    return defaultdict(float, {int(digit): float(darknesses[digits == digit].mean()) for digit in np.unique(digits)})


def guess_digit(image, avgs) -> int:
    """The digit whose average darkness is next to that of the image (784,)."""
    darkness = float(np.sum(image, dtype=float))
    return min(avgs, key=lambda digit: abs(avgs[digit] - darkness))


if __name__ == "__main__":
    main()
