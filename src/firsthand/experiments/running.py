"""Run experiments: all their runs, several at a time, each in a process on cores of its own; then their Results.

A run that is complete is on disk at once, and an experiment of which all runs are complete is concluded and drawn at
once.  Whatever is stopped, by Ctrl-C, a crash or a power failure, goes on from its last checkpoint.
"""

import importlib
import json
import os
import queue
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from firsthand.errors import FirsthandError
from firsthand.files import versions
from firsthand.processes import Locks, check_threads, cores

from .experiment import Experiment
from .figures import draw_figures
from .records import ExperimentError, Place, conclude, needed_results, runs_of
from .result import Result
from .worker import Worker, ended

if TYPE_CHECKING:
    from .cluster import ClusterRuns, ClusterWorker

    AnyWorker = Worker | ClusterWorker

__all__ = ["Running", "State", "run_all"]

_WORKING = 1  # the lock of whoever works in a scratch folder


class Running(NamedTuple):
    """A run in progress."""

    id: str
    seed: int
    seconds: float  # since it was started here
    line: str  # what it said last


class State(NamedTuple):
    """The progress of `run_all`."""

    running: tuple[Running, ...]
    done: int  # runs complete, those of earlier times included
    total: int
    seconds_left: float  # estimated


class _Item(NamedTuple):
    id: str
    seed: int


def run_all(
    ids: Sequence[str],
    *,
    module: str,
    out: str | os.PathLike[str],
    scratch: str | os.PathLike[str],
    jobs: int | None = None,
    threads: int = 1,
    quick: bool = False,
    runs: int | None = None,
    again: bool = False,
    say: Callable[[str], None] = print,
    show: Callable[[State], None] = lambda state: None,
    scheduler: str | None = None,
) -> tuple[str, ...]:
    """Run experiments, and those that they need, as far as their Results are not there yet.

    Args:
        ids: of the experiments.
        module: name of the module whose EXPERIMENTS they are; every process imports it.
        out: folder of the Results, OUT/ID.json, and figures, OUT/figures/ID-NAME.svg or .png.
        scratch: folder of the complete runs of experiments that are not, and of checkpoints.
        jobs: how many runs at a time; by default as many as there are cores for.
        threads: how many cores each run has.
        quick: shorten the runs, and do one of each.
        runs: of each experiment, instead of as many as it declares.
        again: re-run what is complete; the Results that there are go into the scratch folder.
        say: is told of everything that is complete or fails, one line each.
        show: is told a few times a second where things are.
        scheduler: address of a Dask scheduler on whose workers the runs are done (`cluster`); None does them here.
    Returns:
        What failed, one line each; everything else is complete.
    Raises:
        FirsthandError: no such experiment, folders that cannot be used, another process at work in the scratch folder.
        KeyboardInterrupt: Ctrl-C; all processes have ended.
    """
    if (jobs is not None and jobs < 1) or (runs is not None and runs < 1):
        raise FirsthandError(f"run: found {jobs} jobs and {runs} runs, expected 1 or more")
    if scheduler is None:
        check_threads(threads)
    out, scratch = Path(out), Path(scratch)
    for folder in (out, scratch):
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except FileExistsError:
            raise FirsthandError(f"{folder}: a file, expected a folder") from None
    everything = {each.id: each for each in importlib.import_module(module).EXPERIMENTS}
    for id in ids:
        if id not in everything:
            raise FirsthandError(f"experiment {id!r}: not known, expected one of {', '.join(everything)}")
    locks = Locks(scratch / "lock")
    if not locks.try_take(_WORKING):
        raise FirsthandError(f"{scratch}: another process runs experiments there; wait for it, or name another folder")
    try:
        work = _Work(everything, out, scratch, quick, say, show)
        work.plan(ids, runs, again)
        with _place_of_work(scheduler, module, scratch, threads) as place:
            work.do(place, place.jobs() if jobs is None else jobs)
    finally:
        locks.release(_WORKING)
    return tuple(work.failed)


