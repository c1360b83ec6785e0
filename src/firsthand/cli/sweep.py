"""`firsthand sweep`."""

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from firsthand.errors import FirsthandError
from firsthand.files import write_atomically, write_saved

from .common import DataName, Device, Invert, Json, Seed, Size, check_scheduler, expand, use_device
from .compared import Epochs, Examples, Recipe, find_compared
from .streams import go_on_without_output

__all__ = ["sweep"]


def sweep(
    values: Annotated[
        list[str], typer.Option(help="FIELD=A,B,C: a numeric field of the recipe, or dropout; once per field.")
    ],
    recipe: Recipe = "digit-reader",
    data: DataName = "mnist",
    invert: Invert = None,
    size: Size = None,
    epochs: Epochs = None,
    examples: Examples = None,
    seed: Seed = 0,
    out: Annotated[
        Path | None, typer.Option(help="New folder for table and figure.", show_default="runs/DATE-sweep-RECIPE")
    ] = None,
    scheduler: Annotated[
        str | None,
        typer.Option(
            help="Train on the workers of a Dask scheduler, as in tcp://node0:8786; --out is in a folder that all "
            "machines share.",
            metavar="ADDRESS",
        ),
    ] = None,
    device: Device = None,
    as_json: Json = False,
) -> None:
    """Train a recipe with several values of its settings, and compare: a table, and a picture of the cost curves."""
    go_on_without_output()
    lists = dict(map(_values, values))
    check_scheduler(scheduler, {"--device": device})
    use_device(device)
    import jax

    from firsthand.data import Splits
    from firsthand.learning import plan, show_progress
    from firsthand.report import new_run_folder
    from firsthand.search import plots
    from firsthand.search import sweep as run
    from firsthand.search.sweep import combinations

    chosen, splits = find_compared(
        "sweep", recipe, data, epochs=epochs, examples=examples, seed=seed, size=size, invert=invert
    )
    if chosen.expanded:
        splits = expand(splits)
    splits = Splits(splits.train, splits.validation, None)  # a setting must not be chosen by the test images
    network = chosen.network(splits.train)
    try:  # what cannot be tried is refused before it is announced
        count = len(combinations(network, chosen.recipe, lists)[0])
    except FirsthandError as error:
        raise FirsthandError(f"--values: {str(error).removeprefix('sweep: ')}") from None
    if out is not None and out.exists():
        raise FirsthandError(f"{out}: exists already, expected a new folder")
    if not as_json:
        print(plan(count) if scheduler is None else f"{count} trainings, each a task of {scheduler}")
    quantity = chosen.recipe.objective.quantities[0]
    try:
        with _checkpoints(scheduler, out) as checkpoint, show_progress(as_json, count, quantity) as progress:
            given: dict[str, Any] = {"checkpoint": checkpoint, "scheduler": scheduler, **lists}
            result = run(network, splits, chosen.recipe, key=jax.random.key(seed), progress=progress, **given)
    except KeyboardInterrupt:
        raise FirsthandError("interrupted before every training had an epoch: nothing to compare") from None
    rows, folder = result.rows(), new_run_folder(out, f"sweep-{chosen.name}").path
    write_atomically(folder / "sweep.json", json.dumps(rows, indent=1) + "\n")
    figure = plots.plot_sweep(result)
    write_saved(folder / "sweep.png", lambda file: figure.savefig(file, format="png", dpi=110))
    if as_json:
        print(json.dumps({"event": "done", "rows": rows, "best": result.best.settings, "folder": str(folder)}))
        return
    print(result)
    print(f"best on validation data: {', '.join(f'{name} {value:g}' for name, value in result.best.settings.items())}")
    print(f"table and figure: {folder}")


@contextmanager
def _checkpoints(scheduler: str | None, out: Path | None) -> Iterator[Path | None]:
    """The beginning of the checkpoints' names on a cluster, in a folder beside that of the results; None without one.

    The folder goes with the block: it is there for workers that are lost.
    """
    if scheduler is None:
        yield None
        return
    parent = Path("runs") if out is None else out.absolute().parent
    parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=parent, prefix=".sweep-", ignore_cleanup_errors=True) as folder:
        yield Path(folder) / "checkpoint"


def _values(text: str) -> tuple[str, list[float]]:
    """'l2=0,1e-4' as the field and its values."""
    name, _, rest = text.partition("=")
    try:
        return name, [_number(value) for value in rest.split(",")]
    except ValueError:
        raise FirsthandError(f"--values: found {text!r}, expected FIELD=A,B,C of numbers") from None


def _number(text: str) -> float:
    return int(text) if text.strip().isdecimal() else float(text)
