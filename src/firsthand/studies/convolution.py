"""Chapter 6, convolutional networks, on MNIST as it is: from a shallow network to rectified linear units."""

from collections.abc import Callable, Mapping, Sequence
from statistics import fmean
from typing import TYPE_CHECKING

import numpy as np
from jax import Array

from firsthand import nn
from firsthand.experiments.drawing import COLOURS, curves, in_percent, panels
from firsthand.experiments.experiment import Comparison, Drawing, Experiment, Measured, Run, mean_of
from firsthand.experiments.result import Finding, Published, Result, Source, Text
from firsthand.learning import Recipe

from . import feature_maps
from .common import accuracy, trained

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = [
    "BATCH_SIZE",
    "EXPERIMENTS",
    "PENALTY",
    "PRACTICE",
    "PROTOCOL",
    "START",
    "better_than",
    "conv_network",
]

PRACTICE = Source("Nielsen", "chapter 6, 'Convolutional neural networks in practice'")
EPOCHS, BATCH_SIZE = 60, 10
QUICK_EXAMPLES = 30_000  # sigmoid units stand still for thousands of steps before they learn
PROTOCOL = 3  # the text reports the best of three runs by validation accuracy
BATCHES = 5_000  # in an epoch: network3 divides lambda by it

START = Text(
    "Weights start as N(0, 1/n_in), those of rectified linear units as N(0, 2/n_in) (He et al. 2015), and biases at 0; "
    "the text's network3 has N(0, 1/n_out), which its author calls a mistake for n_in, and biases N(0, 1). The data "
    "are shuffled in every epoch; network3 keeps their order.",
    "权重初始为 N(0, 1/n_in)，修正线性单元为 N(0, 2/n_in)（He 等，2015），偏差为 0；原文的 network3 用 N(0, 1/n_out)"
    "（作者说那是笔误，本意是 n_in），偏差为 N(0, 1)。数据每个回合重新打乱；network3 保持原来的顺序。",
)
START_MEASURED = Text(
    f"{START.en} The same network with network3's start and order is measured beside it (network3_test_accuracy).",
    f"{START.zh}按 network3 的初始化和顺序训练的同一网络也一并测量（network3_test_accuracy）。",
)
PENALTY = Text(
    "λ = 0.1 is divided by the number of mini-batches, as network3 does, not by the number of examples as in "
    "equation (87). (The text says 0.01, its listing 0.1.)",
    "λ = 0.1 除以小批量的个数（network3 的做法），而不是像公式 (87) 那样除以样本数。"
    "（原文正文写 0.01，程序中为 0.1。）",
)


def conv_network(
    filters: Sequence[int],
    units: Sequence[int],
    activation: Callable[[Array], Array],
    *,
    weights_init: nn.Initializer | None = None,
    bias_init: nn.Initializer = nn.zeros,
) -> tuple[nn.Layer, ...]:
    """ConvPool layers (5x5 kernels, 2x2 max-pooling), fully connected layers, and softmax, which starts at zero.

    Args:
        filters: of each ConvPool layer.
        units: of each fully connected layer.
        activation: of all of these.
        weights_init, bias_init: of all of these; weights start as `he` has it for relu, otherwise as `scaled` does.
    """
    start = weights_init or (nn.he if activation is nn.relu else nn.scaled)
    return (
        *(nn.ConvPool(n, activation=activation, weights_init=start, bias_init=bias_init) for n in filters),
        *(nn.FullyConnected(n, activation, weights_init=start, bias_init=bias_init) for n in units),
        nn.Softmax(10, weights_init=nn.zeros),
    )


# --- one network after the other ----------------------------------------------------------------------------------


def _practice(
    name: str,
    title: Text,
    shape: tuple[Sequence[int], Sequence[int], Callable[[Array], Array]],
    published: float | None,
    *,
    learning_rate: float = 0.1,
    penalty: float = 0.0,
    deviations: tuple[Text, ...] = (START_MEASURED,),
    needs: tuple[str, ...] = (),
    claims: tuple[Comparison, ...] = (),
    minutes: float,
) -> Experiment:
    """One network of the section, with our start and, beside it, with network3's start and order of the data."""
    recipe = Recipe(EPOCHS, BATCH_SIZE, learning_rate, l2=penalty / BATCHES)
    as_printed = Recipe(EPOCHS, BATCH_SIZE, learning_rate, l2=penalty / BATCHES, shuffle=False)

    def measure(run: Run) -> Measured:
        found = accuracy(run, conv_network(*shape), recipe, quick_examples=QUICK_EXAMPLES)
        start = {"weights_init": nn.network3, "bias_init": nn.large}
        other = trained(
            run, conv_network(*shape, **start), as_printed, name="network3", quick_examples=QUICK_EXAMPLES
        ).model
        numbers = {f"network3_{part}_accuracy": value for part, value in other.provenance["accuracies"].items()}
        return Measured({**found.numbers, **numbers}, found.arrays)

    return Experiment(
        name,
        title,
        PRACTICE,
        measure,
        published=(Published("test_accuracy", published, best_of=PROTOCOL, explained_by="network3_test_accuracy"),)
        if published
        else (),
        claims=claims,
        deviations=deviations,
        needs=needs,
        minutes=2 * minutes,
    )


