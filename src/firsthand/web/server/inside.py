"""Routes: what happens inside of a network when it sees a drawing."""

import base64
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field

from firsthand.data import mnist
from firsthand.errors import FirsthandError
from firsthand.inspect import (
    before_pooling,
    gradient_saliency,
    kernel_images,
    layer_outputs,
    occlusion,
    parts,
    receptive_field,
    unit_arithmetic,
)
from firsthand.models import Model

from .lab import REFUSALS, Lab, TheLab, base64_of

__all__ = ["Numbers", "Seen", "given", "numbers", "router"]

router = APIRouter(prefix="/api", responses=REFUSALS)

NEIGHBOURS = 8


class Seen(BaseModel):
    """An image as a network gets it."""

    model_config = ConfigDict(extra="forbid")

    model: Annotated[str | None, Field(max_length=200)] = None
    pixels: Annotated[str, Field(max_length=100_000, description="Bytes in base64, row by row, 0 to 255.")]


class SeenUnit(Seen):
    """One unit of a layer."""

    layer: Annotated[int, Field(ge=1, le=1000, description="From 1.")]
    unit: Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=1, max_length=3)]


class SeenChannel(Seen):
    """One channel of a layer."""

    layer: Annotated[int, Field(ge=1, le=1000)]
    channel: Annotated[int, Field(ge=0)]


class Numbers(BaseModel):
    """An array."""

    shape: list[int]
    values: str  # float32, little-endian, in base64


class LayerAbout(BaseModel):
    """A layer, and what it makes of the image."""

    number: int
    name: str
    pools: bool
    remembers: bool  # a recurrent layer: see /api/inside/time
    parameters: int
    kernels: Numbers | None  # of the first layer: (filters, height, width, channels)
    output: Numbers


class InsideAnswer(BaseModel):
    """All layers, in their order."""

    classes: list[str]
    layers: list[LayerAbout]


class UnitAnswer(BaseModel):
    """The arithmetic of a unit: see `firsthand.inspect.unit_arithmetic`."""

    field: list[int]  # top, bottom, left, right: the pixels that it sees, bottom and right excluded
    inputs: Numbers
    weights: Numbers
    bias: float
    z: float
    activation: str
    output: float
    window: Numbers
    kept: list[int] | None


class PoolingAnswer(BaseModel):
    """A map before pooling, and which of its values are kept."""

    before: Numbers
    kept: Numbers


class WhyAnswer(BaseModel):
    """The pixels that a reading hangs on."""

    label: int
    saliency: Numbers  # |dz/dx|
    occlusion: Numbers  # fall of z


class Neighbour(BaseModel):
    """A training image that the network takes for alike."""

    index: int
    label: int
    distance: float
    pixels: str


class NeighboursAnswer(BaseModel):
    """The nearest training images."""

    neighbours: list[Neighbour]
    among: int  # images that were compared; 0 where the model was not trained on such


class Example(BaseModel):
    """A test image."""

    index: int
    label: int
    shape: list[int]
    pixels: str


@router.post("/inside")
async def inside(seen: Seen, lab: TheLab) -> InsideAnswer:
    """Compute every layer's output for an image; of an ensemble, its first member's."""
    return await lab.compute(_inside, lab, seen)


@router.post("/inside/unit")
async def unit(seen: SeenUnit, lab: TheLab) -> UnitAnswer:
    """Show the arithmetic of one unit."""
    return await lab.compute(_unit, lab, seen)


@router.post("/inside/pooling")
async def pooling(seen: SeenChannel, lab: TheLab) -> PoolingAnswer:
    """Show one channel before and after pooling."""
    model, image = given(lab, seen)
    values, kept = await lab.compute(before_pooling, model, image, seen.layer, seen.channel)
    return PoolingAnswer(before=numbers(values), kept=numbers(kept))


