"""Files that are there whole or not at all, and what is said about the machine that wrote them."""

import io
import os
import platform
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import IO, Any

from firsthand.errors import FirsthandError
from firsthand.processes import cores

__all__ = [
    "UNFINISHED",
    "check_path",
    "describe_machine",
    "naming",
    "remove_leftovers",
    "versions",
    "write_atomically",
    "write_saved",
]

# of a file that is being written; nobody else's file ends so
UNFINISHED = ".firsthand-part"


def check_path(path: Any, where: str) -> None:
    """Raise FirsthandError unless something is a path or None: a key of JAX in its place is told apart from one."""
    if path is not None and not isinstance(path, str | os.PathLike):
        raise FirsthandError(f"{where}: found {' '.join(repr(path).split()):.60}, expected a path")


def write_atomically(path: str | os.PathLike[str], content: bytes | str) -> Path:
    """Write a file so that a reader, or the next start after a crash, sees the old content or the new, never a part.

    Args:
        path: where; its folder must exist.
        content: bytes, or text to be written as UTF-8.
    Returns:
        The path.
    Raises:
        OSError: the folder does not exist or cannot be written to, or the disk is full; the message names the file,
            and an existing one is untouched.
    """
    path = Path(path)
    data = content.encode() if isinstance(content, str) else content
    with naming(path):
        # the same folder, because a rename is atomic within one file system only
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=UNFINISHED)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.chmod(temporary, 0o644)
            os.replace(temporary, path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
    return path


def write_saved(path: str | os.PathLike[str], save: Callable[[IO[bytes]], Any]) -> Path:
    """Write what a function saves into an open file, a figure or a picture, as `write_atomically` writes it.

    Args:
        path: where; its folder must exist.
        save: given a file open for bytes; the ending of the path means nothing to it.
    """
    buffer = io.BytesIO()
    save(buffer)
    return write_atomically(path, buffer.getvalue())


def remove_leftovers(folder: Path) -> None:
    """Remove the unfinished files of processes that were killed inside `write_atomically`, and nothing else.

    Nobody may be writing into the folder meanwhile.
    """
    for path in folder.iterdir():
        if re.fullmatch(rf"\..+\.[a-z0-9_]{{8}}{re.escape(UNFINISHED)}", path.name) and path.is_file():
            path.unlink()


@contextmanager
def naming(path: str | os.PathLike[str]) -> Iterator[None]:
    """Let an OSError of the block say which file it is about: a full disk does not by itself."""
    try:
        yield
    except OSError as error:
        if error.errno is None or (error.filename is not None and not str(error.filename).endswith(UNFINISHED)):
            raise
        raise OSError(error.errno, error.strerror, os.fspath(path)) from None


def versions() -> dict[str, str]:
    """Versions of what a result depends on: Python, firsthand, and the packages under it."""
    found = {"python": platform.python_version()}
    for package in ("firsthand", "jax", "jaxlib", "numpy", "optax"):
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = "not installed"
    return found


def describe_machine() -> str:
    """The processor and how many of its cores this process may use: 'AMD EPYC, 2 cores, Linux x86_64'."""
    count = len(cores())
    counted = "1 core" if count == 1 else f"{count} cores"
    return f"{_processor()}, {counted}, {platform.system()} {platform.machine()}"


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or "unknown processor"
