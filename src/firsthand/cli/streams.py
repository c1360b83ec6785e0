"""The stream a command prints on, when that has another encoding, is full, or is closed at the other end."""

import errno
import io
import os
import sys
from typing import Any

__all__ = ["OutputLost", "go_on_without_output", "guard_output"]


class OutputLost(Exception):
    """Output that cannot be written; no OSError, which others would take for one of their own."""

    def __init__(self, error: OSError, name: str):
        super().__init__(f"[Errno {error.errno}] {error.strerror}: {name!r}")
        self.errno = error.errno


class _Guarded(io.RawIOBase):
    """A file descriptor that names itself when it fails, or is silent from then on where a training depends on it."""

    go_on = False  # of all, once a command says so

    def __init__(self, descriptor: int, name: str):
        self._descriptor, self._name, self._lost = descriptor, name, False

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._descriptor

    def isatty(self) -> bool:
        return os.isatty(self._descriptor)

    def write(self, data: Any) -> int:
        if self._lost:
            return len(data)
        try:
            return os.write(self._descriptor, data)
        except OSError as error:
            self._lost = True  # also while Python ends and flushes
            if not _Guarded.go_on:
                raise OutputLost(error, self._name) from None
            if error.errno != errno.EPIPE and self._name != "standard error":
                print(f"firsthand: {self._name}: {error.strerror}; the work goes on", file=sys.stderr, flush=True)
            return len(data)


def guard_output() -> None:
    """Let no output fail for its characters, and let what fails say what it is.

    Characters that the encoding lacks are replaced by their escapes (\\u4e03).
    """
    for name, about in (("stdout", "standard output"), ("stderr", "standard error")):
        stream = getattr(sys, name)
        if stream is None:  # closed before Python was started
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 - for good
            continue
        try:
            descriptor = stream.fileno()
        except (AttributeError, OSError):  # a test's, or a program's that calls this one
            continue
        stream.flush()
        raw = io.BufferedWriter(_Guarded(descriptor, about))
        line_by_line = name == "stderr" or stream.line_buffering
        text = io.TextIOWrapper(raw, stream.encoding, "backslashreplace", line_buffering=line_by_line)
        if getattr(stream, "write_through", False):  # python -u
            text.reconfigure(write_through=True)
        setattr(sys, name, text)


def go_on_without_output() -> None:
    """From now on the work matters more than what is said about it: lost output ends nothing."""
    _Guarded.go_on = True
