"""Chapter 3, dropout from within: a mean of thinned networks, and neurons that do without each other."""

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import TYPE_CHECKING

import numpy as np

from firsthand import nn
from firsthand.data import Splits, mnist
from firsthand.experiments.drawing import COLOURS, in_percent, panels
from firsthand.experiments.experiment import Claim, Drawing, Experiment, Measured, Run, mean_of
from firsthand.experiments.result import Finding, Result, Source, Text
from firsthand.learning import Recipe
from firsthand.models import Model

from .common import trained

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["EXPERIMENTS"]

DROPOUT = Source("Nielsen", "chapter 3, 'Other techniques for regularization' (规范化的其他技术), dropout")

UNITS, THINNED = 200, 100
LOST = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7)  # shares of the hidden neurons that are taken away


class _Hidden:
    """A trained network of one hidden layer in NumPy: what it says with some of its hidden neurons only."""

    def __init__(self, model: Model, images: np.ndarray):
        first, last = (params for params in model.params if params)
        x = images.reshape(len(images), -1) / 255
        self.hidden = np.maximum(x @ np.asarray(first["weights"]) + np.asarray(first["bias"]), 0)  # (n, units)
        self.weights, self.biases = np.asarray(last["weights"]), np.asarray(last["bias"])

    def probabilities(self, kept: np.ndarray, factor: float) -> np.ndarray:
        """Softmax outputs with the outgoing weights of the neurons in `kept` times a factor, the others 0."""
        z = (self.hidden * (kept * factor)) @ self.weights + self.biases
        e = np.exp(z - z.max(axis=1, keepdims=True))
        return e / e.sum(axis=1, keepdims=True)


def _inside(run: Run) -> Measured:
    data = mnist()
    data = Splits(data.train[: run.shortened(10_000, 1_000)], data.validation, data.test)
    recipe = Recipe(epochs=run.shortened(30, 2), batch_size=20, learning_rate=0.1, keep_best=False)
    rng = np.random.default_rng(run.seed)
    hidden = nn.FullyConnected(UNITS, nn.relu, weights_init=nn.he)
    labels = data.test.labels
    numbers: dict[str, float] = {}
    arrays: dict[str, list[float]] = {"lost": list(LOST)}
    for name, layers in (
        ("without", (hidden, nn.Softmax(10))),
        ("dropout", (hidden, nn.Dropout(0.5), nn.Softmax(10))),
    ):
        network = _Hidden(trained(run, layers, recipe, data=data, name=name).model, data.test.images)
        curve = []
        for share in LOST:
            right = [
                np.mean(network.probabilities(rng.random(UNITS) >= share, 1 / (1 - share)).argmax(axis=1) == labels)
                for _ in range(1 if share == 0 else 10)
            ]
            curve.append(round(float(np.mean(right)), 4))
        arrays[name] = curve
        numbers |= {f"{name}_whole": curve[0], f"{name}_half": curve[LOST.index(0.5)]}
        if name == "dropout":
            masks = rng.random((run.shortened(THINNED, 5), UNITS)) >= 0.5
            # what the training saw: half of the neurons, and weights twice as large as those of the whole network
            thinned = [network.probabilities(mask, 2.0) for mask in masks]
            halved, mean = network.probabilities(np.ones(UNITS), 1.0), np.mean(thinned, axis=0)
            geometric = np.exp(np.mean(np.log(np.maximum(thinned, 1e-30)), axis=0))
            geometric /= geometric.sum(axis=1, keepdims=True)
            numbers |= {
                "thinned_accuracy": float(np.mean([np.mean(p.argmax(axis=1) == labels) for p in thinned])),
                "mean_accuracy": float(np.mean(mean.argmax(axis=1) == labels)),
                "halved_accuracy": float(np.mean(halved.argmax(axis=1) == labels)),
                "same_answer": float(np.mean(mean.argmax(axis=1) == halved.argmax(axis=1))),
                "off_the_mean": float(np.mean(np.abs(halved - mean).sum(axis=1) / 2)),
                "off_the_geometric_mean": float(np.mean(np.abs(halved - geometric).sum(axis=1) / 2)),
                "one_off_the_mean": float(np.mean([np.mean(np.abs(p - mean).sum(axis=1) / 2) for p in thinned])),
            }
    return Measured(numbers, arrays)


