"""Machine translation with attention and without: verses English to Spanish, names English to Chinese."""

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from firsthand import nn
from firsthand.data import Splits, Translations, aligned_verses, alphabet_of
from firsthand.data.names import chinese_names
from firsthand.data.tasks import PARTS, part_of
from firsthand.errors import FirsthandError
from firsthand.experiments.drawing import COLOURS, panels
from firsthand.experiments.experiment import Claim, Drawing, Experiment, Measured, Run, mean_of
from firsthand.experiments.result import Finding, Result, Text
from firsthand.zoo.writing import writing_recipe

from .common import trained
from .dates import NAMES, TRANSLATION, exact

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["EXPERIMENTS", "bleu", "distance", "pairs_in_parts", "words_of"]

BEAMS = 5
LONGEST_NAME, LONGEST_CHINESE = 30, 12
LONGEST_VERSE = 24  # words on both sides, punctuation among them
RARE = 2  # words that occur fewer times are one word, the unknown
UNKNOWN = "<unknown>"
BINS = ((1, 9), (10, 14), (15, 19), (20, 24))  # words of an English verse
SHOWN = 6
Pair = tuple[Sequence[str], Sequence[str]]


class Size(NamedTuple):
    """The size of a network and of its training."""

    features: int
    units: int
    epochs: int
    rate: float


NAME_SIZE, VERSE_SIZE = Size(32, 128, 40, 3e-3), Size(96, 192, 12, 2e-3)


def pairs_in_parts(pairs: Sequence[Pair]) -> dict[str, list[Pair]]:
    """Pairs by the part of the data to which what is given belongs."""
    found: dict[str, list[Pair]] = {part: [] for part in PARTS}
    for pair in pairs:
        found[part_of(" ".join(pair[0]))].append(pair)
    return found


def words_of(verse: str) -> list[str]:
    """The words of a verse in small letters, and its punctuation as words."""
    spaced = "".join(letter if letter.isalnum() or letter in "'’" else f" {letter} " for letter in verse.lower())
    return spaced.split()


def distance(one: Sequence[str], other: Sequence[str]) -> int:
    """The fewest symbols to insert, leave out or change that make one sequence the other (Levenshtein)."""
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, start=1):
        before, row[0] = row[0], i
        for j, b in enumerate(other, start=1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (a != b))
    return row[-1]


def bleu(written: Sequence[str], references: Sequence[str]) -> float:
    """BLEU of sentences with words parted by spaces, by sacrebleu without a tokenizer of its own; 0 to 100.

    Raises:
        FirsthandError: sacrebleu is not installed.
    """
    return float(_sacrebleu().corpus_bleu(list(written), [list(references)], tokenize="none").score)


def _sacrebleu() -> Any:
    try:
        return import_module("sacrebleu")
    except ImportError:
        raise FirsthandError("BLEU needs sacrebleu: pip install 'firsthand[bleu]'") from None


def _network(splits: Splits[Any, Translations], size: Size, attends: bool) -> tuple[nn.Layer, ...]:
    train = splits.train
    writer = nn.EncoderDecoder(
        len(train.symbols), size.features, size.units, attends=attends, source=train.given.shape[1]
    )
    return writer, nn.Dropout(0.25), nn.Softmax(train.writable)


# --- names ---


def _names(run: Run) -> Splits[Any, Translations]:
    pairs = [p for p in chinese_names() if len(p[0]) <= LONGEST_NAME and len(p[1]) <= LONGEST_CHINESE]
    parts = pairs_in_parts(pairs)
    # what is written comes first in the alphabet; a letter that training does not have is not asked for
    given, written = ([letter for pair in parts["training"] for letter in pair[side]] for side in (0, 1))
    symbols, writable = alphabet_of(written, given), len(alphabet_of(written))
    known, some = set(symbols), run.shortened(len(pairs), 40)
    made = (
        Translations.of_pairs(
            [pair for pair in parts[part] if set(pair[0]) | set(pair[1]) <= known][:some],
            LONGEST_NAME,
            LONGEST_CHINESE + 1,
            symbols,
            writable,
        )
        for part in PARTS
    )
    return Splits(*made)


def _measure_names(run: Run) -> Measured:
    splits = _names(run)
    test: Any = splits.test
    numbers: dict[str, float] = {"training_names": len(splits.train), "test_names": len(test)}
    arrays: dict[str, Any] = {}
    for name in NAMES:
        layers = _network(splits, NAME_SIZE, name == "attention")
        recipe = writing_recipe(NAME_SIZE.epochs, rate=NAME_SIZE.rate)
        model = trained(run, layers, recipe, data=splits, name=name, quick_epochs=1).model
        written = [each.symbols for each in model.write(test.given, beams=BEAMS)]
        wrong = [distance(w, r) for w, r in zip(written, test.references, strict=True)]
        numbers[f"wrong_{name}"] = sum(wrong) / sum(map(len, test.references))
        numbers[f"exact_{name}"] = float(np.mean(np.array(wrong) == 0))
        numbers[f"exact_greedy_{name}"] = exact(model, test, 1)
        if name == "attention":
            given = ["".join(test.symbols[n] for n in row if n) for row in test.given[:SHOWN]]
            arrays["examples"] = [
                [a, "".join(w), "".join(r)] for a, w, r in zip(given, written, test.references, strict=False)
            ]
    return Measured(numbers, arrays)


