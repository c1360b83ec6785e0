"""The machines that a recipe trains before its network, one after the other: what `firsthand train` begins with."""

from typing import TYPE_CHECKING, Any

from firsthand.errors import FirsthandError

if TYPE_CHECKING:
    from firsthand.data import ImageSplits
    from firsthand.nn import Network
    from firsthand.report import RunFolder
    from firsthand.zoo import NamedRecipe

__all__ = ["check_alone", "pretrained"]


def check_alone(chosen: "NamedRecipe", members: Any, devices: Any, coordinator: Any) -> None:
    """Refuse what machines cannot be trained with: several networks, several devices."""
    if chosen.pretraining is not None and any(each is not None for each in (members, devices, coordinator)):
        raise FirsthandError(f"--recipe {chosen.name}: expected neither --members nor several devices or processes")


def pretrained(
    chosen: "NamedRecipe",
    splits: "ImageSplits",
    network: "Network",
    settings: dict[str, Any],
    folder: "RunFolder",
    as_json: bool,
) -> Any:
    """The parameters to begin with; None where the recipe has no machines, or the network has begun already.

    The machines that were complete when a run was stopped are not trained again.
    """
    if chosen.pretraining is None or folder.checkpoints():
        return None
    import jax

    from firsthand.learning import show_progress, started, train_greedily

    greedy = chosen.machines(splits.train)
    key = jax.random.key(settings["seed"])
    folder.pretraining.mkdir(exist_ok=True)
    if not as_json:
        print(f"first its {len(greedy.machines)} machines, one after the other; then all together")
    with show_progress(as_json, len(greedy.machines)) as progress:
        model, _ = train_greedily(greedy, splits, key=key, progress=progress, place=folder.pretraining)
    return started(network, model, key=key)