def _error_falls_by_a_third(runs: Sequence[Measured], needed: Mapping[str, Result]) -> Finding:
    before, after = 1 - needed["shallow"].mean("test_accuracy"), 1 - mean_of(runs, "test_accuracy")
    return Finding(
        after < before * 2 / 3,
        Text(
            f"from {before:.2%} to {after:.2%}, by {1 - after / before:.0%}",
            f"从 {before:.2%} 降到 {after:.2%}，减少了 {1 - after / before:.0%}",
        ),
    )


def better_than(other: str, by: float):
    """A check that the mean exceeds another experiment's by more than `by`; the Finding gives both."""

    def check(runs: Sequence[Measured], needed: Mapping[str, Result]) -> Finding:
        before, after = needed[other].mean("test_accuracy"), mean_of(runs, "test_accuracy")
        points = (after - before) * 100
        return Finding(
            after - before > by,
            Text(
                f"{after:.2%} against {before:.2%} of {other}: {points:+.2f} points",
                f"{after:.2%}，{other} 为 {before:.2%}：相差 {points:+.2f} 个百分点",
            ),
        )

    return check


def _connected_layer_helps(runs: Sequence[Measured], needed: Mapping[str, Result]) -> Finding:
    without, with_it = mean_of(runs, "test_accuracy"), needed["conv-1"].mean("test_accuracy")
    points = (with_it - without) * 100
    return Finding(
        with_it - without > 0.001,
        Text(
            f"{with_it:.2%} with it, {without:.2%} without: {points:+.2f} points",
            f"有全连接层时 {with_it:.2%}，没有时 {without:.2%}：相差 {points:+.2f} 个百分点",
        ),
    )


# --- tanh against sigmoid -----------------------------------------------------------------------------------------

FIRST = 10  # epochs in which one learns faster than the other, or does not


def _measure_tanh(run: Run) -> Measured:
    recipe = Recipe(EPOCHS, BATCH_SIZE, 0.1)
    found = accuracy(
        run,
        conv_network((20, 40), (100,), nn.tanh),
        recipe,
        curves=("test_accuracy",),
        quick_examples=QUICK_EXAMPLES,
    )
    validation, test = found.arrays["validation_accuracy"], found.arrays["test_accuracy"]
    best_of_20 = max(range(min(20, len(validation))), key=lambda epoch: (validation[epoch], epoch))
    numbers = {
        "test_accuracy_20_epochs": test[best_of_20],
        "first_epoch": validation[0],
        "first_epochs": fmean(validation[:FIRST]),
    }
    return Measured({**found.numbers, **numbers}, {"validation_accuracy": validation})


def _tanh_is_faster(runs: Sequence[Measured], needed: Mapping[str, Result]) -> Finding:
    curves_of_sigmoid = [each["arrays"]["validation_accuracy"] for each in needed["conv-2"].runs]
    tanh, sigmoid = mean_of(runs, "first_epochs"), fmean(fmean(curve[:FIRST]) for curve in curves_of_sigmoid)
    first, sigmoid_first = mean_of(runs, "first_epoch"), fmean(curve[0] for curve in curves_of_sigmoid)
    return Finding(
        tanh > sigmoid,
        Text(
            f"validation accuracy after one epoch {first:.2%} against {sigmoid_first:.2%}, on average over the first "
            f"{FIRST} epochs {tanh:.2%} against {sigmoid:.2%}",
            f"一个回合后的验证准确度为 {first:.2%}，sigmoid 为 {sigmoid_first:.2%}；"
            f"前 {FIRST} 个回合平均为 {tanh:.2%}，sigmoid 为 {sigmoid:.2%}",
        ),
    )


def _tanh_ends_alike(runs: Sequence[Measured], needed: Mapping[str, Result]) -> Finding:
    tanh, sigmoid, early = (
        mean_of(runs, "test_accuracy"),
        needed["conv-2"].mean("test_accuracy"),
        mean_of(runs, "test_accuracy_20_epochs"),
    )
    epochs = len(runs[0].arrays["validation_accuracy"])
    return Finding(
        abs(tanh - sigmoid) <= 0.0025,
        Text(
            f"test accuracy {tanh:.2%} after {epochs} epochs ({early:.2%} after 20), with sigmoid {sigmoid:.2%}",
            f"{epochs} 个回合后测试准确度 {tanh:.2%}（20 个回合时 {early:.2%}），sigmoid 为 {sigmoid:.2%}",
        ),
    )


