"""Read image sets from the files that people have: NumPy's, IDX (the format of MNIST), tables, folders of pictures."""

import gzip
import logging
import math
import os
import re
import zipfile
import zlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import IO

import numpy as np

from firsthand.errors import reading

from .arrays import PARTS, as_asked, make_dataset, named_pairs
from .bounded import GZIP, read_at_most, stored_size, unpacked_limit
from .dataset import Dataset
from .examples import DataError
from .folders import class_folders, load_image_folder, load_part_folders, part_folders, unwrapped
from .splits import Splits
from .tables import load_csv

__all__ = [
    "EXPECTED",
    "load",
    "load_csv",
    "load_idx",
    "load_image_folder",
    "load_npz",
    "load_parts",
    "load_splits",
    "make_dataset",
    "read_idx",
]

logger = logging.getLogger(__name__)

# for messages: what a path may lead to
EXPECTED = (
    "a folder of pictures with a folder per class (or train/ and test/ with these), an .npz file, a .csv file, "
    "...images-idx3-ubyte[.gz] or IMAGES.npy with their labels beside them"
)
_IDX_UINT8 = 8
_HEADER = 10_000  # characters that an .npy header may have, as NumPy has it
# images of EMNIST's parts, by which its files are known without their name; the part "mnist" is as large as MNIST
_EMNIST = {
    *(697_932, 116_323),  # byclass, bymerge
    *(112_800, 18_800),  # balanced
    *(124_800, 20_800, 88_800, 14_800),  # letters, of both editions
    *(240_000, 40_000),  # digits
}


def load(
    path: str | Path, size: tuple[int, int] | None = None, invert: bool | None = False, *, part: str = ""
) -> Dataset:
    """Read a data set from whatever the path is.

    Args:
        path: a folder of pictures (`load_image_folder`), or of folders of them named train, test, val and the like; an
            .npz file (`load_npz`); a .csv or .csv.gz file (`load_csv`); IDX images named as those of MNIST: for
            `train-images-idx3-ubyte.gz` the labels are read from `train-labels-idx1-ubyte.gz` beside it (`load_idx`);
            an .npy file of images, such as `X_train.npy`, with `y_train.npy` beside it; or a folder of such files.
        size: (height, width) to which the images are brought.
        invert: whether dark and light are exchanged: see `load_image_folder`; None decides for pictures alone, and
            leaves arrays as they are.
        part: "train", "validation" or "test", of data that come in parts; by default the first there is.

    Raises:
        DataError: nothing is there, or it is none of these, or it is damaged, or has no such part.
    """
    found = load_parts(path, size, invert)
    if not part:
        return next(iter(found.values()))
    if part not in found:
        raise DataError(f"{path}: {', '.join(found) if '' not in found else 'no parts'} found, {part} expected")
    return found[part]


def load_splits(
    path: str | Path,
    size: tuple[int, int] | None = None,
    invert: bool | None = False,
    *,
    parts: tuple[float, float, float] = (0.8, 0.1, 0.1),
    seed: int = 0,
) -> Splits[Dataset, Dataset]:
    """Read training, validation and test data from whatever the path is: see `load`.

    Args:
        path, size, invert: as for `load`.
        parts: fractions for training, validation and test, of data that have no parts; a part that is missing is
            taken at random from the training data, in its proportion to them.
        seed: of what is divided at random.
    """
    found = load_parts(path, size, invert)
    with reading(path, "cannot be divided", DataError):
        if len(found) == 1:
            (whole,) = found.values()
            return Splits(*whole.split(*parts, seed=seed))
        train = found.pop("train" if "train" in found else next(iter(found)))
        for place, part in ((1, "validation"), (2, "test")):
            if part not in found:
                share = parts[place] / (parts[0] + parts[place])
                train, found[part] = train.split(1 - share, share, seed=seed)
        return Splits(train, found["validation"], found["test"])


def load_parts(
    path: str | Path, size: tuple[int, int] | None = None, invert: bool | None = False
) -> dict[str, Dataset]:
    """Read what the path is, part by part: train, validation, test; '' is the name of what has no parts."""
    if not isinstance(path, str | os.PathLike):
        raise DataError(f"path: {type(path).__name__} found, {EXPECTED} expected")
    if size is not None and not (
        isinstance(size, tuple | list)
        and len(size) == 2
        and all(isinstance(side, int | np.integer) and side > 0 for side in size)
    ):
        raise DataError(f"size: {size!r} found, (height, width) in pixels expected")
    if not str(path):
        raise DataError(f"an empty name found, {EXPECTED} expected")
    path = Path(path)
    if not path.exists():
        raise DataError(f"{path}: nothing found, {EXPECTED} expected")
    if path.is_dir():
        return _of_folder(path, size, invert)
    if path.suffix.lower() == ".npz":
        return {name: as_asked(part, path, size, invert) for name, part in _parts_of_npz(path).items()}
    if re.search(r"\.csv(\.gz)?$", path.name.lower()):
        return {"": load_csv(path, size, invert)}
    if (labels := _labels_beside(path)) is not None:
        return {"": as_asked(_load_pair(path, labels), path, size, invert)}
    raise DataError(f"{path}: a file of unknown kind found, {EXPECTED} expected")