def _names_better(runs: Sequence[Measured]) -> Finding:
    wrong = {name: mean_of(runs, f"wrong_{name}") for name in NAMES}
    right = {name: mean_of(runs, f"exact_{name}") for name in NAMES}
    shown = "; ".join(" → ".join(example[:2]) + f" ({example[2]})" for example in runs[0].arrays["examples"])
    return Finding(
        wrong["attention"] < wrong["plain"],
        Text(
            f"characters wrong in {runs[0].numbers['test_names']:.0f} test names, n = {len(runs)}: with attention "
            f"{wrong['attention']:.1%}, without {wrong['plain']:.1%}; names exactly right {right['attention']:.1%} and "
            f"{right['plain']:.1%}. The first ones: {shown}",
            f"{runs[0].numbers['test_names']:.0f} 个测试名称中的错误字符（n = {len(runs)}）：有注意力 "
            f"{wrong['attention']:.1%}，没有 {wrong['plain']:.1%}；完全正确的名称 {right['attention']:.1%} 与 "
            f"{right['plain']:.1%}。最前面的几个：{shown}",
        ),
    )


# --- verses ---


def _verses(run: Run) -> Splits[Any, Translations]:
    pairs = [(words_of(a), words_of(b)) for a, b in aligned_verses()]
    pairs = [pair for pair in pairs if all(1 <= len(side) <= LONGEST_VERSE for side in pair)]
    parts = pairs_in_parts(pairs)
    known = [_frequent(parts["training"], side) for side in (1, 0)]
    # a word of both languages is one symbol
    symbols = alphabet_of((UNKNOWN,), *known)
    writable = len(alphabet_of((UNKNOWN,), known[0]))
    some = run.shortened(len(pairs), 40)

    def kept(pair: Pair) -> Pair:
        given, written = (
            [word if word in set_of else UNKNOWN for word in side] for side, set_of in zip(pair, sets, strict=True)
        )
        return given, written

    sets = set(known[1]) | set(known[0]), set(known[0])
    made = (
        Translations.of_pairs(
            [kept(pair) for pair in parts[part]][:some], LONGEST_VERSE, LONGEST_VERSE + 1, symbols, writable
        )
        for part in PARTS
    )
    return Splits(*made)


def _frequent(pairs: Sequence[Pair], side: int) -> list[str]:
    """The words of one side that occur often enough."""
    counts: dict[str, int] = {}
    for pair in pairs:
        for word in pair[side]:
            counts[word] = counts.get(word, 0) + 1
    return [word for word, count in counts.items() if count >= RARE]


def _measure_verses(run: Run) -> Measured:
    _sacrebleu()  # before the training, and not after it
    splits = _verses(run)
    test: Any = splits.test
    numbers: dict[str, float] = {"training_verses": len(splits.train), "test_verses": len(test)}
    lengths = np.sum(test.given != 0, axis=1)
    for name in NAMES:
        layers = _network(splits, VERSE_SIZE, name == "attention")
        recipe = writing_recipe(VERSE_SIZE.epochs, rate=VERSE_SIZE.rate)
        model = trained(run, layers, recipe, data=splits, name=name, quick_epochs=1).model
        written = [" ".join(each.symbols) for each in model.write(test.given, beams=BEAMS)]
        references = [" ".join(each) for each in test.references]
        numbers[f"bleu_{name}"] = bleu(written, references)
        for low, high in BINS:
            chosen = np.flatnonzero((lengths >= low) & (lengths <= high))
            if len(chosen):
                numbers[f"bleu_{name}_{high}"] = bleu([written[i] for i in chosen], [references[i] for i in chosen])
    return Measured(numbers)


