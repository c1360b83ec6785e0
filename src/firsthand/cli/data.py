"""`firsthand data`."""

import json
import re
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from firsthand.errors import FirsthandError
from firsthand.files import write_saved

from .common import Invert, Json, Size, load_splits, whole

if TYPE_CHECKING:
    from firsthand.data import Dataset

__all__ = ["data"]


def data(
    name: Annotated[str, typer.Argument(help="Which data, as for `train --data`.")] = "mnist",
    invert: Invert = None,
    size: Size = None,
    export: Annotated[
        Path | None, typer.Option(help="Write test images of every class as PNG into this new folder.")
    ] = None,
    count: Annotated[int, typer.Option(help="Number of images to write.", callback=whole(1))] = 20,
    as_json: Json = False,
) -> None:
    """Show what a data set holds; write some of its images as files, in one folder per class."""
    if export is not None and export.exists():
        raise FirsthandError(f"--export: {export} exists already, expected a new folder")
    splits = load_splits(name, None, 0, whole=True, size=size, invert=invert, option="data")
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
        written = _export(list(parts.values())[-1], count, export)
        print(f"{written} images written to {export}", file=sys.stderr)


def _export(dataset: "Dataset", count: int, folder: Path) -> int:
    """Write the first images, as many of every class as there are; each is called by its number in the data."""
    import numpy as np
    from PIL import Image

    before = np.zeros(len(dataset), int)  # images of the same class in front of each
    for label in range(len(dataset.classes)):
        own = dataset.labels == label
        before[own] = np.arange(own.sum())
    chosen = np.sort(np.lexsort((np.arange(len(dataset)), before))[:count])

    folder.mkdir(parents=True)
    for number in chosen:
        pixels, label = dataset.images[number], dataset.labels[number]
        place = folder / _folder_name(dataset.classes[label])
        place.mkdir(exist_ok=True)
        picture = Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)
        write_saved(place / f"{number:05}.png", partial(picture.save, format="PNG"))
    return len(chosen)


def _folder_name(name: str) -> str:
    """The name of a class as one of a folder: a table may say '../a'."""
    plain = re.sub(r"[/\\:\0]", "_", name)
    return plain if plain.strip(". ") else f"_{plain}"
