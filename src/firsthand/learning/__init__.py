"""Learning: recipes, the compiled training loop, trained models, and checkpoints."""

from .evaluation import Score, evaluate
from .history import History
from .members import train_members
from .model import Model, ModelFileError, normalized
from .recipe import Recipe, RecipeError
from .run import Progress
from .schedules import Cosine, OneCycle
from .train import DataSplits, Diverged, Training, train

__all__ = [
    "Cosine",
    "DataSplits",
    "Diverged",
    "History",
    "Model",
    "ModelFileError",
    "OneCycle",
    "Progress",
    "Recipe",
    "RecipeError",
    "Score",
    "Training",
    "evaluate",
    "normalized",
    "train",
    "train_members",
]
