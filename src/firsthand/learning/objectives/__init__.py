"""Objectives: what trainings are for."""

from .classification import Classification
from .next_symbol import NextSymbol
from .reconstruction import Reconstruction

__all__ = ["Classification", "NextSymbol", "Reconstruction"]
