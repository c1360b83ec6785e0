"""The one family of errors that a user can cause: the command line prints them as one line and exits with 2."""

import difflib
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["FirsthandError", "nearest", "reading"]

_SHOWN = 300  # characters of a reason: a parser may quote the whole file


class FirsthandError(ValueError):
    """Something the user gave cannot be used; the message says what was found, what was expected, and where."""


def nearest(found: object, known: Iterable[str]) -> str:
    """The end of a message about a misspelt name: '; did you mean 'relu'?', or nothing where no known name is near.

    Examples:
        >>> nearest("rleu", ("relu", "sigmoid"))
        "; did you mean 'relu'?"
        >>> nearest("tanh", ("relu", "sigmoid"))
        ''
    """
    near = difflib.get_close_matches(found, list(known), n=1) if isinstance(found, str) else ()
    return f"; did you mean {near[0]!r}?" if near else ""


@contextmanager
def reading(
    path: Any, complaint: str = "cannot be read", error: Callable[[str], FirsthandError] = FirsthandError
) -> Iterator[None]:
    """Turn whatever a file can do to those who read it into one line that names it.

    No list of exceptions is complete: parsers promise none, and a value of another type than the one expected fails
    wherever it is used first.  So a reader does all of its work inside this block.

    Args:
        path: of the file, or what else to call it.
        complaint: of what cannot be used, such as 'not a model file, or a damaged one'; the reason follows in brackets.
        error: makes the error.
    Raises:
        FirsthandError: what `error` makes, of one line; what the block itself raises of this family gets the path.
    """
    if isinstance(path, int):  # open() would take it for a descriptor, and close 0, 1 or 2 after reading
        raise error(f"{path!r}: a number found, a path expected")
    try:
        yield
    except FirsthandError as found:
        # as a word: the name 'p' is in 'expected', too
        if re.search(rf"(?<!\w){re.escape(str(path))}(?!\w)", str(found)):
            raise
        raise error(" ".join(f"{path}: {found}".split())) from None
    except Exception as found:
        reason = getattr(found, "strerror", None) or str(found) or type(found).__name__
        reason = " ".join(reason.split()).encode(errors="backslashreplace").decode()
        raise error(f"{path}: {complaint} ({reason if len(reason) <= _SHOWN else reason[:_SHOWN] + ' ...'})") from found
