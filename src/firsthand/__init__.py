"""firsthand: neural networks, first hand.

Learn how networks learn, train them, look inside them, and read handwritten digits.

Examples:
    >>> import firsthand
    >>> from firsthand import nn
    >>> network = nn.Network((nn.ConvPool(20), nn.FullyConnected(100, nn.relu), nn.Softmax(10)))
    >>> network.parameter_counts
    (520, 288100, 1010)
"""

from typing import TYPE_CHECKING

from firsthand import data, learning, nn
from firsthand.data import Dataset, Splits, mnist
from firsthand.errors import FirsthandError
from firsthand.learning import Recipe, train
from firsthand.models import Model
from firsthand.nn import Network
from firsthand.reading import read

if TYPE_CHECKING:
    from firsthand.interop import DigitClassifier as DigitClassifier

# without DigitClassifier: `import *` would need scikit-learn
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


def __getattr__(name: str) -> object:
    if name == "DigitClassifier":
        from firsthand import interop  # on use, because it imports scikit-learn

        return interop.DigitClassifier
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
