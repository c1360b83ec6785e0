"""Neural networks as descriptions: activations, costs, initializers, layers, and the network they make."""

from .activations import gelu, linear, relu, sigmoid, softmax, tanh
from .blocks import Activation, Concatenate, GlobalAveragePool, GlobalMaxPool, Residual, SqueezeExcite
from .costs import Cost, Smoothed, cross_entropy, log_likelihood, quadratic
from .describe import describe, from_json, register, to_json
from .initializers import Initializer, glorot, he, large, network3, scaled, zeros
from .layer import Layer, OutputLayer, Params, Shape, ShapeError
from .layers import (
    AveragePool,
    Convolution,
    ConvPool,
    Dropout,
    Flatten,
    FullyConnected,
    L2Pool,
    MaxPool,
    Rescale,
    Softmax,
)
from .network import Network, statistics_of
from .normalization import BatchNorm, LayerNorm

__all__ = [
    "Activation",
    "AveragePool",
    "BatchNorm",
    "Concatenate",
    "ConvPool",
    "Convolution",
    "Cost",
    "Dropout",
    "Flatten",
    "FullyConnected",
    "GlobalAveragePool",
    "GlobalMaxPool",
    "Initializer",
    "L2Pool",
    "Layer",
    "LayerNorm",
    "MaxPool",
    "Network",
    "OutputLayer",
    "Params",
    "Rescale",
    "Residual",
    "Shape",
    "ShapeError",
    "Smoothed",
    "Softmax",
    "SqueezeExcite",
    "cross_entropy",
    "describe",
    "from_json",
    "gelu",
    "glorot",
    "he",
    "large",
    "linear",
    "log_likelihood",
    "network3",
    "quadratic",
    "register",
    "relu",
    "scaled",
    "sigmoid",
    "softmax",
    "statistics_of",
    "tanh",
    "to_json",
    "zeros",
]
