"""The one form in which every image set travels: uint8 images with integer labels."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import overload

import numpy as np

from .examples import DataError, fixed, read_only
from .labelled import Labelled, check_classes, checked_labels

__all__ = ["Dataset"]


@dataclass(frozen=True, eq=False)
class Dataset(Labelled):
    """Images with their labels. Immutable, never empty, and checked when made.

    A writable array is copied; a read-only one is shared, so that slices cost no memory. Two data sets hold
    the same images and labels if their `digest` is the same.

    Args:
        images: uint8 (n, height, width, channels), 0 = black .. 255 = white.
        labels: integers (n,), each an index into `classes`; kept as int32.
        classes: the names of the classes; index = label.

    Raises:
        DataError: a wrong dtype, shape or size, a label outside the classes, or no image at all.

    Examples:
        >>> data = Dataset(np.zeros((3, 28, 28, 1), np.uint8), np.array([0, 1, 1]), ("even", "odd"))
        >>> data
        Dataset(3 images of 28x28x1, 2 classes)
        >>> data[1:]
        Dataset(2 images of 28x28x1, 2 classes)
        >>> data[data.labels == 1].class_counts()
        array([0, 2])
        >>> image, label = data[2]
        >>> image.shape, label
        ((28, 28, 1), 1)
        >>> train, test = data.split(2, 1, seed=1)
        >>> len(train), len(test)
        (2, 1)
    """

    images: np.ndarray
    labels: np.ndarray
    classes: tuple[str, ...]

    def __post_init__(self) -> None:
        # A frozen dataclass is filled through object.__setattr__.
        object.__setattr__(self, "classes", tuple(self.classes))
        check_classes(self.classes)
        object.__setattr__(self, "images", read_only(_checked_images(self.images)))
        object.__setattr__(self, "labels", read_only(checked_labels(self.labels, self.classes)))
        if len(self.images) != len(self.labels):
            raise DataError(f"labels: {len(self.labels)} found for {len(self.images)} images, one each expected")

    @property
    def arrays(self) -> tuple[np.ndarray, np.ndarray]:
        """Images and labels."""
        return self.images, self.labels

    def with_arrays(self, *arrays: np.ndarray) -> Dataset:
        """Return a data set of the same classes with other images and labels."""
        images, labels = arrays
        return Dataset(images, labels, self.classes)

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """The shape of one image: (height, width, channels)."""
        _, height, width, channels = self.images.shape
        return height, width, channels

    @cached_property
    def digest(self) -> str:
        """SHA-256 (hex) over shape, pixels and labels: which data a model was trained on."""
        sha = hashlib.sha256(str(self.images.shape).encode())
        sha.update(np.ascontiguousarray(self.images).data)
        sha.update(self.labels.astype("<i4").data)  # the same bytes on every machine
        return sha.hexdigest()

    def with_classes(self, classes: Sequence[str]) -> Dataset:
        """The same images, with labels that are indices into other classes, found by their names.

        Args:
            classes: the new ones; those that this data set has no image of may be missing.

        Raises:
            DataError: a class that has images is not among them.

        Examples:
            >>> data = Dataset(np.zeros((2, 8, 8, 1), np.uint8), np.array([0, 1]), ("3", "7"))
            >>> data.with_classes(tuple("0123456789")).labels
            array([3, 7], dtype=int32)
        """
        classes = tuple(classes)
        if classes == self.classes:
            return self
        place = {name: label for label, name in enumerate(classes)}
        used = [name for name, count in zip(self.classes, self.class_counts(), strict=True) if count]
        if unknown := [name for name in used if name not in place]:
            shown = ", ".join(map(repr, unknown[:5])) + (", ..." if len(unknown) > 5 else "")
            raise DataError(f"classes: {shown} found, only {', '.join(map(repr, classes))} expected")
        new = np.array([place.get(name, 0) for name in self.classes], np.int32)
        return Dataset(self.images, new[self.labels], classes)

    @overload
    def __getitem__(self, index: int | np.integer) -> tuple[np.ndarray, int]: ...
    @overload
    def __getitem__(self, index: slice | np.ndarray | Sequence[int] | Sequence[bool]) -> Dataset: ...
    def __getitem__(self, index):
        found = super().__getitem__(index)
        return (found[0], int(found[1])) if isinstance(found, tuple) else found

    def __add__(self, other: Dataset) -> Dataset:
        if not isinstance(other, Dataset):
            return NotImplemented
        for name in ("image_shape", "classes"):
            left, right = getattr(self, name), getattr(other, name)
            if left != right:
                raise DataError(f"{name}: {right} found in the data set added, {left} expected")
        images = np.concatenate([self.images, other.images])
        labels = np.concatenate([self.labels, other.labels])
        return Dataset(fixed(images), fixed(labels), self.classes)

    def __repr__(self) -> str:
        size = "x".join(map(str, self.image_shape))
        return f"Dataset({len(self)} images of {size}, {self.num_classes} classes)"


def _checked_images(images: np.ndarray) -> np.ndarray:
    images = np.asarray(images)
    if images.dtype != np.uint8:
        raise DataError(f"images: dtype {images.dtype} found, uint8 (0 to 255) expected")
    if images.ndim != 4:
        raise DataError(f"images: shape {images.shape} found, (n, height, width, channels) expected")
    if images.size == 0:
        raise DataError(f"images: shape {images.shape} found, at least one image and one pixel expected")
    return images
