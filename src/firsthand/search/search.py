"""Search for good settings: many trainings of one recipe, chosen one after another from what came of those before.

Optuna proposes (tree-structured Parzen estimators) and stops early what falls behind (median rule); what is compared
is validation accuracy, and test data are never looked at.  All that is known is in one file, a journal that any
number of processes append to.  Any of them may be killed at any time.
"""

import functools
import json
import math
import os
import time
import typing
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from firsthand.data import ImageSplits, Splits
from firsthand.errors import FirsthandError, reading
from firsthand.learning import Classification, Diverged, Recipe, train
from firsthand.learning import Progress as Step
from firsthand.nn import to_json
from firsthand.zoo import NamedRecipe

from .journal import JOURNAL, open_journal

if TYPE_CHECKING:
    import optuna

__all__ = ["Choices", "Range", "Search", "SearchResult", "Trial", "numeric_fields", "search"]


@dataclass(frozen=True)
class Range:
    """Numbers from low to high, both included.

    Args:
        low, high: the ends.
        log: whether to take them evenly on a logarithmic scale.
    Raises:
        FirsthandError: no range; the message says why.
    """

    low: float
    high: float
    log: bool = False

    def __post_init__(self) -> None:
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low < self.high):
            raise FirsthandError(f"space: found {self.low:g} to {self.high:g}, expected two numbers, the smaller first")
        if self.log and self.low <= 0:
            raise FirsthandError(f"space: found {self.low:g} as the lower end of a log range, expected more than 0")

    @property
    def ends(self) -> tuple[float, ...]:
        """Values that have to be good for all to be good."""
        return self.low, self.high


