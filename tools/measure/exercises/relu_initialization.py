"""The initialization that suits ReLUs: N(0, 1/n_in), as for sigmoids, or N(0, 2/n_in) of He et al. (chapter 6).

Networks [784, 100 x k, 10] of ReLUs with softmax, the first 10,000 training images, 3 epochs, mini-batches of 10,
learning rate 0.03; test accuracy after the last epoch, and how large the last hidden layer is at the start beside the
first.
"""

import jax
import numpy as np
from writing import few, measured, write

from firsthand import nn
from firsthand.inspect import layer_outputs
from firsthand.learning import Recipe, train
from firsthand.models import Model

DEPTHS, SEEDS = (1, 5, 10, 20), 3


def main() -> None:
    """Measure and write."""
    data, found = few(), {}
    recipe = Recipe(epochs=3, learning_rate=0.03, monitor=(), keep_best=False)
    for depth in DEPTHS:
        for start in (nn.scaled, nn.he):
            hidden = [nn.FullyConnected(100, nn.relu, weights_init=start) for _ in range(depth)]
            network = nn.Network((*hidden, nn.Softmax(10)))
            sizes, accuracies = [], []
            for seed in range(SEEDS):
                key = jax.random.key(seed)
                fresh = Model(network, network.init(key=key), data.train.classes)
                hidden_outputs = list(layer_outputs(fresh, data.train.images[:1000]).values())[:-1]
                first, last = hidden_outputs[0], hidden_outputs[-1]
                sizes.append(np.sqrt(np.mean(last**2) / np.mean(first**2)))
                model = train(network, data, recipe, key=key).model
                accuracies.append(model.provenance["accuracies"]["test"])
            found[f"{start.__name__}, {depth} hidden"] = {
                "test accuracy": measured(accuracies),
                "last layer / first layer": measured(sizes),
            }
    write("relu_initialization", __doc__ or "", found)


if __name__ == "__main__":
    main()
