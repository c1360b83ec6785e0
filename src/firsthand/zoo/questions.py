"""Networks that answer questions about little stories."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import jax
import numpy as np
from jax import Array

from firsthand import nn
from firsthand.data import Questions, Splits
from firsthand.data.tasks import STORY_ANSWERS, STORY_LENGTHS, STORY_SYMBOLS, STORY_WORDS, Part, stories, told
from firsthand.learning import Adam, Made, OneCycle, Recipe

from .about import ABOUT
from .named_recipe import NamedRecipe

__all__ = [
    "LONGEST_KIND",
    "RECIPES",
    "STORIES",
    "STORY_EPOCHS",
    "mixed_story_splits",
    "story_layers",
    "story_recipe",
    "story_splits",
]

STORY_EPOCHS = 12
LONGEST_KIND = max(STORY_LENGTHS, key=lambda kind: STORY_LENGTHS[kind])  # whose layers have room for all kinds


def story_layers(kind: int, hops: int, *, linear: bool = False) -> tuple[nn.MemoryNetwork, nn.Softmax]:
    """Return a memory network for stories of a kind; `linear` for the beginning of its training."""
    memory = nn.MemoryNetwork(len(STORY_SYMBOLS), 48, hops, STORY_LENGTHS[kind], STORY_WORDS, linear=linear)
    return memory, nn.Softmax(len(STORY_ANSWERS))


def story_recipe(epochs: int = STORY_EPOCHS) -> Recipe:
    """Return how it is trained: Adam with one cycle of its rate, gradients no longer than 1."""
    return Recipe(epochs, 32, OneCycle(0.01, epochs, rise=0.2), optimizer=Adam(), clip=1.0)


def story_splits(kind: int, count: int, held_out: int = 1_000) -> Splits[Any, Questions]:
    """New training stories of a kind in every epoch, and others to be judged by."""

    def made(key: Array) -> Questions:
        return told(stories(kind, count, seed=np.asarray(jax.random.key_data(key)).tolist()), kind)

    return Splits(Made(made), *(told(stories(kind, held_out, part, seed=0), kind) for part in ("validation", "test")))


def mixed_story_splits(kinds: Sequence[int], count: int, held_out: int = 1_000) -> Splits[Any, Questions]:
    """Stories as in `story_splits`, of several kinds for one network: `count` of each, in the layers of the longest."""

    def mixed(count: int, part: Part, seed: Sequence[int]) -> Questions:
        # a seed for each kind: kinds 1 and 6 would tell the same stories
        made = [story for kind in kinds for story in stories(kind, count, part, seed=[*seed, kind])]
        return told(made, LONGEST_KIND)

    def made(key: Array) -> Questions:
        return mixed(count, "training", np.asarray(jax.random.key_data(key)).tolist())

    return Splits(Made(made), mixed(held_out, "validation", [0]), mixed(held_out, "test", [0]))


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
