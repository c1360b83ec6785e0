"""The networks that come with the package beside the readers of digits: made by tools/box, 16 bits a parameter."""

from functools import cache
from pathlib import Path
from typing import TypeVar

import numpy as np

from firsthand.models import Autoencoder, Generator, LanguageModel, Model, Policy, Regressor
from firsthand.models.family import MODEL_FORMAT, NetworkModel
from firsthand.models.file import read_safetensors

__all__ = [
    "COPIER",
    "DREAMER",
    "LETTERS",
    "MAP",
    "PLAYERS",
    "PROGRAMS",
    "STORY_READER",
    "SUM_READER",
    "boxed_copier",
    "boxed_dreamer",
    "boxed_map",
    "boxed_memory",
    "boxed_player",
    "boxed_story_reader",
]

M = TypeVar("M", bound=NetworkModel)

DREAMER = Path(__file__).with_name("dreamer.safetensors")
MAP = Path(__file__).with_name("map.safetensors")
PLAYERS = {name: Path(__file__).with_name(f"{name}.safetensors") for name in ("catch", "breakout", "freeway")}
LETTERS = Path(__file__).with_name("letters.safetensors")
SUM_READER = Path(__file__).with_name("sums.safetensors")
PROGRAMS = Path(__file__).with_name("programs.safetensors")
COPIER = Path(__file__).with_name("copies.safetensors")
STORY_READER = Path(__file__).with_name("stories.safetensors")


@cache
def boxed_dreamer() -> Generator:
    """A deep belief net, 784-256-256-1000 with ten label units: it draws the digit it is told."""
    return _read(DREAMER, Generator)


@cache
def boxed_map() -> Autoencoder:
    """An autoencoder with a code of two numbers, 784-128-32-2 and back: a map of the digits."""
    return _read(MAP, Autoencoder)


@cache
def boxed_player(name: str) -> Policy:
    """A policy of a game, one of `PLAYERS`."""
    return _read(PLAYERS[name], Policy)


@cache
def boxed_memory(path: Path) -> LanguageModel:
    """One of the networks with a memory.

    Args:
        path: `LETTERS`, the recipe `shakespeare`; `SUM_READER`, which writes what print(A+B) prints; `PROGRAMS`, which
            does so of other programs of one line.
    """
    return _read(path, LanguageModel)


@cache
def boxed_copier() -> Regressor:
    """A neural Turing machine, the recipe `ntm-copy`: it says a sequence of vectors of 8 bits again."""
    return _read(COPIER, Regressor)


@cache
def boxed_story_reader() -> Model:
    """A memory network with three hops: it answers questions about stories of all kinds of `data.tasks.stories`."""
    return _read(STORY_READER, Model)


def _read(path: Path, family: type[M]) -> M:
    """Read a model whose parameters are kept in 16 bits, as one of 32 bits."""
    arrays, about = read_safetensors(path, MODEL_FORMAT, "model")
    return family.from_description(about, {name: array.astype(np.float32) for name, array in arrays.items()})
