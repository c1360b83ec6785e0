"""A trained network's right and wrong answers, as numbers."""

from dataclasses import dataclass

import numpy as np

from firsthand.data import Dataset
from firsthand.models import Classifier

__all__ = ["Mistake", "confusion_matrix", "mistakes"]


def confusion_matrix(labels: np.ndarray, predicted: np.ndarray, classes: int) -> np.ndarray:
    """Count how often each class is taken for each other: entry [i, j] counts examples of class i called j.

    Args:
        labels, predicted: integers below `classes`, (n,).
        classes: how many classes there are.
    Returns:
        Integers, (classes, classes); its diagonal counts what is right, its sum is n.

    Examples:
        >>> confusion_matrix(np.array([0, 0, 1]), np.array([0, 1, 1]), 2)
        array([[1, 1],
               [0, 1]])
    """
    counts = np.bincount(np.asarray(labels) * classes + np.asarray(predicted), minlength=classes * classes)
    return counts.reshape(classes, classes)


@dataclass(frozen=True)
class Mistake:
    """One misclassified example."""

    index: int  # in the data set
    label: int
    predicted: int
    probability: float  # that the model gave to what it predicted


def mistakes(model: Classifier, data: Dataset) -> list[Mistake]:
    """All misclassified examples of a data set, the most confident first."""
    model.check_fits(data)
    z = model.weighted_inputs(data.images)
    predicted, probabilities = z.argmax(axis=1), model.probabilities_at(z)
    found = [
        Mistake(int(i), int(data.labels[i]), int(predicted[i]), float(probabilities[i, predicted[i]]))
        for i in np.flatnonzero(predicted != data.labels)
    ]
    return sorted(found, key=lambda mistake: -mistake.probability)
