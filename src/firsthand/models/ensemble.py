"""Several models as one, which is right more often than each of them."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import softmax

from firsthand.errors import FirsthandError, reading
from firsthand.nn import Shape
from firsthand.notebooks import html_table

from .classifier import Classifier
from .family import scored
from .file import ModelFileError, flatten, read_safetensors, write_safetensors
from .model import Model

__all__ = ["ENSEMBLE_FORMAT", "Ensemble", "voted"]

ENSEMBLE_FORMAT = "firsthand-ensemble-1"


@dataclass(frozen=True, repr=False)
class Ensemble(Classifier):
    """Models that read together: the probability of a class is the mean of what they say, p = 1/M sum_m p_m.

    Its weighted inputs are z = ln p, of which p is the softmax, so that a temperature can be found for it as for one
    model.  `predict` names the largest p; `vote` counts heads, as chapter 6 does.

    Args:
        members: at least one; all read images of one shape into the same classes.
        provenance: how it came to be, beside what each member says of itself.
        temperature: T in softmax(z/T); None is 1.
    Raises:
        FirsthandError: no member, or members that do not fit together.
    """

    members: tuple[Model, ...]
    provenance: dict[str, Any] = field(default_factory=dict)
    temperature: float | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "members", tuple(self.members))
        if not self.members:
            raise FirsthandError("ensemble: no members, expected at least one")
        for name in ("classes", "input_shape"):
            if len(found := {getattr(member, name) for member in self.members}) > 1:
                raise FirsthandError(f"ensemble: members with different {name}: {' and '.join(map(str, found))}")
        self.check_temperature()

    @property
    def classes(self) -> tuple[str, ...]:  # type: ignore[override]
        """Names of the outputs, in their order."""
        return self.members[0].classes

    @property
    def input_shape(self) -> Shape:
        return self.members[0].input_shape

    @property
    def parameter_count(self) -> int:
        return sum(member.parameter_count for member in self.members)

    def summary(self) -> str:
        tables: dict[str, int] = {}
        for member in self.members:
            tables[member.summary()] = tables.get(member.summary(), 0) + 1
        return "\n\n".join(f"{count} of {len(self.members)} members:\n{table}" for table, count in tables.items())

    def __repr__(self) -> str:
        return f"<Ensemble of {len(self.members)}: {', '.join(scored(self))}>"

    def _repr_html_(self) -> str:
        rows = [(number, ", ".join(scored(member))) for number, member in enumerate(self.members, start=1)]
        about = f"Ensemble of {len(self.members)}: {', '.join(scored(self))}"
        return html_table(("member", "what it is"), rows, caption=about, numbers=2)

    def member_probabilities(self, images: np.ndarray) -> np.ndarray:
        """The probabilities of each member, (members, n, classes)."""
        return np.stack([member.probabilities(images) for member in self.members])

    def weighted_inputs(self, images: np.ndarray) -> np.ndarray:
        p = np.mean(self.member_probabilities(images).astype(np.float64), axis=0)
        return np.log(np.maximum(p, np.finfo(np.float32).tiny)).astype(np.float32)

    def probabilities_at(self, z: np.ndarray) -> np.ndarray:
        return softmax(z.astype(np.float64) / (self.temperature or 1.0), axis=1).astype(z.dtype)

    def vote(self, images: np.ndarray) -> np.ndarray:
        """The labels that most members name, (n,): see `voted`."""
        return voted(self.member_probabilities(images))

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write all members to one safetensors file; an existing file is replaced at once or not at all."""
        arrays = {
            f"{number}.{name}": array
            for number, member in enumerate(self.members)
            for name, array in flatten(member.params).items()
        }
        about = {
            "format": ENSEMBLE_FORMAT,
            "members": [member.description() for member in self.members],
            "provenance": self.provenance,
            "temperature": self.temperature,
        }
        return write_safetensors(path, arrays, about)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "Ensemble":
        """Read an ensemble; nothing in the file is ever executed.

        Raises:
            FileNotFoundError: there is no such file.
            ModelFileError: the file is not a whole ensemble; the message says what is wrong with it.
        """
        arrays, about = read_safetensors(path, ENSEMBLE_FORMAT, "model")
        with reading(path, "not a usable ensemble", ModelFileError):
            parts: list[dict[str, np.ndarray]] = [{} for _ in about["members"]]
            for name, array in arrays.items():
                number, _, rest = name.partition(".")
                parts[int(number)][rest] = array
            members = [Model.from_description(m, part) for m, part in zip(about["members"], parts, strict=True)]
            if not isinstance(about["provenance"], dict):
                raise ValueError("its description is not one of an ensemble")
            return cls(tuple(members), about["provenance"], about.get("temperature"))


def voted(probabilities: np.ndarray | Sequence[np.ndarray]) -> np.ndarray:
    """The labels that most members name; of several with as many votes, the one of the largest mean probability.

    Args:
        probabilities: (members, n, classes).
    Returns:
        (n,).

    Examples:
        >>> a, b = [[0.6, 0.4, 0.0]], [[0.0, 0.1, 0.9]]
        >>> voted(np.array([a, a, b])), voted(np.array([a, b]))
        (array([0]), array([2]))
    """
    p = np.asarray(probabilities)
    votes = np.sum(p.argmax(axis=2)[..., None] == np.arange(p.shape[2]), axis=0)  # (n, classes)
    return (votes + np.mean(p, axis=0) / 2).argmax(axis=1)  # a mean is at most 1: half of it is less than a vote
