"""The experiments of the texts, by theme: declarations that `firsthand.experiments` carries out."""

from .catalogue import EXPERIMENTS

__all__ = ["EXPERIMENTS"]
