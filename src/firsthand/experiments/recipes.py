"""What `firsthand train --recipe NAME` can train."""

from dataclasses import dataclass

from firsthand import nn
from firsthand.learning import Cosine, Recipe

__all__ = ["DIGIT_READER", "FULLY_CONNECTED", "RECIPES", "NamedRecipe"]


@dataclass(frozen=True)
class NamedRecipe:
    """A network together with the recipe that trains it.

    Args:
        name: for the command line.
        about: one line for people.
        layers: the network's; its input shape comes from the data.
        recipe: how it is trained.
    """

    name: str
    about: str
    layers: tuple[nn.Layer, ...]
    recipe: Recipe


DIGIT_READER = NamedRecipe(
    "digit-reader",
    "two ConvPool layers, ReLU, one hidden layer of 100: chapter 6's network, with a falling learning rate",
    (
        nn.ConvPool(20, weights_init=nn.he),
        nn.ConvPool(40, weights_init=nn.he),
        nn.FullyConnected(100, nn.relu, weights_init=nn.he),
        nn.Softmax(10),
    ),
    Recipe(
        epochs=8,
        batch_size=10,
        learning_rate=Cosine(0.1, 8),
        l2=1e-4,
        monitor=("validation_cost", "validation_accuracy"),
    ),
)

FULLY_CONNECTED = NamedRecipe(
    "fully-connected",
    "one hidden layer of 30 sigmoid units, cross-entropy, L2: chapter 3's network, 96.49 % in the book",
    (nn.FullyConnected(30), nn.FullyConnected(10)),
    Recipe(epochs=30, batch_size=10, learning_rate=0.5, l2=5.0 / 50_000, cost=nn.cross_entropy),
)

RECIPES = {recipe.name: recipe for recipe in (DIGIT_READER, FULLY_CONNECTED)}
