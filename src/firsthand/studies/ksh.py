"""Chapter 6, the 2012 KSH paper: the network that is called AlexNet, described in full and trained in small."""

import time
from collections.abc import Mapping, Sequence
from functools import partial
from statistics import stdev
from typing import TYPE_CHECKING

import jax
import numpy as np
from jax import Array

from firsthand import nn
from firsthand.data import Splits, fashion_mnist
from firsthand.experiments.drawing import COLOURS, curves, in_percent, panels, validation_against
from firsthand.experiments.experiment import Claim, Drawing, Experiment, Measured, Run, mean_of
from firsthand.experiments.result import Finding, Published, Result, Source, Text
from firsthand.learning import Diverged, OneCycle, Recipe
from firsthand.models import ten_crop
from firsthand.zoo.image_net import ksh
from firsthand.zoo.pictures import KSH_SMALL, ksh_small

from .common import measured, trained
from .googlenet import described

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["EXPERIMENTS", "KSH_SHAPES"]

PAPER = Source("Nielsen", "chapter 6, 'Recent progress in image recognition', 'The 2012 KSH paper'")

# section 3.5 of the paper, and the text: feature maps of the five convolutions, with the poolings behind them
KSH_SHAPES = (
    *((55, 55, 96), (27, 27, 96), (27, 27, 256), (13, 13, 256)),
    *((13, 13, 384), (13, 13, 384), (13, 13, 256), (6, 6, 256)),
    *((4096,), (4096,), (1000,)),
)
KSH_INPUTS = (3, 48, 256, 192, 192)  # input channels that a feature map of each convolution uses, in the text
BATCH = 8


def _describe(run: Run) -> Measured:
    network = ksh()
    params = network.init(key=run.key)
    inputs = [p["weights"].shape[2] for p in params if "weights" in p and p["weights"].ndim == 4]

    def mean_cost(params: tuple[nn.Params, ...], x: Array, labels: Array, key: Array) -> Array:
        z, _ = network.forward(params, x, key=key)
        return nn.log_likelihood(z, labels, network.activation).mean()

    batch = run.shortened(BATCH, 1)
    x = jax.random.uniform(run.key, (batch, *network.input_shape))
    step = jax.jit(jax.grad(mean_cost)).lower(params, x, jax.numpy.arange(batch), run.key).compile()
    start = time.process_time()
    gradient = jax.block_until_ready(step(params, x, jax.numpy.arange(batch), run.key))
    seconds = time.process_time() - start
    finite = all(bool(np.isfinite(leaf).all()) for leaf in jax.tree.leaves(gradient))
    return Measured(
        {
            "parameters": network.parameter_count,
            "seconds_of_a_step": seconds,
            "images_in_the_step": batch,
            "finite": float(finite),
        },
        {"shapes": [list(shape) for shape in described(network)], "input_channels": inputs},
    )


def _shapes_hold(runs: Sequence[Measured]) -> Finding:
    found = tuple(tuple(shape) for shape in runs[0].arrays["shapes"])
    inputs = tuple(runs[0].arrays["input_channels"])
    same = sum(a == b for a, b in zip((*found, *inputs), (*KSH_SHAPES, *KSH_INPUTS), strict=False))
    return Finding(
        found == KSH_SHAPES and inputs == KSH_INPUTS,
        Text(
            f"{same} of {len(KSH_SHAPES) + len(KSH_INPUTS)} numbers: 55x55x96, ..., 6x6x256, 4096, 4096, 1000, and "
            f"feature maps that use {', '.join(map(str, inputs))} input channels",
            f"{len(KSH_SHAPES) + len(KSH_INPUTS)} 项中有 {same} 项一致：55x55x96、……、6x6x256、4096、4096、1000；"
            f"各层特征图使用 {'、'.join(map(str, inputs))} 个输入通道",
        ),
    )


def _a_step_runs(runs: Sequence[Measured]) -> Finding:
    n = runs[0].numbers
    return Finding(
        bool(n["finite"]),
        Text(
            f"{n['seconds_of_a_step']:.1f} seconds of a core for the gradient of {n['images_in_the_step']:.0f} images",
            f"{n['images_in_the_step']:.0f} 幅图像的梯度用了一个核心 {n['seconds_of_a_step']:.1f} 秒",
        ),
    )


