"""A layer of one's own, trained as ours are: inputs with a gain each, learned along with the rest.

    python examples/own_layer.py

>>> model = main(images=500, epochs=2)
>>> model.network.summary().splitlines()[3].split()[:2]
['Gain()', '28x28x1']
"""

from dataclasses import dataclass

import jax.numpy as jnp

from firsthand import Network, Recipe, mnist, nn, train


@nn.register  # so that a model file can name it; training alone needs no such thing
@dataclass(frozen=True)
class Gain(nn.Layer):
    """y = g x, with a gain for every input."""

    def init(self, input_shape, dtype=jnp.float32, *, key):
        return {"gain": jnp.ones(input_shape, dtype)}

    def apply(self, params, x, *, key=None, train=False):
        return params["gain"] * x


def main(images=50_000, epochs=10):
    network = Network((Gain(), nn.FullyConnected(30, "relu"), nn.Softmax(10)))
    return train(network, mnist().train[:images], Recipe(epochs, learning_rate=0.1), key=0).model


if __name__ == "__main__":
    model = main()
    print(model)
    print(f"gains from {model.params[0]['gain'].min():.2f} to {model.params[0]['gain'].max():.2f}")
