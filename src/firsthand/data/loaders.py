"""Read image sets from files: NumPy .npz, IDX (the format of MNIST) and folders of pictures."""

import gzip
import math
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import IO

import numpy as np

from .dataset import Dataset
from .examples import DataError
from .pictures import fit, light_on_dark, read_grey

__all__ = ["load", "load_idx", "load_image_folder", "load_npz", "make_dataset", "read_idx"]

_NPZ_KEYS = (("images", "labels"), ("x", "y"))
_MAX_UNNAMED_CLASSES = 1000  # a label beyond is an error in the file, not a class
_IDX_UINT8 = 8
_CHUNK = 1 << 20


def load(path: str | Path, size: tuple[int, int] | None = None, invert: bool | None = False) -> Dataset:
    """Read a data set from whatever the path is.

    Args:
        path: a folder (see `load_image_folder`), a .npz file (`load_npz`), or the images of a pair of IDX
            files named as those of MNIST: for `train-images-idx3-ubyte.gz` the labels are read from
            `train-labels-idx1-ubyte.gz` beside it (`load_idx`).
        size: (height, width) to which the pictures of a folder are brought.
        invert: whether dark and light are exchanged in the pictures of a folder: see `load_image_folder`.

    Raises:
        DataError: nothing is there, or it is none of these, or it is damaged.
    """
    path = Path(path)
    if path.is_dir():
        return load_image_folder(path, size, invert)
    if path.suffix == ".npz":
        return load_npz(path)
    labels_name = path.name.replace("images", "labels").replace("idx3", "idx1")
    if labels_name != path.name:
        return load_idx(path, path.with_name(labels_name))
    found = "a file of unknown kind" if path.exists() else "nothing"
    raise DataError(f"{path}: {found} found, a folder of pictures, .npz or ...images-idx3-ubyte[.gz] expected")


def load_npz(path: str | Path, *, part: str = "", classes: Sequence[str] | None = None) -> Dataset:
    """Read a data set from a NumPy .npz file.

    The file holds `images` and `labels`, or `x` and `y`: uint8 (n, height, width) or (n, height, width,
    channels), and integers (n,). It may hold the names of the `classes` too, as an array of strings.

    Args:
        path: the file. Nothing in it is unpickled.
        part: for files with several parts, the part to read: "train" reads `x_train` and `y_train`, or
            `images_train` and `labels_train`.
        classes: the names of the classes, instead of those in the file; "0", "1", ... up to the highest label
            if neither is given.

    Raises:
        DataError: no such file, a damaged one, or one without such arrays.
    """
    suffix = f"_{part}" if part else ""
    keys = [(images + suffix, labels + suffix) for images, labels in _NPZ_KEYS]
    try:
        with open(path, "rb") as file:
            start = file.read(2)
            if start != b"PK":
                raise DataError(f"first bytes {start!r} found, an .npz file (b'PK') expected")
            file.seek(0)
            arrays = np.load(file, allow_pickle=False)
            pair = next((pair for pair in keys if set(pair) <= set(arrays)), None)
            if pair is None:
                expected = " or ".join(" and ".join(pair) for pair in keys)
                hint = "" if part else ' (part="train" reads x_train and y_train)'
                raise DataError(f"arrays {', '.join(arrays) or 'none'} found, {expected} expected{hint}")
            images, labels = (arrays[key] for key in pair)
            if classes is None and "classes" in arrays:
                classes = arrays["classes"].tolist()
        return make_dataset(images, labels, classes)
    except DataError as error:
        raise DataError(f"{path}: {error}") from None
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error, MemoryError) as error:
        raise DataError(f"{path}: no readable .npz file found ({_reason(error)})") from error


def load_idx(images_path: str | Path, labels_path: str | Path, *, classes: Sequence[str] | None = None) -> Dataset:
    """Read a data set from a pair of IDX files, the format in which MNIST is published.

    Args:
        images_path: a file of uint8 (n, height, width), compressed with gzip or not.
        labels_path: a file of uint8 (n,), compressed with gzip or not.
        classes: the names of the classes; "0", "1", ... up to the highest label by default.

    Raises:
        DataError: no such file, one that is no IDX file, cut short or too long, or not one label per image.

    References:
        The format is described at the end of http://yann.lecun.com/exdb/mnist/.
    """
    arrays = []
    for path, ndim in ((images_path, 3), (labels_path, 1)):
        try:
            with open(path, "rb") as file:
                arrays.append(read_idx(file, ndim))
        except DataError as error:
            raise DataError(f"{path}: {error}") from None
        except OSError as error:
            raise DataError(f"{path}: no readable file found ({_reason(error)}), an IDX file expected") from error
    try:
        images, labels = arrays
        return make_dataset(images, labels, classes)
    except DataError as error:
        raise DataError(f"{images_path} and {labels_path}: {error}") from None