@dataclass(frozen=True)
class Choices:
    """Some numbers, of which one is taken, in no order.

    Raises:
        FirsthandError: there are none, or one twice.
    """

    values: tuple[float, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", tuple(self.values))
        if not self.values or len(set(self.values)) < len(self.values):
            raise FirsthandError(f"space: found the choices {list(self.values)}, expected one or more different ones")

    @property
    def ends(self) -> tuple[float, ...]:
        """Values that have to be good for all to be good."""
        return self.values


Space = Mapping[str, Range | Choices]


@dataclass(frozen=True)
class Trial:
    """One training of a search."""

    number: int
    state: str  # complete, pruned, diverged, failed or running
    settings: dict[str, float]
    accuracy: float | None  # validation; the best epoch's where it was pruned; None where there was no epoch
    epochs: int  # completed
    seconds: float


@dataclass(frozen=True)
class SearchResult:
    """All trials so far."""

    trials: tuple[Trial, ...] = field(default_factory=tuple)

    @property
    def best(self) -> Trial | None:
        """The complete trial of best validation accuracy, the first of equals."""
        complete = [trial for trial in self.trials if trial.state == "complete"]
        return max(complete, key=lambda trial: (trial.accuracy or 0, -trial.number), default=None)

    def check(self) -> None:
        """Raise ValueError unless all trials are what a search leaves, whatever stands in its file."""
        for trial in self.trials:
            numbers = [*trial.settings.values(), trial.seconds, trial.epochs]
            numbers += [] if trial.accuracy is None else [trial.accuracy]
            if any(isinstance(number, bool) or not isinstance(number, int | float) for number in numbers):
                raise ValueError(f"trial {trial.number} with {numbers!r:.80} found, numbers expected")
            if trial.state == "complete" and trial.accuracy is None:
                raise ValueError(f"trial {trial.number} without an accuracy found, one expected")

    @property
    def finished(self) -> tuple[Trial, ...]:
        """The trials that count: complete, pruned or diverged."""
        return tuple(trial for trial in self.trials if trial.state in ("complete", "pruned", "diverged"))


@functools.cache
def numeric_fields() -> dict[str, type]:
    """The fields of a recipe that can be searched, each with its type, int or float.

    Not `auxiliary`: it is for networks with outputs beside their own, which the command line cannot ask for.
    """
    found = {}
    for name, hint in (typing.get_type_hints(Recipe) | typing.get_type_hints(Classification)).items():
        kinds = [hint, *(() if typing.get_origin(hint) is tuple else typing.get_args(hint))]
        if int in kinds or float in kinds:
            found[name] = float if float in kinds else int
    del found["auxiliary"]
    return found


def search(
    chosen: NamedRecipe,
    data: ImageSplits,
    space: Space,
    *,
    trials: int,
    storage: str | os.PathLike[str],
    seed: int = 0,
    progress: Callable[[Trial], None] | None = None,
    scheduler: str | None = None,
    workers: int | None = None,
) -> SearchResult:
    """Train a recipe with settings out of a space up to a number of trials, and report the result of each.

    Every trial starts from `jax.random.key(seed)`, so that only the settings differ, and so that training the best
    ones again gives the same model.  With one process the whole search is reproducible, interrupted or not: a trial
    whose process was killed is tried again, with its settings and its seed.

    Args:
        chosen: network and recipe; the space replaces some of its fields.
        data: training and validation data.
        space: field of the recipe -> `Range` or `Choices`.
        trials: how many to finish, with those that the storage has already.
        storage: file of the search.  Several processes may work on it at the same time, with the same arguments.
        seed: of the proposals and of the trainings.
        progress: called with every trial that this process, or its workers, have finished.
        scheduler: address of a Dask scheduler whose workers do the trials; the storage is then in a folder that all
            machines share, and whose file system has locks.
        workers: how many of them; by default all that are there.
    Returns:
        A `SearchResult`.
    Raises:
        FirsthandError: Optuna is missing, the space does not fit the recipe, or the storage is of another search; no
            scheduler answers.
    """
    opened = Search(chosen, data, space, storage=storage, seed=seed)
    if scheduler is None:
        opened.work(trials, progress)
    else:
        from .on_cluster import work_on_cluster

        work_on_cluster(opened, trials, scheduler, workers=workers, progress=progress)
    return opened.result()


class Search:
    """An open search; arguments and errors as for `search`."""

    def __init__(
        self,
        chosen: NamedRecipe,
        data: ImageSplits,
        space: Space,
        *,
        storage: str | os.PathLike[str],
        seed: int = 0,
    ):
        optuna = _optuna()
        if data.validation is None:
            raise FirsthandError("search: there are no validation data, by which it compares")
        # whatever the recipe monitors, a trial looks at validation accuracy and nothing else
        recipe = chosen.changed(monitor=("validation_accuracy",))
        _check_space(recipe, space)
        self.chosen, self.space, self.seed = recipe, dict(space), seed
        self.data = Splits(data.train, data.validation, None)
        self.network = chosen.network(data.train)
        self.path = Path(storage)
        self.storage, self.locks = open_journal(self.path)
        with self.locks.hold(_PROPOSE), reading(self.path, "not a usable storage of a search"):
            if not self.storage.get_all_studies():
                optuna.create_study(storage=self.storage, study_name=_NAME, direction="maximize")
            self.study = optuna.load_study(storage=self.storage, study_name=_NAME)
            self._check_same()
            self.result().check()

    def work(
        self,
        trials: int,
        progress: Callable[[Trial], None] | None = None,
        stop: Callable[[], bool] = lambda: False,
    ) -> None:
        """Run trials, beside any other process that does so, until this many are finished.

        A process with nothing left to start waits for the others, and takes over if one of them dies.

        Args:
            trials: how many there should be.
            progress: called with every trial that this process has finished.
            stop: asked a few times a second whether to give up, which is the same as Ctrl-C.
        Raises:
            KeyboardInterrupt: Ctrl-C, or stop; what is finished is in the storage.
        """
        if trials < 1:
            raise FirsthandError(f"search: trials is {trials}, expected 1 or more")
        while True:
            if stop():
                raise KeyboardInterrupt
            with self.locks.hold(_PROPOSE):
                result = self.result()
                if len(result.finished) >= trials:
                    return
                running = sum(trial.state == "running" for trial in result.trials)
                trial = self._abandoned()
                if trial is None and len(result.finished) + running < trials:
                    trial = self._propose()
            if trial is None:
                time.sleep(0.2)
                continue
            try:
                self._run(trial, stop)
            finally:
                self.locks.release(_lock_of(trial.number))
            if progress is not None:
                progress(self.result().trials[trial.number])

    def result(self) -> SearchResult:
        """The result so far, from all processes."""
        return SearchResult(tuple(_plain(trial) for trial in self.study.get_trials(deepcopy=False)))

    def _sampler(self, number: int, *parameter: int) -> "optuna.samplers.BaseSampler":
        """The sampler of trial `number`, and of its parameters after the first: seed and numbers decide alone."""
        state = np.random.SeedSequence([self.seed % 2**64, number, *parameter]).generate_state(1)[0]
        return _optuna().samplers.TPESampler(seed=int(state))

    def _study(self, number: int) -> "optuna.Study":
        """The study, ready to propose trial `number`."""
        optuna = _optuna()
        return optuna.load_study(
            storage=self.storage,
            study_name=_NAME,
            sampler=self._sampler(number),
            # the first epochs say little: small learning rates start slowly
            pruner=optuna.pruners.MedianPruner(n_startup_trials=4, n_warmup_steps=1 + self.chosen.recipe.epochs // 4),
        )

    def _check_same(self) -> None:
        """Raise FirsthandError if the storage belongs to a search with other arguments."""
        assert self.data.validation is not None
        wanted = {
            "recipe": self.chosen.name,
            "settings": self.chosen.recipe.to_json(),
            "network": to_json(self.network),
            "training data": self.data.train.digest,
            "validation data": self.data.validation.digest,
            "seed": self.seed,
            "space": {name: asdict(values) for name, values in self.space.items()},
        }
        wanted = json.loads(json.dumps(wanted))  # as it looks after a round trip through the file
        found = self.study.user_attrs.get("search")
        if found is None:
            self.study.set_user_attr("search", wanted)
            return
        for name, value in wanted.items():
            if found.get(name) != value:
                raise FirsthandError(
                    f"{self.path}: this search has {name} {json.dumps(found.get(name))}, not {json.dumps(value)}; "
                    "continue with the same arguments, or name another storage"
                )

    def _abandoned(self) -> "optuna.Trial | None":
        """The first trial that is said to run, but whose process holds no lock any more: to be tried again, by us."""
        optuna = _optuna()
        for found in self.study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.RUNNING,)):
            if self.locks.try_take(_lock_of(found.number)):
                return self._settled(optuna.Trial(self._study(found.number), found._trial_id))
        return None

    def _propose(self) -> "optuna.Trial":
        trial = self._study(len(self.study.get_trials(deepcopy=False))).ask()
        taken = self.locks.try_take(_lock_of(trial.number))
        assert taken
        return self._settled(trial)

    def _settled(self, trial: "optuna.Trial") -> "optuna.Trial":
        """Give a trial all its parameters; those that it had when its process was killed stay, and change no other."""
        kinds = numeric_fields()
        _ = trial.relative_params  # drawn together, before any of them is used
        for place, (name, values) in enumerate(self.space.items()):
            trial.study.sampler = self._sampler(trial.number, *([place] if place else []))
            if isinstance(values, Choices):
                trial.suggest_categorical(name, values.values)
            elif kinds[name] is int:
                trial.suggest_int(name, int(values.low), int(values.high), log=values.log)
            else:
                trial.suggest_float(name, values.low, values.high, log=values.log)
        return trial

    def _run(self, trial: "optuna.Trial", stop: Callable[[], bool]) -> None:
        """Train with what a trial proposes, and tell the storage what came of it."""
        optuna = _optuna()
        states = optuna.trial.TrialState
        started = time.perf_counter()
        # by a process that was killed: the same epochs come again
        known = max(self.storage.get_trial(trial._trial_id).intermediate_values, default=0)

        def watch(at: Step) -> None:
            if stop():
                raise KeyboardInterrupt
            if at.record is None or at.epoch < known:
                return
            if at.epoch > known:
                trial.report(at.record["validation_accuracy"], at.epoch)
            if at.epoch < at.epochs and trial.should_prune():
                raise optuna.TrialPruned

        try:
            recipe = self.chosen.changed(**trial.params).recipe
            key = jax.random.key(self.seed)
            model, history = train(self.network, self.data, recipe, key=key, progress=watch)
            if history.stopped.startswith("interrupted"):
                raise KeyboardInterrupt
            trial.set_user_attr("seconds", time.perf_counter() - started)
        except optuna.TrialPruned:
            trial.set_user_attr("seconds", time.perf_counter() - started)
            self.study.tell(trial, state=states.PRUNED)
        except Diverged:
            trial.set_user_attr("seconds", time.perf_counter() - started)
            trial.set_user_attr("diverged", True)
            self.study.tell(trial, state=states.PRUNED)
        except KeyboardInterrupt:
            raise  # whoever continues the search tries it again
        except BaseException:
            self.study.tell(trial, state=states.FAIL)
            raise
        else:
            self.study.tell(trial, model.provenance["accuracies"]["validation"])


