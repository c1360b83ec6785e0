"""Chapter 6, the 2014 competition: GoogLeNet, described in full and trained in small."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from firsthand import nn
from firsthand.data import fashion_mnist
from firsthand.experiments.drawing import validation_against
from firsthand.experiments.experiment import Claim, Drawing, Experiment, Measured, Run, mean_of
from firsthand.experiments.result import Finding, Published, Result, Source, Text
from firsthand.models import mirrored
from firsthand.nn import Network
from firsthand.zoo.image_net import googlenet
from firsthand.zoo.pictures import INCEPTION_SMALL

from .common import measured, trained

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["EXPERIMENTS", "GOOGLENET_SHAPES", "described"]

WINNER = Source("Nielsen", "chapter 6, 'Recent progress in image recognition', 'The 2014 ILSVRC competition'")

# table 1 of Szegedy et al. 2015, the column 'output size': what leaves each layer that has parameters or pools
GOOGLENET_SHAPES = (
    *((112, 112, 64), (56, 56, 64), (56, 56, 192), (28, 28, 192)),
    *((28, 28, 256), (28, 28, 480), (14, 14, 480)),
    *((14, 14, 512), (14, 14, 512), (14, 14, 512), (14, 14, 528), (14, 14, 832), (7, 7, 832)),
    *((7, 7, 832), (7, 7, 1024), (1024,), (1000,)),
)
IN_SILENCE = (nn.Auxiliary, nn.Crop, nn.Dropout, nn.LocalResponseNormalization)


def described(network: Network) -> list[tuple[int, ...]]:
    """The output shapes of the layers that change the size or have parameters in use, first to last."""
    pairs = zip(network.layers, network.shapes[1:], strict=True)
    return [shape for layer, shape in pairs if not isinstance(layer, IN_SILENCE)]


def _describe(run: Run) -> Measured:
    network = googlenet()
    # the 1x1 reduction in front of the 3x3 convolution is no row of the table
    shapes = [shape for number, shape in enumerate(described(network)) if number != 2]
    of_layers = zip(network.layers, network.parameter_counts, strict=True)
    in_use = sum(count for layer, count in of_layers if not isinstance(layer, nn.Auxiliary))
    weights = sum(layer.multiply_adds(shape) for layer, shape in zip(network.layers, network.shapes[:-1], strict=True))
    return Measured(
        {
            "parameters": in_use,
            "parameters_with_auxiliary_classifiers": network.parameter_count,
            "billions_of_multiply_adds": weights / 1e9,
            "layers_with_parameters": _depth(network),
        },
        {"shapes": [list(shape) for shape in shapes]},
    )


def _depth(network: Network) -> int:
    """Layers with parameters on the longest way from the input to the output."""

    def of(layer: nn.Layer) -> int:
        if isinstance(layer, nn.Concatenate):
            return max(sum(map(of, branch)) for branch in layer.branches)
        return int(isinstance(layer, nn.Convolution | nn.FullyConnected))

    return sum(map(of, network.layers))


def _shapes_hold(runs: Sequence[Measured]) -> Finding:
    found = [tuple(shape) for shape in runs[0].arrays["shapes"]]
    same = sum(a == b for a, b in zip(found, GOOGLENET_SHAPES, strict=False))
    return Finding(
        found == list(GOOGLENET_SHAPES),
        Text(f"{same} of {len(GOOGLENET_SHAPES)} rows", f"{len(GOOGLENET_SHAPES)} 行中有 {same} 行一致"),
    )


SHAPES = Experiment(
    "googlenet-shapes",
    Text("GoogLeNet in full: 22 layers, every shape and parameter", "完整的 GoogLeNet：22 层，每一层的形状与参数"),
    WINNER,
    _describe,
    published=(Published("layers_with_parameters", 22, "value", 0),),
    claims=(
        Claim(
            Text(
                "What leaves each layer has the size that table 1 of the paper (Szegedy et al. 2015) gives.",
                "每一层的输出大小与论文（Szegedy 等，2015）表 1 所列一致。",
            ),
            _shapes_hold,
        ),
    ),
    deviations=(
        Text(
            "The parameters are counted with biases; the two auxiliary classifiers, which are there in training only, "
            "are counted apart. Nothing is trained here: ImageNet is not to be had offline.",
            "参数计数包括偏差；两个只在训练时使用的辅助分类器单独计数。这里没有训练：ImageNet 无法离线获得。",
        ),
        Text(
            "The rows of the paper's table 1 are given from memory: the paper itself was not at hand.",
            "论文表 1 的各行凭记忆写出：手边没有论文原文。",
        ),
    ),
    runs=1,
)


# --- in small -----------------------------------------------------------------------------------------------------


def _train_small(run: Run) -> Measured:
    data = fashion_mnist()
    training = trained(run, INCEPTION_SMALL.layers, INCEPTION_SMALL.recipe, data=data, quick_examples=1_000)
    found, model = measured(training), training.model
    both = mirrored(model, data.test.images).argmax(axis=1) == data.test.labels
    numbers = {"mirrored_test_accuracy": float(np.mean(both)), "parameters": model.parameter_count}
    return Measured({**found.numbers, **numbers}, found.arrays)


def _reaches(runs: Sequence[Measured]) -> Finding:
    accuracy, parameters = mean_of(runs, "test_accuracy"), int(mean_of(runs, "parameters"))
    both = mean_of(runs, "mirrored_test_accuracy")
    return Finding(
        accuracy >= 0.937 and parameters < 500_000,
        Text(
            f"{accuracy:.2%} with {parameters:,} parameters (n = {len(runs)}); {both:.2%} where the answers for the "
            "image and its mirror image are averaged",
            f"{parameters:,} 个参数，{accuracy:.2%}（n = {len(runs)}）；对图像及其镜像的回答取平均时为 {both:.2%}",
        ),
    )


def _draw_small(result: Result, needed: Mapping[str, Result]) -> "Figure":
    return validation_against(0.937, "GoogLeNet in the data set's table", result)


SMALL = Experiment(
    "inception-small",
    Text("Inception modules in small, on photos of clothes", "小型 Inception 网络：服装照片"),
    WINNER,
    _train_small,
    published=(Published("test_accuracy", 0.937, beside="mirrored_test_accuracy"),),
    claims=(
        Claim(
            Text(
                "As good as GoogLeNet in the data set's table (93.7 %), with fewer than 500,000 parameters.",
                "与数据集表格中的 GoogLeNet（93.7%）一样好，而参数不到 50 万。",
            ),
            _reaches,
        ),
    ),
    deviations=(
        Text(
            "Fashion-MNIST (28x28, grey, 10 classes) in place of ImageNet; three modules of nine, one auxiliary "
            "classifier, with batch normalization, which came a year later. The number beside it is GoogLeNet's in the "
            "table of the data set's makers, sent in by a reader and not tested by them.",
            "用 Fashion-MNIST（28x28 灰度图，10 类）代替 ImageNet；九个模块减为三个，一个辅助分类器，并使用一年后才"
            "出现的批量规范化。用于比较的是数据集作者的表格中 GoogLeNet 的准确度，由读者提交，未经他们检验。",
        ),
        Text(
            "Training images are mirrored at random and moved by up to 2 pixels.",
            "训练图像随机镜像，并平移至多 2 个像素。",
        ),
    ),
    drawings=(
        Drawing(
            "validation",
            Text(
                "Validation accuracy epoch by epoch: most of the gain comes as the learning rate falls.",
                "逐回合的验证准确度：大部分提高出现在学习率下降时。",
            ),
            _draw_small,
        ),
    ),
    minutes=24,
)

EXPERIMENTS = (SHAPES, SMALL)
