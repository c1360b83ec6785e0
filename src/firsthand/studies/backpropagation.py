"""Chapter 2: backpropagation over whole mini-batches as matrices, and why backpropagation is fast."""

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from firsthand.data import mnist
from firsthand.experiments.drawing import COLOURS, panels
from firsthand.experiments.experiment import Claim, Drawing, Experiment, Measured, Run
from firsthand.experiments.result import Finding, Result, Source, Text
from firsthand.reference.fully_connected import (
    Gradient,
    backprop,
    backprop_matrix,
    descend,
    feedforward,
    large_weights,
)
from firsthand.reference.functions import QUADRATIC

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["EXPERIMENTS", "finite_differences"]

Arrays = list[np.ndarray]

# --- backpropagation over a mini-batch as matrices ----------------------------------------------------------------

BATCHES = (1, 2, 5, 10, 20, 50, 100)


def _one_by_one(weights: Arrays, biases: Arrays, x: np.ndarray, y: np.ndarray) -> Gradient:
    """The loop of `update_mini_batch`: the sum of the gradients of C_x, one example after the other."""
    nabla_b = [np.zeros_like(b) for b in biases]
    nabla_w = [np.zeros_like(w) for w in weights]
    for i in range(x.shape[1]):
        delta_b, delta_w = backprop(weights, biases, x[:, i : i + 1], y[:, i : i + 1])
        nabla_b = [nb + db for nb, db in zip(nabla_b, delta_b, strict=True)]
        nabla_w = [nw + dw for nw, dw in zip(nabla_w, delta_w, strict=True)]
    return Gradient(nabla_b, nabla_w)


def _full_matrix(run: Run) -> Measured:
    biases, weights = large_weights((784, 30, 10), np.random.default_rng(run.seed))
    x, y = _columns(max(BATCHES))
    apart, micros = 0.0, {"loop": [], "matrix": []}
    for size in BATCHES:
        batch = x[:, :size], y[:, :size]
        ways = {
            "loop": partial(_one_by_one, weights, biases, *batch),
            "matrix": partial(backprop_matrix, weights, biases, *batch),
        }
        apart = max(apart, _apart(ways["loop"](), ways["matrix"]()))
        for name, seconds in _interleaved(ways, run.shortened(30, 3)).items():
            micros[name].append(round(1e6 * seconds / size, 2))
        run.say(f"mini-batch of {size}: {micros['loop'][-1]:.0f} and {micros['matrix'][-1]:.0f} us an example")
    at = BATCHES.index(10)
    epochs = _interleaved(
        {
            "loop": partial(_epoch, weights, biases, run.shortened(2_000, 100), _one_by_one),
            "matrix": partial(_epoch, weights, biases, run.shortened(2_000, 100), backprop_matrix),
        },
        run.shortened(5, 1),
    )
    numbers = {
        "largest_relative_difference": apart,
        "times_as_fast": micros["loop"][at] / micros["matrix"][at],
        "training_times_as_fast": epochs["loop"] / epochs["matrix"],
    }
    return Measured(numbers, {"batch_size": list(BATCHES), **micros})


def _epoch(weights: Arrays, biases: Arrays, images: int, gradient: Callable[..., Gradient]) -> None:
    """Train on some images in mini-batches of 10, as the text's program does, with one way to the gradient."""
    x, y = _columns(images)
    order = np.random.default_rng(0).permutation(images)
    for start in range(0, images, 10):
        batch = order[start : start + 10]
        summed = gradient(weights, biases, x[:, batch], y[:, batch])
        weights, biases = descend(weights, biases, summed, 3.0 / 10)


def _same_gradients(runs: Sequence[Measured]) -> Finding:
    apart = max(run.numbers["largest_relative_difference"] for run in runs)
    return Finding(
        apart < 1e-12,
        Text(
            f"the largest difference, relative to the largest entry of the gradient, is {apart:.1e}",
            f"最大差异与梯度最大分量之比为 {apart:.1e}",
        ),
    )


