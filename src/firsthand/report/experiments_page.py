"""One self-contained HTML page of all results: it loads nothing, runs no script, and prints.

The two languages are both in it; which is shown is decided by two radio buttons and style rules.
"""

import base64
from collections import Counter
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path
from typing import Any

from firsthand.experiments.result import Result, Text

from .experiments import VERDICTS, comparisons, duration, figures_of, overall
from .quantities import quantity_name

__all__ = ["LANGUAGES", "experiments_page"]

LANGUAGES = ("both", "en", "zh")
_STYLE = Path(__file__).with_name("experiments.css")
_MEDIA_TYPES = {".svg": "image/svg+xml", ".png": "image/png"}

_TITLE = Text("Every experiment of the texts, re-run", "书中的每个实验，重新测量")
_LEAD = Text(
    "What Nielsen's Neural Networks and Deep Learning (chapters 2, 3, 5, 6) and Grokking Deep Learning (chapter 10) "
    "publish, beside what firsthand measures: the mean of n runs from n seeds ± their standard deviation. Accuracies "
    "are those of the epoch of best validation accuracy unless named otherwise; nothing is chosen on test data.",
    "Nielsen《神经网络与深度学习》第二、三、五、六章以及《Grokking Deep Learning》第十章所发表的数字，"
    "与 firsthand 的实测并列：n 个随机种子、n 次运行的平均值 ± 标准差。"
    "除非另有名称，准确度取验证准确度最高的那一回合；不用测试数据做任何选择。",
)
_MEANING = Text(
    "Behind each difference stands its interval of 95 %: of the published number, one network or the best of three on "
    "10,000 images, and of our n runs, with the noise of the images in both and the spread over seeds. reached: zero "
    "lies in it, and it rules out half as many errors again (two points at most); higher: it lies above zero; lower: "
    "it lies below zero, but rules that out; missed: it lies below zero and does not; cannot tell: zero lies in it, "
    "but it is too wide to rule that out, or there is one run, whose spread nobody knows; explained: not reached, but "
    "the number that the same runs measure in the text's way is (such as the highest test accuracy of all epochs). A "
    "value of which the text has one run is reached if it lies in the interval for one more of ours. A claim, which "
    "the text makes without a number, holds or does not hold. Shortened runs are compared with nothing.",
    "每个差后面是它的 95 % 区间：书中的数来自一个网络或三个中最好的一个，在 10,000 幅图像上测得；"
    "我们的数来自 n 次运行；两者都计入图像的抽样误差，并计入随机种子之间的离散。"
    "达到：区间包含零，并且排除了错误多出一半（至多两个百分点）；"
    "更高：区间在零以上；略低：区间在零以下，但排除了多出一半；未达到：区间在零以下，且不能排除；"
    "无法判定：区间包含零，但太宽，不能排除，或者只有一次运行，离散未知；"
    "已说明原因：没有达到，但同样的运行按书中的方式测得的数（例如各回合中最高的测试准确度）达到。"
    "书中只有一次运行的数值，落在我们再运行一次的预测区间内即为达到。"
    "书中没有数字的论断，成立或不成立。缩短的运行不作比较。",
)


def experiments_page(
    results: Sequence[Result], recipes: Sequence[dict[str, Any]], folder: Path, language: str = "both"
) -> str:
    """The page.

    Args:
        results: in the order in which they are to stand.
        recipes: what was measured of the named recipes; see `load_recipes`.
        folder: of the results, with their figures in FOLDER/figures.
        language: 'en', 'zh', or 'both' with a switch.
    """
    words = _Words(language)
    switch = (
        '<input type="radio" name="language" id="en" checked><label for="en">English</label>\n'
        '<input type="radio" name="language" id="zh"><label for="zh" lang="zh-CN">中文</label>\n'
    )
    title = f"firsthand: {_TITLE.zh if language == 'zh' else _TITLE.en}"
    return f"""<!doctype html>
<html lang="{"zh-CN" if language == "zh" else "en"}"><head><meta charset="utf-8"><title>{escape(title)}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<style>
{_STYLE.read_text(encoding="utf-8")}</style></head><body>
{switch if language == "both" else ""}<main>
<h1>{words(_TITLE)}</h1>
<p>{words(_LEAD)}</p>
{"".join(_totals(results, words))}{_table(results, words)}
<p class="small">{words(_MEANING)}</p>
{"".join(_beyond(recipes, words))}{"".join(_section(result, folder, words) for result in results)}</main>
</body></html>
"""


