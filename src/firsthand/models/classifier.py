"""Classifiers: one model, or several as one, that read images and name their classes."""

import math
from abc import ABC, abstractmethod
from typing import Any

import numpy as np

from firsthand.data import Labelled
from firsthand.errors import FirsthandError
from firsthand.nn import Shape
from firsthand.processes import refuse_fork

__all__ = ["Classifier", "normalized"]


_BRIGHTEST = 2.0  # of floats that may be pixels from 0 to 1 with something added


class Classifier(ABC):
    """Weighted inputs of images, and what follows from them: labels, probabilities, accuracy."""

    classes: tuple[str, ...]
    provenance: dict[str, Any]
    temperature: float | None

    @property
    @abstractmethod
    def input_shape(self) -> Shape:
        """The shape of one image, (height, width, channels), or of one vector."""

    @property
    @abstractmethod
    def parameter_count(self) -> int:
        """The number of learned parameters."""

    @abstractmethod
    def summary(self) -> str:
        """A table of its parts, for people."""

    @abstractmethod
    def weighted_inputs(self, images: np.ndarray) -> np.ndarray:
        """z, (n, classes), of images (n, *input_shape); integers are pixels 0..255.

        Raises:
            FirsthandError: the images have another shape.
        """

    @abstractmethod
    def probabilities_at(self, z: np.ndarray) -> np.ndarray:
        """The probability of each class, from weighted inputs z, (n, classes)."""

    def predict(self, images: np.ndarray) -> np.ndarray:
        """The labels of the largest weighted inputs, (n,), which do not tie where two sigmoids have saturated at 1."""
        return self.weighted_inputs(images).argmax(axis=1)

    def probabilities(self, images: np.ndarray) -> np.ndarray:
        """The probability of each class, (n, classes) with rows that sum to 1: see `probabilities_at`."""
        return self.probabilities_at(self.weighted_inputs(images))

    def top_k(self, images: np.ndarray, k: int = 3) -> list[list[tuple[str, float]]]:
        """The k likeliest classes of every image with their probabilities, likeliest first."""
        probabilities = self.probabilities(images)
        order = np.argsort(-probabilities, axis=1, kind="stable")[:, :k]
        return [
            [(self.classes[j], float(row[j])) for j in best] for row, best in zip(probabilities, order, strict=True)
        ]

    def accuracy(self, data: Labelled) -> float:
        """Share of a data set that is predicted right.

        Raises:
            FirsthandError: the data set is empty, or has other images or classes than the model.
        """
        self.check_fits(data)
        return float(np.mean(self.predict(data.arrays[0]) == data.labels))

    def check_fits(self, data: Labelled) -> None:
        """Raise FirsthandError unless the data set has images and classes like the model's."""
        if data.example_shape != self.input_shape:
            raise FirsthandError(
                f"data set: images have shape {data.example_shape}, the network expects {self.input_shape}"
            )
        if getattr(data, "lengths", None) is not None:
            raise FirsthandError(
                "data set: sequences of different lengths found, expected examples of one shape; "
                "firsthand.learning.evaluate measures a network on them"
            )
        if data.num_classes > len(self.classes):
            raise FirsthandError(
                f"data set: it has {data.num_classes} classes, the network has {len(self.classes)} outputs"
            )

    def checked(self, images: np.ndarray) -> np.ndarray:
        """Images as an array, if they have the right shape; integers are pixels 0..255, whatever their type.

        Raises:
            FirsthandError: another shape, integers that are no pixels, or floats that are pixels not divided by 255; a
                process that was forked after JAX started.
        """
        refuse_fork()
        images = np.asarray(images)
        if images.shape == self.input_shape:
            raise FirsthandError(
                f"model: one example of shape {images.shape} found, expected several, (n, "
                f"{', '.join(map(str, self.input_shape))}); images[None] makes a batch of one"
            )
        if images.shape[1:] != self.input_shape:
            raise FirsthandError(f"model: images have shape {images.shape[1:]}, expected {self.input_shape}")
        if images.dtype.kind in "iub" and images.dtype != np.uint8:
            if images.size and (images.min() < 0 or images.max() > 255):
                found = f"{images.min()} to {images.max()}"
                raise FirsthandError(f"model: integers from {found} found, pixels from 0 to 255 expected")
            images = images.astype(np.uint8)
        if images.dtype.kind == "f" and images.size and self.learned_pixels and images.max() > _BRIGHTEST:
            raise FirsthandError(
                f"model: floats up to {images.max():g} found, expected pixels from 0 to 1, or integers to 255: "
                "divide by 255, or images.astype('uint8')"
            )
        return images

    @property
    def learned_pixels(self) -> bool:
        """True if it was trained on pixels, bytes that are divided by 255; other floats may be of any size."""
        return bool(self.provenance.get("pixels", len(self.input_shape) == 3))

    def check_temperature(self) -> None:
        """Raise FirsthandError unless the temperature is a positive, finite number or None."""
        found = self.temperature
        if found is not None and (type(found) not in (int, float) or not 0 < found < math.inf):
            raise FirsthandError(f"model: temperature is {found!r}, expected a positive, finite number or None")


def normalized(outputs: np.ndarray) -> np.ndarray:
    """Outputs (n, classes) as probabilities, with rows that sum to 1.

    Softmax outputs are probabilities already; the outputs of other layers, negative ones taken as 0, are divided by
    their sum, which orders the classes alike and promises nothing more.
    """
    a = np.maximum(outputs, 0)
    total = a.sum(axis=1, keepdims=True)
    return np.where(total > 0, a / np.where(total > 0, total, 1), 1 / a.shape[1])
