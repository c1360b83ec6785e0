"""Two autoencoders with something to say about their codes: sparse ones, and ones that can be drawn at random."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import jax
import numpy as np

from firsthand import nn
from firsthand.data import Splits
from firsthand.experiments.experiment import Claim, Drawing, Experiment, Measured, Run, mean_of
from firsthand.experiments.result import Finding, Result, Source, Text
from firsthand.inspect.sheets import as_bytes
from firsthand.models import Autoencoder
from firsthand.reading.box import boxed_model
from firsthand.zoo.generative import VARIATIONAL

from .autoencoders import ONE_LAYER, ONE_LAYER_RECIPE
from .common import trained
from .generative import NARROW, data_of, nearest, packed, show_images, spread, unpacked

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["EXPERIMENTS"]

# --- sparse --------------------------------------------------------------------------------------------------------

ACTIVE = 0.05
SHOWN = 40  # filters of each network in the figure
UP, DOWN = ONE_LAYER
KINDS = {"plain": ONE_LAYER, "sparse": (UP, nn.Sparsity(ACTIVE, 10.0), DOWN)}
MOST = 100  # test images that turn a unit on most


def _sparse(run: Run) -> Measured:
    data = data_of(run)
    rng = np.random.default_rng(run.seed)
    chosen = rng.permutation(UP.units)[:SHOWN]
    numbers, arrays = {}, {}
    for name, layers in KINDS.items():
        model: Autoencoder = trained(run, layers, ONE_LAYER_RECIPE, data=data, name=name, quick_epochs=1).model
        codes = model.encode(data.test.images)
        weights = np.asarray(model.params[0]["weights"]).T.reshape(-1, 28, 28)
        numbers |= {
            f"{name}_active": float(np.mean(codes)),
            f"{name}_error": float(np.mean(model.errors(data.test.images))),
            f"{name}_of_one_digit": _of_one_digit(codes, data.test.labels),
        }
        limit = np.abs(weights[chosen]).max(axis=(1, 2), keepdims=True)
        arrays[name] = packed((1 + weights[chosen] / limit) / 2)
    return Measured(numbers, arrays)


def _of_one_digit(codes: np.ndarray, labels: np.ndarray) -> float:
    """The share of the commonest digit among the images that turn a unit on most, a mean over units."""
    most = np.argsort(-codes, axis=0, kind="stable")[:MOST]  # (images, units)
    counts = np.stack([(labels[most] == digit).sum(axis=0) for digit in range(10)])
    return float(np.mean(counts.max(axis=0) / len(most)))


def _rarely_on(runs: Sequence[Measured]) -> Finding:
    plain, ours = mean_of(runs, "plain_active"), mean_of(runs, "sparse_active")
    return Finding(
        abs(ours - ACTIVE) < 0.02 and plain > 2 * ours,
        Text(
            f"on average {ours:.1%} of the units are on for a test image, {plain:.1%} without the penalty; squared "
            f"error {mean_of(runs, 'sparse_error'):.2f} with it, {mean_of(runs, 'plain_error'):.2f} without",
            f"对一张测试图像平均有 {ours:.1%} 的单元开启，没有惩罚时为 {plain:.1%}；平方误差有惩罚时 "
            f"{mean_of(runs, 'sparse_error'):.2f}，没有时 {mean_of(runs, 'plain_error'):.2f}",
        ),
    )


def _says_more(runs: Sequence[Measured]) -> Finding:
    pairs = [(run.numbers["sparse_of_one_digit"], run.numbers["plain_of_one_digit"]) for run in runs]
    ours, plain = np.mean(pairs, axis=0)
    return Finding(
        all(each > other + 0.1 for each, other in pairs),
        Text(
            f"of the {MOST} test images that turn a unit on most, {ours:.1%} are of one digit, without the penalty "
            f"{plain:.1%} (asked for: 10 points more in every run)",
            f"在最能使一个单元开启的 {MOST} 张测试图像中，{ours:.1%} 属于同一个数字，没有惩罚时为 {plain:.1%}"
            "（判定：每次都多 10 个百分点）",
        ),
    )


def _draw_filters(result: Result, needed: Mapping[str, Result]) -> "Figure":
    rows = [unpacked(result.runs[0]["arrays"][name]).reshape(2, -1, 28, 28) for name in KINDS]
    gap = np.full((1, 20, 28, 28), 128, np.uint8)
    return show_images(list(np.concatenate([rows[0], gap, rows[1]])), diverging=True)


# --- drawn at random -----------------------------------------------------------------------------------------------

SAMPLES = 1_000
SURE = 0.9  # of the digit reader
DRAWN = (4, 10)  # rows and columns in the figure


def _variational(run: Run) -> Measured:
    data = data_of(run)
    model: Autoencoder = trained(
        run, VARIATIONAL.layers, VARIATIONAL.recipe, data=Splits(data.train, data.validation, data.test), quick_epochs=1
    ).model
    count = run.shortened(SAMPLES, 50)
    images = as_bytes(model.sample(count, key=run.key))
    probabilities = boxed_model().probabilities(images)
    read, sure = probabilities.argmax(axis=1), probabilities.max(axis=1) >= SURE
    flat = images.reshape(count, -1).astype(np.float32) / 255
    train_images, test_images = (
        part.images.reshape(len(part), -1).astype(np.float32) / 255 for part in (data.train, data.test[:1_000])
    )
    index, distance = nearest(flat, train_images)
    shown = DRAWN[0] * DRAWN[1]
    return Measured(
        {
            "bound": _bound(model, data.test.images, run.key),
            "squared_error": float(np.mean(model.errors(data.test.images))),
            "sure": float(np.mean(sure)),
            "rarest_digit": float(min(np.mean(read[sure] == digit) for digit in range(10))) if sure.any() else 0.0,
            "distance_to_nearest": float(np.median(distance)),
            "test_distance_to_nearest": float(np.median(nearest(test_images, train_images)[1])),
            "spread_of_samples": spread(flat),
            "spread_of_test_images": spread(test_images),
        },
        {
            "samples": packed(images[:shown, ..., 0]),
            "nearest": packed(data.train.images[index[:shown], ..., 0]),
        },
    )


def _bound(model: Autoencoder, images: np.ndarray, key: jax.Array) -> float:
    """The lower bound of ln p(x) in nat, a mean over images with one code drawn for each."""
    objective = VARIATIONAL.recipe.objective
    costs = jax.jit(lambda params, x, key: objective.costs(model.network, params, (x,), key=key)[0])
    parts = np.array_split(images, max(1, len(images) // 1_000))
    found = [costs(model.params, part, jax.random.fold_in(key, number)) for number, part in enumerate(parts)]
    return -float(np.mean(np.concatenate(found)))


def _digits_come_out(runs: Sequence[Measured]) -> Finding:
    sure, rarest = mean_of(runs, "sure"), min(run.numbers["rarest_digit"] for run in runs)
    return Finding(
        sure > 0.5 and rarest > 0.01,
        Text(
            f"of {SAMPLES:,} drawings the digit reader is sure of {sure:.1%} (a probability of {SURE} and more), and "
            f"no digit is rarer among them than {rarest:.1%}; lower bound of the log likelihood of test images "
            f"{mean_of(runs, 'bound'):.1f} nat, squared error of a reconstruction {mean_of(runs, 'squared_error'):.1f}",
            f"{SAMPLES} 张图中，数字阅读器对 {sure:.1%} 有把握（概率不低于 {SURE}），其中最少的数字占 {rarest:.1%}；"
            f"测试图像对数似然的下界为 {mean_of(runs, 'bound'):.1f} nat，重构的平方误差为 "
            f"{mean_of(runs, 'squared_error'):.1f}",
        ),
    )


def _new_digits(runs: Sequence[Measured]) -> Finding:
    names = ("distance_to_nearest", "test_distance_to_nearest", "spread_of_samples", "spread_of_test_images")
    ours, usual, apart, usually_apart = (mean_of(runs, name) for name in names)
    return Finding(
        ours > 0.5 * usual and apart > 0.75 * usually_apart,
        Text(
            f"from a drawing to its nearest training image it is {ours:.2f} in the median, from a test image "
            f"{usual:.2f}; two drawings are {apart:.2f} apart in the mean, two test images {usually_apart:.2f}",
            f"每张图到最近的训练图像的距离中位数为 {ours:.2f}，测试图像为 {usual:.2f}；两张图平均相距 {apart:.2f}，"
            f"两张测试图像平均相距 {usually_apart:.2f}",
        ),
    )


def _draw_samples(result: Result, needed: Mapping[str, Result]) -> "Figure":
    """Drawings on the left; on the right as many of the deep belief net's, of each digit four."""
    rows, columns = DRAWN
    ours = unpacked(result.runs[0]["arrays"]["samples"]).reshape(-1, columns, 28, 28)[:rows]
    drawn = unpacked(needed["dbn-generate"].runs[0]["arrays"]["samples"])
    theirs = drawn.reshape(10, -1, 28, 28)[:, :rows].swapaxes(0, 1)  # a row has one of each digit
    gap = np.full((len(ours), 1, 28, 28), 60, np.uint8)
    return show_images(list(np.concatenate([ours, gap, theirs[: len(ours)]], axis=1)), size=0.36)


