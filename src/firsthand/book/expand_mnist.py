"""`expand_mnist` of the book: from 50,000 training images to 250,000, by moving each one pixel in four directions.

    python -m firsthand.book.expand_mnist       in a folder next to `data`, like the original
    python expand_mnist.py

writes ../data/mnist_expanded.pkl.gz, for `network3.load_data_shared`.  It takes a minute and 1 GB of memory.
"""

import gzip
import os
import pickle
import random
import sys
from pathlib import Path

import numpy as np

from firsthand.book import adaptor, mnist_loader
from firsthand.files import naming

__all__ = ["displaced", "expand", "gzip", "main", "np", "os", "random", "sys"]

DEFAULT = "../data/mnist_expanded.pkl.gz"


def displaced(images: np.ndarray) -> np.ndarray:
    """Every image, and after it the four that are displaced by one pixel: down, up, right, left.

    Args:
        images: (n, 784).
    Returns:
        (5 n, 784).  What leaves the image at one side is lost, and zeros come in at the other.
    """
    with adaptor.untouched_random():
        from firsthand.data import augment

    return augment.displaced(images.reshape(-1, 28, 28, 1)).reshape(-1, 784)


def expand(images: np.ndarray, digits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The expanded training data, shuffled by `random` as in the original: images (5 n, 784) and digits (5 n,)."""
    order = list(range(5 * len(images)))
    random.shuffle(order)
    place = np.argsort(order)  # where each of the expanded images goes
    expanded = np.empty((len(order), 784), images.dtype)
    for start in range(0, len(images), 1000):
        part = displaced(images[start : start + 1000])
        expanded[place[5 * start : 5 * start + len(part)]] = part
        print("Expanding image number", min(start + 1000, len(images)))
    return expanded, np.repeat(digits, 5)[order]


def main(filename=DEFAULT) -> None:
    """Write the expanded data, unless they are there already."""
    print("Expanding the MNIST training set")
    path = Path(filename)
    if path.exists():
        print("The expanded training set already exists.  Exiting.")
        return
    training_data, validation_data, test_data = mnist_loader.load_data()
    expanded = expand(*training_data)
    print("Saving expanded data. This may take a few minutes.")
    path.parent.mkdir(parents=True, exist_ok=True)
    # whole or not at all: a part of it would be taken for the expanded set next time
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        # level 3 is within a fifth of the best size in a tenth of the time
        with naming(path), gzip.open(unfinished, "wb", compresslevel=3) as file:
            pickle.dump((expanded, validation_data, test_data), file, protocol=pickle.HIGHEST_PROTOCOL)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


if __name__ == "__main__":
    main(*sys.argv[1:2])