_NAME = "firsthand"  # of the study, the only one in a storage
# the locks of a search: one for the journal, one to propose by, and one for every running trial
_PROPOSE = JOURNAL + 1


def _lock_of(number: int) -> int:
    return _PROPOSE + 1 + number


def _optuna() -> Any:
    try:
        import optuna
    except ImportError:
        raise FirsthandError(
            "search: Optuna is not installed; install it with: pip install 'firsthand[search]'"
        ) from None
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna


def _check_space(chosen: NamedRecipe, space: Space) -> None:
    """Raise FirsthandError unless all that can be proposed makes a recipe."""
    kinds = numeric_fields()
    if not space:
        raise FirsthandError("space: nothing found, expected one field of the recipe or more")
    for name, values in space.items():
        if name not in kinds:
            raise FirsthandError(f"space: found {name!r}, expected one of {', '.join(kinds)}")
        if kinds[name] is int and any(value != int(value) for value in values.ends):
            raise FirsthandError(f"space: {name} has {list(values.ends)}, expected whole numbers")
    first = {name: kinds[name](values.ends[0]) for name, values in space.items()}
    for name, values in space.items():
        for value in values.ends:
            chosen.changed(**{**first, name: kinds[name](value)})


def _plain(trial: "optuna.trial.FrozenTrial") -> Trial:
    measured = list(trial.intermediate_values.values())
    state = {"COMPLETE": "complete", "PRUNED": "pruned", "FAIL": "failed"}.get(trial.state.name, "running")
    whole = trial.duration.total_seconds() if trial.duration is not None else 0.0
    seconds = trial.user_attrs.get("seconds", whole)  # of the last try, without the time that nobody worked on it
    return Trial(
        trial.number,
        "diverged" if trial.user_attrs.get("diverged") else state,
        dict(trial.params),
        trial.value if state == "complete" else max(measured, default=None),
        len(measured),
        seconds,
    )