EXPERIMENTS = (
    Experiment(
        "sparse",
        Text("An autoencoder whose units are seldom on", "单元很少开启的自编码器"),
        NARROW,
        _sparse,
        claims=(
            Claim(
                Text(
                    f"A penalty on their mean keeps the units on for about {ACTIVE:.0%} of the images, at the price of "
                    "a larger error.",
                    f"对平均激活值加惩罚，可使每个单元只对约 {ACTIVE:.0%} 的图像开启，代价是误差变大。",
                ),
                _rarely_on,
            ),
            Claim(
                Text(
                    "A unit that is seldom on says more when it is: what turns it on is of one digit more often.",
                    "很少开启的单元一旦开启就说明更多：使它开启的图像更多属于同一个数字。",
                ),
                _says_more,
            ),
        ),
        deviations=(
            Text(
                "No published number: one hidden layer of 300 sigmoid units, 8 epochs; the penalty is that of Ng's "
                "lecture notes with a share of 0.05, on the mean of a mini-batch of 100. Its strength was chosen on "
                "validation images; with 3 in the place of 10 the units were on for 7.9 %.",
                "没有发表的数字可比：一个含 300 个 sigmoid 单元的隐藏层，8 轮；惩罚项取自吴恩达的讲义，比例 0.05，"
                "作用于每批 100 张图像的平均激活值。其强度在验证图像上选定；强度为 3 而不是 10 时单元有 7.9% 开启。",
            ),
        ),
        drawings=(
            Drawing(
                "filters",
                Text(
                    "The weights of the same 40 hidden units, drawn at random: above without the penalty, below with "
                    "it; red turns a unit on, blue off.",
                    "随机选出的 40 个隐藏单元的权重：上面没有惩罚，下面有惩罚；红色使单元开启，蓝色使其关闭。",
                ),
                _draw_filters,
            ),
        ),
        minutes=2,
    ),
    Experiment(
        "variational",
        Text("An autoencoder whose codes can be drawn at random", "编码可以随机抽取的自编码器"),
        Source("Kingma and Welling", "2014, 'Auto-Encoding Variational Bayes'"),
        _variational,
        claims=(
            Claim(
                Text(
                    "Codes drawn from the normal distribution are decoded to digits: the digit reader is sure of most, "
                    "and every digit is among them.",
                    "从正态分布抽取的编码会被解码成数字：数字阅读器对大多数有把握，而且每个数字都有。",
                ),
                _digits_come_out,
            ),
            Claim(
                Text(
                    "They are digits of its own, as different from each other as people's.",
                    "它们是新的数字，彼此的差别和人写的一样大。",
                ),
                _new_digits,
            ),
        ),
        deviations=(
            Text(
                "784-400-20-400-784, Adam, 20 epochs of 50,000 images; grey pixels are taken for probabilities. "
                "No number of the paper's is compared: it shows bounds as curves alone.",
                "网络 784-400-20-400-784，Adam，50,000 张图像 20 轮；灰度像素被当作概率。"
                "论文只以曲线给出下界，所以没有数字可比。",
            ),
        ),
        needs=("dbn-generate",),
        drawings=(
            Drawing(
                "samples",
                Text(
                    "Left, 40 drawings of the variational autoencoder, none picked: nobody says which digit. Right, "
                    "those of the deep belief net, which is told the digit.",
                    "左边是变分自编码器的 40 张图，未经挑选，没有指定数字；右边是深度信念网络的图，数字是指定的。",
                ),
                _draw_samples,
            ),
        ),
        minutes=3,
    ),
)
