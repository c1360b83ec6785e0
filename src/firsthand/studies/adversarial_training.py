"""Chapter 6, recent progress: the sign of the gradient fools, and training on what it makes helps."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from firsthand import nn
from firsthand.data import Splits, mnist
from firsthand.experiments.drawing import COLOURS, in_percent, panels
from firsthand.experiments.experiment import Claim, Drawing, Experiment, Measured, Run, mean_of
from firsthand.experiments.result import Finding, Result, Text
from firsthand.inspect.adversarial import fooled, gradient_sign, projected_gradient
from firsthand.inspect.adversarial_source import Adversarial
from firsthand.learning import Cosine, Hardened, Recipe
from firsthand.models import Model
from firsthand.nn import Network

from .adversarial import PROGRESS
from .common import trained

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["EXPERIMENTS"]

EPSILON = 0.25
EPSILONS = (0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3)
LAYERS = (
    nn.FullyConnected(200, nn.relu, weights_init=nn.he),
    nn.FullyConnected(200, nn.relu, weights_init=nn.he),
    nn.Softmax(10),
)
RECIPE = Recipe(epochs=4, batch_size=50, learning_rate=Cosine(0.2, 4), keep_best=False)
NAMES = {
    "plain": "images as they are",
    "sign": "changed ones, made each epoch",
    "batch": "changed ones, made each mini-batch",
}


def _measure(run: Run) -> Measured:
    data, numbers, curves = mnist(), {}, {}
    images = data.train[: run.shortened(50_000, 2_000)]
    some = data.test[: run.shortened(1_000, 100)]
    x, labels = some.images, some.labels
    for kind in NAMES:
        source = Adversarial(images, Network(LAYERS, images.image_shape), EPSILON) if kind == "sign" else images
        recipe = RECIPE.changed(objective=Hardened(epsilon=EPSILON)) if kind == "batch" else RECIPE
        model = trained(run, LAYERS, recipe, data=Splits(source, data.validation, data.test), name=kind).model
        signed = {epsilon: gradient_sign(model, x, labels, epsilon) for epsilon in EPSILONS}
        wrong = {epsilon: fooled(model, changed, labels) for epsilon, changed in signed.items()}
        stepped = projected_gradient(model, x, labels, EPSILON, steps=20)
        numbers |= {
            f"{kind}_test_error": float(1 - model.accuracy(data.test)),
            f"{kind}_sign_error": float(np.mean(wrong[EPSILON])),
            f"{kind}_sign_confidence": _confidence(model, signed[EPSILON][wrong[EPSILON]]),
            f"{kind}_steps_error": float(np.mean(fooled(model, stepped, labels))),
        }
        curves[kind] = [round(float(np.mean(wrong[epsilon])), 4) for epsilon in EPSILONS]
    return Measured(numbers, {"sign_error": curves})


def _confidence(model: Model, images: np.ndarray) -> float:
    return float(np.mean(model.probabilities(images).max(axis=1))) if len(images) else 0.0


def _it_fools(runs: Sequence[Measured]) -> Finding:
    error, sure = mean_of(runs, "plain_sign_error"), mean_of(runs, "plain_sign_confidence")
    clean = mean_of(runs, "plain_test_error")
    return Finding(
        error >= 0.89,
        Text(
            f"error {error:.1%} with a mean confidence of {sure:.1%}, where unchanged images have {clean:.2%}",
            f"错误率 {error:.1%}，平均置信度 {sure:.1%}；未改变的图像错误率为 {clean:.2%}",
        ),
    )


def _it_helps(runs: Sequence[Measured]) -> Finding:
    before, epoch, batch = (mean_of(runs, f"{kind}_sign_error") for kind in NAMES)
    clean = ", ".join(f"{mean_of(runs, f'{kind}_test_error'):.2%}" for kind in NAMES)
    return Finding(
        max(epoch, batch) < before,
        Text(
            f"error on the sign of the gradient {before:.1%}; trained on changed images made each epoch (a Source) "
            f"{epoch:.1%}, made each mini-batch (the objective Hardened) {batch:.1%}; on unchanged images {clean}",
            f"对梯度符号图像的错误率为 {before:.1%}；用每个 epoch 制作的改变图像训练（Source）后为 {epoch:.1%}，"
            f"每个小批量制作"
            f"（目标 Hardened）后为 {batch:.1%}；对未改变的图像依次为 {clean}",
        ),
    )


def _no_cure(runs: Sequence[Measured]) -> Finding:
    epoch, batch = (mean_of(runs, f"{kind}_steps_error") for kind in ("sign", "batch"))
    return Finding(
        min(epoch, batch) > 0.2,
        Text(
            f"20 small steps within the same epsilon fool the first {epoch:.1%} of the time, the second {batch:.1%}",
            f"在同样的 epsilon 内走 20 小步，对前者的错误率为 {epoch:.1%}，对后者为 {batch:.1%}",
        ),
    )


def _draw(result: Result, needed: Mapping[str, Result]) -> "Figure":
    figure, grid = panels(1, 1, width=5.4, height=3.6)
    axes = grid[0, 0]
    for colour, (kind, name) in zip(COLOURS, NAMES.items(), strict=False):
        for number, run in enumerate(result.runs):
            label = None if number else f"trained on {name}" if kind == "plain" else f"and on {name}"
            axes.plot(EPSILONS, run["arrays"]["sign_error"][kind], color=colour, linewidth=1.2, label=label)
        worst = result.values(f"{kind}_steps_error")
        axes.plot([EPSILON] * len(worst), worst, "x", color=colour)
    axes.plot([], [], "x", color="0.3", label="20 small steps")
    axes.set(xlabel="epsilon: how far each pixel is moved", ylabel="error", ylim=(0, 1.02))
    in_percent(axes)
    axes.legend(frameon=False, fontsize=8)
    return figure


EXPERIMENTS = (
    Experiment(
        "fgsm-training",
        Text("One step along the sign of the gradient, and training on it", "沿梯度符号走一步，以及用它来训练"),
        PROGRESS,
        _measure,
        claims=(
            Claim(
                Text(
                    "The sign of the gradient with epsilon 0.25 leads to an error of 89 % or more (Goodfellow et al. "
                    "2014, section 4, as we recall it: 89.4 % for a maxout network, 99.9 % for a shallow softmax).",
                    "epsilon 为 0.25 的梯度符号使错误率达到 89 % 以上（Goodfellow 等 2014 年第 4 节，据我们的记忆："
                    "maxout "
                    "网络 89.4 %，浅层 softmax 99.9 %）。",
                ),
                _it_fools,
            ),
            Claim(
                Text(
                    "Training on such images lowers that error (there to 17.9 %).",
                    "用这样的图像训练会降低该错误率（论文中降到 17.9 %）。",
                ),
                _it_helps,
            ),
            Claim(
                Text(
                    "It is no cure: small steps still find what fools these networks (ours).",
                    "这并不能根治：小步攻击仍能骗过这些网络（我们的说法）。",
                ),
                _no_cure,
            ),
        ),
        deviations=(
            Text(
                "Two layers of 200 rectified linear units instead of maxout, 4 epochs; the first 1,000 test images are "
                "attacked. The paper makes the changed images each mini-batch; a `Source` makes them once an epoch.",
                "用两层各 200 个修正线性单元代替 maxout，4 个 epoch；攻击前 1,000 幅测试图像。"
                "论文在每个小批量制作改变的图像；"
                "`Source` 每个 epoch 制作一次。",
            ),
        ),
        drawings=(
            Drawing(
                "errors",
                Text(
                    "Error over epsilon, a line for each run. Crosses: 20 small steps within the same epsilon, which "
                    "find more.",
                    "错误率随 epsilon 的变化，每次运行一条线。叉号：同样 epsilon 内走 20 小步，能骗过更多。",
                ),
                _draw,
            ),
        ),
        minutes=3,
    ),
)
