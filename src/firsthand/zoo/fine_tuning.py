"""Fine-tuning: a trained model learns somebody's own images, and rehearses what it knew so as not to forget it."""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import jax
import numpy as np
from jax import Array

from firsthand.data import Affine, Dataset, ImageSplits, Splits
from firsthand.errors import FirsthandError
from firsthand.keys import Key, as_key
from firsthand.learning import Classification, Cosine, Progress, Recipe, Training, train
from firsthand.models import CalibrationError, Model, fit_temperature
from firsthand.nn import Cost, Network, Params, cross_entropy, log_likelihood, quadratic, sigmoid, softmax

__all__ = ["FineTuning", "fine_tune", "fine_tuning_recipe"]

# in an epoch, however few there are: each is seen often, and beside it always other rehearsed ones
OWN_IMAGES = 3000
# of either kind, so that the validation accuracy is the mean of both; more would only take longer
VALIDATION_IMAGES = 2000
DISTORTION = Affine(degrees=8, translate=1, scale=0.08, shear=0.08)


def fine_tuning_recipe(network: Network) -> Recipe:
    """The recipe of fine-tuning: ten short epochs, small steps that fade out, every image a little distorted.

    The learning rate begins at a third of what the digit reader was trained with, and falls along half a cosine.
    """
    costs: dict[Any, Cost] = {softmax: log_likelihood, sigmoid: cross_entropy}
    return Recipe(
        epochs=10,
        batch_size=10,
        learning_rate=Cosine(0.03, 10),
        l2=1e-4,
        objective=Classification(costs.get(network.activation, quadratic)),
        augment=DISTORTION if len(network.input_shape) == 3 else None,
    )