def _twice_as_fast(runs: Sequence[Measured]) -> Finding:
    times = sorted(run.numbers["times_as_fast"] for run in runs)
    training = sorted(run.numbers["training_times_as_fast"] for run in runs)
    return Finding(
        training[0] >= 2,
        Text(
            f"at a mini-batch of 10 the gradient is {times[0]:.1f} to {times[-1]:.1f} times as fast, the whole "
            "training, "
            f"an epoch of 2,000 images with its steps, {training[0]:.1f} to {training[-1]:.1f} times",
            f"小批量为 10 时，求梯度的速度是逐个样本的 {times[0]:.1f} 到 {times[-1]:.1f} 倍；"
            f"整个训练（2,000 幅图像的一个回合，包括更新）是 {training[0]:.1f} 到 {training[-1]:.1f} 倍",
        ),
    )


def _draw_full_matrix(result: Result, needed: Mapping[str, Result]) -> "Figure":
    figure, ((axes,),) = panels(1, 1, width=6)
    for name, label, colour, marker in (
        ("loop", "one example after the other", COLOURS[1], "s--"),
        ("matrix", "all as one matrix", COLOURS[0], "o-"),
    ):
        micros = np.median([run["arrays"][name] for run in result.runs], axis=0)
        axes.plot(result.runs[0]["arrays"]["batch_size"], micros, marker, color=colour, label=label)
    axes.set(xlabel="mini-batch size", ylabel="microseconds per example", xscale="log", ylim=(0, None))
    axes.set_title("gradient of [784, 30, 10], NumPy, one core", fontsize=10)
    axes.legend(frameon=False)
    return figure


# --- why backpropagation is fast ----------------------------------------------------------------------------------

HIDDEN = (1, 3, 10, 30, 100)
EPSILON = 1e-6
BATCH = 100  # examples of which the products with the weights take nearly all the time


def finite_differences(cost: Callable[[], float], parameters: Arrays, epsilon: float = EPSILON) -> Arrays:
    """dC/dw of every parameter by equation (46): (C(w + epsilon e_j) - C(w)) / epsilon, 1 + n forward passes.

    Args:
        cost: the cost for the parameters as they are now.
        parameters: arrays that the cost reads; every number is moved, and put back.
        epsilon: how far.
    Returns:
        Arrays shaped like the parameters.
    """
    at_rest = cost()
    gradient = [np.zeros_like(array) for array in parameters]
    for array, slope in zip(parameters, gradient, strict=True):
        for j in np.ndindex(array.shape):
            kept = array[j]
            array[j] = kept + epsilon
            slope[j] = (cost() - at_rest) / epsilon
            array[j] = kept
    return gradient


def _why_backprop(run: Run) -> Measured:
    x, y = _columns(1)
    rng = np.random.default_rng(run.seed)
    many = _columns(BATCH)
    names = ("parameters", "passes", "differences", "backprop", "backprop_batch", "apart")
    found: dict[str, list[float]] = {name: [] for name in names}
    for hidden in HIDDEN[: run.shortened(len(HIDDEN), 3)]:
        biases, weights = large_weights((784, hidden, 10), rng)
        count = 0

        def cost(weights: Arrays = weights, biases: Arrays = biases) -> float:
            nonlocal count
            count += 1
            return float(np.sum(QUADRATIC.fn(feedforward(weights, biases, x), y)))

        started = time.process_time()
        slopes = finite_differences(cost, [*biases, *weights])
        seconds = time.process_time() - started
        passes = count
        both = _interleaved({"backprop": partial(backprop, weights, biases, x, y), "forward": cost}, 200)
        batch = {
            "backprop": partial(backprop_matrix, weights, biases, *many),
            "forward": partial(feedforward, weights, biases, many[0]),
        }
        together = _interleaved(batch, 50)
        gradient = backprop(weights, biases, x, y)
        found["parameters"].append(sum(array.size for array in (*biases, *weights)))
        found["passes"].append(passes)
        # both in forward passes: what they cost, whatever the machine
        found["differences"].append(round(seconds / both["forward"], 1))
        found["backprop"].append(round(both["backprop"] / both["forward"], 2))
        found["backprop_batch"].append(round(together["backprop"] / together["forward"], 2))
        found["apart"].append(_apart(gradient, Gradient(slopes[:2], slopes[2:])))
        run.say(
            f"{found['parameters'][-1]:,} parameters: {found['differences'][-1] / found['backprop'][-1]:,.0f} times"
        )
    return Measured(
        {
            "largest_relative_difference": max(found["apart"]),
            "backprop_in_forward_passes": found["backprop"][-1],
            "backprop_in_forward_passes_of_100": found["backprop_batch"][-1],
            "times_as_fast": found["differences"][-1] / found["backprop"][-1],
        },
        {**found, "apart": [float(f"{value:.2e}") for value in found["apart"]]},
    )


