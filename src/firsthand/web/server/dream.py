"""Routes: what a network draws when it is run backwards.  It is the bundled one, for every lab."""

import base64
from functools import cache
from typing import Annotated, Literal

import jax
import numpy as np
from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from firsthand.data import Splits, mnist
from firsthand.errors import FirsthandError
from firsthand.inspect.sheets import as_bytes
from firsthand.learning import Progress, train
from firsthand.nn import RBM, Network
from firsthand.zoo.box import boxed_dreamer, boxed_map
from firsthand.zoo.generative import divergence_recipe

from .lab import REFUSALS, TheLab, base64_of, rounded

__all__ = ["router"]

router = APIRouter(prefix="/api/dream", responses=REFUSALS)

SIDE = 28
CHAINS = 4
STEPS, EVERY = 300, 5
DOTS = 800  # test images on the map
LEARNED_FROM, FILTERS, EPOCHS = 2_000, 24, 40  # images, hidden units, passes
HALVES = {
    "top": np.s_[: SIDE // 2, :],
    "bottom": np.s_[SIDE // 2 :, :],
    "left": np.s_[:, : SIDE // 2],
    "right": np.s_[:, SIDE // 2 :],
}

Label = Annotated[
    int | None, Field(strict=True, ge=0, le=9, description="The label unit that is held on; null leaves them free.")
]
RandomSeed = Annotated[int, Field(strict=True, ge=0, lt=2**32)]


class Seed(BaseModel):
    """The randomness."""

    model_config = ConfigDict(extra="forbid")

    seed: RandomSeed = 0


class Clamped(Seed):
    """A label, and the randomness."""

    label: Label = None


class Half(Clamped):
    """Half of a drawing, the rest of which is to be filled in."""

    pixels: Annotated[str, Field(max_length=2_000, description="784 bytes in base64, row by row, 0 to 255.")]
    known: Literal["top", "bottom", "left", "right"]


class MapPlace(BaseModel):
    """A place on the map."""

    model_config = ConfigDict(extra="forbid")

    x: Annotated[float, Field(ge=-1e4, le=1e4)]
    y: Annotated[float, Field(ge=-1e4, le=1e4)]


class Chains(BaseModel):
    """Images, chain by chain within each frame."""

    frames: list[str]  # of every frame, the images of all chains one below the other, bytes in base64
    chains: int
    every: int  # steps from one frame to the next


class Learning(BaseModel):
    """The weights of hidden units while they are learned."""

    frames: list[str]  # of every frame, the filters one below the other, bytes in base64, 128 being 0
    filters: int
    steps: list[int]  # of learning, before each frame
    errors: list[float]  # of a reconstruction in the steps before it, squared, per image


class Images(BaseModel):
    """Images, one below the other."""

    pixels: str
    count: int


class MapAnswer(BaseModel):
    """The places of test images on the map."""

    codes: list[list[float]]
    labels: list[int]
    low: list[float]
    high: list[float]


@router.post("/settle")
async def settle(asked: Clamped, lab: TheLab) -> Chains:
    """Hold a label on, and let four chains of Gibbs sampling settle for 300 steps from units that are on by chance."""
    return await lab.study(_settle, asked)


@router.post("/learn")
async def learn(asked: Seed, lab: TheLab) -> Learning:
    """Train a small Boltzmann machine, and show its filters after every pass over the images."""
    return await lab.study(_learn, asked)


@router.post("/complete")
async def complete(asked: Half, lab: TheLab) -> Images:
    """Fill in the other half of a drawing, four times."""
    return await lab.study(_complete, asked)


@router.get("/map")
async def the_map(lab: TheLab) -> MapAnswer:
    """Test images by the two numbers of their code."""
    return await lab.study(_map)


@router.post("/map")
async def decoded(place: MapPlace, lab: TheLab) -> Images:
    """The image that the decoder draws at a place of the map."""
    return await lab.compute(_decoded, place)


def _name(label: int | None) -> str | None:
    return None if label is None else boxed_dreamer().classes[label]


def _bytes(images: np.ndarray) -> str:
    return base64_of(as_bytes(images))


def _settle(asked: Clamped) -> Chains:
    frames = boxed_dreamer().states(
        CHAINS, key=jax.random.key(asked.seed), label=_name(asked.label), steps=STEPS, every=EVERY
    )
    return Chains(frames=[_bytes(frame) for frame in frames], chains=CHAINS, every=EVERY)


def _learn(asked: Seed) -> Learning:
    frames, steps, errors = [], [], []

    def keep(at: Progress) -> None:
        if at.record is not None:
            weights = np.asarray(at.params()[0]["weights"]).T  # (filters, pixels)
            frames.append(_bytes((1 + weights / np.abs(weights).max(axis=1, keepdims=True)) / 2))
            steps.append(at.epoch * at.steps)
            errors.append(round(at.record["batch_cost"], 2))

    recipe = divergence_recipe(EPOCHS, rate=0.05).changed(batch_size=20)
    data = Splits(mnist().train[:LEARNED_FROM], None, None)
    train(Network((RBM(FILTERS),)), data, recipe, key=jax.random.key(asked.seed), progress=keep)
    return Learning(frames=frames, filters=FILTERS, steps=steps, errors=errors)


def _complete(asked: Half) -> Images:
    try:
        pixels = np.frombuffer(base64.b64decode(asked.pixels, validate=True), np.uint8)
    except ValueError as error:
        raise FirsthandError(f"pixels: not base64 ({error})") from None
    if pixels.size != SIDE * SIDE:
        raise FirsthandError(f"pixels: {pixels.size} bytes found, expected {SIDE * SIDE}")
    known = np.zeros((SIDE, SIDE, 1), bool)
    known[HALVES[asked.known]] = True
    given = np.repeat(pixels.reshape(1, SIDE, SIDE, 1), CHAINS, axis=0)
    found = boxed_dreamer().complete(given, known, key=jax.random.key(asked.seed), label=_name(asked.label))
    return Images(pixels=_bytes(found), count=CHAINS)


@cache
def _map() -> MapAnswer:
    data = mnist().test[:DOTS]
    codes = boxed_map().encode(data.images)
    low, high = np.percentile(codes, [1, 99], axis=0)
    margin = 0.05 * (high - low)
    return MapAnswer(
        codes=rounded(codes, 3),
        labels=data.labels.tolist(),
        low=rounded(low - margin, 3),
        high=rounded(high + margin, 3),
    )


def _decoded(place: MapPlace) -> Images:
    return Images(pixels=_bytes(boxed_map().decode(np.array([[place.x, place.y]]))), count=1)
