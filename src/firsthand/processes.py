"""The cores that this process may use, what its children are started with, and locks between processes."""

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from firsthand.errors import FirsthandError

if TYPE_CHECKING:
    from concurrent.futures import Future

__all__ = ["ONE_THREAD", "Locks", "check_threads", "cores", "raise_failure", "refuse_fork", "use_threads"]

# environment of a child that has one core to itself, read by numerical libraries when they start
ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "XLA_PYTHON_CLIENT_PREALLOCATE": "false",  # several processes on one GPU have to share its memory
}


def cores() -> list[int]:
    """Return the numbers of the cores that this process may use."""
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else list(range(os.cpu_count() or 1))


def raise_failure(futures: "Iterable[Future]") -> None:
    """Raise what one of several futures, all done, has failed with: what ended the others, not how they ended."""
    failed = [error for each in futures if not each.cancelled() and (error := each.exception()) is not None]
    for error in sorted(failed, key=lambda error: isinstance(error, KeyboardInterrupt)):
        raise error


def check_threads(count: int) -> None:
    """Raise FirsthandError unless there are that many cores."""
    if not 1 <= count <= len(cores()):
        expected = "1" if len(cores()) == 1 else f"1 to {len(cores())}"
        raise FirsthandError(f"--threads: found {count}, expected {expected}, the cores that this process may use")


def use_threads(count: int | None) -> None:
    """Have JAX, and with it the kernels, compute on this many threads; None is one for each core that may be used.

    The results have the same bits with any number.  XLA asks once, when JAX makes its first array: a program says it
    before that; later, `kernels.limit_threads` lowers what the kernels take.

    Raises:
        FirsthandError: less than one, or more than there are cores that this process may use.
    """
    if count is not None:
        check_threads(count)
        os.environ["NPROC"] = str(count)


class Locks:
    """Numbered locks between processes: locks on single bytes of one file, which has no content.

    The system releases the locks of a process that ends, however it ends, so that nobody waits for the dead, and a
    lock that is free says that who held it is gone.  (Optuna's own locks are files; after a kill they stay, and
    everybody waits half a minute.)  They are held by a process, not by a thread.

    Args:
        path: of the file, made if it is not there.
    """

    def __init__(self, path: Path):
        try:
            import fcntl
        except ImportError:
            raise FirsthandError("locks: this system has no POSIX locks, which working side by side needs") from None
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


_forked_after_jax = False


def _after_fork() -> None:
    global _forked_after_jax
    bridge = sys.modules.get("jax._src.xla_bridge")
    # where JAX keeps this elsewhere one day, a fork counts as one too late: a hang says nothing
    started = getattr(bridge, "backends_are_initialized", lambda: bridge is not None)
    _forked_after_jax = _forked_after_jax or bool(started())


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def refuse_fork() -> None:
    """Raise FirsthandError in a process that was forked after JAX had started its threads: it would hang for ever."""
    if _forked_after_jax:
        raise FirsthandError(
            "this process was forked after JAX had started, and would hang; start it by spawn, "
            "with multiprocessing.get_context('spawn')"
        )
