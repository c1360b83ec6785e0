"""The interface of the book's own programs, on Python 3.

    from firsthand.book import mnist_loader, network2

    training_data, validation_data, test_data = mnist_loader.load_data_wrapper()
    net = network2.Network([784, 30, 10])
    net.SGD(training_data, 30, 10, 0.5, lmbda=5.0, evaluation_data=validation_data,
            monitor_evaluation_accuracy=True)

Programs written for the originals run unchanged when this folder is on the path: `import network2` finds it here.
Names, arguments, printed lines and return values are the originals'; where something differs, `docs/deviations.md`
says so.  The mathematics is in `firsthand.reference`, where it is meant to be read.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from . import (
        conv,
        expand_mnist,
        mnist_average_darkness,
        mnist_loader,
        mnist_svm,
        network,
        network2,
        network3,
        python2,
    )

__all__ = [
    "conv",
    "expand_mnist",
    "mnist_average_darkness",
    "mnist_loader",
    "mnist_svm",
    "network",
    "network2",
    "network3",
    "python2",
]


def __getattr__(name: str) -> object:
    # on use: network2 needs NumPy alone, and network3 JAX
    if name in __all__:
        return import_module(f"firsthand.book.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
