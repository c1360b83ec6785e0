"""`mnist_loader` of the book: MNIST as arrays, and as lists of examples (x, y).

The images come with this package.  If the book's own file is where the originals looked for it, it is read instead.
"""

import gzip
from pathlib import Path

import numpy as np

from firsthand.book.adaptor import vectorized_result
from firsthand.data import DataError, Dataset, mnist
from firsthand.data.safe_pickle import load_numpy_pickle
from firsthand.errors import reading

# `from mnist_loader import *` brings what the original has imported as well
__all__ = ["gzip", "load_data", "load_data_wrapper", "np", "vectorized_result"]

DEFAULT = "../data/mnist.pkl.gz"


def load_data(filename=DEFAULT):
    """MNIST as (training_data, validation_data, test_data), each a tuple (images, digits).

    Args:
        filename: a gzipped pickle such as the book's.  It is read if it exists; if it does not and this is the
            default, the data are those in this package, which are the same.
    Returns:
        images: float32 (n, 784), the pixel value v = 0 .. 255 as v/256; digits: int64 (n,), with n = 50,000, 10,000
        and 10,000.  From a file, what is in it: images and digits may be lists.  All are the reader's to change.
    Raises:
        FileNotFoundError: no such file.
        DataError: the file holds something other than arrays; nothing in it is executed.
    """
    if filename != DEFAULT or Path(filename).exists():
        if not Path(filename).exists():
            raise FileNotFoundError(f"{filename}: no such file")
        with reading(filename, "no readable pickle found", DataError), gzip.open(filename, "rb") as file:
            training_data, validation_data, test_data = load_numpy_pickle(file)
            for pair in (training_data, validation_data, test_data):
                if len(pair) != 2 or not all(isinstance(part, np.ndarray | list | tuple) for part in pair):
                    raise DataError("something else found, three pairs of images and digits expected")
            return tuple(_writable(part) for part in (training_data, validation_data, test_data))
    splits = mnist()
    return _arrays(splits.train), _arrays(splits.validation), _arrays(splits.test)


def load_data_wrapper(filename=DEFAULT):
    """MNIST as (training_data, validation_data, test_data), each a list of examples (x, y).

    Args:
        filename: as in `load_data`.
    Returns:
        x: float32 (784, 1).  y: in training_data (10, 1), 1.0 at the digit; in the other two the digit itself.
    """
    training_data, validation_data, test_data = (
        ([np.reshape(x, (784, 1)) for x in images], digits) for images, digits in load_data(filename)
    )
    return (
        list(zip(training_data[0], [vectorized_result(j) for j in training_data[1]], strict=True)),
        list(zip(*validation_data, strict=True)),
        list(zip(*test_data, strict=True)),
    )


def _writable(part):
    """Images and digits, or other things in a tuple or list, with arrays that may be changed."""
    if isinstance(part, np.ndarray):
        return part if part.flags.writeable else part.copy()
    return type(part)(_writable(value) for value in part) if isinstance(part, tuple | list) else part


def _arrays(data: Dataset | None) -> tuple[np.ndarray, np.ndarray]:
    assert data is not None
    # v/256 has an exact float32
    return data.images.reshape(len(data), 784) / np.float32(256), data.labels.astype(np.int64)
