"""Chapter 6, recent progress: the sign of the gradient fools, and training on what it makes helps."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from firsthand import nn
from firsthand.data import Splits, mnist
from firsthand.experiments.drawing import COLOURS, in_percent, panels
from firsthand.experiments.experiment import Claim, Drawing, Experiment, Measured, Run
from firsthand.experiments.result import Finding, Result, Text
from firsthand.inspect.adversarial import fooled, gradient_sign, projected_gradient
from firsthand.inspect.adversarial_source import Adversarial
from firsthand.learning import Cosine, Recipe
from firsthand.models import Model
from firsthand.nn import Network

from .adversarial import PROGRESS, mean
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
KINDS = {"plain": 0, "sign": 1, "small_steps": 5}  # steps of the attack that is trained on
NAMES = {"plain": "images as they are", "sign": "and their signs of gradient", "small_steps": "and 5 small steps"}


def _measure(run: Run) -> Measured:
    data, numbers, curves = mnist(), {}, {}
    images = data.train[: run.shortened(50_000, 2_000)]
    some = data.test[: run.shortened(1_000, 100)]
    x, labels = some.images, some.labels
    for kind, steps in KINDS.items():
        train = Adversarial(images, Network(LAYERS, images.image_shape), EPSILON, steps) if steps else images
        model = trained(run, LAYERS, RECIPE, data=Splits(train, data.validation, data.test), name=kind).model
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
    error, sure = mean(runs, "plain_sign_error"), mean(runs, "plain_sign_confidence")
    clean = mean(runs, "plain_test_error")
    return Finding(
        error >= 0.89,
        Text(
            f"error {error:.1%} with a mean confidence of {sure:.1%}, where unchanged images have {clean:.2%}",
            f"错误率 {error:.1%}，平均置信度 {sure:.1%}；未改变的图像错误率为 {clean:.2%}",
        ),
    )


def _it_helps(runs: Sequence[Measured]) -> Finding:
    before, after = mean(runs, "plain_sign_error"), mean(runs, "sign_sign_error")
    return Finding(
        after < before / 2,
        Text(
            f"error on the sign of the gradient {after:.1%} instead of {before:.1%}; on unchanged images "
            f"{mean(runs, 'sign_test_error'):.2%} instead of {mean(runs, 'plain_test_error'):.2%}",
            f"对梯度符号图像的错误率由 {before:.1%} 降到 {after:.1%}；对未改变的图像由 "
            f"{mean(runs, 'plain_test_error'):.2%} 变为 {mean(runs, 'sign_test_error'):.2%}",
        ),
    )


def _other_attack(runs: Sequence[Measured]) -> Finding:
    signs, steps = mean(runs, "sign_steps_error"), mean(runs, "small_steps_steps_error")
    return Finding(
        signs > 2 * mean(runs, "sign_sign_error") and steps < signs,
        Text(
            f"20 small steps fool the network that has learned from the sign {signs:.1%} of the time, one that has "
            f"learned from 5 small steps {steps:.1%}",
            f"20 小步的攻击对学过梯度符号的网络错误率为 {signs:.1%}，对学过 5 小步攻击的网络为 {steps:.1%}",
        ),
    )


def _draw(result: Result, needed: Mapping[str, Result]) -> "Figure":
    figure, grid = panels(1, 1, width=5.4, height=3.6)
    axes = grid[0, 0]
    for colour, (kind, name) in zip(COLOURS, NAMES.items(), strict=False):
        for number, run in enumerate(result.runs):
            label = None if number else f"trained on {name}" if kind == "plain" else f"... {name}"
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
                    "It is no cure: small steps still find what fools it, and training on small steps helps "
                    "against both.",
                    "这并不能根治：小步攻击仍能骗过它；用小步攻击的图像训练，对两者都有帮助。",
                ),
                _other_attack,
            ),
        ),
        deviations=(
            Text(
                "Two layers of 200 rectified linear units instead of maxout; the changed images are made once an epoch "
                "(a `Source`), not once a mini-batch; the first 1,000 test images are attacked.",
                "用两层各 200 个修正线性单元代替 maxout；改变的图像每个 epoch 制作一次（`Source`），"
                "而不是每个小批量一次；"
                "攻击前 1,000 幅测试图像。",
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
