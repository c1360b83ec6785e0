"""firsthand: neural networks, first hand.

Learn how networks learn, train them, look inside them, and read handwritten digits.

Examples:
    >>> import firsthand
    >>> from firsthand import nn
    >>> network = nn.Network((nn.ConvPool(20), nn.FullyConnected(100, nn.relu), nn.Softmax(10)))
    >>> network.parameter_counts
    (520, 288100, 1010)
"""

from firsthand import data, learning, nn
from firsthand.data import Dataset, Splits, mnist
from firsthand.errors import FirsthandError
from firsthand.learning import Model, Recipe, train
from firsthand.nn import Network
from firsthand.reading import read

__all__ = [
    "Dataset",
    "FirsthandError",
    "Model",
    "Network",
    "Recipe",
    "Splits",
    "data",
    "learning",
    "mnist",
    "nn",
    "read",
    "train",
]
