"""*Grokking Deep Learning*, chapter 10: its convolutional network in NumPy, as printed and corrected."""

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from firsthand.data import mnist
from firsthand.experiments.drawing import COLOURS, in_percent, panels
from firsthand.experiments.experiment import Claim, Drawing, Experiment, Measured, Run
from firsthand.experiments.result import Finding, Published, Result, Source, Text
from firsthand.files import write_atomically
from firsthand.reference import grokking

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["EXPERIMENTS"]

ITERATIONS = 300
VARIANTS = {
    "printed": grokking.AS_PRINTED,
    "corrected": grokking.CORRECTED,
    "gradient_descent": grokking.GRADIENT_DESCENT,
}
# what the text prints: iterations 0 to 8, and 297 to 299
TEST = (0.0288, 0.0273, 0.028, 0.0292, 0.0339, 0.0478, 0.076, 0.1316, 0.2137), (0.8774, 0.8774, 0.8774)
TRAINING = (0.055, 0.037, 0.037, 0.04, 0.046, 0.068, 0.083, 0.096, 0.127), (0.816, 0.804, 0.814)


def _measure(run: Run) -> Measured:
    """All three variants, each with the listing's own random numbers, from seed 1 + the run's."""
    numbers: dict[str, float] = {}
    arrays: dict[str, list[float]] = {}
    for name, variant in VARIANTS.items():
        test, training = _train(run, name, variant)
        prefix = "" if name == "printed" else f"{name}_"
        numbers |= {f"{prefix}test_accuracy": test[-1], f"{prefix}training_accuracy": training[-1]}
        if name == "printed":
            numbers |= {"first_test_accuracy": test[0], "first_training_accuracy": training[0]}
        arrays |= {f"{name}_test": test, f"{name}_training": training}
    return Measured(numbers, arrays)


def _train(run: Run, name: str, variant: grokking.Variant) -> tuple[list[float], list[float]]:
    """Test and training accuracies of every iteration; each leaves a checkpoint."""
    iterations, images = run.shortened(ITERATIONS, 2), run.shortened(10_000, 1_000)
    data, place = mnist(), run.place / f"{name}.npz"
    train, test = data.train[:1000], data.test[:images]
    rng = np.random.RandomState(1 + run.seed)
    parameters, history = None, np.zeros((0, 2))
    if place.exists():
        with np.load(place) as kept:
            parameters, history = grokking.Parameters(kept["kernels"], kept["weights"]), kept["history"]
            rng.set_state({"bit_generator": "MT19937", "state": {"key": kept["key"], "pos": int(kept["pos"])}})
    for iteration in grokking.train(
        train.images[..., 0] / 255,
        train.labels,
        test.images[..., 0] / 255,
        test.labels,
        variant,
        iterations - len(history),
        rng,
        parameters,
    ):
        history = np.vstack([history, iteration[:2]])
        _keep(place, iteration.parameters, history, rng)
        run.say(f"{name.replace('_', ' ')} {len(history)}/{iterations} {iteration.test_accuracy:.4f}")
    test_accuracies, training_accuracies = history.round(4).T.tolist()
    return test_accuracies, training_accuracies


def _keep(place: Any, parameters: grokking.Parameters, history: np.ndarray, rng: np.random.RandomState) -> None:
    state: Any = rng.get_state(legacy=False)
    buffer = io.BytesIO()
    np.savez(buffer, **parameters._asdict(), **state["state"], history=history)
    write_atomically(place, buffer.getvalue())


def _as_printed(runs: Sequence[Measured]) -> Finding:
    test, training = runs[0].arrays["printed_test"], runs[0].arrays["printed_training"]
    pairs = [*zip(test[:9] + test[-3:], sum(TEST, ()), strict=True)]
    pairs += zip(training[:9] + training[-3:], sum(TRAINING, ()), strict=True)
    same = sum(ours == theirs for ours, theirs in pairs)
    return Finding(
        same == len(pairs),
        Text(
            f"{same} of the {len(pairs)} printed accuracies are met digit by digit",
            f"印出的 {len(pairs)} 个准确度中有 {same} 个逐位相同",
        ),
    )


def _draw(result: Result, needed: Mapping[str, Result]) -> "Figure":
    figure, ((left, right),) = panels(1, 2, width=4.8)
    arrays = result.runs[0]["arrays"]
    names = ("as printed", "corrected: positions, sign", "gradient descent: and the slope")
    for axes, which in ((left, "test"), (right, "training")):
        for variant, name, colour, line in zip(VARIANTS, names, COLOURS, ("-", "--", ":"), strict=False):
            curve = arrays[f"{variant}_{which}"]
            axes.plot(range(len(curve)), curve, line, color=colour, label=name, linewidth=1.2)
        axes.set(xlabel="iteration", ylabel=f"{which} accuracy", ylim=(0, 1))
        in_percent(axes)
    left.set_title("10,000 test images" if not result.quick else "1,000 test images", fontsize=10)
    right.set_title("1,000 training images, dropout on", fontsize=10)
    right.legend(frameon=False, loc="lower right")
    return figure


EXPERIMENTS = (
    Experiment(
        id="grokking-cnn",
        title=Text(
            "A convolutional network in a few lines of NumPy: the listing as printed, and what its mistakes do",
            "用几行 NumPy 写成的卷积神经网络：按印出的代码运行，以及其中的错误有什么影响",
        ),
        source=Source("Grokking Deep Learning", "chapter 10, 'A simple implementation in NumPy'"),
        measure=_measure,
        published=(
            Published("test_accuracy", 0.8774, "exact", 0.00005),
            Published("training_accuracy", 0.814, "exact", 0.00005),
            Published("first_test_accuracy", 0.0288, "exact", 0.00005),
            Published("first_training_accuracy", 0.055, "exact", 0.00005),
        ),
        claims=(
            Claim(
                Text(
                    "The listing prints, from I:0 Test-Acc:0.0288 Train-Acc:0.055 to I:299 Test-Acc:0.8774 "
                    "Train-Acc:0.814, the accuracies that the text shows.",
                    "程序从 I:0 Test-Acc:0.0288 Train-Acc:0.055 到 I:299 Test-Acc:0.8774 Train-Acc:0.814，"
                    "打印出正文所示的准确度。",
                ),
                _as_printed,
            ),
        ),
        deviations=(
            Text(
                "As printed means the long listing, from the same random numbers; only the evaluation takes 500 test "
                "images at a time.",
                "“按印出”指完整的代码清单，使用同样的随机数；只是评估时每次取 500 张测试图像。",
            ),
            Text(
                "Corrected (not in the text): 26 x 26 positions instead of 25 x 25, and the kernels move downhill; the "
                "listing subtracts from them what it adds to the weights.",
                "“修正”（原文没有）：26 x 26 个位置而不是 25 x 25；卷积核沿梯度下降，"
                "而原代码对权重用加，对卷积核却用减。",
            ),
            Text(
                "Gradient descent (not in the text): besides, the slope of tanh is taken before dropout doubles the "
                "activations.",
                "“梯度下降”（原文没有）：除此之外，在 dropout 把激活值加倍之前求 tanh 的斜率。",
            ),
        ),
        drawings=(
            Drawing(
                "curves",
                Text(
                    "As printed, accuracy collapses twice before it settles: the kernels are driven uphill. "
                    "The corrected listings rise smoothly, and end alike.",
                    "按印出的代码，准确度两次崩塌之后才稳定：卷积核被推向上坡。修正之后曲线平稳上升，终点相近。",
                ),
                _draw,
            ),
        ),
        runs=1,
        minutes=15,
    ),
)
