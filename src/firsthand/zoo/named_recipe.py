"""A network with its recipe and its data, under a name."""

from dataclasses import dataclass, is_dataclass, replace
from typing import Any

from firsthand import nn
from firsthand.learning import Recipe

__all__ = ["NamedRecipe"]


@dataclass(frozen=True)
class NamedRecipe:
    """A network together with the recipe that trains it.

    Args:
        name: for the command line.
        about: one line for people.
        layers: the network's; its input shape comes from the data.
        recipe: how it is trained.
        expanded: train on the book's expanded set, every image and its four displacements by one pixel.
    """

    name: str
    about: str
    layers: tuple[nn.Layer, ...]
    recipe: Recipe
    expanded: bool = False

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
