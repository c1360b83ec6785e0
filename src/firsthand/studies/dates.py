"""Machine translation with attention, by a rule that is known: dates in many forms."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from firsthand import nn
from firsthand.data import Translations
from firsthand.data.tasks import DATE_GIVEN, DATE_STEPS, DATE_SYMBOLS, DATE_WRITABLE, date_pairs
from firsthand.experiments.drawing import COLOURS, curves, in_percent, panels
from firsthand.experiments.experiment import Claim, Drawing, Experiment, Measured, Run, mean_of
from firsthand.experiments.result import Finding, Result, Source, Text
from firsthand.models import Translator
from firsthand.zoo.writing import DATES, date_splits, writing_recipe

from .common import short, trained

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["EXPERIMENTS", "TRANSLATION", "draw_alignment", "exact"]

TRANSLATION = Source("Nielsen", "chapter 6, 'Other ideas' (其他想法): machine translation")
EACH_EPOCH = 4_000
TESTED = 1_000
BEAMS = 5
SHOWN = 3  # dates in the picture
NAMES = {"attention": Text("with attention", "有注意力"), "plain": Text("without", "没有注意力")}


def _layers(attends: bool) -> tuple[nn.Layer, ...]:
    if attends:
        return DATES.layers
    writer = nn.EncoderDecoder(len(DATE_SYMBOLS), 24, 96, attends=False, source=DATE_GIVEN)
    return writer, nn.Softmax(DATE_WRITABLE)


def _measure(run: Run) -> Measured:
    numbers, arrays = {}, {}
    data = date_splits(run.shortened(EACH_EPOCH, 96), run.shortened(TESTED, 32))
    test = data.test
    assert isinstance(test, Translations)
    for name in NAMES:
        layers = _layers(name == "attention")
        training = trained(run, layers, writing_recipe(8), data=data, name=name, quick_epochs=1)
        arrays[f"validation_{name}"] = [round(value, 4) for value in training.history["validation_whole"]]
        for beams in (1, BEAMS):
            numbers[f"exact_{name}_{beams}"] = exact(training.model, test, beams)
        if name == "attention":
            numbers |= _where(training.model, run.shortened(TESTED, 32))
            arrays |= _looked_at(training.model)
    return Measured(numbers, arrays)


def exact(model: Translator, test: Translations, beams: int) -> float:
    """The share of examples of which every symbol is written as it should be."""
    written = model.write(test.given, beams=beams)
    return float(np.mean([list(w.symbols) == r for w, r in zip(written, test.references, strict=True)]))


def _where(model: Translator, count: int) -> dict[str, float]:
    """The weight on the year while the year is written, and on the name of the month while the month is.

    Of test dates with a month in letters; the characters beside a part count as the part's, because an annotation has
    read what stands around its place.
    """
    pairs = [pair for pair in date_pairs(3 * count, "test", seed=1) if _month_of(pair[0])][:count]
    test = Translations.of_pairs(pairs, DATE_GIVEN, DATE_STEPS, DATE_SYMBOLS)
    looks = model.looks(test.inputs)
    year, month, chance = [], [], []
    for (given, written), alpha in zip(pairs, looks, strict=True):
        span, name = _span(given, written[:4]), _span(given, _month_of(given))
        year.append(alpha[:4, span].sum(-1).mean())
        month.append(alpha[5:7, name].sum(-1).mean())
        chance.append((span.stop - span.start) / len(given))
    return {
        "on_year": float(np.mean(year)),
        "on_month": float(np.mean(month)),
        "on_year_by_chance": float(np.mean(chance)),
    }


def _month_of(given: str) -> str:
    """The first letters of the name of a month in a date; empty where it is a number."""
    names = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
    return next((name for name in names if f" {name}" in f" {given}"), "")


def _span(given: str, part: str) -> slice:
    """The places of a part of a text, and those beside it."""
    at = given.rindex(part)
    return slice(max(0, at - 1), min(len(given), at + len(part) + 1))


def _looked_at(model: Translator) -> dict[str, list]:
    """The picture's data: a few test dates in letters, what is written, and where it looks."""
    pairs = [pair for pair in date_pairs(200, "test", seed=2) if _month_of(pair[0])]
    pairs = list({len(given.split()): (given, written) for given, written in pairs}.values())[:SHOWN]
    examples = Translations.of_pairs(pairs, DATE_GIVEN, DATE_STEPS, DATE_SYMBOLS)
    looks = model.looks(examples.inputs)
    return {
        "given": [given for given, _ in pairs],
        "written": ["".join(written.symbols) for written in model.write(examples.given)],
        "looks": [
            short(alpha[: len(written), : len(given)]) for alpha, (given, written) in zip(looks, pairs, strict=True)
        ],
    }


def _all_right(runs: Sequence[Measured]) -> Finding:
    found = {beams: [run.numbers[f"exact_attention_{beams}"] for run in runs] for beams in (1, BEAMS)}
    mean = float(np.mean(found[1]))
    return Finding(
        mean >= 0.99,
        Text(
            f"{mean:.2%} of {TESTED:,} test dates exactly right (n = {len(runs)}, the worst run {min(found[1]):.2%}), "
            f"the likeliest character taken each time; by beam search with {BEAMS} beams {np.mean(found[BEAMS]):.2%}",
            f"{TESTED:,} 个测试日期中 {mean:.2%} 完全正确（n = {len(runs)}，最差的一次 {min(found[1]):.2%}），每次取最"
            f"可能的字符；{BEAMS} 束的束搜索为 {np.mean(found[BEAMS]):.2%}",
        ),
    )


