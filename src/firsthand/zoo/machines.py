"""Machines that remember: neural Turing machines on the tasks by rule that they were made for."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import numpy as np
import optax
from jax import Array

from firsthand import nn
from firsthand.data import Arrays, Splits
from firsthand.data.tasks import BITS, RECALLED, copy_task, recall_task, repeat_task, sort_task
from firsthand.learning import Bits, Recipe, Source

from .about import ABOUT
from .named_recipe import NamedRecipe

__all__ = ["NTM_COPY", "NTM_RECALL", "NTM_REPEAT", "NTM_SORT", "RECIPES", "Growing", "MadeTask", "turing_recipe"]


@dataclass(frozen=True)
class MadeTask:
    """Sequences of bits made by rule, in sizes from `smallest` to `largest`.

    Args:
        make: takes how many, the smallest and the largest size, the part of the data, and as keywords seed and steps.
        smallest, largest: of the training sequences.
        steps: of an example.
        features, bits: numbers that go in and come out at a step.
        grows: whether the training begins with small sizes; otherwise all are in every epoch.
    """

    make: Callable[..., Arrays]
    smallest: int
    largest: int
    steps: int
    features: int
    bits: int
    grows: bool = True

    def examples(self, count: int, sizes: tuple[int, int], part: str, *, seed: Any, steps: int | None = None) -> Arrays:
        """Examples of these sizes, by default with as many steps as those of the training."""
        return self.make(count, sizes, part, seed=seed, steps=self.steps if steps is None else steps)

    def splits(self, epochs: int, count: int, held_out: int = 200) -> Splits:
        """New training examples in every epoch, and validation and test examples of all sizes."""
        validation, test = (
            self.examples(held_out, (self.smallest, self.largest), part, seed=0) for part in ("validation", "test")
        )
        return Splits(Growing(self, epochs, count), validation, test)


@dataclass(frozen=True)
class Growing(Source):
    """New examples in every epoch: small ones in the first quarter of them, middling ones in the second, then all.

    Small is a quarter of the largest size, middling a half; smaller ones are among them each time.  Where the task does
    not grow, all are in every epoch.
    """

    task: MadeTask
    epochs: int
    count: int

    def examples(self, epoch: int, params: Any, *, key: Array) -> Arrays:
        share = 4 if 4 * epoch < self.epochs else 2 if 2 * epoch < self.epochs else 1
        share = share if self.task.grows else 1
        largest = max(self.task.smallest, self.task.largest // share)
        seed = np.asarray(jax.random.key_data(key)).tolist()
        return self.task.examples(self.count, (self.task.smallest, largest), "training", seed=seed)

    @property
    def like(self) -> Arrays:
        return self.task.examples(self.count, (self.task.smallest, self.task.largest), "training", seed=0)

    @property
    def digest(self) -> str:
        # the task by what it makes: a function shows an address, which is another in every process
        return hashlib.sha256(f"growing {self.epochs} {self.like.digest}".encode()).hexdigest()


def _repeated(count: int, sizes: tuple[int, int], part: Any, *, seed: Any, steps: int) -> Arrays:
    """Sequences of these lengths, each as many times as one may be long."""
    return repeat_task(count, sizes, sizes, part, seed=seed, steps=steps)


def _sorted(count: int, sizes: tuple[int, int], part: Any, *, seed: Any, steps: int) -> Arrays:
    """Sets of one size, the largest: three quarters of it are asked for."""
    del steps
    return sort_task(count, sizes[1], 3 * sizes[1] // 4, part, seed=seed)


COPY = MadeTask(copy_task, 1, 20, 41, BITS + 1, BITS)
REPEAT = MadeTask(_repeated, 1, 5, 32, BITS + 2, BITS + 1, grows=False)
RECALL = MadeTask(recall_task, 2, 6, 32, RECALLED + 2, RECALLED, grows=False)
SORT = MadeTask(_sorted, 8, 8, 15, BITS + 2, BITS)


def turing_recipe(epochs: int, batch_size: int = 4) -> Recipe:
    """Return how a machine is trained: RMSProp at 1e-4 with momentum 0.9, gradients no longer than 10."""
    return Recipe(
        epochs,
        batch_size,
        optimizer=optax.rmsprop(1e-4, decay=0.95, momentum=0.9),
        objective=Bits(),
        clip=10.0,
        monitor=("validation_wrong", "validation_cost"),
    )


def _machine(name: str, task: MadeTask, layer: nn.Layer, epochs: int, count: int) -> NamedRecipe:
    return NamedRecipe(
        name,
        ABOUT[name],
        (layer, nn.FullyConnected(task.bits)),
        turing_recipe(epochs),
        data="made by rule",
        made=partial(task.splits, epochs, count),
        shape=(task.steps, task.features),
    )


NTM_COPY = _machine("ntm-copy", COPY, nn.NeuralTuringMachine(100), 40, 1_000)
NTM_REPEAT = _machine("ntm-repeat", REPEAT, nn.NeuralTuringMachine(100, 32, controller="lstm"), 200, 1_000)
# with 128 slots it fails: with small lists first or not, in 200 epochs, and at three times the rate
NTM_RECALL = _machine("ntm-recall", RECALL, nn.NeuralTuringMachine(100, 32), 80, 1_000)
NTM_SORT = _machine("ntm-sort", SORT, nn.NeuralTuringMachine(100, 64, reads=2, writes=2), 200, 1_000)

RECIPES = {recipe.name: recipe for recipe in (NTM_COPY, NTM_REPEAT, NTM_RECALL, NTM_SORT)}
