"""Does the fully connected layer help (chapter 6)?  ConvPool 20 and softmax, with 100 sigmoid units between, or not.

The first 10,000 training images, 15 epochs, mini-batches of 10, learning rate 0.1, sigmoids; test accuracy at the epoch
of best validation accuracy.
"""

import jax
from writing import few, measured, write

from firsthand import nn
from firsthand.learning import Recipe, train

SEEDS = 3


def main() -> None:
    """Measure and write."""
    data, found = few(), {}
    below, above = nn.ConvPool(20, activation=nn.sigmoid), nn.Softmax(10)
    for name, layers in (
        ("without", (below, above)),
        ("with", (below, nn.FullyConnected(100), above)),
    ):
        network = nn.Network(layers)
        recipe = Recipe(epochs=15, learning_rate=0.1)
        models = [train(network, data, recipe, key=jax.random.key(seed)).model for seed in range(SEEDS)]
        found[name] = {
            "test accuracy": measured([model.provenance["accuracies"]["test"] for model in models]),
            "training accuracy": measured([model.provenance["accuracies"]["training"] for model in models]),
            "parameters": measured([network.parameter_count]),
        }
    write("fully_connected", __doc__ or "", found)


if __name__ == "__main__":
    main()
