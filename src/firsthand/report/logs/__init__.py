"""Functions for `train(progress=...)` that log every epoch: to a CSV file, TensorBoard, MLflow, Weights & Biases.

Each is called with a `Progress` and does something when an epoch is complete; a function of one's own is written in the
same way.  `firsthand train --log csv,tensorboard` uses them.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from firsthand.errors import FirsthandError, nearest

__all__ = ["KINDS", "At", "Log", "check_kinds", "logged_values", "open_logs"]

KINDS = ("csv", "tensorboard", "mlflow", "wandb")


class At(Protocol):
    """The fields of a `Progress` that a log needs."""

    @property
    def epoch(self) -> int: ...
    @property
    def record(self) -> dict[str, float] | None: ...
    @property
    def member(self) -> int: ...


class Log(Protocol):
    """A function of a `Progress`, and what ends it."""

    def __call__(self, at: At) -> None: ...
    def close(self) -> None: ...


def check_kinds(text: str | None) -> tuple[str, ...]:
    """The kinds of logs in 'csv,tensorboard'.

    Raises:
        FirsthandError: one is unknown; the nearest is suggested.
    """
    kinds = tuple(kind.strip() for kind in text.split(",")) if text else ()
    for kind in kinds:
        if kind not in KINDS:
            raise FirsthandError(f"--log: found {kind!r}, expected {', '.join(KINDS)}{nearest(kind, KINDS)}")
    return kinds


def open_logs(kinds: tuple[str, ...], folder: Path, name: str, settings: Mapping[str, Any]) -> list[Log]:
    """Open logs of these kinds.

    Args:
        kinds: of KINDS.
        folder: of the run: metrics.csv and tensorboard/ are written into it.
        name: of the run, for services.
        settings: of the run, for services.
    Raises:
        FirsthandError: a package is missing; the message says which.
    """
    return [_open(kind, folder, name, settings) for kind in kinds]


def logged_values(at: At) -> dict[str, float]:
    """The measured values of a complete epoch; a member's have 'member_N/' in front from the second on."""
    front = f"member_{at.member}/" if at.member else ""
    return {f"{front}{name}": float(value) for name, value in (at.record or {}).items() if name != "epoch"}


def _open(kind: str, folder: Path, name: str, settings: Mapping[str, Any]) -> Log:
    if kind == "csv":
        from .csv_file import CsvLog

        return CsvLog(folder / "metrics.csv")
    if kind == "tensorboard":
        from .tensorboard import TensorBoardLog

        return TensorBoardLog(folder / "tensorboard")
    from .services import MLflowLog, WandbLog

    service: Callable[..., Log] = MLflowLog if kind == "mlflow" else WandbLog
    return service(name, settings)
