"""Answers about a model that take seconds and are then kept: its predictions on the test images, its neighbours."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

import numpy as np

from firsthand.data import Dataset, mnist
from firsthand.inspect import Neighbours, last_hidden
from firsthand.models import Classifier, Model

__all__ = ["Studies"]

T = TypeVar("T")
KEPT = 4  # studies in memory
MAX_HIDDEN = 2**24  # numbers that the last hidden layers of all compared images may take: 64 MB
MAX_WORK = 2 * 10**11  # multiply-adds that finding them may take: some seconds


class Studies:
    """Studies of models, each made once.  May be used by several threads."""

    def __init__(self) -> None:
        self._made: OrderedDict[Hashable, Any] = OrderedDict()
        self._lock = threading.Lock()

    def tested(self, model: Classifier) -> tuple[Dataset, np.ndarray, np.ndarray]:
        """The test images, what a model calls them, (n,), and with which probabilities, (n, classes).

        Raises:
            FirsthandError: the model reads other images.
        """
        test = mnist().test
        model.check_fits(test)

        def make() -> tuple[np.ndarray, np.ndarray]:
            z = model.weighted_inputs(test.images)
            return z.argmax(1), model.probabilities_at(z)

        return test, *self._kept(("tested", id(model)), model, make)

    def neighbours(self, model: Model) -> Neighbours | None:
        """The training images as a model sees them, as many as take no more than seconds; None if it reads others."""
        train = mnist().train
        if model.input_shape != train.image_shape or tuple(model.classes) != train.classes:
            return None

        def make() -> Neighbours:
            units = last_hidden(model, train.images[:1]).shape[1]
            work = sum(model.network.multiply_adds)
            return Neighbours(model, train[: max(1000, min(MAX_HIDDEN // units, MAX_WORK // max(1, work)))])

        return self._kept(("neighbours", id(model)), model, make)

    def _kept(self, key: Hashable, model: object, make: Callable[[], T]) -> T:
        with self._lock:
            # the model is kept as well, so that its id stays its own
            if key not in self._made:
                self._made[key] = model, make()
                while len(self._made) > KEPT:
                    self._made.popitem(last=False)
            self._made.move_to_end(key)
            return self._made[key][1]
