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
        PAIRS,
        QUICK,
        ROWS,
        SIMARD,
        SMALLEST,
        UPRIGHT,
    )
    from .fine_tuning import FineTuning, fine_tune, fine_tuning_recipe
    from .games import BREAKOUT, CATCH, FREEWAY, PONG, player
    from .generative import AUTOENCODER, DBN, SINGLE_RBM, VARIATIONAL
    from .image_net import googlenet, inception, ksh
    from .machines import NTM_COPY, NTM_RECALL, NTM_REPEAT, NTM_SORT
    from .named_recipe import NamedRecipe
    from .pictures import INCEPTION_SMALL, KSH_SMALL, ksh_small
    from .questions import STORIES
    from .recipes import RECIPES
    from .text import SHAKESPEARE
    from .transfer_learning import Transfer, transfer, transfer_recipe
    from .writing import CAPTIONS, DATES

__all__ = [
    "AUTOENCODER",
    "BREAKOUT",
    "CAPTIONS",
    "CATCH",
    "DATES",
    "DBN",
    "DEEP",
    "DIGIT_READER",
    "DROPOUT",
    "FREEWAY",
    "FULLY_CONNECTED",
    "GATE",
    "INCEPTION_SMALL",
    "KSH_SMALL",
    "NTM_COPY",
    "NTM_RECALL",
    "NTM_REPEAT",
    "NTM_SORT",
    "PAGE_READER",
    "PAIRS",
    "PONG",
    "QUICK",
    "RECIPES",
    "ROWS",
    "SHAKESPEARE",
    "SIMARD",
    "SINGLE_RBM",
    "SMALLEST",
    "STORIES",
    "UPRIGHT",
    "VARIATIONAL",
    "FineTuning",
    "NamedRecipe",
    "Transfer",
    "fine_tune",
    "fine_tuning_recipe",
    "googlenet",
    "inception",
    "ksh",
    "ksh_small",
    "player",
    "transfer",
    "transfer_recipe",
]

_GENERATIVE = ("AUTOENCODER", "DBN", "SINGLE_RBM", "VARIATIONAL")
_GAMES = ("BREAKOUT", "CATCH", "FREEWAY", "PONG")
_MACHINES = ("NTM_COPY", "NTM_RECALL", "NTM_REPEAT", "NTM_SORT")
_WRITING = ("CAPTIONS", "DATES")
_ELSEWHERE = (
    *(*_GENERATIVE, *_GAMES, *_MACHINES, *_WRITING),
    *("INCEPTION_SMALL", "KSH_SMALL", "RECIPES", "SHAKESPEARE", "STORIES"),
)
# on use, because a list of the recipes takes no networks
__getattr__, __dir__ = lazy_names(
    __name__,
    {
        ".digits": [name for name in __all__ if name.isupper() and name not in _ELSEWHERE],
        ".games": (*_GAMES, "player"),
        ".generative": _GENERATIVE,
        ".fine_tuning": ("FineTuning", "fine_tune", "fine_tuning_recipe"),
        ".image_net": ("googlenet", "inception", "ksh"),
        ".machines": _MACHINES,
        ".named_recipe": ("NamedRecipe",),
        ".pictures": ("INCEPTION_SMALL", "KSH_SMALL", "ksh_small"),
        ".questions": ("STORIES",),
        ".recipes": ("RECIPES",),
        ".text": ("SHAKESPEARE",),
        ".transfer_learning": ("Transfer", "transfer", "transfer_recipe"),
        ".writing": _WRITING,
    },
)
