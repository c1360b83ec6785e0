"""A network with its recipe and its data, under a name."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from firsthand import nn
from firsthand.data import Examples, Splits
from firsthand.environments import Environment
from firsthand.errors import FirsthandError
from firsthand.learning import Experience, Greedy, Quantity, Recipe, Source

__all__ = ["NamedRecipe"]


@dataclass(frozen=True)
class NamedRecipe:
    """A network together with the recipe that trains it.

    Args:
        name: for the command line.
        about: one line for people.
        layers: the network's, for the data it was made for; see `network`.
        recipe: how it is trained.
        data: name of that data, as `firsthand train --data` takes it.
        expanded: train on the book's expanded set, every image and its four displacements by one pixel.
        length: symbols in a sequence, where the data are a text; None where they are not.
        pretraining: machines that are trained greedily first, and whose weights the network starts with.
        environment: a game that is played instead of data; then `data` is its name.
        experience: how it is played and remembered, settings of `Experience`.
        made: gives the data where they are made by rule; `data` is then no more than their name.
        shape: of one example, where the data are made; by default that of a digit, or of a text of `length`.
    """

    name: str
    about: str
    layers: tuple[nn.Layer, ...]
    recipe: Recipe
    data: str = "mnist"
    expanded: bool = False
    length: int | None = None
    pretraining: Greedy | None = None
    environment: Environment | None = None
    experience: Mapping[str, Any] = field(default_factory=dict)
    made: Callable[[], Splits[Any, Any]] | None = None
    shape: nn.Shape | None = None

    @property
    def quantities(self) -> tuple[Quantity, ...]:
        """The quantities that its training is judged by; the first decides."""
        own = self.recipe.objective.quantities
        return own if self.environment is None else (Experience.quantity, *own)

    @property
    def input_shape(self) -> nn.Shape:
        """The shape of one example of the data, or of what is seen of the game, that it was made for."""
        if self.environment is not None:
            return self.environment.observation_shape
        if self.shape is not None:
            return self.shape
        return (28, 28, 1) if self.length is None else (self.length,)

    def played(self) -> Splits[Experience, Any]:
        """Return what the training learns from where it is a game: what its own network experiences."""
        assert self.environment is not None
        network = nn.Network(self.layers, self.environment.observation_shape)
        return Splits(Experience(self.environment, network, **self.experience), None, None)

    def network(self, examples: Examples | Source) -> nn.Network:
        """Return the network for examples: of their shape, with as many outputs as they need.

        The output layer has one unit for each of their classes or symbols, whatever number the layers were made for,
        and an embedding at the beginning as many vectors.

        Raises:
            FirsthandError: there is one class alone, of which nothing can be learned.
        """
        if isinstance(examples, Source):
            examples = examples.like
        if getattr(examples, "num_classes", 2) < 2:
            raise FirsthandError("data: 1 class found, two or more expected")
        *hidden, last = self.layers
        outputs = self.recipe.objective.outputs(examples)
        if outputs is not None and isinstance(last, nn.FullyConnected):
            last = replace(last, units=outputs)
        if isinstance(last, nn.RBM):
            last = _labelled(last, examples)
        symbols = getattr(examples, "symbols", None)
        if symbols is not None and hidden and isinstance(hidden[0], nn.Embedding):
            hidden[0] = replace(hidden[0], symbols=len(symbols))
        return nn.Network((*hidden, last), examples.example_shape)

    def machines(self, examples: Examples) -> Greedy:
        """Return the machines that are trained first, with as many label units as the examples have classes."""
        assert self.pretraining is not None
        *others, last = self.pretraining.machines
        return replace(self.pretraining, machines=(*others, _labelled(last, examples)))

    def changed(self, **values: Any) -> "NamedRecipe":
        """Return the same with other values of some of the recipe's fields: see `Recipe.changed`."""
        return replace(self, recipe=self.recipe.changed(**values))


def _labelled(machine: nn.RBM, examples: Examples) -> nn.RBM:
    """The machine with a label unit for each class, if it has any."""
    return replace(machine, labels=getattr(examples, "num_classes", machine.labels)) if machine.labels else machine
