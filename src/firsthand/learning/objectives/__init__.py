"""Objectives: what trainings are for."""

from .answering import Answering
from .bits import Bits
from .classification import Classification, Hardened
from .contrastive_divergence import ContrastiveDivergence
from .next_symbol import NextSymbol
from .q_learning import QLearning
from .reconstruction import Reconstruction
from .regression import Regression
from .skip_gram import SkipGram
from .translating import Translating
from .up_down import UpDown
from .whole_number import WholeNumber

__all__ = [
    "Answering",
    "Bits",
    "Classification",
    "ContrastiveDivergence",
    "Hardened",
    "NextSymbol",
    "QLearning",
    "Reconstruction",
    "Regression",
    "SkipGram",
    "Translating",
    "UpDown",
    "WholeNumber",
]
