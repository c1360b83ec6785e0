"""Transfer learning: a trained model begins to learn other classes with all of its layers but the last."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import jax
from jax import Array

from firsthand.data import ImageSplits
from firsthand.errors import FirsthandError
from firsthand.keys import Key, as_key
from firsthand.learning import Classification, Cosine, Progress, Recipe, Training, train
from firsthand.models import CalibrationError, Model, fit_temperature
from firsthand.nn import FullyConnected, Network, Params

from .fine_tuning import fine_tuning_recipe

__all__ = ["Transfer", "transfer", "transfer_recipe"]


@dataclass(frozen=True)
class Transfer:
    """The parts that are taken over, and those that are learned.

    The output layer is a new one, with a unit for each class of the data; the other layers begin where the start has
    come to.

    Args:
        start: the model to begin with.
        data: images as the start's, of any classes.
        key: of the new output layer.
        frozen: how many layers, from the first, stay as they are; -1 is all but the output layer.
        kept_rate: factor of the learning rate of the layers that are taken over and not frozen.
    Raises:
        FirsthandError: images of another shape, an ensemble, a last layer that is not fully connected, or more frozen
            layers than are taken over.
    """

    start: Model
    data: ImageSplits
    key: Array
    frozen: int = 0
    kept_rate: float = 1.0

    def __post_init__(self) -> None:
        if not isinstance(self.start, Model):
            raise FirsthandError(f"transfer: {type(self.start).__name__} found, expected a single model")
        if not isinstance(self.start.network.layers[-1], FullyConnected):
            raise FirsthandError(
                f"transfer: the last layer is {self.start.network.layers[-1]}, expected FullyConnected or Softmax"
            )
        hidden = len(self.start.network.layers) - 1
        if not -1 <= self.frozen <= hidden:
            raise FirsthandError(f"transfer: frozen is {self.frozen}, expected -1 (all) or 0 to {hidden} layers")
        if not self.kept_rate >= 0:
            raise FirsthandError(f"transfer: kept_rate is {self.kept_rate}, expected 0 or more")
        Classification().check(self.network, self.data.train, "transfer: data")

    @property
    def splits(self) -> ImageSplits:
        """The data."""
        return self.data

    @property
    def depth(self) -> int:
        """The number of frozen layers."""
        return len(self.start.network.layers) - 1 if self.frozen == -1 else self.frozen

    @cached_property
    def network(self) -> Network:
        """The start's, with as many outputs as the data have classes."""
        *kept, last = self.start.network.layers
        assert isinstance(last, FullyConnected)
        return Network((*kept, replace(last, units=self.data.train.num_classes)), self.start.input_shape)

    @cached_property
    def params(self) -> tuple[Params, ...]:
        """The start's, with a fresh output layer."""
        fresh = self.network.init(key=jax.random.fold_in(self.key, 1))
        return (*self.start.params[:-1], fresh[-1])

    def recipe(self, recipe: Recipe) -> Recipe:
        """Return the recipe with what is frozen, and the rates of what is taken over."""
        own = [number for number, params in enumerate(self.start.params[:-1]) if params]
        frozen = tuple(f"{number}.*" for number in own if number < self.depth)
        slower = tuple((f"{number}.*", self.kept_rate) for number in own if number >= self.depth)
        return replace(recipe, frozen=frozen, rates=slower if self.kept_rate != 1 else ())

    def finish(self, model: Model) -> Model:
        """Return the trained model with its temperature fitted, and where it came from in its provenance."""
        if self.data.validation is not None:
            # where all of a few are right there is nothing to fit it by
            with suppress(CalibrationError):
                model = fit_temperature(model, self.data.validation)
        about = {"frozen": self.depth, "kept_rate": self.kept_rate, "start": self.start.provenance}
        return replace(model, provenance=model.provenance | {"transfer": about})


def transfer_recipe(network: Network) -> Recipe:
    """The recipe of fine-tuning with twice its rate, for a layer that knows nothing yet, and without distortion."""
    return replace(fine_tuning_recipe(network), learning_rate=Cosine(0.06, 10), augment=None)


def transfer(
    model: Model,
    data: ImageSplits,
    recipe: Recipe | None = None,
    *,
    frozen: int = 0,
    kept_rate: float = 1.0,
    key: Key,
    progress: Callable[[Progress], None] | None = None,
    checkpoint: Path | None = None,
    resume: bool = False,
) -> Training:
    """Train a model on with other classes.

    Args:
        model: to start from.
        data: images of the model's shape, of any classes.
        recipe: how; `transfer_recipe` by default.
        frozen, kept_rate: see `Transfer`.
        key, progress, checkpoint, resume: as for `train`.
    Returns:
        As `train`; the provenance of the model has an entry 'transfer'.
    Raises:
        FirsthandError: as `Transfer` and `train`.

    Examples:
        >>> from firsthand import mnist, nn, Network
        >>> from firsthand.data import Splits
        >>> data = mnist().train[:20]
        >>> network = Network((nn.FullyConnected(8), nn.Softmax(10)))
        >>> start = Model(network, network.init(key=jax.random.key(0)), data.classes)
        >>> Transfer(start, Splits(data, None, None), jax.random.key(0), frozen=-1).recipe(Recipe(1, 1, 0.1)).frozen
        ('0.*',)
    """
    key = as_key(key)
    plan = Transfer(model, data, key, frozen, kept_rate)
    training = train(
        plan.network,
        data,
        plan.recipe(recipe or transfer_recipe(model.network)),
        key=key,
        params=plan.params,
        progress=progress,
        checkpoint=checkpoint,
        resume=resume,
    )
    return Training(plan.finish(training.model), training.history)
