"""The file that a search is kept in: Optuna's journal, made safe against processes that are killed."""

import json
import os
from pathlib import Path
from typing import Any

from firsthand.errors import FirsthandError, reading
from firsthand.processes import Locks

__all__ = ["JOURNAL", "open_journal"]

JOURNAL = 0  # the lock of whoever reads or writes the file


def open_journal(path: Path) -> tuple[Any, Locks]:
    """Optuna's storage in a file, and the locks of the processes that work on it (in `path`.lock).

    Raises:
        FirsthandError: the file has something else in it; it is not touched.
        OSError: it cannot be read or made.
    """
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock

    if path.is_dir():
        raise FirsthandError(f"{path}: a folder, expected a file for the storage of a search")
    if not path.parent.is_dir():
        raise FirsthandError(f"{path}: there is no folder {path.parent}")
    if path.exists():
        _check_journal(path)
    locks = Locks(path.with_name(path.name + ".lock"))

    class JournalLock(JournalFileOpenLock):  # the public one of the locks that a backend takes; nothing of it is used
        def acquire(self) -> bool:
            locks.take(JOURNAL)
            _cut_half_a_line(path)
            return True

        def release(self) -> None:
            locks.release(JOURNAL)

    with reading(path, "not a usable storage of a search"):
        return JournalStorage(JournalFileBackend(str(path), JournalLock(str(path)))), locks


def _check_journal(path: Path) -> None:
    with path.open("rb") as file:
        first = file.readline(10_000)
    try:
        entry = json.loads(first or b'{"op_code": 0}')
        sound = isinstance(entry, dict) and "op_code" in entry
    except (ValueError, RecursionError):
        sound = False
    if not sound:
        raise FirsthandError(f"{path}: not a storage of a search; name a new file, or one that a search has made")


def _cut_half_a_line(path: Path) -> None:
    """Remove what a process that was killed while it wrote has left at the end; who calls this holds the lock."""
    with path.open("rb+") as file:
        size = end = file.seek(0, os.SEEK_END)
        while end:
            start = max(0, end - 4096)
            file.seek(start)
            newline = file.read(end - start).rfind(b"\n")
            if newline >= 0:
                end = start + newline + 1
                break
            end = start
        if end < size:
            file.truncate(end)
