"""The one format of files of parameters: arrays in safetensors, and a description of them in JSON.

Nothing in such a file is ever executed.
"""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import numpy as np
import safetensors
import safetensors.numpy

from firsthand.errors import FirsthandError, reading
from firsthand.files import check_path, write_atomically

__all__ = ["ModelFileError", "flatten", "read_description", "read_safetensors", "unflatten", "write_safetensors"]


class ModelFileError(FirsthandError):
    """A file is not a model, or not a whole one."""


def write_safetensors(path: str | os.PathLike[str], arrays: dict[str, np.ndarray], about: dict[str, Any]) -> Path:
    """Write arrays and their description to a file at once; the inverse of `read_safetensors`."""
    check_path(path, "save")
    return write_atomically(path, safetensors.numpy.save(arrays, {"firsthand": json.dumps(about)}))


def flatten(tree: Any) -> dict[str, np.ndarray]:
    """A pytree as a flat dict of arrays, named by their place in it: '0.weights', '0.bias', ..."""
    leaves = jax.tree_util.tree_leaves_with_path(tree)
    # in the order of C: safetensors writes the bytes as they lie, those of a transposed matrix too
    return {jax.tree_util.keystr(path, simple=True, separator="."): np.array(leaf, order="C") for path, leaf in leaves}


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
        leaves.append(jax.device_put(array))  # `jnp.asarray` would compile a program for each shape
    return jax.tree_util.tree_unflatten(structure, leaves)


def read_safetensors(
    path: str | os.PathLike[str], expected: str | tuple[str, ...], what: str
) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """The arrays of a file and its JSON description, of which the format is checked: one of those expected.

    Raises:
        FileNotFoundError: there is no such file.
        ModelFileError: it is not a safetensors file, or not one of ours, or damaged.
    """
    return _read(path, expected, what, _arrays)


def read_description(path: str | os.PathLike[str], expected: str | tuple[str, ...], what: str) -> dict[str, Any]:
    """The JSON description of a file alone, without its arrays; arguments and errors as of `read_safetensors`."""
    return _read(path, expected, what, lambda file: {})[1]


def _arrays(file: Any) -> dict[str, np.ndarray]:
    return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no dict


def _read(
    path: str | os.PathLike[str],
    expected: str | tuple[str, ...],
    what: str,
    arrays_of: Callable[[Any], dict[str, np.ndarray]],
) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    check_path(path, what)
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such {what} file")
    if path.is_dir():
        raise ModelFileError(f"{path}: a folder, expected a {what} file")
    with (
        reading(path, f"not a {what} file, or a damaged one", ModelFileError),
        safetensors.safe_open(path, framework="numpy") as file,
    ):
        about = json.loads((file.metadata() or {}).get("firsthand", "null"))
        arrays = arrays_of(file)
    formats = (expected,) if isinstance(expected, str) else expected
    if not isinstance(about, dict) or about.get("format") not in formats:
        found = about.get("format") if isinstance(about, dict) else "no description"
        raise ModelFileError(f"{path}: not a {what} file: found {found!r}, expected {' or '.join(map(repr, formats))}")
    return arrays, about