SHAPES = Experiment(
    "ksh-shapes",
    Text(
        "KSH in full: 60,965,224 parameters, every shape of the text", "完整的 KSH：60,965,224 个参数，文中的每个形状"
    ),
    PAPER,
    _describe,
    published=(Published("parameters", 60_965_224, "value", 0),),
    claims=(
        Claim(
            Text("The layers have the sizes and the input channels of the text.", "各层的大小和输入通道与文中一致。"),
            _shapes_hold,
        ),
        Claim(Text("It can be trained: a step runs.", "它可以训练：能运行一步。"), _a_step_runs),
    ),
    deviations=(
        Text(
            "The text says roughly 60 million parameters; 60,965,224 is what its layers add up to, biases included. "
            "The paper's windows of 224 pixels give 55 places only with 2 pixels of padding (or 227 pixels), which it "
            "does not name.",
            "文中说约有 6,000 万个参数；60,965,224 是各层（含偏差）之和。论文中 224 像素的窗口要有 2 像素的填充"
            "（或 227 像素）才能得到 55 个位置，论文没有写明。",
        ),
        Text(
            "ImageNet is not to be had offline: the step is one of random images, and top-1 and top-5 accuracy "
            "(63.3 %, 84.7 %) are not measured.",
            "ImageNet 无法离线获得：这一步用的是随机图像，没有测量 top-1 和 top-5 准确度（63.3%、84.7%）。",
        ),
    ),
    runs=1,
    minutes=0.5,
)


# --- in small -----------------------------------------------------------------------------------------------------


def _train_small(run: Run) -> Measured:
    data = fashion_mnist()
    training = trained(run, KSH_SMALL.layers, KSH_SMALL.recipe, data=data, quick_examples=1_000)
    found, model, labels = measured(training), training.model, data.test.labels
    ten = ten_crop(model, data.test.images)
    right = np.argsort(-ten, axis=1) == labels[:, None]  # (n, classes), likeliest first
    numbers = {
        "ten_crop_test_accuracy": float(np.mean(right[:, 0])),
        "ten_crop_top_5_accuracy": float(np.mean(right[:, :5].any(axis=1))),
        "parameters": model.parameter_count,
    }
    return Measured({**found.numbers, **numbers}, found.arrays)


def _above(runs: Sequence[Measured]) -> Finding:
    ten, one = mean_of(runs, "ten_crop_test_accuracy"), mean_of(runs, "test_accuracy")
    return Finding(
        ten > 0.925,
        Text(
            f"{ten:.2%} by ten windows, {one:.2%} by the middle one (n = {len(runs)}), "
            f"{mean_of(runs, 'parameters'):,.0f} parameters",
            f"十个窗口 {ten:.2%}，仅中间窗口 {one:.2%}（n = {len(runs)}），{mean_of(runs, 'parameters'):,.0f} 个参数",
        ),
    )


def _ten_are_better(runs: Sequence[Measured]) -> Finding:
    gains = [100 * (run.numbers["ten_crop_test_accuracy"] - run.numbers["test_accuracy"]) for run in runs]
    shown = ", ".join(f"{gain:+.2f}" for gain in gains)
    return Finding(min(gains) > 0, Text(f"{shown} points", f"{shown} 个百分点"))


def _draw_small(result: Result, needed: Mapping[str, Result]) -> "Figure":
    return validation_against(0.925, "92.5 %", result)


SMALL = Experiment(
    "ksh-small",
    Text("KSH in small, on photos of clothes", "小型 KSH 网络：服装照片"),
    PAPER,
    _train_small,
    claims=(
        Claim(
            Text(
                "More than 92.5 % of the test images are right (our own claim; the data set's table has 89.9 % for an "
                "AlexNet).",
                "测试图像的准确度超过 92.5%（这是我们自己的目标；数据集的表格中 AlexNet 为 89.9%）。",
            ),
            _above,
        ),
        Claim(
            Text(
                "The mean over ten windows, the paper's test, is better than the middle one alone.",
                "论文的测试方法（十个窗口取平均）优于只用中间窗口。",
            ),
            _ten_are_better,
        ),
    ),
    deviations=(
        Text(
            "Fashion-MNIST (28x28, grey, 10 classes) in place of ImageNet: windows of 24x24, 48-64-96-96-64 feature "
            "maps, two hidden layers of 256. Order and kinds of the layers are the paper's, and so is momentum; the "
            "learning rate rises and falls along one cycle, weight decay is 1e-4, and weights are averaged. Dropout is "
            "left out: so small a network still learns too little of its training data (ksh-ablation).",
            "用 Fashion-MNIST（28x28 灰度图，10 类）代替 ImageNet：窗口 24x24，特征图 48-64-96-96-64，"
            "两个 256 单元的隐藏层。层的种类和次序以及动量与论文一样；学习率按一个周期升降，权重衰减为 1e-4，并对权重"
            "取平均。没有用弃权：这么小的网络对训练数据仍学得不够（见 ksh-ablation）。",
        ),
    ),
    drawings=(
        Drawing(
            "validation",
            Text("Validation accuracy epoch by epoch, of the middle window.", "逐回合的验证准确度（中间窗口）。"),
            _draw_small,
        ),
    ),
    minutes=22,
)


