"""The files that a run of an experiment leaves behind, and the Result made of all its runs."""

import json
import math
import os
import shutil
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from firsthand.errors import FirsthandError, reading
from firsthand.files import versions, write_atomically

from .experiment import Experiment, Measured
from .result import Result, number_of

__all__ = ["ExperimentError", "Place", "check_measured", "conclude", "needed_results", "record_of", "runs_of"]


class ExperimentError(FirsthandError):
    """An experiment cannot be run, or its runs cannot be concluded; the message begins with its id."""


class Place(NamedTuple):
    """The files of one run: in SCRATCH/[quick/]ID, named by the seed."""

    folder: Path
    seed: int

    @classmethod
    def of(cls, scratch: Path, quick: bool, id: str, seed: int) -> "Place":
        """The files of a run; nothing is made."""
        return cls((scratch / "quick" if quick else scratch) / id, seed)

    @property
    def record(self) -> Path:
        """The file of measurements, there once the run is complete."""
        return self.folder / f"{self.seed}.json"

    @property
    def work(self) -> Path:
        """The run's own folder, for checkpoints."""
        return self.folder / str(self.seed)

    @property
    def clock(self) -> Path:
        """The file with the seconds that the run has taken so far, those before it was stopped included."""
        return self.folder / f"{self.seed}.seconds"

    @property
    def trace(self) -> Path:
        """The file with the traceback of a failure, for whoever mends it."""
        return self.folder / f"{self.seed}.error.txt"

    def seconds(self) -> float:
        """The seconds in the clock's file."""
        try:
            return float(self.clock.read_text())
        except (FileNotFoundError, ValueError):
            return 0.0

    def keep(self, record: Mapping[str, Any]) -> None:
        """Write the record, and remove what only an unfinished run needs."""
        write_atomically(self.record, json.dumps(record, ensure_ascii=False) + "\n")
        shutil.rmtree(self.work, ignore_errors=True)
        for path in (self.clock, self.trace):
            path.unlink(missing_ok=True)

    def read(self) -> dict[str, Any] | None:
        """The record, or None where the run is not complete."""
        if not self.record.exists():
            return None
        with reading(self.record, "not the record of a run; remove it to run it again"):
            found = json.loads(self.record.read_text(encoding="utf-8"))
            numbers = [found["seed"], found["seconds"], *found["numbers"].values()]
            if any(type(number) not in (int, float) for number in numbers) or not isinstance(found["arrays"], dict):
                raise ValueError("numbers and arrays expected")
            _ = found["machine"] + found["date"] + found["versions"]["firsthand"]
            return found


def record_of(seed: int, seconds: float, measured: Measured, machine: str) -> dict[str, Any]:
    """A complete run as plain data: what a Result keeps of it, and where, with what and when it was measured."""
    return {
        "seed": seed,
        "seconds": round(seconds, 2),
        "numbers": {name: float(value) for name, value in measured.numbers.items()},
        "arrays": dict(measured.arrays),
        "machine": machine,
        "versions": versions(),
        "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
    }


def check_measured(measured: Measured) -> None:
    """Raise FirsthandError unless a Result can keep it: numbers that are numbers, arrays of plain data."""
    for name, value in measured.numbers.items():
        if not math.isfinite(value):
            raise FirsthandError(f"{name} is {value}, expected a finite number")
    try:
        json.dumps(measured.arrays, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise FirsthandError(f"arrays: {error}, expected plain lists of finite numbers") from None


def runs_of(result: Result) -> list[dict[str, Any]]:
    """The records that a Result was made of."""
    about = {"machine": result.machine, "versions": result.versions, "date": result.date}
    return [{**run, **about} for run in result.runs]


def conclude(
    experiment: Experiment, records: Sequence[Mapping[str, Any]], needed: Mapping[str, Result], *, quick: bool
) -> Result:
    """The Result of an experiment: its texts, all its runs, and whether the claims hold in them.

    Claims are not checked, as nothing is compared, where the runs were shortened.

    Args:
        experiment: what to conclude.
        records: of its complete runs.
        needed: the Results of the experiments that it needs, by id.
        quick: whether the runs were shortened.

    Raises:
        ExperimentError: the runs lack what the experiment publishes or claims; they are of an older form of it.
    """
    records = sorted(records, key=lambda record: record["seed"])
    runs = tuple({name: record[name] for name in ("seed", "seconds", "numbers", "arrays")} for record in records)
    every = [Measured(run["numbers"], run["arrays"]) for run in runs]
    wanted = {
        name
        for published in experiment.published
        for name in (published.quantity, published.explained_by, published.beside)
        if name
    }
    for run in runs:
        known = wanted.union(*(each.numbers for each in every))
        if lacking := sorted(name for name in known if number_of(run, name) is None):
            raise ExperimentError(
                f"{experiment.id}: its run {run['seed']} has no {', '.join(lacking)}; measure it with --again"
            )
    try:
        claims = () if quick else tuple((claim.text, claim.finding(every, needed)) for claim in experiment.claims)
    except Exception as error:  # whatever it is, it must not stop the other experiments
        reason = f"{type(error).__name__}: {error}"
        raise ExperimentError(f"{experiment.id}: a claim cannot be checked ({reason})") from error
    command = f"firsthand run {experiment.id}"
    if len(runs) != (1 if quick else experiment.runs):
        command += f" --runs {len(runs)}"
    return Result(
        id=experiment.id,
        title=experiment.title,
        source=experiment.source,
        quick=quick,
        published=experiment.published,
        runs=runs,
        claims=claims,
        deviations=experiment.deviations,
        captions={drawing.name: drawing.caption for drawing in experiment.drawings},
        machine=" / ".join(dict.fromkeys(record["machine"] for record in records)),
        versions=records[-1]["versions"],
        date=max(record["date"] for record in records),
        command=command + (" --quick" if quick else ""),
    )


def needed_results(experiment: Experiment, out: str | os.PathLike[str]) -> dict[str, Result]:
    """The Results that an experiment needs, by id.

    Raises:
        FileNotFoundError, ResultFileError: one is missing, or is none.
    """
    return {id: Result.load(Path(out) / f"{id}.json") for id in experiment.needs}
