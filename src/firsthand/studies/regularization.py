"""Chapter 3, regularization: L2 and L1."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from firsthand import nn
from firsthand.data import mnist
from firsthand.experiments.drawing import COLOURS, in_percent, panels
from firsthand.experiments.experiment import Claim, Comparison, Drawing, Experiment, Measured, Run, mean_of
from firsthand.experiments.result import Finding, Published, Result, Source, Text
from firsthand.models import Model

from .common import accuracy, curves_of, measured, trained
from .cost_functions import PEAK, large_network
from .overfitting import LAST, LONG, first_thousand, gap, plot_gap, plot_runs

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["EXPERIMENTS"]

L2 = Source("Nielsen", "chapter 3, 'Regularization' (规范化), equations (85) to (95)")
L1 = Source(
    "Nielsen", "chapter 3, 'Other techniques for regularization' (规范化的其他技术), L1, equations (95) to (97)"
)


# --- L2 -----------------------------------------------------------------------------------------------------------


def _l2_1000(run: Run) -> Measured:
    recipe = replace(LONG, l2=0.1 / 1000, monitor=("training_cost", "validation_accuracy", "test_accuracy"))
    found = measured(trained(run, large_network(30), recipe, data=first_thousand(), quick_epochs=24))
    curve = found.arrays["test_accuracy"]
    extra = {"last_test_accuracy": curve[-1]}
    return Measured({**found.numbers, **extra}, found.arrays)


def _still_rising(runs: Sequence[Measured]) -> Finding:
    curves = np.array([run.arrays["test_accuracy"] for run in runs])
    last = min(LAST, curves.shape[1] // 2)
    before, end = curves[:, -2 * last : -last].mean(), curves[:, -last:].mean()
    return Finding(
        bool(end > before),
        Text(
            f"mean over the last {last} epochs {end:.2%}, over the {last} before {before:.2%}",
            f"最后 {last} 回合平均 {end:.2%}，此前 {last} 回合平均 {before:.2%}",
        ),
    )


def _cost_falls(runs: Sequence[Measured]) -> Finding:
    costs = np.array([run.arrays["training_cost"] for run in runs]).mean(axis=0)
    quarters = costs[np.linspace(0, len(costs) - 1, 5).astype(int)]
    listed = ", ".join(f"{cost:.3f}" for cost in quarters)
    return Finding(
        bool(np.all(np.diff(quarters) < 0)),
        Text(
            f"regularized cost after the first epoch and at the four quarters: {listed} (mean of the runs)",
            f"第一回合后及四个四分点处的规范化代价（各次运行平均）：{listed}",
        ),
    )


def _draw_l2_1000(result: Result, needed: Mapping[str, Result]) -> "Figure":
    figure, ((cost, score),) = panels(1, 2)
    plot_runs(cost, result, "training_cost")
    cost.set(ylabel="cost, with the penalty", title="cost on the training data")
    plot_runs(score, result, "test_accuracy")
    score.set(ylabel="accuracy", title="accuracy on the test data", ylim=(0.7, None))
    score.legend(frameon=False, fontsize=8)
    in_percent(score)
    return figure


def _l2_50000(run: Run) -> Measured:
    recipe = replace(
        LONG, epochs=30, l2=5.0 / 50_000, monitor=("training_accuracy", "validation_accuracy", "test_accuracy")
    )
    return measured(trained(run, large_network(30), recipe))


def _better_than_without(runs: Sequence[Measured], needed: Mapping[str, Result]) -> Finding:
    found, without = mean_of(runs, "test_accuracy"), needed["overfit-50000"].mean("test_accuracy")
    return Finding(
        found > without,
        Text(
            f"{found:.2%} with, {without:.2%} without (means; the text: 96.49 % and 95.49 %)",
            f"规范化后 {found:.2%}，规范化前 {without:.2%}（平均值；书中为 96.49 % 和 95.49 %）",
        ),
    )


def _narrower_gap(runs: Sequence[Measured], needed: Mapping[str, Result]) -> Finding:
    found = float(np.mean([gap(run) for run in runs]))
    without = needed["overfit-50000"]
    before = without.mean("training_accuracy") - without.mean("test_accuracy")
    return Finding(
        found < before,
        Text(
            f"training accuracy is {found:.2%} above test accuracy with, {before:.2%} without regularization",
            f"训练准确度与测试准确度之差：规范化后 {found:.2%}，规范化前 {before:.2%}",
        ),
    )


def _draw_l2_50000(result: Result, needed: Mapping[str, Result]) -> "Figure":
    names = {"overfit-50000": "without regularization", "": "L2, lambda = 5.0"}
    figure, (axes,) = panels(1, 2)
    for each, (name, title) in zip(axes, names.items(), strict=True):
        plot_gap(each, needed[name] if name else result)
        each.set_title(title)
    axes[1].sharey(axes[0])
    return figure


def _hundred_hidden(name: str, epochs: int, rate: float, published: float) -> Experiment:
    recipe = replace(LONG, epochs=epochs, learning_rate=rate, l2=5.0 / 50_000)
    return Experiment(
        id=name,
        title=Text(
            f"[784, 100, 10] with L2, lambda = 5.0, {epochs} epochs, learning rate {rate}",
            f"[784, 100, 10]，L2 规范化，λ = 5.0，{epochs} 回合，学习率 {rate}",
        ),
        source=L2,
        measure=lambda run: accuracy(run, large_network(100), recipe),
        # what training ends with, as the text says; the best epoch stands beside
        published=(Published("last_validation_accuracy", published, beside="validation_accuracy"),),
        drawings=(
            Drawing(
                "accuracy",
                Text("Validation accuracy, run by run.", "各次运行的验证准确度。"),
                _draw_validation,
            ),
        ),
        minutes=0.4 if epochs == 30 else 0.8,
    )


def _draw_validation(result: Result, needed: Mapping[str, Result]) -> "Figure":
    figure, ((axes,),) = panels(1, 1, width=6)
    plot_runs(axes, result, "validation_accuracy")
    axes.set(ylabel="accuracy on the validation data")
    axes.legend(frameon=False)
    in_percent(axes)
    return figure


# --- L1 against L2 ------------------------------------------------------------------------------------------------

L1_LAMBDAS = (1.0, 3.0, 10.0)
NEAR_ZERO = 0.01
BINS = np.linspace(-3, 3, 121)


def _l1(run: Run) -> Measured:
    layers = (nn.FullyConnected(30), nn.FullyConnected(10))
    recipe = replace(LONG, epochs=30)
    l2 = trained(run, layers, replace(recipe, l2=5.0 / 50_000), name="L2")
    l1 = {value: trained(run, layers, replace(recipe, l1=value / 50_000), name=f"L1-{value}") for value in L1_LAMBDAS}
    accuracies = {value: training.model.provenance["accuracies"]["validation"] for value, training in l1.items()}
    wanted = l2.model.provenance["accuracies"]["validation"]
    alike = min(accuracies, key=lambda value: abs(accuracies[value] - wanted))
    numbers: dict[str, float] = {"l1_lambda": alike}
    arrays: dict[str, Any] = {"l1_validation": {str(value): found for value, found in accuracies.items()}}
    for name, training in (("l1", l1[alike]), ("l2", l2)):
        weights = _weights_that_see(training.model)
        numbers |= {f"{name}_{quantity}": value for quantity, value in measured(training).numbers.items()}
        numbers |= {
            f"{name}_near_zero": float(np.mean(np.abs(weights) < NEAR_ZERO)),
            f"{name}_share_with_half_of_the_sum": _share_with_half(weights),
        }
        arrays[f"{name}_histogram"] = np.histogram(weights, BINS)[0].tolist()
        arrays |= curves_of(training, f"{name}_")
    return Measured(numbers, arrays)


def _weights_that_see(model: Model) -> np.ndarray:
    """The first layer's weights of all pixels that are not black in every training image."""
    weights = np.asarray(model.params[0]["weights"])
    return weights[mnist().train.images.reshape(-1, len(weights)).any(axis=0)].ravel()


