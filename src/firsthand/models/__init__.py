"""Trained models: what they answer, what they are worth, and their files."""

from .autoencoder import Autoencoder
from .classifier import Classifier, normalized
from .ensemble import Ensemble, voted
from .family import NetworkModel
from .file import ModelFileError
from .generator import Generator
from .language import LanguageModel, Place
from .load import family_of, load, load_model
from .model import Model
from .ngram import NGram
from .numbers import NumberModel, ReadNumber
from .policy import Policy
from .regressor import Regressor
from .temperature import CalibrationError, best_temperature, fit_temperature
from .translator import Translator, Written
from .views import mirrored, ten_crop
from .word_vectors import WordVectors

__all__ = [
    "Autoencoder",
    "CalibrationError",
    "Classifier",
    "Ensemble",
    "Generator",
    "LanguageModel",
    "Model",
    "ModelFileError",
    "NGram",
    "NetworkModel",
    "NumberModel",
    "Place",
    "Policy",
    "ReadNumber",
    "Regressor",
    "Translator",
    "WordVectors",
    "Written",
    "best_temperature",
    "family_of",
    "fit_temperature",
    "load",
    "load_model",
    "mirrored",
    "normalized",
    "ten_crop",
    "voted",
]
