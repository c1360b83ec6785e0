"""Texts that a user names: to train on, and to be judged by."""

from pathlib import Path
from typing import TYPE_CHECKING

from firsthand.errors import FirsthandError

from .common import DATA_NAMES, TEXT_NAMES

if TYPE_CHECKING:
    from firsthand.data import Sequences, Splits
    from firsthand.models import LanguageModel
    from firsthand.zoo import NamedRecipe

__all__ = ["check_kind", "load_text_splits", "refuse_text", "text_to_judge_by"]


def check_kind(recipe: "NamedRecipe", name: str) -> None:
    """Refuse a text for a recipe that takes images, and images for one that takes a text."""
    of_text = recipe.length is not None
    if of_text and name in DATA_NAMES:
        raise FirsthandError(f"--data: found {name}, images; the recipe {recipe.name} takes a text, {_TEXTS} expected")
    if not of_text and (name in TEXT_NAMES or name.lower().endswith(".txt")):
        raise FirsthandError(f"--data: found {name}, a text; the recipe {recipe.name} takes images")


def refuse_text(recipe: "NamedRecipe", command: str) -> None:
    """Refuse a recipe that learns a text or a game where trainings are compared by their accuracy."""
    for kind, found in (("text", recipe.length), ("game", recipe.environment)):
        if found is not None:
            raise FirsthandError(f"{command}: the recipe {recipe.name} learns a {kind}, expected one for images")


def load_text_splits(name: str, length: int, examples: int | None = None) -> "Splits[Sequences, Sequences]":
    """The named text as sequences in three parts: of the plays as they come, of your own by 90:5:5 in its order.

    Args:
        name: as --data names it.
        length: of the sequences.
        examples: how many training sequences to keep; None keeps all.
    """
    from firsthand import data

    if name in TEXT_NAMES:
        splits = data.shakespeare(length)
    else:
        text = _own_text(name)
        if len(set(text)) < 2:
            raise FirsthandError(f"--data: {name}: 1 different character found, 2 or more expected")
        # its validation and test parts, 5 % each, must be a sequence and its next symbol
        if len(text) < (shortest := 20 * (length + 1)):
            raise FirsthandError(f"--data: {name}: {len(text):,} characters found, at least {shortest:,} expected")
        splits = data.text_splits(text, length)
    if examples is None:
        return splits
    if not 1 <= examples <= len(splits.train):
        raise FirsthandError(f"--examples: found {examples}, expected 1 to {len(splits.train)}")
    return splits._replace(train=splits.train[:examples])


def text_to_judge_by(model: "LanguageModel", name: str) -> tuple[str, bool]:
    """A text to judge a model by, and whether it is a part of the named one.

    That is the test part where the model was trained on the rest; otherwise the whole of a text of your own, and the
    test part of the plays.
    """
    from firsthand import data

    trained_on = model.provenance.get("training_data")
    if name in TEXT_NAMES:
        return data.shakespeare_text().test, True
    text, length = _own_text(name), model.input_shape[0]
    if len(text) >= 20 * (length + 1):
        splits = data.text_splits(text, length)
        if splits.train.digest == trained_on:
            return text[-round(0.05 * len(text)) :], True
    return text, False


def _own_text(name: str) -> str:
    from firsthand.data import DataError, load_text

    if not Path(name).is_file():
        what = "a folder" if Path(name).is_dir() else "no such file"
        raise FirsthandError(f"--data: found {name!r} ({what}), expected {_TEXTS}")
    try:
        return load_text(name)
    except DataError as error:
        raise FirsthandError(f"--data: {error}") from None


_TEXTS = f"{', '.join(TEXT_NAMES)} or FILE.txt in UTF-8"
