"""The WebSocket: drawings in, readings out."""

import asyncio
import json
import time
from typing import Any

from fastapi import APIRouter
from starlette.websockets import WebSocket, WebSocketDisconnect

from firsthand.errors import FirsthandError

from .drawing import Found, read_drawing, unpack_drawing
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

    Bytes are drawings (see `unpack_drawing`); each is answered by {"type": "read", "number", "digits", ...}.  JSON
    text is {"type": "model", "model": name}, for the drawings after it, or {"type": "watch"}, after which messages of
    type "trainings" (all that there are), "training" (what is new of one) and "removed" come.  What cannot be used is
    answered by {"type": "error", "error": one line}.
    """
    await socket.accept()
    chosen: str | None = None
    watching: asyncio.Task[None] | None = None
    try:
        while True:
            message = await socket.receive()
            if message["type"] == "websocket.disconnect":
                return
            try:
                if message.get("bytes") is not None:
                    answer = await lab.compute(_read, lab, chosen, message["bytes"])
                else:
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
        if watching is not None:
            watching.cancel()


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


def _read(lab: Lab, name: str | None, message: bytes) -> dict[str, Any]:
    started = time.perf_counter()
    drawing = unpack_drawing(message)
    model = lab.shelf.model(name)
    found = read_drawing(drawing.ink, model, drawing.careful)
    return {
        "type": "read",
        "number": drawing.number,
        "careful": drawing.careful,
        "digits": [_digit(digit) for digit in found.digits],
        "rejected": [{"box": reject.box, "reason": reject.reason} for reject in found.rejected],
        "reason": found.reason,
        "ms": round(1000 * (time.perf_counter() - started), 2),
    }


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
