"""Chapter 3: the cross-entropy derived from the wish that an error be unlearned in proportion, (71) to (77)."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import fmean
from typing import TYPE_CHECKING

import numpy as np
from scipy.integrate import cumulative_simpson

from firsthand import nn
from firsthand.experiments.drawing import COLOURS, panels
from firsthand.experiments.experiment import Claim, Drawing, Experiment, Measured, Run, mean_of
from firsthand.experiments.result import Finding, Result, Source, Text
from firsthand.learning import Classification
from firsthand.reference.fully_connected import backprop
from firsthand.reference.functions import CROSS_ENTROPY, sigmoid, sigmoid_prime

from .common import trained
from .overfitting import LONG

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["EXPERIMENTS"]

MEANING = Source("Nielsen", "chapter 3, 'What does the cross-entropy mean? Where does it come from?', (71) to (77)")
SOFTMAX = Source("Nielsen", "chapter 3, 'Softmax' (柔性最大值), end")

# --- integrating the wish -----------------------------------------------------------------------------------------

TARGETS = (0.0, 0.3, 1.0)


def _from_the_wish(run: Run) -> Measured:
    z = np.linspace(-8, 8, run.shortened(4_001, 401))
    a = sigmoid(z)
    arrays: dict[str, list[float]] = {"a": a[:: len(a) // 80].round(5).tolist()}
    apart = slope_apart = 0.0
    for y in TARGETS:
        # (72) is the wish, dC/db = a - y; by (73) dC/da is that over sigma'(z), (75); (76) is its integral over a
        slope = (a - y) / sigmoid_prime(z)
        integral = cumulative_simpson(slope * sigmoid_prime(z), x=z, initial=0)  # da is sigma'(z) dz
        known = np.array([CROSS_ENTROPY.fn(np.array([[each]]), np.array([[y]])) for each in a])
        middle = len(z) // 2
        apart = max(apart, float(np.max(np.abs((integral - integral[middle]) - (known - known[middle])))))
        arrays[f"integral_{y:g}"] = (integral - integral[middle] + known[middle])[:: len(a) // 80].round(5).tolist()
        arrays[f"known_{y:g}"] = known[:: len(a) // 80].round(5).tolist()
    rng = np.random.default_rng(run.seed)
    for _ in range(run.shortened(100, 10)):
        w, b, x, y = rng.normal(size=(1, 5)), rng.normal(size=(1, 1)), rng.normal(size=(5, 1)), rng.random((1, 1))
        found = backprop([w], [b], x, y, CROSS_ENTROPY)
        error = float(sigmoid(w @ x + b)[0, 0] - y[0, 0])
        slope_apart = max(
            slope_apart,
            float(np.max(np.abs(found.nabla_w[0] - error * x.T))),
            float(np.max(np.abs(found.nabla_b[0] - error))),
        )
    return Measured({"integral_off_by": apart, "slopes_off_by": slope_apart}, arrays)


def _is_the_cross_entropy(runs: Sequence[Measured]) -> Finding:
    apart, slopes = (max(run.numbers[name] for run in runs) for name in ("integral_off_by", "slopes_off_by"))
    return Finding(
        apart < 1e-8 and slopes < 1e-12,
        Text(
            "the integral of (75), from a = 0.0003 to 0.9997 for y = 0, 0.3 and 1, is the cross-entropy plus a "
            "constant "
            f"to {apart:.0e}; backpropagation through it gives x (a - y) and a - y, (71) and (72), to {slopes:.0e}",
            f"对 (75) 积分（a 从 0.0003 到 0.9997，y 为 0、0.3、1），与交叉熵只差一个常数，误差 {apart:.0e}；"
            f"用它做反向传播得到 x (a - y) 与 a - y，即 (71) 和 (72)，误差 {slopes:.0e}",
        ),
    )


def _surprise(runs: Sequence[Measured]) -> Finding:
    arrays = runs[0].arrays
    found = {y: arrays["a"][int(np.argmin(arrays[f"integral_{y:g}"]))] for y in TARGETS}
    rising = np.all(np.diff(arrays["integral_0"]) > 0) and np.all(np.diff(arrays["integral_1"]) < 0)
    return Finding(
        bool(rising and abs(found[0.3] - 0.3) < 0.05),
        Text(
            "for y = 1 it falls all the way to a = 1, for y = 0 it rises; for y = 0.3 it is least at a = "
            f"{found[0.3]:.2f}",
            f"y = 1 时一直降到 a = 1，y = 0 时一直上升；y = 0.3 时在 a = {found[0.3]:.2f} 处最小",
        ),
    )


def _draw_wish(result: Result, needed: Mapping[str, Result]) -> "Figure":
    arrays = result.runs[0]["arrays"]
    figure, ((axes,),) = panels(1, 1, width=5.4)
    for y, colour in zip(TARGETS, COLOURS, strict=False):
        axes.plot(arrays["a"], arrays[f"known_{y:g}"], color=colour, alpha=0.35, linewidth=5)
        axes.plot(arrays["a"], arrays[f"integral_{y:g}"], color=colour, label=f"y = {y:g}")
    axes.set(xlabel="output a", ylabel="C", ylim=(0, 5))
    axes.legend(frameon=False, title="integral of (a - y) / a(1 - a)")
    return figure


# --- sigmoid or softmax -------------------------------------------------------------------------------------------

PAIRS = {
    "sigmoid": (nn.FullyConnected(10), nn.cross_entropy),
    "softmax": (nn.Softmax(10), nn.log_likelihood),
}


def _both(run: Run) -> Measured:
    numbers = {}
    for name, (output, cost) in PAIRS.items():
        recipe = replace(LONG, epochs=15, learning_rate=0.3, objective=Classification(cost))
        training = trained(run, (nn.FullyConnected(30), output), recipe, name=name)
        for part, value in training.model.provenance["accuracies"].items():
            numbers[f"{name}_{part}_accuracy"] = value
    return Measured(numbers)


def _both_work(runs: Sequence[Measured]) -> Finding:
    reached = {name: mean_of(runs, f"{name}_test_accuracy") for name in PAIRS}
    gaps = [run.numbers["softmax_test_accuracy"] - run.numbers["sigmoid_test_accuracy"] for run in runs]
    return Finding(
        min(reached.values()) > 0.95 and abs(fmean(gaps)) < 0.01,
        Text(
            f"test accuracy {reached['sigmoid']:.2%} with sigmoid outputs and the cross-entropy, "
            f"{reached['softmax']:.2%} with softmax and the log-likelihood (asked for: both above 95 %, within 1 "
            "point)",
            f"sigmoid 输出加交叉熵的测试准确度为 {reached['sigmoid']:.2%}，softmax 加对数似然为 "
            f"{reached['softmax']:.2%}"
            "（判定：都高于 95 %，相差 1 个百分点以内）",
        ),
    )


EXPERIMENTS = (
    Experiment(
        id="cross-entropy-derived",
        title=Text("The cross-entropy from the wish ∂C/∂b = a - y", "由愿望 ∂C/∂b = a - y 推出交叉熵"),
        source=MEANING,
        measure=_from_the_wish,
        claims=(
            Claim(
                Text(
                    "(71) and (72) determine the cross-entropy uniquely, up to a constant.",
                    "(71) 和 (72) 唯一确定了交叉熵的形式，只差一个常数项。",
                ),
                _is_the_cross_entropy,
            ),
            Claim(
                Text(
                    "It measures surprise: low where the output is as expected, high where it is not.",
                    "它是惊奇的度量：输出符合期望时小，不符合时大。",
                ),
                _surprise,
            ),
        ),
        drawings=(
            Drawing(
                "integral",
                Text(
                    "Thin: integrated numerically. Broad: the formula (76). One curve for each desired output.",
                    "细线：数值积分；粗线：公式 (76)。每个期望输出一条曲线。",
                ),
                _draw_wish,
            ),
        ),
        runs=1,
    ),
    Experiment(
        id="sigmoid-or-softmax",
        title=Text(
            "Sigmoid outputs with the cross-entropy, softmax with the log-likelihood",
            "sigmoid 输出加交叉熵，与 softmax 加对数似然",
        ),
        source=SOFTMAX,
        measure=_both,
        claims=(
            Claim(
                Text("Both combinations work well.", "两种组合的效果都不错。"),
                _both_work,
            ),
        ),
        deviations=(
            Text(
                "The text says so of many applications; here [784, 30, 10], 15 epochs, learning rate 0.3.",
                "书中说的是许多应用场景；这里用 [784, 30, 10]，15 回合，学习率 0.3。",
            ),
        ),
        minutes=0.3,
    ),
)
