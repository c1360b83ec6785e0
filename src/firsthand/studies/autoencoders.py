"""Images in 30 numbers, and in two: deep autoencoders started by Boltzmann machines; one that takes noise away."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

import jax
import numpy as np

from firsthand import nn
from firsthand.data import Noise, Splits
from firsthand.experiments.drawing import panels
from firsthand.experiments.experiment import Claim, Drawing, Experiment, Measured, Run, mean_of
from firsthand.experiments.result import Finding, Published, Result, Text
from firsthand.learning import Adam, Cosine, Recipe, Reconstruction, Training, started, train
from firsthand.models import Autoencoder
from firsthand.nn import Network
from firsthand.zoo.generative import AUTOENCODER, greedy, mirrored

from .feature_maps import roughness
from .generative import NARROW, below, data_of, packed, show_images, unpacked

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["EXPERIMENTS", "ONE_LAYER", "ONE_LAYER_RECIPE", "pca_error"]

HIDDEN = (1000, 500, 250)
FRESH_EPOCHS = 3  # without machines: enough to see where it goes
DOTS = 2_000


def _trained(run: Run, code: int, pretrain: bool, epochs: int) -> Training:
    data = data_of(run)
    units = (*HIDDEN, code)
    network = Network(mirrored(units, 784))
    start = None
    if pretrain:
        machines = greedy(units, 5, linear_code=True)
        start = started(network, below(run, machines, data, name=f"1000-500-250-{code}"), key=run.key)
    name = "pretrained" if pretrain else "fresh"
    file = run.place / f"{name}.safetensors"
    epochs = run.shortened(epochs, 1)
    return train(
        network,
        data,
        AUTOENCODER.recipe.changed(epochs=epochs),
        key=run.key,
        params=start,
        checkpoint=file,
        resume=file.exists(),
        progress=lambda at: (
            run.say(f"{name} epoch {at.epoch}/{at.epochs} {at.record['validation_error']:.3f}") if at.record else None
        ),
    )


def pca_error(train_images: np.ndarray, test_images: np.ndarray, components: int) -> float:
    """The mean squared error of images given back by the first principal components of others.

    Args:
        train_images: (n, pixels), whose mean and components they are.
        test_images: (m, pixels).
        components: how many.
    """
    mean = train_images.mean(0)
    _, vectors = np.linalg.eigh(np.cov(train_images - mean, rowvar=False))  # ascending
    basis = vectors[:, -components:]
    centred = test_images - mean
    return float(np.mean(np.sum((centred - centred @ basis @ basis.T) ** 2, axis=1)))


def _flat(images: np.ndarray) -> np.ndarray:
    return images.reshape(len(images), -1).astype(np.float64) / 255


def _autoencoder(code: int, compare: bool, run: Run) -> Measured:
    data = data_of(run)
    training = _trained(run, code, True, AUTOENCODER.recipe.epochs if code > 2 else 8)
    model: Autoencoder = training.model
    numbers = {
        "squared_error": float(np.mean(model.errors(data.test.images))),
        "training_error": training.model.provenance["scores"]["training"]["error"],
        "pca_error": pca_error(_flat(data.train.images), _flat(data.test.images), code),
    }
    if compare:
        numbers["squared_error_soon"] = training.history["validation_error"][:FRESH_EPOCHS][-1]
        fresh = _trained(run, code, False, FRESH_EPOCHS)
        numbers["squared_error_fresh_soon"] = fresh.history["validation_error"][-1]
    shown = data.test.images[:10]
    arrays = {
        "given": packed(shown[..., 0]),
        "back": packed(model.reconstruct(shown)[..., 0]),
        "curve": [round(value, 3) for value in training.history["validation_error"]],
    }
    if code == 2:
        codes = model.encode(data.test.images[:DOTS])
        arrays |= {"codes": np.round(codes, 2).tolist(), "labels": data.test.labels[:DOTS].tolist()}
        numbers |= _neighbours(model, data)
    return Measured(numbers, arrays)


def _neighbours(model: Autoencoder, data) -> dict[str, float]:
    """The share of test images whose nearest training image has their label, in two numbers of the code and of PCA."""
    known, asked = data.train[:10_000], data.test[:DOTS]
    images, mean = _flat(known.images), _flat(known.images).mean(0)
    basis = np.linalg.eigh(np.cov(images - mean, rowvar=False))[1][:, -2:]
    found = {}
    for name, of in {
        "code": lambda images: model.encode(images).astype(np.float64),
        "pca": lambda images: (_flat(images) - mean) @ basis,
    }.items():
        ours, theirs = of(known.images), of(asked.images)
        squares = np.sum(ours**2, axis=1) - 2 * theirs @ ours.T
        found[f"nearest_is_alike_{name}"] = float(np.mean(known.labels[squares.argmin(1)] == asked.labels))
    return found


def _better_than_pca(runs: Sequence[Measured]) -> Finding:
    ours, theirs = mean_of(runs, "squared_error"), mean_of(runs, "pca_error")
    return Finding(
        ours <= 3.5 and ours <= theirs / 4,
        Text(
            f"{ours:.2f} per test image ({mean_of(runs, 'training_error'):.2f} per training image); 30 principal "
            f"components "
            f"{theirs:.2f}: {theirs / ours:.1f} times as much",
            f"每张测试图像 {ours:.2f}（训练图像 {mean_of(runs, 'training_error'):.2f}）；30 个主成分为 {theirs:.2f}，"
            f"是它的 {theirs / ours:.1f} 倍",
        ),
    )


def _start_matters(runs: Sequence[Measured]) -> Finding:
    ours, fresh = mean_of(runs, "squared_error_soon"), mean_of(runs, "squared_error_fresh_soon")
    return Finding(
        fresh > 1.2 * ours,
        Text(
            f"after {FRESH_EPOCHS} epochs of the same fine-tuning, validation images: {ours:.2f} started by the "
            f"machines, {fresh:.2f} "
            "from random weights",
            f"同样微调 {FRESH_EPOCHS} 轮之后的验证图像误差：由玻尔兹曼机初始化 {ours:.2f}，随机初始化 {fresh:.2f}",
        ),
    )


def _map_tells_apart(runs: Sequence[Measured]) -> Finding:
    ours, theirs = mean_of(runs, "nearest_is_alike_code"), mean_of(runs, "nearest_is_alike_pca")
    return Finding(
        ours > theirs + 0.2,
        Text(
            f"of test images, {ours:.1%} have the label of the training image that is nearest in the two numbers; "
            f"in two "
            f"principal components {theirs:.1%}; squared error {mean_of(runs, 'squared_error'):.1f} against "
            f"{mean_of(runs, 'pca_error'):.1f}",
            f"用这两个数找最近的训练图像，{ours:.1%} 的测试图像标签相同；用两个主成分为 {theirs:.1%}；平方误差 "
            f"{mean_of(runs, 'squared_error'):.1f}，主成分为 {mean_of(runs, 'pca_error'):.1f}",
        ),
    )


def _draw_back(result: Result, needed: Mapping[str, Result]) -> "Figure":
    arrays = result.runs[0]["arrays"]
    return show_images([unpacked(arrays["given"]), unpacked(arrays["back"])], names=("test images", "given back"))


def _draw_map(result: Result, needed: Mapping[str, Result]) -> "Figure":
    arrays = result.runs[0]["arrays"]
    codes, labels = np.array(arrays["codes"]), np.array(arrays["labels"])
    figure, grid = panels(1, 1, width=5.6, height=5.2)
    axes = grid[0, 0]
    low, high = np.percentile(codes, [0.5, 99.5], axis=0)
    for digit in range(10):
        x, y = codes[labels == digit].T
        axes.scatter(x, y, s=4, label=str(digit), color=f"C{digit}", linewidths=0)
    axes.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), xlabel="first number of the code", ylabel="second")
    axes.legend(frameon=False, markerscale=4, loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


# --- noise taken away ----------------------------------------------------------------------------------------------

NOISE = Noise(0.5)
ONE_LAYER_RECIPE = Recipe(
    8,
    100,
    learning_rate=Cosine(0.001, 8),
    optimizer=Adam(),
    objective=Reconstruction(cross_entropy=True),
    keep_best=False,
)
ONE_LAYER = (nn.FullyConnected(300, weights_init=nn.glorot), nn.FullyConnected(784, weights_init=nn.glorot))


def _denoising(run: Run) -> Measured:
    data = data_of(run)
    network = Network(ONE_LAYER)
    noisy = np.asarray(jax.jit(NOISE)(_as_float(data.test.images), key=jax.random.key(0)))
    clean = _flat(data.test.images)
    numbers = {"squared_error_noisy": float(np.mean(np.sum((noisy.reshape(len(noisy), -1) - clean) ** 2, axis=1)))}
    arrays = {"noisy": packed(noisy[:10, ..., 0]), "clean": packed(data.test.images[:10, ..., 0])}
    for name, noise in {"plain": None, "denoising": NOISE}.items():
        file = run.place / f"{name}.safetensors"
        recipe = ONE_LAYER_RECIPE.changed(epochs=run.shortened(ONE_LAYER_RECIPE.epochs, 1), noise=noise)
        model = train(
            network,
            Splits(data.train, data.validation, None),
            recipe,
            key=run.key,
            checkpoint=file,
            resume=file.exists(),
            progress=lambda at, name=name: (
                run.say(f"{name} epoch {at.epoch}/{at.epochs} {at.record['validation_error']:.2f}")
                if at.record
                else None
            ),
        ).model
        back = model.reconstruct(noisy).reshape(len(noisy), -1)
        numbers[f"squared_error_{name}"] = float(np.mean(np.sum((back - clean) ** 2, axis=1)))
        weights = np.asarray(model.params[0]["weights"]).T.reshape(-1, 28, 28)
        numbers[f"roughness_{name}"] = float(np.mean(roughness(weights[:, 4:24, 4:24])))
        arrays[name] = packed(back[:10].reshape(-1, 28, 28))
    return Measured(numbers, arrays)


def _as_float(images: np.ndarray) -> np.ndarray:
    return images.astype(np.float32) / 255


def _noise_is_taken_away(runs: Sequence[Measured]) -> Finding:
    noisy, plain, ours = (mean_of(runs, f"squared_error_{name}") for name in ("noisy", "plain", "denoising"))
    rough, smooth = mean_of(runs, "roughness_plain"), mean_of(runs, "roughness_denoising")
    return Finding(
        ours < 0.5 * plain,
        Text(
            f"squared error against the clean test image: {ours:.1f} given back, {noisy:.1f} with the noise; an "
            f"autoencoder "
            f"that never saw noise gives back {plain:.1f}. Neighbouring weights of its filters differ "
            f"{smooth:.2f} as much "
            f"as any two, {rough:.2f} without noise",
            f"与干净测试图像的平方误差：还原后 {ours:.1f}，加噪图像 {noisy:.1f}；没有见过噪声的自编码器还原后为 "
            f"{plain:.1f}。"
            f"其滤波器相邻权重之差是任意两个权重之差的 {smooth:.2f} 倍，不加噪声时为 {rough:.2f} 倍",
        ),
    )


def _draw_denoised(result: Result, needed: Mapping[str, Result]) -> "Figure":
    arrays = result.runs[0]["arrays"]
    names = {"clean": "test images", "noisy": "with noise", "denoising": "denoised", "plain": "never saw noise"}
    return show_images([unpacked(arrays[name]) for name in names], names=list(names.values()))


EXPERIMENTS = (
    Experiment(
        "autoencoder-30",
        Text(
            "An image in 30 numbers: 784-1000-500-250-30 and back", "用 30 个数表示一张图像：784-1000-500-250-30 再还原"
        ),
        NARROW,
        partial(_autoencoder, 30, True),
        # the source's 3.00 against 13.87 of 30 principal components, recalled
        published=(
            Published("squared_error", 3.0, "value", 0.5, better="lower"),
            Published("pca_error", 13.87, "value", 0.5),
        ),
        claims=(
            Claim(
                Text(
                    "30 numbers of a deep autoencoder keep more of a digit than 30 principal components: a "
                    "squared error of "
                    "at most 3.5 per image, a quarter of theirs.",
                    "深度自编码器的 30 个数比 30 个主成分保留了更多信息：每张图像的平方误差不超过 3.5，"
                    "不到主成分的四分之一。",
                ),
                _better_than_pca,
            ),
            Claim(
                Text(
                    "Boltzmann machines bring the weights to where fine-tuning goes well.",
                    "玻尔兹曼机把权重带到了微调容易成功的地方。",
                ),
                _start_matters,
            ),
        ),
        deviations=(
            Text(
                "50,000 training images, 5 epochs a machine instead of 50; fine-tuning by Adam instead of conjugate "
                "gradients, 15 epochs, the best chosen on validation images.",
                "50,000 张训练图像，每个玻尔兹曼机训练 5 轮而不是 50 轮；微调用 Adam 15 轮而不是共轭梯度法，"
                "并用验证图像选出最好的一轮。",
            ),
            Text(
                "The published 3.00 and 13.87 are given from memory; the second, of 30 principal components, is "
                "measured here as well.",
                "发表的 3.00 和 13.87 凭记忆写出；后者是 30 个主成分的误差，这里也测了。",
            ),
        ),
        drawings=(
            Drawing(
                "images",
                Text(
                    "The first ten test images, and what comes back out of 30 numbers each.",
                    "前十张测试图像，以及由 30 个数还原的结果。",
                ),
                _draw_back,
            ),
        ),
        minutes=3,
    ),
    Experiment(
        "autoencoder-2",
        Text("An image in two numbers: a map of the digits", "用两个数表示一张图像：数字的地图"),
        NARROW,
        partial(_autoencoder, 2, False),
        claims=(
            Claim(
                Text(
                    "Two numbers of a deep autoencoder keep the digits apart better than two principal components.",
                    "深度自编码器的两个数比两个主成分更能把各个数字分开。",
                ),
                _map_tells_apart,
            ),
        ),
        deviations=(Text("As for the code of 30.", "与 30 个数的编码相同。"),),
        drawings=(
            Drawing(
                "map",
                Text(
                    "2,000 test images by the two numbers of their code; no label was used. 4, 7 and 9 lie beside "
                    "each other.",
                    "按编码的两个数画出的 2000 张测试图像；训练时没有用标签。4、7 和 9 彼此相邻。",
                ),
                _draw_map,
            ),
        ),
        minutes=2,
    ),
    Experiment(
        "denoising",
        Text(
            "An autoencoder that is given noise and asked for the image", "给它加噪的图像，让它还原原图：去噪自编码器"
        ),
        NARROW,
        _denoising,
        claims=(
            Claim(
                Text(
                    "Who learns to take noise away learns what images are like: it removes noise from images it "
                    "has never seen.",
                    "学会去噪就是学会图像是什么样的：对从未见过的图像它也能去除噪声。",
                ),
                _noise_is_taken_away,
            ),
        ),
        deviations=(
            Text(
                "No published number: one hidden layer of 300 sigmoid units; noise of standard deviation 0.5, new "
                "for every "
                "image and epoch (Vincent et al. 2008 set pixels to zero instead).",
                "没有发表的数字可比：一个含 300 个 sigmoid 单元的隐藏层；噪声标准差 0.5，每张图像每一轮都不同"
                "（Vincent 等人 2008 年是把像素置零）。",
            ),
        ),
        drawings=(
            Drawing(
                "images",
                Text(
                    "From above: test images, with noise, given back by the denoising autoencoder, and by one "
                    "that never saw "
                    "noise.",
                    "从上到下：测试图像、加噪图像、去噪自编码器的还原、没有见过噪声的自编码器的还原。",
                ),
                _draw_denoised,
            ),
        ),
        minutes=2,
    ),
)
