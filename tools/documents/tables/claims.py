"""Tables of what studies found: each claim beside what was measured."""

from collections.abc import Callable
from pathlib import Path

from .markdown import read, table

_HOLDS = {True: {"en": "holds", "zh": "成立"}, False: {"en": "does not hold", "zh": "不成立"}}


def of_studies(*ids: str) -> Callable[[Path, str], list[str]]:
    """The table of the claims of studies, those of them that were measured; nothing where none was."""

    def claims(results: Path, language: str) -> list[str]:
        which, rows = 0 if language == "en" else 1, []
        for id in ids:
            found = read(results, f"experiments/{id}.json")
            if found is None:
                continue
            for number, (text, (holds, measured)) in enumerate(found["claims"]):
                name = "" if number else f"`{id}`, n = {len(found['runs'])}"
                rows.append((name, text[which], measured[which], _HOLDS[holds][language]))
        if not rows:
            return []
        head = ("study", "claim", "measured", "") if language == "en" else ("实验", "说法", "实测", "")
        return table(head, rows, "llll")

    return claims
