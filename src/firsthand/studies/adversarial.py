"""Chapter 6, recent progress: adversarial images, found for every image, and how far they fool other networks."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import jax
import numpy as np

from firsthand import nn
from firsthand.data import Dataset, Splits, mnist
from firsthand.experiments.drawing import COLOURS, panels
from firsthand.experiments.experiment import Claim, Drawing, Experiment, Measured, Run, mean_of
from firsthand.experiments.result import Finding, Result, Source, Text
from firsthand.inspect.adversarial import distortion, fooled, minimal_distortion, same_size
from firsthand.inspect.sheets import as_bytes
from firsthand.learning import Cosine, Recipe
from firsthand.models import Model
from firsthand.nn import Layer

from .common import trained

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["CONV", "EXPERIMENTS", "PROGRESS", "RECIPE", "triptychs"]

PROGRESS = Source("Nielsen", "chapter 6, 'Recent progress in image recognition' (图像识别领域中的近期进展)")

RECIPE = Recipe(epochs=4, batch_size=10, learning_rate=Cosine(0.5, 4), l2=1e-5)
CONV: tuple[Layer, ...] = (
    nn.ConvPool(20, weights_init=nn.he),
    nn.ConvPool(40, weights_init=nn.he),
    nn.FullyConnected(100, nn.relu, weights_init=nn.he),
    nn.Softmax(10),
)
CONV_RECIPE = RECIPE.changed(epochs=3, learning_rate=Cosine(0.1, 3))
# the first three are Szegedy's; which share of the test images each is asked about in a run
NETWORKS: dict[str, tuple[tuple[Layer, ...], int]] = {
    "fc10": ((nn.Softmax(10),), 10),
    "fc100_100_10": ((nn.FullyConnected(100), nn.FullyConnected(100), nn.Softmax(10)), 10),
    "fc200_200_10": ((nn.FullyConnected(200), nn.FullyConnected(200), nn.Softmax(10)), 10),
    "conv_pool": (CONV, 40),
}
SHOWN = 8  # triptychs


def recipe_of(name: str) -> Recipe:
    if name.startswith("conv"):
        return CONV_RECIPE
    return RECIPE.changed(learning_rate=Cosine(0.1, 4), l2=1e-4) if name == "fc10" else RECIPE


def _measure_minimal(run: Run) -> Measured:
    test, numbers, arrays = mnist().test, {}, {}
    for number, (name, (layers, parts)) in enumerate(NETWORKS.items()):
        model = trained(run, layers, recipe_of(name), name=name).model
        # another part in every run
        first, after = (part * len(test) // parts for part in (run.seed % parts, run.seed % parts + 1))
        some = test[first : run.shortened(after, first + 50)]
        right = ~fooled(model, some.images, some.labels)
        images, labels = some.images[right], some.labels[right]
        changed = minimal_distortion(model, images, labels)
        run.say(f"{name} {len(images)} images")
        noisy = same_size(images, changed, noise=True, key=jax.random.fold_in(run.key, number))
        far = distortion(images, changed)
        numbers |= {
            f"{name}_test_error": float(1 - model.accuracy(test)),
            f"{name}_fooled": float(np.mean(fooled(model, changed, labels))),
            f"{name}_fooled_as_bytes": float(np.mean(fooled(model, as_bytes(changed), labels))),
            f"{name}_distortion": float(np.mean(far)),
            f"{name}_largest_distortion": float(np.max(far)),
            f"{name}_fooled_by_noise": float(np.mean(fooled(model, noisy, labels))),
        }
        if run.seed == 0 and name == "conv_pool":
            arrays = triptychs(model, images[:SHOWN], changed[:SHOWN], labels[:SHOWN])
    return Measured(numbers, arrays)


def triptychs(model: Model, images: np.ndarray, changed: np.ndarray, labels: np.ndarray) -> dict[str, list]:
    """Images, changed ones and what the model says of both, as lists for a figure."""
    return {
        "images": images[..., 0].tolist(),
        "changed": as_bytes(changed)[..., 0].tolist(),
        "labels": labels.tolist(),
        "called": model.predict(changed).tolist(),
        "confidence": np.round(model.probabilities(changed).max(axis=1).astype(float), 4).tolist(),
    }


def _every_image(runs: Sequence[Measured]) -> Finding:
    shares = {name: min(run.numbers[f"{name}_fooled"] for run in runs) for name in NETWORKS}
    far = {name: mean_of(runs, f"{name}_distortion") for name in NETWORKS}
    listed = "; ".join(f"{name.replace('_', '-')} {shares[name]:.2%}, {far[name]:.3f}" for name in NETWORKS)
    return Finding(
        all(share == 1 for share in shares.values()),
        Text(
            f"share fooled of the test images that were read rightly (least of the runs), mean distortion: {listed}",
            f"原本识别正确的测试图像中被骗过的比例（各次运行的最小值）与平均失真：{listed}",
        ),
    )


def _imperceptible(runs: Sequence[Measured]) -> Finding:
    far = [mean_of(runs, f"{name}_distortion") for name in NETWORKS]
    return Finding(
        max(far) < 0.1,
        Text(
            f"the mean root mean square change of a pixel is {min(far):.3f} to {max(far):.3f} of the range from black "
            "to white",
            f"每个像素的均方根改变量平均为黑白范围的 {min(far):.3f} 至 {max(far):.3f}",
        ),
    )


def _low_probability(runs: Sequence[Measured]) -> Finding:
    shares = [mean_of(runs, f"{name}_fooled_by_noise") for name in NETWORKS]
    return Finding(
        max(shares) < 0.05,
        Text(
            f"random noise of the same size on the same images fools {min(shares):.2%} to {max(shares):.2%} of them",
            f"在同样的图像上加同样大小的随机噪声，只有 {min(shares):.2%} 至 {max(shares):.2%} 被骗过",
        ),
    )


def _draw_triptychs(result: Result, needed: Mapping[str, Result]) -> "Figure":
    from firsthand.inspect.plots_fooled import plot_fooled

    found = result.runs[0]["arrays"]
    called = [f"{label}: {p:.0%}" for label, p in zip(found["called"], found["confidence"], strict=True)]
    images, changed = (np.array(found[name], float) / 255 for name in ("images", "changed"))
    return plot_fooled(images, changed, [str(label) for label in found["labels"]], called)


# ---------------------------------------------------------------- transfer between networks

HALVES = ("a", "b")  # of the training images
PAIRS: dict[str, tuple[tuple[Layer, ...], str]] = {
    "fc100_100_10 a": (NETWORKS["fc100_100_10"][0], "a"),
    "fc123_456_10 a": ((nn.FullyConnected(123), nn.FullyConnected(456), nn.Softmax(10)), "a"),
    "fc100_100_10 b": (NETWORKS["fc100_100_10"][0], "b"),
    "conv_pool a": (CONV, "a"),
    "conv_pool b": (CONV, "b"),
}
MAGNIFIED = 0.1  # distortion to which the changes are magnified


def _half(data: Splits, half: str) -> Splits:
    first = len(data.train) // 2
    part: Dataset = data.train[:first] if half == "a" else data.train[first:]
    return Splits(part, data.validation, data.test)


def _measure_transfer(run: Run) -> Measured:
    data = mnist()
    models = {
        name: trained(
            run, layers, recipe_of(name), data=_half(data, half), name=name.replace(" ", "-"), quick_examples=3_000
        ).model
        for name, (layers, half) in PAIRS.items()
    }
    some = data.test[: run.shortened(200, 40)]
    images, labels = some.images, some.labels
    minimal, magnified, noise = [], [], []
    for number, (name, model) in enumerate(models.items()):
        changed = minimal_distortion(model, images, labels)
        run.say(f"changed for {name}")
        times = (MAGNIFIED / np.maximum(distortion(images, changed), 1e-9)).reshape(-1, 1, 1, 1)
        larger = same_size(images, changed, times=times)
        random = same_size(images, larger, noise=True, key=jax.random.fold_in(run.key, number))
        for rows, pictures in ((minimal, changed), (magnified, larger), (noise, random)):
            rows.append([float(np.mean(fooled(other, pictures, labels))) for other in models.values()])
    plain = [float(np.mean(fooled(model, images, labels))) for model in models.values()]
    own = np.eye(len(models), dtype=bool)
    kinds = [(name.split()[0], name.split()[1]) for name in models]
    other_data = np.array([[i[0] == j[0] and i[1] != j[1] for j in kinds] for i in kinds])
    numbers = {
        "plain_error": float(np.mean(plain)),
        "own_minimal": float(np.array(minimal)[own].mean()),
        "others_minimal": float(np.array(minimal)[~own].mean()),
        "own_magnified": float(np.array(magnified)[own].mean()),
        "others_magnified": float(np.array(magnified)[~own].mean()),
        "other_half_magnified": float(np.array(magnified)[other_data].mean()),
        "others_noise": float(np.array(noise)[~own].mean()),
    }
    rounded = {
        name: np.round(rows, 4).tolist()
        for name, rows in (("minimal", minimal), ("magnified", magnified), ("noise", noise), ("plain", plain))
    }
    return Measured(numbers, rounded)


def _they_transfer(runs: Sequence[Measured]) -> Finding:
    of = {name: mean_of(runs, name) for name in runs[0].numbers}
    return Finding(
        of["other_half_magnified"] > 3 * of["others_noise"] and of["others_minimal"] > 1.5 * of["plain_error"],
        Text(
            f"magnified to a distortion of {MAGNIFIED}, images made for one network are misread by others "
            f"{of['others_magnified']:.1%} of the time (the same network trained on the other half: "
            f"{of['other_half_magnified']:.1%}), random noise of that size {of['others_noise']:.1%}; as they are, the "
            f"smallest changes fool others {of['others_minimal']:.1%} of the time, and unchanged images are misread "
            f"{of['plain_error']:.1%} of the time",
            f"放大到失真 {MAGNIFIED} 时，为一个网络制作的图像被其他网络误读 {of['others_magnified']:.1%}"
            f"（同样的网络，用另一半数据训练：{of['other_half_magnified']:.1%}），同样大小的随机噪声为 "
            f"{of['others_noise']:.1%}；最小的改变原样交给其他网络，误读 {of['others_minimal']:.1%}，未改变的图像误读 "
            f"{of['plain_error']:.1%}",
        ),
    )


def _draw_transfer(result: Result, needed: Mapping[str, Result]) -> "Figure":
    names = [name.replace("_", "-").replace("-10 ", "\n").replace("pool ", "pool\n") for name in PAIRS]
    figure, grid = panels(1, 3, width=3.9, height=4.0)
    titles = ("smallest changes", f"magnified to {MAGNIFIED}", f"random noise of {MAGNIFIED}")
    for axes, kind, title in zip(grid[0], ("minimal", "magnified", "noise"), titles, strict=True):
        found = np.mean([run["arrays"][kind] for run in result.runs], axis=0)
        axes.imshow(found, cmap="Oranges", vmin=0, vmax=1)
        axes.grid(visible=False)
        for (i, j), share in np.ndenumerate(found):
            axes.text(j, i, f"{share:.1%}", ha="center", va="center", fontsize=8, color="white" if share > 0.6 else "k")
        axes.set_xticks(range(len(names)), names, fontsize=7)
        axes.set_yticks(range(len(names)), names if kind == "minimal" else [""] * len(names), fontsize=7)
        axes.set_title(title, fontsize=10)
        axes.set_xlabel("misread by", color=COLOURS[1])
    grid[0, 0].set_ylabel("made for", color=COLOURS[0])
    return figure


EXPERIMENTS = (
    Experiment(
        "adversarial-minimal",
        Text("The smallest change that makes a network misread an image", "让网络误读图像的最小改变"),
        PROGRESS,
        _measure_minimal,
        claims=(
            Claim(
                Text(
                    "There are adversarial images for every sample image, not just a few special ones.",
                    "对每一幅样本图像都存在对抗图像，而不只是少数特例。",
                ),
                _every_image,
            ),
            Claim(
                Text(
                    "The change is slight: a few hundredths, root mean square (Szegedy et al. 2013, table 1, as we "
                    "recall it: 0.058 for FC100-100-10, 0.065 for FC200-200-10).",
                    "改变很轻微：均方根为百分之几（Szegedy 等 2013 年表 1，据我们的记忆：FC100-100-10 为 0.058，"
                    "FC200-200-10 为 0.065）。",
                ),
                _imperceptible,
            ),
            Claim(
                Text(
                    "Adversarial images are of extremely low probability: they are rarely met by chance.",
                    "对抗图像出现的概率极低：偶然几乎遇不到。",
                ),
                _low_probability,
            ),
        ),
        deviations=(
            Text(
                "MNIST and networks for it, not ImageNet and KSH's network: the first three are those of Szegedy's "
                "table 1, ours with 4 epochs of stochastic gradient descent and the log-likelihood.",
                "用的是 MNIST 及其网络，而不是 ImageNet 和 KSH 网络：前三个网络出自 Szegedy 的表 1，"
                "这里用 4 个 epoch 的随机梯度下降和对数似然代价训练。",
            ),
            Text(
                "The penalty is c |r|² instead of c |r|, minimized by our own batched L-BFGS in the box; the target is "
                "the class that comes nearest. Each run asks about another "
                "1,000 test images; about 250 with the ConvPool network.",
                "惩罚项为 c |r|²，而不是 c |r|，用我们自己的成批带界 L-BFGS 求极小；目标是最接近的另一类。"
                "每次运行用另外 1,000 幅测试图像；ConvPool 网络每次用 250 幅。",
            ),
        ),
        drawings=(
            Drawing(
                "triptychs",
                Text(
                    "As in the text: the image, the difference, and the image that the ConvPool network misreads, with "
                    "what it says. White paper betrays the change as a faint grey, "
                    "which on a photograph would not be seen; nobody would read another digit.",
                    "与书中一样：原图、差异、被 ConvPool 网络误读的图像及其输出。白底上改变显出淡淡的灰色，"
                    "在照片上则看不出来；没有人会读成别的数字。",
                ),
                _draw_triptychs,
            ),
        ),
        minutes=6,
    ),
    Experiment(
        "adversarial-transfer",
        Text("Images that fool one network, shown to others", "骗过一个网络的图像，给其他网络看"),
        PROGRESS,
        _measure_transfer,
        claims=(
            Claim(
                Text(
                    "A relatively large share of them is misread by networks of other architecture, and by networks "
                    "trained on other images (Szegedy et al. 2013, section 4.2).",
                    "其中相当大的一部分也会被结构不同的网络、以及用其他图像训练的网络误读"
                    "（Szegedy 等，2013，4.2 节）。",
                ),
                _they_transfer,
            ),
        ),
        deviations=(
            Text(
                "Halves of 25,000 training images, a and b; the first 200 test images. To be magnified, a change is "
                "lengthened along its own direction, and what leaves 0 to 1 is cut off.",
                "训练图像分成两半 a 和 b，各 25,000 幅；用前 200 幅测试图像。放大时沿改变本身的方向延长，超出 0 到 1 "
                "的部分截去。",
            ),
        ),
        drawings=(
            Drawing(
                "matrix",
                Text(
                    "Rows: for which network the images were made; columns: which network misreads them (a, b: the "
                    "half of the training images). The diagonal is what the images were made for; the rest is far "
                    "above noise "
                    "of the same size.",
                    "行：为哪个网络制作；列：哪个网络误读（a、b 为训练图像的两半）。对角线是制作时针对的网络；"
                    "其余远高于同样大小的噪声。",
                ),
                _draw_transfer,
            ),
        ),
        minutes=4,
    ),
)
