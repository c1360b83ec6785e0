"""Unpacking, of no more than a file of its size may honestly hold.

Of 14 MB, gzip or zip can make 14 GB; images and tables that people keep shrink to a tenth or a twentieth.
"""

import gzip
import os
from pathlib import Path
from typing import IO, Any

from .examples import DataError

__all__ = ["GZIP", "open_unpacked", "read_all", "read_at_most", "unpacked_limit"]

GZIP = b"\x1f\x8b"
FLOOR = 512 * 2**20  # bytes that any file may hold
RATIO = 25  # of what is unpacked to what is stored
_CHUNK = 1 << 20


def unpacked_limit(stored: int) -> int:
    """Return how many bytes a file of `stored` bytes may hold, once unpacked."""
    return max(FLOOR, RATIO * stored)


def stored_size(file: Any) -> int:
    """Return the size of an open file in bytes; 0 where it has none."""
    try:
        return os.fstat(file.fileno()).st_size
    except (AttributeError, OSError):  # io.UnsupportedOperation is one
        return len(file.getbuffer()) if hasattr(file, "getbuffer") else 0


def read_at_most(file: IO[bytes] | gzip.GzipFile, count: int) -> bytearray:
    """Read up to `count` bytes without trusting `count`, which a damaged header may put at 2**96."""
    content = bytearray()
    while len(content) < count and (chunk := file.read(min(_CHUNK, count - len(content)))):
        content += chunk
    return content


def read_all(file: Any, stored: int | None = None) -> bytearray:
    """Read an open file of bytes to its end, unpacking it where it is a gzip file of Python's.

    Args:
        file: open for reading.
        stored: the bytes it takes where it lies; found out by default.
    Raises:
        DataError: more than that many bytes may honestly hold.
    """
    if stored is None:
        stored = stored_size(file.fileobj if isinstance(file, gzip.GzipFile) else file)
    limit = unpacked_limit(stored)
    content = read_at_most(file, limit + 1)
    if len(content) > limit:
        raise DataError(f"{stored:,} bytes that unpack to more than {limit:,} found, at most that expected")
    return content


def open_unpacked(path: str | Path) -> bytearray:
    """Read a file, compressed with gzip or not, to its end: see `read_all`."""
    with open(path, "rb") as file:
        start = file.read(2)
        file.seek(0)
        return read_all(gzip.GzipFile(fileobj=file) if start == GZIP else file, stored_size(file))
