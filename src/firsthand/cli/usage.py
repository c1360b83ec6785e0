"""Usage errors in one line: found, expected, where."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args, get_type_hints

import typer

from firsthand.errors import nearest

__all__ = ["WORDS", "UsageError", "explained", "type_of"]

# Typer has no public name for it
UsageError: type[Exception] = typer.BadParameter.__mro__[1]

WORDS = {int: "a whole number", float: "a number", str: "a text", Path: "a path", bool: "true or false"}


def type_of(command: Any, name: str) -> type:
    """The type of a parameter's values, by the function of its command; text where it says none."""
    hint = get_type_hints(command.callback).get(name, str)
    return next((kind for kind in (*get_args(hint), hint) if kind in WORDS), str)


def explained(error: Any, words: Sequence[str]) -> str:
    """A line about a usage error.

    Args:
        error: a `UsageError`.
        words: of the command line, after the program's name.
    """
    context, parameter = error.ctx, _param(error)
    of_all = hasattr(getattr(context, "command", None), "commands")
    command = "firsthand" if of_all or not words else f"firsthand {words[0]}"
    if hasattr(error, "possibilities"):
        known = [name for each in context.command.params for name in (*each.opts, *each.secondary_opts)]
        return f"{error.option_name}: no such option of `{command}`{nearest(error.option_name, known)}"
    found = _value(getattr(parameter, "opts", ()), words)
    if found is not None:
        return f"{parameter.opts[0]}: found {found!r}, expected {WORDS[type_of(context.command, parameter.name)]}"
    message = " ".join(error.format_message().split())
    message = message[:1].lower() + message[1:]
    return message if message.endswith("?") else f"{message.rstrip('.')}; see {command} --help"


def _param(error: Any) -> Any:
    return getattr(error, "param", None)


def _value(options: Sequence[str], words: Sequence[str]) -> str | None:
    """The last value that was typed for an option; None where it is an argument, or was given by a file."""
    found = None
    for word, following in zip(words, [*words[1:], None], strict=True):
        option, equals, value = word.partition("=")
        if option in options:
            found = value if equals else following
    return found
