"""The command line: `firsthand train`, `evaluate`, `predict`, `summary`, `data`, `doctor`.

Heavy imports stand inside the commands, so that `firsthand --help` answers at once.
"""

import dataclasses
import json
import logging
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from firsthand.errors import FirsthandError

if TYPE_CHECKING:
    from firsthand.data import Dataset
    from firsthand.experiments import NamedRecipe
    from firsthand.learning import DataSplits, Model
    from firsthand.report import RunFolder

__all__ = ["app", "main"]

app = typer.Typer(
    help="Neural networks, first hand: train them, look inside them, read handwritten digits.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)

Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs instead of text.")]
Device = Annotated[str | None, typer.Option(help="Where to compute: cpu, gpu or tpu; chosen by JAX if not given.")]
DataName = Annotated[
    str,
    typer.Option(
        "--data",
        help="mnist, fashion-mnist, kmnist, emnist-digits, a folder of class-named folders, or an .npz file.",
    ),
]
ModelPath = Annotated[
    Path | None,
    typer.Option("--model", help="Model file; the newest under runs/ if not given.", show_default=False),
]


def main() -> None:
    """Run the command line; what a user got wrong becomes one line and exit code 2."""
    # large downloads are announced, so that nobody waits without knowing for what
    logging.basicConfig(format="firsthand: %(message)s")
    logging.getLogger("firsthand").setLevel(logging.INFO)
    try:
        app()
    except (FirsthandError, OSError) as error:
        print(f"firsthand: {' '.join(str(error).split())}", file=sys.stderr)
        sys.exit(2)


@app.command()
def train(
    recipe: Annotated[str, typer.Option(help="What to train; `firsthand summary` lists the names.")] = "digit-reader",
    data: DataName = "mnist",
    epochs: Annotated[int | None, typer.Option(help="Passes over the training data.")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Examples in a mini-batch.")] = None,
    learning_rate: Annotated[float | None, typer.Option(help="Constant learning rate.")] = None,
    momentum: Annotated[float | None, typer.Option(help="Share of the last step that is kept.")] = None,
    l2: Annotated[float | None, typer.Option("--l2", help="Strength of the L2 penalty (lambda / n).")] = None,
    patience: Annotated[int | None, typer.Option(help="Stop after so many epochs without improvement.")] = None,
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
        "patience": patience,
    }
    settings = {
        "recipe": recipe,
        "data": data,
        "examples": examples,
        "seed": seed,
        "overrides": {name: value for name, value in overrides.items() if value is not None},
    }
    started = time.perf_counter()
    _use_device(device)
    from firsthand.report import RunFolder, new_run_folder

    folder = None if resume is None else RunFolder(resume)
    if folder is not None:
        settings = _read_settings(folder)
        if folder.model.exists() and not folder.checkpoint.exists():
            raise FirsthandError(f"--resume: the run in {folder.path} is complete; its model is {folder.model}")
        folder.remove_leftovers()
    chosen = _recipe(settings["recipe"], settings["overrides"])
    splits = _splits(settings["data"], settings["examples"], settings["seed"])
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


def _print_training(model: "Model", stopped: str, folder: "RunFolder", seconds: float, as_json: bool) -> None:
    accuracies = model.provenance["accuracies"]
    if as_json:
        result = {"event": "done", "accuracies": accuracies, "seconds": seconds, "stopped": stopped}
        print(json.dumps({**result, "model": str(folder.model), "report": str(folder.report)}))
        return
    best = model.provenance["best_epoch"]
    shown = ", ".join(f"{name} {value:.2%}" for name, value in accuracies.items())
    print(f"{stopped}, {seconds:.0f} s" + (f", best on validation data: epoch {best}" if best else ""))
    print(f"accuracy: {shown}")
    print(f"model:    {folder.model}\nreport:   {folder.report}")


@app.command()
def evaluate(model: ModelPath = None, data: DataName = "mnist", device: Device = None, as_json: Json = False) -> None:
    """Accuracy of a model on a data set: on its test images if it has such a part."""
    _use_device(device)
    from firsthand.inspect import confusion_matrix

    found = _model(model, quiet=as_json)
    splits = _splits(data, None, 0, whole=True)
    test = splits.test if splits.test is not None else splits.train
    started = time.perf_counter()
    found.check_fits(test)
    predicted = found.predict(test.images)
    seconds = time.perf_counter() - started
    matrix = confusion_matrix(test.labels, predicted, len(found.classes))
    right = int(matrix.trace())
    if as_json:
        result = {"accuracy": right / len(test), "correct": right, "n": len(test), "seconds": seconds}
        print(json.dumps({**result, "confusion": matrix.tolist(), "classes": list(found.classes)}))
        return
    print(f"accuracy: {right / len(test):.2%} ({right:,} of {len(test):,} right, {seconds:.2f} s)")
    wrong = [(int(n), i, j) for (i, j), n in _enumerate(matrix) if i != j and n]
    for n, i, j in sorted(wrong, reverse=True)[:5]:
        print(f"  {found.classes[i]} called {found.classes[j]}: {n} times")


@app.command()
def predict(
    images: Annotated[list[Path], typer.Argument(help="Image files, one digit each.")],
    model: ModelPath = None,
    top: Annotated[int, typer.Option(help="How many candidates to name.")] = 3,
    device: Device = None,
    as_json: Json = False,
) -> None:
    """Name the digit on each image, with probabilities."""
    _use_device(device)
    import numpy as np

    from firsthand.data import load_image

    found = _model(model, quiet=as_json)
    shape = _image_shape(found)
    results = []
    for path in images:
        image = load_image(path, shape)
        (best,) = found.top_k(np.asarray(image.pixels)[None], top)
        results.append({"image": str(path), "label": best[0][0], "candidates": dict(best), "notes": image.notes})
        if not as_json:
            shown = ", ".join(f"{name} {probability:.1%}" for name, probability in best)
            print(f"{path}: {best[0][0]}  ({shown})" + "".join(f"\n  {note}" for note in image.notes))
    if as_json:
        print(json.dumps(results))


@app.command()
def summary(
    model: Annotated[Path | None, typer.Option("--model", help="Model file to describe.")] = None,
    recipe: Annotated[str | None, typer.Option(help="Recipe to describe.")] = None,
    as_json: Json = False,
) -> None:
    """Describe a model or a recipe: layers, shapes, parameters, multiply-adds; without either, list the recipes."""
    from firsthand.experiments import RECIPES
    from firsthand.nn import Network, to_json

    if model is None and recipe is None:
        if as_json:
            print(json.dumps({name: found.about for name, found in RECIPES.items()}))
        else:
            for name, found in RECIPES.items():
                print(f"{name:18} {found.about}")
        return
    if model is not None:
        loaded = _model(model, quiet=True)
        network, about = loaded.network, loaded.provenance
    else:
        chosen = _recipe(recipe or "", {})
        network, about = Network(chosen.layers), {"recipe": chosen.recipe.to_json()}
    if as_json:
        print(json.dumps({"network": to_json(network), "parameters": network.parameter_count, **about}))
        return
    print(network.summary())
    for name, value in about.items():
        print(f"{name}: {value if isinstance(value, str | int) else json.dumps(value)}")


@app.command()
def data(
    name: Annotated[str, typer.Argument(help="Which data, as for `train --data`.")] = "mnist",
    export: Annotated[Path | None, typer.Option(help="Write test images as PNG into this new folder.")] = None,
    count: Annotated[int, typer.Option(help="How many images to write.")] = 20,
    as_json: Json = False,
) -> None:
    """Show what a data set holds; write some of its images as files, in one folder per class."""
    splits = _splits(name, None, 0, whole=True)
    parts = {part: getattr(splits, part) for part in ("train", "validation", "test")}
    parts = {part: found for part, found in parts.items() if found is not None}
    if as_json:
        print(
            json.dumps(
                {
                    part: {
                        "n": len(found),
                        "image_shape": found.image_shape,
                        "class_counts": dict(zip(found.classes, found.class_counts().tolist(), strict=True)),
                        "sha256": found.digest,
                    }
                    for part, found in parts.items()
                }
            )
        )
    else:
        for part, found in parts.items():
            counts = "  ".join(f"{c}: {n}" for c, n in zip(found.classes, found.class_counts(), strict=True))
            shape = "x".join(map(str, found.image_shape))
            print(f"{part:11} {len(found):7,} images {shape}   {counts}")
    if export is not None:
        written = _export(list(parts.values())[-1][:count], export)
        print(f"{written} images written to {export}", file=sys.stderr)


@app.command()
def doctor(as_json: Json = False) -> None:
    """Say what this installation computes with: versions, devices, and which convolution is active and why."""
    import jax

    from firsthand import kernels
    from firsthand.files import describe_machine, versions

    native = dataclasses.asdict(kernels.status())
    facts: dict[str, Any] = {
        "machine": describe_machine(),
        "versions": versions(),
        "devices": [f"{d.platform}: {d.device_kind}" for d in jax.devices()],
        "kernels": native,
    }
    if as_json:
        print(json.dumps(facts))
        return
    for name, value in facts.items():
        if isinstance(value, dict):
            value = ", ".join(f"{key} {item}" for key, item in value.items() if item not in (None, ""))
        elif isinstance(value, list):
            value = ", ".join(value)
        print(f"{name + ':':10} {value}")


def _use_device(device: str | None) -> None:
    import jax

    if device is None:
        return
    platform = {"cpu": "cpu", "gpu": "cuda", "tpu": "tpu"}.get(device)
    if platform is None:
        raise FirsthandError(f"--device: found {device!r}, expected cpu, gpu or tpu")
    jax.config.update("jax_platforms", platform)
    try:
        jax.devices()
    except RuntimeError as error:
        raise FirsthandError(f"--device {device}: not available here ({error})") from None


def _recipe(name: str, overrides: dict[str, Any]) -> "NamedRecipe":
    from firsthand.experiments import RECIPES

    if name not in RECIPES:
        raise FirsthandError(f"--recipe: found {name!r}, expected one of {', '.join(RECIPES)}")
    chosen = RECIPES[name]
    schedule = chosen.recipe.learning_rate
    if "epochs" in overrides and dataclasses.is_dataclass(schedule) and "learning_rate" not in overrides:
        # a schedule that ends with the recipe has to end with the shorter or longer one too
        overrides = overrides | {"learning_rate": dataclasses.replace(schedule, epochs=max(1, overrides["epochs"]))}
    return dataclasses.replace(chosen, recipe=dataclasses.replace(chosen.recipe, **overrides))


def _splits(name: str, examples: int | None, seed: int, whole: bool = False) -> "DataSplits":
    """The named data in their three parts; a user's own are divided 8:1:1, or left whole as the first part."""
    from firsthand import data as sources

    named = {
        "mnist": sources.mnist,
        "fashion-mnist": sources.fashion_mnist,
        "kmnist": sources.kmnist,
        "emnist-digits": sources.emnist_digits,
    }
    if name in named:
        splits = named[name]()
    elif not Path(name).exists():
        raise FirsthandError(f"--data: found {name!r}, expected {', '.join(named)}, a folder or an .npz file")
    else:
        own = sources.load(Path(name))
        splits = sources.Splits(own, None, None) if whole else sources.Splits(*own.split(0.8, 0.1, 0.1, seed=seed))
    if examples is None:
        return splits
    if not 1 <= examples <= len(splits.train):
        raise FirsthandError(f"--examples: found {examples}, expected 1 to {len(splits.train)}")
    return splits._replace(train=splits.train[:examples])


def _model(path: Path | None, quiet: bool) -> "Model":
    from firsthand.learning import Model

    if path is None:
        candidates = sorted(Path("runs").glob("*/model.safetensors"), key=lambda p: p.stat().st_mtime)
        if not candidates:
            raise FirsthandError("no model under runs/: train one with `firsthand train`, or name one with --model")
        path = candidates[-1]
        if not quiet:
            print(f"model: {path}", file=sys.stderr)
    return Model.load(path)


def _image_shape(model: "Model") -> tuple[int, int, int]:
    shape = model.network.input_shape
    if len(shape) != 3:
        raise FirsthandError(f"model: it reads inputs of shape {shape}, not images")
    height, width, channels = shape
    return height, width, channels


def _read_settings(folder: "RunFolder") -> dict[str, Any]:
    try:
        return json.loads(folder.settings.read_text())
    except (OSError, json.JSONDecodeError):
        raise FirsthandError(f"--resume: {folder.path} is no folder of a run (no readable settings.json)") from None


def _export(dataset: "Dataset", folder: Path) -> int:
    from PIL import Image

    try:
        folder.mkdir(parents=True)
    except FileExistsError:
        raise FirsthandError(f"--export: {folder} exists already, expected a new folder") from None
    for number, (pixels, label) in enumerate(zip(dataset.images, dataset.labels, strict=True)):
        place = folder / dataset.classes[label]
        place.mkdir(exist_ok=True)
        Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels).save(place / f"{number:05}.png")
    return len(dataset)


def _enumerate(matrix: Any) -> Any:
    import numpy as np

    return np.ndenumerate(matrix)
