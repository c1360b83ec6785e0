"""Settings of a training in a TOML file: written with every run, and taken back by `train --config`."""

import json
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from firsthand.errors import FirsthandError, nearest, reading
from firsthand.files import write_atomically

from .usage import WORDS, type_of

if TYPE_CHECKING:
    from firsthand.report import RunFolder

__all__ = ["NAME", "read_config", "write_config"]

NAME = "run.toml"
# of one invocation, not of a training
_NOT_SETTINGS = (
    *("config", "resume", "out", "as_json"),
    *("device", "devices", "scheduler", "coordinator", "processes", "process_id"),
)
_TAKEN = {float: (float, int), Path: (str,)}  # types in the file, where they are others than the option's own
_OPTIONS = {"start": "from"}  # parameter -> option, where they differ in more than hyphens


def read_config(context: typer.Context, value: Path | None) -> Path | None:
    """A callback for --config: the file's settings become the defaults of the options.

    Raises:
        FirsthandError: no such file, no TOML, or a key that is no setting; the nearest one is suggested.
    """
    if value is None or context.resilient_parsing:
        return value
    with reading(value, "not a TOML file of settings", _of_config):
        found = tomllib.loads(value.read_text(encoding="utf-8"))
        known = {
            _OPTIONS.get(param.name, param.name.replace("_", "-")): param.name
            for param in context.command.params
            if param.name and param.name not in _NOT_SETTINGS
        }
        defaults: dict[str, Any] = {}
        for key, setting in found.items():
            option = key.replace("_", "-")
            if option not in known:
                raise FirsthandError(
                    f"{key!r:.60} found, expected options of `firsthand train`{nearest(option, known)}"
                )
            kind = type_of(context.command, known[option])
            if type(setting) not in _TAKEN.get(kind, (kind,)):
                raise FirsthandError(f"{key} is {_toml(setting):.60}, expected {WORDS[kind]}")
            defaults[known[option]] = setting
    context.default_map = {**(context.default_map or {}), **defaults}
    return value


def write_config(folder: "RunFolder", settings: dict[str, Any]) -> None:
    """Write a run's settings so that `firsthand train --config FILE` repeats it.

    Args:
        folder: of the run.
        settings: as `run_settings` keeps them: by parameter, those of the recipe under 'overrides'.
    """
    flat = {**settings, **settings["overrides"]}
    flat.pop("overrides")
    if flat["start"] is None:
        flat.pop("rehearse")
    else:
        flat.pop("recipe")
    lines = [
        f"{_OPTIONS.get(name, name.replace('_', '-'))} = {_toml(value)}"
        for name, value in flat.items()
        if value is not None
    ]
    head = "# repeat this training with: firsthand train --config run.toml"
    write_atomically(folder.path / NAME, "\n".join([head, *lines]) + "\n")


def _toml(value: Any) -> str:
    # what JSON writes of these types is TOML, too
    return repr(value) if isinstance(value, float) else json.dumps(value, ensure_ascii=False, default=str)


def _of_config(message: str) -> FirsthandError:
    return FirsthandError(f"--config: {message}")
