"""A network that names digits: chapter 3's, in a page.

    python examples/classify_digits.py

>>> model = main(images=500, epochs=4)
epoch 4 of 4: 7... of 10 validation images are named right
>>> model.predict(mnist().test.images[:5]).shape
(5,)
"""

import jax

from firsthand import Recipe, Splits, mnist, nn, train
from firsthand.learning import Classification


def main(images=50_000, epochs=30):
    data = mnist()
    few = Splits(data.train[:images], data.validation, None)

    # 784 pixels -> 30 sigmoid units -> 10 sigmoid outputs, each of which says "this digit" or "not"
    network = nn.Network((nn.FullyConnected(30), nn.FullyConnected(10)), input_shape=(28, 28, 1))
    recipe = Recipe(
        epochs, batch_size=10, learning_rate=0.5, l2=5.0 / images, objective=Classification("cross_entropy")
    )

    model, history = train(network, few, recipe, key=jax.random.key(0))
    share = history["validation_accuracy"][-1]
    print(f"epoch {len(history)} of {epochs}: {10 * share:.1f} of 10 validation images are named right")
    return model


if __name__ == "__main__":
    main()
