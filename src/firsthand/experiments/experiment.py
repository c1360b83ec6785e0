"""The declaration of an experiment: what it shows, what was published, and how one run of it is measured.

An experiment is a declaration.  running.py carries it out and makes a `Result` of its runs; figures are drawn from the
Result alone, at any later time.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any, NamedTuple

from .result import Finding, Published, Result, Source, Text

if TYPE_CHECKING:
    from jax import Array
    from matplotlib.figure import Figure

__all__ = ["Claim", "Comparison", "Drawing", "Experiment", "Measured", "Run", "mean_of"]


class Measured(NamedTuple):
    """The findings of one run.

    `numbers` are averaged over the runs; one named as a published quantity is compared with it.  `test_accuracy` and
    `validation_accuracy` belong to the epoch of best validation accuracy.  `arrays` are plain lists for the figures
    and the claims (short ones: they are committed).
    """

    numbers: Mapping[str, float]
    arrays: Mapping[str, Any] = {}


def mean_of(runs: Sequence[Measured], name: str) -> float:
    """The mean of a number over runs."""
    return fmean(run.numbers[name] for run in runs)


@dataclass(frozen=True)
class Run:
    """One run of an experiment: its randomness, and whether it is shortened.

    Args:
        seed: of all randomness; run 0, 1, ... of an experiment has seed 0, 1, ...
        quick: shortened honestly; the result says so and is compared with nothing.
        place: a folder of this run's own, for checkpoints; what is in it when the run begins is of the same run,
            stopped earlier.
        needed: the Results of the experiments that this one needs, by id.
        say: takes a short line about the progress, such as 'epoch 3/60 0.9712'.
    """

    seed: int
    quick: bool
    place: Path
    needed: Mapping[str, Result] = field(default_factory=dict)
    say: Callable[[str], None] = lambda line: None

    @property
    def key(self) -> "Array":
        """All randomness of the run."""
        import jax  # here, because a report needs the declarations alone

        return jax.random.key(self.seed)

    def shortened(self, full: int, quick: int) -> int:
        """One number for the whole run, another for the quick one: of epochs, or of examples."""
        return quick if self.quick else full


@dataclass(frozen=True)
class Claim:
    """A statement of the text without a number, and the check of the runs that decides whether it holds.

    Args:
        text: the claim, as one sentence.
        check: of all runs; the Finding says what was measured.
    """

    text: Text
    check: Callable[[Sequence[Measured]], Finding]

    def finding(self, runs: Sequence[Measured], needed: Mapping[str, Result]) -> Finding:
        """The runs' answer to the claim."""
        return self.check(runs)


@dataclass(frozen=True)
class Comparison:
    """A claim that compares the runs with other experiments, which this one needs; checked again when those change.

    Args:
        text: the claim, as one sentence.
        check: of all runs, and the Results of the needed experiments by id.
    """

    text: Text
    check: Callable[[Sequence[Measured], Mapping[str, Result]], Finding]

    def finding(self, runs: Sequence[Measured], needed: Mapping[str, Result]) -> Finding:
        """The answer of the runs and of the other experiments to the claim."""
        return self.check(runs, needed)


class Drawing(NamedTuple):
    """A figure of a Result.

    `draw` takes the Result, and those of the experiments that this one needs; it computes nothing that a run should
    have measured.  `caption` says what to look for.
    """

    name: str
    caption: Text
    draw: Callable[[Result, Mapping[str, Result]], "Figure"]


@dataclass(frozen=True)
class Experiment:
    """One row of the texts' tables.

    Args:
        id: for the command line and for file names.
        title: what it shows.
        source: where the text has it.
        measure: does one run.
        published: the text's numbers.
        claims: what the text says without a number.
        deviations: where this differs from the text's experiment, numbered in the report.
        drawings: its figures.
        runs: how many runs a full measurement has; 1 where nothing is random.
        needs: ids of experiments whose Results the runs or figures take.
        minutes: about how long one full run takes on one core, for the order of work and for people.
    """

    id: str
    title: Text
    source: Source
    measure: Callable[[Run], Measured]
    published: tuple[Published, ...] = ()
    claims: tuple[Claim | Comparison, ...] = ()
    deviations: tuple[Text, ...] = ()
    drawings: tuple[Drawing, ...] = ()
    runs: int = 3
    needs: tuple[str, ...] = ()
    minutes: float = 0.1
