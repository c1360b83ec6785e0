"""A network that goes on with a text, letter by letter, with a recurrent layer of one's own.

    python examples/text_letter_by_letter.py [FILE.txt]

The layer is Elman's (1990): h_t = tanh(x_t W + h_{t-1} U + b), written out below; nothing of firsthand knows it.

>>> model = main("the cat sat on the mat. " * 60, epochs=30)
>>> model.bits("the cat sat on the mat. the cat sat") < 1
True
>>> model.sample("the cat s", 12, key=jax.random.key(1), temperature=0.2)
'at on the ma'
"""

import sys
from dataclasses import dataclass
from pathlib import Path

import jax
import jax.numpy as jnp
from jax import lax

from firsthand import Recipe, nn, train
from firsthand.data import text_splits
from firsthand.learning import NextSymbol


@nn.register  # so that a model file may name it; training alone needs no such thing
@dataclass(frozen=True)
class Recurrent(nn.Layer):
    """Symbols (time,) -> states (time, units)."""

    symbols: int
    units: int
    takes_integers = True

    def output_shape(self, input_shape):
        return (*input_shape, self.units)

    def init(self, input_shape, dtype=jnp.float32, *, key):
        first, second = jax.random.split(key)
        return {
            "weights": nn.scaled((self.symbols, self.units), 1, self.units, dtype, key=first),
            "recurrent_weights": nn.scaled((self.units, self.units), self.units, self.units, dtype, key=second),
            "bias": jnp.zeros(self.units, dtype),
        }

    def apply(self, params, x, *, key=None, train=False):
        def step(h, x_t):  # one letter of each sequence: its row of W is x_t W
            h = jnp.tanh(params["weights"][x_t] + h @ params["recurrent_weights"] + params["bias"])
            return h, h

        start = jnp.zeros((len(x), self.units), params["bias"].dtype)
        return lax.scan(step, start, x.T)[1].swapaxes(0, 1)  # (batch, time, units)


def main(text, epochs=10, length=24):
    data = text_splits(text, length)
    symbols = len(data.train.symbols)
    network = nn.Network((Recurrent(symbols, 64), nn.Softmax(symbols)), input_shape=(length,))
    recipe = Recipe(epochs, batch_size=4, learning_rate=0.2, momentum=0.9, clip=1.0, objective=NextSymbol())
    return train(network, data, recipe, key=jax.random.key(0)).model


if __name__ == "__main__":
    text = Path(sys.argv[1]).read_text() if len(sys.argv) > 1 else "to be or not to be, that is the question. " * 200
    model = main(text)
    print(model.sample(text[:20], 200, key=jax.random.key(1), temperature=0.7))
