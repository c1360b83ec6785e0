"""Named networks, each with its recipe and data: what `firsthand train --recipe NAME` trains."""

from .digits import DEEP, DIGIT_READER, DROPOUT, FULLY_CONNECTED, GATE, PAGE_READER, QUICK, RECIPES, SIMARD, SMALLEST
from .fine_tuning import FineTuning, fine_tune, fine_tuning_recipe
from .named_recipe import NamedRecipe

__all__ = [
    "DEEP",
    "DIGIT_READER",
    "DROPOUT",
    "FULLY_CONNECTED",
    "GATE",
    "PAGE_READER",
    "QUICK",
    "RECIPES",
    "SIMARD",
    "SMALLEST",
    "FineTuning",
    "NamedRecipe",
    "fine_tune",
    "fine_tuning_recipe",
]
