"""Named networks, each with its recipe and data: what `firsthand train --recipe NAME` trains."""

from typing import TYPE_CHECKING

from firsthand.lazy import lazy_names

if TYPE_CHECKING:
    from .digits import (
        DEEP,
        DIGIT_READER,
        DROPOUT,
        FULLY_CONNECTED,
        GATE,
        PAGE_READER,
        QUICK,
        RECIPES,
        SIMARD,
        SMALLEST,
    )
    from .fine_tuning import FineTuning, fine_tune, fine_tuning_recipe
    from .named_recipe import NamedRecipe
    from .transfer_learning import Transfer, transfer, transfer_recipe

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
    "Transfer",
    "fine_tune",
    "fine_tuning_recipe",
    "transfer",
    "transfer_recipe",
]

# on use, because a list of the recipes takes no networks
__getattr__, __dir__ = lazy_names(
    __name__,
    {
        ".digits": [name for name in __all__ if name.isupper()],
        ".fine_tuning": ("FineTuning", "fine_tune", "fine_tuning_recipe"),
        ".named_recipe": ("NamedRecipe",),
        ".transfer_learning": ("Transfer", "transfer", "transfer_recipe"),
    },
)
