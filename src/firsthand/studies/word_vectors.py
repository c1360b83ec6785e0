"""The review, distributed representations: words as vectors, learned from the words that stand near them."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import optax
from jax import Array

from firsthand import nn
from firsthand.data import Splits, WordPairs, WordText, bible, word_pairs
from firsthand.experiments.drawing import COLOURS, panels
from firsthand.experiments.experiment import Claim, Drawing, Experiment, Measured, Run, mean_of
from firsthand.experiments.result import Finding, Result, Source, Text
from firsthand.learning import Made, Recipe, SkipGram
from firsthand.models import WordVectors

from .common import seed_of, trained

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["ANALOGIES", "EXPERIMENTS"]

WORDS = Source("LeCun, Bengio and Hinton", "Distributed representations and language processing (分布式表示与语言处理)")

# Fixed before any vector was trained: what is to the third word as the second is to the first.
ANALOGIES = (
    ("man", "woman", "king", "queen"),
    ("father", "mother", "son", "daughter"),
    ("go", "went", "come", "came"),
    ("father", "mother", "brother", "sister"),
    ("he", "she", "him", "her"),
    ("see", "saw", "hear", "heard"),
    ("day", "days", "year", "years"),
    ("hand", "hands", "eye", "eyes"),
)
WANTED = 5  # of them in first place
# what the map shows, and the groups that are to lie together
GROUPS = {
    "family": ("father", "mother", "son", "daughter", "brother", "sister", "wife", "husband"),
    "numbers": ("two", "three", "four", "five", "seven", "ten", "twenty", "hundred"),
    "animals": ("ox", "sheep", "goat", "lion", "horse", "ass", "lamb", "serpent"),
    "kings": ("david", "saul", "solomon", "hezekiah", "ahab", "jeroboam"),
    "food": ("bread", "wine", "oil", "meat", "milk", "honey", "water"),
    "body": ("hand", "eye", "foot", "ear", "mouth", "heart", "head"),
}
AT_LEAST = 20  # times that a word comes
FEATURES = 64
PAIRS = 2_000_000  # of an epoch
RECIPE = Recipe(
    epochs=9,
    batch_size=4_000,
    optimizer=optax.adam(optax.cosine_decay_schedule(5e-3, 9 * PAIRS // 4_000)),
    objective=SkipGram(),
    monitor=("validation_cost", "validation_near"),
    keep_best=False,
    frozen=("2.bias",),  # the equation has none
)


def _small(shape: tuple[int, ...], fan_in: int, fan_out: float, dtype: Any, *, key: Array) -> Array:
    """N(0, 1/(2 features)^2), as small as the vectors of word2vec begin."""
    return nn.large(shape, fan_in, fan_out, dtype, key=key) / (2 * shape[-1])


@lru_cache(maxsize=1)
def _text() -> WordText:
    return WordText.of(bible(), AT_LEAST)


def _measure(run: Run) -> Measured:
    text = _text()
    count = len(text.words)
    layers = (
        nn.Embedding(count, FEATURES, weights_init=_small),
        nn.Flatten(),
        nn.FullyConnected(count, nn.linear, weights_init=nn.zeros),
    )
    pairs = run.shortened(PAIRS, 8_000)

    def made(key: Array) -> WordPairs:
        return word_pairs(text, pairs, seed=seed_of(key))

    # the same text: how far the cost has come, not how well it would do elsewhere
    validation = word_pairs(text, min(pairs, 20_000), seed=0)
    training = trained(run, layers, RECIPE, data=Splits(Made(made), validation, None), quick_epochs=1)
    vectors = training.model
    answers = [vectors.analogy(*analogy[:3]) for analogy in ANALOGIES]
    places = [
        next((place for place, (word, _) in enumerate(answer, 1) if word == wanted[-1]), 0)
        for answer, wanted in zip(answers, ANALOGIES, strict=True)
    ]
    numbers = {
        "first": float(places.count(1)),
        "among_ten": float(sum(place > 0 for place in places)),
        "near": training.history["validation_near"][-1],
        "words": float(count),
        "likeness_within": _likeness(vectors, same=True),
        "likeness_between": _likeness(vectors, same=False),
    }
    arrays = {
        "answers": [[word for word, _ in answer[:3]] for answer in answers],
        "places": places,
        "map": _map(vectors),
    }
    return Measured(numbers, arrays)


def _likeness(vectors: WordVectors, same: bool) -> float:
    """The mean cosine of two words of a group, or of two groups."""
    rows = [(group, vectors.vector(word)) for group, words in GROUPS.items() for word in words]
    pairs = [(a, b) for number, a in enumerate(rows) for b in rows[:number]]
    return float(np.mean([a @ b for (one, a), (other, b) in pairs if (one == other) is same]))


def _map(vectors: WordVectors) -> dict[str, list[float]]:
    """The words of the groups on their two principal components."""
    words = [word for group in GROUPS.values() for word in group]
    found = np.stack([vectors.vector(word) for word in words])
    centred = found - found.mean(axis=0)
    axes = np.linalg.svd(centred, full_matrices=False)[2][:2]
    return {word: [round(float(x), 3) for x in place] for word, place in zip(words, centred @ axes.T, strict=True)}


def _analogies(runs: Sequence[Measured]) -> Finding:
    right = [int(run.numbers["first"]) for run in runs]
    solved = {
        ":".join(analogy): sum(run.arrays["places"][number] == 1 for run in runs)
        for number, analogy in enumerate(ANALOGIES)
    }
    listed = "; ".join(f"{name} {count}/{len(runs)}" for name, count in solved.items())
    return Finding(
        float(np.mean(right)) >= WANTED,
        Text(
            f"in first place: {', '.join(map(str, right))} of {len(ANALOGIES)}; among the first ten "
            f"{mean_of(runs, 'among_ten'):.1f}; of {int(mean_of(runs, 'words')):,} words ({listed})",
            f"排在第一位：{len(ANALOGIES)} 个中有 {'、'.join(map(str, right))} 个；进入前十的有 "
            f"{mean_of(runs, 'among_ten'):.1f} 个；共 {int(mean_of(runs, 'words')):,} 个词（{listed}）",
        ),
    )


def _alike_is_near(runs: Sequence[Measured]) -> Finding:
    within, between = mean_of(runs, "likeness_within"), mean_of(runs, "likeness_between")
    return Finding(
        all(run.numbers["likeness_within"] > 2 * max(run.numbers["likeness_between"], 0.05) for run in runs),
        Text(
            f"the mean cosine of two words of one group is {within:.2f}, of different groups {between:.2f}",
            f"同组两词余弦的平均值为 {within:.2f}，不同组为 {between:.2f}",
        ),
    )


def _draw(result: Result, needed: Mapping[str, Result]) -> "Figure":
    figure, grid = panels(1, 1, width=7.4, height=5.6)
    axes = grid[0, 0]
    places = result.runs[0]["arrays"]["map"]
    for (group, words), colour in zip(GROUPS.items(), COLOURS, strict=True):
        x, y = np.array([places[word] for word in words]).T
        axes.plot(x, y, "o", color=colour, markersize=3, label=group)
        for word, at in zip(words, zip(x, y, strict=True), strict=True):
            axes.annotate(word, at, xytext=(3, 2), textcoords="offset points", fontsize=8, color=colour)
    axes.margins(x=0.1)
    axes.set(xlabel="first principal component", ylabel="second principal component")
    axes.legend(frameon=False, fontsize=9)
    return figure


EXPERIMENTS = (
    Experiment(
        "word-vectors",
        Text("Words as vectors, learned from a Bible: analogies and a map", "词向量：从《圣经》文本学习，类比与地图"),
        WORDS,
        _measure,
        claims=(
            Claim(
                Text(
                    "Relations between words are directions: of eight analogies that were fixed beforehand, such as "
                    f"man:woman = king:queen, at least {WANTED} have the right word in first place.",
                    f"词与词的关系是方向：事先选定的八个类比（如 man:woman = king:queen）中，至少 {WANTED} 个的正确答"
                    "案排在第一位。",
                ),
                _analogies,
            ),
            Claim(
                Text(
                    "Words of similar meaning have similar vectors: two words of a group are more than twice as "
                    "alike, by the cosine, as two of different groups.",
                    "意义相近的词有相近的向量：按余弦计，同组的两个词比不同组的两个词相似一倍以上。",
                ),
                _alike_is_near,
            ),
        ),
        deviations=(
            Text(
                "In small: the review speaks of large corpora; here the text is the King James Bible of Debian's "
                f"package sword-text-kjv, 780,000 words, of which those that come {AT_LEAST} times are in the "
                f"vocabulary. Skip-gram with five words of noise (Mikolov et al. 2013), {FEATURES} features, 18 "
                "million pairs.",
                "缩小版：综述所说的是大型语料；这里的文本是 Debian 软件包 sword-text-kjv 中的钦定版《圣经》，78 万"
                f"词，其中出现 {AT_LEAST} 次以上的进入词表。方法为带五个噪声词的 skip-gram（Mikolov 等 2013），"
                f"{FEATURES} 维，1800 万个词对。",
            ),
            Text(
                "A first trial, with all words that come five times, had 3 of the eight; the rare words, which stood "
                "in the way, were left out after it. Features, passes and the treatment of frequent words were then "
                "compared with twelve other analogies.",
                "第一次尝试以出现五次以上的全部词为词表，八个中只对 3 个；此后才去掉碍事的罕见词。维数、遍数和高频词"
                "的处理随后用另外十二个类比比较选定。",
            ),
        ),
        drawings=(
            Drawing(
                "map",
                Text(
                    "The vectors of 44 words on the plane in which they differ most (principal components). The "
                    "groups are ours; the network was told none of them.",
                    "44 个词的向量投影到差别最大的平面（主成分）。分组是我们标的，网络并不知道。",
                ),
                _draw,
            ),
        ),
        minutes=1.5,
    ),
)
