"""Examples with labels: each belongs to one of several classes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .examples import DataError, Examples, checked_lengths, read_only

__all__ = ["Labelled", "Vectors", "check_classes", "checked_labels"]


class Labelled(Examples):
    """Examples of which each belongs to a class.  Images are one kind (`Dataset`), `Vectors` of numbers another."""

    labels: np.ndarray
    classes: tuple[str, ...]

    @property
    def num_classes(self) -> int:
        """The number of classes."""
        return len(self.classes)

    def class_counts(self) -> np.ndarray:
        """Count the images of each class: integers (num_classes,)."""
        return np.bincount(self.labels, minlength=self.num_classes)


@dataclass(frozen=True, eq=False)
class Vectors(Labelled):
    """Numbers of any shape, with labels: points in a plane, measurements, images as floats.

    Args:
        values: float32 or float64 (n, ...), kept as float32.
        labels: integers (n,), each an index into `classes`; kept as int32.
        classes: the names of the classes; index = label.
        lengths: of sequences (n, time, ...) that are not as long as each other, how many steps of each count, (n,).

    Raises:
        DataError: a wrong dtype or shape, a value that is not finite, a label outside the classes, a length that is
            none.

    Examples:
        >>> Vectors(np.array([[0.0, 1.0], [1.0, 1.0]]), np.array([1, 0]), ("even", "odd"))
        Vectors(2 examples of (2,), 2 classes)
    """

    values: np.ndarray
    labels: np.ndarray
    classes: tuple[str, ...]
    lengths: np.ndarray | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "classes", tuple(self.classes))
        check_classes(self.classes)
        values = np.asarray(self.values)
        if values.dtype.kind != "f" or values.ndim < 2 or not values.size:
            raise DataError(f"values: {values.dtype} of shape {values.shape} found, floats (n, ...) expected")
        if not np.all(np.isfinite(values)):
            raise DataError("values: some are not finite, finite numbers expected")
        object.__setattr__(self, "values", read_only(values.astype(np.float32, copy=False)))
        object.__setattr__(self, "labels", read_only(checked_labels(self.labels, self.classes)))
        if len(self.values) != len(self.labels):
            raise DataError(f"labels: {len(self.labels)} found for {len(self.values)} examples, one each expected")
        object.__setattr__(self, "lengths", checked_lengths(self.lengths, *self.values.shape[:2]))

    @property
    def arrays(self) -> tuple[np.ndarray, ...]:
        """Values and labels, and the lengths where they differ."""
        return (self.values, self.labels, *(() if self.lengths is None else (self.lengths,)))

    def with_arrays(self, *arrays: np.ndarray) -> Vectors:
        """Return examples of the same classes with other values and labels."""
        values, labels, *lengths = arrays
        return Vectors(values, labels, self.classes, *lengths)

    def __repr__(self) -> str:
        return f"Vectors({len(self)} examples of {self.example_shape}, {self.num_classes} classes)"


def check_classes(classes: tuple[str, ...]) -> None:
    """Raise DataError unless the names of classes are some, and distinct."""
    if not classes or not all(isinstance(name, str) for name in classes):
        raise DataError(f"classes: {classes!r} found, at least one name expected")
    if len(set(classes)) < len(classes):
        twice = next(name for name in classes if classes.count(name) > 1)
        raise DataError(f"classes: {twice!r} found {classes.count(twice)} times, distinct names expected")


def checked_labels(labels: np.ndarray, classes: tuple[str, ...]) -> np.ndarray:
    """Return labels as int32, each an index into the classes; DataError where they are not."""
    labels = np.asarray(labels)
    if labels.dtype.kind not in "iu" or labels.ndim != 1:
        raise DataError(f"labels: {labels.dtype} of shape {labels.shape} found, integers (n,) expected")
    outside = np.flatnonzero((labels < 0) | (labels >= len(classes)))
    if len(outside):
        first = outside[0]
        raise DataError(
            f"labels: {labels[first]} found at index {first} ({len(outside)} such), "
            f"0 to {len(classes) - 1} expected for {len(classes)} classes"
        )
    return labels.astype(np.int32, copy=False)
