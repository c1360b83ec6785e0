"""Read a model of whatever family."""

import os

from .autoencoder import Autoencoder
from .ensemble import ENSEMBLE_FORMAT, Ensemble
from .family import MODEL_FORMAT, NetworkModel
from .file import ModelFileError, read_description
from .generator import Generator
from .language import LanguageModel
from .model import Model
from .numbers import NumberModel
from .policy import Policy
from .regressor import Regressor
from .translator import Translator
from .word_vectors import WordVectors

__all__ = ["FAMILIES", "family_of", "load", "load_model"]

_FAMILIES: tuple[type[NetworkModel], ...] = (
    *(Model, LanguageModel, Autoencoder, Generator, Regressor, WordVectors),
    *(NumberModel, Policy, Translator),
)
ENSEMBLE = "ensemble"
FAMILIES: dict[str, type[NetworkModel]] = {each.family: each for each in _FAMILIES}


def load(path: str | os.PathLike[str]) -> Ensemble | NetworkModel:
    """Read a model file; nothing in it is ever executed.

    Returns:
        The model of a family, a `Model`, `LanguageModel`, `Autoencoder`, `Generator`, `Regressor`, `WordVectors`,
        `NumberModel`, `Policy` or `Translator`, or an `Ensemble`, as the file says.
    Raises:
        FileNotFoundError: there is no such file.
        ModelFileError: it is none, or damaged.
    """
    family = family_of(path)
    return Ensemble.load(path) if family == ENSEMBLE else FAMILIES[family].load(path)


def family_of(path: str | os.PathLike[str]) -> str:
    """Return the family of a model file, one of `FAMILIES` or 'ensemble'; its parameters are not read.

    Raises:
        FileNotFoundError: there is no such file.
        ModelFileError: it is none, or of an unknown family.
    """
    about = read_description(path, (MODEL_FORMAT, ENSEMBLE_FORMAT), "model")
    family = ENSEMBLE if about["format"] == ENSEMBLE_FORMAT else about.get("family", "classifier")
    if not isinstance(family, str) or family not in (*FAMILIES, ENSEMBLE):
        raise ModelFileError(f"{path}: a model of the family {family!r} found, one of {', '.join(FAMILIES)} expected")
    return family


def load_model(path: str | os.PathLike[str]) -> Model | Ensemble:
    """Read a classifier: one model, or several as one.

    Raises:
        FileNotFoundError: there is no such file.
        ModelFileError: it is neither, or damaged.
    """
    found = load(path)
    if not isinstance(found, Model | Ensemble):
        raise ModelFileError(f"{path}: {type(found).__name__} found, a model that names classes expected")
    return found
