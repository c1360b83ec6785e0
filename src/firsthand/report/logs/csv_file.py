"""Epochs as rows of a CSV file."""

import csv
import os
from pathlib import Path

from . import At

__all__ = ["CsvLog"]


class CsvLog:
    """A CSV file with a row for every epoch, written as soon as it is complete; a resumed run continues its file.

    Args:
        path: of the file.  One that exists must have the same columns; rows of epochs that are trained again stay.
    """

    def __init__(self, path: str | os.PathLike[str]):
        self.path = Path(path)

    def __call__(self, at: At) -> None:
        if at.record is None:
            return
        row = {"epoch": at.epoch, "member": at.member, **{k: v for k, v in at.record.items() if k != "epoch"}}
        new = not self.path.exists() or not self.path.stat().st_size
        with self.path.open("a", newline="", encoding="utf-8") as file:
            rows = csv.DictWriter(file, list(row), lineterminator="\n")
            if new:
                rows.writeheader()
            rows.writerow(row)

    def close(self) -> None:
        """Nothing is open between two epochs."""
