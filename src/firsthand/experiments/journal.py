"""The file that a search is kept in: Optuna's journal, made safe against processes that are killed."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from firsthand.errors import FirsthandError

__all__ = ["Locks", "open_journal"]


class Locks:
    """Numbered locks between processes: locks on single bytes of one file, which has no content.

    The system releases the locks of a process that ends, however it ends, so that nobody waits for the dead, and a
    lock that is free says that who held it is gone.  (Optuna's own locks are files; after a kill they stay, and
    everybody waits half a minute.)  They are held by a process, not by a thread.

    Args:
        path: of the file, made if it is not there; beside the journal.
    """

    JOURNAL = 0

    def __init__(self, path: Path):
        try:
            import fcntl
        except ImportError:
            raise FirsthandError("search: this system has no POSIX locks, which its storage needs") from None
        self._fcntl = fcntl
        self._file = _open_for_good(path)

    def take(self, number: int) -> None:
        """Wait for a lock."""
        self._fcntl.lockf(self._file, self._fcntl.LOCK_EX, 1, number)

    def try_take(self, number: int) -> bool:
        """Take a lock if it is free, or held by this process."""
        try:
            self._fcntl.lockf(self._file, self._fcntl.LOCK_EX | self._fcntl.LOCK_NB, 1, number)
        except (BlockingIOError, PermissionError):  # POSIX allows both
            return False
        return True

    def release(self, number: int) -> None:
        """Release a lock that is held."""
        self._fcntl.lockf(self._file, self._fcntl.LOCK_UN, 1, number)

    @contextmanager
    def hold(self, number: int) -> Iterator[None]:
        """Wait for a lock, and hold it while the block runs."""
        self.take(number)
        try:
            yield
        finally:
            self.release(number)


# (device, inode) -> descriptor
_opened: dict[tuple[int, int], int] = {}


def _open_for_good(path: Path) -> int:
    """The descriptor of a file, one per file and process: closing any of several would release all locks."""
    if path.exists():
        found = path.stat()
        if (found.st_dev, found.st_ino) in _opened:
            return _opened[found.st_dev, found.st_ino]
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    found = os.fstat(descriptor)
    return _opened.setdefault((found.st_dev, found.st_ino), descriptor)


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
            locks.take(Locks.JOURNAL)
            _cut_half_a_line(path)
            return True

        def release(self) -> None:
            locks.release(Locks.JOURNAL)

    try:
        return JournalStorage(JournalFileBackend(str(path), JournalLock(str(path)))), locks
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise FirsthandError(f"{path}: not a usable storage of a search ({error})") from None


def _check_journal(path: Path) -> None:
    with path.open("rb") as file:
        first = file.readline(10_000)
    try:
        entry = json.loads(first or b'{"op_code": 0}')
        sound = isinstance(entry, dict) and "op_code" in entry
    except ValueError:
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
