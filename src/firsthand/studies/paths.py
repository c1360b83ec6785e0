"""Chapter 2: the gradient as a sum over all paths, and what the four equations say of weights that learn slowly."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise, product
from math import prod
from typing import TYPE_CHECKING

import numpy as np

from firsthand.data import mnist
from firsthand.experiments.drawing import COLOURS, panels
from firsthand.experiments.experiment import Claim, Drawing, Experiment, Measured, Run, mean_of
from firsthand.experiments.result import Finding, Result, Source, Text
from firsthand.reference.fully_connected import backprop, errors, feedforward, large_weights, scaled_weights
from firsthand.reference.functions import QUADRATIC, sigmoid, sigmoid_prime

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["EXPERIMENTS", "never_flat", "path_rates"]

BIG_PICTURE = Source("Nielsen", "chapter 2, 'Backpropagation: the big picture', equations (47) to (53)")
INSIGHTS = Source("Nielsen", "chapter 2, 'The four fundamental equations behind backpropagation', equation (32)")

Arrays = list[np.ndarray]

# --- the sum over all paths ---------------------------------------------------------------------------------------

SIZES = (2, 4, 4, 3, 2)


def path_rates(
    weights: Arrays, biases: Arrays, x: np.ndarray, y: np.ndarray, j: int, k: int
) -> Iterator[tuple[tuple[int, ...], float]]:
    """The rate of every path from the first layer's weight w_jk to the quadratic cost, one product a path:

        dC/da^L_m da^L_m/da^(L-1)_n ... da^2_q/da^1_j da^1_j/dw_jk,    da^(l+1)_q/da^l_j = sigma'(z_q) w_qj

    Args:
        weights, biases: of the layers, as in `reference.fully_connected`.
        x, y: input and desired output, columns.
        j, k: the weight that leads from input k to neuron j of the first layer.
    Yields:
        The neurons that the path goes through, one a layer, and its rate; the sum of the rates is dC/dw_jk.
    References:
        Nielsen, chapter 2, equation (53).
    """
    a, zs = [x], []
    for w, b in zip(weights, biases, strict=True):
        zs.append(w @ a[-1] + b)
        a.append(sigmoid(zs[-1]))
    slopes = [sigmoid_prime(z)[:, 0] for z in zs]
    for rest in product(*(range(len(b)) for b in biases[1:])):
        path = (j, *rest)
        steps = (slopes[n][path[n]] * weights[n][path[n], path[n - 1]] for n in range(1, len(weights)))
        at_the_end = (a[-1] - y)[path[-1], 0]  # dC/da_m
        yield path, float(x[k, 0] * slopes[0][j] * prod(steps) * at_the_end)


def _path_sums(run: Run) -> Measured:
    rng = np.random.default_rng(run.seed)
    biases, weights = large_weights(SIZES, rng)
    x, y = rng.random((SIZES[0], 1)), np.eye(SIZES[-1])[:, :1]
    gradient = backprop(weights, biases, x, y).nabla_w[0]
    sums = np.zeros_like(gradient)
    for j, k in np.ndindex(gradient.shape):
        sums[j, k] = sum(rate for _, rate in path_rates(weights, biases, x, y, j, k))
    # (47): the cost itself, for a small change of the weight
    at, small = (0, 0), 1e-4
    moved = [w.copy() for w in weights]
    costs = []
    for sign in (1, -1):
        moved[0][at] = weights[0][at] + sign * small
        costs.append(QUADRATIC.fn(feedforward(moved, biases, x), y))
    change, expected = costs[0] - costs[1], 2 * small * sums[at]
    found = list(path_rates(weights, biases, x, y, *at))
    rates = np.abs([rate for _, rate in found])
    deep = [len(SIZES) - 1 + more for more in range(0, 9, 2)]
    return Measured(
        {
            "paths_of_a_weight": len(found),
            "largest_relative_difference": float(np.max(np.abs(sums - gradient)) / np.max(np.abs(gradient))),
            "change_of_the_cost_off_by": float(abs(change / expected - 1)),
            "share_of_the_strongest_path": float(rates.max() / rates.sum()),
        },
        {
            "paths": [list(path) for path, _ in found],
            "rates": [float(f"{rate:.4g}") for _, rate in found],
            "layers": deep,
            "paths_of_width_4": [4 ** (layers - 1) for layers in deep],
            # (BP2) is one product with a 4x4 matrix a layer
            "products_of_backprop": [16 * (layers - 1) for layers in deep],
        },
    )


def _sum_is_the_gradient(runs: Sequence[Measured]) -> Finding:
    apart = max(run.numbers["largest_relative_difference"] for run in runs)
    off = max(run.numbers["change_of_the_cost_off_by"] for run in runs)
    paths = int(runs[0].numbers["paths_of_a_weight"])
    return Finding(
        apart < 1e-12 and off < 1e-3,
        Text(
            f"{paths} paths a weight; their sum differs from backpropagation's number by {apart:.0e} at most, relative "
            f"to the largest; a small change of the weight changes the cost by what (47) says to {off:.0e}",
            f"每个权重有 {paths} 条路径；路径之和与反向传播的结果之差至多为最大分量的 {apart:.0e}；"
            f"权重的微小改变所引起的代价变化与公式 (47) 相差 {off:.0e}",
        ),
    )


def _fewer_products(runs: Sequence[Measured]) -> Finding:
    arrays = runs[0].arrays
    pairs = list(zip(arrays["layers"], arrays["paths_of_width_4"], arrays["products_of_backprop"], strict=True))
    layers, paths, products = pairs[-1]
    growth = [after[1] / before[1] for before, after in pairwise(pairs)]
    return Finding(
        min(growth) == max(growth) and products < paths,
        Text(
            f"with layers of 4, {layers} layers have {paths:,} paths from a weight, {growth[0]:.0f} times as many for "
            f"every two layers more; (BP2) takes {products} products",
            f"每层 4 个神经元时，{layers} 层的网络中一个权重有 {paths:,} 条路径，每增加两层变为 {growth[0]:.0f} 倍；"
            f"而 (BP2) 只需 {products} 次乘法",
        ),
    )


def _draw_paths(result: Result, needed: Mapping[str, Result]) -> "Figure":
    arrays = result.runs[0]["arrays"]
    figure, ((net, bars),) = panels(1, 2, width=4.8, height=3.6)
    net.grid(visible=False)
    net.axis("off")
    places = [[(layer, (n - 1) / 2 - i) for i in range(n)] for layer, n in enumerate(SIZES)]
    end = (len(SIZES) - 0.2, 0.0)
    strongest = max(abs(rate) for rate in arrays["rates"])
    for path, rate in sorted(zip(arrays["paths"], arrays["rates"], strict=True), key=lambda pair: abs(pair[1])):
        points = [places[0][0], *(places[layer][i] for layer, i in enumerate(path, start=1)), end]
        colour = COLOURS[0] if rate > 0 else COLOURS[1]
        strength = abs(rate) / strongest
        net.plot(*zip(*points, strict=True), color=colour, linewidth=0.4 + 5 * strength, alpha=0.15 + 0.6 * strength)
    for x, y in (place for layer in places for place in layer):
        net.plot(x, y, "o", color="white", markeredgecolor="0.2", markersize=13, zorder=3)
    net.text(*end, " C", va="center", fontsize=13)
    net.text(0.42, 1.25, "w", fontsize=12, style="italic")
    net.set_title(f"the {len(arrays['rates'])} paths from one weight to the cost", fontsize=10)
    rates = sorted(arrays["rates"], key=abs, reverse=True)
    bars.bar(range(1, len(rates) + 1), rates, color=[COLOURS[0] if rate > 0 else COLOURS[1] for rate in rates])
    bars.axhline(sum(rates), color="0.2", linestyle="--", linewidth=1.2, label="their sum, ∂C/∂w")
    bars.set(xlabel="path, strongest first", ylabel="its rate, a product of partial derivatives")
    bars.legend(frameon=False)
    return figure


# --- weights that learn slowly ------------------------------------------------------------------------------------

EDGES = np.array([0, 0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 0.9, 0.95, 0.98, 1.0])


def never_flat(z: np.ndarray | float) -> tuple[np.ndarray, np.ndarray]:
    """a = (z + tanh z)/4, an activation that the section asks for: its slope lies between 1/4 and 1/2; (a, slope)."""
    t = np.tanh(z)
    return (z + t) / 4, (2 - t**2) / 4


def _neuron_steps(start: float, target: float, rate: float, flat: bool, epochs: int) -> list[float]:
    """The errors |a - y| of one neuron, w = b = start and x = 1, that learns with the quadratic cost."""
    w = b = start
    found = []
    for _ in range(epochs + 1):
        z = w + b
        a, slope = (float(sigmoid(np.array(z))), float(sigmoid_prime(np.array(z)))) if flat else never_flat(z)
        found.append(abs(float(a) - target))
        step = rate * (float(a) - target) * float(slope)
        w, b = w - step, b - step
    return found


def _slow_weights(run: Run) -> Measured:
    images = run.shortened(2_000, 200)
    train = mnist().train[:images]
    x, y = train.images.reshape(images, -1).T / 255, np.eye(10)[train.labels].T
    rng = np.random.default_rng(run.seed)
    biases, weights = scaled_weights((784, 30, 10), rng)
    first = errors(weights, biases, x, y)
    # |a_in| |delta| of every weight of the first layer and example, by the input that it comes from
    delta = np.abs(first.deltas[0]).mean(axis=0)  # mean over the neurons, (m,)
    by_input = _binned(x.ravel(), (x * delta).ravel())
    biases, weights = large_weights((784, 30, 10), rng)  # where outputs are saturated, many of them wrongly
    second = errors(weights, biases, x, y)
    a = feedforward(weights, biases, x)
    wrong = np.abs(a - y) > 0.5
    speed = np.abs(second.deltas[1]) * np.abs(second.inputs[1]).mean(axis=0)
    by_output = _binned(a[wrong], speed[wrong])
    z = weights[0] @ x + biases[0]
    saturated = sigmoid_prime(z) < 0.01
    hidden = np.abs(second.deltas[0])
    middle = np.median(hidden[~saturated])
    curves = {
        "sigmoid": _neuron_steps(2.0, 0.0, 0.15, True, 300),
        "never_flat": _neuron_steps(2.0, 0.0, 0.15, False, 300),
    }
    drops = {name: -np.diff(curve) for name, curve in curves.items()}
    return Measured(
        {
            "speed_of_weights_from_dim_inputs": by_input[2] / by_input[-1],
            "largest_speed_from_black_inputs": float((x * delta)[x == 0].max()),
            "speed_into_saturated_outputs": by_output[-1] / max(by_output),
            "saturated_hidden_faster_than_the_rest": float(np.mean(hidden[saturated] > middle)),
            "first_step_of_sigmoid": float(drops["sigmoid"][0] / drops["sigmoid"].max()),
            "first_step_of_never_flat": float(drops["never_flat"][0] / drops["never_flat"].max()),
        },
        {
            "middle": ((EDGES[1:] + EDGES[:-1]) / 2).round(3).tolist(),
            "by_input": [float(f"{v:.3g}") for v in by_input],
            "by_output": [float(f"{v:.3g}") for v in by_output],
            **{name: [round(v, 4) for v in curve[::5]] for name, curve in curves.items()},
        },
    )


def _binned(by: np.ndarray, values: np.ndarray) -> list[float]:
    """The mean of values in each of the intervals of `by`; 0 where there is none."""
    place = np.clip(np.digitize(by, EDGES) - 1, 0, len(EDGES) - 2)
    return [float(values[place == i].mean()) if np.any(place == i) else 0.0 for i in range(len(EDGES) - 1)]


def _dim_inputs(runs: Sequence[Measured]) -> Finding:
    share, black = mean_of(runs, "speed_of_weights_from_dim_inputs"), mean_of(runs, "largest_speed_from_black_inputs")
    return Finding(
        share < 0.2 and black == 0,
        Text(
            f"the gradient of weights from inputs between 0.05 and 0.1 is {share:.1%} of that from inputs above 0.98; "
            f"from black pixels it is {black:g}",
            f"输入在 0.05 到 0.1 之间的权重，其梯度是输入大于 0.98 的 {share:.1%}；来自黑色像素的恰为 {black:g}",
        ),
    )


def _saturated_outputs(runs: Sequence[Measured]) -> Finding:
    share = mean_of(runs, "speed_into_saturated_outputs")
    hidden = mean_of(runs, "saturated_hidden_faster_than_the_rest")
    return Finding(
        share < 0.2,
        Text(
            f"of outputs that are wrong by more than 0.5, those above 0.98 learn at {share:.0%} of the fastest's "
            f"speed; the exception that the text allows, a saturated hidden neuron (σ' < 0.01) with a larger error "
            f"than the median of the others, is seen in {hidden:.1%} of the cases",
            f"在错误超过 0.5 的输出中，大于 0.98 的学习速度只有最快者的 {share:.0%}；"
            f"书中所说的例外（饱和的隐藏神经元，σ' < 0.01，误差却大于其余神经元的中位数）占 {hidden:.1%}",
        ),
    )


def _never_flat_is_never_slow(runs: Sequence[Measured]) -> Finding:
    flat, never = (mean_of(runs, f"first_step_of_{name}") for name in ("sigmoid", "never_flat"))
    return Finding(
        never > 0.5 > flat,
        Text(
            f"from w = b = 2.0 the first step of a sigmoid neuron is {flat:.0%} of its largest, with "
            f"a = (z + tanh z)/4, whose slope is 1/4 at least, {never:.0%}",
            f"从 w = b = 2.0 出发，sigmoid 神经元的第一步是其最大一步的 {flat:.0%}；"
            f"换成 a = (z + tanh z)/4（斜率不小于 1/4）则为 {never:.0%}",
        ),
    )


def _draw_slow(result: Result, needed: Mapping[str, Result]) -> "Figure":
    arrays = result.runs[0]["arrays"]
    figure, (axes,) = panels(1, 3, width=3.5, height=3.0)
    for each, name, label in (
        (axes[0], "by_input", "activation of the input, a_in"),
        (axes[1], "by_output", "output a, wrong by more than 0.5"),
    ):
        known = [(m, v) for m, v in zip(arrays["middle"], arrays[name], strict=True) if v > 0]
        each.plot(*zip(*known, strict=True), "o-", color=COLOURS[0])
        each.set(xlabel=label, ylabel="mean |∂C/∂w|", xlim=(0, 1), ylim=(0, None))
    epochs = [5 * i for i in range(len(arrays["sigmoid"]))]
    for name, label, colour in (("sigmoid", "σ", COLOURS[1]), ("never_flat", "(z + tanh z)/4", COLOURS[0])):
        share = [value / arrays[name][0] for value in arrays[name]]
        axes[2].plot(epochs, share, color=colour, label=label)
    axes[2].set(xlabel="epoch", ylabel="error, as a share of the first")
    axes[2].legend(frameon=False)
    return figure


# --- the list -----------------------------------------------------------------------------------------------------

EXPERIMENTS = (
    Experiment(
        id="slow-weights",
        title=Text(
            "Which weights learn slowly: small inputs, saturated neurons, and an activation without flat ends",
            "哪些权重学得慢：输入小、神经元饱和，以及一种没有平坦区的激活函数",
        ),
        source=INSIGHTS,
        measure=_slow_weights,
        claims=(
            Claim(
                Text(
                    "By (BP4) a weight from a neuron of low activation learns slowly.",
                    "由 (BP4)，来自低激活值神经元的权重学习缓慢。",
                ),
                _dim_inputs,
            ),
            Claim(
                Text(
                    "By (BP1) a weight into a saturated output neuron learns slowly, however wrong the output.",
                    "由 (BP1)，通向饱和输出神经元的权重学习缓慢，不论输出错得多厉害。",
                ),
                _saturated_outputs,
            ),
            Claim(
                Text(
                    "An activation function whose slope never comes near zero prevents the slowdown.",
                    "斜率始终不接近零的激活函数可以避免这种缓慢。",
                ),
                _never_flat_is_never_slow,
            ),
        ),
        deviations=(
            Text(
                "The text argues from the equations alone; here they are measured on [784, 30, 10] before training, "
                "weights from N(0, 1/n_in) for the inputs and from N(0, 1) for the saturated outputs, and the "
                "activation on the neuron of chapter 3.",
                "书中只由公式推断；这里在未经训练的 [784, 30, 10] 上测量：输入一项的权重取自 N(0, 1/n_in)，"
                "饱和输出一项取自 N(0, 1)；激活函数一项用第三章的单个神经元。",
            ),
        ),
        drawings=(
            Drawing(
                "speed",
                Text(
                    "Left: the gradient is proportional to the input. Middle: both ends of the sigmoid are slow. "
                    "Right: "
                    "the sigmoid waits, the other activation starts at once.",
                    "左：梯度与输入成正比。中：sigmoid 的两端都慢。右：sigmoid 先停滞，另一种激活函数立即开始学习。",
                ),
                _draw_slow,
            ),
        ),
    ),
    Experiment(
        id="path-sums",
        title=Text(
            "The gradient as the sum over all paths from a weight to the cost", "梯度等于从权重到代价的所有路径之和"
        ),
        source=BIG_PICTURE,
        measure=_path_sums,
        claims=(
            Claim(
                Text(
                    "∂C/∂w is the sum, over all paths from the weight to the cost, of the products of the rates along "
                    "the path.",
                    "∂C/∂w 等于从该权重到代价的所有路径上变化率乘积之和。",
                ),
                _sum_is_the_gradient,
            ),
            Claim(
                Text(
                    "Backpropagation is a clever way to keep track of the sum: it does not go along each path.",
                    "反向传播是求这个和的巧妙方法：它不必逐条走过每条路径。",
                ),
                _fewer_products,
            ),
        ),
        deviations=(
            Text(
                f"The text draws a network without numbers; here {list(SIZES)} sigmoid neurons, weights and biases "
                "from N(0, 1).",
                f"书中的网络没有给出数值；这里是 {list(SIZES)} 的 sigmoid 网络，权重和偏差取自 N(0, 1)。",
            ),
        ),
        drawings=(
            Drawing(
                "paths",
                Text(
                    "Left: the wider a path, the larger its rate; blue raises the cost, orange lowers it. Right: the "
                    "same rates, and what is left of them in the sum.",
                    "左：路径越粗，变化率越大；蓝色使代价增大，橙色使代价减小。右：同样的变化率，"
                    "以及它们相加之后剩下的值。",
                ),
                _draw_paths,
            ),
        ),
    ),
)
