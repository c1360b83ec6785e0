"""`firsthand train`."""

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from firsthand.errors import FirsthandError

from .common import DataName, Device, Json, find_recipe, load_splits, use_device

if TYPE_CHECKING:
    from firsthand.data import Dataset
    from firsthand.experiments import NamedRecipe
    from firsthand.learning import DataSplits, Model, Training
    from firsthand.report import RunFolder

__all__ = ["train"]


def train(
    recipe: Annotated[str, typer.Option(help="What to train; `firsthand summary` lists the names.")] = "digit-reader",
    data: DataName = "mnist",
    epochs: Annotated[int | None, typer.Option(help="Passes over the training data.")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Examples in a mini-batch.")] = None,
    learning_rate: Annotated[float | None, typer.Option(help="Constant learning rate.")] = None,
    momentum: Annotated[float | None, typer.Option(help="Share of the last step that is kept.")] = None,
    l2: Annotated[float | None, typer.Option("--l2", help="Strength of the L2 penalty (lambda / n).")] = None,
    l1: Annotated[float | None, typer.Option("--l1", help="Strength of the L1 penalty.")] = None,
    label_smoothing: Annotated[
        float | None, typer.Option(help="Share of the target that is spread over all classes.")
    ] = None,
    average: Annotated[float | None, typer.Option(help="Decay of the moving average of the parameters.")] = None,
    patience: Annotated[int | None, typer.Option(help="Stop after so many epochs without improvement.")] = None,
    halvings: Annotated[int | None, typer.Option(help="Halve the rate so often before stopping.")] = None,
    examples: Annotated[int | None, typer.Option(help="Use only the first so many training images.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of all randomness.")] = 0,
    out: Annotated[
        Path | None, typer.Option(help="New folder for the results.", show_default="runs/DATE-RECIPE")
    ] = None,
    resume: Annotated[Path | None, typer.Option(help="Folder of a run that did not finish: go on with it.")] = None,
    device: Device = None,
    as_json: Json = False,
) -> None:
    """Train a network; by default the digit reader, on the MNIST images in the box."""
    overrides = {
        "epochs": epochs,
        "batch_size": batch_size,
        "learning_rate": learning_rate,
        "momentum": momentum,
        "l2": l2,
        "l1": l1,
        "label_smoothing": label_smoothing,
        "average": average,
        "patience": patience,
        "halvings": halvings,
    }
    settings = {
        "recipe": recipe,
        "data": data,
        "examples": examples,
        "seed": seed,
        "overrides": {name: value for name, value in overrides.items() if value is not None},
    }
    started = time.perf_counter()
    use_device(device)
    from firsthand.report import RunFolder, new_run_folder

    folder = None if resume is None else RunFolder(resume)
    if folder is not None:
        settings = _read_settings(folder)
        if folder.model.exists() and not folder.checkpoint.exists():
            raise FirsthandError(f"--resume: the run in {folder.path} is complete; its model is {folder.model}")
        folder.remove_leftovers()
    chosen = find_recipe(settings["recipe"], settings["overrides"])
    splits = load_splits(settings["data"], settings["examples"], settings["seed"])
    if folder is None:
        folder = new_run_folder(out, chosen.name)
        folder.settings.write_text(json.dumps(settings, indent=1) + "\n")
    _train(chosen, splits, settings["seed"], folder, resume is not None, as_json, started)


def _train(
    chosen: "NamedRecipe",
    splits: "DataSplits",
    seed: int,
    folder: "RunFolder",
    resume: bool,
    as_json: bool,
    started: float,
) -> None:
    import jax

    from firsthand.learning import Diverged
    from firsthand.learning import train as run
    from firsthand.nn import Network
    from firsthand.report import write_run
    from firsthand.report.console import show_progress

    network = Network(chosen.layers, splits.train.images.shape[1:])
    failure = None
    try:
        with show_progress(as_json) as progress:
            training = run(
                network,
                splits,
                chosen.recipe,
                key=jax.random.key(seed),
                progress=progress,
                checkpoint=folder.checkpoint,
                resume=resume and folder.checkpoint.exists(),
            )
    except Diverged as error:
        if error.training is None:
            raise
        training, failure = error.training, error
    except KeyboardInterrupt:
        raise FirsthandError("interrupted before the first epoch was complete: nothing to keep") from None
    training = _calibrated(training, splits.validation)
    seconds = time.perf_counter() - started
    write_run(folder, training, splits.test, seconds)
    interrupted = training.history.stopped.startswith("interrupted")
    if not interrupted and failure is None:
        folder.checkpoint.unlink(missing_ok=True)
    if failure is not None:
        raise FirsthandError(f"{failure}; the last good epoch is kept in {folder.model}")
    _print_training(training.model, training.history.stopped, folder, seconds, as_json)
    if interrupted:
        print(f"firsthand: go on with: firsthand train --resume {folder.path}", file=sys.stderr)
        raise typer.Exit(130)


def _calibrated(training: "Training", validation: "Dataset | None") -> "Training":
    """The training with the temperature of its model fitted, where the validation data determine one."""
    from firsthand.learning import CalibrationError, fit_temperature

    if validation is None:
        return training
    try:
        return training._replace(model=fit_temperature(training.model, validation))
    except CalibrationError as error:
        print(f"firsthand: probabilities are not calibrated: {error}", file=sys.stderr)
        return training


def _print_training(model: "Model", stopped: str, folder: "RunFolder", seconds: float, as_json: bool) -> None:
    accuracies = model.provenance["accuracies"]
    if as_json:
        result = {"event": "done", "accuracies": accuracies, "seconds": seconds, "stopped": stopped}
        result["temperature"] = model.temperature
        print(json.dumps({**result, "model": str(folder.model), "report": str(folder.report)}))
        return
    best = model.provenance["best_epoch"]
    shown = ", ".join(f"{name} {value:.2%}" for name, value in accuracies.items())
    print(f"{stopped}, {seconds:.0f} s" + (f", best on validation data: epoch {best}" if best else ""))
    print(f"accuracy: {shown}")
    if model.temperature is not None:
        about = model.provenance["calibration"]
        costs = f"{about['nll_before']:.4f} to {about['nll_after']:.4f}"
        print(f"calibrated: temperature {model.temperature:.3f}, validation NLL from {costs}")
    print(f"model:    {folder.model}\nreport:   {folder.report}")


def _read_settings(folder: "RunFolder") -> dict[str, Any]:
    try:
        return json.loads(folder.settings.read_text())
    except (OSError, json.JSONDecodeError):
        raise FirsthandError(f"--resume: {folder.path} is no folder of a run (no readable settings.json)") from None
