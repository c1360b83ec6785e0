"""Chapter 6, more from the same data: expanded training sets, wider and deeper networks on them, dropout, voting."""

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from statistics import fmean
from typing import TYPE_CHECKING

import numpy as np

from firsthand import nn
from firsthand.data import Affine, Dataset, Distort, Elastic, Splits, expanded, mnist
from firsthand.experiments.experiment import Claim, Comparison, Drawing, Experiment, Measured, Run, mean_of
from firsthand.experiments.result import Finding, Published, Result, Source, Text
from firsthand.learning import Cosine, Recipe
from firsthand.models import Model
from firsthand.zoo import DROPOUT

from .common import accuracy, measured, trained
from .convolution import BATCH_SIZE, PENALTY, PRACTICE, PROTOCOL, START, better_than, conv_network

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["EXPERIMENTS", "voted"]

MEMBERS = 5
BATCHES = 25_000  # in an epoch of the expanded set: network3 divides lambda by it
ON_EXPANDED = Recipe(60, BATCH_SIZE, 0.03, l2=0.1 / BATCHES)


@cache
def expanded_mnist() -> Splits[Dataset, Dataset]:
    """MNIST with every training image and its four displacements by one pixel, 250,000 in all."""
    data = mnist()
    return Splits(expanded(data.train), data.validation, data.test)


# --- wider, deeper ------------------------------------------------------------------------------------------------


def _on_expanded(
    name: str,
    title: Text,
    units: Sequence[int],
    published: float,
    *,
    needs: str,
    claim: Comparison,
    minutes: float,
    runs: int = 1,  # longer than ten minutes; --runs 3 does more
) -> Experiment:
    """Two ConvPool layers and some fully connected ones on the expanded set."""

    def measure(run: Run) -> Measured:
        return accuracy(run, conv_network((20, 40), units, nn.relu), ON_EXPANDED, data=expanded_mnist())

    return Experiment(
        name,
        title,
        PRACTICE,
        measure,
        published=(Published("test_accuracy", published, best_of=PROTOCOL),),
        claims=(claim,),
        deviations=(START, PENALTY),
        runs=runs,
        needs=(needs,),
        minutes=minutes,
    )


def _little_gained(runs: Sequence[Measured], needed: Mapping[str, Result]) -> Finding:
    before, after = needed["expanded"].mean("test_accuracy"), mean_of(runs, "test_accuracy")
    points = (after - before) * 100
    return Finding(
        points <= 0.1,
        Text(
            f"{after:.2%} against {before:.2%}: {points:+.2f} points",
            f"{after:.2%}，原来为 {before:.2%}：相差 {points:+.2f} 个百分点",
        ),
    )


EXPANDING_HELPS = Comparison(
    Text(
        "Expanding the training data improves the accuracy (by more than 0.05 points).",
        "扩展训练数据提高了准确度（超过 0.05 个百分点）。",
    ),
    better_than("conv-2-relu", 0.0005),
)
LITTLE_GAINED = Comparison(
    Text(
        "It is not a convincing win over 100 units in one layer (at most 0.1 points).",
        "与一层 100 个神经元相比，并没有明显的胜出（至多 0.1 个百分点）。",
    ),
    _little_gained,
)


# --- dropout and voting -------------------------------------------------------------------------------------------


def _mistakes(model: Model, data: Dataset) -> list[list[int]]:
    """[index, what it was called] of every misclassified image."""
    predicted = model.predict(data.images)
    return [[int(i), int(predicted[i])] for i in np.flatnonzero(predicted != data.labels)]


def _measure_dropout(run: Run) -> Measured:
    data = expanded_mnist()
    training = trained(run, DROPOUT.layers, DROPOUT.recipe, data=data)
    kernels = np.moveaxis(np.asarray(training.model.params[0]["weights"])[:, :, 0], -1, 0)  # (20, 5, 5)
    found = measured(training)
    arrays = {
        **found.arrays,
        "mistakes": _mistakes(training.model, data.test),
        "kernels": np.round(kernels.astype(float), 3).tolist(),
    }
    return Measured(found.numbers, arrays)


def voted(members: Sequence[Mapping[int, int]], labels: np.ndarray) -> list[list[int]]:
    """The majority's answers to the images that at least one member gets wrong, where that is wrong.

    Args:
        members: of each member what it called every image that it misclassifies, by index.  Of several labels with as
            many votes the one wins that comes first in the order of the members.
        labels: of all images, (n,).
    Returns:
        [index, what it was called, votes for that] of every image that the vote misclassifies.
    """
    found = []
    for index in sorted(set().union(*members)):
        label = int(labels[index])
        # most_common keeps the order in which the labels were first met
        [(called, votes)] = Counter(each.get(index, label) for each in members).most_common(1)
        if called != label:
            found.append([index, called, votes])
    return found


