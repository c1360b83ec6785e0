"""Habits of all commands: a short help, completion in the shell, the version, nearest names for what is misspelt."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, get_args

import typer
from typer.core import TyperArgument, TyperCommand, TyperGroup

__all__ = [
    "HELP",
    "Command",
    "Commands",
    "complete_data",
    "complete_device",
    "complete_experiment",
    "complete_recipe",
    "version",
]

HELP = {"help_option_names": ["-h", "--help"]}
_WORDS = {int: "N", float: "X", str: "TEXT", Path: "PATH"}


def _plain(param: Any) -> Any:
    """Name the type of a parameter in the help by one word, or by none for flags and arguments."""
    if isinstance(param, TyperArgument):
        param.display_type_rich = lambda ctx: None  # pyright: ignore[reportAttributeAccessIssue]
    elif param.metavar is None and param.is_flag:
        param.metavar = ""
    elif param.metavar is None:
        annotation = getattr(getattr(param, "type_descriptor", None), "annotation", None)
        param.metavar = _WORDS.get(next(iter(get_args(annotation)), annotation))
    return param


class Command(TyperCommand):
    """A command whose help names types by one word, none for flags, and puts no brackets around defaults in words."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for param in map(_plain, self.params):
            shown = getattr(param, "show_default", None)
            if isinstance(shown, str) and shown:
                param.show_default = False
                param.help = f"{getattr(param, 'help', '') or ''} [dim]\\[default: {shown}][/dim]"

    def get_help_option(self, ctx: Any) -> Any:
        return _plain(super().get_help_option(ctx))


class Commands(TyperGroup):
    """The list of commands, whose own flags have no type in the help either."""

    def get_params(self, ctx: Any) -> list[Any]:
        return [_plain(param) for param in super().get_params(ctx)]


def version(asked: bool) -> None:
    """Print the versions of firsthand, Python and JAX, and end; nothing is imported for it."""
    if asked:
        from firsthand.files import versions

        found = versions()
        print(f"firsthand {found['firsthand']} (Python {found['python']}, JAX {found['jax']})")
        raise typer.Exit


def _completion(names: Callable[[], Sequence[str]]) -> Callable[[str], list[str]]:
    def complete(incomplete: str) -> list[str]:
        return [name for name in names() if name.startswith(incomplete)]

    return complete


def _recipes() -> Sequence[str]:
    from firsthand.zoo.about import ABOUT

    return tuple(ABOUT)


def _experiments() -> Sequence[str]:
    from firsthand.studies import IDS

    return IDS


def _data() -> Sequence[str]:
    from .common import DATA_NAMES, TEXT_NAMES

    return (*DATA_NAMES, *TEXT_NAMES)


complete_recipe = _completion(_recipes)
complete_experiment = _completion(_experiments)
complete_data = _completion(_data)
complete_device = _completion(lambda: ("cpu", "gpu", "tpu"))
