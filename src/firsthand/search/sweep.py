"""The same training with several values of its settings, to see what they change."""

import itertools
import numbers
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from firsthand.errors import FirsthandError, nearest
from firsthand.keys import Key, as_key
from firsthand.learning import DataSplits, Progress, Recipe, Training, train_members
from firsthand.nn import Dropout, Network

from .search import numeric_fields

__all__ = ["Point", "Sweep", "combinations", "sweep"]


@dataclass(frozen=True)
class Point:
    """One training of a sweep.

    Args:
        settings: the values that distinguish it.
        training: what came of it.
    """

    settings: dict[str, float]
    training: Training


@dataclass(frozen=True)
class Sweep:
    """All trainings of a sweep, in the order of their values, the last setting changing fastest."""

    points: tuple[Point, ...]

    @property
    def best(self) -> Point:
        """The point of best validation accuracy, the first of equals.

        Raises:
            FirsthandError: validation accuracy was not monitored.
        """
        if not all("validation_accuracy" in point.training.history for point in self.points):
            raise FirsthandError("sweep: validation_accuracy was not monitored, so that there is no best point")
        return max(self.points, key=lambda point: max(point.training.history["validation_accuracy"]))

    def rows(self) -> list[dict[str, float]]:
        """One row per training: its settings, its last mini-batch cost, and the best of each monitored accuracy."""
        found = []
        for point in self.points:
            history = point.training.history
            row: dict[str, float] = {**point.settings, "batch_cost": history["batch_cost"][-1]}
            for name in ("training_accuracy", "validation_accuracy"):
                if name in history:
                    row[name] = max(history[name])
            found.append(row)
        return found

    def __str__(self) -> str:
        rows = self.rows()
        names = list(rows[0])
        cells = [names, *([f"{row[name]:.6g}" for name in names] for row in rows)]
        widths = [max(len(line[i]) for line in cells) for i in range(len(names))]
        return "\n".join(
            "  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)) for line in cells
        )


def sweep(
    network: Network,
    data: DataSplits,
    recipe: Recipe,
    *,
    key: Key,
    progress: Callable[[Progress], None] | None = None,
    checkpoint: Path | None = None,
    resume: bool = False,
    scheduler: str | None = None,
    **values: Sequence[float],
) -> Sweep:
    """Train once for every combination of values, all from the same key, several at a time (see `train_members`).

    Args:
        network, data, recipe, key: what the trainings have in common.
        progress: called with the `Progress` of each; `member` is its place in the result.
        checkpoint, resume, scheduler: as for `train_members`, which can train them on a cluster.
        values: for numeric fields of the recipe, or for `dropout`, the rate of every Dropout layer: a list each.
    Returns:
        A `Sweep`.
    Raises:
        FirsthandError: an unknown field, no values, values that a recipe does not take, or what `train` raises.

    Examples:
        >>> import jax
        >>> from firsthand import Network, Recipe, mnist, nn
        >>> from firsthand.learning import Classification
        >>> data = mnist()
        >>> few = data._replace(train=data.train[:500], validation=data.validation[:500], test=None)
        >>> found = sweep(
        ...     Network((nn.FullyConnected(10),)),
        ...     few,
        ...     Recipe(1, learning_rate=1.0, objective=Classification(nn.cross_entropy)),
        ...     key=jax.random.key(0),
        ...     learning_rate=[0.001, 0.1],
        ... )
        >>> found.best.settings
        {'learning_rate': 0.1}
    """
    settings, networks, recipes = combinations(network, recipe, values)
    trainings = train_members(
        networks,
        data,
        recipes,
        keys=[as_key(key)] * len(settings),
        progress=progress,
        checkpoint=checkpoint,
        resume=resume,
        scheduler=scheduler,
    )
    return Sweep(tuple(Point(point, training) for point, training in zip(settings, trainings, strict=True)))


def combinations(
    network: Network, recipe: Recipe, values: Mapping[str, Sequence[float]]
) -> tuple[list[dict[str, float]], list[Network], list[Recipe]]:
    """Every combination of values, with the network and the recipe that have them.

    Args:
        network, recipe: what the values change.
        values: as for `sweep`.
    Raises:
        FirsthandError: as `sweep` says.
    """
    names = [name for name in numeric_fields() if name in recipe.field_names]
    for name, these in values.items():
        if name != "dropout" and name not in names:
            raise FirsthandError(
                f"sweep: found {name!r}, expected dropout, {', '.join(names)}{nearest(name, ['dropout', *names])}"
            )
        these = list(these) if not isinstance(these, str) else []
        if not these or not all(isinstance(v, numbers.Real) and not isinstance(v, bool) for v in these):
            raise FirsthandError(f"sweep: {name} is {values[name]!r}, expected a list of numbers")
    if not values:
        raise FirsthandError("sweep: no values, expected a list for at least one field")
    settings = [dict(zip(values, point, strict=True)) for point in itertools.product(*values.values())]
    networks = [_with_dropout(network, point) for point in settings]
    recipes = [recipe.changed(**{k: v for k, v in point.items() if k != "dropout"}) for point in settings]
    return settings, networks, recipes


def _with_dropout(network: Network, point: dict[str, Any]) -> Network:
    if "dropout" not in point:
        return network
    if not any(isinstance(layer, Dropout) for layer in network.layers):
        raise FirsthandError("sweep: dropout is given, but the network has no Dropout layer")
    rate = float(point["dropout"])
    return replace(
        network,
        layers=tuple(replace(layer, rate=rate) if isinstance(layer, Dropout) else layer for layer in network.layers),
    )
