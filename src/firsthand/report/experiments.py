"""Results of experiments as words and tables: published beside measured.  All is taken from the Results alone."""

import json
import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from firsthand.errors import FirsthandError, reading
from firsthand.experiments.result import Published, Result, Text

from .quantities import quantity_name

__all__ = [
    "VERDICTS",
    "Comparison",
    "brief",
    "comparisons",
    "duration",
    "figures_of",
    "load_recipes",
    "load_results",
    "markdown",
    "overall",
    "provenance",
    "published_brief",
]

VERDICTS = {
    "reached": Text("reached", "达到"),
    "higher": Text("higher", "更高"),
    "explained": Text("explained", "已说明原因"),
    "lower": Text("lower", "略低"),
    "cannot tell": Text("cannot tell", "无法判定"),
    "missed": Text("missed", "未达到"),
    "holds": Text("holds", "成立"),
    "does not hold": Text("does not hold", "不成立"),
    "not compared": Text("not compared", "不比较"),
    "shown": Text("shown", "展示"),
}


class Comparison(NamedTuple):
    """A published number beside what was measured, as words."""

    quantity: Text
    published: str
    measured: str  # mean ± standard deviation
    difference: str  # ours less the published one, with its interval
    explained: tuple[str, str] | None  # name and value of another number of the same runs, to stand beside
    best: str  # of the run with the best validation accuracy, where that is the text's protocol
    verdict: str


def load_results(folder: str | os.PathLike[str]) -> list[Result]:
    """All Results in a folder, in the order of the texts.

    Raises:
        FirsthandError: there are none, or a file is not a Result.
    """
    from firsthand.studies import IDS

    found = [Result.load(path) for path in sorted(Path(folder).glob("*.json"))]
    if not found:
        raise FirsthandError(f"{folder}: no results of experiments; make some with: firsthand run --all")
    places = {id: place for place, id in enumerate(IDS)}
    return sorted(found, key=lambda result: (places.get(result.id, len(places)), result.id))


def load_recipes(folder: str | os.PathLike[str]) -> list[dict[str, Any]]:
    """Load the measurements of the named recipes (tools/measure/run_recipe.py), the best first; empty without any."""
    found = []
    for path in sorted(Path(folder).glob("*.json")):
        with reading(path, "not a measurement of a recipe"):
            found.append(json.loads(path.read_text(encoding="utf-8")))
            float(found[-1]["test_accuracy"]["mean"])
    return sorted(found, key=lambda recipe: -recipe["test_accuracy"]["mean"])


def figures_of(result: Result, folder: str | os.PathLike[str]) -> list[tuple[str, Text, Path]]:
    """The figures of a Result that are there: name, caption, and file in FOLDER/figures."""
    stems = {name: Path(folder) / "figures" / f"{result.id}-{name}" for name in result.captions}
    return [
        (name, caption, path)
        for name, caption in result.captions.items()
        for suffix in (".svg", ".png")
        if (path := stems[name].with_name(stems[name].name + suffix)).exists()
    ]


def comparisons(result: Result) -> list[Comparison]:
    """Every published number beside what was measured."""
    return [_compared(result, published) for published in result.published]


def _compared(result: Result, published: Published) -> Comparison:
    name, accuracy = published.quantity, published.kind in ("accuracy", "exact")
    mean, spread = result.mean(name), result.spread(name)
    best = ""
    if 1 < published.best_of <= result.n and "validation_accuracy" in result.runs[0]["numbers"]:
        best = _number(result.best(name, published.best_of), accuracy)
    verdict, beside = result.verdict(published), published.beside or published.explained_by
    return Comparison(
        quantity_name(name),
        f"{_number(published.value, accuracy)} {published.unit}".rstrip(),
        f"{_number(mean, accuracy, spread)} {published.unit}".rstrip(),
        _difference(result, published, accuracy),
        (beside, _number(result.mean(beside), accuracy, result.spread(beside))) if beside else None,
        best,
        verdict,
    )


def _difference(result: Result, published: Published, accuracy: bool) -> str:
    """'+0.03 [-0.32, +0.38]', in points of an accuracy; of a single run without the interval, which is not known."""
    interval = result.interval(published)
    difference = result.mean(published.quantity) - published.value if interval is None else interval.difference
    show = (lambda x: f"{100 * x:+.2f}") if accuracy else (lambda x: f"{x:+.2g}")
    if interval is None or not interval.spread_known:
        return show(difference)
    return f"{show(difference)} [{show(interval.low)}, {show(interval.high)}]"


def _number(value: float, accuracy: bool, spread: float | None = None) -> str:
    if accuracy:
        return f"{100 * value:.2f} %" if spread is None else f"{100 * value:.2f} ± {100 * spread:.2f} %"
    shown = f"{value:,.0f}" if value == int(value) and abs(value) >= 1000 else f"{value:.4g}"
    if not spread:
        return shown
    digits = max(0, 1 - math.floor(math.log10(spread)))
    return f"{value:.{digits}f} ± {spread:.{digits}f}"


