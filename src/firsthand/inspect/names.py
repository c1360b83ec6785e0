"""Names of classes as a figure can show them, whatever their script and length."""

from collections.abc import Sequence
from functools import cache

from matplotlib.font_manager import FontProperties, findfont, get_font

__all__ = ["shown_names"]

_LONGEST = 16  # characters


def shown_names(classes: Sequence[str]) -> list[str]:
    """Return names that the font of figures can draw; a class whose name it cannot is shown by its number, '#3'.

    Examples:
        >>> shown_names(["cat", "七", "5 $"])
        ['cat', '#1', '5 \\\\$']
    """
    known = _characters(findfont(FontProperties()))
    names = []
    for number, name in enumerate(classes):
        short = _shortened(name)
        can_be_drawn = bool(short.strip()) and known.issuperset(map(ord, short))
        names.append(short.replace("$", r"\$") if can_be_drawn else f"#{number}")
    return names


def _shortened(name: str) -> str:
    return name if len(name) <= _LONGEST else name[: _LONGEST - 1] + "…"


@cache
def _characters(path: str) -> frozenset[int]:
    return frozenset(get_font(path).get_charmap())
