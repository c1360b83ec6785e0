"""The models that the lab can show, by names that are no paths: nothing from outside reaches the file system."""

import threading
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar, Generic, NamedTuple, TypeVar

import numpy as np

from firsthand.errors import FirsthandError
from firsthand.models import Ensemble, LanguageModel, Model, ModelFileError, family_of, load, load_model
from firsthand.zoo.box import LETTERS, boxed_memory

__all__ = ["Shelf", "TextShelf", "UnknownModel"]

M = TypeVar("M")

SHAPE = (28, 28, 1)  # of all images that the pages show
LISTED = 20  # of the newest runs
LOADED = 6  # models kept in memory


class UnknownModel(FirsthandError):
    """No model of this name is on the shelf."""


class Named(NamedTuple):
    """A model in a file."""

    about: str
    path: Path


class Boxed(NamedTuple, Generic[M]):
    """A model that comes with the package."""

    about: str
    make: Callable[[], M]


class _Models(ABC, Generic[M]):
    """Models by name, loaded when they are first asked for, and then kept warm.

    Args:
        given: a model file to begin with; the first of all if not given.
        runs: folder of runs, each with its model.safetensors.
    """

    families: ClassVar[tuple[str | None, ...]]  # of the runs that are listed; None where a file cannot be read

    def __init__(self, given: Path | None, runs: Path) -> None:
        self.given, self.runs = given, runs
        self._loaded: OrderedDict[tuple[str, float], M] = OrderedDict()
        self._lock = threading.Lock()

    @property
    @abstractmethod
    def boxes(self) -> Mapping[str, Boxed[M]]:
        """The models that come with the package, by name."""

    @abstractmethod
    def read(self, path: Path) -> M:
        """Read a file of one of the families."""

    @abstractmethod
    def prepare(self, name: str, model: M) -> None:
        """Refuse what the pages cannot show, and compile: nobody who looks shall wait for it."""

    def names(self) -> dict[str, str]:
        """The names of the models that are there, each with a word about it; the one to begin with comes first."""
        found = {name: named.about for name, named in self._files().items()}
        given = {"given": found.pop("given")} if "given" in found else {}
        return {**given, **{name: boxed.about for name, boxed in self.boxes.items()}, **found}

    def model(self, name: str | None = None) -> M:
        """A model by name, or the one to begin with.

        Raises:
            UnknownModel: there is none of this name, or none at all.
            FirsthandError: its file is damaged, or the pages cannot show it.
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

    def _load(self, name: str, files: dict[str, Named]) -> M:
        try:
            model = self.boxes[name].make() if name in self.boxes else self.read(files[name].path)
        except FileNotFoundError as error:  # removed since it was listed, or since the lab was started with it
            raise UnknownModel(str(error)) from None
        self.prepare(name, model)
        return model

    def _files(self) -> dict[str, Named]:
        found = {"given": Named(f"the file {self.given.name}", self.given)} if self.given is not None else {}
        paths = self.runs.glob("*/model.safetensors")
        newest = sorted(((path.stat().st_mtime, path) for path in paths), reverse=True)
        own = [path for time, path in newest if path != self.given and _family(path, time) in self.families]
        for path in own[:LISTED]:
            if path.parent.name not in ("given", *self.boxes):
                found[path.parent.name] = Named(f"run {path.parent.name}", path)
        return found


class Shelf(_Models[Model | Ensemble]):
    """Models that name what is in an image.

    Args:
        given, runs: as of all.
        box: makes the bundled model; None where there is none.
    """

    families = ("classifier", "ensemble", None)  # of a damaged file it is said here that it is one

    def __init__(self, given: Path | None, runs: Path, box: Callable[[], Model] | None = None) -> None:
        super().__init__(given, runs)
        self.box = box

    @property
    def boxes(self) -> Mapping[str, Boxed[Model | Ensemble]]:
        return {} if self.box is None else {"box": Boxed("the bundled model", self.box)}

    def read(self, path: Path) -> Model | Ensemble:
        return load_model(path)

    def prepare(self, name: str, model: Model | Ensemble) -> None:
        if model.input_shape != SHAPE:
            raise FirsthandError(f"model {name}: it reads inputs of shape {model.input_shape}, expected {SHAPE}")
        model.weighted_inputs(np.zeros((1, *SHAPE), np.uint8))

    def single(self, name: str | None = None) -> Model:
        """A model that can be looked into: of an ensemble, its first member."""
        found = self.model(name)
        return found.members[0] if isinstance(found, Ensemble) else found


class TextShelf(_Models[LanguageModel]):
    """Models that continue a text."""

    families = ("language",)

    @property
    def boxes(self) -> Mapping[str, Boxed[LanguageModel]]:
        return {"letters": Boxed("plays of Shakespeare, bundled", lambda: boxed_memory(LETTERS))}

    def read(self, path: Path) -> LanguageModel:
        found: Any = load(path)
        if not isinstance(found, LanguageModel):
            raise FirsthandError(f"{path}: {type(found).__name__} found, a language model expected")
        return found

    def prepare(self, name: str, model: LanguageModel) -> None:
        model.begin(model.symbols[0])


@lru_cache(maxsize=256)
def _family(path: Path, time: float) -> str | None:
    """The family of a model file that was written at a time; None of one that cannot be read."""
    try:
        return family_of(path)
    except (ModelFileError, OSError):
        return None
