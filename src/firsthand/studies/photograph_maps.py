"""The review's figure 2: a colour photograph on its way through a convolutional network."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from firsthand import nn
from firsthand.data import Dataset, Splits
from firsthand.data.photographs import PHOTOGRAPHS, patches_of, photographs
from firsthand.experiments.experiment import Claim, Drawing, Experiment, Measured, Run, mean_of
from firsthand.experiments.result import Finding, Result, Source, Text
from firsthand.inspect.sheets import as_bytes, sheet_of
from firsthand.learning import OneCycle, Recipe
from firsthand.nn import Network

from .common import measured, trained
from .generative import packed, unpacked
from .shallow_learners import REVIEW
from .unsupervised import beyond_chance

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["EXPERIMENTS"]

WINDOW = 32
KERNEL = 7
NAMES = tuple(name.partition(".")[0].partition("_")[0] for name in PHOTOGRAPHS)
SHOWN = PHOTOGRAPHS.index("chelsea.png")  # the cat
MAPS = 8  # of each layer in the figure
BANDS = {"train": (0.0, 0.6), "validation": (0.6, 0.8), "test": (0.8, 1.0)}  # of a photograph's width
STACK = (
    nn.Convolution(16, KERNEL, padding=KERNEL // 2, weights_init=nn.he),
    nn.MaxPool(2),
    nn.BatchNorm(),
    nn.Convolution(32, 5, padding=2, weights_init=nn.he),
    nn.MaxPool(2),
    nn.BatchNorm(),
    nn.Convolution(48, 3, padding=1, weights_init=nn.he),
    nn.MaxPool(2),
    nn.BatchNorm(),
)
FIRST = 1  # place of the first convolution
LAYERS = (nn.BatchNorm(), *STACK, nn.GlobalAveragePool(), nn.Softmax(len(PHOTOGRAPHS)))
RECIPE = Recipe(
    epochs=8, batch_size=50, learning_rate=OneCycle(0.05, 8, rise=0.2), momentum=0.9, l2=1e-3, keep_best=False
)


def _windows(part: str, count: int, seed: int) -> Dataset:
    """Windows of a part of every photograph, as many of each, labelled by the photograph."""
    first, past = BANDS[part]
    found = []
    for number, image in enumerate(photographs()):
        left, right = (int(share * image.shape[1]) for share in (first, past))
        found.append(patches_of([image[:, left:right]], WINDOW, count, seed=100 * seed + number))
    return Dataset(np.concatenate(found), np.repeat(np.arange(len(found)), count), NAMES)


def _measure(run: Run) -> Measured:
    counts = {"train": run.shortened(2_000, 30), "validation": 200, "test": 500}
    data = Splits(*(_windows(part, count, run.seed) for part, count in counts.items()))
    training = trained(run, LAYERS, RECIPE, data=data)
    found, model = measured(training), training.model
    rng, numbers = np.random.default_rng(run.seed), dict(found.numbers)
    start = Network(LAYERS, model.input_shape).init(key=run.key)
    for name, params in (("", model.params), ("_before", start)):
        kernels = np.asarray(params[FIRST]["weights"], float)  # (height, width, channels, filters)
        grey = kernels.mean(axis=2).transpose(2, 0, 1)
        numbers[f"oriented{name}"] = float(np.mean(beyond_chance(grey, rng)[1]))
    return Measured(numbers, {**found.arrays, **(_maps(model) if run.seed == 0 else {})})


def _maps(model) -> dict[str, list]:
    """The strongest maps of every layer for the whole photograph, and the scores of the classes."""
    image = photographs()[SHOWN]
    # pixels that every pooling divides
    image = image[: image.shape[0] // 8 * 8, : image.shape[1] // 8 * 8]
    network = Network(model.network.layers, image.shape)
    trace = network.trace(model.params, image[None])
    rows = [image.transpose(2, 0, 1) / 255]
    for number, layer in enumerate(STACK, start=FIRST):
        if isinstance(layer, nn.BatchNorm):
            continue
        maps = np.asarray(trace[(number,)].left)[0].transpose(2, 0, 1)  # (channels, height, width)
        chosen = np.sort(np.argsort(-maps.std(axis=(1, 2)))[:MAPS])
        rows.append(maps[chosen] / maps[chosen].max(axis=(1, 2), keepdims=True))
    last = rows[-1].shape[1:]  # the smallest
    scores = np.asarray(trace[(len(LAYERS) - 1,)].left)[0]
    shown = [text for row in rows for text in packed(_averaged(row, last))]
    return {"maps": shown, "size": list(last), "scores": np.round(scores, 4).tolist()}


def _averaged(maps: np.ndarray, size: tuple[int, ...]) -> np.ndarray:
    """Maps (n, height, width), which are multiples of a size, at that size, in 32 levels of grey."""
    high, wide = size
    means = maps.reshape(len(maps), high, maps.shape[1] // high, wide, maps.shape[2] // wide).mean(axis=(2, 4))
    return as_bytes(means) & 0xF8


def _edges_come_first(runs: Sequence[Measured]) -> Finding:
    after, before = mean_of(runs, "oriented"), mean_of(runs, "oriented_before")
    return Finding(
        all(run.numbers["oriented"] > 0.2 for run in runs) and after > before + 0.15,
        Text(
            f"{after:.0%} of the kernels of the first layer are oriented beyond chance (99 % of their own weights "
            f"shuffled are less so; asked for: a fifth in every run), {before:.0%} before training; windows of unseen "
            f"parts are given to their photograph, one of ten, with {mean_of(runs, 'test_accuracy'):.1%}",
            f"第一层的卷积核有 {after:.0%} 具有超出偶然的方向性（其权重打乱后 99% 不及它；判定：每次五分之一以上），"
            f"训练前为 {before:.0%}；未见过的部分的窗口以 {mean_of(runs, 'test_accuracy'):.1%} "
            "的准确度被归到十张照片中正确的一张",
        ),
    )


def _draw(result: Result, needed: Mapping[str, Result]) -> "Figure":
    """From the bottom: the photograph's three colours, then every layer, and the scores at the top."""
    from matplotlib.figure import Figure

    arrays = result.runs[0]["arrays"]
    names = ["red, green, blue"]
    kinds = {nn.Convolution: "convolution and ReLU", nn.MaxPool: "max pooling"}
    names += [kinds[type(layer)] for layer in STACK if type(layer) in kinds]
    rows = [(name, unpacked([text], arrays["size"])) for name, text in zip(names, arrays["maps"], strict=True)]
    figure = Figure(figsize=(9.2, 7.4), layout="constrained")
    axes = figure.subplots(len(rows) + 1, 1, height_ratios=[0.8] + [1] * len(rows))
    scores = arrays["scores"]
    axes[0].bar(range(len(NAMES)), scores, color=["#D55E00" if i == SHOWN else "#0072B2" for i in range(len(NAMES))])
    axes[0].set(ylim=(0, 1.0), ylabel="score")
    axes[0].set_xticks(range(len(NAMES)), NAMES, fontsize=7)
    axes[0].grid(visible=False)
    for place, (name, maps) in zip(axes[:0:-1], rows, strict=True):
        place.imshow(sheet_of([maps], 255), cmap="gray", vmin=0, vmax=255, interpolation="nearest")
        place.set_ylabel(name, rotation=0, ha="right", va="center")
        place.grid(visible=False)
        place.set(xticks=(), yticks=())
        for side in place.spines.values():
            side.set_visible(False)
    return figure


