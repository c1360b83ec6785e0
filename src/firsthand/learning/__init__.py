"""Learning: recipes, the compiled training loop, and checkpoints."""

from .evaluation import Score, evaluate
from .fine_tuning import FineTuning, fine_tune, fine_tuning_recipe
from .history import History
from .members import Plan, plan, train_members
from .recipe import Recipe, RecipeError
from .run import Progress
from .schedules import Cosine, OneCycle
from .single import DataSplits, Diverged, Training
from .train import EnsembleTraining, train

__all__ = [
    "Cosine",
    "DataSplits",
    "Diverged",
    "EnsembleTraining",
    "FineTuning",
    "History",
    "OneCycle",
    "Plan",
    "Progress",
    "Recipe",
    "RecipeError",
    "Score",
    "Training",
    "evaluate",
    "fine_tune",
    "fine_tuning_recipe",
    "plan",
    "train",
    "train_members",
]
