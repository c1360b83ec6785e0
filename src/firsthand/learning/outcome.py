"""A training from its data to a model that is ready to be used, whatever becomes of it on the way."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from firsthand.data import Examples
from firsthand.nn import Network

from .history import History
from .recipe import Recipe
from .single import DataSplits, Diverged, Training
from .train import EnsembleTraining, train

__all__ = ["Outcome", "train_and_finish"]


class Outcome(NamedTuple):
    """The outcome of a training."""

    model: Any
    histories: Sequence[History]  # one, or that of each member
    failure: str = ""  # why it ended early, with the last good epoch kept; empty where it did not
    unfinished: str = ""  # what the validation data could not determine, such as a temperature

    @property
    def interrupted(self) -> bool:
        """True if it was stopped and can be resumed."""
        return any(history.stopped.startswith("interrupted") for history in self.histories)


def train_and_finish(network: Network, data: DataSplits, recipe: Recipe, **options: Any) -> Outcome:
    """Train, keep what a training that diverged had reached, and let the objective finish the model.

    Args:
        network, data, recipe, options: as for `train`.
    Raises:
        FirsthandError: as `train`.
        Diverged: in the first epoch, so that there is nothing to keep.
        KeyboardInterrupt: before the first epoch is complete.
    """
    failure = ""
    try:
        training: Training | EnsembleTraining = train(network, data, recipe, **options)
    except Diverged as error:
        if error.training is None:
            raise
        training, failure = error.training, str(error)
    histories = (training.history,) if isinstance(training, Training) else training.histories
    model, unfinished = finished(training.model, recipe, data.validation)
    return Outcome(model, histories, failure, unfinished)


def finished(model: Any, recipe: Recipe, validation: Examples | None) -> tuple[Any, str]:
    """Return the model with what validation data add to it, and why not where they do not determine it."""
    return (model, "") if validation is None else recipe.objective.finish(model, validation)
