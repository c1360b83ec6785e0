"""Pictures in class-named folders, or named with their classes by a table."""

import logging
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from firsthand.errors import reading

from .arrays import PARTS, make_dataset
from .dataset import Dataset
from .examples import DataError
from .pictures import ENDINGS, fit, is_dark_on_light, read_grey

__all__ = [
    "class_folders",
    "dataset_of_pictures",
    "load_image_folder",
    "load_part_folders",
    "part_folders",
    "unwrapped",
]

logger = logging.getLogger(__name__)

_JUNK = frozenset(("thumbs.db", "ehthumbs.db", "desktop.ini", "__macosx", "icon\r", "$recycle.bin", "@eadir"))
_SAYING_NOTHING = ("set", "data", "dataset", "images", "split")
_WORDS = {word: part for part, words in PARTS.items() for word in words}


def load_image_folder(path: str | Path, size: tuple[int, int] | None = None, invert: bool | None = False) -> Dataset:
    """Read a folder of class-named folders of pictures, as grey images.

    The classes are the names of the folders in alphabetical order; pictures come class by class, in the order
    of their names. Hidden files (.name) are ignored; files that are no pictures (Thumbs.db, desktop.ini,
    __MACOSX, labels.csv) are left out and counted in the log. How a picture becomes grey is written in
    `firsthand.data.pictures`.

    Args:
        path: the outer folder.
        size: (height, width) to which every picture is brought, its proportions kept, padded with its own
            background. By default all pictures must have one size.
        invert: True exchanges dark and light, False does not, None does in all pictures if most of them have a
            light background, and says so in the log.

    Raises:
        DataError: no class folders, one without pictures, a file that is no picture, or pictures of differing
            sizes, both named.
    """
    (part,) = load_part_folders({"": Path(path)}, size, invert).values()
    return part


def load_part_folders(
    folders: dict[str, Path], size: tuple[int, int] | None = None, invert: bool | None = False
) -> dict[str, Dataset]:
    """Read several folders of class-named folders, parts of one data set: see `load_image_folder`.

    The classes are those of the first; whether to exchange dark and light is decided once for all.
    """
    left_out: Counter[str] = Counter()
    files: list[Path] = []
    labels: list[str] = []
    parts: dict[str, tuple[int, int]] = {}
    classes: dict[str, list[str]] = {}
    for part, path in folders.items():
        start = len(files)
        found = class_folders(path, left_out)
        if not found:
            raise DataError(f"{path}: no folders found, one folder of pictures per class expected")
        for folder in found:
            pictures = [file for file in _listing(folder) if not _is_junk(file, left_out)]
            if not pictures:
                raise DataError(f"{folder}: no pictures found, at least one per class expected")
            files += pictures
            labels += [folder.name] * len(pictures)
        parts[part] = start, len(files)
        classes[part] = [folder.name for folder in found]
    first, *others = folders
    names = list(classes[first])
    for other in others:
        if unknown := [name for name in classes[other] if name not in names]:
            raise DataError(f"{folders[other]}: class {unknown[0]!r} found, one of those in {folders[first]} expected")
    if left_out:
        about = ", ".join(f"{name} ({count})" if count > 1 else name for name, count in sorted(left_out.items())[:5])
        more = ", ..." if len(left_out) > 5 else ""
        logger.info("%s: %d files left out: %s%s", folders[first], left_out.total(), about, more)
    where = folders[first] if len(folders) == 1 else folders[first].parent
    whole = dataset_of_pictures(files, labels, names, size, invert, str(where))
    return {part: whole[start:end] for part, (start, end) in parts.items()}


def part_folders(path: Path) -> dict[str, Path]:
    """Return the folders of the parts, by part, where all that a folder holds are such: train, test, val, ..."""
    inside = class_folders(path, Counter())
    parts = {part: folder for folder in inside if (part := _part(folder.name))}
    if not inside or len(parts) < len(inside) or not all(class_folders(folder, Counter()) for folder in inside):
        return {}
    return {part: parts[part] for part in PARTS if part in parts}


def _part(name: str) -> str | None:
    """The part that the name of a folder says: train, Training_set, test-images."""
    words = [word for word in re.split(r"[\W_]+", name.lower()) if word not in _SAYING_NOTHING]
    return _WORDS.get(words[0]) if len(words) == 1 else None


def unwrapped(path: Path) -> Path:
    """Return the folder that is all that a folder holds, and so on, down to the one with the classes or the parts.

    Archives are unpacked to such folders.
    """
    while len(inside := class_folders(path, Counter())) == 1 and class_folders(inside[0], Counter()):
        path = inside[0]
    return path


def class_folders(path: Path, left_out: Counter[str]) -> list[Path]:
    """Return the folders in a folder, without what systems and programs leave there; what is left out is counted."""
    entries = _listing(path)
    folders = [entry for entry in entries if entry.is_dir() and entry.name.lower() not in _JUNK]
    left_out.update(entry.name for entry in entries if entry not in folders)
    return folders


def dataset_of_pictures(
    files: Sequence[Path],
    labels: Sequence[str],
    classes: Sequence[str],
    size: tuple[int, int] | None,
    invert: bool | None,
    name: str,
) -> Dataset:
    """Read pictures with the names of their classes: see `load_image_folder`; `name` is what the log calls them."""
    images: list[np.ndarray] = []
    dark = 0
    for file in files:
        grey = read_grey(file)
        dark += is_dark_on_light(grey)
        image = grey if size is None else fit(grey, *size)
        if images and image.shape != images[0].shape:
            height, width = images[0].shape
            raise DataError(
                f"{file}: {image.shape[0]} x {image.shape[1]} pixels found, {height} x {width} expected "
                f"as in {files[0]}; a size brings all to one (train --size N)"
            )
        images.append(image)
    stacked = np.stack(images)
    if invert is None:
        invert = 2 * dark > len(files)
        if dark:
            done = "all are inverted" if invert else "none is inverted"
            logger.info("%s: %d of %d pictures are dark on light: %s", name, dark, len(files), done)
    if invert:
        np.subtract(255, stacked, out=stacked)
    place = {name: label for label, name in enumerate(classes)}
    return make_dataset(stacked, np.array([place[label] for label in labels]), list(classes))


def _is_junk(file: Path, left_out: Counter[str]) -> bool:
    """Return whether the name of a file beside pictures says that it is none; one without an extension may be one."""
    junk = file.name.lower() in _JUNK or (bool(file.suffix) and file.suffix.lower() not in ENDINGS)
    left_out.update([file.name] if junk else [])
    return junk


def _listing(folder: Path) -> list[Path]:
    """List a folder by name, without hidden files."""
    with reading(folder, "no readable folder found", DataError):
        return sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))
