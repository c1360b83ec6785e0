"""A recipe: all that is to be done with a network and data, as one value."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any

import numpy as np
import optax

from firsthand.errors import FirsthandError

from .adam import Adam
from .objective import Objective, plain
from .objectives.classification import Classification
from .parameters import WEIGHTS
from .step import Augment, Rule, momentum

__all__ = ["Recipe", "RecipeError", "canonical"]

PARTS = ("training", "validation", "test")
_CLASSIFICATION = Classification()
_LARGEST = float(np.finfo(np.float32).max)  # of what the update computes with


class RecipeError(FirsthandError):
    """A field of a recipe has a value that cannot be used.

    Args:
        message: names the field, the value and what was expected.
        field, expected: the same for programs; "" where the fault is not that of one field.
    """

    def __init__(self, message: str, field: str = "", expected: str = "") -> None:
        super().__init__(message)
        self.field, self.expected = field, expected


@dataclass(frozen=True)
class Recipe:
    """The settings of a training.

    One step moves every weight against the mean gradient of a mini-batch of m examples, equation (93):

        w <- w - learning_rate * (1/m sum_x dC_x/dw + l2 * w + l1 * sgn(w))

    with l2 = lambda / n in the book's symbols, n being the size of the training set.  Biases are not regularized,
    unless `penalized` names them.  Parameters are named by their places, '0.weights', '3.bias'; patterns have * and ?.

    Args:
        epochs: passes over the training data.
        batch_size: examples in a mini-batch; a last, smaller one is used as it is, with the mean over what it has.
        learning_rate: a number, or a function of the epoch (0, 1, ...); one with an attribute per_step that is True is
            asked at every step, epoch 1.5 being half of the second epoch.
        momentum: mu in v <- mu v + gradient, w <- w - learning_rate * v; 0 is plain gradient descent.
        nesterov: take the gradient where momentum is about to lead.
        l2, l1: strengths of the two penalties, l2/2 sum w^2 and l1 sum |w|, on the mean cost.
        optimizer: `Adam`, or any Optax transformation, instead of momentum and nesterov; one of Optax's holds its own
            learning rate, so that learning_rate must then be left at None.
        objective: what the training is for, one of `firsthand.learning.objectives` or your own.
        augment: a function of a mini-batch of inputs and a key, one of `firsthand.data.augment`'s: every example is
            seen in another form each time.
        average: decay d of the exponential moving average of the parameters, w_mean <- d w_mean + (1 - d) w after
            every step, which then takes the place of w in all that is measured and kept; 0 keeps w itself.
        shuffle: a new order of the training data every epoch.
        patience: act when the objective's first quantity has not improved on validation data for this many epochs; None
            never acts.
        halvings: what acting is: so often the learning rate is halved first (7 leads to 1/128), then training stops.
        monitor: what is measured after every epoch on whole data sets, as PART_QUANTITY: 'validation_accuracy',
            'training_cost'; costs include the penalties.  By default the objective's first quantity on validation data.
        keep_best: end with the parameters of the best epoch, not of the last: by the objective's first quantity on
            validation data, where it is monitored.
        penalized: patterns of the parameters that l2 and l1 apply to; ('*',) includes biases.
        frozen: patterns of the parameters that stay as they are, statistics included.
        rates: pairs of a pattern and a factor, by which these parameters' learning rate is multiplied; the first that
            fits counts.
        clip: shorten the gradient of a mini-batch to this length where it is longer, before penalties are added.
        carry_state: carry the network's state from one mini-batch to the next.  Each of the batch_size rows then
            reads a stretch of the training sequences in their order, whatever shuffle says, from an empty memory at the
            beginning of every epoch.  The gradient still ends where a mini-batch begins (truncated backpropagation
            through time).  Sequences that make no whole mini-batch at the end are left out.
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
    optimizer: Adam | optax.GradientTransformation | None = None
    objective: Objective = _CLASSIFICATION
    augment: Augment | None = None
    average: float = 0.0
    shuffle: bool = True
    patience: int | None = None
    halvings: int = 0
    monitor: tuple[str, ...] | None = None
    keep_best: bool = True
    penalized: tuple[str, ...] = WEIGHTS
    frozen: tuple[str, ...] = ()
    rates: tuple[tuple[str, float], ...] = ()
    clip: float | None = None
    carry_state: bool = False

    def __post_init__(self) -> None:
        _require(isinstance(self.objective, Objective), "objective", self.objective, "an Objective")
        monitor = (self.decisive,) if self.monitor is None else tuple(self.monitor)
        object.__setattr__(self, "monitor", monitor)
        for name in ("penalized", "frozen"):
            found = getattr(self, name)
            _require(not isinstance(found, str), name, found, "a tuple of patterns")
            object.__setattr__(self, name, tuple(found))
        object.__setattr__(self, "rates", tuple((str(pattern), float(factor)) for pattern, factor in self.rates))
        for name in ("epochs", "batch_size", "halvings", *(() if self.patience is None else ("patience",))):
            _require(_is_number(getattr(self, name), int), name, getattr(self, name), "a whole number")
        for name in ("momentum", "l2", "l1", "average"):
            _require(_is_number(getattr(self, name), int | float), name, getattr(self, name), "a number")
        _require(self.epochs >= 1, "epochs", self.epochs, "1 or more")
        _require(self.batch_size >= 1, "batch_size", self.batch_size, "1 or more")
        _require(0 <= self.momentum < 1, "momentum", self.momentum, "0 <= momentum < 1")
        _require(math.isfinite(self.l2) and self.l2 >= 0, "l2", self.l2, "0 or more")
        _require(math.isfinite(self.l1) and self.l1 >= 0, "l1", self.l1, "0 or more")
        _require(self.augment is None or callable(self.augment), "augment", self.augment, "a function of inputs")
        _require(0 <= self.average < 1, "average", self.average, "0 <= average < 1")
        _require(self.patience is None or self.patience >= 1, "patience", self.patience, "None or 1 or more")
        _require(self.halvings >= 0, "halvings", self.halvings, "0 or more")
        _require(not self.halvings or self.patience is not None, "halvings", self.halvings, "a patience as well")
        _require(not self.nesterov or self.momentum > 0, "nesterov", self.nesterov, "a momentum as well")
        _require(self.clip is None or self.clip > 0, "clip", self.clip, "None or a positive number")
        _require(all(math.isfinite(f) and f >= 0 for _, f in self.rates), "rates", self.rates, "factors of 0 or more")
        known = [f"{part}_{quantity.name}" for part in PARTS for quantity in self.objective.quantities]
        for name in monitor:
            _require(name in known, "monitor", name, f"one of {', '.join(known)}")
        if self.optimizer is not None:
            _require(self.momentum == 0, "optimizer", "an optimizer", "no momentum beside it")
        if self._brings_its_rate:
            _require(self.learning_rate is None, "optimizer", "one of Optax's", "no learning_rate beside it")
        elif isinstance(self.learning_rate, int | float):
            rate = self.learning_rate
            _require(0 < rate <= _LARGEST, "learning_rate", rate, "a positive number of 32 bits")
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
    def decisive(self) -> str:
        """The quantity that decides which epoch is the best: 'validation_accuracy', for classification."""
        return f"validation_{self.objective.quantities[0].name}"

    @property
    def monitored(self) -> tuple[str, ...]:
        """The quantities that are measured after every epoch."""
        assert self.monitor is not None
        return self.monitor

    @property
    def _brings_its_rate(self) -> bool:
        return self.optimizer is not None and not isinstance(self.optimizer, Adam)

    @property
    def rule(self) -> Rule:
        """All that a compiled step depends on."""
        return Rule(
            objective=self.objective,
            batch_size=self.batch_size,
            optimizer=(self.optimizer.transformation if isinstance(self.optimizer, Adam) else self.optimizer)
            or momentum(self.momentum, self.nesterov),
            descend=not self._brings_its_rate,
            l2=self.l2,
            l1=self.l1,
            augment=self.augment,
            average=self.average,
            penalized=self.penalized,
            frozen=self.frozen,
            rates=self.rates,
            clip=self.clip,
            carry_state=self.carry_state,
        )

    @property
    def field_names(self) -> list[str]:
        """The fields that `changed` takes: its own, and its objective's."""
        objective: Any = self.objective
        others = fields(objective) if is_dataclass(objective) else ()
        return [field.name for field in (*fields(self), *others)]

    def changed(self, **values: Any) -> "Recipe":
        """Return the same recipe with other values of some fields, its own or its objective's.

        A schedule that ends with the recipe ends with the shorter or longer one too; a learning rate replaces it.

        Raises:
            RecipeError: no such field, or a value out of its range.
        """
        own = {field.name for field in fields(self)}
        if unknown := sorted(set(values).difference(self.field_names)):
            raise RecipeError(f"recipe: {unknown[0]} found, expected one of {', '.join(self.field_names)}")
        schedule: Any = self.learning_rate
        if "epochs" in values and "learning_rate" not in values and is_dataclass(schedule):
            _require(_is_number(values["epochs"], int), "epochs", values["epochs"], "a whole number")
            values = values | {"learning_rate": replace(schedule, epochs=max(1, values["epochs"]))}  # type: ignore[call-overload]
        of_objective = {name: value for name, value in values.items() if name not in own}
        if of_objective:
            goal: Any = values.get("objective", self.objective)
            values = {name: value for name, value in values.items() if name in own}
            values["objective"] = replace(goal, **of_objective)
        return replace(self, **values)

    def to_json(self) -> dict[str, Any]:
        """Return the recipe for people and for comparison; functions are given by name, and cannot be read back."""
        return {name: _plain(value) for name, value in vars(self).items()}


