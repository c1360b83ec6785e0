"""Chapter 6, what filters see: Zeiler and Fergus's projections, and what a layer makes of digits."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from firsthand.data import mnist
from firsthand.experiments.drawing import panels
from firsthand.experiments.experiment import Claim, Drawing, Experiment, Measured, Run, mean_of
from firsthand.experiments.result import Finding, Result, Source, Text
from firsthand.inspect import layer_outputs
from firsthand.inspect.deconvnet import project_strongest
from firsthand.inspect.maps import map_of, share_of_neighbours
from firsthand.inspect.maximise import maximised
from firsthand.models import Model

from .adversarial import CONV, CONV_RECIPE
from .common import trained

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["EXPERIMENTS"]

SEES = Source("Nielsen", "chapter 6, 'Convolutional neural networks in practice' (实践中的卷积神经网络)")
LAYERS = (1, 2)
PLACES = 9
KEPT = 0.1  # of the pixels of a patch: those where the projection is strongest
MAPPED = {"pixels": 0, "ConvPool 1": 1, "ConvPool 2": 2, "hidden": 3}  # layers; 0 is the image
SHOWN = 8  # filters of each layer


def _measure(run: Run) -> Measured:
    data, random = mnist(), np.random.default_rng(run.seed)
    model = trained(run, CONV, CONV_RECIPE, name="conv").model
    some = data.test[: run.shortened(2_000, 200)]
    numbers, arrays = {}, {}
    for layer in LAYERS:
        found = project_strongest(model, some, layer, PLACES)
        kept, by_chance = _share_kept(model, some.images, layer, found, random)
        labels = some.labels[found.found.images]
        same = np.mean([np.bincount(row, minlength=10).max() / len(row) for row in labels])
        numbers |= {
            f"layer_{layer}_kept": kept,
            f"layer_{layer}_by_chance": by_chance,
            f"layer_{layer}_same_digit": float(same),
        }
        if run.seed == 0:
            top = np.argsort(-found.found.values[:, 0], kind="stable")[:SHOWN]
            scale = np.abs(found.patches[top]).max(axis=(2, 3, 4), keepdims=True)
            arrays[f"patches_{layer}"] = found.found.patches[top][..., 0].tolist()
            arrays[f"projected_{layer}"] = (
                np.rint(100 * found.patches[top][..., 0] / np.maximum(scale[..., 0], 1e-9)).astype(int).tolist()
            )
    numbers |= _mapped(run, model, some.images[:1000], some.labels[:1000], arrays)
    liked = {smooth: maximised(model, key=run.key, smoothness=smooth) for smooth in (0.0, 0.1)}
    for smooth, images in liked.items():
        numbers[f"liked_confidence_{'smooth' if smooth else 'plain'}"] = float(
            np.min(model.probabilities(images)[np.arange(10), np.arange(10)])
        )
    if run.seed == 0:
        arrays["liked"] = [np.rint(255 * images[..., 0]).astype(int).tolist() for images in liked.values()]
    return Measured(numbers, arrays)


def _share_kept(model: Model, images: np.ndarray, layer: int, found, random: np.random.Generator):
    """The share of the activation that is left when of the field only the pixels of the projection are shown.

    Returns:
        The median share, and that where as many pixels of the field's ink are kept by chance.
    """
    filters, count = found.found.images.shape
    masks, chances = [], []
    for f in range(filters):
        for i in range(count):
            field = found.found.fields[f][i]
            image = images[found.found.images[f, i]][..., 0]
            strength = np.maximum(found.patches[f, i, ..., 0], 0)
            inside = np.zeros(image.shape, bool)
            inside[field.top : field.bottom, field.left : field.right] = True
            number = max(1, round(KEPT * strength.size))
            masks.append(_strongest_of(strength, number, field, image.shape))
            ink = np.flatnonzero(inside & (image > 0))
            chance = np.zeros(image.size, bool)
            chance[random.permutation(ink)[:number]] = True
            chances.append(chance.reshape(image.shape))
    chosen = images[found.found.images.ravel()]
    channel = np.repeat(np.arange(filters), count)
    whole = found.found.values.ravel()
    shares = []
    for mask in (masks, chances):
        shown = np.where(np.array(mask)[..., None], chosen, 0).astype(np.uint8)
        (a,) = layer_outputs(model, shown, [layer]).values()
        left = a.reshape(len(a), -1, a.shape[-1]).max(axis=1)[np.arange(len(a)), channel]
        shares.append(float(np.median(left[whole > 0] / whole[whole > 0])))
    return shares


def _strongest_of(strength: np.ndarray, number: int, field, shape: tuple[int, ...]) -> np.ndarray:
    mask = np.zeros(shape, bool)
    rows, columns = np.unravel_index(np.argsort(-strength, axis=None, kind="stable")[:number], strength.shape)
    rows, columns = rows + field.top, columns + field.left
    inside = (rows >= 0) & (rows < shape[0]) & (columns >= 0) & (columns < shape[1])
    mask[rows[inside], columns[inside]] = True
    return mask


def _mapped(run: Run, model: Model, images: np.ndarray, labels: np.ndarray, arrays: dict) -> dict[str, float]:
    numbers = {}
    for name, layer in MAPPED.items():
        (vectors,) = layer_outputs(model, images, [layer]).values() if layer else (images / np.float32(255),)
        for method in ("pca", "tsne"):
            points = map_of(vectors, method, seed=run.seed)
            key = f"{method}_{name.lower().replace(' ', '_')}"
            numbers[key] = share_of_neighbours(points, labels)
            if run.seed == 0:
                arrays[key] = np.round(points / np.abs(points).max(), 2).tolist()
    if run.seed == 0:
        arrays["labels"] = labels.tolist()
    return numbers


def _is_what_excites(runs: Sequence[Measured]) -> Finding:
    kept = {layer: mean_of(runs, f"layer_{layer}_kept") for layer in LAYERS}
    chance = {layer: mean_of(runs, f"layer_{layer}_by_chance") for layer in LAYERS}
    listed = [f"{kept[layer]:.0%} ({chance[layer]:.0%})" for layer in LAYERS]
    return Finding(
        all(kept[layer] > chance[layer] + 0.1 for layer in LAYERS),
        Text(
            f"of the field, the {KEPT:.0%} of the pixels where the projection is strongest alone leave, of the "
            f"activation, in the first and second layer {' and '.join(listed)}; in brackets as many pixels of ink "
            f"chosen "
            "by chance",
            f"感受野中只保留投影最强的 {KEPT:.0%} 像素，第一、二层的激活值还剩 {'、'.join(listed)}；"
            "括号内为随机保留同样多的墨迹像素",
        ),
    )


def _higher_is_closer_to_digits(runs: Sequence[Measured]) -> Finding:
    same = [mean_of(runs, f"layer_{layer}_same_digit") for layer in LAYERS]
    near = [mean_of(runs, f"tsne_{name.lower().replace(' ', '_')}") for name in MAPPED]
    return Finding(
        same[0] < same[1] and near == sorted(near),
        Text(
            f"of the {PLACES} images that excite a filter most, the commonest digit has {same[0]:.0%} in the first "
            f"layer "
            f"and {same[1]:.0%} in the second; on maps by t-SNE the neighbours have the same digit {_listed(near)} of "
            f"the time ({', '.join(MAPPED)})",
            f"最能激发一个卷积核的 {PLACES} 幅图像中，最常见的数字在第一层占 {same[0]:.0%}，第二层占 {same[1]:.0%}；"
            f"在 t-SNE 图上，邻点为同一数字的比例依次为 {_listed(near)}（像素、两个 ConvPool 层、隐藏层）",
        ),
    )


def _listed(shares: Sequence[float]) -> str:
    return ", ".join(f"{share:.1%}" for share in shares)


def _draw_projections(result: Result, needed: Mapping[str, Result]) -> "Figure":
    from matplotlib import colormaps

    from firsthand.inspect.plots_fooled import tiled

    found = result.runs[0]["arrays"]
    figure, grid = panels(2 * len(LAYERS), SHOWN, width=0.95, height=1.05)
    for number, layer in enumerate(LAYERS):
        for kind, line in zip(("patches", "projected"), grid[2 * number : 2 * number + 2], strict=True):
            for axes, nine in zip(line, found[f"{kind}_{layer}"], strict=False):
                whole = tiled(np.array(nine, float)[..., None], 60 if kind == "patches" else 0)[..., 0]
                name, low, high = ("gray_r", 0, 255) if kind == "patches" else ("PuOr", -100, 100)
                axes.imshow(whole, cmap=colormaps[name].resampled(15), vmin=low, vmax=high)
                axes.grid(visible=False)
                axes.set(xticks=(), yticks=())
            line[0].set_ylabel(f"{kind}\nlayer {layer}", fontsize=8)
    return figure


def _draw_liked(result: Result, needed: Mapping[str, Result]) -> "Figure":
    from matplotlib import colormaps

    figure, grid = panels(2, 10, width=0.85, height=0.95)
    for line, images, name in zip(grid, result.runs[0]["arrays"]["liked"], ("plain", "smooth"), strict=True):
        for digit, (axes, image) in enumerate(zip(line, images, strict=True)):
            axes.imshow(image, cmap=colormaps["gray_r"].resampled(15), vmin=0, vmax=255)
            axes.grid(visible=False)
            axes.set(xticks=(), yticks=())
            axes.set_title(str(digit), fontsize=9)
        line[0].set_ylabel(name, fontsize=8)
    return figure


def _draw_maps(result: Result, needed: Mapping[str, Result]) -> "Figure":
    from matplotlib import colormaps

    found = result.runs[0]["arrays"]
    figure, grid = panels(2, len(MAPPED), width=2.6, height=2.6)
    for line, method in zip(grid, ("pca", "tsne"), strict=True):
        for axes, name in zip(line, MAPPED, strict=True):
            key = f"{method}_{name.lower().replace(' ', '_')}"
            points = np.array(found[key])
            axes.scatter(*points.T, c=found["labels"], cmap=colormaps["tab10"], s=3, vmin=-0.5, vmax=9.5)
            axes.grid(visible=False)
            axes.set(xticks=(), yticks=())
            axes.set_title(f"{name}: {result.mean(key):.1%}", fontsize=9)
        line[0].set_ylabel({"pca": "PCA", "tsne": "t-SNE"}[method])
    marks = [grid[0, 0].scatter([], [], color=colormaps["tab10"](digit), s=12, label=str(digit)) for digit in range(10)]
    figure.legend(handles=marks, loc="outside lower center", ncols=10, frameon=False, fontsize=8)
    return figure


EXPERIMENTS = (
    Experiment(
        "deconvnet",
        Text(
            "What in the image excites a filter, and what layers make of digits",
            "图像中什么激发卷积核，各层又如何看待数字",
        ),
        SEES,
        _measure,
        claims=(
            Claim(
                Text(
                    "The projection shows the structure that excites the filter (Zeiler and Fergus 2013, section 2.1).",
                    "投影显示出激发该卷积核的结构（Zeiler 与 Fergus，2013，2.1 节）。",
                ),
                _is_what_excites,
            ),
            Claim(
                Text(
                    "Higher layers are nearer to the classes (section 4).",
                    "越高的层越接近类别（第 4 节）。",
                ),
                _higher_is_closer_to_digits,
            ),
        ),
        deviations=(
            Text(
                "A ConvPool network of two layers with 3 epochs on MNIST; they had eight layers on ImageNet. The "
                "strongest "
                "places are looked for among the first 2,000 test images; maps show the first 1,000.",
                "用 MNIST 上训练 3 个 epoch 的两层 ConvPool 网络；他们用的是 ImageNet 上的八层网络。"
                "最强的位置在前 2,000 幅测试图像中寻找；二维图显示前 1,000 幅。",
            ),
        ),
        drawings=(
            Drawing(
                "projections",
                Text(
                    "A square for each of eight filters: the nine patches that excite it most, and below what of each "
                    "does so (purple: more ink would excite it more; orange: less).",
                    "八个卷积核各一格：最能激发它的九个图块，下方是其中起作用的部分（紫色：更多墨迹更能激发；橙色："
                    "更少）。",
                ),
                _draw_projections,
            ),
            Drawing(
                "liked",
                Text(
                    "What the ten outputs would like to see: above without a penalty, noise to the eye; below with "
                    "one on "
                    "the total variation, where strokes appear.",
                    "十个输出最想看到的图像：上行没有惩罚项，人眼看是噪声；下行对总变差加惩罚，显出笔画。",
                ),
                _draw_liked,
            ),
            Drawing(
                "maps",
                Text(
                    "1,000 test digits as each layer sees them, and the share of the five nearest points with the same "
                    "digit (mean of the runs).",
                    "各层眼中的 1,000 个测试数字，以及最近五点中同一数字的比例（各次运行的平均）。",
                ),
                _draw_maps,
            ),
        ),
        minutes=1.5,
    ),
)
