"""Networks that learn games by playing them: deep Q-learning."""

from typing import Any

from firsthand import nn
from firsthand.environments import Breakout, Catch, Environment, Freeway, Pong
from firsthand.learning import Adam, Cosine, QLearning, Recipe

from .about import ABOUT
from .named_recipe import NamedRecipe

__all__ = ["BREAKOUT", "CATCH", "FREEWAY", "PONG", "RECIPES", "player"]


def player(game: Environment) -> tuple[nn.Layer, ...]:
    """The layers of a player: 16 filters of 3x3 over what is seen, 128 hidden units, a value for each action.

    It is the network of MinAtar's authors, a hundredth of the one that played Atari games.
    """
    return (
        nn.Convolution(16, 3, weights_init=nn.he),
        nn.FullyConnected(128, nn.relu, weights_init=nn.he),
        nn.FullyConnected(len(game.actions), nn.linear, weights_init=nn.glorot),
    )


def _learned(epochs: int, rate: float) -> Recipe:
    return Recipe(
        epochs,
        32,
        Cosine(rate, epochs),
        optimizer=Adam(),
        objective=QLearning(),
        monitor=(),
        keep_best=False,
    )


def _recipe(game: Environment, layers: tuple[nn.Layer, ...], recipe: Recipe, **experience: Any) -> NamedRecipe:
    name = game.name
    return NamedRecipe(name, ABOUT[name], layers, recipe, data=name, environment=game, experience=experience)


CATCH = _recipe(
    Catch(),
    (
        nn.FullyConnected(64, nn.relu, weights_init=nn.he),
        nn.FullyConnected(len(Catch.actions), nn.linear, weights_init=nn.glorot),
    ),
    _learned(40, 0.001),
    count=2_048,
    games=16,
    steps=32,
    capacity=10_000,
    renewed=2,
    explore=(1.0, 0.05, 20),
)

# an epoch is 1,024 steps of the game, and 256 mini-batches of what is remembered
BREAKOUT = _recipe(Breakout(), player(Breakout()), _learned(400, 0.00025), explore=(1.0, 0.02, 100))
FREEWAY = _recipe(Freeway(), player(Freeway()), _learned(400, 0.00025), explore=(1.0, 0.02, 100))

# an epoch is 512 steps of the game, of four pictures each, and as many mini-batches of what is remembered; the target
# network is renewed in each: what a point is worth goes back five steps with every renewal
PONG = _recipe(
    Pong(),
    (
        nn.Convolution(16, 5, stride=3, weights_init=nn.he),
        nn.Convolution(32, 3, stride=2, weights_init=nn.he),
        nn.FullyConnected(128, nn.relu, weights_init=nn.he),
        nn.FullyConnected(6, nn.linear, weights_init=nn.glorot),
    ),
    _learned(1_800, 0.0005),
    count=16_384,
    steps=32,
    capacity=50_000,
    renewed=1,
    explore=(1.0, 0.02, 150),
    ahead=5,
)

RECIPES = {recipe.name: recipe for recipe in (CATCH, BREAKOUT, FREEWAY, PONG)}
