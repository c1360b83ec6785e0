"""Chapter 6, recent progress: images that look like noise, and are called a digit with certainty."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

import jax
import numpy as np

from firsthand import nn
from firsthand.data import Dataset, Splits, mnist
from firsthand.experiments.drawing import COLOURS, panels
from firsthand.experiments.experiment import Claim, Drawing, Experiment, Measured, Run, mean_of
from firsthand.experiments.result import Finding, Result, Text
from firsthand.inspect.fooling import evolved, grown
from firsthand.inspect.sheets import as_bytes
from firsthand.models import Model, fit_temperature
from firsthand.reading import boxed_gate

from .adversarial import CONV, CONV_RECIPE, PROGRESS
from .common import trained

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["EXPERIMENTS"]

SURE = 0.9999
DIGITS = np.arange(10)
BINS = 20
NONE = "none"  # the eleventh class
ROUNDS = 3  # of fooling images that the eleventh class is made of
LAYERS = (*CONV[:-1], nn.Softmax(11))
RECIPE = CONV_RECIPE.changed(epochs=2)

Made = tuple[np.ndarray, dict[str, float]]  # an image for each digit, and what was measured meanwhile


def _by_evolution(run: Run, model: Model, key: jax.Array) -> Made:
    found = evolved(model, key=key, sure=SURE, generations=run.shortened(2500, 25), children=100)
    slowest = float(np.where(found.generations < 0, np.inf, found.generations).max())
    return found.images, {"generations": slowest if np.isfinite(slowest) else -1.0}


def _by_gradient(run: Run, model: Model, key: jax.Array) -> Made:
    noise = np.asarray(jax.random.uniform(key, (10, 28, 28, 1)))
    images = grown(model, noise, DIGITS, steps=run.shortened(500, 10), rate=0.5)
    return images, {"moved": float(np.sqrt(np.mean((images - noise) ** 2)))}


def _measure(make: Callable[[Run, Model, jax.Array], Made], run: Run) -> Measured:
    data, keys = mnist(), jax.random.split(run.key, ROUNDS + 2)
    plain = trained(run, CONV, RECIPE, name="ten").model
    images, more = make(run, plain, keys[0])
    calibrated = fit_temperature(plain, data.validation)
    run.say("ten classes fooled")
    others = [images, *(make(run, plain, key)[0] for key in keys[1:ROUNDS])]
    with_none = _with_none(data, np.concatenate(others), keys[ROUNDS])
    eleven = trained(run, LAYERS, RECIPE, data=with_none, name="eleven").model
    again, _ = make(run, eleven, keys[ROUNDS + 1])
    test = data.test.images[: run.shortened(2_000, 100)]
    sure = _sure(plain, images)
    numbers = {
        "least_confidence": float(sure.min()),
        "share_sure": float(np.mean(sure >= SURE)),
        "calibrated_confidence": float(np.median(_sure(calibrated, images))),
        "temperature": float(calibrated.temperature or 1.0),
        "test_confidence": float(np.median(plain.probabilities(test).max(axis=1))),
        "gate_passes_digits": float(np.mean(_gate(test[:500]) >= 0.5)),
        "gate_passes": float(np.mean(_gate(images) >= 0.5)),
        "gate_most": float(_gate(images).max()),
        "eleventh_takes_first": float(np.mean(eleven.predict(images) == 10)),
        "eleven_least_confidence": float(_sure(eleven, again).min()),
        "eleven_share_sure": float(np.mean(_sure(eleven, again) >= SURE)),
        "eleven_test_error": float(np.mean(eleven.predict(data.test.images) != data.test.labels)),
    }
    arrays = {"test": _histogram(plain.probabilities(test).max(axis=1)), "fooling": _histogram(sure)}
    noise = np.asarray(jax.random.uniform(keys[0], (500, 28, 28, 1)))
    arrays["noise"] = _histogram(plain.probabilities(noise).max(axis=1))
    if run.seed == 0:
        arrays |= {"images": as_bytes(images)[..., 0].tolist(), "again": as_bytes(again)[..., 0].tolist()}
        arrays |= {"confidence": sure.round(5).tolist(), "confidence_again": _sure(eleven, again).round(5).tolist()}
    return Measured(numbers | more, arrays)


def _sure(model: Model, images: np.ndarray) -> np.ndarray:
    """p of its own digit for the image of each digit, (10,)."""
    return model.probabilities(images)[DIGITS, DIGITS].astype(float)


def _gate(images: np.ndarray) -> np.ndarray:
    """p(one whole digit) as the page reader's gate says it: the image as MNIST has it, alone in its line, (n,)."""
    pixels = as_bytes(images)
    return boxed_gate().probabilities(np.concatenate([pixels, pixels, np.zeros_like(pixels)], axis=-1))[:, 1]


