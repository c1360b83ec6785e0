"""Networks that write of what they are given: dates in another form, captions of scenes."""

from functools import partial
from typing import Any

import jax
import numpy as np
from jax import Array

from firsthand import nn
from firsthand.data import ImageSplits, Splits, Translations, mnist
from firsthand.data.scenes import CAPTION_STEPS, CAPTION_SYMBOLS, SCENE_SIDE, caption_scenes
from firsthand.data.tasks import DATE_GIVEN, DATE_STEPS, DATE_SYMBOLS, DATE_WRITABLE, written_dates
from firsthand.learning import Adam, Made, OneCycle, Recipe, Translating

from .about import ABOUT
from .named_recipe import NamedRecipe

__all__ = ["CAPTIONS", "DATES", "RECIPES", "caption_splits", "date_splits", "writing_recipe"]


def writing_recipe(epochs: int, *, rate: float = 4e-3, batch_size: int = 32) -> Recipe:
    """Return how a network learns to write: Adam with one cycle of its rate, gradients no longer than 1."""
    return Recipe(
        epochs,
        batch_size,
        OneCycle(rate, epochs, rise=0.2),
        optimizer=Adam(),
        objective=Translating(),
        clip=1.0,
        monitor=("validation_right", "validation_whole"),
    )


def date_splits(count: int, held_out: int = 1_000) -> Splits[Any, Translations]:
    """New training dates in every epoch, and others to be judged by."""

    def made(key: Array) -> Translations:
        return written_dates(count, seed=np.asarray(jax.random.key_data(key)).tolist())

    return Splits(Made(made), *(written_dates(held_out, part, seed=0) for part in ("validation", "test")))


DATES = NamedRecipe(
    "dates",
    ABOUT["dates"],
    (nn.EncoderDecoder(len(DATE_SYMBOLS), 24, 96, source=DATE_GIVEN), nn.Softmax(DATE_WRITABLE)),
    writing_recipe(8),
    data="made by rule",
    made=partial(date_splits, 4_000),
    shape=(DATE_GIVEN + DATE_STEPS,),
)


def caption_splits(count: int, held_out: int = 1_000, digits: ImageSplits | None = None) -> Splits[Any, Translations]:
    """New training scenes in every epoch, and others to be judged by, each of the digits of its part of MNIST."""
    found = mnist() if digits is None else digits

    def made(key: Array) -> Translations:
        return caption_scenes(found.train, count, seed=np.asarray(jax.random.key_data(key)).tolist())

    return Splits(
        Made(made),
        *(caption_scenes(part, held_out, seed=0) for part in (found.validation, found.test) if part is not None),
    )


def _captioner() -> nn.Captioner:
    encoder = (
        nn.ConvPool(16, 3, padding=1, activation=nn.relu),
        nn.ConvPool(32, 3, padding=1, activation=nn.relu),
        nn.Convolution(48, 3, padding=1, activation=nn.relu),
    )
    image = (SCENE_SIDE, SCENE_SIDE, 1)
    return nn.Captioner(len(CAPTION_SYMBOLS), 16, 96, attention=32, image=image, encoder=encoder)


CAPTIONS = NamedRecipe(
    "captions",
    ABOUT["captions"],
    (_captioner(), nn.Softmax(len(CAPTION_SYMBOLS))),
    writing_recipe(32, rate=3e-3),
    data="made by rule",
    made=partial(caption_splits, 4_000),
    shape=(SCENE_SIDE**2 + CAPTION_STEPS,),
)

RECIPES = {recipe.name: recipe for recipe in (DATES, CAPTIONS)}