@router.post("/why")
async def why(seen: Seen, lab: TheLab) -> WhyAnswer:
    """Find the pixels that the reading hangs on: by the slope at each, and by covering 5 x 5 of them."""
    return await lab.compute(_why, lab, seen)


@router.post("/neighbours")
async def neighbours(seen: Seen, lab: TheLab) -> NeighboursAnswer:
    """Find the training images that the network takes for alike: nearest in its last hidden layer."""
    return await lab.study(_neighbours, lab, seen)


@router.get("/examples/{index}")
def example(index: Annotated[int, Path(ge=0, lt=10_000)]) -> Example:
    """One of the 10,000 test images."""
    pixels, label = mnist().test[index]
    return Example(index=index, label=label, shape=list(pixels.shape[:2]), pixels=base64_of(pixels))


def _inside(lab: Lab, seen: Seen) -> InsideAnswer:
    model, image = given(lab, seen)
    outputs = layer_outputs(model, image[None])
    layers = []
    for part in parts(model.network):
        if len(part.path) != 1:
            continue  # what is inside of another is shown as that
        number = part.path[0]
        convolves = part.layer.kernels(model.params[number]) is not None
        layers.append(
            LayerAbout(
                number=number + 1,
                name=type(part.layer).__name__,
                pools=part.layer.largest_of is not None,
                remembers=bool(part.layer.start(1)),
                parameters=model.network.parameter_counts[number],
                kernels=numbers(kernel_images(model, number + 1)) if convolves and number == 0 else None,
                output=numbers(outputs[part.name][0]),
            )
        )
    return InsideAnswer(classes=list(model.classes), layers=layers)


def _unit(lab: Lab, seen: SeenUnit) -> UnitAnswer:
    model, image = given(lab, seen)
    place = tuple(seen.unit)
    found = unit_arithmetic(model, image, seen.layer, place)
    row, column = place[:2] if len(place) == 3 else (0, 0)
    return UnitAnswer(
        field=list(receptive_field(model.network, seen.layer, row, column)),
        inputs=numbers(found.inputs),
        weights=numbers(found.weights),
        bias=found.bias,
        z=found.z,
        activation=found.activation,
        output=found.output,
        window=numbers(found.window),
        kept=None if found.kept is None else list(found.kept),
    )


def _why(lab: Lab, seen: Seen) -> WhyAnswer:
    model, image = given(lab, seen)
    images = image[None]
    return WhyAnswer(
        label=int(model.predict(images)[0]),
        saliency=numbers(gradient_saliency(model, images)[0]),
        occlusion=numbers(occlusion(model, images, of="z")[0]),
    )


def _neighbours(lab: Lab, seen: Seen) -> NeighboursAnswer:
    _, image = given(lab, seen)
    among = lab.neighbours(seen.model)
    if among is None:
        return NeighboursAnswer(neighbours=[], among=0)
    nearest, found = among.nearest(image[None], NEIGHBOURS), []
    for index, distance in zip(nearest.index[0], nearest.distance[0], strict=True):
        pixels, label = among.data[int(index)]
        found.append(Neighbour(index=int(index), label=label, distance=float(distance), pixels=base64_of(pixels)))
    return NeighboursAnswer(neighbours=found, among=len(among.data))


def given(lab: Lab, seen: Seen) -> tuple[Model, np.ndarray]:
    """The model, and the image with its shape."""
    model = lab.shelf.single(seen.model)
    try:
        pixels = np.frombuffer(base64.b64decode(seen.pixels, validate=True), np.uint8)
    except ValueError as error:
        raise FirsthandError(f"pixels: not base64 ({error})") from None
    if pixels.size != np.prod(model.input_shape):
        raise FirsthandError(f"pixels: {pixels.size} bytes found, expected {model.input_shape}, one each")
    return model, pixels.reshape(model.input_shape)


def numbers(array: Any) -> Numbers:
    found = np.ascontiguousarray(array, "<f4")
    return Numbers(shape=list(found.shape), values=base64.b64encode(found.data).decode())
