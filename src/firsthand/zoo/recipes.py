"""All named recipes, in the order in which they are listed."""

from . import digits, games, generative, machines, pictures, questions, text, writing

__all__ = ["RECIPES"]

RECIPES = (
    digits.RECIPES
    | text.RECIPES
    | generative.RECIPES
    | pictures.RECIPES
    | games.RECIPES
    | machines.RECIPES
    | writing.RECIPES
    | questions.RECIPES
)