class _Words:
    """Texts as HTML, in one language, or in both."""

    def __init__(self, language: str):
        self.language = language

    def __call__(self, text: Text) -> str:
        if self.language == "en" or (self.language == "both" and text.en == text.zh):
            return escape(text.en)
        if self.language == "zh":
            return escape(text.zh)
        return f'<span lang="en">{escape(text.en)}</span><span lang="zh-CN">{escape(text.zh)}</span>'

    def say(self, en: str, zh: str) -> str:
        """A text that stands here alone."""
        return self(Text(en, zh))

    def attribute(self, text: Text) -> str:
        """The text for an attribute, which cannot have two languages."""
        return escape(text.zh if self.language == "zh" else text.en)


def _totals(results: Sequence[Result], words: _Words) -> Iterator[str]:
    whole = [result for result in results if not result.quick]
    verdicts = Counter(result.verdict(each) for result in whole for each in result.published)
    claims = [finding.holds for result in whole for _, finding in result.claims]
    said = [Text(f"{len(results)} experiments", f"{len(results)} 个实验")]
    if verdicts:
        # in the order of the words' table, and only those that occur
        found = [(VERDICTS[verdict], verdicts[verdict]) for verdict in VERDICTS if verdicts[verdict]]
        en, zh = (
            ", ".join(f"{count} {word.en}" for word, count in found),
            "，".join(f"{w.zh} {c} 个" for w, c in found),
        )
        said.append(Text(f"{verdicts.total()} published numbers: {en}", f"{verdicts.total()} 个发表的数字：{zh}"))
    if claims:
        hold, fail = sum(claims), len(claims) - sum(claims)
        en, zh = (
            f"{len(claims)} claims: {hold} hold, {fail} do not",
            f"{len(claims)} 个论断：成立 {hold} 个，不成立 {fail} 个",
        )
        said.append(Text(en, zh))
    runs, spent = sum(result.n for result in results), duration(sum(result.seconds for result in results))
    said.append(Text(f"{runs} runs, {spent} of one core", f"{runs} 次运行，单核共 {spent}"))
    summary = words(Text("; ".join(text.en for text in said), "；".join(text.zh for text in said)))
    yield f"<p><strong>{summary}</strong></p>\n"
    if shortened := sum(result.quick for result in results):
        notice = words.say(
            f"{shortened} of these experiments were shortened (--quick): their numbers show that they run, and "
            "nothing more.",
            f"其中 {shortened} 个实验是缩短的（--quick）：它们的数字只说明能够运行，不说明别的。",
        )
        yield f'<p class="notice">{notice}</p>\n'


def _table(results: Sequence[Result], words: _Words) -> str:
    head = (
        Text("quantity", "数量"),
        Text("published", "书中"),
        Text("measured", "实测"),
        Text("difference", "差"),
        Text("verdict", "结论"),
    )
    return _wide(head, "\n".join(_rows(result, words) for result in results), words)


def _wide(head: Sequence[Text], bodies: str, words: _Words) -> str:
    """A table that scrolls where the screen is narrow."""
    cells = "".join(f"<th scope=col>{words(text)}</th>" for text in head)
    table = f'<table class="results">\n<thead><tr>{cells}</tr></thead>\n{bodies}\n</table>'
    return f'<div class="wide" tabindex="0">{table}</div>\n'


def _rows(result: Result, words: _Words) -> str:
    """The rows of one experiment: one for each published number, one for the claims together."""
    rows = []
    for each in comparisons(result):
        best = ""
        if each.best:
            chosen = words.say(f"best by validation {each.best}", f"按验证选最好的一次 {each.best}")
            best = f'<br><span class="small">{chosen}</span>'
        if each.explained is not None:
            name, value = each.explained
            best += f'<br><span class="small">{words(quantity_name(name))} {escape(value)}</span>'
        rows.append(
            (
                words(each.quantity),
                escape(each.published),
                escape(each.measured) + best,
                "" if result.quick else escape(each.difference),
                each.verdict,
            )
        )
    if result.claims:
        hold, count = sum(finding.holds for _, finding in result.claims), len(result.claims)
        rows.append(
            (
                words.say("claims", "论断"),
                str(count),
                words.say(f"{hold} hold" + ("s" if hold == 1 else ""), f"{hold} 个成立"),
                "",
                "holds" if hold == count else "does not hold",
            )
        )
    rows = rows or [(words.say("figure", "图"), "", "", "", overall(result))]
    name = f'<a href="#{result.id}">{result.id}</a> {words(result.title)}'
    spent = f'<span class="small">n = {result.n}, {duration(result.seconds)}</span>'
    lines = [f"<tr><th scope=rowgroup colspan=5>{name} {spent}</th></tr>"]
    for quantity, *numbers, verdict in rows:
        cells = "".join(f"<td class=number>{number}</td>" for number in numbers)
        lines.append(f"<tr><td>{quantity}</td>{cells}<td>{_verdict(verdict, words)}</td></tr>")
    return "<tbody>" + "\n".join(lines) + "</tbody>"


