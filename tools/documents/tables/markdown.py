"""The common parts of all tables: a file of results, cells, rows, and where the numbers come from."""

import json
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any


def read(results: Path, name: str) -> dict[str, Any] | None:
    """A file of results, or None where it was not measured."""
    path = results / name
    return json.loads(path.read_text()) if path.exists() else None


def made_of(name: str) -> Callable[[Callable[[Any, str], list[str]]], Callable[[Path, str], list[str]]]:
    """The table of one file of results in a language; nothing where that was not measured."""

    def of_file(rows_of: Callable[[Any, str], list[str]]) -> Callable[[Path, str], list[str]]:
        @wraps(rows_of)
        def of_results(results: Path, language: str) -> list[str]:
            found = read(results, name)
            return [] if found is None else rows_of(found, language)

        return of_results

    return of_file


def table(head: tuple[str, ...], rows: list[tuple[str, ...]], align: str) -> list[str]:
    """A table of Markdown; of every column, align says whether it is ranged left or right: l or r."""
    rule = ["---:" if side == "r" else "---" for side, _ in zip(align, head, strict=True)]  # else it is shown as text
    return ["| " + " | ".join(cells) + " |" for cells in (head, rule, *rows)]


def accuracy_cell(found: dict[str, float]) -> str:
    """A mean, and the lowest and highest where they differ."""
    low, high = (f"{100 * found[end]:.2f}" for end in ("min", "max"))
    return f"{100 * found['mean']:.2f} %" + ("" if low == high else f" ({low}–{high})")


def listed(values: list[int], word: str) -> str:
    """Numbers with a word between them."""
    return f" {word} ".join(map(str, values))


def local(name: str | dict[str, str], language: str) -> str:
    """A name in a language; some are the same in all."""
    return name if isinstance(name, str) else name[language]


def source(found: dict[str, Any], language: str, command: str = "make bench") -> str:
    """The provenance of numbers: machine, versions, date, and the command that re-runs it."""
    versions = found["versions"] | found.get("peer_versions", {})
    names = ("python", "firsthand", "jax", "torch", "keras", "scikit-learn")
    shown = ", ".join(f"{name} {versions[name]}" for name in names if name in versions)
    if language == "en":
        return f"<sub>{found['machine']}; {shown}; {found['date']}; re-run with `{command}`.</sub>"
    return f"<sub>{found['machine']}；{shown}；{found['date']}；用 `{command}` 可重新测量。</sub>"