def overall(result: Result) -> str:
    """One verdict on a Result, the worst of its numbers and claims; 'shown' where there is neither."""
    if result.quick:
        return "not compared"
    numbers = [result.verdict(published) for published in result.published]
    claims = ["holds" if finding.holds else "does not hold" for _, finding in result.claims]
    for verdict in ("missed", "does not hold", "lower", "cannot tell", "explained", "higher", "reached", "holds"):
        if verdict in numbers + claims:
            return verdict
    return "shown"


def published_brief(published: Sequence[Published], claims: int) -> Text:
    """The published numbers and claims, in a few words."""
    if len(published) > _FEW:
        words = [Text(f"{len(published)} numbers", f"{len(published)} 个数")]
    else:
        shown = [(each.quantity, _number(each.value, each.kind != "value")) for each in published]
        words = _named(shown)
    if claims:
        words.append(Text(f"{claims} claim{'s' if claims > 1 else ''}", f"{claims} 个论断"))
    return _joined(words)


def brief(result: Result) -> tuple[Text, Text]:
    """The published and the measured, each in a few words."""
    found = comparisons(result)
    if len(found) > _FEW:
        reached = sum(each.verdict in ("reached", "higher") for each in found)
        words = [Text(f"{reached} of {len(found)} reached", f"{len(found)} 个中 {reached} 个达到")]
        if result.quick:
            words = [Text("shortened", "已缩短")]
    else:
        quantities = [published.quantity for published in result.published]
        words = _named(list(zip(quantities, (each.measured for each in found), strict=True)))
    if words:
        words[-1] = Text(f"{words[-1].en} (n = {result.n})", f"{words[-1].zh}（n = {result.n}）")
    for name, value in dict.fromkeys(each.explained for each in found if each.explained is not None):
        words.append(Text(*(f"{shown} {value}" for shown in quantity_name(name))))
    if result.claims:
        count, hold = len(result.claims), sum(finding.holds for _, finding in result.claims)
        words.append(Text(f"{hold} of {count} hold{'s' if hold == 1 else ''}", f"{count} 个中 {hold} 个成立"))
    return published_brief(result.published, len(result.claims)), _joined(words)


_FEW = 3  # numbers that a cell of a table can list


def _named(numbers: Sequence[tuple[str, str]]) -> list[Text]:
    """Numbers with their names, or a single one without."""
    if len(numbers) == 1:
        return [Text(numbers[0][1], numbers[0][1])]
    return [Text(*(f"{name} {number}" for name in quantity_name(quantity))) for quantity, number in numbers]


def _joined(texts: Sequence[Text]) -> Text:
    return Text("; ".join(text.en for text in texts) or "–", "；".join(text.zh for text in texts) or "–")


def duration(seconds: float) -> str:
    """'32 s', '12 min' or '2.1 h'."""
    if seconds < 90:
        return f"{seconds:.0f} s" if seconds >= 1 else "< 1 s"
    return f"{seconds / 60:.0f} min" if seconds < 90 * 60 else f"{seconds / 3600:.1f} h"


def markdown(results: Sequence[Result], language: str) -> list[str]:
    """One row per Result, as the lines of a Markdown table; language is 'en' or 'zh'."""
    at = ("en", "zh").index(language)
    head = (
        ("experiment", "what it shows", "published", "measured", "verdict", "time"),
        ("实验", "内容", "书中", "实测", "结论", "时间"),
    )[at]
    rows = [
        (
            f"`{result.id}`",
            result.title[at],
            *(text[at] for text in brief(result)),
            _emphasized(overall(result), at),
            duration(result.seconds),
        )
        for result in results
    ]
    lines = [head, ("---", "---", "---:", "---:", "---", "---:"), *rows]
    return ["| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines]


def provenance(results: Sequence[Result], language: str) -> str:
    """The provenance of all results: where, with what and when they were measured, and how to re-run them."""
    at = ("en", "zh").index(language)
    machines = dict.fromkeys(result.machine for result in results)
    names = ("python", "firsthand", "jax", "numpy")
    versions = (
        "/".join(dict.fromkeys(result.versions[name] for result in results if name in result.versions))
        for name in names
    )
    said = ", ".join(f"{name} {found}" for name, found in zip(names, versions, strict=True))
    first, last = min(result.date for result in results)[:10], max(result.date for result in results)[:10]
    dates = first if first == last else (f"{first} to {last}", f"{first} 至 {last}")[at]
    again = ("re-run with `firsthand run --all`.", "用 `firsthand run --all` 可重新测量。")[at]
    return ("; ", "；")[at].join((*machines, said, dates, again))


def _emphasized(verdict: str, at: int) -> str:
    said = VERDICTS[verdict][at]
    return f"**{said}**" if verdict in ("missed", "does not hold") else said
