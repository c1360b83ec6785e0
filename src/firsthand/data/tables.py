"""Tables as text: a row of pixels with its label, as on Kaggle, or the name of a file with its label."""

import csv
import io
from pathlib import Path

import numpy as np

from firsthand.errors import reading

from .arrays import LABELS, make_dataset
from .bounded import open_unpacked
from .dataset import Dataset
from .examples import DataError
from .folders import dataset_of_pictures

__all__ = ["load_csv"]

_LABELS = (*LABELS, "class", "category", "digit", "class_name")
_NUMBERS = ("", "id", "index", "unnamed: 0")  # columns that number the rows, as pandas writes them
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_FEW = 5  # columns; a row of pixels has more


def load_csv(path: str | Path, size: tuple[int, int] | None = None, invert: bool | None = False) -> Dataset:
    """Read a table of images: a row each, with its label.

    Args:
        path: a file of comma, semicolon or tab separated values, compressed with gzip or not; either rows of pixels
            with the label first, or under the head `label` (Kaggle's train.csv), or rows of the name of a picture, as
            seen from the table, and its label.
        size, invert: of pictures: see `load_image_folder`.
    Raises:
        DataError: no such file, or neither; the message says which row.
    """
    path = Path(path)
    with reading(path, "no readable table found", DataError):
        content = open_unpacked(path)
        text = content.decode("utf-16" if content[:2] in _UTF_16 else "utf-8-sig")
        lines = text.splitlines()
        rows = [line for line in lines[:3] if line.strip()]
        if not rows:
            raise DataError("an empty table found, rows of pixels or of file names with labels expected")
        delimiter = max(",;\t", key=rows[0].count)
        first, *others = csv.reader(rows, delimiter=delimiter)
        has_head = not all(map(_is_number, first)) and bool(others)
        sample = others[0] if has_head else first
        head = [name.strip().lower() for name in first] if has_head else None
        if len(sample) > _FEW and _are_pixels(sample, head):
            return _pixels(text, delimiter, head)
        return _names(path, text, delimiter, size, invert)


def _are_pixels(sample: list[str], head: list[str] | None) -> bool:
    """True for a row of pixels: numbers, but perhaps the label, which may be a name."""
    words = [i for i, cell in enumerate(sample) if not _is_number(cell)]
    return not words or words == [_label_place(head)]


def _label_place(head: list[str] | None) -> int | None:
    return 0 if head is None else next((i for i, name in enumerate(head) if name in _LABELS), None)


def _pixels(text: str, delimiter: str, head: list[str] | None) -> Dataset:
    place = _label_place(head)
    names: dict[str, int] = {}  # labels that are no numbers, in the order in which they come
    numbers: set[str] = set()

    def number(cell: str) -> float:
        cell = cell.strip()
        if not _is_number(cell):
            return names.setdefault(cell, len(names))
        numbers.add(cell)
        return float(cell)

    table = np.loadtxt(
        io.StringIO(text),
        np.float32,
        delimiter=delimiter,
        skiprows=0 if head is None else 1,
        ndmin=2,
        comments=None,
        quotechar='"',
        converters=None if place is None else {place: number},
        encoding=None,
    )
    beside = [i for i, name in enumerate(head or ()) if name in _NUMBERS]  # of the rows
    columns = table.shape[1] - len(beside)
    side = round((columns - 1) ** 0.5)
    if place is None or side * side != columns - 1:
        without = " and no label" if round(columns**0.5) ** 2 == columns else ""
        raise DataError(f"{columns} columns{without} found, a label and side * side pixels expected")
    labels = table[:, place]
    if names and numbers:
        raise DataError(f"labels {next(iter(names))!r} and {next(iter(numbers))} found, names or numbers expected")
    if names:
        labels = np.array(list(names))[labels.astype(int)]
    return make_dataset(np.delete(table, [place, *beside], axis=1), labels, None)


def _names(path: Path, text: str, delimiter: str, size: tuple[int, int] | None, invert: bool | None) -> Dataset:
    rows = [(number, row) for number, row in enumerate(csv.reader(io.StringIO(text), delimiter=delimiter), 1) if row]
    folder, (_, head) = path.parent, rows[0]
    # the first row names no file where it is a head
    _, sample = rows[min(1, len(rows) - 1)]
    name_at = next((i for i, cell in enumerate(sample) if cell.strip() and (folder / cell.strip()).is_file()), None)
    if name_at is None:
        raise DataError(
            f"a row of {len(sample)} columns found ({', '.join(sample)[:80]}), a label and pixels, or the name of a "
            f"picture in {folder} and its label expected"
        )
    has_head = not (len(head) > name_at and (folder / head[name_at].strip()).is_file())
    names = [cell.strip().lower() for cell in head] if has_head else []
    label_at = next((i for i, name in enumerate(names) if name in _LABELS and i != name_at), None)
    if label_at is None:
        label_at = next((i for i in range(len(sample)) if i != name_at), None)
    if label_at is None:
        raise DataError("rows of one column found, the name of a picture and its label expected")
    files, labels = [], []
    for number, row in rows[1:] if has_head else rows:
        if len(row) <= max(name_at, label_at) or not row[name_at].strip():
            raise DataError(f"line {number}: {len(row)} columns found, the name of a picture and its label expected")
        file = folder / row[name_at].strip()
        if not file.is_file():
            raise DataError(f"line {number}: no file {file} found, a picture expected")
        files.append(file)
        labels.append(row[label_at].strip())
    # numbers in their order, as in folders of Keras and PyTorch names in theirs
    classes = sorted(set(labels), key=lambda name: (not name.isdecimal(), int(name) if name.isdecimal() else 0, name))
    return dataset_of_pictures(files, labels, classes, size, invert, str(path))


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
