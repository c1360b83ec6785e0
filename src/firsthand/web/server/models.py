"""Routes: which models there are, and what each is."""

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel

from firsthand.models import Ensemble

from .lab import REFUSALS, TheLab

__all__ = ["router"]

router = APIRouter(prefix="/api", responses=REFUSALS)


class ModelName(BaseModel):
    """A model on the shelf."""

    id: str
    about: str


class ModelAbout(BaseModel):
    """A model's description."""

    id: str
    classes: list[str]
    parameters: int
    summary: str
    members: int  # 1, or of an ensemble
    accuracies: dict[str, float]
    temperature: float | None


@router.get("/models")
def models(lab: TheLab) -> list[ModelName]:
    """The models that can be chosen; the first is what the others begin with."""
    return [ModelName(id=name, about=about) for name, about in lab.shelf.names().items()]


@router.get("/models/{name}")
def model(name: str, lab: TheLab) -> ModelAbout:
    """One model: layers, parameters, accuracies when it was trained."""
    found = lab.shelf.model(name)
    accuracies: Any = found.provenance.get("accuracies", {})
    return ModelAbout(
        id=name,
        classes=list(found.classes),
        parameters=found.parameter_count,
        summary=found.summary(),
        members=len(found.members) if isinstance(found, Ensemble) else 1,
        accuracies=accuracies,
        temperature=found.temperature,
    )
