"""The shuffle of Python 2, with which the seeds of the book's own programs repeat its own runs.

    import random
    import numpy as np
    from firsthand.book import mnist_loader, network2, python2

    random.seed(12345678)
    np.random.seed(12345678)  # the figures' seed
    net = network2.Network([784, 30, 10], cost=network2.CrossEntropyCost())
    net.large_weight_initializer()
    net.SGD(training_data[:1000], 400, 10, 0.5, evaluation_data=test_data, monitor_evaluation_accuracy=True,
            shuffle=python2.shuffle)

Both Pythons start from the same numbers after `random.seed` of an integer, and `numpy.random` has not changed either.
But Python 3 shuffles by another rule.  In a program that is to stay as it is, `random.shuffle = python2.shuffle` at its
beginning does the same.
"""

import random
from collections.abc import Callable, MutableSequence
from typing import Any

__all__ = ["shuffle"]


def shuffle(x: MutableSequence[Any], uniform: Callable[[], float] | None = None) -> None:
    """Shuffle a list in place by the rule of Python 2: from the last place i down, swap it with int(u (i + 1)).

    Args:
        x: the list.
        uniform: the source of the u in [0, 1), `random.random` unless given.

    Examples:
        >>> random.seed(12345678)
        >>> numbers = list(range(10))
        >>> shuffle(numbers)  # with Python 3's: [2, 8, 9, 0, 5, 7, 6, 4, 3, 1]
        >>> numbers
        [6, 4, 0, 8, 2, 3, 9, 1, 5, 7]
    """
    uniform = uniform or random.random
    for i in range(len(x) - 1, 0, -1):
        j = int(uniform() * (i + 1))
        x[i], x[j] = x[j], x[i]