def _with_none(data: Splits, fooling: np.ndarray, key: jax.Array) -> Splits:
    """The digits and an eleventh class: fooling images, each 50 times with a little noise, and as many of noise."""
    repeated = np.repeat(fooling, 50, axis=0)
    one, two = jax.random.split(key)
    near = np.clip(repeated + 0.05 * np.asarray(jax.random.normal(one, repeated.shape)), 0, 1)
    noise = np.asarray(jax.random.uniform(two, repeated.shape))
    extra = as_bytes(np.concatenate([near, noise]))
    classes = (*data.train.classes, NONE)
    none = Dataset(extra, np.full(len(extra), 10), classes)
    train = data.train.with_classes(classes)[:30_000] + none
    return Splits(train, data.validation.with_classes(classes), data.test.with_classes(classes))


def _histogram(confidence: np.ndarray) -> list[int]:
    return np.histogram(confidence, BINS, (0, 1))[0].tolist()


def _certain(runs: Sequence[Measured]) -> Finding:
    least, share = min(run.numbers["least_confidence"] for run in runs), mean_of(runs, "share_sure")
    return Finding(
        share == 1,
        Text(
            f"{share:.0%} of the images (one for each digit) reach {SURE:.2%}; the least sure one {least:.3%}; test "
            f"digits have a median of {mean_of(runs, 'test_confidence'):.3%}",
            f"{share:.0%} 的图像（每个数字一幅）达到 {SURE:.2%}；最不确定的为 {least:.3%}；"
            f"测试数字的中位数为 {mean_of(runs, 'test_confidence'):.3%}",
        ),
    )


def _gate_says(runs: Sequence[Measured]) -> Finding:
    passes, digits = mean_of(runs, "gate_passes"), mean_of(runs, "gate_passes_digits")
    most = max(run.numbers["gate_most"] for run in runs)
    return Finding(
        passes == 0 and digits > 0.95,
        Text(
            f"the gate, made to tell digits from other ink, takes {passes:.0%} of them for a digit (the most "
            f"likely one "
            f"with {most:.1%}), and {digits:.1%} of test digits; it was not attacked itself",
            f"专门区分数字与其他墨迹的门控网络把其中 {passes:.0%} 当作数字（最高概率 {most:.1%}），对测试数字为 "
            f"{digits:.1%}；门控网络本身没有受到攻击",
        ),
    )


def _temperature(runs: Sequence[Measured]) -> Finding:
    after, t = mean_of(runs, "calibrated_confidence"), mean_of(runs, "temperature")
    return Finding(
        after > 0.99,
        Text(
            f"with the temperature {t:.2f} that fits validation digits the median confidence is {after:.3%}",
            f"用验证数字拟合的温度 {t:.2f}，置信度中位数为 {after:.3%}",
        ),
    )


def _eleventh(runs: Sequence[Measured]) -> Finding:
    share, least = mean_of(runs, "eleven_share_sure"), min(run.numbers["eleven_least_confidence"] for run in runs)
    taken = mean_of(runs, "eleventh_takes_first")
    return Finding(
        least > 0.5,  # all of them are called digits
        Text(
            f"it takes {taken:.0%} of the images that it has learned from; of new ones, made against it, {share:.0%} "
            f"reach {SURE:.2%} as digits, and the least sure one {least:.3%}",
            f"对学过的那些图像，{taken:.0%} 归入第十一类；针对它新制作的图像中，{share:.0%} 以数字的身份达到 "
            f"{SURE:.2%}，最不确定的为 {least:.3%}",
        ),
    )


