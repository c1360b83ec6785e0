"""The workers of a search as tasks of a cluster: they share its storage, as processes on one machine do."""

import threading
from collections.abc import Callable
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait

from firsthand.cluster import AtWork, Cluster, Kept
from firsthand.compilation import keep_compilations
from firsthand.processes import raise_failure

from .search import Search, Trial

__all__ = ["work_on_cluster"]

# the locks of a storage are held by a process: two of its threads would try the same trial
_ALONE = threading.Lock()


def work_on_cluster(
    opened: Search,
    trials: int,
    scheduler: str,
    *,
    workers: int | None = None,
    progress: Callable[[Trial], None] | None = None,
) -> None:
    """Have the workers of a Dask cluster run trials until this many are finished: see `Search.work`.

    When a worker is lost, another tries its trial again.

    Args:
        opened: with its storage in a folder that all machines share.
        trials: how many there should be.
        scheduler: address of the scheduler.
        workers: how many tasks; by default as many as the cluster has workers now.
        progress: called with every trial that is finished meanwhile.
    Raises:
        FirsthandError: no scheduler answers, a worker does not see the storage; or as `Search.work`, after which the
            others have stopped.
        KeyboardInterrupt: Ctrl-C; what is finished is in the storage.
    """
    told = {trial.number for trial in opened.result().trials if trial.state != "running"}

    def tell() -> None:
        for trial in opened.result().trials:
            if trial.state != "running" and trial.number not in told:
                told.add(trial.number)
                if progress is not None:
                    progress(trial)

    stop = threading.Event()
    content = opened.chosen, opened.data, opened.space, opened.path.absolute(), opened.seed
    with Cluster(scheduler) as cluster, cluster.keeping(content, opened.path) as kept:
        count = workers or max(1, len(cluster.threads()))
        with ThreadPoolExecutor(count) as pool:
            calls = [
                pool.submit(cluster.call, _work, kept, trials, seen=kept.path, interrupted=stop.is_set)
                for _ in range(count)
            ]
            try:
                while True:
                    done, left = wait(calls, 0.3, FIRST_EXCEPTION)
                    tell()
                    if not left or any(call.exception() for call in done):
                        break
            finally:
                stop.set()
        tell()
        raise_failure(calls)


def _work(here: AtWork, kept: Kept, trials: int) -> None:
    """Run trials on a worker; a second task of the same process waits until the first has nothing left to do."""
    keep_compilations()
    while not _ALONE.acquire(timeout=1):
        if here.stopped():
            raise KeyboardInterrupt
    try:
        chosen, data, space, storage, seed = kept.read()
        Search(chosen, data, space, storage=storage, seed=seed).work(trials, stop=here.stopped)
    finally:
        _ALONE.release()