def _measure_ensemble(run: Run) -> Measured:
    runs = sorted(run.needed["dropout"].runs, key=lambda each: -each["numbers"]["validation_accuracy"])
    labels = mnist().test.labels
    mistakes = voted([dict(each["arrays"]["mistakes"]) for each in runs], labels)
    alone = [each["numbers"]["test_accuracy"] for each in runs]
    return Measured(
        {
            "test_accuracy": 1 - len(mistakes) / len(labels),
            "errors": len(mistakes),
            "members": len(runs),
            "best_member": max(alone),
            "mean_member": fmean(alone),
        },
        {"mistakes": mistakes},
    )


def _better_than_any(runs: Sequence[Measured]) -> Finding:
    n = runs[0].numbers
    return Finding(
        n["test_accuracy"] > n["best_member"],
        Text(
            f"{n['members']:.0f} voting {n['test_accuracy']:.2%} ({n['errors']:.0f} errors), the best of them alone "
            f"{n['best_member']:.2%}, their mean {n['mean_member']:.3%}",
            f"{n['members']:.0f} 个网络投票 {n['test_accuracy']:.2%}（{n['errors']:.0f} 个错误），其中最好的单个网络 "
            f"{n['best_member']:.2%}，平均 {n['mean_member']:.3%}",
        ),
    )


def _draw_mistakes(result: Result, needed: Mapping[str, Result]) -> "Figure":
    from firsthand.inspect import Mistake
    from firsthand.inspect.plots import plot_mistakes

    data, run = mnist().test, result.runs[0]
    members = run["numbers"]["members"]
    found = [
        Mistake(index, int(data.labels[index]), called, votes / members)
        for index, called, votes in run["arrays"]["mistakes"]
    ]
    figure = plot_mistakes(data, found)
    which = f"The {len(found)}" if len(found) <= 60 else f"60 of the {len(found)}"
    figure.suptitle(
        f"{which} errors of {members:.0f} voting networks; top right: is, bottom right: was called",
        fontsize=9,
    )
    return figure


# --- distortions --------------------------------------------------------------------------------------------------

# both affine and elastic, within what Simard et al. and Ciresan et al. describe
DISTORTIONS = Distort((Affine(degrees=10, scale=0.1, shear=0.1, translate=1), Elastic(sigma=6, alpha=38)))
SIMARD_CONV = Recipe(60, BATCH_SIZE, Cosine(0.1, 60), l2=1e-5, average=0.999, augment=DISTORTIONS)
CIRESAN = Recipe(80, 50, Cosine(0.02, 80, end=2e-5), momentum=0.9, nesterov=True, augment=DISTORTIONS)


def _measure_simard(run: Run) -> Measured:
    return accuracy(run, conv_network((20, 40), (100,), nn.relu), SIMARD_CONV)


def _measure_ciresan(run: Run) -> Measured:
    layers = conv_network((), (2_500, 2_000, 1_500, 1_000, 500), nn.relu)
    return accuracy(run, layers, CIRESAN, quick_examples=2_000)


# --- the experiments ----------------------------------------------------------------------------------------------

DROPOUT_HERE = Text(
    "What is kept is doubled in training, instead of halving the weights afterwards; every layer draws its own mask, "
    "where network3 lets all layers draw alike.",
    "训练时把保留下来的激活值乘以 2，而不是训练后把权重减半；各层的 dropout 各自抽取，而 network3 的各层抽取相同。",
)
DISTORTED = "affine (10 degrees, 10 % scale and shear, 1 pixel) and elastic (sigma 6, alpha 38) distortions"
DISTORTED_ZH = "仿射（10 度，缩放和倾斜各 10%，平移 1 像素）加弹性变形（sigma 6，alpha 38）"

