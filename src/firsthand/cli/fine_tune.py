"""What `firsthand train --from MODEL` does differently: where it begins, which images, and before and after."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from firsthand.errors import FirsthandError

from .common import load_splits

if TYPE_CHECKING:
    from firsthand.models import Classifier
    from firsthand.zoo import FineTuning, NamedRecipe

__all__ = ["check_options", "describe", "prepare", "print_before_and_after"]

# of the user's own images: to learn, to choose by, and enough to be judged by
PARTS = (0.6, 0.2, 0.2)


def check_options(settings: dict[str, Any], given: dict[str, Any]) -> None:
    """Refuse what does not go together with --from; and without it, what needs it.

    Args:
        settings: of the training.
        given: options by name, None or False where they were not given.
    """
    if settings["start"] is None:
        if settings["rehearsal"] is not None:
            raise FirsthandError("--rehearsal: needs a model to start from (--from MODEL)")
        return
    for name, value in given.items():
        if value:
            raise FirsthandError(f"{name}: does not go together with --from")


def prepare(settings: dict[str, Any]) -> tuple["NamedRecipe", "FineTuning"]:
    """The recipe, with the settings' overrides, and the data of a fine-tuning."""
    import jax

    from firsthand.models import Model, load_model
    from firsthand.zoo import FineTuning, NamedRecipe, fine_tuning_recipe

    start = load_model(Path(settings["start"]))
    if not isinstance(start, Model):
        raise FirsthandError(f"--from: {settings['start']} is an ensemble, expected a single model")
    recipe = fine_tuning_recipe(start.network)
    chosen = NamedRecipe("fine-tuning", "", start.network.layers, recipe).changed(**settings["overrides"])
    shape, seed = start.input_shape, settings["seed"]
    own = load_splits(
        settings["data"],
        settings["examples"],
        seed,
        size=shape[:2] if len(shape) == 3 else None,
        parts=PARTS,
        invert=settings["invert"],
    )
    original = load_splits(settings["rehearse"], None, seed)
    if own.train.digest == original.train.digest:
        raise FirsthandError(f"--data: {settings['data']} is what is rehearsed; expected images of your own")
    share = 0.75 if settings["rehearsal"] is None else settings["rehearsal"]
    if not 0 <= share < 1:
        raise FirsthandError(f"--rehearsal: found {share}, expected 0 <= share < 1")
    try:
        return chosen, FineTuning(start, own, original, share, jax.random.key(seed))
    except FirsthandError as error:
        raise FirsthandError(f"--from {settings['start']}: {error}") from None


def describe(tuning: "FineTuning") -> str:
    """How much is learned and rehearsed, in one line."""
    epoch, own = len(tuning.splits.train), len(tuning.own.train)
    rehearsed = round(epoch * tuning.share)
    return f"{own} images to learn; an epoch shows {epoch - rehearsed:,} of them and {rehearsed:,} rehearsed ones"


def print_before_and_after(model: "Classifier", names: dict[str, str]) -> None:
    """The accuracies on test images before and after.

    Args:
        model: fine-tuned.
        names: what the user calls the 'own' and the 'original' images.
    """
    about = model.provenance["fine_tuning"]
    rows = [
        (f"{names[kind]} ({after['n']:,} test images)", f"{before['accuracy']:.2%}", f"{after['accuracy']:.2%}")
        for (kind, before), after in zip(about["before"].items(), about["after"].values(), strict=True)
    ]
    width = max(len(name) for name, _, _ in rows)
    for name, before, after in [("accuracy", "before", "after"), *rows]:
        print(f"{name:{width}}  {before:>8}  {after:>8}")