EXPERIMENTS = (
    Experiment(
        "review-figure-2",
        Text("Figure 2: a colour photograph on its way through a network", "图 2：一张彩色照片逐层通过网络"),
        Source(REVIEW, "figure 2: inside a convolutional network"),
        _measure,
        claims=(
            Claim(
                Text(
                    "Lower-level features act as oriented edge detectors.",
                    "较低层的特征起着有方向的边缘检测器的作用。",
                ),
                _edges_come_first,
            ),
        ),
        deviations=(
            Text(
                "A small network (three convolutions with batch normalization, 20,000 windows of 32x32 pixels) that "
                "has learned which of scikit-image's ten photographs a window comes from, not ImageNet's classes, and "
                "the photograph of a cat, not of a Samoyed. It learns from the left 60 % of each photograph, and is "
                "tested on the right 20 %.",
                "一个小网络（三个带批量规范化的卷积层，20,000 个 32x32 像素的窗口），学的是判断一个窗口来自 "
                "scikit-image 的十张照片中的哪一张，而不是 ImageNet 的类别；照片是一只猫，而不是萨摩耶犬。"
                "训练只用每张照片左边 60% 的部分，测试用右边 20%。",
            ),
        ),
        drawings=(
            Drawing(
                "maps",
                Text(
                    "From below: the photograph's red, green and blue; eight maps of each layer, those that vary most, "
                    "each in its own scale; at the top the score of each photograph for this one as a whole.",
                    "从下往上：照片的红、绿、蓝三个通道；每一层变化最大的八个映射，各按自己的尺度显示；"
                    "最上面是整张照片对每一类的得分。",
                ),
                _draw,
            ),
        ),
        minutes=3,
    ),
)