def _sooner(runs: Sequence[Measured]) -> Finding:
    early = {name: float(np.mean([run.arrays[f"validation_{name}"][:2][-1] for run in runs])) for name in NAMES}
    last = {name: mean_of(runs, f"exact_{name}_1") for name in NAMES}
    return Finding(
        early["attention"] > early["plain"],
        Text(
            f"validation dates right after two of eight epochs, n = {len(runs)}: with attention "
            f"{early['attention']:.1%}, without {early['plain']:.1%}; test dates at the end: {last['attention']:.2%} "
            f"and {last['plain']:.2%}",
            f"八个回合中的两个之后，验证日期的正确率（n = {len(runs)}）：有注意力 {early['attention']:.1%}，没有 "
            f"{early['plain']:.1%}；训练结束时测试日期：{last['attention']:.2%} 与 {last['plain']:.2%}",
        ),
    )


def _looks_there(runs: Sequence[Measured]) -> Finding:
    year, month, chance = (mean_of(runs, name) for name in ("on_year", "on_month", "on_year_by_chance"))
    return Finding(
        min(year, month) >= 0.5,
        Text(
            f"while it writes the year {year:.0%} of the weight is on the year or beside it (spread evenly it would be "
            f"{chance:.0%}); while it writes the month {month:.0%} is on the first letters of its name",
            f"写年份时 {year:.0%} 的权重落在年份上或其旁边（若平均分布则为 {chance:.0%}）；写月份时 {month:.0%} 落在月"
            "份名的前几个字母上",
        ),
    )


def draw_alignment(result: Result, needed: Mapping[str, Result]) -> "Figure":
    """Draw where the first run looks while it writes each character, a panel for each date."""
    arrays = result.runs[0]["arrays"]
    figure, grid = panels(1, len(arrays["given"]), width=4.6, height=3.4)
    for axes, given, written, looks in zip(grid[0], arrays["given"], arrays["written"], arrays["looks"], strict=True):
        axes.grid(False)
        axes.imshow(looks, cmap="gray_r", vmin=0, vmax=1, aspect="auto", interpolation="nearest")
        axes.set_xticks(range(len(given)), ["␣" if c == " " else c for c in given], fontsize=9)
        axes.set_yticks(range(len(looks)), list(written[: len(looks)]), fontsize=9)
    grid[0, 0].set_ylabel("written")
    return figure


def _draw_learning(result: Result, needed: Mapping[str, Result]) -> "Figure":
    figure, ((axes,),) = panels(1, 1, width=5)
    for (name, label), colour in zip(NAMES.items(), COLOURS, strict=False):
        curves(axes, result, f"validation_{name}", ".-", colour, label.en)
    axes.set(xlabel=f"epoch of {EACH_EPOCH:,} dates", ylabel="validation dates right")
    in_percent(axes)
    axes.legend(frameon=False, loc="lower right")
    return figure


EXPERIMENTS = (
    Experiment(
        "dates",
        Text(
            "Translation by a rule: dates in nine forms, written as 1994-03-07",
            "按规则的翻译：把九种写法的日期写成 1994-03-07",
        ),
        TRANSLATION,
        _measure,
        claims=(
            Claim(
                Text(
                    "An encoder-decoder with attention writes at least 99 % of dates that it was not trained on "
                    "exactly.",
                    "带注意力的编码器-解码器能把未训练过的日期至少 99 % 完全写对。",
                ),
                _all_right,
            ),
            Claim(
                Text(
                    "With attention it learns sooner than without.",
                    "有注意力时比没有时学得更快。",
                ),
                _sooner,
            ),
            Claim(
                Text(
                    "It looks at what it writes of: at the year for the year, at the month's name for the month.",
                    "它看着正在写的内容：写年份时看年份，写月份时看月份名。",
                ),
                _looks_there,
            ),
        ),
        deviations=(
            Text(
                "The text names machine translation and has no experiment with it. Here: dates of 1900 to 2099, in "
                f"eight English forms and a Chinese one; {8 * EACH_EPOCH:,} in training, each made once. A date is "
                "held out in all its forms, by a hash.",
                f"书中提到机器翻译，但没有实验。这里用 1900 至 2099 年的日期，八种英文写法和一种中文写法；训练用 "
                f"{8 * EACH_EPOCH:,} 个，每个只生成一次。日期连同它的所有写法按哈希值留出。",
            ),
            Text(
                "The attention is that of Bahdanau, Cho and Bengio 2015, the GRUs with the reset gate after the "
                "product. Without attention the last states of the encoder are given to every step (Cho et al. 2014).",
                "注意力来自 Bahdanau、Cho 与 Bengio 2015，GRU 的重置门放在乘积之后。没有注意力时，每一步都得到编码器"
                "的最后状态（Cho 等 2014）。",
            ),
        ),
        drawings=(
            Drawing(
                "alignment",
                Text(
                    "Test dates of the first run: a row for each character that is written, dark where it looks "
                    "before it writes it.",
                    "第一次运行的测试日期：每写一个字符占一行，颜色深处是写之前看的位置。",
                ),
                draw_alignment,
            ),
            Drawing(
                "learning",
                Text("With attention and without, all runs.", "有注意力与没有注意力，全部运行。"),
                _draw_learning,
            ),
        ),
        minutes=1,
    ),
)
