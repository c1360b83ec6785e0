"""Chapter 6, other approaches: transfer learning, from some digits to others, and between digits and clothes."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import jax
import numpy as np

from firsthand import nn
from firsthand.data import Dataset, ImageSplits, Splits, fashion_mnist, mnist
from firsthand.experiments.drawing import COLOURS, in_percent, panels
from firsthand.experiments.experiment import Claim, Drawing, Experiment, Measured, Run, mean_of
from firsthand.experiments.result import Finding, Result, Source, Text
from firsthand.learning import Cosine, Recipe, train
from firsthand.models import Model
from firsthand.nn import Network
from firsthand.zoo import transfer

from .common import trained

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["EXPERIMENTS"]

OTHERS = Source("Nielsen", "chapter 6, 'Other approaches to deep neural nets' (其他的深度学习模型)")

LAYERS = (
    nn.ConvPool(10, weights_init=nn.he),
    nn.ConvPool(20, weights_init=nn.he),
    nn.FullyConnected(50, nn.relu, weights_init=nn.he),
)
START = Recipe(epochs=2, batch_size=10, learning_rate=Cosine(0.1, 2), l2=1e-4)
STEPS = 400  # of every training with few images
BATCH = 10
DEPTHS = (0, 1, 2, 3)  # frozen layers; of 3 only the output layer learns
COUNTS = (1, 5, 20, 100, 500)  # images of each class
FASHION_COUNTS = (5, 50, 500)


def _few(data: Dataset, count: int, random: np.random.Generator) -> Dataset:
    """Draw `count` images of each class at random."""
    chosen = [random.permutation(np.flatnonzero(data.labels == k))[:count] for k in range(data.num_classes)]
    return data[np.sort(np.concatenate(chosen))]


def _recipe(examples: int) -> Recipe:
    """A recipe of equally many steps for few images and for many, in mini-batches as large as they allow."""
    steps = -(-examples // min(BATCH, examples))
    epochs = max(1, STEPS // steps)
    return Recipe(epochs=epochs, batch_size=BATCH, learning_rate=Cosine(0.03, epochs), l2=1e-4, monitor=())


def _compared(run: Run, start: Model, train_on: Dataset, test: Dataset, counts: Sequence[int]) -> dict[str, float]:
    """Test accuracy by number of images a class, from scratch and from the start with 0 to 3 frozen layers."""
    found, random = {}, np.random.default_rng(run.seed)
    for count in counts:
        few = _few(train_on, count, random)
        data: ImageSplits = Splits(few, None, test)
        recipe = _recipe(len(few))
        if run.quick:
            recipe = recipe.changed(epochs=1)
        key = jax.random.fold_in(run.key, count)
        network = Network((*LAYERS, nn.Softmax(test.num_classes)), test.image_shape)
        scratch = train(network, data, recipe, key=key).model
        found[f"scratch_{count}"] = scratch.provenance["accuracies"]["test"]
        for depth in DEPTHS:
            model = transfer(start, data, recipe, frozen=depth, key=key).model
            found[f"frozen_{depth}_{count}"] = model.provenance["accuracies"]["test"]
        run.say(f"{count} images a class")
    return found


def _part(data: Dataset, digits: Sequence[int]) -> Dataset:
    some = data[np.isin(data.labels, digits)]
    return some.with_classes(tuple(data.classes[digit] for digit in digits))


def _measure_digits(run: Run) -> Measured:
    low, high = (Splits(*(_part(part, digits) for part in mnist())) for digits in (range(5), range(5, 10)))
    start = trained(run, (*LAYERS, nn.Softmax(5)), START, data=low, name="low").model
    counts = COUNTS[:2] if run.quick else COUNTS
    test = high.test[: run.shortened(len(high.test), 200)]
    numbers = _compared(run, start, high.train, test, counts)
    return Measured({"start_accuracy": start.accuracy(low.test), **numbers})


def _measure_fashion(run: Run) -> Measured:
    both = {"digits": mnist(), "fashion": fashion_mnist()}
    numbers = {}
    for name, other in (("digits", "fashion"), ("fashion", "digits")):
        start = trained(run, (*LAYERS, nn.Softmax(10)), START, data=both[name], name=name).model
        data = both[other]
        test = data.test[: run.shortened(5_000, 200)]
        found = _compared(run, start, data.train, test, (5,) if run.quick else FASHION_COUNTS)
        numbers |= {f"to_{other}_{each}": value for each, value in found.items()}
    return Measured(numbers)


def _listed(runs: Sequence[Measured], start: str, counts: Sequence[int]) -> str:
    return ", ".join(f"{mean_of(runs, f'{start}_{count}'):.1%}" for count in counts)


def _fewer_images(runs: Sequence[Measured]) -> Finding:
    scratch, taken = (_listed(runs, name, COUNTS) for name in ("scratch", "frozen_2"))
    gains = [mean_of(runs, f"frozen_2_{count}") - mean_of(runs, f"scratch_{count}") for count in COUNTS]
    numbers = ", ".join(map(str, COUNTS))
    return Finding(
        all(gain > 0 for gain in gains[:3]) and max(gains) > 0.05,
        Text(
            f"with {numbers} images a class: from scratch {scratch}; with both ConvPool layers taken over and frozen "
            f"{taken}",
            f"每类 {numbers} 幅图像：从头训练 {scratch}；沿用并冻结两个 ConvPool 层 {taken}",
        ),
    )


def _depth(runs: Sequence[Measured]) -> Finding:
    few, many = COUNTS[1], COUNTS[-1]
    at = {count: [mean_of(runs, f"frozen_{depth}_{count}") for depth in DEPTHS] for count in (few, many)}
    spread = {count: max(values) - min(values) for count, values in at.items()}
    listed = {count: ", ".join(f"{value:.1%}" for value in values) for count, values in at.items()}
    return Finding(
        at[many][-1] < max(at[many]) and at[many].index(max(at[many])) < len(DEPTHS) - 1,
        Text(
            f"with 0, 1, 2 and 3 frozen layers: {listed[few]} with {few} images a class, {listed[many]} with {many} "
            f"(range {spread[few]:.1%} and {spread[many]:.1%})",
            f"冻结 0、1、2、3 层：每类 {few} 幅时 {listed[few]}，{many} 幅时 {listed[many]}"
            f"（极差 {spread[few]:.1%} 和 {spread[many]:.1%}）",
        ),
    )


def _both_ways(runs: Sequence[Measured]) -> Finding:
    few, lines, gains = FASHION_COUNTS[0], [], []
    for other in ("fashion", "digits"):
        best = max((f"frozen_{depth}" for depth in DEPTHS[:-1]), key=lambda n: mean_of(runs, f"to_{other}_{n}_{few}"))
        gains.append(mean_of(runs, f"to_{other}_{best}_{few}") - mean_of(runs, f"to_{other}_scratch_{few}"))
        scratch, taken = (_listed(runs, f"to_{other}_{name}", FASHION_COUNTS) for name in ("scratch", best))
        lines.append(f"{scratch} → {taken}")
    numbers = ", ".join(map(str, FASHION_COUNTS))
    return Finding(
        all(gain > 0 for gain in gains),
        Text(
            f"with {numbers} images a class, from scratch → with the best number of frozen layers (0 to 2) for {few}: "
            f"digits to clothes {lines[0]}; clothes to digits {lines[1]}",
            f"每类 {numbers} 幅图像，从头训练 → 冻结层数（0 至 2）取 {few} 幅时最好者：数字到服装 {lines[0]}；"
            f"服装到数字 {lines[1]}",
        ),
    )


def _lines(axes, result: Result, prefix: str, counts: Sequence[int]) -> None:
    counts = [count for count in counts if f"{prefix}scratch_{count}" in result.runs[0]["numbers"]]
    names = {"scratch": "from scratch"} | {f"frozen_{depth}": f"{depth} layers frozen" for depth in DEPTHS}
    for colour, (name, label) in zip(("0.2", *COLOURS), names.items(), strict=False):
        values = np.array([result.values(f"{prefix}{name}_{count}") for count in counts])
        axes.plot(counts, values.mean(axis=1), "--" if name == "scratch" else "-", color=colour, label=label)
        if values.shape[1] > 1:
            half = values.std(axis=1, ddof=1)
            axes.fill_between(counts, values.mean(axis=1) - half, values.mean(axis=1) + half, color=colour, alpha=0.12)
    axes.set(xscale="log", xlabel="images of each class")
    axes.set_xticks(counts, [str(count) for count in counts])
    axes.minorticks_off()
    in_percent(axes)


def _draw_digits(result: Result, needed: Mapping[str, Result]) -> "Figure":
    figure, grid = panels(1, 1, width=5.4, height=3.6)
    _lines(grid[0, 0], result, "", COUNTS)
    grid[0, 0].set(ylabel="test accuracy, 5 to 9")
    grid[0, 0].legend(frameon=False, fontsize=8)
    return figure


def _draw_fashion(result: Result, needed: Mapping[str, Result]) -> "Figure":
    figure, grid = panels(1, 2, width=4.4, height=3.6)
    for axes, other, title in zip(
        grid[0], ("fashion", "digits"), ("digits, then clothes", "clothes, then digits"), strict=True
    ):
        _lines(axes, result, f"to_{other}_", FASHION_COUNTS)
        axes.set_title(title, fontsize=10)
    grid[0, 0].set_ylabel("test accuracy")
    grid[0, 1].legend(frameon=False, fontsize=8)
    return figure


HOW = Text(
    "Two ConvPool layers of 10 and 20 filters and 50 hidden units; the start has 2 epochs of all images of its "
    f"classes. "
    f"Every later training has {STEPS} steps, whatever the number of images, with the same rate; nothing is chosen.",
    "两个 ConvPool 层（10 和 20 个卷积核）加 50 个隐藏单元；起点在其全部图像上训练 2 个 epoch。此后每次训练都是 "
    f"{STEPS} 步，"
    "与图像数无关，学习速率相同；没有挑选。",
)

EXPERIMENTS = (
    Experiment(
        "transfer-digits",
        Text("From the digits 0 to 4 to the digits 5 to 9", "从数字 0–4 到数字 5–9"),
        OTHERS,
        _measure_digits,
        claims=(
            Claim(
                Text(
                    "What was learned of some classes helps to learn others from few images (the text names transfer "
                    "learning; the sentence is ours).",
                    "从一些类别学到的东西，有助于用少量图像学习其他类别（书中只提到迁移学习；这句话是我们的）。",
                ),
                _fewer_images,
            ),
            Claim(
                Text(
                    "With more images it is better to freeze less: the last layers are those of the old classes "
                    "(ours).",
                    "图像越多，越应少冻结：靠后的层属于旧的类别（我们的说法）。",
                ),
                _depth,
            ),
        ),
        deviations=(HOW,),
        drawings=(
            Drawing(
                "accuracy",
                Text(
                    "Accuracy by the number of images, means with one standard deviation. What the old hidden layer "
                    "(3 layers frozen) does not tell apart, a new output layer cannot.",
                    "准确度随图像数的变化，平均值与一个标准差。旧的隐藏层（冻结 3 层）分不开的，新的输出层也分不开。",
                ),
                _draw_digits,
            ),
        ),
        runs=5,
        minutes=1,
    ),
    Experiment(
        "transfer-fashion",
        Text("From digits to clothes (Fashion-MNIST), and back", "从数字到服装（Fashion-MNIST），再反过来"),
        OTHERS,
        _measure_fashion,
        claims=(
            Claim(
                Text(
                    "What was learned of digits helps with clothes, and the other way, where images are few (ours).",
                    "图像很少时，从数字学到的东西对服装有帮助，反过来也一样（我们的说法）。",
                ),
                _both_ways,
            ),
        ),
        deviations=(HOW,),
        drawings=(
            Drawing(
                "accuracy",
                Text(
                    "Accuracy by the number of images of each class, means with one standard deviation.",
                    "准确度随每类图像数的变化，平均值与一个标准差。",
                ),
                _draw_fashion,
            ),
        ),
        minutes=1.5,
    ),
)
