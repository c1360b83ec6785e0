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

from firsthand.errors import FirsthandError
from firsthand.lazy import lazy_names

if TYPE_CHECKING:
    from firsthand import data, learning, nn
    from firsthand.data import Dataset, Splits, mnist
    from firsthand.interop import DigitClassifier as DigitClassifier
    from firsthand.learning import Recipe, train
    from firsthand.models import Model
    from firsthand.nn import Network
    from firsthand.reading import read

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

# on use, because all of them import JAX, which takes a second: `firsthand --help` and errors do not
__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "firsthand.data": ("Dataset", "Splits", "mnist"),
        "firsthand.interop": ("DigitClassifier",),
        "firsthand.learning": ("Recipe", "train"),
        "firsthand.models": ("Model",),
        "firsthand.nn": ("Network",),
        "firsthand.reading": ("read",),
    },
    modules=("data", "inspect", "interop", "kernels", "learning", "models", "nn", "reading", "zoo"),
)
