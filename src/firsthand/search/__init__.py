"""Settings: every combination of some values, or a search for the best."""

from .search import Choices, Range, Search, SearchResult, Trial, search
from .sweep import Point, Sweep, sweep

__all__ = [
    "Choices",
    "Point",
    "Range",
    "Search",
    "SearchResult",
    "Sweep",
    "Trial",
    "search",
    "sweep",
]
