"""The book's expanded training set: every image, and the four that are displaced by one pixel."""

import numpy as np

from firsthand.data.dataset import Dataset

__all__ = ["displaced", "expanded"]

# where the window of the old size is cut out of an image with a border of one pixel
_CORNERS = ((1, 1), (0, 1), (2, 1), (1, 0), (1, 2))  # as it is, moved down, up, right, left


def expanded(data: Dataset) -> Dataset:
    """Make five images of each: the image, and after it the same moved by one pixel down, up, right and left.

    What leaves an image at one side is lost, and background (0) enters at the other. From the 50,000 training images
    of MNIST this makes the book's 250,000 (chapter 6), which takes 0.2 GB; `Shift` makes such images at
    random as they are needed, and stores none.

    Args:
        data: n images.

    Returns:
        5 n images with their labels, in that order, which is the order of `expand_mnist` before it shuffles.

    Examples:
        >>> one = Dataset(np.eye(3, dtype=np.uint8).reshape(1, 3, 3, 1), np.array([0]), ("diagonal",))
        >>> expanded(one).images[1, :, :, 0]
        array([[0, 0, 0],
               [1, 0, 0],
               [0, 1, 0]], dtype=uint8)
    """
    images, labels = displaced(data.images), np.repeat(data.labels, 5)
    images.flags.writeable = labels.flags.writeable = False  # so that Dataset need not copy them
    return Dataset(images, labels, data.classes)


def displaced(images: np.ndarray) -> np.ndarray:
    """Make (5 n, height, width, channels) of (n, height, width, channels), of any type: see `expanded`."""
    n, height, width, channels = images.shape
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0)))
    result = np.empty((n, 5, height, width, channels), images.dtype)
    for place, (row, column) in enumerate(_CORNERS):
        result[:, place] = padded[:, row : row + height, column : column + width]
    return result.reshape(-1, height, width, channels)
