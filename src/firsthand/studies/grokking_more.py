"""*Grokking Deep Learning*, chapter 10: its figure of four kernels, the dense network before, and stacked layers."""

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import TYPE_CHECKING, Any

import numpy as np

from firsthand import nn
from firsthand.data import mnist
from firsthand.experiments.drawing import panels
from firsthand.experiments.experiment import Claim, Comparison, Drawing, Experiment, Measured, Run, mean_of
from firsthand.experiments.result import Finding, Published, Result, Source, Text
from firsthand.learning import Recipe
from firsthand.reference.grokking import BATCH_SIZE, one_hot, softmax

from .common import measured, trained
from .overfitting import first_thousand

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["EXPERIMENTS", "dense_network"]

BOOK = "Grokking Deep Learning"
FIGURE = Source(BOOK, "chapter 10, 'The convolutional layer' (卷积层), figure of four kernels")
SUMMARY = Source(BOOK, "chapter 10, 'A simple implementation in NumPy', end")

# --- four kernels -------------------------------------------------------------------------------------------------

TWO = """
........
..###...
.#...#..
.....#..
.....#..
....#...
...#....
..#####.
"""
KERNELS = {
    "rising line": ((-1, -1, 1), (-1, 1, -1), (1, -1, -1)),
    "falling line": ((1, -1, -1), (-1, 1, -1), (-1, -1, 1)),
    "upright line": ((-1, 1, -1), (-1, 1, -1), (-1, 1, -1)),
    "level line": ((-1, -1, -1), (1, 1, 1), (-1, -1, -1)),
}
WAYS = {"sum": np.sum, "mean": np.mean, "max": np.max}


def _four_kernels(run: Run) -> Measured:
    image = np.array([[pixel == "#" for pixel in line] for line in TWO.split()], float)
    sections = np.lib.stride_tricks.sliding_window_view(image, (3, 3))  # (6, 6, 3, 3)
    outputs, mistakes = [], 0
    for kernel in KERNELS.values():
        wanted = np.array(kernel) > 0
        found = np.einsum("ijkl,kl->ij", sections, np.array(kernel, float)) >= 3  # 3: the line, and nothing else
        outputs.append(found.astype(float))
        mistakes += int(np.sum(found != np.all((sections > 0) == wanted, axis=(2, 3))))
    joined = {name: way(outputs, axis=0) for name, way in WAYS.items()}
    numbers = {
        "predictions_a_side": float(outputs[0].shape[0]),
        "predictions_of_a_kernel": float(outputs[0].size),
        "mistakes": float(mistakes),
        "kernels_that_find_nothing": float(sum(not found.any() for found in outputs)),
    }
    arrays: dict[str, Any] = {"image": image.tolist(), "outputs": [each.tolist() for each in outputs]}
    return Measured(numbers, arrays | {name: each.round(3).tolist() for name, each in joined.items()})


def _one_pattern_each(runs: Sequence[Measured]) -> Finding:
    n, arrays = runs[0].numbers, runs[0].arrays
    fired = [int(np.sum(each)) for each in arrays["outputs"]]
    same = bool(np.all((np.array(arrays["sum"]) > 0) == (np.array(arrays["max"]) > 0)))
    return Finding(
        n["mistakes"] == 0 and n["kernels_that_find_nothing"] == 1 and same,
        Text(
            f"the kernels {', '.join(KERNELS)} forward 1 at {', '.join(map(str, fired))} of 36 places, each exactly "
            "where "
            "its line stands alone in the section; the maximum is 1 where any of them is",
            f"四个卷积核（上升线、下降线、竖线、横线）在 36 个位置中分别有 {'、'.join(map(str, fired))} 个输出 1，"
            "恰好是该线段单独出现的位置；任何一个输出 1 的地方，最大值就是 1",
        ),
    )


