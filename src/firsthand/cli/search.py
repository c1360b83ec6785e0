"""`firsthand search`."""

import dataclasses
import inspect
import json
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from firsthand.errors import FirsthandError

from . import train
from .common import DataName, Device, Invert, Json, Seed, Size, check_scheduler, use_device, whole
from .compared import Epochs, Examples, Recipe, find_compared
from .streams import go_on_without_output

if TYPE_CHECKING:
    from firsthand.search import Choices, Range, Search, SearchResult, Trial

__all__ = ["search"]


def search(
    space: Annotated[
        list[str],
        typer.Option(help="FIELD=LOW:HIGH, FIELD=LOW:HIGH:log or FIELD=A,B,C; once per field.", show_default=False),
    ],
    storage: Annotated[
        Path, typer.Option(help="File of the search: made, or continued, also by several processes at a time.")
    ] = Path("search.journal"),
    recipe: Recipe = "digit-reader",
    data: DataName = "mnist",
    invert: Invert = None,
    size: Size = None,
    trials: Annotated[
        int, typer.Option(help="Trainings to finish, including those in the storage.", callback=whole(1))
    ] = 20,
    workers: Annotated[
        int | None,
        typer.Option(
            help="Processes that train side by side.",
            callback=whole(1, 1000),
            show_default="1; with --scheduler all its workers",
        ),
    ] = None,
    scheduler: Annotated[
        str | None,
        typer.Option(
            help="Train on the workers of a Dask scheduler, as in tcp://node0:8786; --storage is in a folder that all "
            "machines share, with locks.",
            metavar="ADDRESS",
        ),
    ] = None,
    epochs: Epochs = None,
    examples: Examples = None,
    seed: Seed = 0,
    device: Device = None,
    as_json: Json = False,
    parent: Annotated[int | None, typer.Option(hidden=True)] = None,
) -> None:
    """Search for good settings of a recipe, by validation accuracy, with Optuna."""
    go_on_without_output()
    spaces = dict(map(_space, space))
    if epochs is not None and "epochs" in spaces:
        raise FirsthandError("--epochs: given, and in --space as well, expected one of them")
    check_scheduler(scheduler, {"--device": device})
    use_device(device)
    from firsthand.search import Search

    chosen, splits = find_compared(
        "search", recipe, data, epochs=epochs, examples=examples, seed=seed, size=size, invert=invert
    )
    opened = Search(chosen, splits, spaces, storage=storage, seed=seed)
    if parent is not None:
        _work_for(parent, opened, trials)
        return
    show = _Table(tuple(spaces), as_json)
    show.all(opened.result())
    interrupted = False
    try:
        if scheduler is not None:
            from firsthand.search.on_cluster import work_on_cluster

            work_on_cluster(opened, trials, scheduler, workers=workers, progress=lambda _: show.all(opened.result()))
        elif workers in (None, 1):
            opened.work(trials, lambda _: show.all(opened.result()))
        else:
            _work_together(workers or 1, opened, trials, show)
    except KeyboardInterrupt:
        interrupted = True
    result = opened.result()
    show.all(result)
    picture = storage.with_name(storage.name + ".png")
    _draw(result, spaces, picture)
    options = {"recipe": recipe, "data": data, "size": size, "examples": examples, "epochs": epochs, "seed": seed}
    options["invert"] = invert
    show.end(result, options, picture)
    if interrupted:
        print("firsthand: interrupted; the same command resumes it", file=sys.stderr)
        raise typer.Exit(130)


def _space(text: str) -> "tuple[str, Range | Choices]":
    """'learning_rate=0.01:0.3:log' or 'batch_size=10,20' as what it says."""
    from firsthand.search import Choices, Range
    from firsthand.search.search import numeric_fields

    name, _, values = text.partition("=")
    fields = [field for field in numeric_fields() if field in inspect.signature(train.train).parameters]
    if name not in fields:
        raise FirsthandError(f"--space: found {text!r}, expected FIELD=VALUES with a field of {', '.join(fields)}")
    number = numeric_fields()[name]
    try:
        if ":" not in values:
            return name, Choices(tuple(map(number, values.split(","))))
        low, high, *rest = values.split(":")
        if rest not in ([], ["log"]):
            raise ValueError
        ends = number(low), number(high)
    except FirsthandError as error:
        raise FirsthandError(f"--space {text}: {error}") from None
    except ValueError:
        kind = "whole numbers" if number is int else "numbers"
        raise FirsthandError(f"--space: found {text!r}, expected LOW:HIGH, LOW:HIGH:log or A,B,C of {kind}") from None
    try:
        return name, Range(*ends, log=bool(rest))
    except FirsthandError as error:
        raise FirsthandError(f"--space {text}: {error}") from None


