"""Pictures described by sentences: scenes of a few digits, and where the network looks before each word."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from firsthand import nn
from firsthand.data import Translations
from firsthand.data.scenes import SCENE_SIDE
from firsthand.experiments.drawing import in_percent, panels
from firsthand.experiments.experiment import Claim, Drawing, Experiment, Measured, Run, mean_of
from firsthand.experiments.result import Finding, Result, Source, Text
from firsthand.models import Translator
from firsthand.zoo.writing import CAPTIONS, caption_splits

from .common import short, trained
from .dates import exact

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["CAPTIONING", "EXPERIMENTS"]

CAPTIONING = Source(
    "Nielsen", "chapter 6, 'The future of neural networks' (神经网络的未来): services that annotate photos"
)
EACH_EPOCH = 4_000
TESTED = 1_000
BEAMS = 3
ARTICLES = ("a", "an")
PLACES = {("top", "left"): (0, 0), ("top", "right"): (0, 1), ("bottom", "left"): (1, 0), ("bottom", "right"): (1, 1)}


def _measure(run: Run) -> Measured:
    data = caption_splits(run.shortened(EACH_EPOCH, 64), run.shortened(TESTED, 24))
    training = trained(run, CAPTIONS.layers, CAPTIONS.recipe, data=data, quick_epochs=1)
    model, test = training.model, data.test
    assert isinstance(test, Translations)
    numbers = {f"exact_{beams}": exact(model, test, beams) for beams in (1, BEAMS)}
    written = [list(each.symbols) for each in model.write(test.given)]
    for count in (2, 3, 4):
        chosen = [w == r for w, r in zip(written, test.references, strict=True) if _digits(r) == count]
        numbers[f"exact_of_{count}"] = float(np.mean(chosen))
    numbers["on_quarter"] = _on_quarter(model, test)
    validation = [round(value, 4) for value in training.history["validation_whole"]]
    return Measured(numbers, {"validation": validation, **_shown(model, test, written)})


def _digits(words: Sequence[str]) -> int:
    """The digits that a caption names."""
    return sum(word in ARTICLES for word in words)


def _on_quarter(model: Translator, test: Translations) -> float:
    """The weight on the quarter of the digit, at the word that names it; a quarter of a scene has 0.25 by chance."""
    looks, found = _in_rows(model, test), []
    for alpha, words in zip(looks, test.references, strict=True):
        for at in (i for i, word in enumerate(words) if word in ARTICLES):
            row, column = PLACES[words[at + 2], words[at + 3]]
            half = alpha.shape[-1] / 2
            # the row and the column in the middle of an odd number belong to both sides
            rows, columns = (slice(int(np.floor(half * n)), int(np.ceil(half * (n + 1)))) for n in (row, column))
            found.append(float(alpha[at + 1, rows, columns].sum()))
    return float(np.mean(found))


def _in_rows(model: Translator, test: Translations) -> np.ndarray:
    """The weights of attention before each word, (n, time, rows, columns)."""
    captioner = model.network.layers[0]
    assert isinstance(captioner, nn.Captioner)
    looks = model.looks(test.inputs)
    return looks.reshape(*looks.shape[:2], *captioner.places[:2])


def _shown(model: Translator, test: Translations, written: Sequence[list[str]]) -> dict[str, Any]:
    """The picture's data: the first test scene with three digits, its words, and where it looks."""
    chosen = next((i for i, words in enumerate(test.references) if _digits(words) == 3), 0)
    looks = _in_rows(model, test[chosen : chosen + 1])[0]
    return {
        "scene": test.given[chosen].reshape(SCENE_SIDE, SCENE_SIDE).tolist(),
        "written": written[chosen],
        "looks": short(looks[: len(written[chosen])]),
    }


def _says(runs: Sequence[Measured]) -> Finding:
    found = {
        name: mean_of(runs, name) for name in ("exact_1", f"exact_{BEAMS}", "exact_of_2", "exact_of_3", "exact_of_4")
    }
    worst = min(run.numbers["exact_1"] for run in runs)
    return Finding(
        found["exact_1"] >= 0.95,
        Text(
            f"{found['exact_1']:.1%} of {TESTED:,} captions of test scenes right in every word (n = {len(runs)}, the "
            f"worst run {worst:.1%}); with {BEAMS} beams {found[f'exact_{BEAMS}']:.1%}; of 2, 3 and 4 digits "
            f"{found['exact_of_2']:.1%}, {found['exact_of_3']:.1%} and {found['exact_of_4']:.1%}",
            f"{TESTED:,} 个测试场景的说明中 {found['exact_1']:.1%} 每个词都对（n = {len(runs)}，最差的一次 {worst:.1%}"
            f"）；{BEAMS} 束时 {found[f'exact_{BEAMS}']:.1%}；2、3、4 个数字时分别为 {found['exact_of_2']:.1%}、"
            f"{found['exact_of_3']:.1%} 和 {found['exact_of_4']:.1%}",
        ),
    )