# --- one ingredient at a time -------------------------------------------------------------------------------------

EXAMPLES, EPOCHS = 10_000, 10
RECIPE = KSH_SMALL.recipe.changed(epochs=EPOCHS, learning_rate=OneCycle(0.05, EPOCHS, rise=0.2))
# the recipe, which has no dropout, and what becomes of it with one ingredient less, or with the one that it lacks
TRIALS = {
    "recipe": (ksh_small(dropout=False), RECIPE),
    "no_overlap": (ksh_small(overlap=False, dropout=False), RECIPE),
    "no_response": (ksh_small(response=False, dropout=False), RECIPE),
    "no_mirror": (ksh_small(dropout=False), RECIPE.changed(augment=None)),
    "dropout": (ksh_small(), RECIPE),
}
# the trial with the ingredient, and the one without
INGREDIENTS = {
    ("recipe", "no_overlap"): Text("overlapping pooling", "重叠池化"),
    ("recipe", "no_response"): Text("local response normalization", "局部响应规范化"),
    ("recipe", "no_mirror"): Text("mirroring the images", "镜像"),
    ("dropout", "recipe"): Text("dropout", "弃权"),
}
LABELS = {
    "recipe": "recipe",
    "no_overlap": "pooling\nwithout\noverlap",
    "no_response": "no\nresponse\nnormalization",
    "no_mirror": "no\nmirror\nimages",
    "dropout": "with\ndropout",
}
# how soon a quarter of the training images is wrong, as in figure 1 of the paper: each with its better rate
FEW, AT_MOST = 1_000, 20
RATES = (0.01, 0.03, 0.1)
TARGET = 0.75


def _ablate(run: Run) -> Measured:
    data = fashion_mnist()
    less = Splits(data.train[:EXAMPLES], data.validation, data.test)
    numbers, arrays = {}, {}
    for name, (layers, recipe) in TRIALS.items():
        found = measured(trained(run, layers, recipe, data=less, name=name, quick_epochs=1, quick_examples=500))
        numbers[f"{name}_test_accuracy"] = found.numbers["test_accuracy"]
        numbers[f"{name}_training_accuracy"] = found.numbers["training_accuracy"]
        arrays[f"{name}_validation_accuracy"] = found.arrays["validation_accuracy"]
    few = Splits(data.train[:FEW], data.validation[:100], data.test[:100])
    for name, function in (("relu", nn.relu), ("tanh", nn.tanh)):
        layers = ksh_small(activation=nn.Activation(function), response=False, dropout=False)
        best: list[float] = []
        for rate in RATES:
            recipe = Recipe(AT_MOST, 50, rate, momentum=0.9, monitor=("training_accuracy",), keep_best=False)
            try:
                history = trained(run, layers, recipe, data=few, name=f"{name}-{rate:g}", quick_epochs=1).history
            except Diverged:
                continue  # the rate is too large for this start, and another one is the better
            curve = [round(value, 4) for value in history["training_accuracy"]]
            best = min(best or curve, curve, key=_epochs_to_target)
        numbers[f"{name}_epochs"] = _epochs_to_target(best)
        arrays[f"{name}_training_accuracy"] = best
    return Measured(numbers, arrays)


def _epochs_to_target(curve: Sequence[float]) -> float:
    """Epochs until 25 % training error, with fractions between two of them; one more than all where never."""
    before = 0.1
    for epoch, accuracy in enumerate(curve):
        if accuracy >= TARGET:
            return epoch + (TARGET - before) / (accuracy - before)
        before = accuracy
    return len(curve) + 1.0


def _gains(with_it: str, without: str, runs: Sequence[Measured]) -> Finding:
    """Find that an ingredient raises the test accuracy, by more than the standard error of the paired differences."""
    there, away = ([run.numbers[f"{name}_test_accuracy"] for run in runs] for name in (with_it, without))
    gained = [100 * (a - b) for a, b in zip(there, away, strict=True)]
    mean, spread = float(np.mean(gained)), stdev(gained) if len(gained) > 1 else float("inf")
    points = f"{mean:+.2f} ± {spread:.2f}"
    return Finding(
        mean > spread / len(gained) ** 0.5,
        Text(
            f"{np.mean(there):.2%} with it, {np.mean(away):.2%} without: {points} points (n = {len(runs)})",
            f"有它时 {np.mean(there):.2%}，没有时 {np.mean(away):.2%}：{points} 个百分点（n = {len(runs)}）",
        ),
    )