def _of_folder(path: Path, size: tuple[int, int] | None, invert: bool | None) -> dict[str, Dataset]:
    path = unwrapped(path)
    if parts := part_folders(path):
        return _alike(load_part_folders(parts, size, invert), path)
    with reading(path, "no readable folder found", DataError):
        files = {file.name: file for file in sorted(path.iterdir()) if file.is_file()}
    pairs = {}
    for file in files.values():
        if (labels := _labels_beside(file)) is not None and labels.exists():
            words = re.split(r"[^a-z0-9]+", file.name.lower())
            part = next((part for part, known in PARTS.items() if set(known) & set(words)), "")
            pairs.setdefault(part, (file, labels))
    if pairs and not class_folders(path, Counter()):
        found = {part: _load_pair(*pairs[part]) for part in ("", *PARTS) if part in pairs}
        return _alike({part: as_asked(data, path, size, invert) for part, data in found.items()}, path)
    return {"": load_image_folder(path, size, invert)}


def _labels_beside(path: Path) -> Path | None:
    """The file of the labels of a file of images, by the names; None for what is not named as one of images.

    Of several names that labels may have, the one that is there.
    """
    name = path.name
    if re.search(r"images[.-]idx3", name):
        return path.with_name(name.replace("images", "labels").replace("idx3", "idx1"))
    if path.suffix.lower() != ".npy":
        return None
    candidates = []
    for word, others in (("images", ("labels",)), ("image", ("label",)), ("x", ("y",)), ("data", ("labels", "target"))):
        # a word of its own, in any case: X_train, train-images, trainX
        pattern = rf"(?<![a-z]){word}(?![a-z])" if word != "x" else r"(?<![A-Za-wyz])[xX](?![a-z])|(?<=[a-z])X(?![a-z])"
        for match in re.finditer(pattern, name, re.IGNORECASE if word != "x" else 0):
            for other in others:
                forms = (other, other.upper()) if word == "x" else (other, other.capitalize())
                candidates += [name[: match.start()] + form + name[match.end() :] for form in forms]
    places = [path.with_name(candidate) for candidate in candidates]
    return next((place for place in places if place.exists()), places[0] if places else None)


def _load_pair(images: Path, labels: Path) -> Dataset:
    if images.suffix.lower() != ".npy":
        return load_idx(images, labels)

    def read(path: Path) -> np.ndarray:
        with reading(path, "no readable .npy file found", DataError), open(path, "rb") as file:
            return _read_npy(file, stored_size(file))

    of_images, of_labels = read(images), read(labels)
    with reading(f"{images} and {labels}", "not images and labels", DataError):
        return make_dataset(of_images, of_labels, None)


def _alike(parts: dict[str, Dataset], path: str | Path) -> dict[str, Dataset]:
    """Parts with the same classes, where they were named by numbers up to the highest; training data come first."""
    classes = max((part.classes for part in parts.values()), key=len)
    with reading(path, "parts that do not go together", DataError):
        (first, expected), *others = ((name, part.image_shape) for name, part in parts.items())
        for name, shape in others:
            # a training would find out when it is over
            if shape != expected:
                raise DataError(f"{name} images of shape {shape} found, {expected} expected as in {first}")
        return {name: part.with_classes(classes) for name, part in parts.items()}


def load_npz(path: str | Path, *, part: str = "", classes: Sequence[str] | None = None) -> Dataset:
    """Read a data set from a NumPy .npz file.

    The file holds `images` and `labels`, or `x` and `y`, in any form of `make_dataset`. It may hold the names of
    the `classes` too, as an array of strings. Files with parts have `x_train` and `y_train` and so on (Keras), or
    `train_images` and `train_labels` (MedMNIST).

    Args:
        path: the file. Nothing in it is unpickled.
        part: for files with several parts, the part to read: "train", "validation" (or "val", "valid") or "test"; by
            default the first there is.
        classes: the names of the classes, instead of those in the file; "0", "1", ... up to the highest label
            if neither is given.

    Raises:
        DataError: no such file, a damaged one, or one without such arrays.
    """
    wanted = next((name for name, words in PARTS.items() if part in words), part)
    found = _parts_of_npz(path, classes, wanted)
    return next(iter(found.values()))


