"""The layers: what a layer is stands in layer.py; here are their formulas."""

from .attention import Captioner, EncoderDecoder, Writer
from .blocks import Auxiliary, Concatenate, Residual, SqueezeExcite
from .boltzmann import RBM
from .codes import GaussianCode, Sparsity
from .convolution import Convolution, ConvPool, LocallyConnected
from .crop import Crop
from .dense import FullyConnected, Softmax
from .dropout import Dropout
from .embedding import Embedding
from .hops import MemoryNetwork
from .memory import NeuralTuringMachine
from .normalization import BatchNorm, LayerNorm, LocalContrastNormalization, LocalResponseNormalization
from .plain import Activation, Flatten, Rescale, Rows
from .pooling import AveragePool, GlobalAveragePool, GlobalMaxPool, L2Pool, MaxPool
from .recurrent import GRU, LSTM, Bidirectional, SimpleRNN

__all__ = [
    "GRU",
    "LSTM",
    "RBM",
    "Activation",
    "Auxiliary",
    "AveragePool",
    "BatchNorm",
    "Bidirectional",
    "Captioner",
    "Concatenate",
    "ConvPool",
    "Convolution",
    "Crop",
    "Dropout",
    "Embedding",
    "EncoderDecoder",
    "Flatten",
    "FullyConnected",
    "GaussianCode",
    "GlobalAveragePool",
    "GlobalMaxPool",
    "L2Pool",
    "LayerNorm",
    "LocalContrastNormalization",
    "LocalResponseNormalization",
    "LocallyConnected",
    "MaxPool",
    "MemoryNetwork",
    "NeuralTuringMachine",
    "Rescale",
    "Residual",
    "Rows",
    "SimpleRNN",
    "Softmax",
    "Sparsity",
    "SqueezeExcite",
    "Writer",
]
