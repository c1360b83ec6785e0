"""A trained network: what it is, its parameters, and how it came to be, in one file."""

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import safetensors
import safetensors.numpy
from scipy.special import softmax

from firsthand.data import Dataset
from firsthand.errors import FirsthandError
from firsthand.files import write_atomically
from firsthand.nn import Network, Params, Shape, from_json, to_json

from .classifier import Classifier, normalized
from .outputs import classify, weighted_inputs

__all__ = ["Model", "ModelFileError"]

MODEL_FORMAT = "firsthand-model-1"


class ModelFileError(FirsthandError):
    """A file is not a model, or not a whole one."""


@dataclass(frozen=True)
class Model(Classifier):
    """A network with its parameters, the names of its classes, and its provenance.

    Args:
        network: the description.
        params: one dict of arrays per layer, as `network.init` makes them.
        classes: names of the outputs, in their order.
        provenance: recipe, seed, hash of the training data, versions, accuracies: how it came to be, for people.
        temperature: T in probabilities = softmax(z/T), found on validation data by `fit_temperature`; None where
            that has not been done.
    Raises:
        FirsthandError: the temperature is not a positive, finite number.
    """

    network: Network
    params: tuple[Params, ...]
    classes: tuple[str, ...]
    provenance: dict[str, Any] = field(default_factory=dict)
    temperature: float | None = None

    def __post_init__(self) -> None:
        self.check_temperature()

    def classify(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Labels (n,) and outputs (n, classes) of images (n, *input_shape); integers are pixels 0..255.

        Raises:
            FirsthandError: the images have another shape.
        """
        images = self.checked(images)
        if not len(images):
            return np.zeros(0, np.int32), np.zeros((0, len(self.classes)), np.float32)
        return classify(self.network, self.params, images)

    def weighted_inputs(self, images: np.ndarray) -> np.ndarray:
        """The output layer's weighted inputs z, (n, classes), of which the outputs are the activation.

        Raises:
            FirsthandError: the images have another shape.
        """
        images = self.checked(images)
        if not len(images):
            return np.zeros((0, len(self.classes)), np.float32)
        return weighted_inputs(self.network, self.params, images)

    def outputs(self, images: np.ndarray) -> np.ndarray:
        """The network's outputs, (n, classes)."""
        return self.classify(images)[1]

    def probabilities_at(self, z: np.ndarray) -> np.ndarray:
        """How likely each class is, from weighted inputs z, (n, classes).

        softmax(z/T) with the temperature T, whatever the activation of the output layer; where no temperature has
        been found, its outputs, `normalized`.
        """
        if self.temperature is None:
            return normalized(np.asarray(self.network.activation(jnp.asarray(z))))
        return softmax(z.astype(np.float64) / self.temperature, axis=1).astype(z.dtype)

    @property
    def input_shape(self) -> Shape:
        return self.network.input_shape

    @property
    def parameter_count(self) -> int:
        return self.network.parameter_count

    def summary(self) -> str:
        return self.network.summary()

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the model to one safetensors file; an existing file is replaced at once or not at all."""
        return write_safetensors(path, flatten(self.params), {"format": MODEL_FORMAT, **self.description()})

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "Model":
        """Read a model; nothing in the file is ever executed.

        Raises:
            FileNotFoundError: there is no such file.
            ModelFileError: the file is not a whole model; the message says what is wrong with it.
        """
        arrays, about = read_safetensors(path, MODEL_FORMAT, "model")
        try:
            return cls.from_description(about, arrays)
        except (ValueError, TypeError, KeyError) as error:
            raise ModelFileError(f"{path}: not a usable model: {error}") from None

    def description(self) -> dict[str, Any]:
        """All but the parameters, for a file."""
        return {
            "network": to_json(self.network),
            "classes": list(self.classes),
            "provenance": self.provenance,
            "temperature": self.temperature,
        }

    @classmethod
    def from_description(cls, about: dict[str, Any], arrays: dict[str, np.ndarray]) -> "Model":
        """The inverse of `description`, with parameters as `flatten` names them.

        Raises:
            ValueError, TypeError, KeyError: it is not such a description, or the arrays are not the network's.
        """
        network = from_json(about["network"])
        classes, provenance = tuple(about["classes"]), about["provenance"]
        if not isinstance(network, Network) or not isinstance(provenance, dict):
            raise ValueError("its description is not one of a network")
        if len(classes) != network.num_classes:
            raise ValueError(f"{len(classes)} classes for {network.num_classes} outputs")
        like = jax.eval_shape(lambda key: network.init(key=key), jax.random.key(0))
        return cls(network, unflatten(like, arrays), classes, provenance, about.get("temperature"))


def check_fits(network: Network, data: Dataset, name: str) -> None:
    """Raise FirsthandError unless the data set has images of the network's input shape, and no more classes."""
    if data.images.shape[1:] != network.input_shape:
        raise FirsthandError(
            f"{name}: images have shape {data.images.shape[1:]}, the network expects {network.input_shape}"
        )
    if data.num_classes > network.num_classes:
        raise FirsthandError(
            f"{name}: it has {data.num_classes} classes, the network has {network.num_classes} outputs"
        )


def write_safetensors(path: str | os.PathLike[str], arrays: dict[str, np.ndarray], about: dict[str, Any]) -> Path:
    """Write arrays and their description to a file at once; the inverse of `read_safetensors`."""
    return write_atomically(path, safetensors.numpy.save(arrays, {"firsthand": json.dumps(about)}))


def flatten(tree: Any) -> dict[str, np.ndarray]:
    """A pytree as a flat dict of arrays, named by their place in it: '0.weights', '0.bias', ..."""
    leaves = jax.tree_util.tree_leaves_with_path(tree)
    return {jax.tree_util.keystr(path, simple=True, separator="."): np.array(leaf) for path, leaf in leaves}


def unflatten(like: Any, arrays: dict[str, np.ndarray]) -> Any:
    """The inverse of `flatten`, checked name by name against a pytree of the same structure.

    Raises:
        ValueError: an array is missing, left over, of another shape or type, or not finite.
    """
    paths, structure = jax.tree_util.tree_flatten_with_path(like)
    names = [jax.tree_util.keystr(path, simple=True, separator=".") for path, _ in paths]
    if set(names) != set(arrays):
        missing, extra = sorted(set(names) - set(arrays)), sorted(set(arrays) - set(names))
        raise ValueError(f"arrays missing: {missing or 'none'}, left over: {extra or 'none'}")
    leaves = []
    for name, (_, leaf) in zip(names, paths, strict=True):
        array = arrays[name]
        if array.shape != leaf.shape or array.dtype != leaf.dtype:
            raise ValueError(f"{name} is {array.dtype}{list(array.shape)}, expected {leaf.dtype}{list(leaf.shape)}")
        if np.issubdtype(array.dtype, np.floating) and not np.all(np.isfinite(array)):
            raise ValueError(f"{name} holds values that are not finite")
        leaves.append(jnp.asarray(array))
    return jax.tree_util.tree_unflatten(structure, leaves)


def read_safetensors(
    path: str | os.PathLike[str], expected: str | tuple[str, ...], what: str
) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """The arrays of a file and its JSON description, of which the format is checked: one of those expected.

    Raises:
        FileNotFoundError: there is no such file.
        ModelFileError: it is not a safetensors file, or not one of ours, or damaged.
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such {what} file")
    if path.is_dir():
        raise ModelFileError(f"{path}: a folder, expected a {what} file")
    try:
        with safetensors.safe_open(path, framework="numpy") as file:
            about = json.loads((file.metadata() or {}).get("firsthand", "null"))
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no dict
    except (safetensors.SafetensorError, json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ModelFileError(f"{path}: not a {what} file, or a damaged one ({error})") from None
    formats = (expected,) if isinstance(expected, str) else expected
    if not isinstance(about, dict) or about.get("format") not in formats:
        found = about.get("format") if isinstance(about, dict) else "no description"
        raise ModelFileError(f"{path}: not a {what} file: found {found!r}, expected {' or '.join(map(repr, formats))}")
    return arrays, about
