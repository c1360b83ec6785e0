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

from . import expand_mnist, mnist_loader, network, network2, network3

__all__ = ["expand_mnist", "mnist_loader", "network", "network2", "network3"]
