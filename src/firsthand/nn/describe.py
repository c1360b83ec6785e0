"""A network as JSON and back, so that a file of parameters can say what they are the parameters of.

Only names that firsthand knows can be read back: its own, and those that a program has registered.  Reading the JSON
can build a network and do nothing else.
"""

import dataclasses
from collections.abc import Callable
from typing import Any, TypeVar

from firsthand.errors import FirsthandError

from . import activations, costs, initializers, layers
from .layer import Layer
from .network import Network

__all__ = ["describe", "from_json", "register", "to_json"]

T = TypeVar("T", bound=Callable[..., Any])

_NAMES: dict[str, Any] = {
    name: getattr(module, name) for module in (layers, activations, costs, initializers) for name in module.__all__
}


def register(thing: T) -> T:
    """Let model files name a layer, activation or initializer of one's own, by its `__name__`; also a decorator.

    A program that reads such a file registers the same thing first: the file holds the name and no code.

    Raises:
        FirsthandError: another thing, written down elsewhere, has this name already.

    Examples:
        >>> @register
        ... def cube(z):
        ...     return z**3
        >>> from_json(to_json(cube)) is cube
        True
    """
    name = getattr(thing, "__name__", None)
    if not callable(thing) or not isinstance(name, str):
        raise FirsthandError(f"register: {thing!r} found, expected a layer's class or a function with a name")
    known = _NAMES.get(name, thing)
    # a cell of a notebook that is run again makes the same thing once more
    if known is not thing and _place(known) != _place(thing):
        raise FirsthandError(f"register: {name!r} is the name of {_NAMES[name]!r} already; give yours another")
    _NAMES[name] = thing
    return thing


def _place(thing: Any) -> tuple[str, str]:
    """The module and the name under which a class or function is written down."""
    return thing.__module__, thing.__qualname__


def to_json(value: Any) -> Any:
    """Return layers as {"layer": name, field: value, ...}, functions as {"function": name}, plain values as they are.

    Raises:
        FirsthandError: something that could not be read back; the message says how to register it.
    """
    return _plain(value, _known)


def describe(value: Any) -> Any:
    """Return the JSON of a network, with the full names of what could not be read back: for people and comparison."""
    return _plain(value, _named)


def _plain(value: Any, name: Callable[[Any], str]) -> Any:
    if isinstance(value, Network):
        return {"input_shape": list(value.input_shape), "layers": [_plain(layer, name) for layer in value.layers]}
    if isinstance(value, Layer):
        fields = dataclasses.fields(value) if dataclasses.is_dataclass(value) else ()
        return {"layer": name(type(value)), **{f.name: _plain(getattr(value, f.name), name) for f in fields}}
    if isinstance(value, tuple | list):
        return [_plain(item, name) for item in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if callable(value):
        return {"function": name(value)}
    return name(value)


def _known(thing: Any) -> str:
    name = getattr(thing, "__name__", None)
    if name is None or _NAMES.get(name) is not thing:
        shown = name or repr(thing)
        raise FirsthandError(
            f"{shown} is not one of firsthand's own, so that a model file cannot name it; "
            f"make it known before saving and before loading: firsthand.nn.register({shown})"
        )
    return name


def _named(thing: Any) -> str:
    name = getattr(thing, "__name__", None)
    if name is None:
        return repr(thing)
    return name if _NAMES.get(name) is thing else f"{thing.__module__}.{getattr(thing, '__qualname__', name)}"


def from_json(value: Any) -> Any:
    """The inverse of `to_json`.

    Raises:
        ValueError: what is no description of a network; the message says what was found.
    """
    if isinstance(value, list):
        return tuple(from_json(item) for item in value)
    if not isinstance(value, dict):
        return value
    if "input_shape" in value:
        return Network(from_json(value.get("layers", [])), from_json(value["input_shape"]))
    name = value.get("layer", value.get("function"))
    found = _NAMES.get(name) if isinstance(name, str) else None
    if "layer" not in value:
        if found is None or isinstance(found, type):
            raise ValueError(f"unknown function {name!r}; one of your own is registered first: firsthand.nn.register")
        return found
    if not (isinstance(found, type) and issubclass(found, Layer)):
        raise ValueError(f"unknown layer {name!r}; one of your own is registered first: firsthand.nn.register")
    try:
        return found(**{name: from_json(field) for name, field in value.items() if name != "layer"})
    except TypeError as error:
        raise ValueError(f"layer {value['layer']!r}: {error}") from None