def _draw_tanh(result: Result, needed: Mapping[str, Result]) -> "Figure":
    figure, grid = panels(1, 2, width=4.6, height=3.4)
    everything = []
    for axes in grid[0]:
        for (name, each), colour, line in zip(
            (("tanh", result), ("sigmoid", needed["conv-2"])), COLOURS[1::-1], ("-", "--"), strict=True
        ):
            curves(axes, each, "validation_accuracy", line, colour, name, alpha=0.8)
            for run in each.runs:
                everything.extend(run["arrays"]["validation_accuracy"])
        axes.set_xlabel("epoch")
    in_percent(grid[0, 0])
    in_percent(grid[0, 1])
    # the right half is the upper end of the left one, enlarged
    grid[0, 1].set_ylim(np.quantile(everything, 0.08), max(everything) + 0.0005)
    grid[0, 0].set_ylabel("validation accuracy")
    grid[0, 0].legend(frameon=False, loc="lower right")
    return figure


# --- the experiments ----------------------------------------------------------------------------------------------

TANH = Experiment(
    "conv-2-tanh",
    Text("Two ConvPool layers: tanh against sigmoid", "两个卷积池化层：tanh 与 sigmoid 的比较"),
    Source("Nielsen", "chapter 6, 'Convolutional neural networks in practice', problem 'Using the tanh activation'"),
    _measure_tanh,
    claims=(
        Comparison(
            Text("The tanh network learns a little faster.", "tanh 网络学习得稍快一些。"),
            _tanh_is_faster,
        ),
        Comparison(
            Text(
                "The final accuracies are very similar (within 0.25 points).",
                "最终的精度非常相似（相差 0.25 个百分点以内）。",
            ),
            _tanh_ends_alike,
        ),
    ),
    deviations=(START,),
    drawings=(
        Drawing(
            "validation",
            Text(
                "Validation accuracy epoch by epoch, on the right enlarged: tanh is ahead at first; then look whether "
                "it stays so.",
                "逐回合的验证准确度，右图放大：tanh 开始时领先；再看它是否一直领先。",
            ),
            _draw_tanh,
        ),
    ),
    needs=("conv-2",),
    minutes=3,
)

EXPERIMENTS = (
    *feature_maps.EXPERIMENTS,
    _practice(
        "shallow",
        Text("One hidden layer of 100 sigmoid units, softmax", "一个 100 个 sigmoid 神经元的隐藏层加 softmax"),
        ((), (100,), nn.sigmoid),
        0.9780,
        minutes=0.5,
    ),
    _practice(
        "conv-1",
        Text(
            "One ConvPool layer of 20 filters, 100 sigmoid units",
            "一个 20 个特征图的卷积池化层，加 100 个 sigmoid 神经元",
        ),
        ((20,), (100,), nn.sigmoid),
        0.9878,
        needs=("shallow",),
        claims=(
            Comparison(
                Text(
                    "The ConvPool layer reduces the error rate by better than a third.",
                    "卷积池化层使错误率降低三分之一以上。",
                ),
                _error_falls_by_a_third,
            ),
        ),
        minutes=2,
    ),
    _practice(
        "conv-1-no-fc",
        Text("One ConvPool layer, no fully connected layer (exercise)", "一个卷积池化层，去掉全连接层（练习）"),
        ((20,), (), nn.sigmoid),
        None,
        needs=("conv-1",),
        claims=(
            Comparison(
                Text(
                    "The fully connected layer helps (the exercise asks; by more than 0.1 points).",
                    "全连接层有帮助（练习所问；超过 0.1 个百分点）。",
                ),
                _connected_layer_helps,
            ),
        ),
        minutes=1.5,
    ),
    _practice(
        "conv-2",
        Text("Two ConvPool layers, sigmoid", "两个卷积池化层，sigmoid"),
        ((20, 40), (100,), nn.sigmoid),
        0.9906,
        needs=("conv-1",),
        claims=(
            Comparison(
                Text(
                    "A second ConvPool layer improves it again (by more than 0.1 points).",
                    "第二个卷积池化层又带来改进（超过 0.1 个百分点）。",
                ),
                better_than("conv-1", 0.001),
            ),
        ),
        minutes=3,
    ),
    TANH,
    _practice(
        "conv-2-relu",
        Text("Two ConvPool layers, rectified linear units, L2", "两个卷积池化层，修正线性单元，L2 规范化"),
        ((20, 40), (100,), nn.relu),
        0.9923,
        learning_rate=0.03,
        penalty=0.1,
        deviations=(START_MEASURED, PENALTY),
        needs=("conv-2",),
        claims=(
            Comparison(
                Text(
                    "Rectified linear units outperform sigmoid units.",
                    "修正线性单元优于 sigmoid 神经元。",
                ),
                better_than("conv-2", 0.0),
            ),
        ),
        minutes=3,
    ),
)
