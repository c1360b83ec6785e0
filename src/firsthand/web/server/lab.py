"""The state that the routes share: the models, and how much may happen at once."""

import asyncio
import base64
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Annotated, Any, ParamSpec, TypeVar

import numpy as np
from fastapi import Depends
from pydantic import BaseModel
from starlette.requests import HTTPConnection

from firsthand.data import Dataset
from firsthand.inspect import Neighbours
from firsthand.processes import cores

from .drawing import Glance, Reading, glance, read_pages
from .shelf import Shelf, TextShelf
from .studies import Studies
from .together import Together
from .trainings import Trainings

__all__ = ["REFUSALS", "REFUSALS_IN_JSON", "Error", "Lab", "TheLab", "base64_of", "rounded"]

P = ParamSpec("P")
R = TypeVar("R")

STROKES = 128  # drawings that are glanced at in one pass: the largest size that the networks are compiled for
PAGES = 8  # drawings that are read as pages in one pass: the first who waits does so for all of them


class Error(BaseModel):
    """The body of every refusal: one line."""

    error: str


_REFUSED = {
    400: "a body that is no JSON",
    403: "asked by another site's page",
    404: "no such thing",
    413: "a body that is too large",
    421: "asked under another name than this lab's",
    422: "something that cannot be used",
}
# for routers, and for routes that answer with something else than JSON
REFUSALS: dict[int | str, dict[str, Any]] = {
    code: {"model": Error, "description": about} for code, about in _REFUSED.items()
}
REFUSALS_IN_JSON: dict[int | str, dict[str, Any]] = {
    code: {
        "description": about,
        "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{Error.__name__}"}}},
    }
    for code, about in _REFUSED.items()
}


@dataclass
class Lab:
    """One lab.

    Args:
        shelf: its models of images.
        trainings: its trainings.
        results: folder of the experiments' results.
        text_model: file of the language model to begin with; the bundled one if not given.
    """

    shelf: Shelf
    trainings: Trainings
    results: Path
    # as many at once as there are cores: more would only wait for each other, with their memory taken
    pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(len(cores()), "lab"))
    slow: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "lab-study"))
    # pages never take the cores that strokes wait for
    careful: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "lab-page"))
    studies: Studies = field(default_factory=Studies)
    text_model: Path | None = None

    def __post_init__(self) -> None:
        self.texts = TextShelf(self.text_model, self.shelf.runs)
        self.strokes: Together[Glance] = Together(glance, self.compute, STROKES)
        self.pages: Together[Reading] = Together(read_pages, partial(_called, self.careful), PAGES)

    async def compute(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Call what takes milliseconds, outside of the loop that answers everybody."""
        return await _called(self.pool, function, *args, **kwargs)

    async def study(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Call what may take seconds: one after the other, so that who draws does not wait."""
        return await _called(self.slow, function, *args, **kwargs)

    def tested(self, name: str | None) -> tuple[Dataset, np.ndarray, np.ndarray]:
        """See `Studies.tested`, of a model on the shelf."""
        return self.studies.tested(self.shelf.model(name))

    def neighbours(self, name: str | None) -> Neighbours | None:
        """See `Studies.neighbours`, of a model on the shelf, or the first of an ensemble."""
        return self.studies.neighbours(self.shelf.single(name))


async def _called(pool: ThreadPoolExecutor, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    return await asyncio.get_running_loop().run_in_executor(pool, partial(function, *args, **kwargs))


def _lab(connection: HTTPConnection) -> Lab:
    return connection.app.state.lab


TheLab = Annotated[Lab, Depends(_lab)]


def base64_of(pixels: np.ndarray) -> str:
    """Bytes, row by row, as base64: a fifth of what a list of numbers takes."""
    return base64.b64encode(np.ascontiguousarray(pixels, np.uint8).data).decode()


def rounded(values: Any, digits: int = 5) -> Any:
    """Numbers, in whatever shape, as plain lists, rounded to this many decimals."""
    return np.round(np.asarray(values, np.float64), digits).tolist()
