"""What `firsthand train --recipe NAME` can train."""

from dataclasses import dataclass, is_dataclass, replace
from typing import Any

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

    def changed(self, **fields: Any) -> "NamedRecipe":
        """The same with other values of some of the recipe's fields.

        A schedule that ends with the recipe ends with the shorter or longer one too; a learning rate replaces it.

        Raises:
            RecipeError: a value out of its range.
        """
        schedule = self.recipe.learning_rate
        if "epochs" in fields and "learning_rate" not in fields and is_dataclass(schedule):
            fields = fields | {"learning_rate": replace(schedule, epochs=max(1, fields["epochs"]))}
        return replace(self, recipe=replace(self.recipe, **fields))


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
