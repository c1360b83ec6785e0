"""What the commands share: options, and what the names that a user gives stand for."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from firsthand.errors import FirsthandError

if TYPE_CHECKING:
    from firsthand.experiments import NamedRecipe
    from firsthand.learning import DataSplits, Ensemble, Model

__all__ = [
    "DataName",
    "Device",
    "Json",
    "ModelPath",
    "expand",
    "find_model",
    "find_reader",
    "find_recipe",
    "load_splits",
    "use_device",
]

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


def use_device(device: str | None) -> None:
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


def find_recipe(name: str, overrides: dict[str, Any]) -> "NamedRecipe":
    from firsthand.experiments import RECIPES

    if name not in RECIPES:
        raise FirsthandError(f"--recipe: found {name!r}, expected one of {', '.join(RECIPES)}")
    return RECIPES[name].changed(**overrides)


def load_splits(name: str, examples: int | None, seed: int, whole: bool = False) -> "DataSplits":
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


def expand(splits: "DataSplits") -> "DataSplits":
    """The same with the book's expanded set as training data."""
    from firsthand.data import Splits, augment

    return Splits(augment.expanded(splits.train), splits.validation, splits.test)


def find_model(path: Path | None, quiet: bool) -> "Model | Ensemble":
    from firsthand.learning import load_model

    if path is None:
        candidates = sorted(Path("runs").glob("*/model.safetensors"), key=lambda p: p.stat().st_mtime)
        if not candidates:
            raise FirsthandError("no model under runs/: train one with `firsthand train`, or name one with --model")
        path = candidates[-1]
        if not quiet:
            print(f"model: {path}", file=sys.stderr)
    return load_model(path)


def find_reader(path: Path | None) -> "Model | Ensemble":
    """The model of a file, or the one in the box: what reads must not depend on the folder one stands in."""
    if path is None:
        from firsthand.reading import boxed_model

        return boxed_model()
    from firsthand.learning import load_model

    return load_model(path)
