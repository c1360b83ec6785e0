"""Trainings of the texts, for the page Train."""

from typing import NamedTuple

from .settings import TrainingSettings

__all__ = ["PRESETS", "Preset"]


class Preset(NamedTuple):
    """A training to begin with.

    Args:
        id: of the experiment that it is taken from, if there is one.
        en, zh: what it is, and what to look for.
        where: place in the texts.
        settings: all that can be chosen.
    """

    id: str
    en: tuple[str, str]
    zh: tuple[str, str]
    where: str
    settings: TrainingSettings


def _preset(id: str, where: str, en: tuple[str, str], zh: tuple[str, str], **settings: object) -> Preset:
    return Preset(id, en, zh, where, TrainingSettings.model_validate(settings))


PRESETS = (
    _preset(
        "first",
        "3",
        ("A first look", "A small network on 5,000 images: 90 % after seconds."),
        ("初次体验", "小网络，5000 幅图像：几秒钟就能达到 90 %。"),
    ),
    _preset(
        "quadratic-30",
        "2",
        ("Chapter 2: quadratic cost", "95.42 % in the text. Units start saturated, and the first epochs are slow."),
        ("第二章：二次代价函数", "书中为 95.42 %。神经元一开始就饱和，最初几个回合学得慢。"),
        cost="quadratic",
        initialization="large",
        examples=50_000,
        learning_rate=3.0,
    ),
    _preset(
        "cross-entropy-30",
        "3",
        ("Chapter 3: cross-entropy", "95.49 % in the text: the slowdown of saturated outputs is gone."),
        ("第三章：交叉熵", "书中为 95.49 %：输出神经元饱和造成的学习缓慢消失了。"),
        initialization="large",
        examples=50_000,
    ),
    _preset(
        "overfit-1000",
        "3",
        (
            "Chapter 3: overfitting",
            "1,000 images, 400 epochs: training accuracy reaches 100 %, the validation cost turns near epoch 15.",
        ),
        ("第三章：过度拟合", "1000 幅图像，400 个回合：训练准确度达到 100 %，验证代价在第 15 期附近掉头上升。"),
        initialization="large",
        examples=1_000,
        epochs=400,
    ),
    _preset(
        "l2-1000",
        "3",
        ("Chapter 3: the same with L2", "λ = 0.1: the validation accuracy goes on rising, the gap is smaller."),
        ("第三章：加上 L2 规范化", "λ = 0.1：验证准确度继续上升，差距变小。"),
        initialization="large",
        examples=1_000,
        epochs=400,
        regularization="l2",
        strength=0.1,
    ),
    _preset(
        "l2-100-hidden",
        "3",
        ("Chapter 3: 100 hidden units, L2", "λ = 5: 97.92 % on validation data in the text."),
        ("第三章：100 个隐藏神经元，L2", "λ = 5：书中验证准确度为 97.92 %。"),
        hidden=[100],
        initialization="large",
        examples=50_000,
        regularization="l2",
        strength=5.0,
    ),
    _preset(
        "depth-4",
        "5",
        (
            "Chapter 5: four hidden layers",
            "Look at the gradients: the earlier a layer, the smaller its gradient, and the slower it learns.",
        ),
        ("第五章：四个隐藏层", "请看梯度：越靠前的层梯度越小，学得越慢（消失的梯度）。"),
        hidden=[30, 30, 30, 30],
        initialization="network2",
        examples=50_000,
        learning_rate=0.1,
        regularization="l2",
        strength=5.0,
    ),
    _preset(
        "shallow",
        "6",
        ("Chapter 6: one hidden layer, softmax", "The network to beat: 97.80 % in the text, after 60 epochs."),
        ("第六章：一个隐藏层，softmax输出", "比较的起点：书中 60 个回合后为 97.80 %。"),
        hidden=[100],
        cost="log-likelihood",
        examples=50_000,
        epochs=60,
        learning_rate=0.1,
    ),
    _preset(
        "conv-2-relu",
        "6",
        ("Chapter 6: two convolutional layers, ReLU", "99.23 % in the text; 98 % after the first few epochs."),
        ("第六章：两个卷积层，ReLU", "书中为 99.23 %；最初几个回合就到 98 %。"),
        convolutions=2,
        hidden=[100],
        activation="relu",
        cost="log-likelihood",
        initialization="he",
        examples=50_000,
        epochs=60,
        learning_rate=0.03,
        regularization="l2",
        strength=1.0,  # 0.1 over the number of mini-batches, as network3 has it
    ),
    _preset(
        "dropout-mlp",
        "3",
        ("Chapter 3: dropout", "Half of the hidden units are left out of every step: the gap stays small."),
        ("第三章：弃权（dropout）", "每一步随机弃权一半隐藏神经元：训练与验证的差距保持很小。"),
        hidden=[100],
        activation="relu",
        cost="log-likelihood",
        initialization="he",
        examples=5_000,
        epochs=60,
        learning_rate=0.1,
        dropout=0.5,
    ),
)
