"""Drawings of several clients that wait at the same time, read in one pass."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

import numpy as np

from firsthand.errors import FirsthandError
from firsthand.models import Classifier

from .drawing import Drawing

__all__ = ["Together"]

R = TypeVar("R")


class _Waiting(NamedTuple):
    model: Callable[[], Classifier]  # loads it where it must
    drawing: Drawing
    answer: asyncio.Future[Any]


class Together(Generic[R]):
    """Reads what has come while the last pass was computed, in the next one.

    Args:
        read: what is read from drawings with a model, one for each.
        compute: calls a function outside of the loop that answers everybody.
        most: drawings in one pass; those of the first who came are read first.
    """

    def __init__(
        self,
        read: Callable[[Sequence[np.ndarray], Classifier], list[R]],
        compute: Callable[..., Awaitable[Any]],
        most: int,
    ) -> None:
        self._read_all, self._compute, self._most = read, compute, most
        self._waiting: list[_Waiting] = []
        self._task: asyncio.Task[None] | None = None

    @property
    def busy(self) -> bool:
        """True if who comes now has to wait for others."""
        return self._task is not None and not self._task.done()

    async def read(self, model: Callable[[], Classifier], drawing: Drawing) -> R:
        """Read a drawing; errors as those of the model and of what reads."""
        answer: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(model, drawing, answer))
        if not self.busy:
            self._task = asyncio.create_task(self._work())
        return await answer

    async def _work(self) -> None:
        while self._waiting:
            some, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
            some = [one for one in some if not one.answer.cancelled()]
            try:
                readings = await self._compute(self._pass, some)
            except Exception as error:  # of the pass: each of those who wait for it is told
                readings = [error] * len(some)
            for one, reading in zip(some, readings, strict=True):
                if one.answer.done():
                    continue
                if isinstance(reading, Exception):
                    one.answer.set_exception(reading)
                else:
                    one.answer.set_result(reading)

    def _pass(self, some: list[_Waiting]) -> list[R | Exception]:
        answers: list[R | Exception] = [FirsthandError("drawing: not read")] * len(some)
        groups: dict[int, tuple[Classifier, list[int]]] = {}
        for place, one in enumerate(some):
            try:
                model = one.model()
                groups.setdefault(id(model), (model, []))[1].append(place)
            except Exception as error:  # a model that cannot be loaded is no fault of the others
                answers[place] = error
        for model, places in groups.values():
            drawings = [some[place].drawing.ink for place in places]
            for place, reading in zip(places, self._read_all(drawings, model), strict=True):
                answers[place] = reading
        return answers
