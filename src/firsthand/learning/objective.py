"""The objective of a training: the costs of its examples, or a gradient of its own, and what it is judged by."""

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from firsthand.data import Arrays, Examples
from firsthand.errors import FirsthandError
from firsthand.nn import Network, Params, statistics_of

from .quantity import Quantity

__all__ = ["Batch", "Objective"]

Batch = tuple[Array, ...]  # of every array of the examples, the same ones: (batch, ...)


class Objective(ABC):
    """A quantity to be made small, and the quantities that describe the result.

    A subclass is a frozen dataclass, because programs are compiled for it once and found again by its value.  It gives
    `costs`, or a `gradient` of its own; `measure` and `quantities` say how good a network is; `model` makes of it what
    people use.

    The first of the quantities decides which epoch is the best.  One named 'cost' is the mean of the costs, and is
    reported with the recipe's penalties.
    """

    @property
    @abstractmethod
    def quantities(self) -> tuple[Quantity, ...]:
        """The quantities that it is judged by; the first decides."""

    @abstractmethod
    def measure(self, network: Network, params: Any, batch: Batch) -> dict[str, Array]:
        """Return what is measured of every example, (batch,) each: their means are what `scores` is given."""

    def scores(self, means: Mapping[str, float]) -> dict[str, float]:
        """Return the quantities by name, from the means of what is measured; here, the means themselves."""
        return dict(means)

    def costs(
        self, network: Network, params: Any, batch: Batch, *, key: Array | None = None
    ) -> tuple[Array, tuple[Params, ...]]:
        """Return the costs in training, (batch,), and the parameters with their statistics brought up to date.

        Args:
            network, params: as they are.
            batch: of the arrays of the examples.
            key: for layers like Dropout.
        """
        raise NotImplementedError(f"{type(self).__name__} has neither costs nor a gradient of its own")

    def gradient(
        self, network: Network, params: Any, batch: Batch, weights: Array, *, key: Array
    ) -> tuple[Array, list[Array], Any]:
        """Return what one step needs: the cost of the mini-batch, the new statistics, and the gradient.

        Here it is that of sum_x weights_x C_x, with the weights 1/m of a mini-batch of m examples (0 for those that
        only fill it up).  An objective whose gradient is not that of a cost, such as contrastive divergence, has its
        own.

        Returns:
            A number; the statistics in the order of the tree (see `firsthand.nn.statistics_of`); a tree like `params`.
        """

        def mean_cost(params: Any) -> tuple[Array, list[Array]]:
            costs, updated = self.costs(network, params, batch, key=key)
            self.check_costs(costs, batch)
            return jnp.sum(costs * weights.astype(costs.dtype)), statistics_of(updated)

        (cost, statistics), gradient = jax.value_and_grad(mean_cost, has_aux=True)(params)
        return cost, statistics, gradient

    def costs_from(
        self, network: Network, params: Any, batch: Batch, memory: Any, *, key: Array | None = None
    ) -> tuple[Array, tuple[Params, ...], Any]:
        """Return the costs in training, the parameters, and the memory after, of sequences that go on.

        Args:
            network, params, batch, key: as of `costs`.
            memory: the network's state where the sequences of the mini-batch before have ended: see `Network.start`.
        """
        raise FirsthandError(f"recipe: carry_state is True, but {type(self).__name__} learns no sequences that go on")

    def gradient_from(
        self, network: Network, params: Any, batch: Batch, weights: Array, memory: Any, *, key: Array
    ) -> tuple[Array, list[Array], Any, Any]:
        """The gradient for sequences that continue; the memory handed on is taken as it is, without a gradient."""

        def mean_cost(params: Any) -> tuple[Array, tuple[list[Array], Any]]:
            costs, updated, after = self.costs_from(network, params, batch, memory, key=key)
            self.check_costs(costs, batch)
            return jnp.sum(costs * weights.astype(costs.dtype)), (statistics_of(updated), after)

        (cost, (statistics, after)), gradient = jax.value_and_grad(mean_cost, has_aux=True)(params)
        return cost, statistics, gradient, after

    def check_costs(self, costs: Array, batch: Batch) -> None:
        """Raise FirsthandError unless there is one cost for each example: a mean of another axis would mean nothing."""
        expected = batch[0].shape[:1]
        if costs.shape != expected:
            raise FirsthandError(
                f"objective {self}: its costs have shape {costs.shape} for a mini-batch of {expected[0]} examples, "
                f"expected {expected}: one number for each example"
            )

    def examples(self, x: np.ndarray, y: np.ndarray, network: Network) -> Examples:
        """Arrays (x, y) as examples that this objective takes; here, as they are."""
        return Arrays((x, y))

    def check(self, network: Network, examples: Examples, name: str) -> None:
        """Raise FirsthandError unless the network can learn this from the examples, called `name`."""
        check_inputs(network, examples, name)

    def outputs(self, examples: Examples) -> int | None:
        """The number of outputs that a network for these examples needs; None where they do not say."""
        return None

    @abstractmethod
    def model(self, network: Network, params: Any, examples: Examples, provenance: dict[str, Any]) -> Any:
        """Return the trained network as what people use.

        Args:
            network, params: what was trained.
            examples: the training data, whose names of classes or symbols the model keeps.
            provenance: how it came to be.
        """

    def finish(self, model: Any, validation: Examples) -> tuple[Any, str]:
        """Return the model with what validation data add to it, such as a temperature; and a line where they cannot."""
        return model, ""

    def about(self, scores: Mapping[str, Mapping[str, float]]) -> dict[str, Any]:
        """Return what a model's provenance says of its quality, from its scores on each part of the data."""
        return {"scores": {part: dict(found) for part, found in scores.items()}}

    def join(
        self, models: Sequence[Any], about: dict[str, Any], validation: Examples | None, test: Examples | None
    ) -> Any:
        """Return several models, trained side by side, as one; where nothing joins them, all of them as a tuple."""
        return tuple(models)

    def to_json(self) -> dict[str, Any]:
        """Return it for people and for comparison; functions by name."""
        fields = dataclasses.fields(self) if dataclasses.is_dataclass(self) else ()
        values = {field.name: plain(getattr(self, field.name)) for field in fields}
        return {"objective": type(self).__name__, **values}


def check_inputs(network: Network, examples: Examples, name: str) -> None:
    """Raise FirsthandError unless the examples have the shape that the network is given."""
    if examples.example_shape != network.input_shape:
        raise FirsthandError(
            f"{name}: each has shape {examples.example_shape}, the network expects {network.input_shape}"
        )


def plain(value: Any) -> Any:
    """Return a setting for people and for comparison: functions by name, schedules and the like by what they show."""
    if isinstance(value, Objective):
        return value.to_json()
    if callable(value):
        # a schedule is a dataclass, and its repr says everything; of a function, the name is all there is
        return repr(value) if dataclasses.is_dataclass(value) else getattr(value, "__name__", repr(value))
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    return value
