"""Learning: recipes, the compiled training loop, trained models and their temperature, and checkpoints."""

from .classifier import Classifier, normalized
from .ensemble import Ensemble, load_model, voted
from .evaluation import Score, evaluate
from .fine_tuning import FineTuning, fine_tune, fine_tuning_recipe
from .history import History
from .members import Plan, plan, train_members
from .model import Model, ModelFileError
from .recipe import Recipe, RecipeError
from .run import Progress
from .schedules import Cosine, OneCycle
from .single import DataSplits, Diverged, Training
from .sweep import Point, Sweep, sweep
from .temperature import CalibrationError, best_temperature, fit_temperature
from .train import EnsembleTraining, train

__all__ = [
    "CalibrationError",
    "Classifier",
    "Cosine",
    "DataSplits",
    "Diverged",
    "Ensemble",
    "EnsembleTraining",
    "FineTuning",
    "History",
    "Model",
    "ModelFileError",
    "OneCycle",
    "Plan",
    "Point",
    "Progress",
    "Recipe",
    "RecipeError",
    "Score",
    "Sweep",
    "Training",
    "best_temperature",
    "evaluate",
    "fine_tune",
    "fine_tuning_recipe",
    "fit_temperature",
    "load_model",
    "normalized",
    "plan",
    "sweep",
    "train",
    "train_members",
    "voted",
]
