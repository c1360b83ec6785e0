"""One training as a run of an experiment: resumed where it was stopped, shortened where the run is."""

from collections.abc import Sequence
from dataclasses import replace

import jax
import numpy as np
from jax import Array

from firsthand.data import Examples, ImageSplits, Splits, mnist
from firsthand.experiments.experiment import Measured, Run
from firsthand.learning import DataSplits, Progress, Recipe, Training, train
from firsthand.learning.source import as_source
from firsthand.models import ModelFileError
from firsthand.nn import Layer, Network, Params

__all__ = ["accuracy", "curves_of", "measured", "seed_of", "short", "trained"]

CURVES = [f"{part}_{quantity}" for part in ("training", "validation", "test") for quantity in ("cost", "accuracy")]


def trained(
    run: Run,
    layers: Sequence[Layer],
    recipe: Recipe,
    *,
    data: DataSplits | None = None,
    name: str = "training",
    quick_epochs: int = 2,
    quick_examples: int = 5_000,
    start: tuple[Params, ...] | None = None,
) -> Training:
    """Train a network with the run's key.

    Args:
        run: gives the randomness and the place of the checkpoint; is told of every epoch.
        layers: the network's; its input shape comes from the data.
        recipe: how to train.  What decides which epoch is the best is monitored whatever it says: for images, the
            validation accuracy.  Without validation data, as where a game is played, nothing is added.
        data: MNIST by default.
        name: of the checkpoint file, and in what is said; each training of a run of several has a name of its own.
        quick_epochs, quick_examples: most epochs, and most of the first training examples, if the run is
            shortened; a source gives as many as it always does.
        start: parameters to begin with; fresh ones by default.
    Returns:
        The model, at the best epoch if the recipe keeps the best, and the `History`.
    Raises:
        KeyboardInterrupt: Ctrl-C; the checkpoint has the last complete epoch.
        FirsthandError: what `train` raises.
    """
    data = mnist() if data is None else data
    if data.validation is not None:
        recipe = _monitoring(recipe, (recipe.decisive,))
    shown = recipe.decisive if recipe.decisive in recipe.monitored else "batch_cost"
    if run.quick:
        recipe = recipe.changed(epochs=min(recipe.epochs, quick_epochs))
        if isinstance(data.train, Examples):
            data = Splits(data.train[:quick_examples], data.validation, data.test)
    network = Network(tuple(layers), as_source(data.train).like.example_shape)
    checkpoint = run.place / f"{name}.safetensors"
    prefix = "" if name == "training" else f"{name} "

    def say(at: Progress) -> None:
        if at.record is not None:
            run.say(f"{prefix}epoch {at.epoch}/{at.epochs} {at.record[shown]:.4f}")

    def once(resume: bool) -> Training:
        options = {"progress": say, "checkpoint": checkpoint, "resume": resume}
        return train(network, data, recipe, key=run.key, params=start, **options)

    if checkpoint.exists():
        try:
            training = once(resume=True)
        except ModelFileError as error:
            run.say(f"{prefix}starts again: {error}")
            training = once(resume=False)
    else:
        training = once(resume=False)
    if training.history.stopped.startswith("interrupted"):
        raise KeyboardInterrupt
    return training


def accuracy(
    run: Run,
    layers: Sequence[Layer],
    recipe: Recipe,
    *,
    data: ImageSplits | None = None,
    curves: Sequence[str] = (),
    name: str = "training",
    quick_epochs: int = 2,
    quick_examples: int = 5_000,
) -> Measured:
    """Train a network with the run's key, and say how well it does: `trained`, then `measured`.

    Args:
        curves: what to monitor besides what the recipe does.
    """
    recipe = _monitoring(recipe, curves)
    return measured(
        trained(run, layers, recipe, data=data, name=name, quick_epochs=quick_epochs, quick_examples=quick_examples)
    )


def measured(training: Training) -> Measured:
    """The measurements that a training gives an experiment.

    Returns:
        numbers: test_accuracy, validation_accuracy and training_accuracy, all at the parameters that the training ends
            with; best_epoch, the epoch of best validation accuracy, from 1; and, where the test accuracy was monitored,
            highest_test_accuracy, that of all epochs: what chapters 1 to 3 name.
        arrays: what was monitored, epoch by epoch.
    """
    numbers = {f"{part}_accuracy": value for part, value in training.model.provenance["accuracies"].items()}
    if "test_accuracy" in training.history:
        numbers["highest_test_accuracy"] = max(training.history["test_accuracy"])
    return Measured(numbers | {"best_epoch": training.history.best_epoch}, curves_of(training))


def curves_of(training: Training, prefix: str = "") -> dict[str, list[float]]:
    """The monitored quantities of a training as short lists for a figure, named PREFIX + quantity."""
    history = training.history
    return {f"{prefix}{name}": [round(value, 5) for value in history[name]] for name in CURVES if name in history}


def short(values: np.ndarray, digits: int = 2) -> list:
    """An array as lists of numbers with a few digits, for a figure: 0.47, and not single precision's 0.4699999988."""
    return np.round(np.asarray(values, np.float64), digits).tolist()


def seed_of(key: Array) -> list[int]:
    """The bits of a key, as NumPy's generators take a seed: for data that are made by NumPy."""
    return np.asarray(jax.random.key_data(key)).tolist()


def _monitoring(recipe: Recipe, quantities: Sequence[str]) -> Recipe:
    """The recipe, monitoring these quantities too, each once."""
    wanted = tuple(dict.fromkeys((*recipe.monitored, *quantities)))
    return replace(recipe, monitor=wanted)