def _work_for(parent: int, opened: "Search", trials: int) -> None:
    """Be one of several workers: say nothing, and end when the process that started them ends."""
    try:
        opened.work(trials, stop=lambda: os.getppid() != parent)
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


def _work_together(workers: int, opened: "Search", trials: int, show: "_Table") -> None:
    """Run workers, and show what they finish."""
    command = [sys.executable, "-m", "firsthand", *sys.argv[1:], "--parent", str(os.getpid())]
    # several processes on one GPU have to share its memory
    environment = {"XLA_PYTHON_CLIENT_PREALLOCATE": "false", **os.environ}
    with _ended() as started:
        for _ in range(workers):
            # in sessions of their own: Ctrl-C reaches this process alone, which then ends them
            worker = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=environment, start_new_session=True)
            started.append(worker)
        while any(worker.poll() is None for worker in started):
            time.sleep(0.3)
            show.all(opened.result())
    done = len(opened.result().finished)
    if done < trials:
        raise FirsthandError(f"search: all workers ended after {done} of {trials} trials; the same command resumes it")
    if died := sum(worker.returncode != 0 for worker in started):
        print(f"firsthand: {died} of {workers} workers died; the others finished their work", file=sys.stderr)


@contextmanager
def _ended() -> Iterator[list[subprocess.Popen]]:
    """A list for processes, which have ended when the block ends, however it ends."""
    workers = []
    try:
        yield workers
    finally:
        for worker in workers:
            worker.terminate()
        for worker in workers:
            worker.wait()


class _Table:
    """One line for every finished trial, as soon as it is known, in the order in which they finish."""

    def __init__(self, fields: tuple[str, ...], as_json: bool):
        self.fields, self.as_json = fields, as_json
        self.shown: set[int] = set()
        if not as_json:
            head = "".join(f"  {name:>13}" for name in fields)
            print(f"trial  state     validation  epochs  seconds{head}", flush=True)

    def all(self, result: "SearchResult") -> None:
        """Show what has not been shown."""
        for trial in result.trials:
            if trial.state != "running" and trial.number not in self.shown:
                self.shown.add(trial.number)
                best = result.best
                self._line(trial, best is not None and best.number == trial.number)

    def _line(self, trial: "Trial", best: bool) -> None:
        if self.as_json:
            print(json.dumps({"event": "trial", **dataclasses.asdict(trial)}), flush=True)
            return
        accuracy = "" if trial.accuracy is None else f"{trial.accuracy:.2%}"
        values = "".join(f"  {trial.settings.get(name, float('nan')):>13.6g}" for name in self.fields)
        row = f"{trial.number:>5}  {trial.state:8}  {accuracy:>10}  {trial.epochs:>6}  {trial.seconds:>7.1f}{values}"
        print(row + ("  best so far" if best else ""), flush=True)

    def end(self, result: "SearchResult", options: dict[str, Any], picture: Path) -> None:
        """Say what is best, and how to train it."""
        best = result.best
        counts = {"trials": len(result.finished), "picture": str(picture)}
        if best is None:
            print(json.dumps({"event": "done", "best": None, **counts}) if self.as_json else "no trial is complete")
            return
        command = ["firsthand", "train"]
        if (invert := options.pop("invert")) is not None:
            command.append("--invert" if invert else "--no-invert")
        for name, value in {**options, **best.settings}.items():
            if value is not None and (name, value) != ("data", "mnist"):
                command += [f"--{name.replace('_', '-')}", str(value)]
        if self.as_json:
            about = {"best": dataclasses.asdict(best), **counts, "command": shlex.join(command)}
            print(json.dumps({"event": "done", **about}))
            return
        settings = ", ".join(f"{name} {value:g}" for name, value in best.settings.items())
        print(f"best: trial {best.number}, validation accuracy {best.accuracy:.2%}, {settings}")
        print(f"train it with: {shlex.join(command)}\npicture: {picture}")


def _draw(result: "SearchResult", space: "dict[str, Range | Choices]", path: Path) -> None:
    from firsthand.files import write_saved
    from firsthand.report.search import plot_search

    figure = plot_search(result, space)
    write_saved(path, lambda file: figure.savefig(file, format="png", dpi=110))
