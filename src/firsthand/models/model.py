"""A trained network that names the class of an image."""

from dataclasses import dataclass, field
from typing import Any, ClassVar

import jax
import numpy as np
from scipy.special import softmax

from firsthand.nn import Network, Params

from .classifier import Classifier, normalized
from .family import NetworkModel
from .outputs import classify, weighted_inputs

__all__ = ["Model"]


@dataclass(frozen=True, repr=False)
class Model(NetworkModel, Classifier):
    """A network with its parameters, the names of its classes, and its provenance.

    Args:
        network: the description.
        params: one dict of arrays per layer, as `network.init` makes them.
        classes: names of the outputs, in their order.
        provenance: recipe, seed, hash of the training data, versions, accuracies: how it came to be, for people.
        temperature: T in probabilities = softmax(z/T), found on validation data by `fit_temperature`; None where
            that has not been done.
    Raises:
        FirsthandError: the temperature is not a positive, finite number.
    """

    family: ClassVar[str] = "classifier"

    network: Network
    params: tuple[Params, ...]
    classes: tuple[str, ...]
    provenance: dict[str, Any] = field(default_factory=dict)
    temperature: float | None = None

    def __post_init__(self) -> None:
        self.check_temperature()

    def classify(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Labels (n,) and outputs (n, classes) of images (n, *input_shape); integers are pixels 0..255.

        Raises:
            FirsthandError: the images have another shape.
        """
        images = self.checked(images)
        if not len(images):
            return np.zeros(0, np.int32), np.zeros((0, len(self.classes)), np.float32)
        return classify(self.network, self.params, images)

    def weighted_inputs(self, images: np.ndarray) -> np.ndarray:
        """The output layer's weighted inputs z, (n, classes), of which the outputs are the activation.

        Raises:
            FirsthandError: the images have another shape.
        """
        images = self.checked(images)
        if not len(images):
            return np.zeros((0, len(self.classes)), np.float32)
        return weighted_inputs(self.network, self.params, images)

    def outputs(self, images: np.ndarray) -> np.ndarray:
        """The network's outputs, (n, classes)."""
        return self.classify(images)[1]

    def probabilities_at(self, z: np.ndarray) -> np.ndarray:
        """The probability of each class, from weighted inputs z, (n, classes).

        softmax(z/T) with the temperature T, whatever the activation of the output layer; where no temperature has
        been found, its outputs, `normalized`.
        """
        if self.temperature is None:
            return normalized(np.asarray(self.network.activation(jax.device_put(z))))
        return softmax(z.astype(np.float64) / self.temperature, axis=1).astype(z.dtype)

    def own_description(self) -> dict[str, Any]:
        return {"classes": list(self.classes), "temperature": self.temperature}

    @classmethod
    def made(cls, network: Network, params: tuple[Params, ...], about: dict[str, Any]) -> "Model":
        classes = tuple(about["classes"])
        if len(classes) != network.num_classes:
            raise ValueError(f"{len(classes)} classes for {network.num_classes} outputs")
        if not all(isinstance(name, str) for name in classes) or len(set(classes)) < len(classes):
            raise ValueError(f"classes {classes!r:.80} found, distinct names expected")
        return cls(network, params, classes, about["provenance"], about.get("temperature"))
