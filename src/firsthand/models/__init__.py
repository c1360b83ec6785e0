"""Trained models: what they answer, what they are worth, and their files."""

from .classifier import Classifier, normalized
from .ensemble import Ensemble, load_model, voted
from .model import Model, ModelFileError
from .temperature import CalibrationError, best_temperature, fit_temperature

__all__ = [
    "CalibrationError",
    "Classifier",
    "Ensemble",
    "Model",
    "ModelFileError",
    "best_temperature",
    "fit_temperature",
    "load_model",
    "normalized",
    "voted",
]
