"""Images and labels in the forms in which people keep them, made into the one form of a `Dataset`."""

import logging
import math
from collections.abc import Iterable, Sequence

import numpy as np

from .dataset import Dataset
from .examples import DataError
from .pictures import fit

__all__ = ["PARTS", "as_asked", "as_images", "as_labels", "make_dataset", "named_pairs"]

logger = logging.getLogger(__name__)

# part -> what it is called in names of arrays, files and folders
PARTS = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "val", "dev"),
    "test": ("test", "testing", "t10k"),
}
IMAGES = ("images", "image", "x", "data", "imgs")
LABELS = ("labels", "label", "y", "target", "targets")
_MAX_UNNAMED_CLASSES = 1000  # a label beyond is an error in the file, not a class
_CHANNELS = (1, 3, 4)
_UNNAMED = ["arr_0", "arr_1", "arr_2", "arr_3"]  # x, y, or x, y of training and of testing
_ROWS = 4096  # converted at a time, so that no second copy of all floats is made


def make_dataset(images: np.ndarray, labels: np.ndarray, classes: Sequence[str] | None) -> Dataset:
    """Make a data set of arrays that nobody else holds, in any of the usual forms.

    Args:
        images: see `as_images`.
        labels: see `as_labels`.
        classes: the names of the classes; those of labels that are names, else "0", "1", ... by default.
    Raises:
        DataError: they are none of these.
    """
    images, (labels, names) = as_images(images), as_labels(labels)
    if classes is None:
        classes = names
    if classes is None:
        highest = int(labels.max()) if labels.size and labels.dtype.kind in "iu" else 0
        classes = [str(label) for label in range(min(highest + 1, _MAX_UNNAMED_CLASSES))]
    images.flags.writeable = False  # spares Dataset the copy
    return Dataset(images, labels, tuple(classes))


def as_asked(data: Dataset, name: object, size: tuple[int, int] | None, invert: bool | None) -> Dataset:
    """Return images that come as arrays in the size that was asked for, with dark and light exchanged if that was.

    Args:
        data: the images; where nothing is to be done they are returned as they are.
        name: what the log calls them.
        size: (height, width), or None.
        invert: None leaves them as they are, as False does: nobody photographed them.
    """
    images = data.images
    if size is not None and data.image_shape[:2] != tuple(size):
        height, width, _ = data.image_shape
        logger.info("%s: %d images of %d x %d pixels brought to %d x %d", name, len(data), height, width, *size)
        images = np.stack([np.stack([fit(grey, *size) for grey in np.moveaxis(image, 2, 0)], 2) for image in images])
    if invert:
        images = 255 - images
    return data if images is data.images else data.with_arrays(images, data.labels)


def as_images(images: np.ndarray) -> np.ndarray:
    """Return images as uint8 (n, height, width, channels).

    Args:
        images: (n, height, width), (n, height, width, channels), (n, channels, height, width) with 1, 3 or 4 channels,
            or flat and square, (n, side * side); integers 0..255, or 0 and 1 for black and white, floats 0..1 or
            0..255, or booleans.
    Raises:
        DataError: another type, range or shape.
    """
    images = np.asarray(images)
    if images.ndim < 2:
        raise DataError(f"images: shape {images.shape} found, (n, height, width) or (n, side * side) expected")
    images = _as_bytes(images)
    if images.ndim == 2:
        side = math.isqrt(images.shape[1])
        if side * side != images.shape[1]:
            raise DataError(f"images: shape {images.shape} found, (n, height, width) or (n, side * side) expected")
        images = images.reshape(len(images), side, side)
    if images.ndim == 3:
        return images[..., np.newaxis]
    if images.ndim == 4 and images.shape[3] not in _CHANNELS and images.shape[1] in _CHANNELS:
        return np.ascontiguousarray(images.transpose(0, 2, 3, 1))
    return images


