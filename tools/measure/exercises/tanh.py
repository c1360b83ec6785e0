"""Does tanh learn faster than the sigmoid, and can a rescaled sigmoid keep up (chapter 6)?

[784, 100, 10] with softmax, the first 10,000 training images, 5 epochs, mini-batches of 10; validation accuracy after
the first and the last epoch.  sigma(z) = (1 + tanh(z/2))/2: in the coordinates of the sigmoid, the hidden weights of a
tanh network are twice as large, and the same motion takes four times the learning rate.
"""

import jax
from writing import few, measured, write

from firsthand import nn
from firsthand.learning import Recipe, train

RATE, SEEDS = 0.02, 5


def main() -> None:
    """Measure and write."""
    data, found = few(), {}
    for name, activation, rate, factor in (
        ("tanh", nn.tanh, RATE, 1),
        ("sigmoid", nn.sigmoid, RATE, 1),
        ("sigmoid, rate x 4", nn.sigmoid, 4 * RATE, 1),
        ("sigmoid, rate x 4, weights x 2", nn.sigmoid, 4 * RATE, 2),
    ):
        network = nn.Network((nn.FullyConnected(100, activation), nn.Softmax(10)))
        recipe, histories = Recipe(epochs=5, learning_rate=rate), []
        for seed in range(SEEDS):
            start_key, key = jax.random.split(jax.random.key(seed))
            params = jax.tree.map(lambda p, factor=factor: factor * p, network.init(key=start_key))
            histories.append(train(network, data, recipe, key=key, params=params).history)
        curves = [history["validation_accuracy"] for history in histories]
        found[name] = {
            "after epoch 1": measured([curve[0] for curve in curves]),
            "after epoch 5": measured([curve[-1] for curve in curves]),
        }
    write("tanh", __doc__ or "", found)


if __name__ == "__main__":
    main()
