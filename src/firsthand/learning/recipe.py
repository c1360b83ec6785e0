"""What to do with a network and data, as one value: a recipe."""

import math
from collections.abc import Callable
from dataclasses import dataclass, is_dataclass
from typing import Any, Literal, get_args

import numpy as np
import optax

from firsthand.errors import FirsthandError
from firsthand.nn import Cost, Smoothed, cost_named, log_likelihood
from firsthand.nn.names import Named

from .step import Augment

__all__ = ["Monitor", "Recipe", "RecipeError"]

Monitor = Literal[
    "training_cost",
    "training_accuracy",
    "validation_cost",
    "validation_accuracy",
    "test_cost",
    "test_accuracy",
]


class RecipeError(FirsthandError):
    """A field of a recipe has a value that cannot be used."""


@dataclass(frozen=True)
class Recipe:
    """How a network is trained.

    One step moves every weight against the mean gradient of a mini-batch of m examples, equation (93):

        w <- w - learning_rate * (1/m sum_x dC_x/dw + l2 * w + l1 * sgn(w))

    with l2 = lambda / n in the book's symbols, n being the size of the training set.  Biases are not regularized.

    Args:
        epochs: passes over the training data.
        batch_size: examples in a mini-batch; a last, smaller one is used as it is, with the mean over what it has.
        learning_rate: a number, or a function of the epoch (0, 1, ...); one with an attribute per_step that is True is
            asked at every step, epoch 1.5 being half of the second epoch.
        momentum: mu in v <- mu v + gradient, w <- w - learning_rate * v; 0 is plain gradient descent.
        nesterov: take the gradient where momentum is about to lead.
        l2, l1: strengths of the two penalties, l2/2 sum w^2 and l1 sum |w|, on the mean cost.
        optimizer: any Optax transformation, instead of momentum and nesterov; it holds its own learning rate, so
            that learning_rate must then be left at None.
        cost: the cost function, or the name of one of `firsthand.nn`'s.
        label_smoothing: share of the target that is spread over all classes in training: see `nn.Smoothed`.
        augment: a function of a mini-batch of images and a key, one of `firsthand.data.augment`'s: every image is
            seen in another form each time.
        average: decay d of the exponential moving average of the parameters, w_mean <- d w_mean + (1 - d) w after
            every step, which then takes the place of w in all that is measured and kept; 0 keeps w itself.
        shuffle: a new order of the training data every epoch.
        patience: act when validation accuracy has not improved for so many epochs; None never acts.
        halvings: what acting is: so often the learning rate is halved first (7 leads to 1/128), then training stops.
        monitor: what is measured after every epoch on whole data sets; costs include the penalties.
        keep_best: end with the parameters of the epoch of best validation accuracy, not of the last epoch.
    Raises:
        RecipeError: a value out of its range; the message names the field.
    """

    epochs: int
    batch_size: int = 10
    learning_rate: float | Callable[[Any], float] | None = None
    momentum: float = 0.0
    nesterov: bool = False
    l2: float = 0.0
    l1: float = 0.0
    optimizer: optax.GradientTransformation | None = None
    cost: Named = Named(cost_named, log_likelihood)
    label_smoothing: float = 0.0
    augment: Augment | None = None
    average: float = 0.0
    shuffle: bool = True
    patience: int | None = None
    halvings: int = 0
    monitor: tuple[Monitor, ...] = ("validation_accuracy",)
    keep_best: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "monitor", tuple(self.monitor))
        _require(self.epochs >= 1, "epochs", self.epochs, "1 or more")
        _require(self.batch_size >= 1, "batch_size", self.batch_size, "1 or more")
        _require(0 <= self.momentum < 1, "momentum", self.momentum, "0 <= momentum < 1")
        _require(math.isfinite(self.l2) and self.l2 >= 0, "l2", self.l2, "0 or more")
        _require(math.isfinite(self.l1) and self.l1 >= 0, "l1", self.l1, "0 or more")
        _require(0 <= self.label_smoothing < 1, "label_smoothing", self.label_smoothing, "0 <= label_smoothing < 1")
        _require(self.augment is None or callable(self.augment), "augment", self.augment, "a function of images")
        _require(0 <= self.average < 1, "average", self.average, "0 <= average < 1")
        _require(self.patience is None or self.patience >= 1, "patience", self.patience, "None or 1 or more")
        _require(self.halvings >= 0, "halvings", self.halvings, "0 or more")
        _require(not self.halvings or self.patience is not None, "halvings", self.halvings, "a patience as well")
        _require(not self.nesterov or self.momentum > 0, "nesterov", self.nesterov, "a momentum as well")
        for name in self.monitor:
            _require(name in get_args(Monitor), "monitor", name, f"one of {', '.join(get_args(Monitor))}")
        if self.optimizer is not None:
            plain = self.learning_rate is None and self.momentum == 0
            _require(plain, "optimizer", "an optimizer", "no learning_rate or momentum beside it")
        elif isinstance(self.learning_rate, int | float):
            rate = self.learning_rate
            _require(math.isfinite(rate) and rate > 0, "learning_rate", rate, "a positive number")
        else:
            _require(callable(self.learning_rate), "learning_rate", self.learning_rate, "a number or a function")

    def learning_rate_at(self, epoch: float) -> float:
        """The learning rate of an epoch, counted from 0; 1.0 where an optimizer brings its own."""
        if self.learning_rate is None:
            return 1.0
        return float(self.learning_rate(epoch) if callable(self.learning_rate) else self.learning_rate)

    def learning_rates(self, epoch: int, steps: int) -> np.ndarray:
        """The learning rates of an epoch's steps, (steps,)."""
        if getattr(self.learning_rate, "per_step", False):
            return np.array([self.learning_rate_at(epoch + step / steps) for step in range(steps)])
        return np.full(steps, self.learning_rate_at(epoch))

    @property
    def training_cost(self) -> Cost:
        """The cost that is descended: with smoothed labels where they are wanted."""
        return Smoothed(self.cost, self.label_smoothing) if self.label_smoothing else self.cost

    def to_json(self) -> dict[str, Any]:
        """The recipe for people and for comparison; functions are given by name, and cannot be read back."""
        return {name: _plain(value) for name, value in vars(self).items()}


def _require(holds: bool, field: str, found: Any, expected: str) -> None:
    if not holds:
        raise RecipeError(f"recipe: {field} is {found!r}, expected {expected}")


def _plain(value: Any) -> Any:
    if isinstance(value, optax.GradientTransformation):
        return "optax transformation"
    if callable(value):
        # a schedule is a dataclass, and its repr says everything; of a function, the name is all there is
        return repr(value) if is_dataclass(value) else getattr(value, "__name__", repr(value))
    return list(value) if isinstance(value, tuple) else value
