"""A function of many pictures, in batches of few sizes: it is compiled once for each size."""

from collections.abc import Callable

import numpy as np

__all__ = ["in_batches"]


def in_batches(function: Callable[[np.ndarray], np.ndarray], images: np.ndarray, sizes: tuple[int, ...]) -> np.ndarray:
    """A function of images in batches of few sizes, so that it is compiled for few; the last is filled up."""
    if not len(images):
        return function(np.zeros((sizes[0], *images.shape[1:]), np.uint8))[:0]
    size = next((size for size in sizes if len(images) <= size), sizes[-1])
    results = []
    for start in range(0, len(images), size):
        part = images[start : start + size]
        filled = np.concatenate([part, np.zeros((size - len(part), *images.shape[1:]), np.uint8)])
        results.append(function(filled)[: len(part)])
    return np.concatenate(results)