def _sooner(runs: Sequence[Measured]) -> Finding:
    relu, tanh = mean_of(runs, "relu_epochs"), mean_of(runs, "tanh_epochs")
    return Finding(
        tanh > relu,
        Text(
            f"after {relu:.1f} epochs of {FEW:,} images, with tanh after {tanh:.1f}: {tanh / relu:.1f} times as many",
            f"{FEW:,} 幅图像，{relu:.1f} 个回合；tanh 为 {tanh:.1f} 个回合，是其 {tanh / relu:.1f} 倍",
        ),
    )


def _draw_ablation(result: Result, needed: Mapping[str, Result]) -> "Figure":
    figure, ((left, right),) = panels(1, 2, width=4.6)
    names = list(TRIALS)
    for place, name in enumerate(names):
        values = result.values(f"{name}_test_accuracy")
        left.plot([place] * len(values), values, "o", color=COLOURS[place])
        left.plot([place - 0.3, place + 0.3], [np.mean(values)] * 2, color=COLOURS[place], linewidth=2)
    left.set_xticks(range(len(names)), [LABELS[name] for name in names], fontsize=7)
    left.set_ylabel("test accuracy")
    in_percent(left)
    for name, colour in (("relu", COLOURS[0]), ("tanh", COLOURS[1])):
        curves(right, result, f"{name}_training_accuracy", "-", colour, name)
    right.axhline(TARGET, color="grey", linestyle="--", linewidth=1)
    right.set(xlabel=f"epoch of {FEW:,} images", ylabel="training accuracy")
    in_percent(right)
    right.legend(frameon=False, loc="lower right")
    return figure


ABLATION = Experiment(
    "ksh-ablation",
    Text("KSH in small, one ingredient at a time", "小型 KSH 网络：逐一检验各种做法"),
    PAPER,
    _ablate,
    claims=(
        *(
            Claim(
                Text(
                    f"{name.en[0].upper()}{name.en[1:]} raises the test accuracy (by more than the standard error).",
                    f"{name.zh}提高测试准确度（超过标准误）。",
                ),
                partial(_gains, *trials),
            )
            for trials, name in INGREDIENTS.items()
        ),
        Claim(
            Text(
                "Rectified linear units come sooner than tanh units to 25 % training error (6 times, by the paper's "
                "figure 1 as we remember it).",
                "修正线性单元比 tanh 单元更早达到 25% 的训练错误率（据我们记忆，论文图 1 为 6 倍）。",
            ),
            _sooner,
        ),
    ),
    deviations=(
        Text(
            f"{EXAMPLES:,} training images and {EPOCHS} epochs, not the whole set: differences of a few tenths of a "
            "point, as the paper's 0.4 for overlapping pooling, are of the order of the spread, which is given. "
            "Without overlap the windows are 2x2; both halve the image.",
            f"只用 {EXAMPLES:,} 幅训练图像、{EPOCHS} 个回合：零点几个百分点的差别（论文中重叠池化为 0.4）与离散程度"
            "相当，因此一并给出。不重叠时窗口为 2x2；两者都使图像减半。",
        ),
        Text(
            f"25 % training error: without dropout and normalization, on {FEW:,} images, momentum 0.9, each activation "
            f"with the best of the learning rates {', '.join(map(str, RATES))}; the paper has a network of four "
            "layers on CIFAR-10.",
            f"25% 训练错误率：不用弃权与规范化，{FEW:,} 幅图像，动量 0.9，每种激活函数取学习率 "
            f"{'、'.join(map(str, RATES))} 中最好的；论文用四层网络和 CIFAR-10。",
        ),
    ),
    drawings=(
        Drawing(
            "ingredients",
            Text(
                "Left, each run by the recipe and with one ingredient taken away or added, and their mean; right, "
                "training accuracy: the dashed line is 25 % error.",
                "左图：原方案，以及每次去掉或加上一样（点为每次运行，横线为平均）；右图：训练准确度，虚线为 25% "
                "错误率。",
            ),
            _draw_ablation,
        ),
    ),
    minutes=10,
)

EXPERIMENTS = (SHAPES, SMALL, ABLATION)
