"""Objectives: what trainings are for."""

from .answering import Answering
from .classification import Classification
from .next_symbol import NextSymbol
from .reconstruction import Reconstruction
from .regression import Regression
from .skip_gram import SkipGram

__all__ = ["Answering", "Classification", "NextSymbol", "Reconstruction", "Regression", "SkipGram"]
