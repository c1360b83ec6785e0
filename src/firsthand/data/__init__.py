"""Examples of every kind: bundled MNIST, images and texts of your own, data sets to download."""

from typing import TYPE_CHECKING

from .answers import Answers
from .bibles import aligned_verses, bible
from .dataset import Dataset
from .downloads import emnist_digits, fashion_mnist, kmnist
from .examples import Arrays, DataError, Examples
from .labelled import Labelled, Vectors
from .loaders import EXPECTED, load, load_csv, load_idx, load_image_folder, load_npz, load_parts, load_splits
from .mnist import mnist
from .photographs import patches_of, photographs
from .pictures import LoadedImage, load_image
from .questions import Questions
from .sequences import Sequences, text_splits
from .splits import ImageSplits, Splits
from .texts import TextParts, load_text, shakespeare, shakespeare_text
from .translations import Translations, alphabet_of
from .words import WordPairs, WordText, word_pairs

if TYPE_CHECKING:
    from .augment import (
        Affine,
        Augmentation,
        ColourNoise,
        Compose,
        Distort,
        Elastic,
        Erase,
        HorizontalFlip,
        Noise,
        RandomCrop,
        Rotate,
        Scale,
        Shear,
        Shift,
        Translate,
        Warp,
        expanded,
    )

__all__ = [
    "EXPECTED",
    "Affine",
    "Answers",
    "Arrays",
    "Augmentation",
    "ColourNoise",
    "Compose",
    "DataError",
    "Dataset",
    "Distort",
    "Elastic",
    "Erase",
    "Examples",
    "HorizontalFlip",
    "ImageSplits",
    "Labelled",
    "LoadedImage",
    "Noise",
    "Questions",
    "RandomCrop",
    "Rotate",
    "Scale",
    "Sequences",
    "Shear",
    "Shift",
    "Splits",
    "TextParts",
    "Translate",
    "Translations",
    "Vectors",
    "Warp",
    "WordPairs",
    "WordText",
    "aligned_verses",
    "alphabet_of",
    "bible",
    "emnist_digits",
    "expanded",
    "fashion_mnist",
    "kmnist",
    "load",
    "load_csv",
    "load_idx",
    "load_image",
    "load_image_folder",
    "load_npz",
    "load_parts",
    "load_splits",
    "load_text",
    "mnist",
    "patches_of",
    "photographs",
    "shakespeare",
    "shakespeare_text",
    "text_splits",
    "word_pairs",
]


def __getattr__(name: str) -> object:
    # on use, because augmentation runs on JAX, for which those who only read data need not wait
    if name in __all__:
        from . import augment

        return getattr(augment, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
