"""Quantities that trainings are judged by: a name in two languages, a unit, and which way is better."""

from dataclasses import dataclass
from typing import Literal

__all__ = ["COST", "Quantity"]


@dataclass(frozen=True)
class Quantity:
    """Something that is measured of a model on data.

    Args:
        name: as in a recipe's monitor, 'validation_accuracy', and in records.
        en, zh: for people.
        unit: '%' for a share, which is then shown in percent; 'bit', or nothing.
        better: which way is better.
        digits: after the point, when it is shown.

    Examples:
        >>> Quantity("accuracy", "accuracy", "准确度", "%").show(0.9796)
        '97.96 %'
        >>> Quantity("perplexity", "perplexity", "困惑度", better="lower").show(5.031)
        '5.03'
    """

    name: str
    en: str
    zh: str
    unit: str = ""
    better: Literal["higher", "lower"] = "higher"
    digits: int = 2

    def show(self, value: float) -> str:
        """Return a value with its unit."""
        number = f"{100 * value if self.unit == '%' else value:.{self.digits}f}"
        return f"{number} {self.unit}".rstrip()

    def improves(self, value: float, best: float | None) -> bool:
        """Return whether a value is better than the best so far; any is better than none."""
        return best is None or (value > best if self.better == "higher" else value < best)


COST = Quantity("cost", "cost", "代价", better="lower", digits=4)
