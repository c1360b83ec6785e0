"""Digits dreamt by a network that has seen digits without being told which: a restricted Boltzmann machine.

    python examples/digits_dreamt.py       writes dreams.png

>>> sheet = main(images=500, epochs=2, units=40, steps=20)
>>> sheet.shape, str(sheet.dtype)
((148, 298), 'uint8')
"""

from PIL import Image

from firsthand import Network, Recipe, mnist, nn, train
from firsthand.inspect.sheets import sheet_of
from firsthand.learning import ContrastiveDivergence


def main(images=50_000, epochs=20, units=300, steps=1000):
    data = mnist()
    few = data._replace(train=data.train[:images], test=None)
    recipe = Recipe(epochs, batch_size=50, learning_rate=0.1, momentum=0.5, objective=ContrastiveDivergence(k=1))
    model = train(Network((nn.RBM(units),)), few, recipe, key=0).model
    dreams = model.sample(50, key=1, steps=steps)[..., 0]
    return sheet_of([dreams[row : row + 10] for row in range(0, 50, 10)])


if __name__ == "__main__":
    Image.fromarray(main()).save("dreams.png")
