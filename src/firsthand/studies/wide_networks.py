"""Chapter 3, what others reached with wider networks: dropout, and images made from others by distortion."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from firsthand import nn
from firsthand.data import Affine
from firsthand.experiments.drawing import COLOURS, curves, in_percent, panels
from firsthand.experiments.experiment import Claim, Drawing, Experiment, Measured, Run, mean_of
from firsthand.experiments.result import Finding, Published, Result, Source, Text
from firsthand.learning import Cosine, Recipe
from firsthand.zoo import SIMARD

from .common import curves_of, measured, trained
from .more_data import EXPANDING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["EXPERIMENTS"]

DROPOUT = Source("Nielsen", "chapter 3, 'Other techniques for regularization' (规范化的其他技术), dropout")

# the affine part of the recipe's distortions
AFFINE = Affine(degrees=10, scale=0.1, shear=0.1, translate=1)


# --- dropout ------------------------------------------------------------------------------------------------------

EPOCHS = 60


def _dropout_mlp(run: Run) -> Measured:
    first, second = (nn.FullyConnected(800, nn.relu, weights_init=nn.he) for _ in range(2))
    half, output = nn.Dropout(0.5), nn.Softmax(10)
    recipe = Recipe(epochs=EPOCHS, batch_size=100, learning_rate=Cosine(0.1, EPOCHS), momentum=0.9)
    numbers, arrays = {}, {}
    for name, layers, l2 in (
        ("without", (first, second, output), 0.0),
        ("dropout_l2", (first, half, second, half, output), 5.0 / 50_000),
    ):
        training = trained(run, layers, replace(recipe, l2=l2), name=name, quick_examples=2000)
        numbers |= {f"{name}_{quantity}": value for quantity, value in measured(training).numbers.items()}
        arrays |= curves_of(training, f"{name}_")
    return Measured(numbers, arrays)


def _dropout_helps(runs: Sequence[Measured]) -> Finding:
    pairs = [(run.numbers["without_test_accuracy"], run.numbers["dropout_l2_test_accuracy"]) for run in runs]
    gains = ", ".join(f"{100 * (after - before):+.2f}" for before, after in pairs)
    return Finding(
        all(after > before for before, after in pairs),
        Text(f"points of test accuracy gained, run by run: {gains}", f"各次运行测试准确度的增量（百分点）：{gains}"),
    )


def _draw_dropout(result: Result, needed: Mapping[str, Result]) -> "Figure":
    figure, ((axes,),) = panels(1, 1, width=6, height=3.6)
    for name, label, colour, line in (
        ("without", "without", COLOURS[1], "--"),
        ("dropout_l2", "dropout and L2", COLOURS[0], "-"),
    ):
        curves(axes, result, f"{name}_validation_accuracy", line, colour, label)
    axes.set(xlabel="epoch", ylabel="accuracy on the validation data")
    axes.legend(frameon=False)
    in_percent(axes)
    return figure


# --- images made from others --------------------------------------------------------------------------------------


def _simard(run: Run) -> Measured:
    augments = {"plain": None, "affine": AFFINE, "elastic": SIMARD.recipe.augment}
    numbers, arrays = {}, {}
    for name, augment in augments.items():
        training = trained(run, SIMARD.layers, replace(SIMARD.recipe, augment=augment), name=name, quick_examples=2000)
        numbers |= {f"{name}_{quantity}": value for quantity, value in measured(training).numbers.items()}
        arrays |= curves_of(training, f"{name}_")
    return Measured(numbers, arrays)


def _each_better(runs: Sequence[Measured]) -> Finding:
    plain, affine, elastic = (mean_of(runs, f"{name}_test_accuracy") for name in ("plain", "affine", "elastic"))
    return Finding(
        plain < affine < elastic,
        Text(
            f"{plain:.2%} plain, {affine:.2%} with affine, {elastic:.2%} with elastic distortions as well (means)",
            f"不扭曲 {plain:.2%}，仿射 {affine:.2%}，再加弹性扭曲 {elastic:.2%}（平均值）",
        ),
    )


def _draw_simard(result: Result, needed: Mapping[str, Result]) -> "Figure":
    figure, ((axes,),) = panels(1, 1, width=6, height=3.6)
    for name, colour, line in zip(("plain", "affine", "elastic"), COLOURS, (":", "--", "-"), strict=False):
        curves(axes, result, f"{name}_validation_accuracy", line, colour, name)
    axes.set(xlabel="epoch", ylabel="accuracy on the validation data")
    axes.legend(frameon=False)
    in_percent(axes)
    return figure


# --- the list -----------------------------------------------------------------------------------------------------

EXPERIMENTS = (
    Experiment(
        id="dropout-mlp",
        title=Text("Dropout and L2 in a fully connected network", "全连接网络中的 dropout 与 L2 规范化"),
        source=DROPOUT,
        measure=_dropout_mlp,
        published=(
            Published("without_test_accuracy", 0.984),
            Published("dropout_l2_test_accuracy", 0.987),
        ),
        claims=(
            Claim(
                Text("Dropout with L2 improves on the network without.", "dropout 与 L2 结合优于不用它们的网络。"),
                _dropout_helps,
            ),
        ),
        deviations=(
            Text(
                "The text names no architecture; 784-800-800-10 is one of those of Hinton et al. 2012, with dropout "
                "of 1/2 on "
                "both hidden layers and none on the input.",
                "书中没有给出网络结构；784-800-800-10 是 Hinton 等人 2012 年论文中的一种，两个隐藏层都用 1/2 的 "
                "dropout，输入层不用。",
            ),
            Text(
                "ReLU, He's initialization and 60 epochs with momentum 0.9 and a learning rate that falls from 0.1, "
                "where the "
                "paper has sigmoid units and 3,000 epochs; 50,000 training images instead of 60,000.",
                f"使用 ReLU、He 初始化、{EPOCHS} 回合、动量 0.9、学习率从 0.1 下降；论文用 S 型神经元和 3,000 回合；"
                "训练图像 50,000 幅而非 60,000 幅。",
            ),
            Text(
                "L2 is a penalty with the chapter's lambda = 5; the paper bounds the length of every unit's weights.",
                "L2 是惩罚项，取该章的 λ = 5；论文限制每个神经元权重向量的长度。",
            ),
        ),
        drawings=(
            Drawing(
                "accuracy",
                Text(
                    "Dropout learns more slowly; where it ends is the claim.",
                    "dropout 学得较慢；最终的高低即本实验的论断。",
                ),
                _draw_dropout,
            ),
        ),
        minutes=9,
    ),
    Experiment(
        id="simard-mlp",
        title=Text("800 hidden units, and distorted training images", "800 个隐藏元与扭曲的训练图像"),
        source=EXPANDING,
        measure=_simard,
        published=(
            Published("plain_test_accuracy", 0.984),
            Published("affine_test_accuracy", 0.989),
            Published("elastic_test_accuracy", 0.993),
        ),
        claims=(
            Claim(
                Text(
                    "Affine distortions improve the network, elastic ones improve it further.",
                    "仿射扭曲提高准确度，弹性扭曲进一步提高。",
                ),
                _each_better,
            ),
        ),
        deviations=(
            Text(
                "ReLU and softmax with the log-likelihood cost, where the paper has one output per class and the "
                "cross-entropy; He's initialization; 80 epochs of 50,000 images with momentum and a falling "
                "learning rate "
                "(the recipe simard), alike for all three.",
                "使用 ReLU 与 softmax 加对数似然代价函数，论文用每类一个输出和交叉熵；He 初始化；50,000 幅图像训练 "
                "80 回合，"
                "带动量，学习率逐渐下降（配方 simard），三种情况相同。",
            ),
            Text(
                "Images are distorted differently each time they are seen, not once to enlarge the set; elastic comes "
                "together with affine distortions.",
                "图像每次使用时重新扭曲，而不是事先扩展成更大的数据集；弹性扭曲与仿射扭曲同时使用。",
            ),
        ),
        drawings=(
            Drawing(
                "accuracy",
                Text("The more varied the images, the higher it ends.", "图像的变化越丰富，最终准确度越高。"),
                _draw_simard,
            ),
        ),
        runs=1,  # longer than ten minutes; --runs 3 does more
        minutes=25,
    ),
)
