"""Tables as text: a row of pixels with its label, as on Kaggle, or the name of a file with its label."""

import csv
import io
import re
from itertools import islice
from pathlib import Path

import numpy as np

from firsthand.errors import reading

from .arrays import LABELS, as_asked, make_dataset
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
        size, invert: of pictures: see `load_image_folder`; of rows of pixels, None leaves them as they are.
    Raises:
        DataError: no such file, or neither; the message says which row.
    """
    path = Path(path)
    with reading(path, "no readable table found", DataError):
        content = open_unpacked(path)
        text = content.decode("utf-16" if content[:2] in _UTF_16 else "utf-8-sig")
        lines = ((number, line) for number, line in enumerate(io.StringIO(text, newline=None)) if line.strip())
        numbered = list(islice(lines, 3))
        rows = [line for _, line in numbered]
        if not rows:
            raise DataError("an empty table found, rows of pixels or of file names with labels expected")
        delimiter = max(",;\t", key=rows[0].count)
        first, *others = csv.reader(rows, delimiter=delimiter)
        # pandas numbers the columns of a table without names, from 0
        is_numbered = len(first) > _FEW and first == [str(i) for i in range(len(first))]
        has_head = (is_numbered or not all(map(_is_number, first))) and bool(others)
        sample = others[0] if has_head else first
        head = [name.strip().lower() for name in first] if has_head and not is_numbered else None
        if len(sample) > _FEW and _are_pixels(sample, head):
            found = _pixels(text, delimiter, head, numbered[0][0] + 1 if has_head else 0)
            return as_asked(found, path, size, invert)
        return _names(path, text, delimiter, size, invert)


def _are_pixels(sample: list[str], head: list[str] | None) -> bool:
    """True for a row of pixels: numbers, but perhaps the label, which may be a name."""
    words = [i for i, cell in enumerate(sample) if not _is_number(cell)]
    return not words or words == [_label_place(head)]


def _label_place(head: list[str] | None) -> int | None:
    return 0 if head is None else next((i for i, name in enumerate(head) if name in _LABELS), None)


def _pixels(text: str, delimiter: str, head: list[str] | None, skipped: int) -> Dataset:
    place = _label_place(head)
    names: dict[str, int] = {}  # labels that are no numbers, in the order in which they come
    numbers: set[str] = set()

    def number(cell: str) -> float:
        cell = cell.strip()
        if not cell:
            raise ValueError("no label")
        if not _is_number(cell):
            return names.setdefault(cell, len(names))
        numbers.add(cell)
        return float(cell)

    try:
        table = np.loadtxt(
            io.StringIO(text, newline=None),
            np.float32,
            delimiter=delimiter,
            skiprows=skipped,
            ndmin=2,
            comments=None,
            quotechar='"',
            converters=None if place is None else {place: number},
            encoding=None,
        )
    except ValueError as error:
        raise _fault(text, delimiter, skipped, place) or error from None
    beside = [i for i, name in enumerate(head or ()) if name in _NUMBERS]  # of the rows
    columns = table.shape[1] - len(beside)
    side = round((columns - 1) ** 0.5)
    if place is None and side * side == columns - 1:
        found = ", ".join(repr(name) for name in head or () if not re.fullmatch(r"\D*[\d.x_-]+", name))
        raise DataError(f"columns {found[:80] or 'of pixels'} found, one named {' or '.join(_LABELS)} expected")
    if place is None or side * side != columns - 1:
        without = " and no label" if round(columns**0.5) ** 2 == columns else ""
        raise DataError(f"{columns} columns{without} found, a label and side * side pixels expected")
    labels = table[:, place]
    if names and numbers:
        raise DataError(f"labels {next(iter(names))!r} and {next(iter(numbers))} found, names or numbers expected")
    if names:
        labels = np.array(list(names))[labels.astype(int)]
    return make_dataset(np.delete(table, [place, *beside], axis=1), labels, None)


def _fault(text: str, delimiter: str, skipped: int, place: int | None) -> DataError | None:
    """The first line that is no row of pixels: as long as the one before, of numbers, with a label."""
    rows = csv.reader(io.StringIO(text, newline=None), delimiter=delimiter)
    columns = None
    for row in rows:
        if rows.line_num <= skipped or not any(map(str.strip, row)):
            continue
        if columns not in (None, len(row)):
            return DataError(f"line {rows.line_num}: {len(row)} columns found, {columns} expected as before")
        columns = len(row)
        if place is not None and not row[place].strip():
            return DataError(f"line {rows.line_num}, column {place + 1}: no label found, one for each image expected")
        for i, cell in enumerate(row):
            if i != place and not _is_number(cell):
                return DataError(f"line {rows.line_num}, column {i + 1}: {cell[:40]!r} found, a number expected")
    return None


def _names(path: Path, text: str, delimiter: str, size: tuple[int, int] | None, invert: bool | None) -> Dataset:
    lines = csv.reader(io.StringIO(text, newline=None), delimiter=delimiter)
    rows = [(number, row) for number, row in enumerate(lines, 1) if any(map(str.strip, row))]
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
        others = [i for i in range(len(sample)) if i != name_at and not (i < len(names) and names[i] in _NUMBERS)]
        if len(others) != 1:
            found = ", ".join(repr(names[i] if i < len(names) else sample[i]) for i in others)
            expected = f"one, or a head with one named {' or '.join(_LABELS)}" if others else "its label"
            raise DataError(f"columns {found[:80] or 'none'} found beside the name of a picture, {expected} expected")
        (label_at,) = others
    files, labels = [], []
    for number, row in rows[1:] if has_head else rows:
        if len(row) <= max(name_at, label_at) or not row[name_at].strip() or not row[label_at].strip():
            filled = sum(bool(cell.strip()) for cell in row)
            raise DataError(f"line {number}: {filled} filled columns found, a picture's name and its label expected")
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
