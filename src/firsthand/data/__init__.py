"""Image data sets: MNIST in the box, loaders for files of your own, and data sets to download."""

from .augment import (
    Affine,
    Augmentation,
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
from .dataset import DataError, Dataset
from .downloads import emnist_digits, fashion_mnist, kmnist
from .loaders import load, load_idx, load_image_folder, load_npz
from .mnist import mnist
from .pictures import LoadedImage, load_image
from .splits import Splits

__all__ = [
    "Affine",
    "Augmentation",
    "Compose",
    "DataError",
    "Dataset",
    "Distort",
    "Elastic",
    "Erase",
    "HorizontalFlip",
    "LoadedImage",
    "Noise",
    "RandomCrop",
    "Rotate",
    "Scale",
    "Shear",
    "Shift",
    "Splits",
    "Translate",
    "Warp",
    "emnist_digits",
    "expanded",
    "fashion_mnist",
    "kmnist",
    "load",
    "load_idx",
    "load_image",
    "load_image_folder",
    "load_npz",
    "mnist",
]
