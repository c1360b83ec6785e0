"""Neural networks as descriptions: activations, costs, initializers, layers, and the network they make."""

from .activations import linear, relu, sigmoid, softmax, tanh
from .costs import Cost, cross_entropy, log_likelihood, quadratic
from .describe import from_json, to_json
from .initializers import Initializer, glorot, he, large, network3, scaled, zeros
from .layers import (
    AveragePool,
    Convolution,
    ConvPool,
    Dropout,
    Flatten,
    FullyConnected,
    L2Pool,
    Layer,
    MaxPool,
    OutputLayer,
    Params,
    Rescale,
    Shape,
    ShapeError,
    Softmax,
)
from .network import Network

__all__ = [
    "AveragePool",
    "ConvPool",
    "Convolution",
    "Cost",
    "Dropout",
    "Flatten",
    "FullyConnected",
    "Initializer",
    "L2Pool",
    "Layer",
    "MaxPool",
    "Network",
    "OutputLayer",
    "Params",
    "Rescale",
    "Shape",
    "ShapeError",
    "Softmax",
    "cross_entropy",
    "from_json",
    "glorot",
    "he",
    "large",
    "linear",
    "log_likelihood",
    "network3",
    "quadratic",
    "relu",
    "scaled",
    "sigmoid",
    "softmax",
    "tanh",
    "to_json",
    "zeros",
]
