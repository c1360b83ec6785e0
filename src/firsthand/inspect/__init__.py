"""Looking inside: what a trained network gets wrong, and the pictures of it."""

from .diagnostics import Mistake, confusion_matrix, mistakes

__all__ = ["Mistake", "confusion_matrix", "mistakes"]
