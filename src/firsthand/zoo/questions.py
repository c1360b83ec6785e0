"""Networks that answer questions about little stories."""

from functools import partial
from typing import Any

import jax
import numpy as np
from jax import Array

from firsthand import nn
from firsthand.data import Questions, Splits
from firsthand.data.tasks import STORY_ANSWERS, STORY_LENGTHS, STORY_SYMBOLS, STORY_WORDS, stories, told
from firsthand.learning import Adam, Made, OneCycle, Recipe

from .about import ABOUT
from .named_recipe import NamedRecipe

__all__ = ["RECIPES", "STORIES", "STORY_EPOCHS", "story_layers", "story_recipe", "story_splits"]

STORY_EPOCHS = 12


def story_layers(kind: int, hops: int, *, linear: bool = False) -> tuple[nn.MemoryNetwork, nn.Softmax]:
    """Return a memory network for stories of a kind; `linear` for the beginning of its training."""
    memory = nn.MemoryNetwork(len(STORY_SYMBOLS), 48, hops, STORY_LENGTHS[kind], STORY_WORDS, linear=linear)
    return memory, nn.Softmax(len(STORY_ANSWERS))


def story_recipe() -> Recipe:
    """Return how it is trained: Adam with one cycle of its rate, gradients no longer than 1."""
    return Recipe(STORY_EPOCHS, 32, OneCycle(0.01, STORY_EPOCHS, rise=0.2), optimizer=Adam(), clip=1.0)


def story_splits(kind: int, count: int, held_out: int = 1_000) -> Splits[Any, Questions]:
    """New training stories of a kind in every epoch, and others to be judged by."""

    def made(key: Array) -> Questions:
        return told(stories(kind, count, seed=np.asarray(jax.random.key_data(key)).tolist()), kind)

    return Splits(Made(made), *(told(stories(kind, held_out, part, seed=0), kind) for part in ("validation", "test")))


STORIES = NamedRecipe(
    "stories",
    ABOUT["stories"],
    story_layers(1, 1),
    story_recipe(),
    data="made by rule",
    made=partial(story_splits, 1, 4_000),
    shape=((STORY_LENGTHS[1] + 1) * STORY_WORDS,),
)

RECIPES = {STORIES.name: STORIES}
