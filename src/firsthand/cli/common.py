"""Options that the commands share, and the meaning of the names that a user gives."""

import logging
import sys
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from firsthand.errors import FirsthandError, nearest

from .habits import complete_data, complete_device

if TYPE_CHECKING:
    from firsthand.data import ImageSplits
    from firsthand.models import Ensemble, Model, NetworkModel
    from firsthand.zoo import NamedRecipe

__all__ = [
    "DATA_NAMES",
    "TEXT_NAMES",
    "DataName",
    "Device",
    "Invert",
    "Json",
    "ModelArgument",
    "ModelPath",
    "NewestModel",
    "Seed",
    "Size",
    "Threads",
    "change_recipe",
    "check_recipe",
    "check_scheduler",
    "check_whole",
    "expand",
    "find_model",
    "find_recipe",
    "find_trained",
    "load_splits",
    "one_of",
    "report_failed",
    "use_device",
    "whole",
]

MAX_SEED = 2**32 - 1  # JAX takes 32 bits, and silently the lower ones of more
MAX_MEMBERS = 1000
SOME_FAILED = 1  # exit code
MAX_SIZE = 1024


def check_whole(option: str, value: int, low: int, high: int | None = None) -> None:
    """Raise FirsthandError unless a number is one that can be used."""
    if value < low or (high is not None and value > high):
        expected = f"{low} or more" if high is None else f"{low} to {high}"
        raise FirsthandError(f"{option}: found {value}, expected {expected}")


def whole(low: int, high: int | None = None) -> Callable[..., int | None]:
    """A callback for an option that takes a whole number in a range, or none."""

    def checked(param: typer.CallbackParam, value: int | None) -> int | None:
        if value is not None:
            check_whole(param.opts[0], value, low, high)
        return value

    return checked


DATA_NAMES = ("mnist", "fashion-mnist", "kmnist", "emnist-digits")
TEXT_NAMES = ("shakespeare",)

Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs instead of text.")]
Device = Annotated[
    str | None,
    typer.Option(
        help="Where to compute: cpu, gpu or tpu.",
        show_default="JAX chooses",
        autocompletion=complete_device,
        metavar="KIND",
    ),
]
Threads = Annotated[
    int | None, typer.Option(help="Cores to compute on; the results are the same.", show_default="all it may use")
]
Seed = Annotated[int, typer.Option(help="Seed of all randomness.", callback=whole(0, MAX_SEED))]
DataName = Annotated[
    str,
    typer.Option(
        "--data",
        metavar="DATA",
        autocompletion=complete_data,
        help="mnist, fashion-mnist, kmnist, emnist-digits, a folder of class-named folders (or of train/ and test/ "
        "with these), .npz, .npy, .csv[.gz] or IDX.",
    ),
]
Invert = Annotated[
    bool | None,
    typer.Option(
        "--invert/--no-invert",
        help="Exchange dark and light in pictures of --data.",
        show_default="if most are dark on light",
    ),
]
Size = Annotated[
    int | None,
    typer.Option(
        help="Bring pictures of --data to N x N pixels, if they differ.",
        show_default="as they are",
        callback=whole(1, MAX_SIZE),
    ),
]
# one rule for all commands: the model that is named, else the bundled one; the newest where no such model is bundled
ModelPath = Annotated[
    Path | None,
    typer.Option(
        "--model",
        metavar="FILE",
        help="Model file, or 'last' for the newest under runs/.",
        show_default="the bundled digit reader",
    ),
]
NewestModel = Annotated[
    Path | None,
    typer.Option("--model", metavar="FILE", help="Model file.", show_default="the newest under runs/"),
]
ModelArgument = Annotated[
    Path | None, typer.Argument(metavar="MODEL", help="The model file, as with --model.", show_default=False)
]


def use_device(device: str | None) -> None:
    """Prepare for computing: on the device that is named, and with what earlier processes have compiled."""
    platform = {None: None, "cpu": "cpu", "gpu": "cuda", "tpu": "tpu"}.get(device, "")
    if platform == "":
        raise FirsthandError(f"--device: found {device!r}, expected cpu, gpu or tpu")
    from firsthand.compilation import keep_compilations

    keep_compilations()
    if platform is None:
        return
    import jax

    jax.config.update("jax_platforms", platform)
    try:
        jax.devices()
    except (RuntimeError, AssertionError) as error:  # JAX asserts that it has a platform at all
        reason = " ".join(str(error).split()) or f"JAX finds no {platform}"
        raise FirsthandError(f"--device {device}: not available here ({reason})") from None


def report_failed(failed: list[str], some_were_read: bool) -> None:
    """Say what could not be read of several pictures, and exit with 1, or 2 where none could be; not if all were."""
    for message in failed:
        print(f"firsthand: {message}", file=sys.stderr)
    if failed:
        raise typer.Exit(SOME_FAILED if some_were_read else 2)


def check_scheduler(scheduler: str | None, here: Mapping[str, Any] = MappingProxyType({})) -> None:
    """Find out whether the workers of a cluster can do the work, before anything is read or written.

    Args:
        scheduler: its address, if one was given.
        here: options that say how this machine does the work, with their values.
    Raises:
        FirsthandError: one of them was given, too; distributed is not installed, or no scheduler answers.
    """
    if scheduler is None:
        return
    for option, value in here.items():
        if value is not None:
            raise FirsthandError(
                f"{option}: found {value} beside --scheduler, whose workers compute on what they were started with; "
                "expected one of the two"
            )
    from firsthand.cluster import Cluster

    Cluster(scheduler).close()
    for name in ("distributed", "distributed.client"):  # that a scheduler is lost, we say in one line
        logging.getLogger(name).setLevel(logging.CRITICAL)


