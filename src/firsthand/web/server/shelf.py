"""The models that the lab can show, by names that are no paths: nothing from outside reaches the file system."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from firsthand.errors import FirsthandError
from firsthand.models import Ensemble, Model, load_model

__all__ = ["Shelf", "UnknownModel"]

SHAPE = (28, 28, 1)  # of all images that the pages show
LISTED = 20  # of the newest runs
LOADED = 6  # models kept in memory


class UnknownModel(FirsthandError):
    """No model of this name is on the shelf."""


class Named(NamedTuple):
    """Where a model comes from."""

    about: str
    path: Path


class Shelf:
    """Models by name, loaded when they are first asked for, and then kept warm.

    Args:
        given: a model file to begin with; the first of all if not given.
        runs: folder of runs, each with its model.safetensors.
        box: makes the bundled model; None where there is none.
    """

    def __init__(self, given: Path | None, runs: Path, box: Callable[[], Model] | None = None) -> None:
        self.given, self.runs, self.box = given, runs, box
        self._loaded: OrderedDict[tuple[str, float], Model | Ensemble] = OrderedDict()
        self._lock = threading.Lock()

    def names(self) -> dict[str, str]:
        """What there is now: name and a word about it, the one to begin with first."""
        found = {name: named.about for name, named in self._files().items()}
        if self.box is None:
            return found
        given = {"given": found.pop("given")} if "given" in found else {}
        return {**given, "box": "the bundled model", **found}

    def model(self, name: str | None = None) -> Model | Ensemble:
        """A model by name, or the one to begin with.

        Raises:
            UnknownModel: there is none of this name, or none at all.
            FirsthandError: its file is damaged, or it does not read images of 28 x 28 pixels.
        """
        names = self.names()
        if not names:
            raise UnknownModel(
                "no model: train one with `firsthand train`, or on the page Train, or give one by --model"
            )
        name = next(iter(names)) if name is None else name
        if name not in names:
            raise UnknownModel(f"model: found {name!r}, expected one of {', '.join(names)}")
        files = self._files()
        file = files[name].path if name in files else None
        # one that has been rewritten is loaded again; one that is missing is said to be by who loads it
        key = name, file.stat().st_mtime if file is not None and file.exists() else 0.0
        with self._lock:  # two that ask at the same time wait for one loading
            if key not in self._loaded:
                self._loaded[key] = self._load(name, files)
                while len(self._loaded) > LOADED:
                    self._loaded.popitem(last=False)
            self._loaded.move_to_end(key)
            return self._loaded[key]

    def single(self, name: str | None = None) -> Model:
        """A model that can be looked into: of an ensemble, its first member."""
        found = self.model(name)
        return found.members[0] if isinstance(found, Ensemble) else found

    def _load(self, name: str, files: dict[str, Named]) -> Model | Ensemble:
        try:
            model = self.box() if name == "box" and self.box is not None else load_model(files[name].path)
        except FileNotFoundError as error:  # removed since it was listed, or since the lab was started with it
            raise UnknownModel(str(error)) from None
        if model.input_shape != SHAPE:
            raise FirsthandError(f"model {name}: it reads inputs of shape {model.input_shape}, expected {SHAPE}")
        model.weighted_inputs(np.zeros((1, *SHAPE), np.uint8))  # compiles: nobody who draws shall wait for it
        return model

    def _files(self) -> dict[str, Named]:
        found = {"given": Named(f"the file {self.given.name}", self.given)} if self.given is not None else {}
        paths = self.runs.glob("*/model.safetensors")
        newest = sorted(((path.stat().st_mtime, path) for path in paths), reverse=True)[:LISTED]
        for _, path in newest:
            if path != self.given and path.parent.name not in ("given", "box"):
                found[path.parent.name] = Named(f"run {path.parent.name}", path)
        return found
