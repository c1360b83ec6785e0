"""Put the tables of results/exercises/*.json into the pages of docs/exercises, between their marks.

python tools/documents/exercise_tables.py
"""

import json
import re
from pathlib import Path
from typing import Any

from firsthand.files import write_atomically

__all__ = ["main", "table", "with_tables"]

ROOT = Path(__file__).parents[2]
MARKS = re.compile(r"(<!-- measured: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def main() -> None:
    """Rewrite all pages."""
    for page in sorted((ROOT / "docs" / "exercises").glob("*.md")):
        text = page.read_text()
        if with_tables(text) != text:
            print(write_atomically(page, with_tables(text)))


def with_tables(text: str) -> str:
    """A page with the tables that its marks name."""
    return MARKS.sub(lambda found: found[1] + table(found[2]) + found[3], text)


def table(name: str) -> str:
    """The results of a program as a Markdown table, and what they were measured with."""
    about = json.loads((ROOT / "results" / "exercises" / f"{name}.json").read_text())
    measured: dict[str, dict[str, Any]] = about["measured"]
    columns = list(next(iter(measured.values())))
    lines = ["| | " + " | ".join(columns) + " |", "|---" * (len(columns) + 1) + "|"]
    for row, values in measured.items():
        lines.append(f"| {row} | " + " | ".join(_shown(column, values[column]) for column in columns) + " |")
    n = max(value["n"] for values in measured.values() for value in values.values())
    versions = about["versions"]
    return "\n".join(
        [
            *lines,
            "",
            f"Mean ± standard deviation, n = {n}; {about['machine']}; JAX {versions['jax']}, "
            f"NumPy {versions['numpy']}; "
            f"{about['date']}, {about['seconds']:.0f} s.  `python tools/measure/exercises/{name}.py` writes "
            f"`results/exercises/{name}.json`, with every value.",
            "",
        ]
    )


def _shown(column: str, value: dict[str, Any]) -> str:
    mean, spread = value["mean"], value["standard_deviation"]
    if any(word in column for word in ("accuracy", "epoch", "test images")):
        return f"{mean:.2%}" if spread is None else f"{100 * mean:.2f} ± {100 * spread:.2f} %"
    return f"{mean:,.0f}" if spread is None else f"{mean:.3g} ± {spread:.2g}"


if __name__ == "__main__":
    main()
