"""The one form in which every image set travels: uint8 images with integer labels."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import overload

import numpy as np

from firsthand.errors import FirsthandError

__all__ = ["DataError", "Dataset"]


class DataError(FirsthandError):
    """Data that cannot be used: one line naming the file or argument, what was found, what was expected."""

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.splitlines()))  # the reasons of other libraries may have several


@dataclass(frozen=True, eq=False)
class Dataset:
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
    """

    images: np.ndarray
    labels: np.ndarray
    classes: tuple[str, ...]

    def __post_init__(self) -> None:
        # A frozen dataclass is filled through object.__setattr__.
        object.__setattr__(self, "classes", tuple(self.classes))
        _check_classes(self.classes)
        object.__setattr__(self, "images", _read_only(_checked_images(self.images)))
        object.__setattr__(self, "labels", _read_only(_checked_labels(self.labels, self.classes)))
        if len(self.images) != len(self.labels):
            raise DataError(f"labels: {len(self.labels)} found for {len(self.images)} images, one each expected")

    @property
    def num_classes(self) -> int:
        """The number of classes."""
        return len(self.classes)

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

    def class_counts(self) -> np.ndarray:
        """Count the images of each class: integers (num_classes,)."""
        return np.bincount(self.labels, minlength=self.num_classes)

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

    def split(self, *parts: float, seed: int) -> tuple[Dataset, ...]:
        """Split at random into disjoint parts that together hold every image.

        Args:
            parts: the sizes of the parts (integers that add up to n), or their fractions of n (floats that
                add up to 1; each part is within one image of its fraction).
            seed: the same seed gives the same split.

        Returns:
            One Dataset per part, its images in random order.

        Raises:
            DataError: the parts do not add up, or one of them would be empty.

        Examples:
            >>> data = Dataset(np.zeros((10, 2, 2, 1), np.uint8), np.arange(10), tuple("0123456789"))
            >>> train, test = data.split(0.8, 0.2, seed=1)
            >>> len(train), len(test)
            (8, 2)
            >>> sorted([*train.labels.tolist(), *test.labels.tolist()])
            [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
        """
        order = np.random.default_rng(seed).permutation(len(self))
        ends = _part_ends(parts, len(self))
        return tuple(self[order[start:end]] for start, end in pairwise([0, *ends]))

    def __len__(self) -> int:
        return len(self.labels)

    @overload
    def __getitem__(self, index: int | np.integer) -> tuple[np.ndarray, int]: ...
    @overload
    def __getitem__(self, index: slice | np.ndarray | Sequence[int] | Sequence[bool]) -> Dataset: ...
    def __getitem__(self, index):
        if isinstance(index, int | np.integer) and not isinstance(index, bool):
            return self.images[index], int(self.labels[index])
        if not isinstance(index, slice):
            # NumPy would let a tuple or a 2-D array reach into the pixels.
            found, index = index, np.asarray(index)
            if isinstance(found, tuple) or index.ndim != 1 or index.dtype.kind not in "iub":
                raise IndexError(
                    f"index: {type(found).__name__} of shape {index.shape} found, "
                    "an integer, a slice, or a 1-D array of integers or booleans expected"
                )
        return Dataset(_fixed(self.images[index]), _fixed(self.labels[index]), self.classes)

    def __add__(self, other: Dataset) -> Dataset:
        if not isinstance(other, Dataset):
            return NotImplemented
        for name in ("image_shape", "classes"):
            left, right = getattr(self, name), getattr(other, name)
            if left != right:
                raise DataError(f"{name}: {right} found in the data set added, {left} expected")
        images = np.concatenate([self.images, other.images])
        labels = np.concatenate([self.labels, other.labels])
        return Dataset(_fixed(images), _fixed(labels), self.classes)

    def __repr__(self) -> str:
        size = "x".join(map(str, self.image_shape))
        return f"Dataset({len(self)} images of {size}, {self.num_classes} classes)"


def _check_classes(classes: tuple[str, ...]) -> None:
    if not classes or not all(isinstance(name, str) for name in classes):
        raise DataError(f"classes: {classes!r} found, at least one name expected")
    if len(set(classes)) < len(classes):
        twice = next(name for name in classes if classes.count(name) > 1)
        raise DataError(f"classes: {twice!r} found {classes.count(twice)} times, distinct names expected")


def _checked_images(images: np.ndarray) -> np.ndarray:
    images = np.asarray(images)
    if images.dtype != np.uint8:
        raise DataError(f"images: dtype {images.dtype} found, uint8 (0 to 255) expected")
    if images.ndim != 4:
        raise DataError(f"images: shape {images.shape} found, (n, height, width, channels) expected")
    if images.size == 0:
        raise DataError(f"images: shape {images.shape} found, at least one image and one pixel expected")
    return images


def _checked_labels(labels: np.ndarray, classes: tuple[str, ...]) -> np.ndarray:
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


def _read_only(array: np.ndarray) -> np.ndarray:
    """Return the array itself if nobody can write to it, else a copy that nobody can."""
    return _fixed(array.copy()) if array.flags.writeable else array


def _fixed(array: np.ndarray) -> np.ndarray:
    """Mark an array that nobody else holds as read-only, in place."""
    array.flags.writeable = False
    return array


def _part_ends(parts: Sequence[float], total: int) -> list[int]:
    """Where each part of a split ends, from the sizes or the fractions of the parts."""
    if parts and all(isinstance(part, int | np.integer) for part in parts):
        expected, ends = total, np.cumsum(parts)
    else:
        expected, ends = 1, np.rint(np.cumsum(parts) * total)
    sizes = np.diff(ends, prepend=0)
    if not parts or not math.isclose(sum(parts), expected, abs_tol=1e-9):
        raise DataError(f"parts: {parts} found, sizes that sum to {total} or fractions that sum to 1 expected")
    if min(sizes) < 1:
        raise DataError(f"parts: {parts} of {total} images found, at least one image in each part expected")
    return [int(end) for end in ends]
