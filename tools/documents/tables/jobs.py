"""The table of the same job in several libraries."""

from typing import Any

from .markdown import made_of, source, table

__all__ = ["jobs", "mistakes"]


@made_of("benchmarks/jobs.json")
def jobs(found: dict[str, Any], language: str) -> list[str]:
    """Lines and accuracy of the job in each library."""
    rows = [
        (
            name,
            str(one["lines"]),
            f"{100 * one['accuracy']:.2f} %",
            ", ".join(f"{p} {v}" for p, v in one["versions"].items()),
        )
        for name, one in found["libraries"].items()
    ]
    head = ("library", "lines", "test accuracy, one run", "versions")
    return [*table(head, rows, "lrrl"), "", source(found, language, "python -m benchmarks.jobs")]


@made_of("benchmarks/jobs.json")
def mistakes(found: dict[str, Any], language: str) -> list[str]:
    """The first line that each library says of a mistake, and the length of its traceback."""
    lines: list[str] = []
    libraries = found["libraries"]
    for about in next(iter(libraries.values()))["mistakes"]:
        rows = [
            (name, one["mistakes"][about]["says"].replace("|", "\\|"), str(one["mistakes"][about]["lines"] or "–"))
            for name, one in libraries.items()
        ]
        lines += [f"**{about[0].upper()}{about[1:]}**", "", *table(("library", "says", "lines"), rows, "llr"), ""]
    return lines[:-1]