def check_recipe(name: str | None) -> None:
    """Raise FirsthandError where there is no recipe of that name; it answers before JAX is imported."""
    from firsthand.zoo.about import ABOUT

    if name is not None and name not in ABOUT:
        raise FirsthandError(f"--recipe: found {name!r}, expected one of {', '.join(ABOUT)}{nearest(name, ABOUT)}")


def find_recipe(name: str, overrides: dict[str, Any]) -> "NamedRecipe":
    check_recipe(name)
    from firsthand.zoo import RECIPES

    return change_recipe(RECIPES[name], overrides)


def change_recipe(recipe: "NamedRecipe", overrides: dict[str, Any]) -> "NamedRecipe":
    """The recipe with the values that options give its fields.

    Raises:
        FirsthandError: a value is out of its field's range; the message names the option.
    """
    from firsthand.learning import RecipeError

    try:
        return recipe.changed(**overrides)
    except RecipeError as error:
        if error.field not in overrides:
            raise
        option, found = error.field.replace("_", "-"), overrides[error.field]
        raise FirsthandError(f"--{option}: found {found}, expected {error.expected}") from None


def load_splits(
    name: str,
    examples: int | None,
    seed: int,
    whole: bool = False,
    size: int | tuple[int, ...] | None = None,
    parts: tuple[float, float, float] = (0.8, 0.1, 0.1),
    invert: bool | None = None,
    option: str = "--data",
) -> "ImageSplits":
    """The named data in their three parts; a user's own that have none are divided 8:1:1, or left whole as the first.

    Pictures of the user's own that are dark strokes on a light ground are inverted, all or none of a folder.

    Args:
        name: as --data names them.
        examples: how many training images to keep; None keeps all.
        seed: of the division of the user's own.
        whole: do not divide those.
        size: the side or (height, width) to which pictures are brought; by default they must have one size.
        parts: fractions for training, validation and test.
        invert: whether to exchange dark and light in pictures; None decides by most of them.
        option: where the name was given, for messages.
    """
    from firsthand import data as sources
    from firsthand.data.arrays import as_asked

    height_and_width = None if size is None else (size, size) if isinstance(size, int) else (size[0], size[1])
    if name in DATA_NAMES:
        splits = getattr(sources, name.replace("-", "_"))()
        splits = sources.Splits(*(as_asked(part, name, height_and_width, invert) for part in splits))
    elif not Path(name).exists():
        meant = nearest(Path(name).name, DATA_NAMES)
        raise FirsthandError(f"{option}: found {name!r}, expected {', '.join(DATA_NAMES)}, {sources.EXPECTED}{meant}")
    else:
        if whole:
            found = sources.load_parts(name, height_and_width, invert)
            first = found.pop("train" if "train" in found else next(iter(found)))
            splits = sources.Splits(first, found.get("validation"), found.get("test"))
        else:
            splits = sources.load_splits(name, height_and_width, invert, parts=parts, seed=seed)
    if examples is None:
        return splits
    if not 1 <= examples <= len(splits.train):
        raise FirsthandError(f"--examples: found {examples}, expected 1 to {len(splits.train)}")
    return splits._replace(train=splits.train[:examples])


def expand(splits: "ImageSplits") -> "ImageSplits":
    """The same with the book's expanded set as training data."""
    from firsthand.data import Splits, augment

    return Splits(augment.expanded(splits.train), splits.validation, splits.test)


def one_of(named: Path | None, model: Path | None) -> Path | None:
    """The model that is named without --model or with it."""
    if named is not None and model is not None:
        raise FirsthandError(f"--model: found {model} beside {named}, one of both expected")
    return model if named is None else named


def find_trained(path: Path | None, quiet: bool, families: Collection[str] = ()) -> "Ensemble | NetworkModel":
    """The model of a file, of whatever kind; without a name the newest under runs/ of these families.

    Args:
        path: of the file; None, or `LAST`: the newest.
        quiet: do not say which model it is where no file was named.
        families: that are asked for, as `models.FAMILIES` names them; none: all.
    """
    from firsthand.models import load

    return load(_model_file(path or LAST, quiet, families))


def find_model(path: Path | None, quiet: bool = True) -> "Model | Ensemble":
    """The classifier of a file, or the bundled one: what reads must not depend on the folder one stands in.

    Args:
        path: of the file; `LAST` is the newest under runs/.
        quiet: do not say which model it is where no file was named.
    """
    if path is None:
        from firsthand.reading import boxed_model

        if not quiet:
            print("model: the bundled digit reader; --model FILE or --model last takes another", file=sys.stderr)
        return boxed_model()
    from firsthand.models import load_model

    return load_model(_model_file(path, quiet))


LAST = Path("last")


def _model_file(path: Path, quiet: bool, families: Collection[str] = ()) -> Path:
    if path == LAST and not path.exists():
        from firsthand.models import family_of

        candidates = sorted(Path("runs").glob("*/model.safetensors"), key=lambda p: p.stat().st_mtime, reverse=True)
        newest = next((each for each in candidates if not families or family_of(each) in families), None)
        if newest is None:
            kind = f"{' or '.join(families)} " if families else ""
            raise FirsthandError(
                f"no {kind}model under runs/: train one with `firsthand train`, or name one with --model"
            )
        path = newest
        if not quiet:
            print(f"model: {path}", file=sys.stderr)
    return path
