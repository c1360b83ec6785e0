"""The networks of chapter 1, to which chapters 2 and 3 refer: the quadratic cost and large initial weights."""

import math
import statistics
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from firsthand import nn
from firsthand.data import mnist
from firsthand.experiments.drawing import COLOURS, curves, in_percent, panels
from firsthand.experiments.experiment import Claim, Drawing, Experiment, Measured, Run
from firsthand.experiments.result import Finding, Published, Result, Source, Text
from firsthand.learning import Classification, Recipe

from .common import measured, trained

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["EXPERIMENTS"]


def _quadratic(hidden: int, run: Run) -> Measured:
    """[784, hidden, 10] of sigmoid neurons with the quadratic cost, as chapter 1 trains it."""
    layers = tuple(nn.FullyConnected(units, weights_init=nn.large, bias_init=nn.large) for units in (hidden, 10))
    recipe = Recipe(
        epochs=30,
        batch_size=10,
        learning_rate=3.0,
        objective=Classification(nn.quadratic),
        monitor=("training_cost", "validation_accuracy", "test_accuracy"),
    )
    training = trained(run, layers, recipe)
    found = measured(training)
    test = mnist().test
    right = training.model.predict(test.images) == test.labels
    learned = sum(np.mean(right[test.labels == digit]) >= 0.5 for digit in range(10))
    return found._replace(numbers={**found.numbers, "digits_not_learned": 10 - learned})


def _shown_by_such_runs(published: float, runs: Sequence[Measured]) -> Finding:
    """Check whether the text's single run could be one of ours in which no digit is lost: a prediction interval."""
    highest = [run.numbers["highest_test_accuracy"] for run in runs if not run.numbers["digits_not_learned"]]
    n = len(highest)
    if n < 2:
        return Finding(
            False, Text(f"{n} of {len(runs)} runs learned all digits", f"{len(runs)} 次运行中有 {n} 次学会了全部数字")
        )
    mean, spread = statistics.fmean(highest), statistics.stdev(highest)
    away = abs(published - mean) / (spread * math.sqrt(1 + 1 / n))
    found = f"{mean:.2%} ± {spread:.2%}, {min(highest):.2%} - {max(highest):.2%}"
    return Finding(
        away <= 2,
        Text(
            f"{n} of {len(runs)} runs learned all digits; their highest accuracies: {found}; the text's is {away:.1f} "
            "standard deviations away",
            f"{len(runs)} 次运行中有 {n} 次学会了全部数字；其最高准确度为 {found}；"
            f"书中的值与均值相差 {away:.1f} 个标准差",
        ),
    )


def _draw_accuracy(result: Result, needed: Mapping[str, Result]) -> "Figure":
    figure, ((axes,),) = panels(1, 1, width=6)
    curves(axes, result, "test_accuracy", "-", COLOURS[0], f"{result.n} runs", alpha=0.6, linewidth=1.5)
    if not result.quick:
        axes.axhline(result.published[0].value, color="0.3", linestyle=":", label="the text, its best epoch")
    axes.set(xlabel="epoch", ylabel="test accuracy")
    in_percent(axes)
    axes.legend(frameon=False)
    return figure


_PEAK = Text(
    "The text names the highest test accuracy of all epochs; compared is the one at the epoch of best validation "
    "accuracy, which chooses nothing on test data. The highest stands beside it.",
    "书中给出的是各回合中最高的测试准确度；这里比较的是验证准确度最高的那一回合的测试准确度，不用测试数据做任何选择。"
    "最高值列在旁边。",
)
_STUCK = Text(
    "Not every run learns all ten digits: 'digits not learned' counts those of which less than half of the test images "
    "are right. Their output neurons begin saturated, where the quadratic cost has almost no slope, and leave it late "
    "or never; each costs up to ten points. The text shows a run in which this did not happen.",
    "并非每次运行都能学会十个数字：“没有学会的数字”统计测试图像中不到一半识别正确的数字。它们的输出神经元一开始就饱和，"
    "二次代价函数在那里几乎没有坡度，于是很晚才离开，或始终停在那里；每个最多损失十个百分点。书中展示的是没有发生这种情况的一次运行。",
)


def _quadratic_experiment(hidden: int, published: float, minutes: float) -> Experiment:
    return Experiment(
        id=f"quadratic-{hidden}",
        title=Text(
            f"[784, {hidden}, 10] with the quadratic cost: the first network of the book",
            f"[784, {hidden}, 10]，二次代价函数：书中的第一个网络",
        ),
        source=Source("Nielsen", "chapter 3, 'Using the cross-entropy to classify MNIST digits', of chapter 1"),
        measure=partial(_quadratic, hidden),
        published=(Published("test_accuracy", published, best_of=3, explained_by="highest_test_accuracy"),),
        claims=(
            Claim(
                Text(
                    f"Where all ten digits are learned, it shows {published:.2%} (within two standard deviations).",
                    f"学会全部十个数字时，这个网络达到 {published:.2%}（在两个标准差之内）。",
                ),
                partial(_shown_by_such_runs, published),
            ),
        ),
        deviations=(_PEAK, _STUCK),
        drawings=(
            Drawing(
                "accuracy",
                Text(
                    "Where a curve steps up by about ten points, one more output neuron has left saturation and begins "
                    "to name its digit; one that stays so much lower has a digit that it never learned.",
                    "曲线上升大约十个百分点之处，又有一个输出神经元离开饱和，开始给出它的数字；始终低这么多的，有一个数字没有学会。",
                ),
                _draw_accuracy,
            ),
        ),
        runs=10,  # what a single run shows is chance: see the deviations
        minutes=minutes,
    )


EXPERIMENTS = (_quadratic_experiment(30, 0.9542, 0.3), _quadratic_experiment(100, 0.9659, 0.6))
