"""Routes: what a model gets wrong on the test images."""

from typing import Annotated

import numpy as np
from fastapi import APIRouter, Query
from pydantic import BaseModel

from firsthand.inspect import confusion_matrix

from .lab import REFUSALS, Lab, TheLab, base64_of, rounded

__all__ = ["router"]

router = APIRouter(prefix="/api", responses=REFUSALS)

AT_ONCE = 60  # mistakes in one answer

ModelName = Annotated[str | None, Query(max_length=200)]
Class = Annotated[int | None, Query(ge=0, le=1000)]


class Confusion(BaseModel):
    """The confusion matrix: how often each class is called each other."""

    classes: list[str]
    n: int
    right: int
    matrix: list[list[int]]  # [label][predicted]


class MistakeAbout(BaseModel):
    """One misclassified image."""

    index: int
    label: int
    predicted: int
    probabilities: list[float]
    pixels: str


class MistakeList(BaseModel):
    """Some of the mistakes, the most confident first."""

    total: int
    shape: list[int]
    mistakes: list[MistakeAbout]


@router.get("/confusion")
async def confusion(lab: TheLab, model: ModelName = None) -> Confusion:
    """The confusion matrix of a model on the 10,000 test images."""
    return await lab.study(_confusion, lab, model)


@router.get("/mistakes")
async def mistakes(
    lab: TheLab,
    model: ModelName = None,
    label: Class = None,
    predicted: Class = None,
    offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
) -> MistakeList:
    """The misclassified test images, filtered by label and by what they were taken for; 60 at a time."""
    return await lab.study(_mistakes, lab, model, label, predicted, offset)


def _confusion(lab: Lab, name: str | None) -> Confusion:
    test, called, probabilities = lab.tested(name)
    matrix = confusion_matrix(test.labels, called, probabilities.shape[1])
    return Confusion(
        classes=list(lab.shelf.model(name).classes),
        n=len(test),
        right=int(matrix.trace()),
        matrix=matrix.tolist(),
    )


def _mistakes(lab: Lab, name: str | None, label: int | None, predicted: int | None, offset: int) -> MistakeList:
    test, called, probabilities = lab.tested(name)
    wrong = called != test.labels
    if label is not None:
        wrong &= test.labels == label
    if predicted is not None:
        wrong &= called == predicted
    found = np.flatnonzero(wrong)
    found = found[np.argsort(-probabilities[found, called[found]], kind="stable")]
    return MistakeList(
        total=len(found),
        shape=list(test.image_shape[:2]),
        mistakes=[
            MistakeAbout(
                index=int(i),
                label=int(test.labels[i]),
                predicted=int(called[i]),
                probabilities=rounded(probabilities[i]),
                pixels=base64_of(test.images[i]),
            )
            for i in found[offset : offset + AT_ONCE]
        ],
    )
