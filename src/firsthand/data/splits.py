"""Data in three parts: to learn from, to choose by, and to be judged by."""

from typing import Generic, NamedTuple, TypeVar

from .dataset import Dataset

__all__ = ["Splits"]

Part = TypeVar("Part", bound=Dataset | None)


class Splits(NamedTuple, Generic[Part]):
    """Training data, and validation and test data or None.

    Validation data decide when to stop and which parameters to keep; test data decide nothing.
    """

    train: Dataset
    validation: Part
    test: Part
