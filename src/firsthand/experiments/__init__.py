"""Named recipes: a network and how to train it; and the search for better settings."""

from .recipes import DIGIT_READER, DROPOUT, FULLY_CONNECTED, QUICK, RECIPES, SIMARD, SMALLEST, NamedRecipe
from .search import Choices, Range, Search, SearchResult, Trial, search

__all__ = [
    "DIGIT_READER",
    "DROPOUT",
    "FULLY_CONNECTED",
    "QUICK",
    "RECIPES",
    "SIMARD",
    "SMALLEST",
    "Choices",
    "NamedRecipe",
    "Range",
    "Search",
    "SearchResult",
    "Trial",
    "search",
]