def _share_with_half(weights: np.ndarray) -> float:
    """The smallest share of the weights that holds half of the sum of their absolute values."""
    falling = np.cumsum(np.sort(np.abs(weights))[::-1])
    return float((1 + np.searchsorted(falling, falling[-1] / 2)) / len(weights))


def _concentrated(runs: Sequence[Measured]) -> Finding:
    zero = [mean_of(runs, f"{name}_near_zero") for name in ("l1", "l2")]
    half = [mean_of(runs, f"{name}_share_with_half_of_the_sum") for name in ("l1", "l2")]
    reached = [mean_of(runs, f"{name}_validation_accuracy") for name in ("l1", "l2")]
    return Finding(
        bool(zero[0] > 2 * zero[1] and half[0] < half[1]),
        Text(
            f"weights below {NEAR_ZERO} in size: {zero[0]:.1%} under L1, {zero[1]:.1%} under L2; half of the sum of "
            "sizes is "
            f"in {half[0]:.1%} and {half[1]:.1%} of the weights; validation accuracies {reached[0]:.2%} and "
            f"{reached[1]:.2%} "
            "(asked for: twice as many near zero)",
            f"绝对值小于 {NEAR_ZERO} 的权重：L1 下 {zero[0]:.1%}，L2 下 {zero[1]:.1%}；绝对值总和的一半集中在 "
            f"{half[0]:.1%} 和 "
            f"{half[1]:.1%} 的权重上；验证准确度 {reached[0]:.2%} 和 {reached[1]:.2%}（判定：接近 0 的权重多一倍以上）",
        ),
    )


