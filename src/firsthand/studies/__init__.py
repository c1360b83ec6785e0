"""The experiments of the texts, by theme: declarations that `firsthand.experiments` carries out."""

from typing import TYPE_CHECKING

from firsthand.lazy import lazy_names

from .order import IDS

if TYPE_CHECKING:
    from .catalogue import EXPERIMENTS

__all__ = ["EXPERIMENTS", "IDS"]

# on use, because the declarations bring with them all that runs them
__getattr__, __dir__ = lazy_names(__name__, {".catalogue": ("EXPERIMENTS",)})