def read_idx(file: IO[bytes], ndim: int) -> np.ndarray:
    """Read an open IDX file of bytes, compressed with gzip or not.

    Args:
        file: open for reading bytes, at its beginning, and seekable.
        ndim: the number of dimensions expected: 3 for images, 1 for labels.

    Returns:
        uint8, of the shape that the file states.

    Raises:
        DataError: what was found instead; the caller knows the name of the file.
    """
    try:
        is_gzip = file.read(2) == b"\x1f\x8b"
        file.seek(0)
        data = gzip.GzipFile(fileobj=file) if is_gzip else file
        magic = data.read(4)
        # Two zero bytes, the type of the elements, the number of dimensions.
        if len(magic) < 4 or magic[:2] != b"\0\0":
            raise DataError(f"first bytes {magic!r} found, an IDX file (00 00 ...) expected")
        if magic[2] != _IDX_UINT8:
            raise DataError(f"IDX elements of type 0x{magic[2]:02x} found, unsigned bytes (0x08) expected")
        if magic[3] != ndim:
            raise DataError(f"an IDX file of {magic[3]} dimensions found, {ndim} expected")
        sizes = data.read(4 * ndim)
        if len(sizes) < 4 * ndim:
            raise DataError(f"an IDX header of {4 + len(sizes)} bytes found, {4 + 4 * ndim} expected")
        shape = [int(size) for size in np.frombuffer(sizes, ">u4")]
        count = math.prod(shape)
        if count == 0:
            raise DataError(f"an IDX file of {' x '.join(map(str, shape))} elements found, at least one expected")
        content = _read_at_most(data, count + 1)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DataError(f"a damaged gzip file found ({_reason(error)}), a whole one expected") from error
    if len(content) != count:
        found = f"{len(content):,}" if len(content) < count else f"more than {count:,}"
        raise DataError(f"{found} bytes found after the IDX header, {' x '.join(map(str, shape))} expected")
    return np.frombuffer(content, np.uint8).reshape(shape)


def load_image_folder(path: str | Path, size: tuple[int, int] | None = None, invert: bool | None = False) -> Dataset:
    """Read a folder of class-named folders of pictures, as grey images.

    The classes are the names of the folders in alphabetical order; pictures come class by class, in the order
    of their names. Hidden files (.name) are ignored, and so are files beside the class folders. How a picture
    becomes grey is written in `firsthand.data.pictures`.

    Args:
        path: the outer folder.
        size: (height, width) to which every picture is brought, its proportions kept, padded with its own
            background. By default all pictures must have one size.
        invert: True exchanges dark and light, False does not, None does in every picture with a light background.

    Raises:
        DataError: no class folders, one without pictures, a file that is no picture, or pictures of differing
            sizes, both named.
    """
    path = Path(path)
    folders = [folder for folder in _listing(path) if folder.is_dir()]
    if not folders:
        raise DataError(f"{path}: no folders found, one folder of pictures per class expected")
    images: list[np.ndarray] = []
    labels: list[int] = []
    first = None
    for label, folder in enumerate(folders):
        files = _listing(folder)
        if not files:
            raise DataError(f"{folder}: no pictures found, at least one per class expected")
        for file in files:
            first = first or file
            image, _ = light_on_dark(read_grey(file), invert)
            image = image if size is None else fit(image, *size)
            if images and image.shape != images[0].shape:
                height, width = images[0].shape
                raise DataError(
                    f"{file}: {image.shape[0]} x {image.shape[1]} pixels found, {height} x {width} expected "
                    f"as in {first} (or give a size)"
                )
            images.append(image)
            labels.append(label)
    return make_dataset(np.stack(images), np.array(labels), [folder.name for folder in folders])


def _listing(folder: Path) -> list[Path]:
    """What a folder holds, without hidden files, by name."""
    try:
        return sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))
    except OSError as error:
        raise DataError(f"{folder}: no readable folder found ({_reason(error)}), one expected") from error


def make_dataset(images: np.ndarray, labels: np.ndarray, classes: Sequence[str] | None) -> Dataset:
    """Make a data set of arrays that nobody else holds; images (n, height, width) get their one channel."""
    if images.ndim == 3:
        images = images[..., np.newaxis]
    if classes is None:
        highest = int(labels.max()) if labels.size and labels.dtype.kind in "iu" else 0
        classes = [str(label) for label in range(min(highest + 1, _MAX_UNNAMED_CLASSES))]
    images.flags.writeable = False  # spares Dataset the copy
    return Dataset(images, labels, tuple(classes))


def _read_at_most(file: IO[bytes] | gzip.GzipFile, count: int) -> bytearray:
    """Read up to `count` bytes without trusting `count`, which a damaged header may put at 2**96."""
    content = bytearray()
    while len(content) < count and (chunk := file.read(min(_CHUNK, count - len(content)))):
        content += chunk
    return content


def _reason(error: Exception) -> str:
    """Why the system or a decoder refused, without the path that the message names already."""
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
