"""Chapter 3, overfitting: what it looks like, and when to stop."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from firsthand import nn
from firsthand.data import Splits, mnist
from firsthand.experiments.drawing import COLOURS, curves, in_percent, panels
from firsthand.experiments.experiment import Claim, Drawing, Experiment, Measured, Run, mean_of
from firsthand.experiments.result import Finding, Published, Result, Source, Text
from firsthand.learning import Classification, Recipe

from .common import curves_of, measured, trained
from .cost_functions import PEAK, large_network

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["EXPERIMENTS", "LONG", "first_thousand", "gap", "plot_gap", "plot_runs"]

OVERFITTING = Source("Nielsen", "chapter 3, 'Overfitting and regularization' (过匹配和规范化)")

LONG = Recipe(epochs=400, batch_size=10, learning_rate=0.5, objective=Classification(nn.cross_entropy))
ALL_CURVES = ("training_cost", "training_accuracy", "validation_accuracy", "test_cost", "test_accuracy")
LAST = 50  # epochs that are called the end


def first_thousand() -> Splits:
    """MNIST with the first 1,000 of its training images."""
    data = mnist()
    return Splits(data.train[:1000], data.validation, data.test)


def _listed(values: Sequence[int]) -> str:
    return ", ".join(map(str, values))


# --- 1,000 images -------------------------------------------------------------------------------------------------


def _overfit_1000(run: Run) -> Measured:
    recipe = replace(LONG, monitor=ALL_CURVES)
    found = measured(trained(run, large_network(30), recipe, data=first_thousand(), quick_epochs=24))
    curves = found.arrays
    extra = {
        "last_training_accuracy": curves["training_accuracy"][-1],
        "last_test_accuracy": curves["test_accuracy"][-1],
        "epoch_of_least_test_cost": 1 + int(np.argmin(curves["test_cost"])),
        "epoch_of_settled_test_accuracy": _settled(curves["test_accuracy"]),
    }
    return Measured({**found.numbers, **extra}, curves)


def _smooth(accuracy: Sequence[float]) -> np.ndarray:
    """The mean of every epoch with ten neighbours on each side; the first ten and the last ten have none."""
    reach = min(10, (len(accuracy) - 1) // 2)
    means = np.convolve(accuracy, np.ones(2 * reach + 1) / (2 * reach + 1), "valid")
    return np.round(means, 9)  # accuracies tie, and sums of other orders must not part them


def _settled(accuracy: Sequence[float]) -> int:
    """The first epoch, from 1, that is within 0.1 points of the mean of the last ones, when smoothed."""
    smooth = _smooth(accuracy)
    near = np.flatnonzero(smooth >= np.mean(accuracy[-LAST:]) - 0.001)
    return _epoch(accuracy, int(near[0])) if len(near) else len(accuracy)


def _epoch(accuracy: Sequence[float], place: int) -> int:
    """The epoch, from 1, of a place in the smoothed curve."""
    return 1 + place + (len(accuracy) - len(_smooth(accuracy))) // 2


def _test_cost_turns(runs: Sequence[Measured]) -> Finding:
    turns = [int(run.numbers["epoch_of_least_test_cost"]) for run in runs]
    least = np.mean([min(run.arrays["test_cost"]) for run in runs])
    last = np.mean([run.arrays["test_cost"][-1] for run in runs])
    return Finding(
        bool(5 <= np.mean(turns) <= 25 and last > least),
        Text(
            f"the test cost is least after epoch {_listed(turns)} (mean {np.mean(turns):.0f}), {least:.2f}, and "
            f"{last:.2f} at the end",
            f"测试代价在第 {_listed(turns)} 回合最小（平均第 {np.mean(turns):.0f} 回合），为 {least:.2f}，结束时为 "
            f"{last:.2f}",
        ),
    )


def _test_accuracy_stops(runs: Sequence[Measured]) -> Finding:
    settled = [int(run.numbers["epoch_of_settled_test_accuracy"]) for run in runs]
    curves = [run.arrays["test_accuracy"] for run in runs]
    highest = [_epoch(curve, int(np.argmax(_smooth(curve)))) for curve in curves]
    return Finding(
        bool(200 <= np.mean(settled) <= 360),
        Text(
            f"averaged over 21 epochs it comes within 0.1 points of its mean over the last {LAST} at epoch "
            f"{_listed(settled)} (mean {np.mean(settled):.0f}; asked for: 200 to 360), and is highest at epoch "
            f"{_listed(highest)}",
            f"按 21 回合平滑后，在第 {_listed(settled)} 回合进入最后 {LAST} 回合平均值的 0.1 个百分点之内"
            f"（平均第 {np.mean(settled):.0f} 回合；判定范围为 200 到 360），在第 {_listed(highest)} 回合最高",
        ),
    )


def _training_cost_falls(runs: Sequence[Measured]) -> Finding:
    late = [np.diff(run.arrays["training_cost"])[len(run.arrays["training_cost"]) // 2 :] for run in runs]
    rises = float(np.mean(np.concatenate(late) > 1e-5))  # they are rounded to 1e-5
    half = np.mean([run.arrays["training_cost"][len(run.arrays["training_cost"]) // 2] for run in runs])
    last = np.mean([run.arrays["training_cost"][-1] for run in runs])
    return Finding(
        bool(rises <= 0.01 and last < half),
        Text(
            f"in the second half of the epochs it falls from {half:.4f} to {last:.4f}, and rises in {rises:.1%} of "
            "them",
            f"后一半回合中从 {half:.4f} 降到 {last:.4f}，其中上升的回合占 {rises:.1%}",
        ),
    )


def _training_accuracy_full(runs: Sequence[Measured]) -> Finding:
    last = [run.numbers["last_training_accuracy"] for run in runs]
    test = mean_of(runs, "last_test_accuracy")
    return Finding(
        bool(min(last) == 1.0),
        Text(
            f"at the end training accuracy is {min(last):.1%} at least, and test accuracy {test:.2%} on average",
            f"结束时各次运行的训练准确度都不低于 {min(last):.1%}，测试准确度平均为 {test:.2%}",
        ),
    )


def _draw_four(result: Result, needed: Mapping[str, Result]) -> "Figure":
    figure, ((cost, accuracy), (test_cost, training)) = panels(2, 2)
    start = len(result.runs[0]["arrays"]["test_cost"]) // 2
    plot_runs(cost, result, "training_cost", start)
    cost.set(ylabel="cost", title="cost on the training data")
    plot_runs(accuracy, result, "test_accuracy", start)
    accuracy.set(ylabel="accuracy", title="accuracy on the test data")
    plot_runs(test_cost, result, "test_cost")
    test_cost.set(ylabel="cost", title="cost on the test data")
    plot_runs(training, result, "training_accuracy")
    training.set(ylabel="accuracy", title="accuracy on the training data")
    in_percent(accuracy)
    in_percent(training)
    accuracy.legend(frameon=False, fontsize=8)
    return figure


def plot_runs(axes: "Axes", result: Result, quantity: str, start: int = 0) -> None:
    """A quantity over the epochs, from one on, a line for each run."""
    for number, run in enumerate(result.runs):
        values = run["arrays"][quantity][start:]
        epochs = range(start + 1, start + 1 + len(values))
        axes.plot(epochs, values, linewidth=1.2, color=COLOURS[number % len(COLOURS)], label=f"seed {run['seed']}")
    axes.set_xlabel("epoch")


# --- 50,000 images ------------------------------------------------------------------------------------------------


def _overfit_50000(run: Run) -> Measured:
    recipe = replace(LONG, epochs=30, monitor=("training_accuracy", "validation_accuracy", "test_accuracy"))
    found = measured(trained(run, large_network(30), recipe))
    return Measured(
        {**found.numbers, "highest_training_accuracy": max(found.arrays["training_accuracy"])}, found.arrays
    )


def gap(run: Measured) -> float:
    """The excess of training over test accuracy, at the epoch of best validation accuracy."""
    return run.numbers["training_accuracy"] - run.numbers["test_accuracy"]


def _smaller_gap(runs: Sequence[Measured]) -> Finding:
    found = float(np.mean([gap(run) for run in runs]))
    return Finding(
        found < 0.1773 / 2,
        Text(
            f"training accuracy is {found:.2%} above test accuracy (the text: 2.53 %, and 17.73 % with 1,000 images)",
            f"训练准确度比测试准确度高 {found:.2%}（书中为 2.53 %，1,000 幅图像时为 17.73 %）",
        ),
    )


def plot_gap(axes: "Axes", result: Result) -> None:
    """Accuracy on training and test data over the epochs, all runs."""
    for quantity, colour, line, name in (
        ("training_accuracy", COLOURS[0], "-", "training data"),
        ("test_accuracy", COLOURS[1], "--", "test data"),
    ):
        curves(axes, result, quantity, line, colour, name)
    axes.set(xlabel="epoch", ylabel="accuracy")
    axes.legend(frameon=False)
    in_percent(axes)


def _draw_gap(result: Result, needed: Mapping[str, Result]) -> "Figure":
    figure, ((axes,),) = panels(1, 1, width=6, height=3.6)
    plot_gap(axes, result)
    return figure


# --- early stopping -----------------------------------------------------------------------------------------------

PATIENCES = (5, 10, 20, 50)


def _early_stopping(run: Run) -> Measured:
    recipe = replace(LONG, monitor=("validation_accuracy", "test_accuracy"))
    whole = trained(run, large_network(30), recipe, data=first_thousand(), name="whole", quick_epochs=24)
    numbers = {f"all_{name}": value for name, value in measured(whole).numbers.items()}
    numbers["all_epochs"] = len(whole.history)
    same = True
    for patience in PATIENCES:
        stopped = trained(
            run,
            large_network(30),
            replace(recipe, patience=patience),
            data=first_thousand(),
            name=f"patience-{patience}",
            quick_epochs=24,
        )
        numbers |= {f"patience_{patience}_{name}": value for name, value in measured(stopped).numbers.items()}
        numbers[f"patience_{patience}_epochs"] = len(stopped.history)
        same &= stopped.history["test_accuracy"] == whole.history["test_accuracy"][: len(stopped.history)]
    return Measured(numbers | {"same_as_the_beginning": float(same)}, curves_of(whole))


def _cheap(runs: Sequence[Measured]) -> Finding:
    all_epochs, all_accuracy = mean_of(runs, "all_epochs"), mean_of(runs, "all_test_accuracy")
    lost = {p: all_accuracy - mean_of(runs, f"patience_{p}_test_accuracy") for p in PATIENCES}
    epochs = {p: mean_of(runs, f"patience_{p}_epochs") for p in PATIENCES}
    least = lost[PATIENCES[-1]]
    en = "; ".join(f"patience {p}: {epochs[p]:.0f} epochs, {100 * lost[p]:.2f} points lower" for p in PATIENCES)
    zh = "；".join(f"耐心 {p}：{epochs[p]:.0f} 回合，低 {100 * lost[p]:.2f} 个百分点" for p in PATIENCES)
    return Finding(
        bool(least < 0.005 and epochs[PATIENCES[-1]] < all_epochs),
        Text(
            f"test accuracy against running on for {all_epochs:.0f} epochs, "
            f"{all_accuracy:.2%}: {en} "
            "(asked for: the longest patience within half a point)",
            f"与跑满 {all_epochs:.0f} 回合（测试准确度 {all_accuracy:.2%}）相比：{zh}"
            "（判定：耐心最长者差距在半个百分点之内）",
        ),
    )


def _same_beginning(runs: Sequence[Measured]) -> Finding:
    same = sum(run.numbers["same_as_the_beginning"] for run in runs)
    return Finding(
        same == len(runs),
        Text(
            f"bit for bit so in {same:.0f} of {len(runs)} runs, {len(PATIENCES)} trainings each",
            f"{len(runs)} 次运行（每次 {len(PATIENCES)} 个训练）中有 {same:.0f} 次逐位相同",
        ),
    )


def _draw_stopping(result: Result, needed: Mapping[str, Result]) -> "Figure":
    figure, ((axes,),) = panels(1, 1, width=7.5, height=3.8)
    run = result.runs[0]
    epochs = range(1, len(run["arrays"]["validation_accuracy"]) + 1)
    axes.plot(epochs, run["arrays"]["validation_accuracy"], color=COLOURS[1], linewidth=1.2, label="validation data")
    axes.plot(epochs, run["arrays"]["test_accuracy"], color=COLOURS[2], linewidth=1.2, label="test data")
    for number, patience in enumerate(PATIENCES):
        stop = run["numbers"][f"patience_{patience}_epochs"]
        axes.axvline(stop, color="0.35", linewidth=1, linestyle=":")
        text = f" patience {patience}"
        axes.text(stop, 0.04 + 0.08 * number, text, transform=axes.get_xaxis_transform(), fontsize=8)
    top = max(run["arrays"]["validation_accuracy"])
    axes.set(xlabel="epoch", ylabel="accuracy", ylim=(top - 0.12, top + 0.01), title=f"seed {run['seed']}")
    axes.legend(frameon=False, loc="lower right")
    in_percent(axes)
    return figure


# --- the list -----------------------------------------------------------------------------------------------------

EXPERIMENTS = (
    Experiment(
        id="overfit-1000",
        title=Text(
            "Overfitting 1,000 images: [784, 30, 10], 400 epochs", "过匹配 1,000 幅图像：[784, 30, 10]，400 回合"
        ),
        source=OVERFITTING,
        measure=_overfit_1000,
        published=(
            Published("test_accuracy", 0.8227, explained_by="highest_test_accuracy"),
            Published("last_training_accuracy", 1.0, images=1_000),
        ),
        claims=(
            Claim(
                Text("The training cost falls smoothly.", "训练数据上的代价平滑下降。"),
                _training_cost_falls,
            ),
            Claim(
                Text("Test accuracy stops improving near epoch 280.", "测试准确度在 280 回合左右停止增长。"),
                _test_accuracy_stops,
            ),
            Claim(
                Text(
                    "The test cost is best near epoch 15, and rises from there.",
                    "测试数据上的代价在 15 回合左右最好，随后越来越差。",
                ),
                _test_cost_turns,
            ),
            Claim(
                Text("All 1,000 training images are classified correctly.", "1,000 幅训练图像全部分类正确。"),
                _training_accuracy_full,
            ),
        ),
        deviations=(PEAK,),
        drawings=(
            Drawing(
                "four",
                Text(
                    "The second half of the epochs above, all of them below: the training cost goes on falling "
                    "while test "
                    "accuracy stands still; the test cost turned long before; the training images are learned by "
                    "heart.",
                    "上面两幅只画后一半回合，下面两幅画全部回合：训练代价持续下降，测试准确度却停滞不前；"
                    "测试代价早已回升；"
                    "训练图像被全部记住。",
                ),
                _draw_four,
            ),
        ),
        minutes=0.3,
    ),
    Experiment(
        id="overfit-50000",
        title=Text("The same network on all 50,000 images, 30 epochs", "同一网络，全部 50,000 幅图像，30 回合"),
        source=OVERFITTING,
        measure=_overfit_50000,
        published=(
            Published("highest_training_accuracy", 0.9786, images=50_000),
            Published("test_accuracy", 0.9533, explained_by="highest_test_accuracy"),
        ),
        claims=(
            Claim(
                Text(
                    "With all the data there is much less overfitting: accuracies on training and test data are "
                    "closer.",
                    "使用全部数据时过匹配大大减轻：训练与测试准确度更加接近。",
                ),
                _smaller_gap,
            ),
        ),
        deviations=(PEAK,),
        drawings=(
            Drawing(
                "accuracy",
                Text("The gap stays small.", "两条曲线之间的差距很小。"),
                _draw_gap,
            ),
        ),
        minutes=0.2,
    ),
    Experiment(
        id="early-stopping",
        title=Text("Early stopping on 1,000 images, against 400 epochs", "提前停止：1,000 幅图像，与跑满 400 回合相比"),
        source=OVERFITTING,
        measure=_early_stopping,
        claims=(
            Claim(
                Text(
                    "Stopping once validation accuracy is saturated saves epochs and costs little accuracy.",
                    "验证准确度饱和后就停止，可以节省回合，准确度损失很小。",
                ),
                _cheap,
            ),
            Claim(
                Text(
                    "A training that is stopped is the beginning of the one that is not.",
                    "提前停止的训练就是不停止的训练的开头部分。",
                ),
                _same_beginning,
            ),
        ),
        deviations=(
            Text(
                "The text stops by eye and names no number of epochs to wait; here the wait is 5, 10, 20 or 50 "
                "epochs without "
                "a better validation accuracy. All trainings keep the parameters of their best validation epoch.",
                "书中凭观察停止，没有给出等待的回合数；这里分别等待 5、10、20、50 个验证准确度没有提高的回合。"
                "所有训练都保留验证准确度最高的回合的参数。",
            ),
        ),
        drawings=(
            Drawing(
                "stopping",
                Text(
                    "Dotted: where each patience stops. Validation accuracy wavers, so that a short patience stops "
                    "early.",
                    "虚线处为各个耐心值的停止位置。验证准确度会波动，耐心太短就停得太早。",
                ),
                _draw_stopping,
            ),
        ),
        minutes=0.3,
    ),
)