def _verdict(verdict: str, words: _Words) -> str:
    return f'<span class="verdict {verdict.replace(" ", "-")}">{words(VERDICTS[verdict])}</span>'


def _beyond(recipes: Sequence[dict[str, Any]], words: _Words) -> Iterator[str]:
    """The results of the named recipes, which the texts do not have."""
    if not recipes:
        return
    yield f"<h2>{words.say('Beyond the texts: recipes of our own', '书外：我们自己的配方')}</h2>\n"
    head = (
        Text("recipe", "配方"),
        Text("parameters", "参数"),
        Text("test accuracy", "测试准确度"),
        Text("together, by vote", "一起投票"),
        Text("n", "n"),
    )
    rows = []
    for recipe in recipes:
        accuracy, spread = recipe["test_accuracy"], recipe["test_accuracy"]["standard_deviation"]
        mean = f"{100 * accuracy['mean']:.2f}" + (f" ± {100 * spread:.2f}" if spread is not None else "")
        votes = f"{100 * recipe['together']['test_accuracy_by_votes']:.2f} %" if recipe["n"] > 1 else ""
        rows.append(
            f"<tr><th scope=row>{escape(recipe['recipe'])}<br>{escape(recipe['about'])}</th>"
            f"<td class=number>{recipe['parameters']:,}</td><td class=number>{mean} %</td>"
            f"<td class=number>{votes}</td><td>{recipe['n']}</td></tr>"
        )
    yield _wide(head, "<tbody>" + "\n".join(rows) + "</tbody>", words)


def _section(result: Result, folder: Path, words: _Words) -> str:
    parts = [
        f'<section id="{result.id}">\n<h2><code>{result.id}</code> {words(result.title)}</h2>\n',
        f'<p class="small">{escape(result.source.text)}, {escape(result.source.section)}</p>\n',
    ]
    if result.quick:
        parts.append(f'<p class="notice">{words.say("Shortened: nothing is compared.", "已缩短：不作比较。")}</p>\n')
    parts += [*_numbers(result, words), *_claims(result, words), *_figures(result, folder, words)]
    if result.deviations:
        items = "".join(f"<li>{words(text)}</li>" for text in result.deviations)
        parts.append(f"<h3>{words.say('Where this differs from the text', '与书中不同之处')}</h3>\n<ol>{items}</ol>\n")
    parts.append(
        f"<p><code>{escape(result.command)}</code></p>\n"
        f'<p class="small">{escape(result.machine)}; '
        f"{escape(', '.join(f'{name} {version}' for name, version in result.versions.items()))}; "
        f"{escape(result.date)}</p>\n</section>\n"
    )
    return "".join(parts)


def _numbers(result: Result, words: _Words) -> Iterator[str]:
    """The measurements, run by run."""
    names = list(result.runs[0]["numbers"])
    if not names:
        return
    seeds = "".join(f"<th scope=col>{words.say('seed', '种子')} {run['seed']}</th>" for run in result.runs)
    yield f'<div class="wide" tabindex="0"><table>\n<thead><tr><td></td>{seeds}</tr></thead>\n<tbody>'
    for name in names:
        cells = "".join(f"<td class=number>{_shown(name, value)}</td>" for value in result.values(name))
        yield f"<tr><th scope=row>{words(quantity_name(name))}</th>{cells}</tr>\n"
    yield "</tbody></table></div>\n"


def _shown(name: str, value: float) -> str:
    if name.endswith("accuracy"):
        return f"{100 * value:.2f} %"
    return f"{value:,.0f}" if value == int(value) else f"{value:.4g}"


def _claims(result: Result, words: _Words) -> Iterator[str]:
    if not result.claims:
        return
    yield f"<h3>{words.say('What the text claims', '书中的论断')}</h3>\n<ul class=claims>\n"
    for text, finding in result.claims:
        verdict = _verdict("holds" if finding.holds else "does not hold", words)
        yield f"<li>{words(text)} {verdict}<br><span class=measured>{words(finding.measured)}</span></li>\n"
    yield "</ul>\n"


def _figures(result: Result, folder: Path, words: _Words) -> Iterator[str]:
    for name, caption, path in figures_of(result, folder):
        content = base64.b64encode(path.read_bytes()).decode()
        source = f"data:{_MEDIA_TYPES[path.suffix]};base64,{content}"
        alternative = f"{escape(name)}: {words.attribute(caption)}"
        yield f'<figure><img alt="{alternative}" src="{source}"><figcaption>{words(caption)}</figcaption></figure>\n'