EXPERIMENTS = (
    _on_expanded(
        "expanded",
        Text("Training set expanded by one-pixel shifts, 250,000 images", "把训练集按一个像素平移扩展到 250,000 幅"),
        (100,),
        0.9937,
        needs="conv-2-relu",
        claim=EXPANDING_HELPS,
        minutes=12,
        runs=3,  # six others are compared with it
    ),
    *(
        _on_expanded(
            f"expanded-{'two-' if layers > 1 else ''}fc-{units}",
            Text(
                f"{'Two fully connected layers' if layers > 1 else 'One fully connected layer'} of {units:,} units",
                f"{'两个' if layers > 1 else '一个'} {units:,} 个神经元的全连接层",
            ),
            (units,) * layers,
            published,
            needs="expanded",
            claim=LITTLE_GAINED,
            minutes=minutes,
        )
        for layers, units, published, minutes in (
            (1, 300, 0.9946, 13),
            (1, 1_000, 0.9943, 16),
            (2, 100, 0.9943, 12),
            (2, 300, 0.9948, 14),
            (2, 1_000, 0.9947, 21),
        )
    ),
    Experiment(
        "dropout",
        Text("Two fully connected layers of 1,000 units with dropout", "两个 1,000 个神经元的全连接层，使用 dropout"),
        PRACTICE,
        _measure_dropout,
        published=(Published("test_accuracy", 0.9960, best_of=PROTOCOL),),
        claims=(
            Comparison(
                Text(
                    "With dropout there is a substantial improvement over the expanded data alone (0.1 points).",
                    "使用 dropout 比仅仅扩展数据有显著的提高（0.1 个百分点）。",
                ),
                better_than("expanded", 0.001),
            ),
        ),
        deviations=(START, DROPOUT_HERE),
        runs=MEMBERS,
        needs=("expanded",),
        minutes=15,
    ),
    Experiment(
        "ensemble",
        Text("Five networks with dropout vote", "五个使用 dropout 的网络投票"),
        Source("Nielsen", "chapter 6, 'Convolutional neural networks in practice', 'Using an ensemble of networks'"),
        _measure_ensemble,
        published=(Published("test_accuracy", 0.9967),),
        claims=(
            Claim(
                Text("The vote is better than any of the networks alone.", "投票的结果好于其中任何一个网络。"),
                _better_than_any,
            ),
        ),
        deviations=(
            Text(
                "Of several labels with as many votes the one wins that the network with the best validation accuracy "
                "among their voters names; the text does not say.",
                "票数相同时，取投票者中验证准确度最高的网络所投的标签；原文没有说明。",
            ),
        ),
        drawings=(
            Drawing(
                "mistakes",
                Text(
                    "What the vote gets wrong: top right what it is, bottom right what it was called. Which would you "
                    "have read as the label says?",
                    "投票判错的数字：右上为正确标签，右下为投票结果。有哪些您会读成标签所说的数字？",
                ),
                _draw_mistakes,
            ),
        ),
        runs=1,
        needs=("dropout",),
    ),
    Experiment(
        "simard-conv",
        Text("Two ConvPool layers on affine and elastic distortions", "两个卷积池化层，仿射和弹性变形"),
        Source("Nielsen", "chapter 6, 'Expanding the training data' (Simard, Steinkraus and Platt 2003)"),
        _measure_simard,
        published=(Published("test_accuracy", 0.9960),),
        deviations=(
            Text(
                "20 and 40 filters of this chapter and rectified linear units, instead of the 5 and 50 filters and the "
                "sigmoid-like units of Simard et al.",
                "采用本章的 20 和 40 个特征图及修正线性单元；Simard 等用 5 和 50 个特征图，不用修正线性单元。",
            ),
            Text(
                f"New {DISTORTED} in every step; the learning rate falls from 0.1 to 0 along a cosine, and the average "
                "of the last parameters is kept.",
                f"每一步都重新变形：{DISTORTED_ZH}；学习率按余弦从 0.1 降到 0，保留最后若干步参数的平均。",
            ),
        ),
        minutes=4,
    ),
    Experiment(
        "ciresan-mlp",
        Text(
            "Fully connected, 2500-2000-1500-1000-500, on distortions", "全连接网络 2500-2000-1500-1000-500，变形图像"
        ),
        Source("Nielsen", "chapter 6, 'Going further' (Ciresan, Meier, Gambardella and Schmidhuber 2010)"),
        _measure_ciresan,
        published=(Published("test_accuracy", 0.9965),),
        deviations=(
            Text(
                "80 epochs, about 85 minutes on one core, where Ciresan et al. let a GPU learn for many more.",
                "训练 80 个回合，单核约 85 分钟；Ciresan 等用 GPU 训练的回合多得多。",
            ),
            Text(
                "Mini-batches of 50 with momentum 0.9, the learning rate falling from 0.02 to 2e-5 along a cosine (a "
                "thousandfold, as in the text: from 1e-3 to 1e-6); rectified linear units instead of tanh.",
                "小批量为 50，动量 0.9，学习率按余弦从 0.02 降到 2e-5（与原文从 1e-3 到 1e-6 一样，降为千分之一）；"
                "用修正线性单元代替 tanh。",
            ),
            Text(f"The distortions are {DISTORTED}.", f"变形为{DISTORTED_ZH}。"),
        ),
        runs=1,
        minutes=85,
    ),
)
