"""The pages of the repository: their links, their blocks of code and their commands."""

import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
_TOP = ("README.md", "README.zh-CN.md", "CONTRIBUTING.md", "SECURITY.md", "CODE_OF_CONDUCT.md", "CHANGELOG.md")
_FOLDERS = ("docs", "notebooks", "tools", "benchmarks")


class Block(NamedTuple):
    """A block of code."""

    page: Path
    language: str
    text: str

    @property
    def lines(self) -> list[str]:
        """Commands, without comments and with continued lines joined."""
        joined = self.text.replace("\\\n", " ").splitlines()
        return [line.partition("  #")[0].strip() for line in joined if line.strip()]


@cache
def pages() -> tuple[Path, ...]:
    """All pages, in both languages."""
    found = [ROOT / name for name in _TOP]
    for folder in _FOLDERS:
        found += sorted((ROOT / folder).rglob("*.md"))
    return tuple(found)


def blocks(page: Path) -> list[Block]:
    """The blocks of code of a page."""
    text = page.read_text(encoding="utf-8")
    return [Block(page, *found) for found in re.findall(r"^```(\w*)\n(.*?)^```", text, re.MULTILINE | re.DOTALL)]


def prose(page: Path) -> str:
    """A page without its blocks of code."""
    return re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)


def anchors(page: Path) -> set[str]:
    """The anchors that a link may name behind '#': the headings, as GitHub writes them."""
    heads = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}