def _draw(result: Result, needed: Mapping[str, Result]) -> "Figure":
    from matplotlib import colormaps

    found = result.runs[0]["arrays"]
    figure, grid = panels(3, 10, width=0.85, height=1.35)
    rows = ((found["images"], found["confidence"]), (found["again"], found["confidence_again"]))
    for line, (images, sure) in zip(grid, rows, strict=False):
        for digit, axes in enumerate(line):
            axes.imshow(images[digit], cmap=colormaps["gray_r"].resampled(12), vmin=0, vmax=255)
            axes.set_title(str(digit), fontsize=9)
            axes.set_xlabel(f"{sure[digit]:.2%}", fontsize=7)
            axes.grid(visible=False)
            axes.set(xticks=(), yticks=())
    grid[0, 0].set_ylabel("ten classes", fontsize=8)
    grid[1, 0].set_ylabel("eleven", fontsize=8)
    for axes in grid[2]:
        axes.remove()
    below = figure.add_subplot(grid[2, 0].get_gridspec()[2, :])
    edges = np.linspace(0, 1, BINS + 1)
    names = (("test", "test digits"), ("fooling", "these images"), ("noise", "noise as it begins"))
    for colour, (name, label) in zip(COLOURS, names, strict=False):
        counts = np.sum([run["arrays"][name] for run in result.runs], axis=0)
        below.stairs(counts / counts.sum(), edges, color=colour, label=label, linewidth=1.4)
    below.set(yscale="log", xlabel="confidence", ylabel="share", xlim=(0, 1.01))
    below.legend(frameon=False, fontsize=8, loc="upper left")
    below.grid(alpha=0.3)
    return figure


def _experiment(id: str, title: Text, make: Callable, how: Text, deviation: Text) -> Experiment:
    return Experiment(
        id,
        title,
        PROGRESS,
        partial(_measure, make),
        claims=(
            Claim(how, _certain),
            Claim(
                Text(
                    "Temperature does not help: calibrated on digits, the network is as sure as before (ours).",
                    "温度无济于事：用数字校准后，网络同样确定（我们的说法）。",
                ),
                _temperature,
            ),
            Claim(
                Text(
                    "A network that was made to say what is no digit refuses them, as long as they are not made "
                    "against "
                    "it (ours: the page reader's gate).",
                    "专门判断“不是数字”的网络会拒绝它们，只要图像不是针对它制作的（我们的说法：读页程序的门控网络）。",
                ),
                _gate_says,
            ),
            Claim(
                Text(
                    "An eleventh class for such images does not stop it: new ones are found (Nguyen et al. 2014, "
                    "section 3.3).",
                    "为这类图像增加第十一类也挡不住：又能找到新的（Nguyen 等，2014，3.3 节）。",
                ),
                _eleventh,
            ),
        ),
        deviations=(deviation,),
        drawings=(
            Drawing(
                "images",
                Text(
                    "Noise to the eye, a digit to the network: for each digit the image and what the network says "
                    "of it; "
                    "below, those made against the network with an eleventh class; and the histogram of confidences.",
                    "人眼看是噪声，网络看是数字：每个数字的图像及网络给出的概率；下一行针对有第十一类的网络；"
                    "最下面是置信度的直方图。",
                ),
                _draw,
            ),
        ),
        minutes=1.5,
    )


EXPERIMENTS = (
    _experiment(
        "fooling-evolved",
        Text("Noise that evolves until it is a digit to the network", "噪声不断进化，直到网络认作数字"),
        _by_evolution,
        Text(
            "Images that look like white noise are called a known digit with a confidence of 99.99 % or more, bred by "
            "changing 10 % of the pixels at a time.",
            "看上去像白噪声的图像，以 99.99 % 以上的置信度被认作某个数字；每次改变 10 % 的像素繁殖而成。",
        ),
        Text(
            "Our ConvPool network with 2 epochs instead of LeNet, 100 children a generation, at most 1,000 "
            "generations.",
            "用我们训练 2 个 epoch 的 ConvPool 网络代替 LeNet，每代 100 个后代，最多 2,500 代。",
        ),
    ),
    _experiment(
        "fooling-gradient",
        Text("Noise that follows the gradient until it is a digit to the network", "噪声沿梯度改变，直到网络认作数字"),
        _by_gradient,
        Text(
            "Images that look like white noise are called a known digit with a confidence of 99.99 % or more, made by "
            "following the gradient.",
            "看上去像白噪声的图像，以 99.99 % 以上的置信度被认作某个数字；沿梯度改变而成。",
        ),
        Text(
            "Our ConvPool network with 2 epochs; 500 steps of length 0.5 from uniform noise, without a penalty.",
            "用我们训练 2 个 epoch 的 ConvPool 网络；从均匀噪声出发走 500 步，步长 0.5，没有惩罚项。",
        ),
    ),
)
