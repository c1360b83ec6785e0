"""The reason that shifted training images still teach a convolutional network something (chapter 6).

ConvPool 20, 100 ReLUs, softmax; the first 10,000 training images, as they are or moved by up to 2 pixels whenever they
are seen; 10 epochs, mini-batches of 10, learning rate 0.05.  Accuracy on test images that are moved to the right by
0 to 4 pixels.
"""

import jax
import numpy as np
from writing import few, measured, write

from firsthand import nn
from firsthand.data import augment
from firsthand.learning import Recipe, train

SHIFTS, SEEDS = (0, 1, 2, 4), 3


def main() -> None:
    """Measure and write."""
    data, found = few(), {}
    network = nn.Network((nn.ConvPool(20), nn.FullyConnected(100, nn.relu, weights_init=nn.he), nn.Softmax(10)))
    images, labels = data.test.images, data.test.labels
    for name, moved in (("as they are", None), ("moved", augment.Translate(2))):
        recipe = Recipe(epochs=10, learning_rate=0.05, augment=moved, monitor=(), keep_best=False)
        models = [train(network, data, recipe, key=jax.random.key(seed)).model for seed in range(SEEDS)]
        found[name] = {}
        for shift in SHIFTS:
            right = np.pad(images, ((0, 0), (0, 0), (shift, 0), (0, 0)))[:, :, : images.shape[2]]
            accuracies = [np.mean(model.predict(right) == labels) for model in models]
            found[name][f"test images {shift} pixels to the right"] = measured(accuracies)
    write("translation", __doc__ or "", found)


if __name__ == "__main__":
    main()
