"""The outcome of an experiment, as one JSON file: published beside measured.

A Result holds everything that its figures, the report and the tables show, in both languages; they compute nothing of
their own and need no experiment beside it.
"""

import json
import math
import os
import statistics
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple, cast, get_args

from firsthand.errors import FirsthandError, reading
from firsthand.files import write_atomically

from .statistics import Interval, difference_of_accuracies, difference_of_values, judge, margin

__all__ = ["Finding", "Published", "Result", "ResultFileError", "Source", "Text", "Verdict", "number_of"]

Verdict = Literal["reached", "higher", "lower", "explained", "missed", "cannot tell", "not compared"]


class ResultFileError(FirsthandError):
    """A file is not a Result, or not a whole one."""


class Text(NamedTuple):
    """A sentence for people, in English and Chinese."""

    en: str
    zh: str


class Source(NamedTuple):
    """The place in a text: its short name, the chapter and section, and the equation or figure if there is one."""

    text: str
    section: str


class Published(NamedTuple):
    """A number of the text.

    `kind`: an accuracy, and a value of runs that differ, are compared by statistics.py; a value of runs that agree, and
    an exact accuracy, which the text's own seed repeats, by their distance.
    `tolerance`: how far away a measured number of the latter may be that reaches it.
    `best_of`: the text's protocol, the best of this many runs, chosen by validation accuracy; 1 is a single run.
    `explained_by`: another number of the same runs, measured the text's way where ours differs from it.
    `images`: how many an accuracy was judged on.
    `beside`: another number of the same runs, to be shown and not judged.
    `better`: which way a value is better, as of a `Quantity`: 'lower' of a perplexity, of which 4 reaches 5 and 9 does
    not; empty where a value is to be met.
    `unit`: of a value.
    """

    quantity: str
    value: float
    kind: Literal["accuracy", "value", "exact"] = "accuracy"
    tolerance: float = 0.0025
    best_of: int = 1
    explained_by: str = ""
    images: int = 10_000
    beside: str = ""
    better: Literal["", "higher", "lower"] = ""
    unit: str = ""


def number_of(run: dict[str, Any], quantity: str) -> float | None:
    """A number of a run; 'last_NAME' is also the end of the curve NAME that the run has kept; None without either."""
    if quantity in run["numbers"]:
        return run["numbers"][quantity]
    curve = run["arrays"].get(quantity.removeprefix("last_")) if quantity.startswith("last_") else None
    return float(curve[-1]) if curve else None


class Finding(NamedTuple):
    """A verdict on a claim, and the measured figures that support it."""

    holds: bool
    measured: Text


def _is_better(published: Published, difference: float) -> bool:
    return difference > 0 if published.better == "higher" else difference < 0 and published.better == "lower"


