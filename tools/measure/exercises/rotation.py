"""The effect of large rotations of the training images (chapter 3).

[784, 100, 10], ReLU and softmax, the first 10,000 training images, each turned by a new angle up to the limit whenever
it is seen; 10 epochs, mini-batches of 10, learning rate 0.05.  The test images are upright.
"""

import jax
import numpy as np
from writing import few, measured, write

from firsthand import nn
from firsthand.data import augment
from firsthand.inspect import confusion_matrix
from firsthand.learning import Recipe, train

DEGREES, SEEDS = (0, 10, 20, 45, 90, 180), 3


def main() -> None:
    """Measure and write."""
    data, found = few(), {}
    network = nn.Network((nn.FullyConnected(100, nn.relu, weights_init=nn.he), nn.Softmax(10)))
    for degrees in DEGREES:
        turned = augment.Rotate(degrees) if degrees else None
        recipe = Recipe(epochs=10, learning_rate=0.05, augment=turned, monitor=(), keep_best=False)
        accuracies, sixes = [], []
        for seed in range(SEEDS):
            model = train(network, data, recipe, key=jax.random.key(seed)).model
            matrix = confusion_matrix(data.test.labels, model.predict(data.test.images), 10)
            accuracies.append(np.trace(matrix) / matrix.sum())
            sixes.append(matrix[6, 9] + matrix[9, 6])
        found[f"{degrees} degrees"] = {"test accuracy": measured(accuracies), "6 and 9 confused": measured(sixes)}
    write("rotation", __doc__ or "", found)


if __name__ == "__main__":
    main()
