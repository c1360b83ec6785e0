"""Data in three parts: to learn from, to choose by, and to be judged by."""

from typing import Generic, NamedTuple, Protocol, TypeVar

from .dataset import Dataset
from .examples import Examples

__all__ = ["ImageSplits", "Splits"]

Kind = TypeVar("Kind")  # examples, or a source of them
Part = TypeVar("Part", bound=Examples | None)


class Splits(NamedTuple, Generic[Kind, Part]):
    """Training data, and validation and test data or None.

    Validation data decide when to stop and which parameters to keep; test data decide nothing.
    """

    train: Kind
    validation: Part
    test: Part


class ImageSplits(Protocol):
    """Labelled images in three parts; the last two may be None."""

    @property
    def train(self) -> Dataset: ...
    @property
    def validation(self) -> Dataset | None: ...
    @property
    def test(self) -> Dataset | None: ...
