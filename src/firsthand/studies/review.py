"""LeCun, Bengio and Hinton's review: its figure 1 in numbers, and selectivity and invariance layer by layer."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from firsthand import nn
from firsthand.data import Splits, mnist
from firsthand.experiments.drawing import COLOURS, panels
from firsthand.experiments.experiment import Claim, Drawing, Experiment, Measured, Run, mean_of
from firsthand.experiments.result import Finding, Result, Source, Text
from firsthand.learning import Recipe

from .common import trained
from .shallow_learners import REVIEW, Arrays, moved

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["EXPERIMENTS", "backward", "forward"]

FIGURE_1 = Source(REVIEW, "figure 1 b-d: the chain rule, the forward and the backward pass")
LAYERS = Source(REVIEW, "'Supervised learning' (监督学习): the selectivity-invariance dilemma")

# --- figure 1, b to d ---------------------------------------------------------------------------------------------

SIZES = (3, 4, 3, 2)  # inputs, two hidden layers, outputs
NETWORKS = 20  # random ones, in every run; a ReLU output may be off in some
UNITS = {
    "ReLU": (lambda z: np.maximum(z, 0.0), lambda z, y: (z > 0).astype(float)),
    "tanh": (np.tanh, lambda z, y: 1 - y**2),
    "logistic": (lambda z: 1 / (1 + np.exp(-z)), lambda z, y: y * (1 - y)),
}


def forward(weights: Arrays, x: np.ndarray, kind: str) -> tuple[Arrays, Arrays]:
    """Figure 1c: z_j = sum_i w_ij x_i and y_j = f(z_j), layer by layer, without biases; all z and all y, x first."""
    zs, ys = [], [x]
    for w in weights:
        zs.append(w.T @ ys[-1])
        ys.append(UNITS[kind][0](zs[-1]))
    return zs, ys


def backward(weights: Arrays, zs: Arrays, ys: Arrays, target: np.ndarray, kind: str) -> tuple[Arrays, Arrays]:
    """Figure 1d: dE/dy_l = y_l - t_l at the output, dE/dz = dE/dy f'(z), dE/dy_k = sum_l w_kl dE/dz_l below.

    Returns:
        dE/dz of every layer, and dE/dw_jk = y_j dE/dz_k of every connection.
    """
    by_y = ys[-1] - target
    by_z: Arrays = []
    for w, z, y in zip(reversed(weights), reversed(zs), reversed(ys), strict=False):
        by_z.insert(0, by_y * UNITS[kind][1](z, y))
        by_y = w @ by_z[0]
    return by_z, [np.outer(y, d) for y, d in zip(ys, by_z, strict=False)]


def _figure_1(run: Run) -> Measured:
    rng = np.random.default_rng(run.seed)
    worst: dict[str, float] = {}
    for kind in UNITS:
        apart = 0.0
        for _ in range(NETWORKS):
            weights = [rng.normal(size=shape) for shape in pairwise(SIZES)]
            apart = max(apart, _off_by(weights, rng.normal(size=SIZES[0]), rng.random(SIZES[-1]), kind))
        worst[f"{kind}_off_by"] = apart
    # b: z = g(y), y = f(x); the change of z for ever smaller changes of x
    x0, changes = 0.7, [10.0**-k for k in range(1, 7)]
    y0, dy, dz = np.tanh(x0), 1 - np.tanh(x0) ** 2, 2 * np.tanh(x0)
    ratios = [float((np.tanh(x0 + d) ** 2 - y0**2) / d) for d in changes]
    vectors = _jacobians(rng)
    return Measured(
        {**worst, "chain_off_by": abs(ratios[-1] - dz * dy), "chain_of_vectors_off_by": vectors},
        {"changes": changes, "off_by": [float(f"{abs(ratio - dz * dy):.3g}") for ratio in ratios]},
    )


def _off_by(weights: Arrays, x: np.ndarray, target: np.ndarray, kind: str) -> float:
    """The largest difference of the backward pass from finite differences of E = 1/2 sum (y - t)^2."""
    zs, ys = forward(weights, x, kind)
    _, slopes = backward(weights, zs, ys, target, kind)
    apart = 0.0
    for w, slope in zip(weights, slopes, strict=True):
        for place in np.ndindex(w.shape):
            kept, errors = w[place], []
            for step in (1e-6, -1e-6):
                w[place] = kept + step
                errors.append(0.5 * float(np.sum((forward(weights, x, kind)[1][-1] - target) ** 2)))
            w[place] = kept
            apart = max(apart, abs((errors[0] - errors[1]) / 2e-6 - slope[place]))
    return apart


def _jacobians(rng: np.random.Generator) -> float:
    """The distance of J_z(y) J_y(x) from the Jacobian of the composition, for vectors."""
    a, b, x = rng.normal(size=(4, 3)), rng.normal(size=(2, 4)), rng.normal(size=3)

    def both(x: np.ndarray) -> np.ndarray:
        return np.tanh(b @ np.tanh(a @ x))

    y = np.tanh(a @ x)
    z = np.tanh(b @ y)
    exact = ((1 - z**2)[:, None] * b) @ ((1 - y**2)[:, None] * a)
    steps = 1e-6 * np.eye(3)
    tried = np.stack([(both(x + step) - both(x - step)) / 2e-6 for step in steps], axis=1)
    return float(np.max(np.abs(tried - exact)))


def _equations_hold(runs: Sequence[Measured]) -> Finding:
    off = {kind: max(run.numbers[f"{kind}_off_by"] for run in runs) for kind in UNITS}
    return Finding(
        max(off.values()) < 1e-7,
        Text(
            "largest difference of ∂E/∂w from finite differences: "
            + ", ".join(f"{kind} {value:.0e}" for kind, value in off.items()),
            "∂E/∂w 与有限差分的最大差：" + "，".join(f"{kind} {value:.0e}" for kind, value in off.items()),
        ),
    )


def _chain_rule(runs: Sequence[Measured]) -> Finding:
    one, vectors = (max(run.numbers[name] for run in runs) for name in ("chain_off_by", "chain_of_vectors_off_by"))
    return Finding(
        one < 1e-5 and vectors < 1e-7,
        Text(
            f"Δz/Δx differs from ∂z/∂y ∂y/∂x by {one:.0e} at Δx = 1e-6, for vectors by {vectors:.0e} (the caption's "
            "second 'the product of ∂y/∂x and ∂z/∂x' is a slip for ∂z/∂y)",
            f"Δx = 1e-6 时 Δz/Δx 与 ∂z/∂y ∂y/∂x 相差 {one:.0e}，向量情形 {vectors:.0e}"
            "（图注中“∂y/∂x 和 ∂z/∂x 的乘积”是笔误，应为 ∂z/∂y）",
        ),
    )


# --- selectivity and invariance -----------------------------------------------------------------------------------

LAYER_NAMES = ("pixels", "first maps", "second maps", "hidden", "output")


def _layers(run: Run) -> Measured:
    data = mnist()
    data = Splits(data.train[: run.shortened(10_000, 500)], data.validation, data.test)
    layers = (
        nn.ConvPool(20, weights_init=nn.he),
        nn.ConvPool(40, weights_init=nn.he),
        nn.FullyConnected(100, nn.relu, weights_init=nn.he),
        nn.Softmax(10),
    )
    model = trained(run, layers, Recipe(epochs=run.shortened(8, 1), batch_size=10, learning_rate=0.03), data=data).model
    tested = run.shortened(500, 100)
    images, labels = data.test[:tested].images[..., 0] / 255, data.test[:tested].labels
    changed = [moved(images, "turn", 15), moved(images, "shift", 2)]
    plain = _representations(model, images)
    elsewhere = [_representations(model, each) for each in changed]
    variance, selective = [], []
    for place, a in enumerate(plain):
        typical = float(np.mean([np.linalg.norm(a - np.roll(a, step, axis=0), axis=1).mean() for step in (1, 2, 3)]))
        own = float(np.mean([np.linalg.norm(a - each[place], axis=1).mean() for each in elsewhere]))
        variance.append(own / typical)
        means = np.stack([a[labels == digit].mean(axis=0) for digit in range(10)])
        within = float(np.mean(np.linalg.norm(a - means[labels], axis=1) ** 2))
        between = float(np.mean(np.linalg.norm(means[labels] - a.mean(axis=0), axis=1) ** 2))
        selective.append(between / (within + between))
    numbers = {f"moved_{i}": value for i, value in enumerate(variance)}
    numbers |= {f"selective_{i}": value for i, value in enumerate(selective)}
    return Measured(numbers)


def _representations(model: Any, images: np.ndarray) -> Arrays:
    """The input of the network and the output of each layer, a row for each image."""
    a = np.asarray(images, np.float32)[..., None]
    found = [a.reshape(len(a), -1)]
    for layer, params in zip(model.network.layers, model.params, strict=True):
        a = np.asarray(layer.apply(params, a))
        found.append(a.reshape(len(a), -1))
    return found


def _both_grow(runs: Sequence[Measured]) -> Finding:
    last = len(LAYER_NAMES)
    moved = [mean_of(runs, f"moved_{i}") for i in range(last)]
    selective = [mean_of(runs, f"selective_{i}") for i in range(last)]
    return Finding(
        bool(np.all(np.diff(moved) < 0) and np.all(np.diff(selective) > 0)),
        Text(
            "layer by layer from the pixels: distance to the same digit turned by 15° or shifted by 2 pixels, over "
            "that "
            f"to another image, {', '.join(f'{value:.2f}' for value in moved)}; share of the variance that lies "
            "between "
            f"the classes {', '.join(f'{value:.2f}' for value in selective)}",
            "从像素起逐层：与同一数字旋转 15° 或平移 2 像素后的距离，除以与其他图像的距离，依次为 "
            f"{'、'.join(f'{value:.2f}' for value in moved)}；类间方差所占比例依次为 "
            f"{'、'.join(f'{value:.2f}' for value in selective)}",
        ),
    )


def _draw_layers(result: Result, needed: Mapping[str, Result]) -> "Figure":
    figure, ((axes,),) = panels(1, 1, width=5.8)
    for name, label, colour, line in (
        ("selective", "selectivity: variance between classes", COLOURS[0], "o-"),
        ("moved", "1 - invariance: distance to itself, moved", COLOURS[1], "s--"),
    ):
        values = np.array([result.values(f"{name}_{i}") for i in range(len(LAYER_NAMES))])
        axes.plot(range(len(values)), values.mean(axis=1), line, color=colour, label=label)
        axes.plot(range(len(values)), values, ".", color=colour, alpha=0.5)
    axes.set(xticks=range(len(LAYER_NAMES)), ylim=(0, None))
    axes.set_xticklabels(LAYER_NAMES)
    axes.legend(frameon=False)
    return figure


# --- the list -----------------------------------------------------------------------------------------------------

EXPERIMENTS = (
    Experiment(
        id="review-figure-1",
        title=Text(
            "Figure 1 b-d in numbers: chain rule, forward pass, backward pass", "图 1 b-d 的数值：链式法则、前向、反向"
        ),
        source=FIGURE_1,
        measure=_figure_1,
        claims=(
            Claim(
                Text(
                    "c and d: the equations of the backward pass give ∂E/∂w of every connection.",
                    "图 c、d：反向传播的方程给出每个连接的 ∂E/∂w。",
                ),
                _equations_hold,
            ),
            Claim(
                Text(
                    "b: small changes compose by multiplication, for vectors as products of Jacobian matrices.",
                    "图 b：微小变化通过相乘组合；对向量则是雅可比矩阵的乘积。",
                ),
                _chain_rule,
            ),
        ),
        deviations=(
            Text(
                f"The figure has no numbers: here {'-'.join(map(str, SIZES))} units, weights from N(0, 1), no biases, "
                "with "
                "all three of its functions. The lab's page Backward shows a smaller one unit by unit.",
                f"图中没有数值：这里是 {'-'.join(map(str, SIZES))} 个单元，权重取自 N(0, 1)，无偏差，三种函数都算。"
                "实验室的“反向传播”页逐单元展示一个更小的网络。",
            ),
        ),
    ),
    Experiment(
        id="selectivity-invariance",
        title=Text("Selectivity and invariance, layer by layer", "选择性与不变性，逐层测量"),
        source=LAYERS,
        measure=_layers,
        claims=(
            Claim(
                Text(
                    "Each layer increases both the selectivity and the invariance of the representation.",
                    "每一层都同时提高表示的选择性和不变性。",
                ),
                _both_grow,
            ),
        ),
        deviations=(
            Text(
                "Two convolutional and one fully connected layer, trained on 10,000 digits; the text speaks of 5 to 20 "
                "layers and of dogs.",
                "两个卷积层和一个全连接层，用 10,000 幅数字训练；原文说的是 5 到 20 层和狗。",
            ),
        ),
        drawings=(
            Drawing(
                "layers",
                Text(
                    "Blue should rise and orange fall from layer to layer; points are runs.",
                    "逐层看，蓝线应当上升，橙线应当下降；每次运行一个点。",
                ),
                _draw_layers,
            ),
        ),
        minutes=0.3,
    ),
)