def _parts_of_npz(
    path: str | Path, classes: Sequence[str] | None = None, part: str | None = None
) -> dict[str, Dataset]:
    with reading(path, "no readable .npz file found", DataError), open(path, "rb") as file:
        start = file.read(2)
        if start != b"PK":
            raise DataError(f"first bytes {start!r} found, an .npz file (b'PK') expected")
        with zipfile.ZipFile(file) as archive:
            inside = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
            pairs = named_pairs(inside)
            if part:
                pairs = {part: pairs[part]} if part in pairs else {}
            elif part == "" and pairs:
                pairs = dict([next(iter(pairs.items()))])
            if not pairs:
                names = ", ".join(list(inside)[:10]) + (", ..." if len(inside) > 10 else "")
                suffix = f"_{part}" if part else ""
                more = "" if part else ", or these with _train, _val and _test"
                expected = f"images{suffix} and labels{suffix} or x{suffix} and y{suffix}"
                raise DataError(f"arrays {names or 'none'} found, {expected} expected{more}")
            wanted = [name for pair in pairs.values() for name in pair]
            wanted += ["classes"] if classes is None and "classes" in inside else []
            size, limit = sum(inside[name].file_size for name in wanted), unpacked_limit(stored_size(file))
            if size > limit:
                raise DataError(f"arrays of {size:,} bytes found, at most {limit:,} expected in a file of this size")
            arrays = {}
            for name in wanted:
                with archive.open(inside[name]) as member:
                    arrays[name] = _read_npy(member, inside[name].file_size)
        if "classes" in arrays:
            classes = arrays["classes"].tolist()
        parts = {name: make_dataset(arrays[x], arrays[y], classes) for name, (x, y) in pairs.items()}
        return _alike(parts, path)


def _read_npy(file: IO[bytes], available: int) -> np.ndarray:
    """Read an open .npy file of numbers or text, of `available` bytes."""
    version = np.lib.format.read_magic(file)
    if version not in ((1, 0), (2, 0)):
        raise DataError(f".npy version {version[0]}.{version[1]} found, 1.0 or 2.0 expected")
    read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, is_fortran, dtype = read_header(file, max_header_size=_HEADER)
    if dtype.hasobject or dtype.kind not in "biufUS" or not dtype.itemsize:
        raise DataError(f"an array of {dtype}s found, of numbers or text expected")
    count = math.prod(shape) * dtype.itemsize
    if count > available:
        raise DataError(f"an array of {count:,} bytes by its header found, at most {available:,} there")
    content = read_at_most(file, count)
    if len(content) < count:
        raise DataError(f"{len(content):,} bytes of an array of {count:,} found, all of them expected")
    return np.frombuffer(content, dtype).reshape(shape, order="F" if is_fortran else "C")


def load_idx(images_path: str | Path, labels_path: str | Path, *, classes: Sequence[str] | None = None) -> Dataset:
    """Read a data set from a pair of IDX files, the format in which MNIST is published.

    Images of EMNIST, known by the name of the file or by how many they are, lie on their side as published; they are
    turned, and the log says so.

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
        with reading(path, "no readable file found", DataError), open(path, "rb") as file:
            arrays.append(read_idx(file, ndim))
    images, labels = arrays
    name = Path(images_path).name
    by_name = "emnist" in name.lower()
    if by_name or (images.shape[1:] == (28, 28) and len(images) in _EMNIST):
        why = "the name says EMNIST" if by_name else f"{len(images):,} images are a part of EMNIST"
        logger.info("%s: %s, whose images lie on their side: turned", name, why)
        images = np.ascontiguousarray(images.transpose(0, 2, 1))
    with reading(f"{images_path} and {labels_path}", "not images and labels", DataError):
        return make_dataset(images, labels, classes)


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
        is_gzip = file.read(2) == GZIP
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
        limit = unpacked_limit(stored_size(file))
        if is_gzip and count > limit:
            raise DataError(f"a header of {count:,} bytes found, at most {limit:,} expected in a file of this size")
        content = read_at_most(data, count + 1)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DataError(f"a damaged gzip file found ({error}), a whole one expected") from error
    if len(content) != count:
        found = f"{len(content):,}" if len(content) < count else f"more than {count:,}"
        raise DataError(f"{found} bytes found after the IDX header, {' x '.join(map(str, shape))} expected")
    return np.frombuffer(content, np.uint8).reshape(shape)