def _halving_is_a_mean(runs: Sequence[Measured]) -> Finding:
    n = {name: mean_of(runs, name) for name in runs[0].numbers}
    return Finding(
        n["same_answer"] > 0.99 and n["off_the_mean"] < n["one_off_the_mean"] / 2,
        Text(
            f"halved weights and the mean of {THINNED} thinned networks agree on {n['same_answer']:.2%} of the test "
            f"images ({n['halved_accuracy']:.2%} and {n['mean_accuracy']:.2%} right, a thinned one "
            f"{n['thinned_accuracy']:.2%}); their probabilities differ by {n['off_the_mean']:.3f} (by "
            f"{n['off_the_geometric_mean']:.3f} from the geometric mean, which halving is in theory), those of a "
            "single "
            f"thinned network by {n['one_off_the_mean']:.3f}",
            f"权重减半与 {THINNED} 个稀疏网络的平均在 {n['same_answer']:.2%} 的测试图像上答案相同（分别答对 "
            f"{n['halved_accuracy']:.2%} 和 {n['mean_accuracy']:.2%}，单个稀疏网络 {n['thinned_accuracy']:.2%}）；"
            f"概率相差 {n['off_the_mean']:.3f}（与几何平均相差 {n['off_the_geometric_mean']:.3f}，"
            "理论上减半即几何平均），"
            f"单个稀疏网络则相差 {n['one_off_the_mean']:.3f}",
        ),
    )


def _robust(runs: Sequence[Measured]) -> Finding:
    falls = {
        name: fmean(run.numbers[f"{name}_whole"] - run.numbers[f"{name}_half"] for run in runs)
        for name in ("without", "dropout")
    }
    return Finding(
        falls["dropout"] < falls["without"] / 2,
        Text(
            f"with half of the hidden neurons taken away at random the network trained with dropout loses "
            f"{100 * falls['dropout']:.2f} points of test accuracy, the one without {100 * falls['without']:.2f}",
            f"随机去掉一半隐藏神经元，用 dropout 训练的网络测试准确度下降 {100 * falls['dropout']:.2f} 个百分点，"
            f"不用的下降 {100 * falls['without']:.2f} 个",
        ),
    )


def _draw(result: Result, needed: Mapping[str, Result]) -> "Figure":
    figure, ((axes,),) = panels(1, 1, width=5.4)
    for name, label, colour, line in (
        ("without", "trained without dropout", COLOURS[1], "s--"),
        ("dropout", "trained with dropout", COLOURS[0], "o-"),
    ):
        for number, run in enumerate(result.runs):
            axes.plot(run["arrays"]["lost"], run["arrays"][name], line, color=colour, label=None if number else label)
    axes.set(xlabel="share of the hidden neurons taken away", ylabel="accuracy on the test data")
    axes.legend(frameon=False)
    in_percent(axes)
    return figure


EXPERIMENTS = (
    Experiment(
        id="dropout-inside",
        title=Text(
            "Dropout: halved weights against the mean of thinned networks, and neurons taken away",
            "dropout：权重减半与稀疏网络的平均，以及去掉一部分神经元",
        ),
        source=DROPOUT,
        measure=_inside,
        claims=(
            Claim(
                Text(
                    "Running all neurons with halved weights is like averaging over very many thinned networks.",
                    "用全部神经元并把权重减半，就像对大量不同的网络取平均。",
                ),
                _halving_is_a_mean,
            ),
            Claim(
                Text(
                    "Neurons rely less on particular other neurons: the network is robust to losing some.",
                    "神经元不再依赖其他特定的神经元：网络对丢失一部分神经元更加健壮。",
                ),
                _robust,
            ),
        ),
        deviations=(
            Text(
                f"In small: one hidden layer of {UNITS} rectified linear units, 10,000 images, 30 epochs. The weights "
                "of "
                "the neurons that stay are raised to make up for those that are lost.",
                f"小规模：一个 {UNITS} 个修正线性单元的隐藏层，10,000 幅图像，30 回合。去掉神经元后，"
                "其余神经元的权重按比例放大以作补偿。",
            ),
        ),
        drawings=(
            Drawing(
                "robust",
                Text(
                    "The further to the right, the more of the hidden layer is gone; a line for each run.",
                    "越往右，去掉的隐藏神经元越多；每次运行一条线。",
                ),
                _draw,
            ),
        ),
        minutes=0.3,
    ),
)
