"""What the routes share: the models, and how much may happen at once."""

import asyncio
import base64
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, ParamSpec, TypeVar

import numpy as np
from fastapi import Depends
from pydantic import BaseModel
from starlette.requests import HTTPConnection

from .shelf import Shelf
from .trainings import Trainings

__all__ = ["Error", "Lab", "TheLab", "base64_of", "cores", "rounded"]

P = ParamSpec("P")
R = TypeVar("R")


class Error(BaseModel):
    """What every refusal is: one line."""

    error: str


def cores() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(cores(), "lab")


@dataclass
class Lab:
    """One lab.

    Args:
        shelf: its models.
        trainings: its trainings.
        results: folder of the experiments' results.
    """

    shelf: Shelf
    trainings: Trainings
    results: Path
    # as many at once as there are cores: more would only wait for each other, with their memory taken
    pool: ThreadPoolExecutor = field(default_factory=_pool)

    async def compute(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Call what takes time outside of the loop that answers everybody."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self.pool, lambda: function(*args, **kwargs))


def _lab(connection: HTTPConnection) -> Lab:
    return connection.app.state.lab


TheLab = Annotated[Lab, Depends(_lab)]


def base64_of(pixels: np.ndarray) -> str:
    """Bytes, row by row, as base64: a fifth of what a list of numbers takes."""
    return base64.b64encode(np.ascontiguousarray(pixels, np.uint8).data).decode()


def rounded(values: Any, digits: int = 5) -> Any:
    """Numbers, in whatever shape, as plain lists with so many decimals."""
    return np.round(np.asarray(values, np.float64), digits).tolist()