def _agree(runs: Sequence[Measured]) -> Finding:
    apart = max(run.numbers["largest_relative_difference"] for run in runs)
    return Finding(
        apart < 1e-4,
        Text(
            f"with epsilon = {EPSILON:g} the largest difference, relative to the largest entry, is {apart:.1e}",
            f"取 epsilon = {EPSILON:g}，最大差异与最大分量之比为 {apart:.1e}",
        ),
    )


def _one_pass_a_weight(runs: Sequence[Measured]) -> Finding:
    counted = [pair for run in runs for pair in zip(run.arrays["passes"], run.arrays["parameters"], strict=True)]
    parameters = int(runs[0].arrays["parameters"][-1])
    return Finding(
        all(passes == 1 + n for passes, n in counted),
        Text(
            f"counted: {1 + parameters:,} forward passes for {parameters:,} weights and biases",
            f"实际计数：{parameters:,} 个权重和偏置需要 {1 + parameters:,} 次前向传播",
        ),
    )


def _about_two_passes(runs: Sequence[Measured]) -> Finding:
    one = sorted(value for run in runs for value in run.arrays["backprop"])
    many = sorted(value for run in runs for value in run.arrays["backprop_batch"])
    return Finding(
        many[0] >= 1.5 and many[-1] <= 3,
        Text(
            f"over {BATCH} examples at once it takes as long as {many[0]:.1f} to {many[-1]:.1f} forward passes; for a "
            f"single one {one[0]:.1f} to {one[-1]:.1f}, more in larger networks: there a gradient, as large as the "
            "weights, must be written to memory for little arithmetic",
            f"{BATCH} 个样本一起计算时，用时相当于 {many[0]:.1f} 到 {many[-1]:.1f} 次前向传播；单个样本为 "
            f"{one[0]:.1f} 到 {one[-1]:.1f} 次，网络越大越多：那时要为很少的运算把与权重一样大的梯度写入内存",
        ),
    )


def _draw_why(result: Result, needed: Mapping[str, Result]) -> "Figure":
    figure, ((axes,),) = panels(1, 1, width=6)
    arrays = result.runs[0]["arrays"]
    for name, label, colour, marker in (
        ("differences", "finite differences, equation (46)", COLOURS[1], "s--"),
        ("backprop", "backpropagation, one example", COLOURS[0], "o-"),
        ("backprop_batch", f"backpropagation, {BATCH} examples", COLOURS[2], "^:"),
    ):
        cost = np.median([run["arrays"][name] for run in result.runs], axis=0)
        axes.plot(arrays["parameters"], cost, marker, color=colour, label=label)
    axes.plot(arrays["parameters"], arrays["passes"], ":", color="0.3", label="1 + number of weights and biases")
    axes.set(xlabel="weights and biases", ylabel="time, in forward passes", xscale="log", yscale="log")
    axes.set_title("one gradient of [784, h, 10], h = 1 ... 100", fontsize=10)
    axes.legend(frameon=False)
    return figure


