"""Routes: a language model that reads a text, goes on with it letter by letter, and is looked into while it does."""

import base64
import json
from collections.abc import AsyncIterator
from typing import Annotated, Any

import jax
import numpy as np
from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import StreamingResponse

from firsthand.inspect import Followed, follow, remembering
from firsthand.models import LanguageModel

from .lab import REFUSALS, Lab, TheLab

__all__ = ["MAX_TEXT", "Letter", "letters_of", "router"]

router = APIRouter(prefix="/api/text", responses=REFUSALS)

MAX_TEXT = 1_000  # symbols of a beginning
MAX_WRITTEN = 2_000
SHOWN = 8  # of the likeliest next symbols

Text = Annotated[str, Field(max_length=MAX_TEXT, description="The beginning; each symbol one of the model's.")]
ModelName = Annotated[str | None, Field(max_length=200)]


class Beginning(BaseModel):
    """A beginning, and who reads it."""

    model_config = ConfigDict(extra="forbid")

    model: ModelName = None
    text: Text


class Writing(Beginning):
    """A beginning, and the way to go on."""

    temperature: Annotated[float, Field(ge=0.05, le=5, allow_inf_nan=False)] = 0.8
    length: Annotated[int, Field(ge=1, le=MAX_WRITTEN)] = 300
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0


class TextModelName(BaseModel):
    """A language model on the shelf."""

    id: str
    about: str


class RecurrentLayer(BaseModel):
    """A layer that remembers."""

    number: int  # from 1
    name: str
    units: int


class TextModelAbout(BaseModel):
    """A language model's description."""

    id: str
    symbols: list[str]
    parameters: int
    summary: str
    layers: list[RecurrentLayer]  # that remember; none of a model that reads texts only as a whole
    bits: float | None  # per symbol of test data, as far as its file says so
    sees: int | None  # symbols that count, where the past does not count as a whole


class Letter(BaseModel):
    """A symbol that was read or written, and what the model says after it."""

    symbol: str
    p: float | None  # how likely the model held it before it came; of the first nothing is known
    next: list[tuple[str, float]]  # the likeliest next symbols
    units: str  # what the units of all layers that remember hand on here: float32, little-endian, in base64


class TextRead(BaseModel):
    """A beginning as it was read."""

    letters: list[Letter]


@router.get("/models")
def models(lab: TheLab) -> list[TextModelName]:
    """The language models that can be chosen; the first is what the others begin with."""
    return [TextModelName(id=name, about=about) for name, about in lab.texts.names().items()]


@router.get("/models/{name}")
async def model(name: str, lab: TheLab) -> TextModelAbout:
    """One language model: its alphabet, its layers, and how good it is."""
    found = await lab.study(lab.texts.model, name)
    network, scores = found.network, found.provenance.get("scores")
    layers = [
        RecurrentLayer(number=n + 1, name=type(network.layers[n]).__name__, units=network.shapes[n + 1][-1])
        for n in remembering(network)
    ]
    return TextModelAbout(
        id=name,
        symbols=list(found.symbols),
        parameters=found.parameter_count,
        summary=found.summary(),
        layers=layers if network.reads_on else [],
        bits=_bits(scores),
        sees=None if network.reads_on else network.input_shape[0],
    )


@router.post("/read")
async def read(beginning: Beginning, lab: TheLab) -> TextRead:
    """Read a beginning: how likely each of its symbols was, and which comes next."""
    return await lab.compute(_read, lab, beginning)


@router.post(
    "/write",
    response_class=StreamingResponse,
    responses={
        200: {"description": "A `Letter` a line, as JSON, as it is drawn.", "content": {"application/x-ndjson": {}}}
    },
)
async def write(writing: Writing, lab: TheLab) -> StreamingResponse:
    """Go on with a text, letter by letter: each is drawn from p^(1/temperature), normalized."""
    found, _ = await lab.compute(_begun, lab, writing)  # what cannot be read is refused before the first letter
    return StreamingResponse(_written(lab, found, writing), media_type="application/x-ndjson")


async def _written(lab: Lab, found: Followed, writing: Writing) -> AsyncIterator[str]:
    key = jax.random.key(writing.seed)
    for step in range(writing.length):
        letter, found = await lab.compute(_drawn, found, writing.temperature, jax.random.fold_in(key, step))
        yield json.dumps(letter.model_dump(), separators=(",", ":")) + "\n"


def _drawn(before: Followed, temperature: float, key: Any) -> tuple[Letter, Followed]:
    model, symbol = before.place.model, before.place.draw(temperature, key=key)
    found = follow(model, symbol, before.place)
    return letters_of(model, symbol, found, before.z[-1])[0], found


def _read(lab: Lab, beginning: Beginning) -> TextRead:
    found, model = _begun(lab, beginning)
    return TextRead(letters=letters_of(model, beginning.text, found))


def _begun(lab: Lab, beginning: Beginning) -> tuple[Followed, LanguageModel]:
    model = lab.texts.model(beginning.model)
    return follow(model, beginning.text), model


def letters_of(model: LanguageModel, text: str, found: Followed, before: np.ndarray | None = None) -> list[Letter]:
    """Symbols as they are sent.

    Args:
        model: who has read them.
        text: the symbols.
        found: what the model says at each.
        before: the weighted inputs before the first.
    """
    said = _probabilities(found.z)
    earlier = [None if before is None else _probabilities(before), *said[:-1]]
    places = {symbol: number for number, symbol in enumerate(model.symbols)}
    count = min(SHOWN, len(model.symbols))
    handed = np.concatenate(found.outputs, axis=1) if found.outputs else np.zeros((len(text), 0))
    letters = []
    for symbol, own, p, row in zip(text, earlier, said, handed, strict=True):
        likeliest = np.argsort(-p, kind="stable")[:count]
        letters.append(
            Letter(
                symbol=symbol,
                p=None if own is None else round(float(own[places[symbol]]), 6),
                next=[(model.symbols[n], round(float(p[n]), 5)) for n in likeliest],
                units=base64.b64encode(row.astype("<f4").tobytes()).decode(),
            )
        )
    return letters


def _probabilities(z: np.ndarray) -> np.ndarray:
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def _bits(scores: Any) -> float | None:
    try:
        return round(float(scores["test"]["bits"]), 3)
    except (TypeError, KeyError, ValueError):
        return None
