"""Drawings of several clients that wait at the same time, read in one pass through the network."""

import asyncio
from collections.abc import Callable
from typing import NamedTuple

from firsthand.errors import FirsthandError
from firsthand.models import Classifier

from .drawing import Drawing, Reading, read_drawings

__all__ = ["Together"]

MOST = 128  # drawings in one pass: the largest size that the networks are compiled for


class _Waiting(NamedTuple):
    model: Callable[[], Classifier]  # loads it where it must
    drawing: Drawing
    answer: asyncio.Future[Reading]


class Together:
    """Reads what has come while the last pass was computed, in the next one.

    Args:
        compute: calls a function outside of the loop that answers everybody.
    """

    def __init__(self, compute: Callable) -> None:
        self._compute = compute
        self._waiting: list[_Waiting] = []
        self._task: asyncio.Task[None] | None = None

    async def read(self, model: Callable[[], Classifier], drawing: Drawing) -> Reading:
        """Read a drawing; errors as `read_drawings`."""
        answer: asyncio.Future[Reading] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(model, drawing, answer))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._work())
        return await answer

    async def _work(self) -> None:
        while self._waiting:
            some, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
            some = [one for one in some if not one.answer.cancelled()]
            try:
                readings = await self._compute(_read, some)
            except Exception as error:  # of the pass: each of those who wait for it is told
                readings = [error] * len(some)
            for one, reading in zip(some, readings, strict=True):
                if one.answer.done():
                    continue
                if isinstance(reading, Exception):
                    one.answer.set_exception(reading)
                else:
                    one.answer.set_result(reading)


def _read(some: list[_Waiting]) -> list[Reading | Exception]:
    answers: list[Reading | Exception] = [FirsthandError("drawing: not read")] * len(some)
    groups: dict[int, tuple[Classifier, list[int]]] = {}
    for place, one in enumerate(some):
        try:
            model = one.model()
            groups.setdefault(id(model), (model, []))[1].append(place)
        except Exception as error:  # a model that cannot be loaded is no fault of the others
            answers[place] = error
    for model, places in groups.values():
        drawings = [some[place].drawing.ink for place in places]
        for place, reading in zip(places, read_drawings(drawings, model), strict=True):
            answers[place] = reading
    return answers
