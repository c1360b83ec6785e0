"""Networks that learn texts letter by letter."""

from firsthand import nn
from firsthand.learning import Adam, NextSymbol, OneCycle, Recipe

from .about import ABOUT
from .named_recipe import NamedRecipe

__all__ = ["RECIPES", "SHAKESPEARE"]

SHAKESPEARE = NamedRecipe(
    "shakespeare",
    ABOUT["shakespeare"],
    (nn.Embedding(76, 32), nn.LSTM(256), nn.Softmax(76)),
    Recipe(
        epochs=12,
        batch_size=32,
        learning_rate=OneCycle(0.005, 12, rise=0.15),
        optimizer=Adam(),
        clip=1.0,
        objective=NextSymbol(),
    ),
    data="shakespeare",
    length=64,
)

RECIPES = {SHAKESPEARE.name: SHAKESPEARE}