def _columns(n: int) -> tuple[np.ndarray, np.ndarray]:
    """The first n training examples as columns: x (784, n), y (10, n)."""
    train = mnist().train[:n]
    return train.images.reshape(n, -1).T / 255, np.eye(10)[train.labels].T


def _apart(a: Gradient, b: Gradient) -> float:
    """The largest difference of two gradients, relative to the largest entry."""
    pairs = list(zip((*a.nabla_b, *a.nabla_w), (*b.nabla_b, *b.nabla_w), strict=True))
    return float(max(np.max(np.abs(x - y)) for x, y in pairs) / max(np.max(np.abs(x)) for x, _ in pairs))


def _interleaved(ways: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """The least processor seconds that each of several ways has taken, in turns: what else runs here only adds."""
    best = dict.fromkeys(ways, float("inf"))
    for _ in range(rounds):
        for name, work in ways.items():
            started = time.process_time()
            work()
            best[name] = min(best[name], time.process_time() - started)
    return best


# --- the list -----------------------------------------------------------------------------------------------------

EXPERIMENTS = (
    Experiment(
        id="full-matrix",
        title=Text(
            "Backpropagation over a whole mini-batch as matrices, against a loop over its examples",
            "小批量上反向传播的全矩阵方法，与逐个样本循环的比较",
        ),
        source=Source(
            "Nielsen", "chapter 2, problem 'Fully matrix-based approach to backpropagation over a mini-batch'"
        ),
        measure=_full_matrix,
        claims=(
            Claim(
                Text("Both ways give the same gradient.", "两种方法得到同样的梯度。"),
                _same_gradients,
            ),
            Claim(
                Text(
                    "With matrices it is about twice as fast (on the author's laptop).",
                    "用矩阵大约快一倍（在作者的笔记本电脑上）。",
                ),
                _twice_as_fast,
            ),
        ),
        deviations=(
            Text(
                "Timed in float64 and on one core, in processor seconds: the gradient, least of 30 interleaved rounds, "
                "and "
                "an epoch of 2,000 images, least of 5.",
                "float64，单核，按处理器时间：梯度取 30 轮交错测量的最小值，2,000 幅图像的一个回合取 5 轮的最小值。",
            ),
        ),
        drawings=(
            Drawing(
                "time",
                Text(
                    "The larger the mini-batch, the less an example costs as a column of a matrix; in the loop it "
                    "always costs the same.",
                    "小批量越大，作为矩阵一列的每个样本就越省时间；逐个循环则始终一样。",
                ),
                _draw_full_matrix,
            ),
        ),
    ),
    Experiment(
        id="why-backprop",
        title=Text(
            "The gradient by finite differences against backpropagation: the same numbers, at what cost",
            "有限差分与反向传播求梯度：结果相同，代价如何",
        ),
        source=Source("Nielsen", "chapter 2, 'In what sense is backpropagation a fast algorithm?', equation (46)"),
        measure=_why_backprop,
        claims=(
            Claim(
                Text("Equation (46) approximates what backpropagation computes.", "公式 (46) 近似反向传播所得的梯度。"),
                _agree,
            ),
            Claim(
                Text(
                    "It takes a forward pass for every weight and bias, and one more.",
                    "每个权重和偏置需要一次前向传播，另外再加一次。",
                ),
                _one_pass_a_weight,
            ),
            Claim(
                Text(
                    "Backpropagation takes about as much as two forward passes (counted as between 1.5 and 3).",
                    "反向传播的代价大约是两次前向传播（以 1.5 到 3 次为准）。",
                ),
                _about_two_passes,
            ),
        ),
        drawings=(
            Drawing(
                "cost",
                Text(
                    "Finite differences cost as many forward passes as there are weights; backpropagation a few, "
                    "however many there are.",
                    "有限差分需要的前向传播次数与权重数目相等；反向传播只需几次，与权重数目无关。",
                ),
                _draw_why,
            ),
        ),
        minutes=0.2,
    ),
)
