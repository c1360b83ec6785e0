"""Greedy learning: one Boltzmann machine after the other, each on what those below make of the examples.

A deep belief net is learned so, and a deep network that will be fine-tuned starts so: see `upward` and `unrolled`.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import jax
import numpy as np

from firsthand.data import Arrays, Examples, Labelled, Splits, Vectors
from firsthand.errors import FirsthandError
from firsthand.keys import Key, as_key
from firsthand.models import Generator
from firsthand.nn import RBM, Network, Params

from .history import History
from .objectives.contrastive_divergence import ContrastiveDivergence
from .recipe import Recipe
from .run import Progress
from .single import DataSplits, train_one
from .source import Source

__all__ = ["Greedy", "started", "train_greedily", "unrolled", "upward"]


@dataclass(frozen=True)
class Greedy:
    """Machines, from the first to the last, and how each is trained.

    Args:
        machines: each sees what the one before it makes of the examples; only the last may have label units.
        recipes: one for each, with contrastive divergence as objective.
    Raises:
        FirsthandError: not as many recipes as machines, or another objective.
    """

    machines: tuple[RBM, ...]
    recipes: tuple[Recipe, ...]

    def __post_init__(self) -> None:
        if not self.machines or len(self.recipes) != len(self.machines):
            raise FirsthandError(
                f"greedy: {len(self.machines)} machines and {len(self.recipes)} recipes found, expected one of each"
            )
        for recipe in self.recipes:
            if not isinstance(recipe.objective, ContrastiveDivergence):
                raise FirsthandError(f"greedy: objective {recipe.objective} found, expected ContrastiveDivergence")


def train_greedily(
    greedy: Greedy,
    data: DataSplits,
    *,
    key: Key,
    below: Generator | None = None,
    progress: Callable[[Progress], None] | None = None,
    place: Path | None = None,
    interrupted: Callable[[], bool] | None = None,
) -> tuple[Generator, tuple[History, ...]]:
    """Train machines one after the other.

    Args:
        greedy: what, and how.
        data: what the first machine sees; of a last one with label units, the training data have labels.
        key: all randomness; machine i, from 0, gets `jax.random.fold_in(key, i)`.
        below: machines that are trained already; those here come on top of them.
        progress: called with a `Progress`, whose member is the number of the machine.
        place: a folder for checkpoints, one of each machine.  Those that are there are gone on with, so that a run that
            was killed ends with the same bits.
        interrupted: as for `train_one`.
    Returns:
        The Generator, and the history of every machine.
    Raises:
        FirsthandError: data in a `Source`, which is new in every epoch; as `train`.
        KeyboardInterrupt: Ctrl-C; the checkpoints have what is complete.
    """
    if isinstance(data.train, Source):
        raise FirsthandError("greedy: a Source found, expected fixed training data: each machine makes data of them")
    key = as_key(key)
    params, histories, known = [], [], []
    parts: Any = data if below is None else _above(below, data)
    for number, (machine, recipe) in enumerate(zip(greedy.machines, greedy.recipes, strict=True)):
        alone = Network((replace(machine, untied=False),), parts.train.example_shape)
        file = None if place is None else place / f"machine-{number + 1}.safetensors"
        training = train_one(
            alone,
            parts,
            recipe,
            key=jax.random.fold_in(key, number),
            progress=None if progress is None else partial(_numbered, progress, number),
            checkpoint=file,
            resume=file is not None and file.exists(),
            interrupted=interrupted,
        )
        if training.history.stopped.startswith("interrupted"):
            raise KeyboardInterrupt
        learned = training.model.params[0]
        # what leads down begins as what leads up, and parts from it in up-down learning
        params.append({**learned, "down": learned["weights"].T} if machine.untied else learned)
        histories.append(training.history)
        known.append(training.model.provenance)
        if number + 1 < len(greedy.machines):
            parts = _above(training.model, parts)
    classes = tuple(getattr(data.train, "classes", ())) if greedy.machines[-1].labels else ()
    machines = greedy.machines
    if below is not None:
        machines, params = (*below.network.layers, *machines), [*below.params, *params]
        known = [*below.provenance["machines"], *known]
    about = {**known[-1], "training_data": data.train.digest, "machines": known}
    return Generator(Network(machines, data.train.example_shape), tuple(params), classes, about), tuple(histories)


def started(network: Network, model: Generator, *, key: Key) -> tuple[Params, ...]:
    """Return where a network starts that is to be fine-tuned: with the weights of machines that were trained greedily.

    Args:
        network: the machines themselves; or fully connected layers of their sizes, which the layers of a decoder that
            mirrors them may follow, or others that start afresh.
        model: the machines.
        key: of what starts afresh.
    Raises:
        FirsthandError: layers of other sizes.
    """
    if network.layers == model.network.layers:
        return model.params
    mirrored = len(network.layers) == 2 * len(model.network.layers)
    start = list(network.init(key=key))
    for number, own in enumerate(unrolled(model) if mirrored else upward(model)):
        if jax.tree.map(np.shape, start[number]) != jax.tree.map(np.shape, own):
            raise FirsthandError(
                f"network: layer {number + 1} is {network.layers[number]}, expected one with weights of shape "
                f"{own['weights'].shape}, those of a machine"
            )
        start[number] = own
    return tuple(start)


def upward(model: Generator) -> list[Params]:
    """Return the machines' weights as those of fully connected layers that lead up: W and b of each."""
    found = []
    for layer, p in zip(model.network.layers, model.params, strict=True):
        assert isinstance(layer, RBM)
        seen = p["weights"].shape[0] - layer.labels
        found.append({"weights": p["weights"][:seen], "bias": p["bias"]})
    return found


def unrolled(model: Generator) -> list[Params]:
    """Return the weights of an autoencoder: up through the machines, and down again with W^T and c of each.

    References:
        Hinton and Salakhutdinov 2006, 'Reducing the Dimensionality of Data with Neural Networks', figure 1.
    """
    down = []
    for layer, p in zip(model.network.layers[::-1], model.params[::-1], strict=True):
        assert isinstance(layer, RBM)
        seen = p["weights"].shape[0] - layer.labels
        down.append({"weights": p["weights"][:seen].T, "bias": p["visible_bias"][:seen]})
    return [*upward(model), *down]


def _above(model: Generator, data: DataSplits) -> Splits[Any, Any]:
    """The outputs of machines for data, with their labels if they have some."""

    def above(part: Any) -> Examples | None:
        if part is None:
            return None
        found = model.encode(part.arrays[0])
        return Vectors(found, part.labels, part.classes) if isinstance(part, Labelled) else Arrays((found,))

    return Splits(above(data.train), above(data.validation), above(data.test))


def _numbered(progress: Callable[[Progress], None], number: int, at: Progress) -> None:
    progress(at._replace(member=number))