@contextmanager
def _place_of_work(scheduler: str | None, module: str, scratch: Path, threads: int) -> "Iterator[_Here | ClusterRuns]":
    if scheduler is None:
        yield _Here(module, scratch, threads)
        return
    from .cluster import ClusterRuns

    cluster = ClusterRuns(scheduler, module, threads)
    try:
        yield cluster
    finally:
        cluster.close()


class _Here:
    """Processes on the cores of this machine."""

    def __init__(self, module: str, scratch: Path, threads: int):
        self.module, self.scratch, self.threads = module, scratch, threads

    def jobs(self) -> int:
        return len(cores()) // self.threads

    def new_worker(self, others: "Sequence[AnyWorker]", inbox: queue.SimpleQueue) -> Worker:
        taken = [core for worker in others for core in worker.cores]
        least = tuple(sorted(cores(), key=taken.count)[: self.threads])  # taken by the fewest
        return Worker(self.module, least, self.scratch / f"worker-{len(others)}.log", inbox)


class _Work:
    """The work to be done, the work under way, and its outcomes."""

    def __init__(
        self,
        everything: Mapping[str, Experiment],
        out: Path,
        scratch: Path,
        quick: bool,
        say: Callable[[str], None],
        show: Callable[[State], None],
    ):
        self.everything, self.out, self.scratch = everything, out, scratch
        self.quick, self.say, self.show = quick, say, show
        self.records: dict[str, list[dict[str, Any]]] = {}  # of the experiments that are not complete
        self.waiting: list[_Item] = []
        self.at_work: dict[AnyWorker, tuple[_Item, float, str]] = {}
        self.complete: set[str] = set()
        self.failed: list[str] = []
        self.lost: set[str] = set()  # experiments that cannot be completed any more
        self.drawn_before: list[str] = []  # complete at the start, with nothing to renew
        self.done = 0
        self.took: dict[_Item, float] = {}

    # --- what there is to do ---

    def plan(self, ids: Sequence[str], runs: int | None, again: bool) -> None:
        """Find out what is there already, and put the rest in order."""
        chosen = dict.fromkeys(ids)
        for id in self._with_needed(ids):
            experiment = self.everything[id]
            wanted = runs if runs is not None else 1 if self.quick else experiment.runs
            if again and id in chosen:
                self._put_aside(id)
            try:
                records = self._found(experiment, wanted)
                missing = [seed for seed in range(wanted) if seed not in {record["seed"] for record in records}]
                self.records[id] = records
                self.done += len(records)
                self.waiting += [_Item(id, seed) for seed in missing]
            except (FirsthandError, OSError) as error:
                self._fail(id, f"{id}: {error}" if not isinstance(error, ExperimentError) else str(error))
        self._conclude_what_is_complete()
        urgency = {id: self._urgency(id) for id in self.everything}
        # those that others wait for, and the longest, first; the runs of one experiment in the order of their seeds
        self.waiting.sort(key=lambda item: (-urgency[item.id], list(self.everything).index(item.id), item.seed))

    def _with_needed(self, ids: Sequence[str]) -> list[str]:
        """Experiments and all that they need, the needed ones first, each once."""
        found: dict[str, None] = {}

        def add(id: str) -> None:
            for needed in self.everything[id].needs:
                add(needed)
            found[id] = None

        for id in ids:
            add(id)
        for id in found:
            if id not in ids and not (self.out / f"{id}.json").exists():
                self.say(f"{id}: is run too, others need it")
        return list(found)

    def _urgency(self, id: str) -> float:
        """Minutes from the start of an experiment to the end of all that wait for it."""
        waiting = [other.id for other in self.everything.values() if id in other.needs]
        return self.everything[id].minutes + max(map(self._urgency, waiting), default=0.0)

    def _put_aside(self, id: str) -> None:
        """Make an experiment incomplete; its Result is kept in the scratch folder."""
        folder = Place.of(self.scratch, self.quick, id, 0).folder
        shutil.rmtree(folder, ignore_errors=True)
        path = self.out / f"{id}.json"
        if path.exists():
            folder.mkdir(parents=True)
            shutil.copy2(path, folder / "before.json")
            path.unlink()

    def _found(self, experiment: Experiment, wanted: int) -> list[dict[str, Any]]:
        """The runs that are complete, from the Result if there is one, else from the scratch folder."""
        path, ours = self.out / f"{experiment.id}.json", versions()["firsthand"]
        records: list[dict[str, Any]] = []
        if path.exists():
            result = Result.load(path)
            if result.quick != self.quick:
                kind, other = ("shortened", "whole") if result.quick else ("whole", "shortened")
                raise FirsthandError(f"{path} has {kind} runs, expected {other} ones: name another folder with --out")
            records = runs_of(result)
            if (theirs := result.versions.get("firsthand")) != ours:
                self.say(f"{experiment.id}: measured with firsthand {theirs}, this is {ours}; --again re-runs it")
            if len(records) != wanted:
                what = "all are kept" if len(records) > wanted else "the missing ones are run"
                self.say(f"{experiment.id}: {len(records)} runs are there, {wanted} wanted; {what}")
        have = {record["seed"] for record in records}
        for seed in range(wanted):
            place = Place.of(self.scratch, self.quick, experiment.id, seed)
            if seed in have or (record := place.read()) is None:
                continue
            if (theirs := record["versions"]["firsthand"]) == ours:
                records.append(record)
            else:
                self.say(f"{experiment.id}: run {seed} was measured with firsthand {theirs}, this is {ours}: re-run")
        return records

    # --- doing it ---

    def do(self, place: "_Here | ClusterRuns", jobs: int) -> None:
        """Run all items, `jobs` at a time."""
        inbox: queue.SimpleQueue[tuple[AnyWorker, dict[str, Any] | None]] = queue.SimpleQueue()
        with ended() as workers:
            while self.waiting or self.at_work:
                self._give_work(place, jobs, workers, inbox)
                if not self.at_work:
                    break
                self.show(self._state())
                try:
                    worker, message = inbox.get(timeout=0.5)
                except queue.Empty:
                    continue
                if worker in self.at_work:
                    self._take(worker, message)
        self.show(self._state())
        for id in [id for id in self.records if id not in self.complete | self.lost]:  # they waited for what failed
            needed = [needed for needed in self.everything[id].needs if needed not in self.complete]
            self._fail(id, f"{id}: not run, it needs {', '.join(needed)}")
        self.waiting.clear()
        for id in self.drawn_before:  # the figures' code may be newer than they are
            self._draw(self.everything[id], Result.load(self.out / f"{id}.json"))

    def _give_work(
        self, place: "_Here | ClusterRuns", jobs: int, workers: "list[AnyWorker]", inbox: queue.SimpleQueue
    ) -> None:
        ready = [item for item in self.waiting if self.complete.issuperset(self.everything[item.id].needs)]
        for worker in [each for each in workers if each.how_it_ended() and each not in self.at_work]:
            worker.end()
            workers.remove(worker)
        idle = [worker for worker in workers if worker not in self.at_work]
        for item in ready[: jobs - len(self.at_work)]:
            if not idle:
                idle.append(place.new_worker(workers, inbox))
                workers.append(idle[0])
            worker = idle.pop()
            self.waiting.remove(item)
            self.at_work[worker] = item, time.perf_counter(), ""
            worker.ask(**item._asdict(), quick=self.quick, out=str(self.out), scratch=str(self.scratch))

    def _take(self, worker: "AnyWorker", message: dict[str, Any] | None) -> None:
        item, started, _ = self.at_work[worker]
        if message is not None and "line" in message:
            self.at_work[worker] = item, started, message["line"]
            return
        del self.at_work[worker]
        name = f"{item.id}, run {item.seed}"
        if message is None:
            self._fail(item.id, f"{name}: its process ended ({worker.how_it_ended()}); see {worker.log}")
        elif "failed" in message:
            self._fail(item.id, f"{name}: {_one_line(message['failed'])}; see {message['trace']}")
        else:
            self.done += 1
            self.took[item] = message["seconds"]
            self.say(f"[{self.done}/{self._total()}] {name}, {message['seconds']:.0f} s: {_brief(message['done'])}")
            record = Place.of(self.scratch, self.quick, *item).read()
            assert record is not None
            self.records[item.id].append(record)
            self._conclude_what_is_complete()

    def _conclude_what_is_complete(self) -> None:
        """Conclude every experiment of which all runs, and all that it needs, are there."""
        unfinished = {item.id for item in (*self.waiting, *(at[0] for at in self.at_work.values()))}
        for id in self.records:  # what is needed stands before what needs it
            if id in unfinished | self.complete | self.lost or not self.complete.issuperset(self.everything[id].needs):
                continue
            try:
                self._conclude(id)
            except (FirsthandError, OSError) as error:
                self._fail(id, str(error) if isinstance(error, ExperimentError) else f"{id}: {error}")

    def _conclude(self, id: str) -> None:
        """Make and draw the Result of complete runs, and what others say of it; what says nothing new is left alone."""
        result, new = self._result(self.everything[id], self.records[id])
        self.complete.add(id)
        shutil.rmtree(Place.of(self.scratch, self.quick, id, 0).folder, ignore_errors=True)
        if not new:
            self.drawn_before.append(id)
            return
        self._draw(self.everything[id], result)
        for other in self.everything.values():
            if id in other.needs and (theirs := self.out / f"{other.id}.json").exists():
                try:
                    before = Result.load(theirs)
                    if before.quick == self.quick:
                        self._draw(other, self._result(other, runs_of(before))[0])
                except (FirsthandError, OSError) as error:  # theirs is as it was
                    self.say(f"{other.id}: not renewed, although {id} is new ({_one_line(str(error))})")

    def _result(self, experiment: Experiment, records: list[dict[str, Any]]) -> tuple[Result, bool]:
        """The Result of complete runs, in its file, and whether it is new."""
        path = self.out / f"{experiment.id}.json"
        result = conclude(experiment, records, needed_results(experiment, self.out), quick=self.quick)
        before = Result.load(path) if path.exists() else None
        if before is not None and json.dumps(vars(before)) == json.dumps(vars(result)):
            return before, False
        result.save(self.out)
        if before is not None and before.runs == result.runs:
            self.say(f"{experiment.id}: its runs are the same, its texts and claims are renewed")
        return result, True

    def _draw(self, experiment: Experiment, result: Result) -> None:
        try:
            draw_figures(experiment, result, needed_results(experiment, self.out), self.out / "figures")
        except Exception as error:  # whatever it is, the Result is there, and the others go on
            line = f"{experiment.id}: cannot be drawn ({type(error).__name__}: {_one_line(str(error))})"
            self.failed.append(line)
            self.say(line)

    def _fail(self, id: str, line: str) -> None:
        """Give up an experiment; its complete runs stay in the scratch folder."""
        if id not in self.lost or not line.startswith(f"{id}: not run"):
            self.failed.append(_one_line(line))
            self.say(_one_line(line))
        self.lost.add(id)

    def _total(self) -> int:
        return self.done + len(self.waiting) + len(self.at_work)

    def _state(self) -> State:
        now = time.perf_counter()
        running = tuple(Running(*item, now - started, line) for item, started, line in self.at_work.values())
        expected = sum(self._expected(item) for item in self.took)
        pace = sum(self.took.values()) / expected if expected else 1.0
        left = sum(pace * self._expected(item) for item in self.waiting)
        left += sum(max(0.0, pace * self._expected(_Item(each.id, each.seed)) - each.seconds) for each in running)
        return State(running, self.done, self._total(), left / max(1, len(running)))

    def _expected(self, item: _Item) -> float:
        """Seconds; a shortened run takes a few, whatever the experiment."""
        return 10.0 if self.quick else 60 * self.everything[item.id].minutes


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _brief(numbers: Mapping[str, float]) -> str:
    """The first numbers of a run."""
    shown = [f"{name} {value:.4g}" for name, value in numbers.items()]
    return ", ".join(shown[:3]) + (", ..." if len(shown) > 3 else "")
