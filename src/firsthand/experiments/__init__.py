"""Named recipes: a network and how to train it."""

from .recipes import DIGIT_READER, FULLY_CONNECTED, RECIPES, NamedRecipe

__all__ = ["DIGIT_READER", "FULLY_CONNECTED", "RECIPES", "NamedRecipe"]
