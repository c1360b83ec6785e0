"""Objectives: what trainings are for."""

from .classification import Classification
from .contrastive_divergence import ContrastiveDivergence
from .next_symbol import NextSymbol
from .reconstruction import Reconstruction
from .up_down import UpDown

__all__ = ["Classification", "ContrastiveDivergence", "NextSymbol", "Reconstruction", "UpDown"]
