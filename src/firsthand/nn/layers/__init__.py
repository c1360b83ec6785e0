"""The layers: what a layer is stands in layer.py; here are their formulas."""

from .blocks import Concatenate, Residual, SqueezeExcite
from .convolution import Convolution, ConvPool
from .dense import FullyConnected, Softmax
from .dropout import Dropout
from .normalization import BatchNorm, LayerNorm
from .plain import Activation, Flatten, Rescale
from .pooling import AveragePool, GlobalAveragePool, GlobalMaxPool, L2Pool, MaxPool

__all__ = [
    "Activation",
    "AveragePool",
    "BatchNorm",
    "Concatenate",
    "ConvPool",
    "Convolution",
    "Dropout",
    "Flatten",
    "FullyConnected",
    "GlobalAveragePool",
    "GlobalMaxPool",
    "L2Pool",
    "LayerNorm",
    "MaxPool",
    "Rescale",
    "Residual",
    "Softmax",
    "SqueezeExcite",
]
