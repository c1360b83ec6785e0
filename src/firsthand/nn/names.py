"""Activations, initializers and costs by their names, so that nn.FullyConnected(30, "relu") will do."""

from collections.abc import Callable, Mapping
from types import FunctionType, ModuleType
from typing import Any, overload

from firsthand.errors import FirsthandError, nearest

from . import activations, costs, initializers

__all__ = ["Named", "activation_named", "cost_named", "initializer_named"]


def activation_named(value: Callable[..., Any] | str, where: str = "activation") -> Callable[..., Any]:
    """The activation function of this name; a function is returned as it is.

    Args:
        value: 'relu', or any function.
        where: begins the message of the error.
    Raises:
        FirsthandError: no such name; the message suggests the nearest one and lists all.

    Examples:
        >>> activation_named("relu").__name__
        'relu'
    """
    return _lookup(_functions(activations), value, where)


def initializer_named(value: Callable[..., Any] | str, where: str = "initializer") -> Callable[..., Any]:
    """The initializer of this name; arguments and errors as in `activation_named`."""
    return _lookup(_functions(initializers), value, where)


def cost_named(value: Callable[..., Any] | str, where: str = "cost") -> Callable[..., Any]:
    """The cost function of this name; arguments and errors as in `activation_named`."""
    return _lookup(_functions(costs), value, where)


class Named:
    """A field of a dataclass that is set with a function or its name, and is the function from then on.

    Args:
        look_up: `activation_named`, `initializer_named` or `cost_named`.
        default: a function.
    """

    def __init__(self, look_up: Callable[..., Callable[..., Any]], default: Callable[..., Any]) -> None:
        self._look_up, self._default = look_up, default

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, holder: None, owner: type) -> Callable[..., Any]: ...
    @overload
    def __get__(self, holder: object, owner: type) -> Callable[..., Any]: ...
    def __get__(self, holder: object | None, owner: type) -> Callable[..., Any]:
        # asked of the class, as by @dataclass, it is the default
        return self._default if holder is None else holder.__dict__[self._name]

    def __set__(self, holder: object, value: Callable[..., Any] | str) -> None:
        holder.__dict__[self._name] = self._look_up(value, f"{type(holder).__name__}: {self._name}")


def _functions(module: ModuleType) -> dict[str, Callable[..., Any]]:
    found = {name: getattr(module, name) for name in module.__all__}
    return {name: value for name, value in found.items() if isinstance(value, FunctionType)}


def _lookup(known: Mapping[str, Callable[..., Any]], value: Any, where: str) -> Callable[..., Any]:
    if callable(value):
        return value
    if isinstance(value, str) and value in known:
        return known[value]
    raise FirsthandError(
        f"{where}: found {value!r}, expected a function or one of {', '.join(known)}{nearest(value, known)}"
    )
