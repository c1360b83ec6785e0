"""Routes: trainings, and those of the texts to begin with."""

from typing import Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel

from .lab import REFUSALS, Error, TheLab
from .presets import PRESETS
from .settings import TrainingSettings

__all__ = ["router"]

router = APIRouter(prefix="/api", responses=REFUSALS)


class Words(BaseModel):
    """A title, and what to look for."""

    title: str
    look: str


class PresetAbout(BaseModel):
    """A training of the texts."""

    id: str
    chapter: str
    en: Words
    zh: Words
    settings: TrainingSettings


class TrainingAbout(BaseModel):
    """A training's state; `cost`, `records` and `gradients` come over the WebSocket, and from `GET /api/trainings`."""

    number: int
    state: str
    error: str | None
    why: str | None
    parameters: int | None
    speed: int | None
    verdict: dict[str, str] | None
    has_model: bool
    kept: str | None


class Kept(BaseModel):
    """The place of a training's model."""

    model: str


@router.get("/presets")
def presets() -> list[PresetAbout]:
    """Trainings of the texts."""
    return [
        PresetAbout(
            id=preset.id,
            chapter=preset.where,
            en=Words(title=preset.en[0], look=preset.en[1]),
            zh=Words(title=preset.zh[0], look=preset.zh[1]),
            settings=preset.settings,
        )
        for preset in PRESETS
    ]


@router.get("/trainings")
async def trainings(lab: TheLab) -> list[dict[str, Any]]:
    """All trainings since the lab was started, with their curves."""
    return [training.whole() for training in lab.trainings.all.values()]


@router.post("/trainings", status_code=201, responses={409: {"model": Error}})
async def start(settings: TrainingSettings, lab: TheLab) -> TrainingAbout:
    """Begin a training in a process of its own; 409 if as many run as may."""
    training = await lab.trainings.start(settings)
    return TrainingAbout.model_validate(training.about())


@router.post("/trainings/{number}/{command}")
async def command(number: int, command: Literal["pause", "continue", "stop"], lab: TheLab) -> TrainingAbout:
    """Pause a training, let it go on, or end it with its last complete epoch."""
    training = lab.trainings.get(number)
    await lab.trainings.command(training, command)
    return TrainingAbout.model_validate(training.about())


@router.put("/trainings/{number}/kept")
async def keep(number: int, lab: TheLab) -> Kept:
    """Put the model of a training that is over on the shelf, and under runs/."""
    return Kept(model=lab.trainings.keep(lab.trainings.get(number)))


@router.delete("/trainings/{number}", status_code=204)
async def remove(number: int, lab: TheLab) -> None:
    """End a training at once and forget it."""
    await lab.trainings.remove(lab.trainings.get(number))
