"""Games: what answers to the actions of a policy."""

from collections.abc import Mapping
from typing import Any

from firsthand.errors import FirsthandError

from .breakout import Breakout
from .catch import Catch
from .environment import Environment, State, Step, as_inputs
from .freeway import Freeway
from .gridworld import Gridworld
from .gymnasium import Gymnasium
from .playing import Film, Scores, film, play, show
from .pong import Pong

__all__ = [
    "ENVIRONMENTS",
    "Breakout",
    "Catch",
    "Environment",
    "Film",
    "Freeway",
    "Gridworld",
    "Gymnasium",
    "Pong",
    "Scores",
    "State",
    "Step",
    "as_inputs",
    "film",
    "named",
    "play",
    "show",
]

ENVIRONMENTS: dict[str, type[Environment]] = {
    each.name: each for each in (Catch, Gridworld, Breakout, Freeway, Pong, Gymnasium)
}


def named(name: str, settings: Mapping[str, Any] | None = None) -> Environment:
    """Return the environment of a name, with settings as `Environment.settings` gives them.

    Raises:
        FirsthandError: there is none, or it has no such settings.
    """
    if name not in ENVIRONMENTS:
        raise FirsthandError(f"environment: {name!r} found, expected one of {', '.join(ENVIRONMENTS)}")
    try:
        return ENVIRONMENTS[name](**(settings or {}))
    except TypeError:
        raise FirsthandError(f"environment {name}: settings {dict(settings or {})} found, expected others") from None
