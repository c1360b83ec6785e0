"""Epochs in services that track experiments: MLflow, Weights & Biases.  Their packages are the user's own choice."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from firsthand.errors import FirsthandError

from . import At, logged_values

__all__ = ["MLflowLog", "WandbLog"]


class MLflowLog:
    """A run of MLflow, in the experiment and at the server that its own settings name.

    Args:
        name: of the run.
        settings: logged as its parameters.
    Raises:
        FirsthandError: the package mlflow is not installed.
    """

    def __init__(self, name: str, settings: Mapping[str, Any]):
        self._mlflow = _package("mlflow", "MLflow")
        self._mlflow.start_run(run_name=name)
        self._mlflow.log_params(_flat(settings))

    def __call__(self, at: At) -> None:
        if at.record is not None:
            self._mlflow.log_metrics(logged_values(at), step=at.epoch)

    def close(self) -> None:
        """End the run."""
        self._mlflow.end_run()


class WandbLog:
    """A run of Weights & Biases, in the project that its own settings name.

    Args:
        name: of the run.
        settings: logged as its configuration.
    Raises:
        FirsthandError: the package wandb is not installed.
    """

    def __init__(self, name: str, settings: Mapping[str, Any]):
        self._run = _package("wandb", "Weights & Biases").init(name=name, config=_flat(settings))

    def __call__(self, at: At) -> None:
        if at.record is not None:
            self._run.log(logged_values(at), step=at.epoch)

    def close(self) -> None:
        """End the run."""
        self._run.finish()


def _package(name: str, service: str) -> Any:
    try:
        return import_module(name)
    except ModuleNotFoundError:
        raise FirsthandError(f"{service}: {name} not found: pip install {name}") from None


def _flat(settings: Mapping[str, Any]) -> dict[str, Any]:
    found = {**settings, **settings.get("overrides", {})}
    found.pop("overrides", None)
    return {name: value for name, value in found.items() if value is not None}
