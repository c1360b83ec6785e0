"""Named recipes: a network and how to train it; and the search for better settings."""

from .recipes import DIGIT_READER, FULLY_CONNECTED, RECIPES, NamedRecipe
from .search import Choices, Range, Search, SearchResult, Trial, search

__all__ = [
    "DIGIT_READER",
    "FULLY_CONNECTED",
    "RECIPES",
    "Choices",
    "NamedRecipe",
    "Range",
    "Search",
    "SearchResult",
    "Trial",
    "search",
]
