"""Tasks on the machines of a Dask cluster (extra `cluster`): runs, members of an ensemble, points, workers of a search.

Dask gives a task to a worker that is free, and when that worker is lost to another one, where it resumes from its
checkpoint.  So checkpoints are in a folder that all machines see.
"""

import hashlib
import os
import pickle
import queue
import tempfile
import time
import traceback
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from firsthand.errors import FirsthandError, reading
from firsthand.files import UNFINISHED, naming, versions

if TYPE_CHECKING:
    from distributed import Future

__all__ = ["AtWork", "Cluster", "Kept", "Task", "remove_kept"]

PATIENCE = 10.0  # seconds, for a scheduler to answer
_TO_STOP = 30.0  # seconds, for a task that is asked to stop
_PACE = 1.0  # seconds, between two looks whether to stop


class Cluster:
    """A client of a Dask scheduler.

    Args:
        address: of the scheduler, as in tcp://node0:8786.
    Raises:
        FirsthandError: distributed is not installed, or no scheduler answers.
    """

    def __init__(self, address: str):
        try:
            from distributed import Client
        except ModuleNotFoundError:
            raise FirsthandError("--scheduler: distributed not found: pip install 'firsthand[cluster]'") from None
        try:
            self.client = Client(address, timeout=PATIENCE, set_as_default=False)
        except (OSError, ValueError) as error:
            raise FirsthandError(
                f"--scheduler: found {address}, expected the address of a Dask scheduler that answers, "
                f"as in tcp://node0:8786 ({error})"
            ) from None
        self.address = address

    def threads(self) -> list[int]:
        """The number of threads of every worker that is there now; there may be more later."""
        found: Any = self.client.nthreads()
        return list(found.values())

    def close(self) -> None:
        """Leave the scheduler and its workers to themselves."""
        self.client.close()

    def __enter__(self) -> "Cluster":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    @contextmanager
    def keeping(self, content: Any, beside: Path) -> "Iterator[Kept]":
        """Put what tasks need into a file that all machines see, for as long as the block runs.

        Tasks stop when the file has gone: so none works on for a client that has come to its end.

        Args:
            content: data, layers and functions of one's own included: those of a program or a notebook go along, those
                of a module are imported.
            beside: a file in the folder that all machines share; hidden, it gets the same name and an ending.
        Raises:
            FirsthandError: the content cannot be sent.
        """
        pickled = _pickled(content)
        folder = beside.absolute().parent
        with naming(beside):
            descriptor, path = tempfile.mkstemp(dir=folder, prefix=f".{beside.name}{_KEPT}.", suffix=UNFINISHED)
        try:
            with naming(beside), os.fdopen(descriptor, "wb") as file:
                file.write(pickled)
                file.flush()
                os.fsync(file.fileno())
            yield Kept(Path(path), hashlib.sha256(pickled).hexdigest())
        finally:
            Path(path).unlink(missing_ok=True)

    def call(
        self,
        function: Callable[..., Any],
        *given: Any,
        seen: Path,
        tell: Callable[[Any], None] = lambda message: None,
        interrupted: Callable[[], bool] = lambda: False,
    ) -> Any:
        """Call a function on a worker, and wait: what it returns or raises, this returns or raises.

        Args:
            function, given, seen: as for `Task`.
            tell: called with everything that it says, by this thread.
            interrupted: asked a few times a second; once it says True, the task is told to stop.
        Raises:
            KeyboardInterrupt: interrupted, and the task had not begun, or did not stop.
        """
        said: queue.SimpleQueue[tuple[bool, Any]] = queue.SimpleQueue()
        task = Task(
            self,
            function,
            *given,
            seen=seen,
            tell=lambda message: said.put((False, message)),
            done=lambda task: said.put((True, None)),
        )
        patience = None
        try:
            while True:
                if interrupted():
                    patience = patience or time.monotonic() + _TO_STOP
                    task.stop()
                    if not task.begun or time.monotonic() > patience:
                        raise KeyboardInterrupt
                try:
                    done, message = said.get(timeout=0.2)
                except queue.Empty:
                    continue
                if done:
                    return task.result()
                tell(message)
        finally:
            task.end()


class Kept(NamedTuple):
    """An object in a file that all machines see."""

    path: Path
    digest: str  # nobody but who started the task says what it runs

    def read(self) -> Any:
        """Read it, on a worker."""
        with reading(self.path, "cannot be read as a task"):
            pickled = self.path.read_bytes()
            if hashlib.sha256(pickled).hexdigest() != self.digest:
                raise FirsthandError("found another content, expected what the client has written")
            return pickle.loads(pickled)


_KEPT = "-task"


def remove_kept(beside: Path) -> None:
    """Remove what a client that was killed has kept beside a file: its tasks stop."""
    for path in beside.absolute().parent.iterdir():
        if path.name.startswith(f".{beside.name}{_KEPT}.") and path.name.endswith(UNFINISHED):
            path.unlink(missing_ok=True)


