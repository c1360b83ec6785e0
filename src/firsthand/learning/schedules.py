"""Learning rates that change as training goes on: values to put into a recipe's learning_rate."""

import math
from dataclasses import dataclass

__all__ = ["Cosine", "OneCycle"]


@dataclass(frozen=True)
class Cosine:
    """From `start` down to `end` along half a cosine: end + (start - end) (1 + cos(pi epoch / epochs)) / 2.

    Args:
        start: learning rate of epoch 0.
        epochs: the epoch at which `end` would be reached; with the number of epochs of the recipe, the last epoch
            trained still has a small positive rate.
        end: what the rate falls to.
        per_step: fall with every step, not from epoch to epoch.
    References:
        Loshchilov and Hutter 2017, 'SGDR', equation (5).

    Examples:
        >>> [round(Cosine(1.0, 4)(epoch), 2) for epoch in range(4)]
        [1.0, 0.85, 0.5, 0.15]
    """

    start: float
    epochs: int
    end: float = 0.0
    per_step: bool = False

    def __call__(self, epoch: float) -> float:
        share = min(epoch / self.epochs, 1.0)
        return self.end + (self.start - self.end) * 0.5 * (1 + math.cos(math.pi * share))


@dataclass(frozen=True)
class OneCycle:
    """Up from peak / 25 to `peak` during the first part of the training, then down to 0; both along half a cosine.

    Args:
        peak: the largest learning rate.
        epochs: of the whole training.
        rise: share of the training that goes up.
        per_step: change with every step, not from epoch to epoch.
    References:
        Smith and Topin 2018, 'Super-Convergence'.

    Examples:
        >>> [round(OneCycle(1.0, 4, rise=0.5)(epoch), 2) for epoch in range(4)]
        [0.04, 0.52, 1.0, 0.5]
    """

    peak: float
    epochs: int
    rise: float = 0.25
    per_step: bool = True

    def __post_init__(self) -> None:
        if not 0 < self.rise < 1:
            raise ValueError(f"OneCycle: rise is {self.rise}, expected 0 < rise < 1")

    def __call__(self, epoch: float) -> float:
        share = min(epoch / self.epochs, 1.0)
        if share < self.rise:
            return Cosine(self.peak / 25, 1, self.peak)(share / self.rise)
        return Cosine(self.peak, 1)((share - self.rise) / (1 - self.rise))
