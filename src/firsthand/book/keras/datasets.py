"""MNIST as Keras hands it out, from the package's own copy."""

from types import SimpleNamespace

import numpy as np

from firsthand.data import mnist as splits

__all__ = ["mnist"]

Part = tuple[np.ndarray, np.ndarray]


def load_data() -> tuple[Part, Part]:
    """(images, labels) of the 60,000 training and the 10,000 test images, (n, 28, 28) and (n,), both uint8."""
    data = splits()
    images = np.concatenate([data.train.images, data.validation.images])[..., 0]
    labels = np.concatenate([data.train.labels, data.validation.labels])
    return (images, labels.astype(np.uint8)), (data.test.images[..., 0], data.test.labels.astype(np.uint8))


mnist = SimpleNamespace(load_data=load_data)