def _looks_there(runs: Sequence[Measured]) -> Finding:
    found = mean_of(runs, "on_quarter")
    return Finding(
        found >= 0.75,
        Text(
            f"before it names a digit, {found:.0%} of the weight is on that digit's quarter of the scene (spread "
            "evenly it would be 31 %, the middle row and column belonging to both sides)",
            f"说出一个数字之前，{found:.0%} 的权重落在该数字所在的四分之一场景上（若平均分布则为 31 %，正中的一行一列"
            "算作两边共有）",
        ),
    )


def _draw_looks(result: Result, needed: Mapping[str, Result]) -> "Figure":
    """The scene of the first run, once for each word, orange where it looks before the word."""
    arrays = result.runs[0]["arrays"]
    scene, words = np.array(arrays["scene"]) / 255, arrays["written"]
    figure, grid = panels(2, 8, width=1.5, height=1.75)
    for axes, word, alpha in zip(grid.flat, words, arrays["looks"], strict=False):
        sizes = np.array(scene.shape) // np.shape(alpha)
        light = np.kron(np.array(alpha) / max(np.max(alpha), 1e-9), np.ones(sizes))
        shown = np.stack([0.7 * scene + 0.9 * light, 0.7 * scene + 0.5 * light, 0.7 * scene], -1)
        axes.imshow(np.clip(shown, 0, 1), interpolation="nearest")
        axes.set_title(word, fontsize=11)
    for axes in grid.flat:
        axes.axis("off")
    return figure


def _draw_learning(result: Result, needed: Mapping[str, Result]) -> "Figure":
    figure, ((axes,),) = panels(1, 1, width=5)
    for run in result.runs:
        curve = run["arrays"]["validation"]
        axes.plot(range(1, len(curve) + 1), curve, "-", color="#0072B2", linewidth=1.2)
    axes.axhline(0.95, color="0.4", linestyle=":")
    axes.set(xlabel=f"epoch of {EACH_EPOCH:,} scenes", ylabel="validation captions right")
    in_percent(axes)
    return figure


EXPERIMENTS = (
    Experiment(
        "captions",
        Text(
            "Pictures described: scenes of two to four digits, and where it looks before each word",
            "描述图片：两到四个数字的场景，以及说每个词之前看哪里",
        ),
        CAPTIONING,
        _measure,
        claims=(
            Claim(
                Text(
                    "A network with spatial attention describes at least 95 % of scenes that it has not seen without a "
                    "wrong word.",
                    "带空间注意力的网络描述没见过的场景，至少 95 % 没有一个错词。",
                ),
                _says,
            ),
            Claim(
                Text(
                    "It looks at the digit that it names.",
                    "它看着正在说的数字。",
                ),
                _looks_there,
            ),
        ),
        deviations=(
            Text(
                "In small: the text speaks of photos, of which none with captions can be had offline. Here scenes of "
                "36 by 36 pixels with MNIST digits, one in each quarter at most, and sentences by rule; the digits "
                "of training, validation and test scenes are those of MNIST's parts.",
                "缩小版：书中说的是照片，而离线得不到带说明的照片。这里用 36 × 36 像素的场景，每个四分之一至多一个 "
                "MNIST 数字，句子按规则写成；训练、验证和测试场景的数字分别来自 MNIST 的相应部分。",
            ),
            Text(
                "The attention is the soft one of Xu et al. 2015, over 9 by 9 places of three convolutional layers "
                f"that learn from the captions alone; each place adds a vector of its own. {CAPTIONS.recipe.epochs} "
                f"epochs of {EACH_EPOCH:,} new scenes, Adam with one cycle of its rate.",
                "注意力是 Xu 等 2015 的软注意力，作用于三个卷积层的 9 × 9 个位置；卷积层只从说明中学习，每个位置加上"
                f"自己的向量。{CAPTIONS.recipe.epochs} 个回合，每个回合 {EACH_EPOCH:,} 个新场景；Adam，学习率一个周期"
                "。",
            ),
        ),
        drawings=(
            Drawing(
                "looks",
                Text(
                    "A test scene of the first run, once for each word: orange where it looks before it says the word.",
                    "第一次运行的一个测试场景，每个词一幅：橙色处是说这个词之前看的地方。",
                ),
                _draw_looks,
            ),
            Drawing(
                "learning",
                Text(
                    "Captions of validation scenes that are right in every word; the dotted line is the aim.",
                    "验证场景的说明中每个词都对的比例，虚线为目标。",
                ),
                _draw_learning,
            ),
        ),
        minutes=2,
    ),
)
