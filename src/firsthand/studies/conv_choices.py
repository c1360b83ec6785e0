"""Chapter 6, what is said of convolutional networks in passing: strides, fields, pools, L2, LeNet-5."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import fmean
from typing import TYPE_CHECKING

from firsthand import nn
from firsthand.data import ImageSplits, Splits, mnist
from firsthand.experiments.drawing import COLOURS, in_percent, panels
from firsthand.experiments.experiment import Claim, Comparison, Drawing, Experiment, Measured, Run, mean_of
from firsthand.experiments.result import Finding, Published, Result, Source, Text
from firsthand.learning import Recipe
from firsthand.nn import Network

from .common import accuracy, measured, trained
from .convolution import conv_network

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["EXPERIMENTS", "IN_SMALL", "PRACTICE", "fewer", "listed"]

INTRODUCTION = "chapter 6, 'Introducing convolutional networks'"
PRACTICE = "chapter 6, 'Convolutional neural networks in practice'"
CHOICES = Source("Nielsen", f"{INTRODUCTION}: stride, local receptive field, pooling")
FIGURE = Source("Nielsen", f"{INTRODUCTION}, 'Putting it all together', figure")
SHALLOW = Source("Nielsen", f"{PRACTICE}: the shallow network, regularized")
LENET = Source("Nielsen", f"{INTRODUCTION} and {PRACTICE}: LeNet-5; LeCun, Bottou, Bengio and Haffner 1998")

IMAGES = 10_000
IN_SMALL = Text(
    f"In small: the first {IMAGES:,} training images, and few epochs.",
    f"小规模：只用前 {IMAGES:,} 幅训练图像，回合数也少。",
)


def fewer(run: Run) -> ImageSplits:
    """MNIST with the first training images."""
    data = mnist()
    return Splits(data.train[: run.shortened(IMAGES, 500)], data.validation, data.test)


def _best(runs: Sequence[Measured], names: Sequence[str]) -> str:
    """The choice of the best validation accuracy, mean over the runs."""
    return max(names, key=lambda name: mean_of(runs, f"{name}_validation_accuracy"))


def listed(runs: Sequence[Measured], names: Sequence[str]) -> str:
    """Each choice with its validation accuracy, mean over the runs."""
    return ", ".join(f"{name} {mean_of(runs, f'{name}_validation_accuracy'):.2%}" for name in names)


# --- stride, field, pooling ---------------------------------------------------------------------------------------

FIELDS = {f"field-{size}": (nn.Convolution(10, size, activation=nn.relu), nn.MaxPool(2)) for size in (3, 7)}
STRIDES = {"stride-2": (nn.Convolution(10, 5, stride=2, activation=nn.relu),)}
POOLS = {
    "max": (nn.Convolution(10, 5, activation=nn.relu), nn.MaxPool(2)),
    "L2": (nn.Convolution(10, 5, activation=nn.relu), nn.L2Pool(2)),
    "average": (nn.Convolution(10, 5, activation=nn.relu), nn.AveragePool(2)),
}
BASIS = "max"  # field 5, stride 1, max-pooling: the text's own


def _choices(run: Run) -> Measured:
    recipe = Recipe(epochs=run.shortened(6, 1), batch_size=10, learning_rate=0.03)
    numbers = {}
    for name, first in {**POOLS, **FIELDS, **STRIDES}.items():
        layers = (*first, nn.FullyConnected(50, nn.relu, weights_init=nn.he), nn.Softmax(10))
        found = measured(trained(run, layers, recipe, data=fewer(run), name=name)).numbers
        numbers |= {f"{name}_{part}": found[part] for part in ("validation_accuracy", "test_accuracy")}
    return Measured(numbers)


def _chosen(runs: Sequence[Measured]) -> Finding:
    rows = (("max", *FIELDS), ("max", *STRIDES), tuple(POOLS))
    chosen = [_best(runs, names) for names in rows]
    gain = 100 * max(
        mean_of(runs, f"{name}_test_accuracy") - mean_of(runs, f"{BASIS}_test_accuracy") for name in chosen
    )
    said = "; ".join(listed(runs, names) for names in rows)
    return Finding(
        gain >= -0.2,
        Text(
            f"validation accuracy ('max' is field 5, stride 1, max-pooling): {said}; chosen: {', '.join(chosen)}; on "
            "the "
            f"test data the best of them is {gain:+.2f} points from the text's own choice",
            f"验证准确度（max 即 5x5 的局部接受域、步长 1、最大池化）：{said}；选出 {'、'.join(chosen)}；"
            f"其中最好的在测试数据上与书中的选择相差 {gain:+.2f} 个百分点",
        ),
    )


def _draw_choices(result: Result, needed: Mapping[str, Result]) -> "Figure":
    names = [*POOLS, *FIELDS, *STRIDES]
    labels = ["5×5, max", "5×5, L2", "5×5, average", "3×3, max", "7×7, max", "5×5, stride 2"]
    figure, ((axes,),) = panels(1, 1, width=6, height=3.2)
    for place, name in enumerate(names):
        values = result.values(f"{name}_validation_accuracy")
        axes.plot([place] * len(values), values, "o", color=COLOURS[0 if name in POOLS else 1], mfc="none")
    axes.set(xticks=range(len(names)), ylabel="validation accuracy")
    axes.set_xticklabels(labels, rotation=15)
    in_percent(axes)
    return figure


# --- the network of the figure ------------------------------------------------------------------------------------


def _figure_network(run: Run) -> Measured:
    layers = (
        nn.Convolution(3, 5, activation=nn.sigmoid),
        nn.MaxPool(2),
        nn.Softmax(10),
    )
    network = Network(layers)
    _, convolved, pooled, _ = network.shapes
    recipe = Recipe(epochs=12, batch_size=10, learning_rate=0.3)
    found = accuracy(run, layers, recipe).numbers
    sizes = {"hidden_feature_neurons": float(_size(convolved)), "pooled_neurons": float(_size(pooled))}
    return Measured({**sizes, "parameters": float(network.parameter_count), **found})


def _size(shape: tuple[int, ...]) -> int:
    return shape[0] * shape[1] * shape[2]


def _good_job(runs: Sequence[Measured], needed: Mapping[str, Result]) -> Finding:
    found, shallow = mean_of(runs, "test_accuracy"), needed["shallow"].mean("test_accuracy")
    return Finding(
        found > 0.95,
        Text(
            f"test accuracy {found:.2%} with {mean_of(runs, 'parameters'):,.0f} parameters; the shallow network of the "
            f"next section has 79,510 and {shallow:.2%} (asked for: more than 95 %)",
            f"测试准确度 {found:.2%}，参数 {mean_of(runs, 'parameters'):,.0f} 个；下一节的浅层网络有 79,510 个参数，"
            f"{shallow:.2%}（判定：高于 95 %）",
        ),
    )


# --- the shallow network, regularized -----------------------------------------------------------------------------


def _shallow_l2(run: Run) -> Measured:
    recipe = Recipe(epochs=30, batch_size=10, learning_rate=0.1)
    numbers = {}
    for name, l2 in (("without", 0.0), ("with", 5.0 / 50_000)):
        found = measured(trained(run, conv_network((), (100,), nn.sigmoid), replace(recipe, l2=l2), name=name)).numbers
        numbers |= {f"{name}_{quantity}": value for quantity, value in found.items()}
    return Measured(numbers)


def _small_gain(runs: Sequence[Measured]) -> Finding:
    gains = [100 * (run.numbers["with_test_accuracy"] - run.numbers["without_test_accuracy"]) for run in runs]
    return Finding(
        0 < fmean(gains) < 0.5,
        Text(
            f"with λ = 5 {mean_of(runs, 'with_test_accuracy'):.2%}, without "
            f"{mean_of(runs, 'without_test_accuracy'):.2%}: "
            f"{fmean(gains):+.2f} points, run by run {', '.join(f'{gain:+.2f}' for gain in gains)} (asked for: a gain "
            "below 0.5)",
            f"λ = 5 时 {mean_of(runs, 'with_test_accuracy'):.2%}，不用时 {mean_of(runs, 'without_test_accuracy'):.2%}："
            f"{fmean(gains):+.2f} 个百分点，各次 {'、'.join(f'{gain:+.2f}' for gain in gains)}（判定：有增益且小于 "
            "0.5）",
        ),
    )


# --- LeNet-5 ------------------------------------------------------------------------------------------------------


def _lenet(run: Run) -> Measured:
    layers = (
        nn.Convolution(6, 5, padding=2, activation=nn.tanh),
        nn.AveragePool(2),
        nn.Convolution(16, 5, activation=nn.tanh),
        nn.AveragePool(2),
        nn.FullyConnected(120, nn.tanh),
        nn.FullyConnected(84, nn.tanh),
        nn.Softmax(10),
    )
    network = Network(layers)
    recipe = Recipe(epochs=8, batch_size=10, learning_rate=0.03, monitor=("validation_accuracy",))
    found = accuracy(run, layers, recipe)
    sizes = {"feature_maps": float(network.shapes[1][2]), "parameters": float(network.parameter_count)}
    return Measured({**sizes, **found.numbers}, found.arrays)


def _close_to_ours(runs: Sequence[Measured], needed: Mapping[str, Result]) -> Finding:
    found, ours = mean_of(runs, "test_accuracy"), needed["conv-2"].mean("test_accuracy")
    return Finding(
        abs(found - ours) < 0.005,
        Text(
            f"test accuracy {found:.2%} with {mean_of(runs, 'parameters'):,.0f} parameters; the chapter's network of "
            "two "
            f"convolutional layers {ours:.2%}",
            f"测试准确度 {found:.2%}，参数 {mean_of(runs, 'parameters'):,.0f} 个；本章的两个卷积层的网络为 {ours:.2%}",
        ),
    )


# --- the list -----------------------------------------------------------------------------------------------------

EXPERIMENTS = (
    Experiment(
        "conv-choices",
        Text(
            "Stride, size of the local receptive fields and kind of pooling, chosen by validation",
            "步长、局部接受域大小和池化方式，用验证数据选择",
        ),
        CHOICES,
        _choices,
        claims=(
            Claim(
                Text(
                    "Validation data can pick the stride, the field and the pooling (and do not do worse than the "
                    "text's "
                    "choice by more than 0.2 points).",
                    "可以用验证数据选择步长、局部接受域和池化方式（不比书中的选择差 0.2 个百分点以上）。",
                ),
                _chosen,
            ),
        ),
        deviations=(IN_SMALL,),
        drawings=(
            Drawing(
                "choices",
                Text("A point for each run; blue: the kinds of pooling.", "每次运行一个点；蓝色为不同的池化方式。"),
                _draw_choices,
            ),
        ),
        minutes=0.5,
    ),
    Experiment(
        "figure-network",
        Text("The network of the figure: 28x28, 3x24x24, 3x12x12, 10", "图中的网络：28x28、3x24x24、3x12x12、10"),
        FIGURE,
        _figure_network,
        published=(
            Published("hidden_feature_neurons", 3 * 24 * 24, "value", 0),
            Published("pooled_neurons", 3 * 12 * 12, "value", 0),
        ),
        claims=(
            Comparison(
                Text("Trained as before, it does a good job.", "用同样的方法训练，它能很好地识别数字。"), _good_job
            ),
        ),
        deviations=(
            Text(
                "The text trains other networks; 12 epochs, learning rate 0.3, softmax at the end.",
                "书中训练的是别的网络；这里训练 12 回合，学习率 0.3，最后一层为 softmax。",
            ),
        ),
        needs=("shallow",),
        minutes=0.5,
    ),
    Experiment(
        "shallow-l2",
        Text("The shallow network, regularized", "浅层网络加规范化"),
        SHALLOW,
        _shallow_l2,
        claims=(
            Claim(
                Text("Regularizing improves the accuracy, but only a little.", "规范化能提高准确度，但增益很小。"),
                _small_gain,
            ),
        ),
        deviations=(Text("30 epochs, as in chapter 3, instead of 60.", "训练 30 回合（如第三章），而不是 60 回合。"),),
        minutes=0.5,
    ),
    Experiment(
        "lenet-5",
        Text("LeNet-5, the network that ours are variants of", "LeNet-5：本章的网络是它的变体"),
        LENET,
        _lenet,
        published=(
            Published("feature_maps", 6, "value", 0),
            # LeCun et al. 1998: test error 0.95 % without distorted images
            Published("test_accuracy", 0.9905),
        ),
        claims=(
            Comparison(
                Text(
                    "The chapter's network is a variant of it: both end alike (within half a point).",
                    "本章的网络是它的一个变体：两者结果相近（相差半个百分点以内）。",
                ),
                _close_to_ours,
            ),
        ),
        deviations=(
            Text(
                "As it is usually described: 6 and 16 maps, 120 and 84 units, tanh. The paper's second layer is not "
                "connected to all maps, its pooling has weights of its own, its output layer measures distances, and "
                "it trains on 60,000 images for 20 epochs; here 50,000 images and 8 epochs at the rate 0.03.",
                "按通常的描述：6 和 16 个特征图，120 和 84 个神经元，tanh。论文的第二层只与部分特征图相连，"
                "池化有自己的权重，输出层计算距离，并用 60,000 幅图像训练 20 回合；这里用 50,000 幅图像、8 回合、"
                "学习率 0.03。",
            ),
        ),
        needs=("conv-2",),
        minutes=1.5,
    ),
)