def canonical(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return what distinguishes a recipe's JSON from the default: two recipes are the same if these are equal.

    A field that was added later, with a default, makes no difference; nor does the form of version 0.1, where the cost
    and its smoothing stood among the recipe's own fields.
    """
    found = dict(settings)
    if "objective" not in found:
        goal = {name: found.pop(name) for name in Classification().to_json() if name in found}
        found["objective"] = {"objective": "Classification", **goal}
    default = Recipe(1, learning_rate=1.0).to_json()
    goal, usual = found["objective"], default["objective"]
    if isinstance(goal, Mapping) and goal.get("objective") == usual["objective"]:
        found["objective"] = {name: value for name, value in goal.items() if usual.get(name) != value}
        default["objective"] = {}
    return {name: value for name, value in found.items() if name not in default or default[name] != value}


def _require(holds: bool, field: str, found: Any, expected: str) -> None:
    if not holds:
        raise RecipeError(f"recipe: {field} is {found!r}, expected {expected}", field, expected)


def _is_number(value: Any, kind: Any) -> bool:
    return not isinstance(value, bool) and isinstance(value, kind | (np.integer if kind is int else np.number))


def _plain(value: Any) -> Any:
    if isinstance(value, Adam):
        return repr(value)
    return "optax transformation" if isinstance(value, optax.GradientTransformation) else plain(value)
