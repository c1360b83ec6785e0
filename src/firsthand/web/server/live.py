"""The WebSocket: drawings in, readings out."""

import json
import time
from typing import Any

from fastapi import APIRouter
from starlette.websockets import WebSocket, WebSocketDisconnect

from firsthand.errors import FirsthandError

from .drawing import Digit, read_drawing, unpack_drawing
from .lab import Lab, TheLab, base64_of, rounded

__all__ = ["digit_json", "router"]

router = APIRouter()


def digit_json(digit: Digit) -> dict[str, Any]:
    """A digit for the page."""
    height, width = digit.pixels.shape
    return {
        "box": digit.box,
        "pixels": base64_of(digit.pixels),
        "shape": [height, width],
        "label": int(digit.probabilities.argmax()),
        "probabilities": rounded(digit.probabilities),
    }


@router.websocket("/api/live")
async def live(socket: WebSocket, lab: TheLab) -> None:
    """Read drawings as they are drawn.

    Bytes are drawings (see `unpack_drawing`); each is answered by {"type": "read", "number", "digits", "ms"}.  JSON
    text is {"type": "model", "model": name}, for the drawings after it.  What cannot be used is answered by
    {"type": "error", "error": one line}.
    """
    await socket.accept()
    chosen: str | None = None
    try:
        while True:
            message = await socket.receive()
            if message["type"] == "websocket.disconnect":
                return
            try:
                if message.get("bytes") is not None:
                    answer = await lab.compute(_read, lab, chosen, message["bytes"])
                else:
                    chosen = _chosen_model(message.get("text") or "")
                    await lab.compute(lab.shelf.model, chosen)
                    answer = {"type": "model", "model": chosen}
            except FirsthandError as error:
                answer = {"type": "error", "error": str(error)}
            await socket.send_text(json.dumps(answer, separators=(",", ":")))
    except WebSocketDisconnect:
        return


def _read(lab: Lab, name: str | None, message: bytes) -> dict[str, Any]:
    started = time.perf_counter()
    number, ink = unpack_drawing(message)
    model = lab.shelf.model(name)
    digits = [digit_json(digit) for digit in read_drawing(ink, model)]
    ms = round(1000 * (time.perf_counter() - started), 2)
    return {"type": "read", "number": number, "digits": digits, "classes": model.classes, "ms": ms}


def _chosen_model(text: str) -> str | None:
    try:
        message = json.loads(text)
        kind, name = message["type"], message.get("model")
    except (ValueError, TypeError, KeyError, AttributeError):
        raise FirsthandError(f"message: found {text[:60]!r}, expected JSON with a type") from None
    if kind != "model" or not isinstance(name, str | None):
        raise FirsthandError(f"message: found type {kind!r}, expected 'model' with a name")
    return name
