"""Learning rates that change with the epoch: values to put into a recipe's learning_rate."""

import math
from dataclasses import dataclass

__all__ = ["Cosine"]


@dataclass(frozen=True)
class Cosine:
    """From `start` down to `end` along half a cosine: end + (start - end) (1 + cos(pi epoch / epochs)) / 2.

    Args:
        start: learning rate of epoch 0.
        epochs: the epoch at which `end` would be reached; with the number of epochs of the recipe, the last epoch
            trained still has a small positive rate.
        end: what the rate falls to.
    References:
        Loshchilov and Hutter 2017, 'SGDR', equation (5).

    Examples:
        >>> [round(Cosine(1.0, 4)(epoch), 2) for epoch in range(4)]
        [1.0, 0.85, 0.5, 0.15]
    """

    start: float
    epochs: int
    end: float = 0.0

    def __call__(self, epoch: int) -> float:
        share = min(epoch / self.epochs, 1.0)
        return self.end + (self.start - self.end) * 0.5 * (1 + math.cos(math.pi * share))
