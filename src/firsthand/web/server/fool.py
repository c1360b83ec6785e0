"""Routes: a drawing changed until the network calls it something else."""

from typing import Annotated, Literal

import jax
import numpy as np
from fastapi import APIRouter
from pydantic import BaseModel, Field

from firsthand.inspect import distortion, gradient_sign, minimal_distortion, projected_gradient
from firsthand.inspect.sheets import as_bytes
from firsthand.models import Model

from .inside import Numbers, Seen, given, numbers
from .lab import REFUSALS, Lab, TheLab, base64_of, rounded

__all__ = ["router"]

router = APIRouter(prefix="/api", responses=REFUSALS)

STEPS = 10


class Pulled(Seen):
    """An image, and how far it is to be changed."""

    way: Literal["sign", "steps", "noise"] = "sign"
    epsilon: Annotated[float, Field(ge=0, le=1, description="Of each pixel, on the scale from black 0 to white 1.")]


class Fooled(BaseModel):
    """The network's answers for the image and for the changed one."""

    classes: list[str]
    before: list[float]  # probabilities
    after: list[float]
    label: int  # what it called the image
    called: int  # what it calls the changed one
    pixels: str  # of the changed image
    difference: Numbers  # changed less the image, (height, width), between -1 and 1
    distortion: float  # root mean square of it


@router.post("/fool")
async def fool(pulled: Pulled, lab: TheLab) -> Fooled:
    """Move every pixel by epsilon against what the network calls the image: see `firsthand.inspect.gradient_sign`."""
    return await lab.compute(_fool, lab, pulled)


@router.post("/fool/smallest")
async def smallest(seen: Seen, lab: TheLab) -> Fooled:
    """The smallest change that fools the network: see `firsthand.inspect.minimal_distortion`."""
    return await lab.study(_smallest, lab, seen)


def _fool(lab: Lab, pulled: Pulled) -> Fooled:
    model, image = given(lab, pulled)
    images, labels = image[None], model.predict(image[None])
    if pulled.way == "noise":
        signs = jax.random.rademacher(jax.random.key(0), images.shape, np.float32)
        changed = np.clip(images / np.float32(255) + pulled.epsilon * np.asarray(signs), 0, 1)
    elif pulled.way == "steps" and pulled.epsilon:
        changed = projected_gradient(model, images, labels, pulled.epsilon, steps=STEPS)
    else:
        changed = gradient_sign(model, images, labels, pulled.epsilon)
    return _answer(model, image, changed)


def _smallest(lab: Lab, seen: Seen) -> Fooled:
    model, image = given(lab, seen)
    return _answer(model, image, minimal_distortion(model, image[None], model.predict(image[None])))


def _answer(model: Model, image: np.ndarray, changed: np.ndarray) -> Fooled:
    # as bytes, which is what is shown and could be stored
    pixels = as_bytes(changed[0])
    z = model.weighted_inputs(np.stack([image, pixels]))
    before, after = model.probabilities_at(z)
    difference = pixels.astype(np.float32).mean(axis=-1) - image.astype(np.float32).mean(axis=-1)
    return Fooled(
        classes=list(model.classes),
        before=rounded(before),
        after=rounded(after),
        label=int(z[0].argmax()),
        called=int(z[1].argmax()),
        pixels=base64_of(pixels),
        difference=numbers(difference / 255),
        distortion=float(distortion(image[None], pixels[None])[0]),
    )
