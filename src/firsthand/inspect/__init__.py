"""Looking inside: what a trained network gets wrong, how far it can be believed, and the pictures of it."""

from .calibration import (
    Reliability,
    brier_score,
    expected_calibration_error,
    negative_log_likelihood,
    reliability,
)
from .diagnostics import Mistake, confusion_matrix, mistakes

__all__ = [
    "Mistake",
    "Reliability",
    "brier_score",
    "confusion_matrix",
    "expected_calibration_error",
    "mistakes",
    "negative_log_likelihood",
    "reliability",
]
