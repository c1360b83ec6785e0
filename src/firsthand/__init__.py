"""firsthand: neural networks, first hand.

Learn how networks learn, train them, look inside them, and read handwritten digits.

Examples:
    >>> import firsthand
    >>> from firsthand import nn
    >>> network = nn.Network((nn.ConvPool(20), nn.FullyConnected(100, nn.relu), nn.Softmax(10)))
    >>> network.parameter_counts
    (520, 288100, 1010)
"""

from importlib import import_module
from typing import TYPE_CHECKING

from firsthand.errors import FirsthandError

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

# the part that each name comes from, imported when it is first asked for: a program that uses NumPy alone (`book`,
# `reference`) does not wait for JAX
_HOMES = {
    "Dataset": "data",
    "DigitClassifier": "interop",
    "Model": "models",
    "Network": "nn",
    "Recipe": "learning",
    "Splits": "data",
    "mnist": "data",
    "read": "reading",
    "train": "learning",
}


def __getattr__(name: str) -> object:
    if name in ("data", "learning", "nn"):
        return import_module(f"firsthand.{name}")
    if name in _HOMES:
        return getattr(import_module(f"firsthand.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