@dataclass(frozen=True)
class FineTuning:
    """The data of a fine-tuning: what is to be learned, and what is to be kept.

    Of n images of an epoch, share n are rehearsed ones: drawn once from the original training images, all different as
    far as they reach; own images are repeated until an epoch has 3,000 of them.  The best epoch is chosen on as many
    own as original validation images, so that the validation accuracy is the mean of the two: where there are few own
    ones they are repeated, a little distorted each time, because ten images that are all right tell nothing.  The
    temperature is fitted on either kind as it is.  With a share of 0 the original data are measured on, no more.

    Args:
        start: the model to begin with; its classes remain its classes.
        own: training and validation images with labels among the start's classes; test images or None.
        original: what the start was trained on, or is to stay good at; None where there is nothing to rehearse.
        share: of rehearsed images, in [0, 1).
        key: which images are rehearsed.
    Raises:
        FirsthandError: images or classes that are not the start's; no validation images; a share out of its range.
    """

    start: Model
    own: ImageSplits
    original: ImageSplits | None
    share: float
    key: Array

    def __post_init__(self) -> None:
        if not isinstance(self.start, Model):
            raise FirsthandError(f"fine-tuning: {type(self.start).__name__} found, expected a single model")
        if not 0 <= self.share < 1:
            raise FirsthandError(f"fine-tuning: share of rehearsed images is {self.share}, expected 0 <= share < 1")
        if self.share and self.original is None:
            raise FirsthandError(f"fine-tuning: share is {self.share}, but there are no images to rehearse")
        if self.own.validation is None:
            raise FirsthandError("fine-tuning: no validation images of your own, expected some to choose the epoch by")
        object.__setattr__(self, "own", self._fitting(self.own, "own"))
        if self.original is not None:
            object.__setattr__(self, "original", self._fitting(self.original, "rehearsed"))

    def _fitting(self, data: ImageSplits, name: str) -> Splits:
        def fitting(part: Dataset) -> Dataset:
            Classification().check(self.start.network, part, f"{name} data")
            return part.with_classes(self.start.classes)

        others = (None if part is None else fitting(part) for part in (data.validation, data.test))
        return Splits(fitting(data.train), *others)

    @property
    def params(self) -> tuple[Params, ...]:
        """The start of the training."""
        return self.start.params

    @cached_property
    def splits(self) -> Splits:
        """The mixture to train on, what the epoch is chosen by, and the own test images."""
        own, original = self.own, self.original
        assert own.validation is not None
        shown = own.train[_repeated(len(own.train), max(len(own.train), OWN_IMAGES))]
        if not self.share or original is None:
            return Splits(shown, self._repeated_and_distorted(VALIDATION_IMAGES), own.test)
        random = np.random.default_rng(np.asarray(jax.random.key_data(self.key)).tolist())
        count = round(len(shown) * self.share / (1 - self.share))
        rehearsed = original.train[random.permutation(len(original.train))[_repeated(len(original.train), count)]]
        if original.validation is None:
            return Splits(shown + rehearsed, self._repeated_and_distorted(VALIDATION_IMAGES), own.test)
        kept = original.validation[: max(VALIDATION_IMAGES, len(own.validation))]
        return Splits(shown + rehearsed, self._repeated_and_distorted(len(kept)) + kept, own.test)

    def _repeated_and_distorted(self, count: int) -> Dataset:
        """The own validation images, as they are and then distorted, until there are enough."""
        data = self.own.validation
        assert data is not None
        more = data[_repeated(len(data), count)[len(data) :]] if count > len(data) else None
        if more is None or len(self.start.input_shape) != 3:
            return data
        images = jax.jit(DISTORTION)(more.images.astype(np.float32) / 255, key=jax.random.fold_in(self.key, 1))
        return data + Dataset(np.rint(255 * np.asarray(images)).astype(np.uint8), more.labels, more.classes)

    def finish(self, model: Model) -> Model:
        """Return the trained model with its temperature fitted, and in its provenance what was gained and lost."""
        validation = self.own.validation
        assert validation is not None
        if self.share and self.original is not None and self.original.validation is not None:
            validation += self.original.validation[: max(VALIDATION_IMAGES, len(validation))]
        try:
            model = fit_temperature(model, validation)
        except CalibrationError:
            # all of a few are right: what was known before is all that is known
            model = dataclasses.replace(model, temperature=self.start.temperature)
        about: dict[str, Any] = {
            "share": self.share,
            "own_images": {name: len(part) for name, part in _parts(self.own) if part is not None},
            "own_data": self.own.train.digest,
            "rehearsed_data": None if self.original is None or not self.share else self.original.train.digest,
            "before": self._tested(self.start),
            "after": self._tested(model),
            "start": self.start.provenance,
        }
        return dataclasses.replace(model, provenance=model.provenance | {"fine_tuning": about})

    def _tested(self, model: Model) -> dict[str, dict[str, Any]]:
        """Accuracy on the test images of either kind, as far as there are some."""
        sets = {"own": self.own.test, "original": None if self.original is None else self.original.test}
        return {
            name: {"accuracy": model.accuracy(test), "n": len(test)} for name, test in sets.items() if test is not None
        }


def fine_tune(
    model: Model,
    own: ImageSplits,
    original: ImageSplits | None = None,
    recipe: Recipe | None = None,
    *,
    share: float = 0.75,
    key: Key,
    progress: Callable[[Progress], None] | None = None,
    checkpoint: Path | None = None,
    resume: bool = False,
) -> Training:
    """Train a model on, with images of one's own and rehearsed ones of its original data.

    Args:
        model: to start from; its network, parameters, running averages and classes.
        own, original, share: see `FineTuning`.
        recipe: how; `fine_tuning_recipe` by default.
        key, progress, checkpoint, resume: as for `train`.
    Returns:
        As `train`.  The provenance of the model has an entry 'fine_tuning' with the accuracies `before` and `after` on
        the test images, `own` and `original`.
    Raises:
        FirsthandError: as `FineTuning` and `train`.
        Diverged: the cost is no longer a number.
    """
    if original is None:
        share = 0.0
    key = as_key(key)
    tuning = FineTuning(model, own, original, share, key)
    training = train(
        model.network,
        tuning.splits,
        recipe or fine_tuning_recipe(model.network),
        key=key,
        params=model.params,
        progress=progress,
        checkpoint=checkpoint,
        resume=resume,
    )
    return Training(tuning.finish(training.model), training.history)


def _repeated(n: int, count: int) -> np.ndarray:
    """Indices 0 to n - 1, over and over."""
    return np.arange(count) % n


def _parts(data: ImageSplits) -> list[tuple[str, Dataset | None]]:
    return [("training", data.train), ("validation", data.validation), ("test", data.test)]