def _draw_l1(result: Result, needed: Mapping[str, Result]) -> "Figure":
    figure, ((axes,),) = panels(1, 1, width=7, height=3.8)
    for name, colour in (("l2", COLOURS[1]), ("l1", COLOURS[0])):
        counts = np.mean([run["arrays"][f"{name}_histogram"] for run in result.runs], axis=0)
        label = f"{name.upper()}: {result.mean(f'{name}_near_zero'):.0%} within {NEAR_ZERO} of zero"
        axes.stairs(
            counts, BINS, color=colour, fill=name == "l2", alpha=0.5 if name == "l2" else 1, label=label, lw=1.6
        )
    axes.set(yscale="log", xlabel="weight", ylabel="weights of the first layer", ylim=(0.5, None))
    axes.legend(frameon=False)
    return figure


# --- the list -----------------------------------------------------------------------------------------------------

EXPERIMENTS = (
    Experiment(
        id="l2-1000",
        title=Text(
            "L2 on 1,000 images: [784, 30, 10], lambda = 0.1", "1,000 幅图像上的 L2 规范化：[784, 30, 10]，λ = 0.1"
        ),
        source=L2,
        measure=_l2_1000,
        published=(Published("test_accuracy", 0.871, explained_by="highest_test_accuracy"),),
        claims=(
            Claim(
                Text("The cost on the training data goes on falling.", "训练数据上的代价持续下降。"),
                _cost_falls,
            ),
            Claim(
                Text(
                    "Test accuracy goes on rising to the end of the 400 epochs.",
                    "测试准确度在 400 回合内持续增加。",
                ),
                _still_rising,
            ),
        ),
        deviations=(PEAK,),
        drawings=(
            Drawing(
                "learning",
                Text(
                    "The cost falls as before, but now test accuracy goes on rising with it.",
                    "代价和之前一样下降，但测试准确度也随之持续上升。",
                ),
                _draw_l2_1000,
            ),
        ),
        minutes=0.3,
    ),
    Experiment(
        id="l2-50000",
        title=Text("L2 on all images: [784, 30, 10], lambda = 5.0", "全部图像上的 L2 规范化：[784, 30, 10]，λ = 5.0"),
        source=L2,
        measure=_l2_50000,
        published=(Published("test_accuracy", 0.9649, explained_by="highest_test_accuracy"),),
        claims=(
            Comparison(
                Text("Test accuracy is better than without regularization.", "测试准确度高于未规范化时。"),
                _better_than_without,
            ),
            Comparison(
                Text(
                    "The gap between training and test accuracy is narrower than without.",
                    "训练与测试准确度之间的差距比未规范化时更小。",
                ),
                _narrower_gap,
            ),
        ),
        deviations=(PEAK,),
        drawings=(
            Drawing(
                "accuracy",
                Text(
                    "Left without, right with L2: less on the training data, more on the test data.",
                    "左为未规范化，右为 L2 规范化：训练准确度降低，测试准确度升高。",
                ),
                _draw_l2_50000,
            ),
        ),
        needs=("overfit-50000",),
        minutes=0.2,
    ),
    _hundred_hidden("l2-100-hidden", 30, 0.5, 0.9792),
    _hundred_hidden("l2-100-hidden-60", 60, 0.1, 0.9804),
    Experiment(
        id="l1",
        title=Text("L1 against L2: how many weights end near zero", "L1 与 L2 对比：有多少权重接近 0"),
        source=L1,
        measure=_l1,
        claims=(
            Claim(
                Text(
                    "L1 concentrates the weights in few connections of high importance and drives the others to zero.",
                    "L1 规范化把权重聚集在相对少量的高重要度连接上，而其他权重被驱使向 0 接近。",
                ),
                _concentrated,
            ),
        ),
        deviations=(
            Text(
                "The text names no setting: [784, 30, 10], cross-entropy, N(0, 1/n_in) initial weights, 30 epochs, "
                "learning "
                "rate 0.5; L2 with lambda = 5.0, as before; L1 with that one of lambda = 1, 3 and 10 whose "
                "validation accuracy "
                "is nearest to that of L2, run by run.",
                "书中没有给出设置：这里用 [784, 30, 10]、交叉熵、N(0, 1/n_in) 初始权重、30 回合、学习率 0.5；L2 "
                "沿用 λ = 5.0；"
                "L1 在 λ = 1、3、10 中取验证准确度与 L2 最接近的一个，每次运行各自选取。",
            ),
            Text(
                "Counted are the first layer's weights of the pixels that are lit in some training image: the "
                "others shrink "
                "under both, and mean nothing.",
                "只统计第一层中至少在一幅训练图像里有墨迹的像素的权重：其余权重在两种规范化下都会缩小，没有意义。",
            ),
        ),
        drawings=(
            Drawing(
                "weights",
                Text(
                    "On a logarithmic scale: L1 has a needle at zero and longer tails, L2 a broad hill.",
                    "纵轴为对数：L1 在 0 处形成尖峰且尾部更长，L2 则是宽阔的山丘。",
                ),
                _draw_l1,
            ),
        ),
        minutes=0.8,
    ),
)
