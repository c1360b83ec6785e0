"""Training data in the forms in which people have them, as the three parts that a training takes."""

from typing import Any

import numpy as np

from firsthand.data import Examples, Splits
from firsthand.errors import FirsthandError
from firsthand.nn import Network

from .objective import Objective
from .source import Source

__all__ = ["as_splits"]

_DIVISION = (0.9, 0.1)  # of data without parts: to learn from, and to choose by
_SEED = 0  # of that division: the same data are divided in the same way


def as_splits(data: Any, network: Network, objective: Objective) -> Any:
    """Training, validation and test data.

    Args:
        data: three parts, which are returned as they are; examples alone or arrays (x, y), which are divided 9 to 1
            into training and validation data; or two of either, for training and validation.
        network, objective: say what arrays are: see `Objective.examples`.
    Raises:
        FirsthandError: something else.
    """
    if all(hasattr(data, part) for part in ("train", "validation", "test")):
        return data
    if isinstance(data, Source):
        return Splits(data, None, None)
    if isinstance(data, Examples) or _is_pair(data):
        learn, choose = _examples(data, network, objective).split(*_DIVISION, seed=_SEED)
        return Splits(learn, choose, None)
    if isinstance(data, tuple | list) and len(data) == 2 and all(isinstance(d, Examples) or _is_pair(d) for d in data):
        train, validation = (_examples(each, network, objective) for each in data)
        return Splits(train, validation, None)
    found = ", ".join(type(each).__name__ for each in data[:4]) if isinstance(data, tuple | list) else ""
    raise FirsthandError(
        f"train: data is a {type(data).__name__}{f' of {found}' if found else ''}, expected "
        "Splits(train, validation, test), examples, or arrays (x, y)"
    )


def _is_pair(data: Any) -> bool:
    return isinstance(data, tuple | list) and len(data) == 2 and all(hasattr(each, "__array__") for each in data)


def _examples(data: Any, network: Network, objective: Objective) -> Any:
    if isinstance(data, Examples):
        return data
    x, y = data
    return objective.examples(np.asarray(x), np.asarray(y), network)
