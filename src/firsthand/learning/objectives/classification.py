"""Naming the class of an image."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from firsthand.data import Examples, Labelled, Vectors
from firsthand.data.arrays import as_labels, make_dataset
from firsthand.errors import FirsthandError
from firsthand.models import CalibrationError, Ensemble, Model, fit_temperature
from firsthand.nn import Cost, Network, Params, Smoothed, cost_named, log_likelihood
from firsthand.nn.names import Named

from ..objective import Batch, Objective, check_inputs
from ..quantity import COST, Quantity

__all__ = ["Classification", "Hardened"]

ACCURACY = Quantity("accuracy", "accuracy", "准确度", "%")


@dataclass(frozen=True)
class Classification(Objective):
    """Each example has one label; the network says which.

    Args:
        cost: the cost function: one of `firsthand.nn`'s or its name, or your own, (z, labels, activation) -> (batch,).
        label_smoothing: share of the target that is spread over all classes in training: see `nn.Smoothed`.
        top: numbers k for which the top-k accuracy is measured as well: the share of examples whose label is among the
            k largest outputs, as 'top_5_accuracy'.
        auxiliary: weight of the costs of the network's auxiliary answers: see `nn.Auxiliary`.
    Raises:
        FirsthandError: a value out of its range; the message names the field.
    """

    cost: Named = Named(cost_named, log_likelihood)
    label_smoothing: float = 0.0
    top: tuple[int, ...] = ()
    auxiliary: float = 0.3

    def __post_init__(self) -> None:
        object.__setattr__(self, "top", tuple(self.top))
        if not 0 <= self.label_smoothing < 1:
            raise FirsthandError(
                f"recipe: label_smoothing is {self.label_smoothing!r}, expected 0 <= label_smoothing < 1"
            )
        if any(k < 1 for k in self.top):
            raise FirsthandError(f"recipe: top is {self.top}, expected numbers of 1 or more")
        if not 0 <= self.auxiliary < math.inf:
            raise FirsthandError(f"recipe: auxiliary is {self.auxiliary!r}, expected a number of 0 or more")

    @property
    def quantities(self) -> tuple[Quantity, ...]:
        names = [(f"top_{k}_accuracy", f"top-{k} accuracy", f"前 {k} 准确度") for k in self.top]
        return (ACCURACY, COST, *(Quantity(*name, "%") for name in names))

    @property
    def training_cost(self) -> Cost:
        """The cost that is descended: with smoothed labels where they are wanted."""
        return Smoothed(self.cost, self.label_smoothing) if self.label_smoothing else self.cost

    def costs(
        self, network: Network, params: Any, batch: Batch, *, key: Array | None = None
    ) -> tuple[Array, tuple[Params, ...]]:
        x, labels, *lengths = batch
        # (batch, classes), each
        z, sides, updated = network.forward_with_sides(params, x, key=key, lengths=lengths[0] if lengths else None)
        costs = self.training_cost(z, labels, network.activation)
        for side in sides:
            costs += self.auxiliary * self.training_cost(side, labels, network.activation)
        return costs, updated

    def measure(self, network: Network, params: Any, batch: Batch) -> dict[str, Array]:
        x, labels, *lengths = batch
        z = network.weighted_input(params, x, lengths=lengths[0] if lengths else None)
        found = {"cost": self.cost(z, labels, network.activation)}
        self.check_costs(found["cost"], batch)
        found["accuracy"] = jnp.argmax(z, axis=-1).astype(labels.dtype) == labels
        if self.top:
            own = jnp.take_along_axis(z, labels[:, None], axis=-1)  # (batch, 1)
            larger = jnp.sum(z > own, axis=-1)  # (batch,)
            found |= {f"top_{k}_accuracy": larger < k for k in self.top}
        return found

    def examples(self, x: np.ndarray, y: np.ndarray, network: Network) -> Examples:
        """Arrays as examples with classes: x are pixels, integers or floats 0..1 or 0..255, where the network's input
        has a height, a width and channels, and numbers as they are elsewhere; y are numbers or names, or one-hot.
        """
        if len(network.input_shape) == 3:
            return make_dataset(x.copy(), y, None)
        labels, names = as_labels(y)
        known = names or tuple(str(label) for label in range(int(labels.max(initial=0)) + 1))
        return Vectors(x.astype(np.float32, copy=False), labels, known)

    def check(self, network: Network, examples: Examples, name: str) -> None:
        if not isinstance(examples, Labelled):
            raise FirsthandError(f"{name}: {type(examples).__name__} found, classification needs examples with labels")
        check_inputs(network, examples, name)
        if getattr(examples, "lengths", None) is not None:
            network.check_lengths()
        if len(network.output_shape) != 1:
            raise FirsthandError(
                f"network: its output has shape {network.output_shape}, expected (classes,): one answer for each "
                "example, not one at every place of a sequence"
            )
        if examples.num_classes > network.num_classes:
            raise FirsthandError(
                f"{name}: it has {examples.num_classes} classes, the network has {network.num_classes} outputs"
            )

    def outputs(self, examples: Examples) -> int | None:
        return examples.num_classes if isinstance(examples, Labelled) else None

    def model(self, network: Network, params: Any, examples: Examples, provenance: dict[str, Any]) -> Model:
        assert isinstance(examples, Labelled)
        return Model(network, params, examples.classes, provenance)

    def finish(self, model: Any, validation: Examples) -> tuple[Any, str]:
        assert isinstance(validation, Labelled)
        if getattr(validation, "lengths", None) is not None:
            return model, "probabilities are not calibrated: the sequences differ in length"
        try:
            return fit_temperature(model, validation), ""
        except CalibrationError as error:
            return model, f"probabilities are not calibrated: {error}"

    def about(self, scores: Mapping[str, Mapping[str, float]]) -> dict[str, Any]:
        return {"accuracies": {part: found["accuracy"] for part, found in scores.items()}}

    def join(
        self, models: Sequence[Model], about: dict[str, Any], validation: Examples | None, test: Examples | None
    ) -> Ensemble:
        ensemble = Ensemble(tuple(models))
        about = about | {
            "accuracies": {},
            "votes": {},
            "member_accuracies": [model.provenance["accuracies"] for model in models],
        }
        for name, dataset in (("validation", validation), ("test", test)):
            if isinstance(dataset, Labelled):
                about["accuracies"][name] = ensemble.accuracy(dataset)
                about["votes"][name] = float(np.mean(ensemble.vote(dataset.arrays[0]) == dataset.labels))
        return Ensemble(ensemble.members, about)


@dataclass(frozen=True)
class Hardened(Classification):
    """Classification of every example as it is, and moved by epsilon along the sign of its slope at this step:

        C = share C(x) + (1 - share) C(x + epsilon sgn(dC/dx))

    What is measured is the accuracy and the cost of the examples as they are.

    Args:
        epsilon: how far each input is moved, on the scale where black is 0 and white is 1; what leaves it is cut off.
        share: of the cost of the examples as they are.
    Raises:
        FirsthandError: a value out of its range.
    References:
        Goodfellow, Shlens and Szegedy 2014, 'Explaining and Harnessing Adversarial Examples', section 6.
    """

    epsilon: float = 0.25
    share: float = 0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        if not (self.epsilon >= 0 and 0 <= self.share <= 1):
            raise FirsthandError(
                f"recipe: epsilon is {self.epsilon}, share {self.share}; expected 0 or more, and 0 to 1"
            )

    def costs(
        self, network: Network, params: Any, batch: Batch, *, key: Array | None = None
    ) -> tuple[Array, tuple[Params, ...]]:
        given, labels, *lengths = batch
        ends = lengths[0] if lengths else None
        x = network.as_float(given, params)

        def total(x: Array) -> Array:
            z = network.weighted_input(params, x, lengths=ends)
            return jnp.sum(self.training_cost(z, labels, network.activation))

        changed = jnp.clip(x + self.epsilon * jnp.sign(lax.stop_gradient(jax.grad(total)(x))), 0, 1)
        # one batch of both, so that statistics follow both
        doubled = jnp.concatenate([x, changed]), *(jnp.concatenate([each, each]) for each in (labels, *lengths))
        both, updated = super().costs(network, params, doubled, key=key)
        n = len(labels)
        return self.share * both[:n] + (1 - self.share) * both[n:], updated

    def gradient(
        self, network: Network, params: Any, batch: Batch, weights: Array, *, key: Array
    ) -> tuple[Array, list[Array], Any]:
        # its own, so that no matrix takes its step during the backward pass: each is used twice
        return super().gradient(network, params, batch, weights, key=key)
