"""Chapter 6, recurrent networks: a digit read row by row, the 28 rows of its picture being 28 steps in time."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import optax

from firsthand import nn
from firsthand.data import Dataset, mnist
from firsthand.experiments.drawing import COLOURS, curves, in_percent, panels
from firsthand.experiments.experiment import Claim, Drawing, Experiment, Measured, Run, mean_of
from firsthand.experiments.result import Finding, Result, Source, Text
from firsthand.models import Classifier
from firsthand.zoo import ROWS

from .common import trained

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["EXPERIMENTS", "OTHER_APPROACHES", "cells"]

OTHER_APPROACHES = Source(
    "Nielsen", "chapter 6, 'Other approaches to deep neural nets' (其他的深度学习模型): recurrent networks"
)
NAMES = {
    "tanh": Text("tanh RNN", "tanh RNN"),
    "irnn": Text("ReLU RNN, identity start", "ReLU RNN（单位矩阵初始化）"),
    "gru": Text("GRU", "GRU"),
    "lstm": Text("LSTM", "LSTM"),
}
UNITS = 80
SHARE = 0.985  # the aim: right test images
READ = tuple(range(0, 29, 2))  # rows
SHOWN = 2_000  # test images of which the lower rows are taken away


def cells(units: int, every_step: bool = False) -> dict[str, nn.SimpleRNN | nn.GRU | nn.LSTM]:
    """The four recurrent layers that are compared, by name."""
    return {
        "tanh": nn.SimpleRNN(units, every_step),
        # the start of Le, Jaitly and Hinton 2015: the state is kept, and small weights from the input
        "irnn": nn.SimpleRNN(units, every_step, recurrent_init=nn.identity, activation="relu"),
        "gru": nn.GRU(units, every_step),
        "lstm": nn.LSTM(units, every_step),
    }


# the cells without gates are trained at smaller rates than Adam's 0.002
RATES = {"tanh": 1e-3, "irnn": 5e-4}
STEPS = 10_000  # of all epochs of the recipe together


def _measure(run: Run) -> Measured:
    numbers, arrays = {}, {}
    test = mnist().test[: run.shortened(SHOWN, 100)]
    for name, cell in cells(UNITS).items():
        recipe = ROWS.recipe
        if name in RATES:
            recipe = recipe.changed(optimizer=optax.adam(optax.cosine_decay_schedule(RATES[name], STEPS)))
        training = trained(run, (nn.Rows(), cell, nn.Softmax(10)), recipe, name=name, quick_epochs=1)
        for part, value in training.model.provenance["accuracies"].items():
            numbers[f"{part}_accuracy_{name}"] = value
        arrays[f"validation_{name}"] = [round(value, 5) for value in training.history["validation_accuracy"]]
        arrays[f"read_{name}"] = [round(value, 4) for value in _while_reading(training.model, test)]
    return Measured(numbers, arrays)


def _while_reading(model: Classifier, images: Dataset) -> list[float]:
    """The accuracies if only some rows are read, from the top, and blank ones follow."""
    found = []
    for rows in READ:
        shown = np.array(images.images)
        shown[:, rows:] = 0
        found.append(float(np.mean(model.predict(shown) == images.labels)))
    return found


def _reads(runs: Sequence[Measured]) -> Finding:
    means = {name: mean_of(runs, f"test_accuracy_{name}") for name in NAMES}
    best = max(means, key=lambda name: mean_of(runs, f"validation_accuracy_{name}"))
    return Finding(
        means[best] >= SHARE,
        Text(
            f"on the test images: {', '.join(f'{NAMES[name].en} {mean:.2%}' for name, mean in means.items())}; the "
            f"best on validation images is the {NAMES[best].en}",
            f"测试图像上：{'，'.join(f'{NAMES[name].zh} {mean:.2%}' for name, mean in means.items())}；验证图像上最好"
            f"的是 {NAMES[best].zh}",
        ),
    )


def _gates_help(runs: Sequence[Measured]) -> Finding:
    each = {name: [run.numbers[f"test_accuracy_{name}"] for run in runs] for name in NAMES}
    gated, plain = min(each["gru"] + each["lstm"]), max(each["tanh"])
    return Finding(
        gated > plain,
        Text(
            f"the worst run with gates has {gated:.2%}, the best of the tanh RNN {plain:.2%}",
            f"带门的网络中最差的一次为 {gated:.2%}，tanh RNN 最好的一次为 {plain:.2%}",
        ),
    )


def _draw(result: Result, needed: Mapping[str, Result]) -> "Figure":
    figure, ((learning, reading),) = panels(1, 2, width=4.4)
    for (name, label), colour in zip(NAMES.items(), COLOURS, strict=False):
        curves(learning, result, f"validation_{name}", ".-", colour, label.en)
        for number, run in enumerate(result.runs):
            read = run["arrays"][f"read_{name}"]
            reading.plot(READ, read, color=colour, linewidth=1.2, label=None if number else label.en)
    learning.set(xlabel="epoch", ylabel="validation accuracy")
    learning.xaxis.get_major_locator().set_params(integer=True)
    learning.axhline(SHARE, color="0.4", linestyle=":")
    reading.set(xlabel="rows read, then blank ones", ylabel="test accuracy")
    for axes in (learning, reading):
        in_percent(axes)
    learning.legend(frameon=False, fontsize=9)
    return figure


EXPERIMENTS = (
    Experiment(
        "rows-mnist",
        Text("Digits read row by row: 28 rows as 28 steps in time", "逐行读数字：把 28 行当作 28 个时间步"),
        OTHER_APPROACHES,
        _measure,
        claims=(
            Claim(
                Text(
                    f"A network that reads a digit row by row and remembers names {SHARE:.1%} of them (the best of "
                    "four kinds on validation images).",
                    f"逐行读取并记忆的网络能认出 {SHARE:.1%} 的数字（四种网络中验证集上最好的一种）。",
                ),
                _reads,
            ),
            Claim(
                Text(
                    "LSTMs (and GRUs) make it much easier to get good results when training RNNs: every run with "
                    "gates is better than any of the tanh RNN.",
                    "LSTM（以及 GRU）让 RNN 更容易训练出好结果：带门的每一次运行都好于 tanh RNN 的任何一次。",
                ),
                _gates_help,
            ),
        ),
        deviations=(
            Text(
                f"The text describes recurrent networks and has no experiment with one. All four have {UNITS} units "
                f"and are trained by Adam for {ROWS.recipe.epochs} epochs, at a rate that falls from 0.002 (tanh RNN "
                "0.001, ReLU RNN 0.0005) along half a cosine.",
                f"书中只描述了循环网络，没有相应的实验。四种网络都有 {UNITS} 个单元，用 Adam 训练 "
                f"{ROWS.recipe.epochs} 个回合，学习率从 0.002（tanh RNN 为 0.001，ReLU RNN 为 0.0005）沿半个余弦下"
                "降。",
            ),
        ),
        drawings=(
            Drawing(
                "rows",
                Text(
                    "Left: the dotted line is the aim. Right: how soon a digit is known while it is read from the "
                    f"top; of the rest the network sees blank rows ({SHOWN:,} test images).",
                    f"左：虚线是目标。右：从上往下读时多早能认出数字，其余各行以空白代替（{SHOWN:,} 幅测试图像）。",
                ),
                _draw,
            ),
        ),
        minutes=1.6,
    ),
)