@dataclass(frozen=True)
class Result:
    """An experiment's outcome.

    Args:
        id, title, source, published, deviations: the experiment's.
        quick: the runs were shortened; then nothing is compared.
        runs: for each run its seed, seconds (of one core's time), numbers and arrays.
        claims: each with its text and its Finding.
        captions: what to look for in each figure, by the figure's name.
        machine, versions, date, command: where, with what, when and how it was measured.
    """

    id: str
    title: Text
    source: Source
    quick: bool
    published: tuple[Published, ...]
    runs: tuple[dict[str, Any], ...]
    claims: tuple[tuple[Text, Finding], ...]
    deviations: tuple[Text, ...]
    captions: dict[str, Text]
    machine: str
    versions: dict[str, str]
    date: str
    command: str

    @property
    def n(self) -> int:
        """The number of runs."""
        return len(self.runs)

    @property
    def seconds(self) -> float:
        """The seconds of all runs together."""
        return sum(run["seconds"] for run in self.runs)

    def values(self, quantity: str) -> list[float]:
        """A number of every run."""
        values = [number_of(run, quantity) for run in self.runs]
        if None in values:
            raise KeyError(quantity)
        return cast(list[float], values)

    def mean(self, quantity: str) -> float:
        """The mean of a number over the runs."""
        return statistics.fmean(self.values(quantity))

    def spread(self, quantity: str) -> float | None:
        """The standard deviation of a number over the runs (n - 1 in the denominator); None of a single run."""
        return statistics.stdev(self.values(quantity)) if self.n > 1 else None

    def best(self, quantity: str, best_of: int) -> float:
        """A number of the run, among the first `best_of`, with the best validation accuracy: the texts' protocol."""
        runs = self.runs[:best_of]
        return max(runs, key=lambda run: run["numbers"]["validation_accuracy"])["numbers"][quantity]

    def interval(self, published: Published, quantity: str = "") -> Interval | None:
        """The interval of ours less the published number, or None where the two are compared by their distance.

        Args:
            published: the number of the text.
            quantity: another number of the runs in the place of its own.
        """
        values = self.values(quantity or published.quantity)
        if published.kind == "accuracy":
            chosen_by = None
            if published.best_of > 1 and all("validation_accuracy" in run["numbers"] for run in self.runs):
                chosen_by = self.values("validation_accuracy")
            return difference_of_accuracies(
                published.value, values, images=published.images, k=published.best_of, chosen_by=chosen_by
            )
        if published.kind == "value" and max(values) - min(values) > 1e-6 * abs(published.value):
            return difference_of_values(published.value, values)
        return None

    def verdict(self, published: Published) -> Verdict:
        """The verdict on a published number, or on that of `explained_by` in its place: whether the runs support it."""
        if self.quick:
            return "not compared"
        verdict = self._judged(published, published.quantity)
        if verdict not in ("reached", "higher") and published.explained_by:
            return "explained" if self._judged(published, published.explained_by) == "reached" else verdict
        return verdict

    def _judged(self, published: Published, quantity: str) -> Verdict:
        interval = self.interval(published, quantity)
        if interval is None:
            # a difference of exactly the tolerance reaches it, whatever the last bit says
            difference = self.mean(quantity) - published.value
            reached = abs(difference) <= published.tolerance + 1e-9 or _is_better(published, difference)
            return "reached" if reached else "missed"
        if published.kind == "value":
            met = interval.low <= 0 <= interval.high
            return "reached" if met or _is_better(published, interval.difference) else "missed"
        return judge(interval, margin(published.value))

    def save(self, folder: str | os.PathLike[str]) -> Path:
        """Write FOLDER/ID.json, whole or not at all."""
        return write_atomically(Path(folder) / f"{self.id}.json", json.dumps(asdict(self), ensure_ascii=False) + "\n")

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "Result":
        """Read a Result.

        Raises:
            FileNotFoundError: there is no such file.
            ResultFileError: it is not a Result.
        """
        if not Path(path).exists():
            raise FileNotFoundError(f"{path}: no such result")
        with reading(path, "not a result of an experiment", ResultFileError):
            found = json.loads(Path(path).read_text(encoding="utf-8"))
            if len({frozenset(run["numbers"]) for run in found["runs"]}) > 1:
                raise ValueError("its runs have not the same numbers")
            result = cls(
                **found
                | {
                    "title": Text(*found["title"]),
                    "source": Source(*found["source"]),
                    "published": tuple(Published(*each) for each in found["published"]),
                    "runs": tuple(found["runs"]),
                    "claims": tuple(
                        (Text(*text), Finding(holds, Text(*measured))) for text, (holds, measured) in found["claims"]
                    ),
                    "deviations": tuple(Text(*each) for each in found["deviations"]),
                    "captions": {name: Text(*each) for name, each in found["captions"].items()},
                }
            )
            result.check()
            return result

    def check(self) -> None:
        """Raise ValueError unless everything is of its type, and all that is published has been measured."""
        texts = [self.title, *(text for text, _ in self.claims), *(finding.measured for _, finding in self.claims)]
        texts += [*self.deviations, *self.captions.values()]
        words = [self.id, *self.source, self.machine, self.date, self.command, *self.versions, *self.versions.values()]
        words += [word for text in texts for word in text]
        words += [word for each in self.published for word in (each.quantity, each.kind, each.explained_by)]
        if not all(isinstance(word, str) for word in [*words, *self.captions]):
            raise ValueError("something else found, text expected")
        if (
            not self.runs
            or type(self.quick) is not bool
            or not all(type(each.holds) is bool for _, each in self.claims)
        ):
            raise ValueError("no runs found, or no answers, those of an experiment expected")
        for run in self.runs:
            numbers = [run["seed"], run["seconds"], *run["numbers"].values()]
            if any(type(number) not in (int, float) or not math.isfinite(number) for number in numbers):
                raise ValueError("something else found, finite numbers expected")
            if not isinstance(run["arrays"], dict):
                raise ValueError("something else found, arrays by name expected")
        for each in self.published:
            limits = [each.value, each.tolerance, each.best_of]
            if any(type(limit) not in (int, float) or not math.isfinite(limit) for limit in limits):
                raise ValueError("something else found, published numbers expected")
            if each.kind not in get_args(Published.__annotations__["kind"]) or type(each.best_of) is not int:
                raise ValueError(f"kind {each.kind!r} found, accuracy or value expected")
            self.verdict(each)
            if each.best_of != 1:
                self.best(each.quantity, each.best_of)
