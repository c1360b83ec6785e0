"""How the gradient shrinks or grows from layer to layer, for sigmoid, steeper sigmoid, tanh and ReLU (chapters 5, 6).

Fresh networks [784, 30 x 10, 10] with sigmoid outputs and cross-entropy; no training.  The first 1,000 images.
"""

import statistics
from itertools import pairwise

import jax
import jax.numpy as jnp
from jax import Array
from writing import few, measured, write

from firsthand import nn
from firsthand.inspect import gradient_lengths

HIDDEN, SEEDS = 10, 10


def steep(z: Array) -> Array:
    """sigma(8 z), whose slope is 2 at its steepest, 8 times that of sigma."""
    return jax.nn.sigmoid(8 * z)


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
        ratios, over_all, idle = [], [], []
        for seed in range(SEEDS):
            params = network.init(jnp.float32, key=jax.random.key(seed))
            lengths = [g.bias for g in gradient_lengths(network, params, data, cost=nn.cross_entropy)][:HIDDEN]
            # a factor of less than 1 shrinks on the way back
            factors = [earlier / later for earlier, later in pairwise(lengths) if later > 0]
            ratios.append(statistics.geometric_mean([f for f in factors if f > 0]))
            over_all.append(lengths[0] / lengths[-1])
            idle.append(sum(length == 0 for length in lengths))
        found[name] = {
            "factor per layer": measured(ratios),
            "first / last hidden layer": measured(over_all),
            "layers without gradient": measured(idle),
        }
    write("unstable_gradient", __doc__ or "", found)


if __name__ == "__main__":
    main()
