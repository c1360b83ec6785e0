"""The learning speed of each layer: norms of the gradient, and of the steps that it leads to (chapter 5)."""

import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from firsthand.data import Dataset
from firsthand.errors import FirsthandError
from firsthand.nn import Cost, Network, Params, log_likelihood
from firsthand.nn.network import is_statistic

from .parts import in_batches, params_at, parts

__all__ = ["LayerGradient", "LayerUpdate", "gradient_lengths", "mean_gradient", "update_lengths"]


class LayerGradient(NamedTuple):
    """The norm of a layer's gradient, by kind of parameter; 0 where a layer has no such parameter."""

    name: str
    bias: float  # ||dC/db||, the book's 'speed of learning' of the layer
    weights: float  # ||dC/dw||


class LayerUpdate(NamedTuple):
    """The distance that a layer's weights and biases have moved."""

    name: str
    update: float  # ||after - before||
    size: float  # ||before||

    @property
    def relative(self) -> float:
        """||after - before|| / ||before||; infinite for a step away from zero."""
        return self.update / self.size if self.size else math.inf if self.update else 0.0


def gradient_lengths(
    network: Network, params: Sequence[Params], data: Dataset, *, cost: Cost = log_likelihood
) -> tuple[LayerGradient, ...]:
    """||dC/db^l|| and ||dC/dw^l|| of every layer with parameters, C being the mean cost over the data.

        dC/db^l = 1/n sum_x dC_x/db^l = 1/n sum_x delta^l       (chapter 5, 'What's causing the vanishing gradient')

    Penalties and Dropout are left out, and BatchNorm uses its running statistics: it is the gradient of the cost that
    `evaluate` measures.  In a convolutional layer a shared bias counts once.

    Args:
        network, params: of a model, of a training (see `Progress.params`), or fresh ones.
        data: over which the gradient is taken, as a whole; a slice of a data set is a mini-batch.
        cost: as in the recipe.
    Returns:
        One for each layer with parameters, those inside of others by themselves; the last is the output layer.
    Raises:
        FirsthandError: data that do not fit the network.
    References:
        Nielsen, chapter 5, 'The vanishing gradient problem'.

    Examples:
        >>> from firsthand import mnist, nn
        >>> network = nn.Network((nn.FullyConnected(30), nn.FullyConnected(30), nn.FullyConnected(10)))
        >>> params = network.init(key=jax.random.key(0))
        >>> first, second, _ = gradient_lengths(network, params, mnist().train[:1000], cost=nn.cross_entropy)
        >>> first.bias < second.bias
        True
    """
    gradient = mean_gradient(network, params, data, cost=cost)
    found = []
    for part in parts(network):
        if part.whole and (leaves := _leaves(params_at(gradient, part.path))):
            bias = _length(leaf for name, leaf in leaves if name == "bias")
            found.append(LayerGradient(part.name, bias, _length(leaf for name, leaf in leaves if name != "bias")))
    return tuple(found)


def mean_gradient(
    network: Network, params: Sequence[Params], data: Dataset, *, cost: Cost = log_likelihood
) -> tuple[Params, ...]:
    """1/n sum_x dC_x/dp for every parameter p, as arrays in the structure of the parameters.

    Args, Raises:
        as in `gradient_lengths`.
    """
    if data.images.shape[1:] != network.input_shape:
        raise FirsthandError(f"data set: images have shape {data.images.shape[1:]}, expected {network.input_shape}")
    if data.num_classes > network.num_classes:
        raise FirsthandError(f"data set: {data.num_classes} classes, the network has {network.num_classes} outputs")
    program = _gradient_program(network, cost)
    total = None
    for part in in_batches(lambda x, y: program(tuple(params), x, y), data.images, data.labels):
        total = part if total is None else jax.tree.map(np.add, total, part)
    return jax.tree.map(lambda a: a / len(data), total)


def update_lengths(network: Network, before: Sequence[Params], after: Sequence[Params]) -> tuple[LayerUpdate, ...]:
    """The distance that every layer has moved between two states of its parameters, and its norm before.

    A step of about a thousandth of the weights is what a healthy training takes; a layer far below the others is not
    learning, whatever the length of its gradient.

    Args:
        network: whose parameters they are.
        before, after: of the same training, a step or an epoch apart.
    Returns:
        One for each layer with parameters, weights and biases together; running statistics are left out.
    """
    found = []
    for part in parts(network):
        old, new = _leaves(params_at(before, part.path)), _leaves(params_at(after, part.path))
        if part.whole and old:
            moved = _length(b - a for (_, a), (_, b) in zip(old, new, strict=True))
            found.append(LayerUpdate(part.name, moved, _length(a for _, a in old)))
    return tuple(found)


def _leaves(params: Any) -> list[tuple[str, np.ndarray]]:
    """The learned arrays, each with its name."""
    leaves = jax.tree_util.tree_leaves_with_path(params)
    return [(path[-1].key, np.asarray(leaf, np.float64)) for path, leaf in leaves if not is_statistic(path)]


def _length(arrays: Any) -> float:
    return math.sqrt(sum(float(np.sum(a * a)) for a in arrays))


@lru_cache(maxsize=64)
def _gradient_program(network: Network, cost: Cost) -> Callable[..., Any]:
    def total(params: tuple[Params, ...], x: Array, y: Array) -> Array:
        return jnp.sum(cost(network.weighted_input(params, x), y, network.activation))

    return jax.jit(jax.grad(total))
