"""LeCun, Bengio and Hinton's review: its figure 1 in numbers, and what it says of shallow classifiers and of layers."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import ndimage
from scipy.optimize import minimize

from firsthand import nn
from firsthand.data import Splits, mnist
from firsthand.experiments.drawing import COLOURS, in_percent, panels
from firsthand.experiments.experiment import Claim, Drawing, Experiment, Measured, Run, mean_of
from firsthand.experiments.result import Finding, Result, Source, Text
from firsthand.learning import Recipe
from firsthand.reference.fully_connected import backprop_matrix, feedforward, scaled_weights, sgd_step
from firsthand.reference.functions import CROSS_ENTROPY

from .common import trained

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["EXPERIMENTS", "backward", "forward", "gaussian_machine"]

REVIEW = "LeCun, Bengio and Hinton"
FIGURE_1 = Source(REVIEW, "figure 1 b-d: the chain rule, the forward and the backward pass")
DESCENT = Source(REVIEW, "'Supervised learning' (监督学习): stochastic gradient descent")
SHALLOW = Source(REVIEW, "'Supervised learning' (监督学习): shallow classifiers and the Gaussian kernel")
LAYERS = Source(REVIEW, "'Supervised learning' (监督学习): the selectivity-invariance dilemma")

Arrays = list[np.ndarray]

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
    """How far J_z(y) J_y(x) is from the Jacobian of the composition, for vectors."""
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


# --- descent against L-BFGS ---------------------------------------------------------------------------------------

PASSES = 30


def _descent(run: Run) -> Measured:
    images = run.shortened(10_000, 500)
    data = mnist()
    x, y = data.train[:images].images.reshape(images, -1).T / 255, np.eye(10)[data.train[:images].labels].T
    check, wanted = data.validation.images.reshape(-1, 784).T / 255, data.validation.labels
    rng = np.random.default_rng(run.seed)
    biases, weights = scaled_weights((784, 30, 10), rng)
    shapes = [array.shape for array in (*biases, *weights)]
    start = np.concatenate([array.ravel() for array in (*biases, *weights)])
    passes = run.shortened(PASSES, 3)

    def split(flat: np.ndarray) -> tuple[Arrays, Arrays]:
        parts = np.split(flat, np.cumsum([np.prod(shape) for shape in shapes])[:-1])
        arrays = [part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)]
        return arrays[:2], arrays[2:]

    def look(biases: Arrays, weights: Arrays) -> tuple[float, float]:
        cost = CROSS_ENTROPY.fn(feedforward(weights, biases, x), y) / images
        return cost, float(np.mean(feedforward(weights, biases, check).argmax(axis=0) == wanted))

    by_descent = []
    for _ in range(passes):
        order = rng.permutation(images)
        for batch in order.reshape(-1, 10):
            weights, biases = sgd_step(weights, biases, x[:, batch], y[:, batch], 0.5, cost=CROSS_ENTROPY)
        by_descent.append(look(biases, weights))
    by_lbfgs: list[tuple[float, float]] = []

    def objective(flat: np.ndarray) -> tuple[float, np.ndarray]:
        biases, weights = split(flat)
        gradient = backprop_matrix(weights, biases, x, y, CROSS_ENTROPY)
        found = look(biases, weights)
        # the line search may try a worse place: what counts is the best so far
        by_lbfgs.append(min(found, by_lbfgs[-1]) if by_lbfgs else found)
        return found[0], np.concatenate([a.ravel() for a in (*gradient.nabla_b, *gradient.nabla_w)]) / images

    minimize(objective, start, jac=True, method="L-BFGS-B", options={"maxfun": passes, "maxiter": passes})
    by_lbfgs = (by_lbfgs + [by_lbfgs[-1]] * passes)[:passes]
    arrays = {"descent": by_descent, "lbfgs": by_lbfgs}
    after = {
        f"{name}_{what}": values[-1][i]
        for name, values in arrays.items()
        for i, what in enumerate(("cost", "accuracy"))
    }
    early = {f"{name}_accuracy_after_one": values[0][1] for name, values in arrays.items()}
    return Measured(after | early, {name: np.round(values, 4).tolist() for name, values in arrays.items()})


def _surprisingly_quick(runs: Sequence[Measured]) -> Finding:
    n = {name: mean_of(runs, name) for name in runs[0].numbers}
    return Finding(
        n["descent_accuracy_after_one"] > n["lbfgs_accuracy"] or n["descent_cost"] < n["lbfgs_cost"],
        Text(
            f"after {PASSES} passes over 10,000 images the training cost is {n['descent_cost']:.3f} by stochastic "
            f"gradient descent and {n['lbfgs_cost']:.3f} by L-BFGS, validation accuracy {n['descent_accuracy']:.2%} "
            "and "
            f"{n['lbfgs_accuracy']:.2%}; descent has {n['descent_accuracy_after_one']:.2%} after its first pass",
            f"在 10,000 幅图像上过 {PASSES} 遍之后，随机梯度下降的训练代价为 {n['descent_cost']:.3f}，L-BFGS 为 "
            f"{n['lbfgs_cost']:.3f}；验证准确度 {n['descent_accuracy']:.2%} 和 {n['lbfgs_accuracy']:.2%}；"
            f"下降法第一遍之后已有 {n['descent_accuracy_after_one']:.2%}",
        ),
    )


def _draw_descent(result: Result, needed: Mapping[str, Result]) -> "Figure":
    figure, (axes,) = panels(1, 2)
    for place, (each, label) in enumerate(zip(axes, ("training cost", "validation accuracy"), strict=True)):
        for name, said, colour in (
            ("descent", "stochastic gradient descent", COLOURS[0]),
            ("lbfgs", "L-BFGS", COLOURS[1]),
        ):
            for number, run in enumerate(result.runs):
                values = [pair[place] for pair in run["arrays"][name]]
                each.plot(range(1, len(values) + 1), values, color=colour, label=None if number else said)
        each.set(xlabel="passes over the images", ylabel=label)
    axes[0].set_yscale("log")
    axes[0].legend(frameon=False)
    in_percent(axes[1])
    return figure


# --- far from the training examples -------------------------------------------------------------------------------

SHIFTS = (0, 1, 2, 3, 4, 5)
TURNS = (0, 10, 20, 30, 40)
GAMMA, RIDGE = 0.02, 1e-2


def gaussian_machine(x: np.ndarray, labels: np.ndarray) -> Any:
    """A function that tells the digits of images by Gaussian features of all training images, exp(-g |x - x_i|^2).

    The weights solve (K + ridge) W = one-hot labels, which is kernel ridge regression.
    """
    targets = 2 * np.eye(10)[labels] - 1
    weights = np.linalg.solve(_gaussian(x, x) + RIDGE * np.eye(len(x)), targets)
    return lambda other: (_gaussian(other, x) @ weights).argmax(axis=1)


def _gaussian(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    squares = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1) - 2 * a @ b.T
    return np.exp(-GAMMA * np.maximum(squares, 0))


def _linear_machine(x: np.ndarray, labels: np.ndarray) -> Any:
    """The same without features: ridge regression on the pixels."""
    one = np.hstack([x, np.ones((len(x), 1))])
    weights = np.linalg.solve(one.T @ one + 10 * np.eye(one.shape[1]), one.T @ (2 * np.eye(10)[labels] - 1))
    return lambda other: (np.hstack([other, np.ones((len(other), 1))]) @ weights).argmax(axis=1)


def _far(run: Run) -> Measured:
    count, tested = run.shortened(3_000, 300), run.shortened(1_000, 100)
    data = mnist()
    begin = count * run.seed % 48_000
    train = data.train[begin : begin + count]
    x = train.images.reshape(count, -1) / 255
    network = trained(
        run,
        (nn.ConvPool(20, weights_init=nn.he), nn.ConvPool(40, weights_init=nn.he), nn.Softmax(10)),
        Recipe(epochs=run.shortened(20, 1), batch_size=10, learning_rate=0.03),
        data=Splits(train, data.validation, data.test),
        quick_examples=count,
    ).model
    machines = {
        "linear": _linear_machine(x, train.labels),
        "gaussian": gaussian_machine(x, train.labels),
        "convolutional": lambda flat: np.asarray(
            network.predict(np.round(255 * flat.reshape(-1, 28, 28, 1)).astype(np.uint8))
        ),
    }
    images, labels = data.test[:tested].images[..., 0] / 255, data.test[:tested].labels
    numbers: dict[str, float] = {}
    arrays: dict[str, list[float]] = {}
    for what, amounts in (("shift", SHIFTS), ("turn", TURNS)):
        for name, machine in machines.items():
            curve = []
            for amount in amounts:
                moved = _moved(images, what, amount)
                curve.append(round(float(np.mean(machine(moved.reshape(tested, -1)) == labels)), 4))
            arrays[f"{name}_{what}"] = curve
            numbers[f"{name}_{what}_near"], numbers[f"{name}_{what}_far"] = curve[0], curve[3]
    return Measured(numbers, arrays)


def _moved(images: np.ndarray, what: str, amount: int) -> np.ndarray:
    if what == "shift":
        return ndimage.shift(images, (0, 0, amount), order=0)
    return np.clip(ndimage.rotate(images, amount, axes=(1, 2), reshape=False, order=1), 0, 1)


def _gaussian_stays_near(runs: Sequence[Measured]) -> Finding:
    n = {name: mean_of(runs, name) for name in runs[0].numbers}
    falls = {
        name: [100 * (n[f"{name}_{what}_near"] - n[f"{name}_{what}_far"]) for what in ("shift", "turn")]
        for name in ("linear", "gaussian", "convolutional")
    }
    return Finding(
        falls["gaussian"][0] > falls["convolutional"][0] and falls["gaussian"][1] > falls["convolutional"][1],
        Text(
            f"on the test images as they are: linear {n['linear_shift_near']:.1%}, Gaussian "
            f"{n['gaussian_shift_near']:.1%}, "
            f"convolutional {n['convolutional_shift_near']:.1%}; shifted by {SHIFTS[3]} pixels they lose "
            f"{', '.join(f'{fall[0]:.1f}' for fall in falls.values())} points, turned by {TURNS[3]}° "
            f"{', '.join(f'{fall[1]:.1f}' for fall in falls.values())}",
            f"原样的测试图像：线性 {n['linear_shift_near']:.1%}，高斯核 {n['gaussian_shift_near']:.1%}，卷积网络 "
            f"{n['convolutional_shift_near']:.1%}；平移 {SHIFTS[3]} 个像素后依次下降 "
            f"{'、'.join(f'{fall[0]:.1f}' for fall in falls.values())} 个百分点，旋转 {TURNS[3]}° 后下降 "
            f"{'、'.join(f'{fall[1]:.1f}' for fall in falls.values())} 个",
        ),
    )


def _draw_far(result: Result, needed: Mapping[str, Result]) -> "Figure":
    figure, (axes,) = panels(1, 2)
    for each, what, amounts, unit in zip(
        axes, ("shift", "turn"), (SHIFTS, TURNS), ("pixels to the right", "degrees"), strict=True
    ):
        for name, colour, line in zip(
            ("linear", "gaussian", "convolutional"), (COLOURS[4], COLOURS[1], COLOURS[0]), (":", "--", "-"), strict=True
        ):
            values = np.mean([run["arrays"][f"{name}_{what}"] for run in result.runs], axis=0)
            each.plot(amounts, values, line, marker="o", color=colour, label=name)
        each.set(xlabel=f"{what}, {unit}", ylim=(0, 1.02))
        in_percent(each)
    axes[0].set_ylabel("accuracy on moved test images")
    axes[0].legend(frameon=False)
    return figure


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
    turned = [_moved(images, "turn", 15), _moved(images, "shift", 2)]
    plain = _representations(model, images)
    moved = [_representations(model, each) for each in turned]
    variance, selective = [], []
    for place, a in enumerate(plain):
        typical = float(np.mean([np.linalg.norm(a - np.roll(a, step, axis=0), axis=1).mean() for step in (1, 2, 3)]))
        own = float(np.mean([np.linalg.norm(a - each[place], axis=1).mean() for each in moved]))
        variance.append(own / typical)
        means = np.stack([a[labels == digit].mean(axis=0) for digit in range(10)])
        within = float(np.mean(np.linalg.norm(a - means[labels], axis=1) ** 2))
        between = float(np.mean(np.linalg.norm(means[labels] - a.mean(axis=0), axis=1) ** 2))
        selective.append(between / (within + between))
    numbers = {f"moved_{i}": value for i, value in enumerate(variance)}
    numbers |= {f"selective_{i}": value for i, value in enumerate(selective)}
    return Measured(numbers)


def _representations(model: Any, images: np.ndarray) -> Arrays:
    """What enters the network and what leaves each layer, a row for each image."""
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
        id="descent-lbfgs",
        title=Text(
            "Stochastic gradient descent against L-BFGS, by passes over the images",
            "随机梯度下降与 L-BFGS，按过图像的遍数比较",
        ),
        source=DESCENT,
        measure=_descent,
        claims=(
            Claim(
                Text(
                    "It finds a good set of weights surprisingly quickly, compared with far more elaborate techniques.",
                    "与复杂得多的优化技术相比，它能以惊人的速度找到一组好的权重。",
                ),
                _surprisingly_quick,
            ),
        ),
        deviations=(
            Text(
                "The text names no technique: L-BFGS (SciPy) on [784, 30, 10] with the cross-entropy, 10,000 images; "
                "descent with mini-batches of 10 and learning rate 0.5. A pass is one gradient of all images.",
                "原文没有指明哪种技术：这里用 SciPy 的 L-BFGS，网络 [784, 30, 10]，交叉熵，10,000 幅图像；"
                "下降法的小批量为 10，学习率 0.5。一遍即对全部图像求一次梯度。",
            ),
        ),
        drawings=(
            Drawing(
                "passes",
                Text(
                    "After one pass descent is where L-BFGS comes after many. A line for each run.",
                    "下降法过一遍就到了 L-BFGS 许多遍之后的位置。每次运行一条线。",
                ),
                _draw_descent,
            ),
        ),
        minutes=0.3,
    ),
    Experiment(
        id="far-from-training",
        title=Text(
            "Digits shifted and turned: a linear classifier, a Gaussian kernel machine, a convolutional network",
            "平移和旋转的数字：线性分类器、高斯核分类器、卷积网络",
        ),
        source=SHALLOW,
        measure=_far,
        claims=(
            Claim(
                Text(
                    "Generic features such as those of the Gaussian kernel do not generalize well far from the "
                    "training "
                    "examples (they lose more than learned ones).",
                    "高斯核这样的一般特征在远离训练样本处泛化不好（比学到的特征下降得多）。",
                ),
                _gaussian_stays_near,
            ),
        ),
        deviations=(
            Text(
                f"3,000 training images, others in every run, and 1,000 test images; the kernel's width ({GAMMA:g}) "
                "and the "
                f"ridge ({RIDGE:g}) are fixed beforehand.",
                f"3,000 幅训练图像（每次运行不同）和 1,000 幅测试图像；核宽度（{GAMMA:g}）和岭参数（{RIDGE:g}）"
                "事先固定。",
            ),
        ),
        drawings=(
            Drawing(
                "moved",
                Text("At 0 all three meet digits as they have learned them.", "横轴为 0 处是与训练时一样的数字。"),
                _draw_far,
            ),
        ),
        minutes=0.3,
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
