"""A network as JSON and back, so that a file of parameters can say what they are the parameters of.

Only the public names of this package can be named in the JSON, so that reading it can build a network and do
nothing else.
"""

import dataclasses
import types
from typing import Any

from . import activations, costs, initializers, layers
from .layer import Layer
from .network import Network

__all__ = ["from_json", "to_json"]

_NAMES: dict[str, Any] = {
    name: getattr(module, name) for module in (layers, activations, costs, initializers) for name in module.__all__
}


def to_json(value: Any) -> Any:
    """Layers as {"layer": name, field: value, ...}, functions as {"function": name}, plain values as they are.

    Raises:
        ValueError: a function or layer that is not one of firsthand's own, and so could not be read back.
    """
    if isinstance(value, Network):
        return {"input_shape": list(value.input_shape), "layers": [to_json(layer) for layer in value.layers]}
    if isinstance(value, Layer):
        _require_known(type(value))
        fields = {field.name: to_json(getattr(value, field.name)) for field in dataclasses.fields(value)}
        return {"layer": type(value).__name__, **fields}
    if isinstance(value, types.FunctionType):
        _require_known(value)
        return {"function": value.__name__}
    if isinstance(value, tuple):
        return [to_json(item) for item in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise ValueError(f"cannot be written to a model file: {value!r}")


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
        if not isinstance(found, types.FunctionType):
            raise ValueError(f"unknown function {name!r}")
        return found
    if not (isinstance(found, type) and issubclass(found, Layer)):
        raise ValueError(f"unknown layer {name!r}")
    try:
        return found(**{name: from_json(field) for name, field in value.items() if name != "layer"})
    except TypeError as error:
        raise ValueError(f"layer {value['layer']!r}: {error}") from None


def _require_known(thing: Any) -> None:
    if _NAMES.get(thing.__name__) is not thing:
        raise ValueError(f"{thing.__name__} is not one of firsthand's own, so a model file could not name it")
