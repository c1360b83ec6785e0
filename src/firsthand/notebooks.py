"""Objects as HTML, for notebooks."""

import base64
import sys
from collections.abc import Iterable, Sequence
from html import escape

__all__ = ["html_picture", "html_table", "in_notebook", "someone_looks"]


def html_table(head: Sequence[object], rows: Iterable[Sequence[object]], caption: str = "", numbers: int = 1) -> str:
    """A table as HTML.

    Args:
        head: the names of its columns; empty for a table without.
        rows: with as many cells.
        caption: above it.
        numbers: columns from this one on are aligned to the right.

    Examples:
        >>> html_table(("layer", "n"), [("Softmax(10)", 7)]).count("<td")
        2
    """

    def row(cells: Sequence[object], tag: str) -> str:
        sides = ("left" if place < numbers else "right" for place in range(len(cells)))
        return "".join(
            f'<{tag} style="text-align:{side}">{escape(str(cell))}</{tag}>'
            for cell, side in zip(cells, sides, strict=True)
        )

    title = f'<caption style="text-align:left">{escape(caption)}</caption>' if caption else ""
    top = f"<thead><tr>{row(head, 'th')}</tr></thead>" if head else ""
    body = "".join(f"<tr>{row(cells, 'td')}</tr>" for cells in rows)
    return f"<table>{title}{top}<tbody>{body}</tbody></table>"


def html_picture(png: bytes, about: str) -> str:
    """A picture as HTML, with the words for those who cannot see it."""
    return f'<img alt="{escape(about)}" src="data:image/png;base64,{base64.b64encode(png).decode()}">'


def in_notebook() -> bool:
    """Return whether this process is the kernel of a notebook, which shows HTML."""
    module = sys.modules.get("IPython")
    shell = None if module is None else module.get_ipython()
    return type(shell).__name__ == "ZMQInteractiveShell"


def someone_looks() -> bool:
    """Return whether somebody types the code: in a notebook, in IPython or at Python's own prompt."""
    module = sys.modules.get("IPython")
    return hasattr(sys, "ps1") or (module is not None and module.get_ipython() is not None)
