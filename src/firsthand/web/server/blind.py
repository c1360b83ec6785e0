"""Routes: test digits read by a person, without labels, and how the networks read the same ones."""

from typing import Annotated

import numpy as np
from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from firsthand.data import mnist
from firsthand.errors import FirsthandError
from firsthand.experiments.statistics import interval_of_share

from .lab import REFUSALS, Lab, TheLab, base64_of

__all__ = ["router"]

router = APIRouter(prefix="/api", responses=REFUSALS)

MOST = 1000  # digits in one sitting


class Unlabelled(BaseModel):
    """A test image, without its label."""

    index: int
    pixels: str


class Sitting(BaseModel):
    """The test images to read."""

    seed: int
    shape: list[int]
    images: list[Unlabelled]


class Answers(BaseModel):
    """The answers of a person."""

    model_config = ConfigDict(extra="forbid")

    model: Annotated[str | None, Field(max_length=200)] = None
    indices: Annotated[list[Annotated[int, Field(strict=True, ge=0, lt=10_000)]], Field(min_length=1, max_length=MOST)]
    answers: Annotated[list[Annotated[int, Field(strict=True, ge=0, le=9)]], Field(min_length=1, max_length=MOST)]


class Errors(BaseModel):
    """Errors of one reader on these images, with the interval of 95 %."""

    name: str  # 'you', or a model's
    wrong: int
    n: int
    error: float
    low: float
    high: float
    on_all: float | None  # error on all 10,000 test images


class Misread(BaseModel):
    """A test image that somebody misread."""

    index: int
    label: int
    answers: dict[str, int]  # by reader
    pixels: str


class Outcome(BaseModel):
    """The person's errors, and the networks' beside them."""

    readers: list[Errors]
    misread: list[Misread]
    shape: list[int]


@router.get("/blind")
def blind(count: Annotated[int, Query(ge=1, le=MOST)] = 50, seed: Annotated[int, Query(ge=0, lt=2**31)] = 0) -> Sitting:
    """Test images, drawn by chance, all different, without their labels."""
    test = mnist().test
    chosen = np.random.default_rng(seed).permutation(len(test))[:count]
    images = [Unlabelled(index=int(i), pixels=base64_of(test.images[i])) for i in chosen]
    return Sitting(seed=seed, shape=list(test.image_shape[:2]), images=images)


@router.post("/blind")
async def judged(answers: Answers, lab: TheLab) -> Outcome:
    """The numbers of wrong answers: of the person, and of the chosen model and the default one on the same images."""
    return await lab.study(_judged, lab, answers)


def _judged(lab: Lab, answers: Answers) -> Outcome:
    if len(answers.indices) != len(answers.answers):
        raise FirsthandError(
            f"answers: {len(answers.answers)} found for {len(answers.indices)} images, one each expected"
        )
    if len(set(answers.indices)) != len(answers.indices):
        raise FirsthandError("indices: an image stands among them twice, expected different ones")
    test, at = mnist().test, np.array(answers.indices)
    labels = test.labels[at]
    called = {"you": np.array(answers.answers)}
    on_all: dict[str, float | None] = {"you": None}
    names = lab.shelf.names()
    for name in dict.fromkeys([answers.model, next(iter(names), None)]):
        if name is None:
            continue
        _, everywhere, _ = lab.tested(name)
        called[name], on_all[name] = everywhere[at], float(np.mean(everywhere != test.labels))
    readers = []
    for name, found in called.items():
        wrong = int(np.sum(found != labels))
        low, high = interval_of_share(wrong, len(labels))
        readers.append(
            Errors(
                name=name,
                wrong=wrong,
                n=len(labels),
                error=wrong / len(labels),
                low=low,
                high=high,
                on_all=on_all[name],
            )
        )
    places = np.flatnonzero(np.any([found != labels for found in called.values()], axis=0))
    misread = [
        Misread(
            index=int(at[i]),
            label=int(labels[i]),
            answers={name: int(found[i]) for name, found in called.items()},
            pixels=base64_of(test.images[at[i]]),
        )
        for i in places
    ]
    return Outcome(readers=readers, misread=misread, shape=list(test.image_shape[:2]))
