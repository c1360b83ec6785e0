"""Learning: recipes, the compiled training loop, and checkpoints."""

from .adam import Adam
from .evaluation import evaluate
from .experience import Experience, Transitions
from .greedy import Greedy, started, train_greedily, unrolled, upward
from .history import History
from .input_gradients import input_gradients
from .members import Plan, plan, train_members
from .objective import Objective
from .objectives import (
    Answering,
    Bits,
    Classification,
    ContrastiveDivergence,
    Hardened,
    NextSymbol,
    QLearning,
    Reconstruction,
    Regression,
    SkipGram,
    Translating,
    UpDown,
    WholeNumber,
)
from .outcome import Outcome, train_and_finish
from .quantity import Quantity
from .recipe import Recipe, RecipeError
from .run import Progress
from .schedules import Cosine, OneCycle
from .shown import all_of, show_progress
from .single import DataSplits, Diverged, Training
from .source import Fixed, Made, Source
from .sparse import sparse_features, whitening
from .train import EnsembleTraining, train

__all__ = [
    "Adam",
    "Answering",
    "Bits",
    "Classification",
    "ContrastiveDivergence",
    "Cosine",
    "DataSplits",
    "Diverged",
    "EnsembleTraining",
    "Experience",
    "Fixed",
    "Greedy",
    "Hardened",
    "History",
    "Made",
    "NextSymbol",
    "Objective",
    "OneCycle",
    "Outcome",
    "Plan",
    "Progress",
    "QLearning",
    "Quantity",
    "Recipe",
    "RecipeError",
    "Reconstruction",
    "Regression",
    "SkipGram",
    "Source",
    "Training",
    "Transitions",
    "Translating",
    "UpDown",
    "WholeNumber",
    "all_of",
    "evaluate",
    "input_gradients",
    "plan",
    "show_progress",
    "sparse_features",
    "started",
    "train",
    "train_and_finish",
    "train_greedily",
    "train_members",
    "unrolled",
    "upward",
    "whitening",
]
