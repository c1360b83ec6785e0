"""Learning: recipes, the compiled training loop, and checkpoints."""

from .evaluation import evaluate
from .history import History
from .input_gradients import input_gradients
from .members import Plan, plan, train_members
from .objective import Objective
from .objectives import Answering, Classification, NextSymbol, Reconstruction, Regression, SkipGram
from .outcome import Outcome, train_and_finish
from .quantity import Quantity
from .recipe import Recipe, RecipeError
from .run import Progress
from .schedules import Cosine, OneCycle
from .single import DataSplits, Diverged, Training
from .source import Fixed, Made, Source
from .train import EnsembleTraining, train

__all__ = [
    "Answering",
    "Classification",
    "Cosine",
    "DataSplits",
    "Diverged",
    "EnsembleTraining",
    "Fixed",
    "History",
    "Made",
    "NextSymbol",
    "Objective",
    "OneCycle",
    "Outcome",
    "Plan",
    "Progress",
    "Quantity",
    "Recipe",
    "RecipeError",
    "Reconstruction",
    "Regression",
    "SkipGram",
    "Source",
    "Training",
    "evaluate",
    "input_gradients",
    "plan",
    "train",
    "train_and_finish",
    "train_members",
]