class Task:
    """A call of a function on a worker of a cluster, which says things while it runs, and can be stopped.

    Args:
        cluster: whose worker.
        function: called with an `AtWork` and what is given; from a module that the worker imports.
        given: further arguments.
        seen: a file that the worker must see, or its machine does not share the folder.
        tell: called with everything that the function says.
        done: called with it when it has come to its end; both by threads of Dask.
        key: the same name for the same task: what an earlier client began, and could not stop, is not begun twice.
    """

    def __init__(
        self,
        cluster: Cluster,
        function: Callable[..., Any],
        *given: Any,
        seen: Path,
        tell: Callable[[Any], None],
        done: Callable[["Task"], None],
        key: str | None = None,
    ):
        from distributed import Event

        self.begun = False
        self._cluster, self._tell, self._stopped, self._ended = cluster, tell, False, False
        # of the topic of what is said, and of the event that stops it
        self._name = f"firsthand-{uuid.uuid4().hex}"
        client = cluster.client
        self._stop = Event(self._name, client=client)
        client.subscribe_topic(self._name, self._hear)
        arguments = (_pickled((function, given)), str(seen.absolute()), self._name, _compared())
        self._future: Future = client.submit(_carry_out, *arguments, key=key or self._name, pure=False)
        self._future.add_done_callback(lambda future: done(self))

    def _hear(self, event: tuple[Any, Any]) -> None:
        if event[1] is None:
            self.begun = True
        else:
            self._tell(event[1])

    def result(self) -> Any:
        """Return what the function has returned, or raise what it has raised, once the task is done.

        Raises:
            CancelledError: the task was ended.
            FirsthandError: no worker could do it, or the scheduler is gone.
        """
        try:
            well, found = pickle.loads(self._future.result())
        except CancelledError:
            if self._ended:
                raise
            raise FirsthandError(f"--scheduler: {self._cluster.address} does not answer any more") from None
        except Exception as error:  # of Dask itself: that the task was given up, or cannot be read by a worker
            why = " ".join(f"{type(error).__name__}: {error}".split())
            raise FirsthandError(f"--scheduler: a task could not be done ({why:.300})") from None
        if well:
            return found
        raise found

    def stop(self) -> None:
        """Tell the function to stop, wherever it is."""
        if not self._stopped:
            self._stopped = True
            with suppress(Exception):  # the scheduler may be gone
                self._stop.set()

    def end(self) -> None:
        """Forget the task; if it is not done, it is stopped first."""
        if self._ended:
            return
        self._ended = True
        with suppress(Exception):
            if not self._future.done():
                self.stop()
                self._future.cancel()
            self._future.release()
            self._cluster.client.unsubscribe_topic(self._name)


class AtWork:
    """A task as the function sees it that does it on a worker.

    Args:
        worker: of Dask.
        name: of the topic and the event.
        seen: the file that must be seen.
    """

    def __init__(self, worker: Any, name: str, seen: Path):
        from distributed import Event

        self.address: str = worker.address
        self._worker, self._name, self._seen = worker, name, seen
        self._event = Event(name, client=worker.client)
        self._stopped = False
        self._next = 0.0  # time of the next look
        self.deserted = False  # True once the file has gone

    def say(self, message: Any) -> None:
        """Tell who started the task: anything of lists and dicts with numbers and strings."""
        self._worker.log_event(self._name, message)

    def stopped(self) -> bool:
        """Return whether to stop; asked as often as one likes."""
        if not self._stopped and time.monotonic() >= self._next:
            self._next = time.monotonic() + _PACE
            with suppress(Exception):  # where the scheduler is gone, Dask ends the worker
                self._stopped = bool(self._event.is_set())
            if not self._stopped and not self._seen.exists():
                self._stopped = self.deserted = True
        return self._stopped


def _carry_out(pickled: bytes, seen: str, name: str, ours: dict[str, str]) -> bytes:
    """Do a task on a Dask worker: what it returns or raises is pickled here, so that Dask need not understand it."""
    from distributed import get_worker

    worker = get_worker()
    here = AtWork(worker, name, Path(seen))
    here.say(None)
    # XLA asks once, when a process makes its first array: even the import of a module may do that
    os.environ.setdefault("NPROC", str(worker.state.nthreads))
    try:
        _check(here.address, Path(seen), ours)
        with reading(here.address, "cannot read its task, expected modules that all machines can import"):
            function, given = pickle.loads(pickled)
        if here.stopped():
            raise KeyboardInterrupt
        found = function(here, *given)
    except (Exception, KeyboardInterrupt) as error:
        if not isinstance(error, FirsthandError | KeyboardInterrupt):
            error.add_note(f"on {here.address}:\n{traceback.format_exc()}")
        outcome: tuple[bool, Any] = False, error
    else:
        outcome = True, found
    if here.deserted:
        outcome = False, FirsthandError(f"{seen}: found no such file any more, expected one as long as there are tasks")
    try:
        return _pickled(outcome)
    except FirsthandError as error:
        return _pickled((False, FirsthandError(f"{here.address}: {error}")))


def _check(address: str, seen: Path, ours: dict[str, str]) -> None:
    """Raise FirsthandError unless a worker has our versions, and sees our files."""
    for package, found in _compared().items():
        if found != ours.get(package):
            raise FirsthandError(f"{address} has {package} {found}, expected {ours.get(package)}")
    if not seen.exists():
        raise FirsthandError(f"{address} does not see {seen.parent}, expected a folder that all machines share")


def _compared() -> dict[str, str]:
    """Versions that the same bits need, and a pickle that can be read: of Python the first two numbers."""
    found = versions()
    return found | {"python": ".".join(found["python"].split(".")[:2])}


def _pickled(content: Any) -> bytes:
    import cloudpickle

    try:
        return cloudpickle.dumps(content)
    except Exception as error:
        why = " ".join(f"{type(error).__name__}: {error}".split())
        raise FirsthandError(f"--scheduler: cannot be sent to another machine ({why:.300})") from error
