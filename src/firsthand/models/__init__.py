"""Trained models: what they answer, what they are worth, and their files."""

from .autoencoder import Autoencoder
from .classifier import Classifier, normalized
from .ensemble import Ensemble, voted
from .family import NetworkModel
from .file import ModelFileError
from .language import LanguageModel
from .load import load, load_model
from .model import Model
from .temperature import CalibrationError, best_temperature, fit_temperature
from .views import mirrored, ten_crop

__all__ = [
    "Autoencoder",
    "CalibrationError",
    "Classifier",
    "Ensemble",
    "LanguageModel",
    "Model",
    "ModelFileError",
    "NetworkModel",
    "best_temperature",
    "fit_temperature",
    "load",
    "load_model",
    "mirrored",
    "normalized",
    "ten_crop",
    "voted",
]
