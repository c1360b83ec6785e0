"""Routes: a photo or scan, read as a page of writing."""

import base64
import time
from io import BytesIO
from typing import Annotated

import numpy as np
from fastapi import APIRouter, Body, Query
from PIL import Image
from pydantic import BaseModel

from firsthand.reading import analyse, read_sheets
from firsthand.reading.load import load_grey

from .drawing import digits_of
from .lab import REFUSALS, Lab, TheLab, base64_of, rounded

__all__ = ["router"]

router = APIRouter(prefix="/api", responses=REFUSALS)

SHOWN = 1200  # pixels of the longer side of the picture that is sent back


class PhotoDigit(BaseModel):
    """A digit that was read."""

    box: list[float]  # left, top, right, bottom, as shares of width and height
    label: int
    probability: float
    probabilities: list[float]
    pixels: str
    shape: list[int]


class PhotoReject(BaseModel):
    """Ink that is no digit."""

    box: list[float]
    reason: str


class PhotoSign(BaseModel):
    """A sign among digits."""

    box: list[float]
    value: str


class PhotoAnswer(BaseModel):
    """The writing on a photo; `lines` are with their signs."""

    lines: list[str]
    line_probabilities: list[float]
    digits: list[PhotoDigit]
    signs: list[PhotoSign]
    rejected: list[PhotoReject]
    in_cells: list[bool]  # of every line
    turned: int  # degrees by which it was turned anticlockwise to stand upright
    sheet: list[float]  # around the paper
    reason: str
    classes: list[str]
    picture: str  # JPEG in base64, in grey and upright, with at most 1,200 pixels
    width: int
    height: int
    ms: float


@router.post("/read")
async def read(
    picture: Annotated[bytes, Body(media_type="application/octet-stream", description="The file as it is.")],
    lab: TheLab,
    model: Annotated[str | None, Query(max_length=200)] = None,
) -> PhotoAnswer:
    """Read the digits on a photo or scan: PNG, JPEG, GIF, BMP, TIFF, WebP or PNM, of at most 20 MB."""
    return await lab.study(_read, lab, picture, model)


def _read(lab: Lab, picture: bytes, name: str | None) -> PhotoAnswer:
    started = time.perf_counter()
    model = lab.shelf.model(name)
    grey = load_grey(picture)
    (page,) = read_sheets([analyse(grey)], model)
    height, width = page.size
    size = np.array([width, height, width, height])
    # what the network is shown of each digit; the reader itself has flattened the light as well
    ink = grey if page.light_on_dark else 255 - grey
    digits = [
        PhotoDigit(
            box=rounded(np.array(found.box) / size),
            label=found.label,
            probability=round(digit.probability, 5),
            probabilities=rounded(found.probabilities),
            pixels=base64_of(found.pixels),
            shape=list(found.pixels.shape),
        )
        for digit, found in zip(page.digits, digits_of(page, _stretched(ink), model), strict=True)
    ]
    return PhotoAnswer(
        lines=[line.whole for line in page.lines],
        line_probabilities=[round(line.probability, 5) for line in page.lines],
        digits=digits,
        signs=[
            PhotoSign(box=rounded(np.array(sign.box) / size), value=sign.value)
            for line in page.lines
            for sign in line.signs
        ],
        in_cells=[line.in_cells for line in page.lines],
        turned=page.turned,
        sheet=rounded(np.array(page.sheet or (0, 0, width, height)) / size),
        rejected=[PhotoReject(box=rounded(np.array(each.box) / size), reason=each.reason) for each in page.rejected],
        reason=page.reason,
        classes=list(model.classes),
        picture=_jpeg(grey),
        width=width,
        height=height,
        ms=round(1000 * (time.perf_counter() - started), 1),
    )


def _stretched(ink: np.ndarray) -> np.ndarray:
    """Ink whose paper is 0: its median, which most of a page is, is taken away."""
    paper = float(np.median(ink))
    return np.clip((ink - paper) * (255 / max(1.0, 255 - paper)), 0, 255).astype(np.uint8)


def _jpeg(grey: np.ndarray) -> str:
    shown, buffer = Image.fromarray(grey), BytesIO()
    shown.thumbnail((SHOWN, SHOWN))
    shown.save(buffer, "JPEG", quality=80)
    return base64.b64encode(buffer.getvalue()).decode()
