"""The units of a network over a data set: which are dead, which are saturated, and how the weights are spread."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from firsthand.data import Dataset
from firsthand.errors import FirsthandError
from firsthand.models import Model
from firsthand.nn import Network, relu, sigmoid, tanh

from .parts import in_batches, outputs, params_at, parts

__all__ = ["UnitUse", "WeightHistogram", "unit_use", "weight_histograms"]

# sigma'(z) in terms of a = sigma(z), and its largest value
_SLOPES: dict[Callable, tuple[Callable[[Array], Array], float]] = {
    sigmoid: (lambda a: a * (1 - a), 0.25),
    tanh: (lambda a: 1 - a * a, 1.0),
}


@dataclass(frozen=True, eq=False)
class UnitUse:
    """The share of a data set for which each unit of a layer is without effect on learning.

    Args:
        name: of the layer.
        activation: name of its activation function: relu, sigmoid or tanh.
        share: of the images for which a unit hardly learns: a ReLU whose output is 0, a sigmoid or tanh whose slope is
            below the threshold; the shape of the layer's output, (units,) or (height, width, channels).
        n: how many images there were.
    """

    name: str
    activation: str
    share: np.ndarray
    n: int

    @property
    def mean(self) -> float:
        """Share of all pairs of unit and image, 0 to 1."""
        return float(self.share.mean())

    @property
    def always(self) -> np.ndarray:
        """Mask the units that hardly learn from any image, (units,); (channels,) for images, where it means everywhere.

        A ReLU of which this is true is dead: no gradient comes through it, so that its own weights stay as they are;
        only what the layers before it learn could bring it back.
        """
        return np.all(self.share.reshape(-1, self.share.shape[-1]) == 1, axis=0)

    def __str__(self) -> str:
        what = "0" if self.activation == "relu" else "saturated"
        units = "units" if self.share.ndim == 1 else "channels"
        return (
            f"{self.name} ({self.activation}): {what} in {self.mean:.1%} of cases; "
            f"{int(self.always.sum())} of {len(self.always)} {units} for every image"
        )


def unit_use(model: Model, data: Dataset, *, threshold: float = 0.05) -> tuple[UnitUse, ...]:
    """Dead and saturated units of every layer of ReLU, sigmoid or tanh, over a data set.

    A sigmoid counts as saturated for an image where sigma'(z) < threshold * 1/4, a tanh where tanh'(z) < threshold:
    the slope, and with it what (BP2) lets through, is then less than `threshold` of its largest value.  At 0.05 that is
    a sigmoid above 0.987 or below 0.013.  The output layer counts like the others, unless it is softmax; that its
    sigmoids saturate at the right value is what learning with cross-entropy leads to.

    Args:
        model: any; layers inside of others are looked at by themselves.
        data: of the model's images.
        threshold: in (0, 1).
    Returns:
        One for each such layer.
    Raises:
        FirsthandError: data that do not fit the model, a threshold out of its range.
    References:
        Nielsen, chapter 3, 'The cross-entropy cost function' (saturation), and chapter 6, problem on ReLUs.
    """
    model.check_fits(data)
    if not 0 < threshold < 1:
        raise FirsthandError(f"unit_use: threshold is {threshold}, expected between 0 and 1")
    chosen = _chosen(model.network)
    program = _use_program(model.network, threshold)
    total = [np.zeros(1)] * len(chosen)
    for counts in in_batches(lambda x: program(model.params, x), data.images):
        total = [so_far + count for so_far, count in zip(total, counts, strict=True)]
    return tuple(
        UnitUse(name, function.__name__, count / len(data), len(data))
        for (name, function), count in zip(chosen.items(), total, strict=True)
    )


def _chosen(network: Network) -> dict[str, Callable[[Array], Array]]:
    """Name and activation function of the layers that can be idle."""
    return {
        part.name: function
        for part in parts(network)
        if (function := part.layer.activation_function) is not None and (function is relu or function in _SLOPES)
    }


@lru_cache(maxsize=16)
def _use_program(network: Network, threshold: float) -> Callable[..., list[Array]]:
    def idle(function: Callable[[Array], Array], a: Array) -> Array:
        if function is relu:
            return a == 0
        slope, largest = _SLOPES[function]
        return slope(a) < threshold * largest

    def count(params, x: Array) -> list[Array]:
        a = outputs(network, params, x)
        return [jnp.sum(idle(function, a[name]), axis=0) for name, function in _chosen(network).items()]

    return jax.jit(count)


@dataclass(frozen=True, eq=False)
class WeightHistogram:
    """The weights of a layer: how many lie where.

    Args:
        name: of the layer.
        counts: (bins,).
        edges: where the bins begin and end, (bins + 1,).
        mean, std: of the weights.
        near_zero: share of the weights that are less than a hundredth of the largest, which L1 makes large.
    """

    name: str
    counts: np.ndarray
    edges: np.ndarray
    mean: float
    std: float
    near_zero: float


def weight_histograms(model: Model, bins: int = 50) -> tuple[WeightHistogram, ...]:
    """The histogram of the weights of every layer that has any; biases are left out.

    Args:
        model: any.
        bins: of equal width, symmetrical about 0, as far as the largest weight.
    Raises:
        FirsthandError: no bin.
    """
    if bins < 1:
        raise FirsthandError(f"weight_histograms: bins is {bins}, expected 1 or more")
    found = []
    for part in parts(model.network):
        leaves = jax.tree_util.tree_leaves_with_path(params_at(model.params, part.path)) if part.whole else []
        w = [np.ravel(np.asarray(leaf)) for path, leaf in leaves if path[-1].key == "weights"]
        if not w:
            continue
        weights = np.concatenate(w).astype(np.float64)
        largest = float(np.max(np.abs(weights)))
        reach = largest or 1.0
        counts, edges = np.histogram(weights, bins, (-reach, reach))
        near = float(np.mean(np.abs(weights) <= largest / 100))
        found.append(WeightHistogram(part.name, counts, edges, float(weights.mean()), float(weights.std()), near))
    return tuple(found)
