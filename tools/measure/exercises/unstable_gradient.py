"""The gradient from layer to layer, for sigmoid, steeper sigmoid, tanh and ReLU (chapters 5, 6).

Fresh networks [784, 30 x 10, 10] with sigmoid outputs and cross-entropy; no training.  The gradient of the
mean cost of the first 1,000 images, and of each of the first 20 by itself.
"""

import statistics

import jax
import jax.numpy as jnp
from jax import Array
from writing import few, measured, write

from firsthand import nn
from firsthand.data import Dataset
from firsthand.inspect import gradient_lengths

HIDDEN, SEEDS, ALONE = 10, 10, 20


def steep(z: Array) -> Array:
    """sigma(8 z), whose slope is 2 at its steepest, 8 times that of sigma."""
    return jax.nn.sigmoid(8 * z)


def hidden_lengths(network: nn.Network, params: tuple[nn.Params, ...], data: Dataset) -> list[float]:
    """||dC/db|| of the hidden layers."""
    return [layer.bias for layer in gradient_lengths(network, params, data, cost=nn.cross_entropy)][:HIDDEN]


def factor(lengths: list[float]) -> float:
    """The geometric mean of earlier / later over neighbouring layers; below 1 the gradient shrinks on its way back."""
    return (lengths[0] / lengths[-1]) ** (1 / (len(lengths) - 1))


def main() -> None:
    """Measure and write."""
    data, found = few(1000).train, {}
    networks = {
        "sigmoid": (nn.sigmoid, nn.scaled),
        "steep sigmoid": (steep, nn.scaled),
        "tanh": (nn.tanh, nn.scaled),
        "relu": (nn.relu, nn.scaled),
        "relu, he": (nn.relu, nn.he),
    }
    for name, (activation, start) in networks.items():
        hidden = [nn.FullyConnected(30, activation, weights_init=start) for _ in range(HIDDEN)]
        network = nn.Network((*hidden, nn.FullyConnected(10)))
        factors, single, over_all = [], [], []
        for seed in range(SEEDS):
            params = network.init(jnp.float32, key=jax.random.key(seed))
            lengths = hidden_lengths(network, params, data)
            factors.append(factor(lengths))
            over_all.append(lengths[0] / lengths[-1])
            alone = [factor(hidden_lengths(network, params, data[i : i + 1])) for i in range(ALONE)]
            single.append(statistics.geometric_mean(alone))
        found[name] = {
            "factor per layer": measured(factors),
            "of single images": measured(single),
            "first / last hidden layer": measured(over_all),
        }
    write("unstable_gradient", __doc__ or "", found)


if __name__ == "__main__":
    main()
