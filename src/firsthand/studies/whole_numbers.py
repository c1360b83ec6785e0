"""Chapter 6, other activity: a network that reads house numbers whole, without cutting them into digits."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from firsthand import nn
from firsthand.data import Arrays, Splits, mnist
from firsthand.data.numbers import SCENE, number_scenes
from firsthand.experiments.drawing import COLOURS, in_percent, panels
from firsthand.experiments.experiment import Claim, Drawing, Experiment, Measured, Run, mean_of
from firsthand.experiments.result import Finding, Result, Source, Text
from firsthand.learning import Made, OneCycle, Recipe, WholeNumber, train
from firsthand.models.numbers import outputs_of_numbers
from firsthand.nn import Network
from firsthand.reading import read_many

from .common import seed_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["EXPERIMENTS", "coverage", "network_of"]

STREET = Source("Nielsen", "chapter 6, 'Recent progress in image recognition', 'Other activity'")

EACH_EPOCH, VALIDATION, TEST, PAGES = 20_000, 2_000, 5_000, 300
EPOCHS = 12
OBJECTIVE = WholeNumber()
RECIPE = Recipe(
    epochs=EPOCHS,
    batch_size=50,
    learning_rate=OneCycle(0.05, EPOCHS, rise=0.2),
    momentum=0.9,
    nesterov=True,
    l2=1e-4,
    average=0.999,
    objective=OBJECTIVE,
)
DEPTHS = (3, 5, 8)
PRECISION = 0.98


def network_of(depth: int) -> Network:
    """The network with this number of hidden layers: 3, 5 or 8."""

    def normalized(*layers: nn.Layer) -> tuple[nn.Layer, ...]:
        return tuple(part for layer in layers for part in (layer, nn.BatchNorm()))

    def pooled(filters: int, size: int = 3) -> nn.ConvPool:
        return nn.ConvPool(filters, size, padding=size // 2, weights_init=nn.he)

    def plain(filters: int) -> nn.Convolution:
        return nn.Convolution(filters, 3, padding=1, weights_init=nn.he)

    hidden = nn.FullyConnected(128, nn.relu, weights_init=nn.he)
    layers = {
        3: normalized(pooled(16, 5), pooled(32), pooled(48)),
        5: (*normalized(pooled(16, 5), pooled(32), plain(48), pooled(48)), hidden),
        8: (*normalized(pooled(16, 5), pooled(32), plain(48), plain(48), plain(48), pooled(48)), hidden, hidden),
    }[depth]
    return Network((*layers, nn.FullyConnected(outputs_of_numbers(5), nn.linear)), (SCENE, SCENE, 1))


def coverage(probabilities: np.ndarray, right: np.ndarray, precision: float) -> float:
    """The largest share of answers, surest first, of which this share is right; 0 where there is none.

    Args:
        probabilities: how sure each answer is, (n,).
        right: whether it is right, (n,).
        precision: 0 to 1.
    """
    order = np.argsort(-probabilities, kind="stable")
    share_right = np.cumsum(right[order]) / np.arange(1, len(right) + 1)
    kept = np.flatnonzero(share_right >= precision)
    return float((kept[-1] + 1) / len(right)) if len(kept) else 0.0


def _texts(scenes: Arrays) -> list[str]:
    _, lengths, digits = scenes.arrays
    return ["".join(map(str, row[:length])) for row, length in zip(digits, lengths, strict=True)]


def _measure(run: Run) -> Measured:
    digits = mnist()
    each_epoch, validation, test = (run.shortened(size, 200) for size in (EACH_EPOCH, VALIDATION, TEST))
    data = Splits(
        Made(lambda key: number_scenes(digits.train, each_epoch, seed=seed_of(key))),
        number_scenes(digits.validation, validation, seed=1_000),
        number_scenes(digits.test, test, seed=2_000),
    )
    images, expected = data.test.arrays[0], _texts(data.test)
    recipe = RECIPE.changed(epochs=1) if run.quick else RECIPE
    numbers: dict[str, float] = {}
    for depth in DEPTHS:
        run.say(f"{depth} hidden layers")
        checkpoint = run.place / f"depth-{depth}.safetensors"
        resume = checkpoint.exists()
        trained = train(network_of(depth), data, recipe, key=run.key, checkpoint=checkpoint, resume=resume)
        if trained.history.stopped.startswith("interrupted"):
            raise KeyboardInterrupt
        found = trained.model.read(images)
        right = np.array([each.text == text for each, text in zip(found, expected, strict=True)])
        sure = np.array([each.probability for each in found])
        scores = trained.model.provenance["scores"]["test"]
        numbers |= {
            f"whole_{depth}": float(right.mean()),
            f"digits_{depth}": scores["digits"],
            f"coverage_{depth}": coverage(sure, right, PRECISION),
            f"parameters_{depth}": trained.model.parameter_count,
        }
        numbers |= {f"whole_{depth}_of_first": float(right[:PAGES].mean())}
    numbers["whole_by_page_reader"] = _by_page_reader(images[: run.shortened(PAGES, 5)], expected)
    return Measured(numbers)


def _by_page_reader(images: np.ndarray, expected: Sequence[str]) -> float:
    """The share of scenes that the page reader reads whole: dark on light, four times as large, as a photo would be."""
    large = [
        np.asarray(Image.fromarray(255 - image[..., 0]).resize((4 * SCENE, 4 * SCENE), Image.Resampling.BICUBIC))
        for image in images
    ]
    pages = read_many(large)
    return float(np.mean([getattr(page, "text", None) == text for page, text in zip(pages, expected, strict=False)]))


def _reads_numbers(runs: Sequence[Measured]) -> Finding:
    whole, digits, covered = (mean_of(runs, f"{name}_8") for name in ("whole", "digits", "coverage"))
    return Finding(
        whole >= 0.96 and digits >= 0.9784,
        Text(
            f"{whole:.2%} of the numbers, {digits:.2%} of the digits (n = {len(runs)}, {TEST:,} scenes each); "
            f"{covered:.1%} of the scenes are covered at a precision of {PRECISION:.0%}",
            f"整个数字 {whole:.2%}，单个数字 {digits:.2%}（n = {len(runs)}，各 {TEST:,} 个场景）；在 {PRECISION:.0%} 的"
            f"精确率下覆盖 {covered:.1%} 的场景",
        ),
    )


def _deeper_is_better(runs: Sequence[Measured]) -> Finding:
    values = [mean_of(runs, f"whole_{depth}") for depth in DEPTHS]
    shown = ", ".join(f"{value:.2%} ({depth})" for value, depth in zip(values, DEPTHS, strict=True))
    return Finding(values[0] < values[1] < values[2], Text(shown, shown))


def _whole_beats_cutting(runs: Sequence[Measured]) -> Finding:
    net, reader = mean_of(runs, "whole_8_of_first"), mean_of(runs, "whole_by_page_reader")
    return Finding(
        net > reader,
        Text(
            f"{net:.1%} against {reader:.1%} of the same {PAGES} scenes",
            f"同样的 {PAGES} 个场景：{net:.1%} 对 {reader:.1%}",
        ),
    )


def _draw(result: Result, needed: Mapping[str, Result]) -> "Figure":
    figure, ((left, right),) = panels(1, 2, width=4.4)
    for axes, names in ((left, ("whole", "digits")), (right, ("coverage",))):
        for name, colour in zip(names, COLOURS, strict=False):
            for number in range(result.n):
                values = [result.values(f"{name}_{depth}")[number] for depth in DEPTHS]
                axes.plot(DEPTHS, values, "o-", color=colour, label=None if number else name)
        axes.set(xticks=DEPTHS, xlabel="hidden layers")
        in_percent(axes)
        axes.legend(frameon=False)
    left.set_ylabel("right")
    right.set_ylabel(f"covered at {PRECISION:.0%} precision")
    return figure


EXPERIMENTS = (
    Experiment(
        "numbers-whole",
        Text("House numbers read whole, without cutting", "不切分、整体读取门牌号"),
        STREET,
        _measure,
        claims=(
            Claim(
                Text(
                    "At least 96 % of the numbers and 97.84 % of the digits are right (the paper's figures for house "
                    "numbers, as orientation).",
                    "至少 96% 的整个数字和 97.84% 的单个数字正确（论文在门牌号上的数值，仅供参照）。",
                ),
                _reads_numbers,
            ),
            Claim(
                Text("Deeper is better: 3 < 5 < 8 hidden layers.", "越深越好：3 < 5 < 8 个隐藏层。"),
                _deeper_is_better,
            ),
            Claim(
                Text(
                    "On these scenes it reads more numbers than the page reader, which cuts lines into digits.",
                    "在这些场景中，它比把行切成单个数字的页面阅读器读对更多的数字。",
                ),
                _whole_beats_cutting,
            ),
        ),
        deviations=(
            Text(
                f"Scenes made by program of MNIST digits, {SCENE}x{SCENE} pixels, 0 to 5 digits, with lines, spots, "
                f"parts of other digits and uneven light, not photographs of houses; {EACH_EPOCH:,} new ones in each "
                "epoch. Batch normalization, which the paper did not have. The page reader was not made for such "
                "pictures.",
                f"由程序用 MNIST 数字合成的场景（{SCENE}x{SCENE} 像素，0 到 5 个数字，带线条、斑点、其他数字的残段和"
                f"不均匀的光照），不是房屋照片；每个 epoch 都新合成 {EACH_EPOCH:,} 个。使用了论文没有的批量规范化。"
                "页面阅读器并非为这类图像而做。",
            ),
        ),
        drawings=(
            Drawing(
                "depth",
                Text(
                    "Left, whole numbers and digits that are right, by depth; right, the share of scenes that are "
                    "answered if 98 % of the answers are to be right.",
                    "左图：不同深度下整个数字与单个数字的准确度；右图：要求 98% 的回答正确时，可以回答的场景比例。",
                ),
                _draw,
            ),
        ),
        runs=1,
        minutes=16,
    ),
)
