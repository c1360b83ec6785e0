"""The base of every trained network, whatever it is for: a network, its parameters, its provenance, and one file."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Self

import jax
import numpy as np

from firsthand.errors import reading
from firsthand.nn import Network, Params, Shape, from_json, to_json
from firsthand.notebooks import html_table
from firsthand.processes import refuse_fork

from .file import ModelFileError, flatten, read_safetensors, unflatten, write_safetensors

__all__ = ["MODEL_FORMAT", "NetworkModel", "scored"]

MODEL_FORMAT = "firsthand-model-1"


class NetworkModel:
    """A network that has been trained.  A subclass is a frozen dataclass, and says what the network is good for."""

    family: ClassVar[str]  # in the file; files of version 0.1 name none, and are classifiers

    network: Network
    params: tuple[Params, ...]
    provenance: dict[str, Any]

    @property
    def input_shape(self) -> Shape:
        """The shape of one example."""
        return self.network.input_shape

    @property
    def parameter_count(self) -> int:
        """The number of learned parameters."""
        return self.network.parameter_count

    def summary(self) -> str:
        """Return the layers as a table for people."""
        return self.network.summary()

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {', '.join(scored(self))}>"

    def _repr_html_(self) -> str:
        head, *rows = self.network._table()
        return html_table(head, rows, caption=f"{type(self).__name__}: {', '.join(scored(self))}", numbers=2)

    def own_description(self) -> dict[str, Any]:
        """Return what the family adds to a file, as plain data: names of classes or symbols."""
        return {}

    @classmethod
    def made(cls, network: Network, params: tuple[Params, ...], about: dict[str, Any]) -> Self:
        """Make a model of what a file describes: the inverse of `own_description`.

        Raises:
            ValueError, TypeError, KeyError: it is no such description.
        """
        raise NotImplementedError

    def description(self) -> dict[str, Any]:
        """Return all but the parameters, for a file.

        Raises:
            FirsthandError: a layer or function that a file cannot name; the message says how to register it.
        """
        about = {"network": to_json(self.network), "provenance": self.provenance, **self.own_description()}
        return about if self.family == "classifier" else {"family": self.family, **about}

    @classmethod
    def from_description(cls, about: dict[str, Any], arrays: dict[str, np.ndarray]) -> Self:
        """The inverse of `description`, with parameters as `flatten` names them.

        Raises:
            ValueError, TypeError, KeyError: it is not such a description, or the arrays are not the network's.
        """
        refuse_fork()
        network = from_json(about["network"])
        if not isinstance(network, Network) or not isinstance(about["provenance"], dict):
            raise ValueError("its description is not one of a network")
        like = jax.eval_shape(lambda key: network.init(key=key), jax.random.key(0))
        return cls.made(network, unflatten(like, arrays), about)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the model to one safetensors file; an existing file is replaced at once or not at all.

        Raises:
            FirsthandError: what could not be read back, such as a layer of your own that is not registered, or names
                that are not as many as the outputs.
        """
        about, arrays = self.description(), flatten(self.params)
        with reading(path, "not written, because it could not be read back"):
            self.from_description(json.loads(json.dumps(about)), arrays)
        return write_safetensors(path, arrays, {"format": MODEL_FORMAT, **about})

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read a model; nothing in the file is ever executed.

        Raises:
            FileNotFoundError: there is no such file.
            ModelFileError: the file is not a whole model of this family; the message says what is wrong with it.
        """
        arrays, about = read_safetensors(path, MODEL_FORMAT, "model")
        if (found := about.get("family", "classifier")) != cls.family:
            raise ModelFileError(f"{path}: a model of the family {found!r} found, {cls.family!r} expected")
        with reading(path, "not a usable model", ModelFileError):
            return cls.from_description(about, arrays)


def scored(model: Any) -> list[str]:
    """The size of a model and what it is worth, as its provenance says: for one line."""
    classes = getattr(model, "classes", None)
    found = [] if classes is None else [f"{len(classes)} classes"]
    found.append(f"{model.parameter_count:,} parameters")
    about = model.provenance
    for part, accuracy in about.get("accuracies", {}).items():
        found.append(f"{part} accuracy {accuracy:.2%}")
    if "accuracies" not in about:
        for part, scores in about.get("scores", {}).items():
            if isinstance(scores, Mapping):
                found += [f"{part} {name} {value:.4g}" for name, value in list(scores.items())[:1]]
    if getattr(model, "temperature", None) is not None:
        found.append(f"temperature {model.temperature:.3f}")
    return found
