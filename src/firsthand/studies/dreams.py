"""A deep belief net run backwards: it is told a digit, draws it, and the digit reader says what it sees."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import jax
import numpy as np

from firsthand.experiments.experiment import Claim, Drawing, Experiment, Measured, Run, mean_of
from firsthand.experiments.result import Finding, Result, Text
from firsthand.inspect.sheets import as_bytes
from firsthand.learning import Greedy, train, train_greedily
from firsthand.models import Generator
from firsthand.models.generator import STRENGTH
from firsthand.reading.box import boxed_model
from firsthand.zoo.generative import DBN

from .generative import FASTER, below, data_of, nearest, packed, show_images, spread, unpacked

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["EXPERIMENTS", "judged"]

SAMPLES = 1_000
STEPS = 200
SHOWN = 10  # of each digit, in the figure


def _generate(run: Run) -> Measured:
    data = data_of(run)
    assert DBN.pretraining is not None
    machines, recipes = DBN.pretraining.machines, DBN.pretraining.recipes
    # the machines below are those of the other studies
    two = below(run, Greedy(machines[:2], recipes[:2]), data, name="500-500")
    top = recipes[2].changed(epochs=1) if run.quick else recipes[2]

    def say(at) -> None:
        if at.record is not None:
            run.say(f"epoch {at.epoch}/{at.epochs} {at.record['batch_cost']:.2f}")

    greedy, _ = train_greedily(
        Greedy(machines[2:], (top,)), data, key=run.key, below=two, place=run.place, progress=say
    )
    file = run.place / "persistent.safetensors"
    recipe = DBN.recipe.changed(epochs=run.shortened(DBN.recipe.epochs, 1))
    tuned = train(
        greedy.network,
        data,
        recipe,
        key=run.key,
        params=greedy.params,
        progress=say,
        checkpoint=file,
        resume=file.exists(),
    ).model
    count = run.shortened(SAMPLES, 50) // 10
    before, _ = judged(greedy, max(1, count // 5), run.key, run.shortened(STEPS, 5))
    plainly, _ = judged(tuned, max(1, count // 5), run.key, run.shortened(STEPS, 5), strength=1.0)
    share, images = judged(tuned, count, run.key, run.shortened(STEPS, 5))
    flat = images.reshape(-1, 784).astype(np.float32) / 255  # digit by digit
    train_images = data.train.images.reshape(-1, 784).astype(np.float32) / 255
    test_images = data.test.images[:2_000].reshape(-1, 784).astype(np.float32) / 255
    index, distance = nearest(flat, train_images)
    _, usual = nearest(test_images[:1_000], train_images)
    numbers = {
        "read_as_named": share,
        "read_as_named_before": before,
        "read_as_named_at_strength_1": plainly,
        "distance_to_nearest": float(np.median(distance)),
        "least_distance_to_nearest": float(distance.min()),
        "test_distance_to_nearest": float(np.median(usual)),
        "least_test_distance_to_nearest": float(usual.min()),
        "spread_of_samples": float(np.mean([spread(part) for part in flat.reshape(10, count, 784)])),
        "spread_of_digits": float(
            np.mean([spread(test_images[data.test.labels[:2_000] == digit]) for digit in range(10)])
        ),
        "label_accuracy": float(np.mean(tuned.probabilities(data.test.images).argmax(1) == data.test.labels)),
    }
    first = (np.arange(10)[:, None] * count + np.arange(min(SHOWN, count))).ravel()
    return Measured(
        numbers, {"samples": packed(images[first]), "nearest": packed(data.train.images[index[first], ..., 0])}
    )


def judged(
    model: Generator, count: int, key: jax.Array, steps: int, strength: float = STRENGTH
) -> tuple[float, np.ndarray]:
    """Draw some of every class, and have the bundled digit reader read them.

    Returns:
        The share that is read as its class; the images, class by class, (10 count, 28, 28) bytes.
    """
    reader, drawn, right = boxed_model(), [], []
    for number, label in enumerate(model.classes):
        means = model.sample(count, key=jax.random.fold_in(key, number), label=label, steps=steps, strength=strength)
        images = as_bytes(means)
        right.append(reader.predict(images) == number)
        drawn.append(images[..., 0])
    return float(np.mean(right)), np.concatenate(drawn)


def _drawn_as_told(runs: Sequence[Measured]) -> Finding:
    share = mean_of(runs, "read_as_named")
    before, plainly = mean_of(runs, "read_as_named_before"), mean_of(runs, "read_as_named_at_strength_1")
    label = mean_of(runs, "label_accuracy")
    each = ", ".join(f"{run.numbers['read_as_named']:.1%}" for run in runs)
    return Finding(
        share >= 0.9,
        Text(
            f"{share:.1%} of {SAMPLES:,} drawings are read as the digit that was asked for ({each}); "
            f"{plainly:.1%} with the "
            f"label at strength 1, and {before:.1%} before persistent chains; as a reader the net itself is right on "
            f"{label:.2%} of the test images",
            f"{SAMPLES} 张图中有 {share:.1%} 被读作所要求的数字（各次 {each}）；标签强度为 1 时为 {plainly:.1%}，"
            f"使用持续链之前为 {before:.1%}；网络自己读测试图像的准确度为 {label:.2%}",
        ),
    )


def _no_copies(runs: Sequence[Measured]) -> Finding:
    ours, least = mean_of(runs, "distance_to_nearest"), min(run.numbers["least_distance_to_nearest"] for run in runs)
    usual, usual_least = mean_of(runs, "test_distance_to_nearest"), mean_of(runs, "least_test_distance_to_nearest")
    return Finding(
        ours > 0.5 * usual and least > usual_least,
        Text(
            f"from a drawing to its nearest training image it is {ours:.2f} in the median and {least:.2f} at "
            f"least; from a "
            f"test image {usual:.2f} and {usual_least:.2f}",
            f"每张图到最近的训练图像的距离：中位数 {ours:.2f}，最小 {least:.2f}；测试图像则为 {usual:.2f} 和 "
            f"{usual_least:.2f}",
        ),
    )


def _diverse(runs: Sequence[Measured]) -> Finding:
    ours, usual = mean_of(runs, "spread_of_samples"), mean_of(runs, "spread_of_digits")
    return Finding(
        ours >= 0.5 * usual,
        Text(
            f"two drawings of a digit are {ours:.2f} apart in the mean, two test images of a digit {usual:.2f}",
            f"同一数字的两张图平均相距 {ours:.2f}，同一数字的两张测试图像相距 {usual:.2f}",
        ),
    )


def _draw(result: Result, needed: Mapping[str, Result]) -> "Figure":
    arrays = result.runs[0]["arrays"]
    samples, found = (unpacked(arrays[name]) for name in ("samples", "nearest"))
    columns = len(samples) // 10
    rows = np.concatenate([samples.reshape(10, columns, 28, 28), found.reshape(10, columns, 28, 28)], axis=1)
    gap = np.full((10, 1, 28, 28), 60, np.uint8)
    rows = np.concatenate([rows[:, :columns], gap, rows[:, columns:]], axis=1)
    return show_images(list(rows), names=[str(digit) for digit in range(10)], size=0.32)


EXPERIMENTS = (
    Experiment(
        "dbn-generate",
        Text("A deep belief net draws the digit it is told", "深度信念网络按要求画出数字"),
        FASTER,
        _generate,
        claims=(
            Claim(
                Text(
                    "Run backwards with a label held on, the network generates images that look like that digit: "
                    "at least "
                    "90 % are read as it.",
                    "固定标签、反向运行网络，它生成的图像看起来就像那个数字：至少 90 % 被读作该数字。",
                ),
                _drawn_as_told,
            ),
            Claim(
                Text(
                    "It draws digits of its own, and copies no training image.",
                    "它画的是自己的数字，而不是照抄训练图像。",
                ),
                _no_copies,
            ),
            Claim(
                Text(
                    "Its drawings of a digit differ, as handwriting does.", "同一个数字的画法各不相同，就像手写一样。"
                ),
                _diverse,
            ),
        ),
        deviations=(
            Text(
                "784-500-500-1000 instead of 2000; 50,000 training images in mini-batches of 100; 6 epochs of "
                "contrastive divergence a machine "
                "instead of 30. "
                "Then 6 epochs with persistent chains at the top (Tieleman 2008) in the place of 300 of up-down "
                "learning: "
                "one step of contrastive divergence leaves states likely that are far from all images, and long "
                "chains end "
                "there.",
                "网络为 784-500-500-1000，顶层不是 2000；用 50,000 张训练图像、每批 100 张；"
                "每个玻尔兹曼机用对比散度训练 6 轮而不是 30 轮。"
                "随后在顶层用持续链训练 6 轮"
                "（Tieleman 2008），代替原文 300 轮的上下算法：一步对比散度会让远离所有图像的状态仍然很可能出现，"
                "长链最终就停在那里。",
            ),
            Text(
                f"Each drawing is a chain of its own of {STEPS} steps; the source shows one chain every 1,000 "
                f"steps.  The "
                "label is held at 3 instead of 1: against 500 features one unit is heard too little for a chain "
                "that begins "
                "anywhere to get from one digit to another in so few steps.",
                f"每张图各自是一条 {STEPS} 步的链；原文是同一条链每隔 1000 步取一次。标签单元固定为 3 而不是 1："
                "面对 500 个特征，一个单元的声音太小，从任意状态出发的链在这么少的步数里走不到另一个数字。",
            ),
        ),
        drawings=(
            Drawing(
                "samples",
                Text(
                    "Left ten drawings of each digit, none picked; right, in the same order, the training image "
                    "that is "
                    "nearest to each.",
                    "左边是每个数字的十张图，未经挑选；右边按相同次序是离每张图最近的训练图像。",
                ),
                _draw,
            ),
        ),
        minutes=7,
    ),
)