def _as_bytes(images: np.ndarray) -> np.ndarray:
    kind = images.dtype.kind
    if not images.size:
        return images if images.dtype == np.uint8 or kind not in "iufb" else images.astype(np.uint8)
    if kind in "iu" and images.min() >= 0 and images.max() == 1:
        # 1 of 255 could not be told from the ground
        logger.info("images: integers 0 and 1 found, taken for black and white")
        kind = "b"
    if images.dtype == np.uint8 and kind != "b":
        return images
    if kind == "b":
        return images.astype(np.uint8) * np.uint8(255)
    if kind not in "iuf":
        raise DataError(f"images: dtype {images.dtype} found, integers 0 to 255 or floats 0 to 1 expected")
    low, high = float(images.min()), float(images.max())
    if np.isnan(low):
        raise DataError(f"images: {np.isnan(images).sum():,} values are NaN, 0 to 1 or 0 to 255 expected")
    if low < 0 or high > 255:
        raise DataError(f"images: values from {low:g} to {high:g} found, 0 to 1 or 0 to 255 expected")
    scale = 255 if kind == "f" and high <= 1 else 1
    result = np.empty(images.shape, np.uint8)
    for start in range(0, len(images), _ROWS):
        part = images[start : start + _ROWS]
        result[start : start + _ROWS] = np.rint(part.astype(np.float64) * scale) if kind == "f" else part
    return result


def as_labels(labels: np.ndarray) -> tuple[np.ndarray, tuple[str, ...] | None]:
    """Return labels as integers (n,), and the names that they stand for where they came as names.

    Args:
        labels: (n,), (n, 1) or (1, n); integers, floats that are whole, or names, numbered in their order; or (n, k)
            with a 1 in the place of the class and 0 elsewhere (one-hot).
    Raises:
        DataError: floats that are not whole, or an image with no class or several.
    """
    labels = np.asarray(labels)
    if labels.size and labels.size == max(labels.shape, default=0):
        labels = labels.ravel()
    if labels.ndim == 2 and labels.dtype.kind in "biuf":
        ones = (labels == 1).sum(1)
        if not np.isin(labels, (0, 1)).all() or not (ones == 1).all():
            raise DataError(f"labels: shape {labels.shape} found, one class for each image expected, (n,) or one-hot")
        labels = labels.argmax(1)
    if labels.dtype.kind in "US" and labels.ndim == 1:
        names, numbers = np.unique(labels.astype(str), return_inverse=True)
        return numbers.astype(np.int32), tuple(map(str, names))
    if labels.dtype.kind == "f":
        # one that is not a number equals nothing
        wrong = np.flatnonzero(~(labels.ravel() == np.rint(labels.ravel())))
        if len(wrong) or (labels.size and np.abs(labels).max() > 2**31):
            found = labels.ravel()[wrong[0] if len(wrong) else np.abs(labels).argmax()]
            raise DataError(f"labels: {found:g} found, whole numbers expected")
        labels = labels.astype(np.int64)
    if labels.dtype.kind == "b":
        labels = labels.astype(np.int32)
    return labels, None


def named_pairs(names: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Find images and labels by their names, for each part of the data; the part is '' where names have none.

    Keras' x_train and y_train, MedMNIST's train_images and train_labels, and their like.

    Examples:
        >>> named_pairs(["x_train", "y_train", "x_test", "y_test"])
        {'train': ('x_train', 'y_train'), 'test': ('x_test', 'y_test')}
        >>> named_pairs(["val_images", "val_labels", "notes"])
        {'validation': ('val_images', 'val_labels')}
        >>> named_pairs(["arr_0", "arr_1"])
        {'': ('arr_0', 'arr_1')}
    """
    known = {name.lower(): name for name in names}
    found: dict[str, tuple[str, str]] = {}
    for part, words in {"": ("",), **PARTS}.items():
        for word in words:
            for images in _with(word, IMAGES):
                for labels in _with(word, LABELS):
                    if images in known and labels in known:
                        found.setdefault(part, (known[images], known[labels]))
    # numpy.savez of arrays without names
    if sorted(known) == _UNNAMED[:2]:
        return {"": ("arr_0", "arr_1")}
    if sorted(known) == _UNNAMED:
        return {"train": ("arr_0", "arr_1"), "test": ("arr_2", "arr_3")}
    return found


def _with(word: str, stems: Sequence[str]) -> list[str]:
    if not word:
        return list(stems)
    return [name for stem in stems for name in (f"{stem}_{word}", f"{word}_{stem}", f"{stem}{word}", f"{word}{stem}")]
