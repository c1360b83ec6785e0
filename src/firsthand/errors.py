"""The one family of errors that a user can cause: the command line prints them as one line and exits with 2."""

__all__ = ["FirsthandError"]


class FirsthandError(ValueError):
    """Something the user gave cannot be used; the message says what was found, what was expected, and where."""
