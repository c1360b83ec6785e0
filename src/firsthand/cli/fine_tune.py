"""The particulars of `firsthand train --from MODEL`: where it begins, which images, and before and after."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from firsthand.errors import FirsthandError

from .common import change_recipe, load_splits

if TYPE_CHECKING:
    from firsthand.data import ImageSplits
    from firsthand.models import Classifier, Model
    from firsthand.zoo import FineTuning, NamedRecipe, Transfer

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
        for option, name in (("--rehearsal", "rehearsal"), ("--frozen", "frozen"), ("--kept-rate", "kept_rate")):
            if settings[name] is not None:
                raise FirsthandError(f"{option}: needs a model to start from (--from MODEL)")
        return
    for name, value in given.items():
        if value:
            raise FirsthandError(f"{name}: does not go together with --from")


def prepare(settings: dict[str, Any]) -> tuple["NamedRecipe", "FineTuning | Transfer"]:
    """The recipe, with the settings' overrides, and the data of a fine-tuning.

    Classes that the model does not have, frozen layers or a rate of their own make it a transfer: the output layer is a
    new one, and nothing is rehearsed.
    """
    import jax

    from firsthand.models import Model, load_model
    from firsthand.zoo import FineTuning, NamedRecipe, fine_tuning_recipe

    start = load_model(Path(settings["start"]))
    if not isinstance(start, Model):
        raise FirsthandError(f"--from: {settings['start']} is an ensemble, expected a single model")
    recipe = fine_tuning_recipe(start.network)
    chosen = change_recipe(NamedRecipe("fine-tuning", "", start.network.layers, recipe), settings["overrides"])
    shape, seed = start.input_shape, settings["seed"]
    own = load_splits(
        settings["data"],
        settings["examples"],
        seed,
        size=shape[:2] if len(shape) == 3 else None,
        parts=PARTS,
        invert=settings["invert"],
    )
    others = sorted(set(own.train.classes) - set(start.classes))
    if others or settings["frozen"] is not None or settings["kept_rate"] is not None:
        return _to_other_classes(settings, start, own, others)
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


def _to_other_classes(
    settings: dict[str, Any], start: "Model", own: "ImageSplits", others: list[str]
) -> tuple["NamedRecipe", "Transfer"]:
    import jax

    from firsthand.zoo import NamedRecipe, Transfer, transfer_recipe

    if settings["rehearsal"] is not None:
        because = f"classes that the model does not have ({', '.join(others[:3])})" if others else "a new output layer"
        raise FirsthandError(f"--rehearsal: does not go together with {because}")
    frozen, rate = settings["frozen"] or 0, settings["kept_rate"]
    try:
        plan = Transfer(start, own, jax.random.key(settings["seed"]), frozen, 1.0 if rate is None else rate)
    except FirsthandError as error:
        raise FirsthandError(f"--from {settings['start']}: {error}") from None
    recipe = plan.recipe(transfer_recipe(start.network))
    return change_recipe(NamedRecipe("transfer", "", start.network.layers, recipe), settings["overrides"]), plan


def describe(tuning: "FineTuning | Transfer") -> str:
    """One line about the images that are learned and rehearsed, or the layers that are taken over."""
    from firsthand.zoo import Transfer

    if isinstance(tuning, Transfer):
        kept, classes = len(tuning.network.layers) - 1, tuning.data.train.num_classes
        return (
            f"{len(tuning.data.train):,} images of {classes} classes to learn, with a new output layer; "
            f"of {kept} layers taken over, {tuning.depth} stay as they are"
        )
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
