"""Routes: a network with a memory, unrolled in time, and how far back the last step's cost reaches."""

from functools import lru_cache
from typing import Annotated, Any

import jax
import numpy as np
from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from firsthand.inspect import Unrolled, remembering, unrolled, unrolled_text
from firsthand.nn import Network

from .inside import Numbers, Seen, given, numbers
from .lab import REFUSALS, Lab, TheLab, rounded
from .text import ModelName

__all__ = ["router"]

router = APIRouter(prefix="/api", responses=REFUSALS)

SHOWN = 3  # of the likeliest outputs of a step


class Sentence(BaseModel):
    """A text, and who reads it; the cost is that of its last letter."""

    model_config = ConfigDict(extra="forbid")

    model: ModelName = None
    text: Annotated[str, Field(max_length=1_000, description="2 to 129 symbols of the model's alphabet.")]


class LayerInTime(BaseModel):
    """A layer that remembers."""

    number: int  # from 1
    name: str
    units: int
    outputs: Numbers  # what it hands on at each step, (time, units)
    gradient: list[float]  # ||dC/ds|| for its state before each step; the first is the state that it starts with
    at_start: list[float]  # the same of the same network with the parameters that a training begins with


class InTime(BaseModel):
    """A network unrolled in time."""

    steps: list[str]  # the letters that are read; of an image, the numbers of its rows
    said: list[list[tuple[str, float]]]  # the likeliest outputs: of every step, or of the last one alone
    target: str  # what the cost asks for
    cost: float  # -ln p(target), in nats
    layers: list[LayerInTime]


@router.post("/text/inside")
async def of_text(sentence: Sentence, lab: TheLab) -> InTime:
    """Unroll a language model over a text."""
    return await lab.study(_of_text, lab, sentence)


@router.post("/inside/time")
async def of_image(seen: Seen, lab: TheLab) -> InTime:
    """Unroll a network that reads an image step by step; the cost is that of the digit that it names."""
    return await lab.study(_of_image, lab, seen)


def _of_text(lab: Lab, sentence: Sentence) -> InTime:
    model, text = lab.texts.model(sentence.model), sentence.text
    found = unrolled_text(model, text)
    fresh = unrolled_text(model, text, _fresh(model.network))
    said = [_likeliest(z, model.symbols) for z in found.z]
    return InTime(
        steps=list(text[:-1]), said=said, target=text[-1], cost=found.cost, layers=_layers(model.network, found, fresh)
    )


def _of_image(lab: Lab, seen: Seen) -> InTime:
    model, image = given(lab, seen)
    label = int(model.predict(image[None])[0])
    scaled = np.asarray(image, np.float32) / 255
    found = unrolled(model, scaled, label)
    fresh = unrolled(model, scaled, label, _fresh(model.network))
    steps = [str(number + 1) for number in range(len(found.outputs[0]))]
    said = [_likeliest(found.z, model.classes)]
    return InTime(
        steps=steps,
        said=said,
        target=model.classes[label],
        cost=found.cost,
        layers=_layers(model.network, found, fresh),
    )


def _layers(network: Network, found: Unrolled, fresh: Unrolled) -> list[LayerInTime]:
    return [
        LayerInTime(
            number=place + 1,
            name=type(network.layers[place]).__name__,
            units=found.outputs[n].shape[1],
            outputs=numbers(found.outputs[n]),
            gradient=found.gradient[n].tolist(),
            at_start=fresh.gradient[n].tolist(),
        )
        for n, place in enumerate(remembering(network))
    ]


def _likeliest(z: np.ndarray, names: tuple[str, ...]) -> list[tuple[str, float]]:
    p = np.exp(z - z.max())
    p /= p.sum()
    return [(names[n], rounded(p[n])) for n in np.argsort(-p, kind="stable")[:SHOWN]]


@lru_cache(maxsize=8)
def _fresh(network: Network) -> Any:
    """Parameters that a training could begin with."""
    return network.init(key=jax.random.key(0))
