"""A verdict on overfitting: the history of a training, measured against the noise of its own numbers."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from firsthand.errors import FirsthandError
from firsthand.learning import History

__all__ = ["Verdict", "accuracy_noise", "cost_turn", "overfitting"]

Kind = Literal["none", "gap", "overfitting"]


@dataclass(frozen=True)
class Verdict:
    """The signs of overfitting in a history.

    Args:
        kind: 'none', no gap larger than its noise; 'gap', the training data are known better than others, and going on
            has done no measurable harm; 'overfitting', there is a gap, and going on has made the validation data worse.
        epoch: that was looked at, the last.
        training_accuracy, validation_accuracy: after it.
        noise: standard error of their difference.
        cost_turned: the epoch of least validation cost, if the cost has risen for good since; None otherwise.
        accuracy_fell: by how much the validation accuracy is below its best, if that is more than noise; 0 otherwise.
        english, chinese: the same in words.
    """

    kind: Kind
    epoch: int
    training_accuracy: float
    validation_accuracy: float
    noise: float
    cost_turned: int | None
    accuracy_fell: float
    english: str
    chinese: str

    @property
    def gap(self) -> float:
        """Training accuracy less validation accuracy."""
        return self.training_accuracy - self.validation_accuracy


def overfitting(history: History, *, training_images: int, validation_images: int) -> Verdict:
    """The verdict on overfitting.

    A difference counts where it is larger than two standard errors, which chance alone exceeds in one case of twenty:

        se(p) = sqrt(p (1 - p) / n)                     of an accuracy p on n images (binomial)
        se(gap)^2 = se(training)^2 + se(validation)^2

    An accuracy of 1 or 0 is taken as (n - 1/2)/n or 1/(2n), so that its error is not 0.  The fall of the validation
    accuracy from its best is compared with the error of two accuracies too, although both are of the same images and
    differ by less than chance would have it: what is called a fall is one.

    Args:
        history: of a training whose recipe monitored training_accuracy and validation_accuracy, and for the turn of the
            cost validation_cost.
        training_images, validation_images: how many images the accuracies were measured on.
    Returns:
        A `Verdict`.
    Raises:
        FirsthandError: the history lacks one of the accuracies, or a number of images is not positive.
    References:
        Nielsen, chapter 3, 'Overfitting and regularization'.
    """
    for name in ("training_accuracy", "validation_accuracy"):
        if name not in history:
            raise FirsthandError(f"history: no {name}, expected a recipe with monitor training and validation accuracy")
    training, validation = history["training_accuracy"], history["validation_accuracy"]
    now, before = accuracy_noise(validation[-1], validation_images), accuracy_noise(max(validation), validation_images)
    noise = math.hypot(accuracy_noise(training[-1], training_images), now)
    fell = max(validation) - validation[-1]
    fell = fell if fell > 2 * math.hypot(now, before) else 0.0
    turned = cost_turn(history["validation_cost"]) if "validation_cost" in history else None
    if training[-1] - validation[-1] <= 2 * noise:
        kind: Kind = "none"
    else:
        kind = "overfitting" if turned is not None or fell else "gap"
    epochs = [int(epoch) for epoch in history["epoch"]]
    at = None if turned is None else epochs[turned]
    english, chinese = _words(kind, training[-1], validation[-1], noise, at, fell)
    return Verdict(kind, epochs[-1], training[-1], validation[-1], noise, at, fell, english, chinese)


def accuracy_noise(accuracy: float, n: int) -> float:
    """sqrt(p (1 - p) / n): the standard error of an accuracy p on n images, with p kept 1/(2n) away from 0 and 1.

    Raises:
        FirsthandError: no images.

    Examples:
        >>> round(accuracy_noise(0.98, 10_000), 4)
        0.0014
    """
    if n < 1:
        raise FirsthandError(f"accuracy_noise: n is {n}, expected 1 or more images")
    p = min(max(accuracy, 0.5 / n), 1 - 0.5 / n)
    return math.sqrt(p * (1 - p) / n)


def cost_turn(costs: Sequence[float]) -> int | None:
    """The index of the least cost, if the costs have risen for good since; None if they have not.

    They have, where at least three epochs follow and the mean of the last three is above the least by more than three
    times the noise s.  A cost per epoch has no binomial error; s is taken from the costs themselves, as what is left of
    the difference between neighbours after their trend, s^2 = var(c_{i+1} - c_i) / 2.

    Args:
        costs: one per epoch.

    Examples:
        >>> cost_turn([1.0, 0.5, 0.4, 0.45, 0.5, 0.55, 0.6]), cost_turn([1.0, 0.5, 0.4, 0.3, 0.2])
        (2, None)
    """
    c = np.asarray(costs, np.float64)
    least = int(np.argmin(c))
    if len(c) - least <= 3:
        return None
    after = np.diff(c[least:])
    s = float(np.std(after)) / math.sqrt(2)
    return least if c[-3:].mean() - c[least] > 3 * s else None


def _words(
    kind: Kind, training: float, validation: float, noise: float, turned: int | None, fell: float
) -> tuple[str, str]:
    gap = f"{100 * (training - validation):.2f}"
    error = f"{200 * noise:.2f}"
    numbers = f"{training:.2%} of the training images are right, {validation:.2%} of the validation images"
    in_chinese = f"训练图像的准确度为 {training:.2%}，验证图像为 {validation:.2%}"
    if kind == "none":
        return (
            f"No overfitting that could be measured: {numbers}; a difference of {gap} points is within its noise "
            f"(two standard errors: {error} points).",
            f"没有可测得的过拟合：{in_chinese}；相差 {gap} 个百分点，未超出噪声（两倍标准误为 {error} 个百分点）。",
        )
    if kind == "gap":
        return (
            f"A gap, but no harm yet: {numbers}, {gap} points apart (noise: {error}). Neither the validation accuracy "
            "nor the validation cost has become worse with further epochs. More data or regularization would narrow "
            "the gap.",
            f"存在差距，但尚无害处：{in_chinese}，相差 {gap} 个百分点（噪声为 {error}）。继续训练并未使验证准确度或验证"
            "代价变差。更多数据或规范化可以缩小差距。",
        )
    reasons = []
    reasons_zh = []
    if turned is not None:
        reasons.append(f"the validation cost was least at epoch {turned} and has risen since")
        reasons_zh.append(f"验证代价在第 {turned} 个 epoch 最低，此后上升")
    if fell:
        reasons.append(f"the validation accuracy has fallen by {100 * fell:.2f} points from its best")
        reasons_zh.append(f"验证准确度比最好时下降了 {100 * fell:.2f} 个百分点")
    return (
        f"Overfitting: {numbers}, {gap} points apart (noise: {error}), and {' and '.join(reasons)}. More data, "
        "regularization, dropout, or stopping earlier helps.",
        f"过拟合：{in_chinese}，相差 {gap} 个百分点（噪声为 {error}），并且{'；'.join(reasons_zh)}。增加数据、规范化、"
        "dropout 或提前停止会有帮助。",
    )