def _draw_kernels(result: Result, needed: Mapping[str, Result]) -> "Figure":
    arrays = result.runs[0]["arrays"]
    figure, grid = panels(2, 4, width=1.7, height=2.0)
    shown = [(arrays["image"], "the image, 8 × 8")]
    shown += [(arrays[name], f"{name} of the four") for name in WAYS]
    shown += [(output, name) for output, name in zip(arrays["outputs"], KERNELS, strict=True)]
    for axes, (values, title) in zip(grid.flat, shown, strict=True):
        axes.imshow(values, cmap="gray_r", vmin=0, vmax=1)
        axes.grid(visible=False)
        axes.set(xticks=(), yticks=())
        axes.set_title(title, fontsize=9)
    return figure


# --- the dense network of the chapter before ----------------------------------------------------------------------

HIDDEN, ITERATIONS, ALPHA = 100, 300, 2.0


def dense_network(seed: int, iterations: int, images: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Train the listing's network with a dense first layer in the place of the kernels: 784-100-10, tanh and dropout.

    Args:
        seed: of the random numbers; the listings have 1.
        iterations: passes over the whole batches of 128.
        images: (n, 784), values in [0, 1].
        labels: integers, (n,).
    Returns:
        The weights of both layers.
    """
    rng = np.random.RandomState(seed)
    weights_0_1 = 0.02 * rng.random_sample((images.shape[1], HIDDEN)) - 0.01
    weights_1_2 = 0.2 * rng.random_sample((HIDDEN, 10)) - 0.1
    targets = one_hot(labels)
    for _ in range(iterations):
        for start in range(0, len(images) - BATCH_SIZE + 1, BATCH_SIZE):
            layer_0 = images[start : start + BATCH_SIZE]
            mask = rng.randint(2, size=(BATCH_SIZE, HIDDEN))
            a = np.tanh(layer_0 @ weights_0_1)
            layer_1 = a * mask * 2
            delta = (targets[start : start + BATCH_SIZE] - softmax(layer_1 @ weights_1_2)) / BATCH_SIZE**2
            back = delta @ weights_1_2.T * (1 - layer_1**2) * mask  # the slope behind the doubling, as in the listing
            weights_1_2 = weights_1_2 + ALPHA * layer_1.T @ delta
            weights_0_1 = weights_0_1 + ALPHA * layer_0.T @ back
    return weights_0_1, weights_1_2


def _dense(run: Run) -> Measured:
    data = mnist()
    train, test = (part.images.reshape(len(part), -1) / 255 for part in (data.train[:1000], data.test))
    first, second = dense_network(1 + run.seed, run.shortened(ITERATIONS, 2), train, data.train[:1000].labels)
    right = np.argmax(np.tanh(test @ first) @ second, axis=1) == data.test.labels
    return Measured({"test_accuracy": float(np.mean(right)), "weights": float(first.size + second.size)})


def _few_points(runs: Sequence[Measured], needed: Mapping[str, Result]) -> Finding:
    dense, kernels = mean_of(runs, "test_accuracy"), needed["grokking-cnn"].mean("test_accuracy")
    corrected = needed["grokking-cnn"].mean("gradient_descent_test_accuracy")
    points = 100 * (kernels - dense)
    return Finding(
        1 <= points <= 6,
        Text(
            f"test accuracy {dense:.2%} with the dense layer, {kernels:.2%} with the listing's kernels: {points:+.2f} "
            f"points ({corrected:.2%} where its mistakes are corrected; asked for: 1 to 6)",
            f"全连接层的测试准确度为 {dense:.2%}，印出的卷积程序为 {kernels:.2%}：{points:+.2f} 个百分点"
            f"（改正其中的错误后为 {corrected:.2%}；判定：1 到 6）",
        ),
    )


# --- stacked layers -----------------------------------------------------------------------------------------------

STACKS = {
    "one": (nn.Convolution(16, 3, activation=nn.tanh),),
    "two": (nn.Convolution(16, 3, activation=nn.tanh), nn.Convolution(16, 3, activation=nn.tanh)),
    "two_pooled": (
        nn.Convolution(16, 3, activation=nn.tanh),
        nn.MaxPool(2),
        nn.Convolution(32, 3, activation=nn.tanh),
        nn.MaxPool(2),
    ),
}


def _stacked(run: Run) -> Measured:
    recipe = Recipe(epochs=run.shortened(40, 1), batch_size=20, learning_rate=0.05)
    numbers = {}
    for name, layers in STACKS.items():
        network = (*layers, nn.Dropout(0.5), nn.Softmax(10))
        found = measured(trained(run, network, recipe, data=first_thousand(), name=name)).numbers
        numbers |= {f"{name}_{part}": found[part] for part in ("validation_accuracy", "test_accuracy")}
    return Measured(numbers)


def _stacking_helps(runs: Sequence[Measured]) -> Finding:
    reached = {name: mean_of(runs, f"{name}_test_accuracy") for name in STACKS}
    gains = [run.numbers["two_pooled_test_accuracy"] - run.numbers["one_test_accuracy"] for run in runs]
    return Finding(
        min(gains) > 0,
        Text(
            f"test accuracy {reached['one']:.2%} with one layer, {reached['two']:.2%} with two, "
            f"{reached['two_pooled']:.2%} with two and max-pooling: {100 * fmean(gains):+.2f} points",
            f"测试准确度：一层 {reached['one']:.2%}，两层 {reached['two']:.2%}，两层加最大池化 "
            f"{reached['two_pooled']:.2%}：{100 * fmean(gains):+.2f} 个百分点",
        ),
    )


# --- the list -----------------------------------------------------------------------------------------------------

EXPERIMENTS = (
    Experiment(
        id="grokking-kernels",
        title=Text(
            "Four kernels over one 8x8 image, and their outputs summed, averaged, maximized",
            "四个卷积核处理同一幅 8x8 图像，输出求和、取平均、取最大",
        ),
        source=FIGURE,
        measure=_four_kernels,
        published=(Published("predictions_a_side", 6, "value", 0),),
        claims=(
            Claim(
                Text(
                    "A kernel forwards 1 only where it looks at its own pattern; one of the four finds nothing.",
                    "卷积核只在看到自己的模式时才输出 1；四个之中有一个什么也没找到。",
                ),
                _one_pattern_each,
            ),
        ),
        deviations=(
            Text(
                "The picture is missing in our copy: the 2, the kernels and the threshold are ours.",
                "我们的文本中没有这幅图：数字 2、卷积核和阈值都是我们自己的。",
            ),
        ),
        drawings=(
            Drawing(
                "outputs",
                Text(
                    "Below: what each kernel found. Above: the image, and the three ways to join the four outputs.",
                    "下排：每个卷积核找到的位置。上排：图像，以及合并四个输出的三种方式。",
                ),
                _draw_kernels,
            ),
        ),
        runs=1,
    ),
    Experiment(
        id="grokking-dense",
        title=Text(
            "The same listing with a dense first layer of 100 units, as in the chapter before",
            "同一程序，第一层换成 100 个神经元的全连接层，如前一章",
        ),
        source=SUMMARY,
        measure=_dense,
        claims=(
            Comparison(
                Text(
                    "Replacing the first layer by a convolutional one takes another few percent off the error rate.",
                    "把第一层替换为卷积层，可以进一步减少几个百分点的错误。",
                ),
                _few_points,
            ),
        ),
        deviations=(
            Text(
                "Chapter 9 is not among our texts: 100 hidden units, the same alpha, batches, dropout and 300 "
                "iterations "
                "as here.",
                "我们没有第九章：取 100 个隐藏神经元，alpha、小批量、dropout 和 300 次迭代与本章相同。",
            ),
        ),
        needs=("grokking-cnn",),
        minutes=0.1,
    ),
    Experiment(
        id="grokking-stacked",
        title=Text(
            "Stacked convolutional layers on the listing's 1,000 images (his personal project)",
            "在同样的 1,000 幅图像上堆叠卷积层（书中的个人项目）",
        ),
        source=SUMMARY,
        measure=_stacked,
        claims=(
            Claim(
                Text("Stacking convolutional layers increases accuracy.", "堆叠卷积层会进一步提高准确度。"),
                _stacking_helps,
            ),
        ),
        deviations=(
            Text(
                "Our engine: batches of 20, learning rate 0.05, 40 epochs, dropout before the softmax.",
                "使用我们的引擎：小批量 20，学习率 0.05，40 回合，softmax 之前用 dropout。",
            ),
        ),
        minutes=0.3,
    ),
)