def _falls(runs: Sequence[Measured]) -> Finding:
    short, long = BINS[0][1], BINS[-1][1]
    at = {name: [mean_of(runs, f"bleu_{name}_{high}") for high in (short, long)] for name in NAMES}
    kept = {name: found[1] / max(found[0], 1e-9) for name, found in at.items()}
    return Finding(
        kept["plain"] < 1 and kept["attention"] > kept["plain"],
        Text(
            f"BLEU of verses of up to {short} words and of {BINS[-1][0]} to {long}, n = {len(runs)}: without "
            f"attention {at['plain'][0]:.1f} and {at['plain'][1]:.1f}, with it {at['attention'][0]:.1f} and "
            f"{at['attention'][1]:.1f}; of all {mean_of(runs, 'bleu_plain'):.1f} and "
            f"{mean_of(runs, 'bleu_attention'):.1f}",
            f"至多 {short} 个词与 {BINS[-1][0]} 至 {long} 个词的经文的 BLEU（n = {len(runs)}）：没有注意力 "
            f"{at['plain'][0]:.1f} 与 {at['plain'][1]:.1f}，有注意力 {at['attention'][0]:.1f} 与 "
            f"{at['attention'][1]:.1f}；全部经文 {mean_of(runs, 'bleu_plain'):.1f} 与 "
            f"{mean_of(runs, 'bleu_attention'):.1f}",
        ),
    )


def _draw_verses(result: Result, needed: Mapping[str, Result]) -> "Figure":
    figure, ((axes,),) = panels(1, 1, width=5)
    for (name, label), colour in zip(NAMES.items(), COLOURS, strict=False):
        for number, run in enumerate(result.runs):
            found = [run["numbers"].get(f"bleu_{name}_{high}", np.nan) for _, high in BINS]
            axes.plot(range(len(BINS)), found, ".-", color=colour, label=None if number else label.en)
    axes.set_xticks(range(len(BINS)), [f"{low}-{high}" for low, high in BINS])
    axes.set(xlabel="words of the English verse", ylabel="BLEU, test verses")
    axes.legend(frameon=False)
    return figure


def _draw_names(result: Result, needed: Mapping[str, Result]) -> "Figure":
    figure, ((axes,),) = panels(1, 1, width=5, height=2.2)
    for number, (name, label) in enumerate(NAMES.items()):
        for run in result.runs:
            axes.plot(run["numbers"][f"wrong_{name}"], number, "o", color=COLOURS[number])
        axes.text(0.01, number + 0.12, label.en, fontsize=9, transform=axes.get_yaxis_transform())
    axes.set(xlabel="share of characters wrong, test names", yticks=[], ylim=(-0.5, 1.6))
    return figure


EXPERIMENTS = (
    Experiment(
        "names-zh",
        Text(
            "Names of countries, provinces and languages, from English to Chinese",
            "国家、地区和语言的名称：英译中",
        ),
        TRANSLATION,
        _measure_names,
        claims=(
            Claim(
                Text(
                    "With attention fewer characters of names that it has not seen are wrong than without.",
                    "对没见过的名称，有注意力时的错误字符少于没有注意力时。",
                ),
                _names_better,
            ),
        ),
        deviations=(
            Text(
                "The names are those of Debian's package iso-codes, English and simplified Chinese, up to 30 letters "
                "and 12 characters; a name is held out by a hash, and test names with a character that no training "
                f"name has are left out. Character by character; {BEAMS} beams.",
                "名称取自 Debian 软件包 iso-codes，英文与简体中文，至多 30 个字母和 12 个汉字；按哈希值留出，含有训练"
                f"名称中没有的字符的测试名称不计。逐字符翻译，束宽 {BEAMS}。",
            ),
        ),
        drawings=(
            Drawing(
                "wrong",
                Text("Characters wrong in test names; a dot for each run.", "测试名称中的错误字符，每次运行一个点。"),
                _draw_names,
            ),
        ),
        minutes=2,
    ),
    Experiment(
        "verses",
        Text(
            "Verses from English to Spanish: translation by length, with attention and without",
            "经文英译西：有无注意力时翻译质量与句长的关系",
        ),
        TRANSLATION,
        _measure_verses,
        claims=(
            Claim(
                Text(
                    "Without attention quality falls with the length of the sentence; with it, it falls less.",
                    "没有注意力时，翻译质量随句子变长而下降；有注意力时下降较少。",
                ),
                _falls,
            ),
        ),
        deviations=(
            Text(
                "In small: the King James Version and Reina-Valera 1909, as Debian packages them (sword-text-kjv, "
                f"sword-text-sparv), the verses of at most {LONGEST_VERSE} words on both sides, held out by a hash of "
                "the English one. Words that occur once are one word, the unknown. BLEU by sacrebleu on these words, "
                f"{BEAMS} beams.",
                "缩小版：英王钦定本与 Reina-Valera 1909，取自 Debian 软件包 sword-text-kjv 和 sword-text-sparv，只用"
                f"两边都不超过 {LONGEST_VERSE} 个词的经文，按英文的哈希值留出。只出现一次的词算作同一个未知词。BLEU 由"
                f" sacrebleu 在这些词上计算，束宽 {BEAMS}。",
            ),
        ),
        drawings=(
            Drawing(
                "length",
                Text("BLEU of test verses by their length, all runs.", "测试经文的 BLEU 与长度，全部运行。"),
                _draw_verses,
            ),
        ),
        minutes=12,
    ),
)
