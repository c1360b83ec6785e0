"""The WebSocket: drawings in, readings out."""

import asyncio
import json
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from fastapi import APIRouter
from starlette.websockets import WebSocket, WebSocketDisconnect

from firsthand.errors import FirsthandError
from firsthand.models import Classifier

from .drawing import Drawing, Found, Reading, unpack_drawing
from .lab import Lab, TheLab, base64_of, rounded

__all__ = ["router"]

MAX_TEXT = 500  # characters of a JSON message: too few to be nested too deeply for the parser

router = APIRouter()


def _digit(digit: Found) -> dict[str, Any]:
    return {
        "box": digit.box,
        "pixels": base64_of(digit.pixels),
        "shape": digit.pixels.shape,
        "label": digit.label,
        "probabilities": rounded(digit.probabilities),
        "is_digit": None if digit.is_digit is None else round(digit.is_digit, 4),
    }


@router.websocket("/api/live")
async def live(socket: WebSocket, lab: TheLab) -> None:
    """Read drawings as they are drawn, and tell of the trainings as they go on.

    Bytes are drawings (see `unpack_drawing`); they are answered by {"type": "read", "number", "digits", ...}, except
    those that still waited when a newer one came.  JSON text is {"type": "model", "model": name}, for the drawings
    after it, or {"type": "watch"}, after which messages of type "trainings" (all that there are), "training" (what is
    new of one) and "removed" come.  What cannot be used is answered by {"type": "error", "error": one line}.
    """
    await socket.accept()
    chosen: str | None = None
    watching: asyncio.Task[None] | None = None
    drawings = _Newest(socket, lab)
    try:
        while True:
            message = await socket.receive()
            if message["type"] == "websocket.disconnect":
                return
            try:
                if message.get("bytes") is not None:
                    drawings.take(chosen, unpack_drawing(message["bytes"]))
                    continue
                answer = _parsed(message.get("text") or "")
                if answer["type"] == "model":
                    await lab.compute(lab.shelf.model, answer["model"])
                    chosen = answer["model"]
                elif watching is None:
                    watching = asyncio.create_task(_watch(socket, lab))
                    continue
            except FirsthandError as error:
                answer = {"type": "error", "error": str(error)}
            await _send(socket, answer)
    except WebSocketDisconnect:
        return
    finally:
        drawings.close()
        if watching is not None:
            watching.cancel()


class _Newest:
    """The drawings of one client: one is read, one of each kind may wait, and a newer one takes its place.

    Who draws wants the newest drawing read; what it looked like a moment before is of no use any more.
    """

    def __init__(self, socket: WebSocket, lab: Lab) -> None:
        self._socket, self._lab = socket, lab
        self._waiting: dict[tuple[str | None, bool], Drawing] = {}
        self._task: asyncio.Task[None] | None = None

    def take(self, model: str | None, drawing: Drawing) -> None:
        """Read a drawing with a model as soon as the one before is read, unless a newer one comes."""
        self._waiting[model, drawing.careful] = drawing
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._work())

    def close(self) -> None:
        """Stop, because the client has gone."""
        if self._task is not None:
            self._task.cancel()

    async def _work(self) -> None:
        try:
            while self._waiting:
                model, careful = next(iter(self._waiting))
                drawing = self._waiting.pop((model, careful))
                try:
                    answer = await _read(self._lab, model, drawing)
                except FirsthandError as error:
                    answer = {"type": "error", "error": str(error)}
                await _send(self._socket, answer)
        except (WebSocketDisconnect, RuntimeError):
            return  # the page has gone


async def _watch(socket: WebSocket, lab: Lab) -> None:
    with lab.trainings.listening() as queue:
        try:
            trainings = [training.whole() for training in lab.trainings.all.values()]
            await _send(socket, {"type": "trainings", "trainings": trainings})
            while (message := await queue.get()) is not None:
                await _send(socket, message)
            await socket.close(1013, "too slow; connect again")
        except (WebSocketDisconnect, RuntimeError):
            return  # the page has gone


async def _send(socket: WebSocket, message: dict[str, Any]) -> None:
    await socket.send_text(json.dumps(message, separators=(",", ":")))


async def _read(lab: Lab, name: str | None, drawing: Drawing) -> dict[str, Any]:
    started = time.perf_counter()
    found = await _reading(lab, partial(lab.shelf.model, name), drawing)
    return {
        "type": "read",
        "number": drawing.number,
        "careful": drawing.careful,
        "digits": [_digit(digit) for digit in found.digits],
        "rejected": [{"box": reject.box, "reason": reject.reason} for reject in found.rejected],
        "reason": found.reason,
        "ms": round(1000 * (time.perf_counter() - started), 2),
    }


async def _reading(lab: Lab, model: Callable[[], Classifier], drawing: Drawing) -> Reading:
    if not drawing.careful:
        seen = await lab.strokes.read(model, drawing)
        # in a crowd, pages are read of whole drawings alone: who draws is shown something at once
        if seen.plain or lab.pages.busy:
            return seen.reading
    return await lab.pages.read(model, drawing)


def _parsed(text: str) -> dict[str, Any]:
    if len(text) > MAX_TEXT:
        raise FirsthandError(f"message: {len(text)} characters found, expected at most {MAX_TEXT}")
    try:
        message = json.loads(text)
        kind, name = message["type"], message.get("model")
    except (ValueError, TypeError, KeyError, AttributeError):
        raise FirsthandError(f"message: found {text[:60]!r}, expected JSON with a type") from None
    if kind not in ("model", "watch") or not isinstance(name, str | None):
        raise FirsthandError(f"message: found type {kind!r:.60}, expected 'model' with a name, or 'watch'")
    return {"type": kind, "model": name}
