"""The recipe and the data whose trainings `firsthand sweep` and `firsthand search` compare, and their options."""

from typing import TYPE_CHECKING, Annotated

import typer

from .common import find_recipe, load_splits
from .texts import refuse_text

if TYPE_CHECKING:
    from firsthand.data import ImageSplits
    from firsthand.zoo import NamedRecipe

__all__ = ["Epochs", "Examples", "Recipe", "find_compared"]

Recipe = Annotated[str, typer.Option(help="What to train; `firsthand summary` lists the names.")]
Epochs = Annotated[int | None, typer.Option(help="Passes over the training data, in every training.")]
Examples = Annotated[int | None, typer.Option(help="Use only the first N training images.")]


def find_compared(
    command: str,
    recipe: str,
    data: str,
    *,
    epochs: int | None,
    examples: int | None,
    seed: int,
    size: int | None,
    invert: bool | None,
) -> "tuple[NamedRecipe, ImageSplits]":
    """Return the recipe and its data; one that learns a text or a game is refused in the command's name."""
    chosen = find_recipe(recipe, {} if epochs is None else {"epochs": epochs})
    refuse_text(chosen, command)
    return chosen, load_splits(data, examples, seed, size=size, invert=invert)
