"""Chapter 5, the vanishing gradient: the length of dC/db in each hidden layer, at the start and while it learns."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from statistics import fmean
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from firsthand import nn
from firsthand.data import Dataset, mnist
from firsthand.experiments.drawing import COLOURS, panels
from firsthand.experiments.experiment import Claim, Drawing, Experiment, Measured, Run, mean_of
from firsthand.experiments.result import Finding, Published, Result, Source, Text
from firsthand.nn import Network, Params

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["EXPERIMENTS", "SECTION", "hidden_layers", "speeds"]

SECTION = Source("Nielsen", "chapter 5, 'The vanishing gradient problem' (消失的梯度问题)")
DEPTHS = (2, 3, 4)
IMAGES = 1_000  # of the training set, over which the gradient is taken
EPOCHS = 500
EVERY = 5  # epochs between two points of the curves that are kept
LEARNING_RATE, LAMBDA = 0.1, 5.0

# per number of hidden layers, from the input on
PUBLISHED = {
    2: (0.07, 0.31),
    3: (0.012, 0.060, 0.283),
    4: (0.003, 0.017, 0.070, 0.285),
}


def hidden_layers(number: int) -> tuple[nn.FullyConnected, ...]:
    """[784, 30, ..., 30, 10] of sigmoid units; weights N(0, 1/n_in), biases N(0, 1), as at the end of chapter 3."""
    return (nn.FullyConnected(30, bias_init=nn.large),) * number + (nn.FullyConnected(10, bias_init=nn.large),)


@lru_cache(maxsize=16)
def _gradient_program(hidden: int):
    """Compile (params, images, labels) -> dC/d(params), C being the mean cross-entropy over the images."""
    network = Network(hidden_layers(hidden))

    def cost(params: tuple[Params, ...], images: Array, labels: Array) -> Array:
        return jnp.mean(nn.cross_entropy(network.weighted_input(params, images), labels, network.activation))

    return jax.jit(jax.grad(cost))


@lru_cache(maxsize=16)
def _speed_program(hidden: int, epochs: int):
    """Compile (params, images, labels, penalty) -> (epochs, hidden): `speeds`."""
    gradient_of = _gradient_program(hidden)

    def speeds_of(params: tuple[Params, ...], images: Array, labels: Array, penalty: Array) -> Array:
        def step(params: tuple[Params, ...], _: None) -> tuple[tuple[Params, ...], Array]:
            gradient = gradient_of(params, images, labels)
            decayed = [{**part, "weights": part["weights"] * (1 - LEARNING_RATE * penalty)} for part in params]
            moved = jax.tree.map(lambda w, dw: w - LEARNING_RATE * dw, tuple(decayed), gradient)
            return moved, jnp.stack([jnp.linalg.norm(part["bias"]) for part in gradient[:-1]])

        return lax.scan(step, params, None, epochs)[1]

    return jax.jit(speeds_of)


def speeds(hidden: int, data: Dataset, *, epochs: int, penalty: float, key: Array) -> np.ndarray:
    """||dC/db|| of every hidden layer before each epoch of gradient descent on all of the data at once.

    Args:
        hidden: number of hidden layers of 30 units.
        data: for all of which together each gradient is taken.
        epochs: steps of w <- w - learning_rate (dC/dw + penalty w).
        penalty: lambda / n.
        key: the initial weights and biases.
    Returns:
        (epochs, hidden), the layer next to the input first.
    """
    params = Network(hidden_layers(hidden)).init(key=key)
    return np.asarray(_speed_program(hidden, epochs)(params, data.images, data.labels, jnp.float32(penalty)))


def _start_key(run: Run, hidden: int) -> Array:
    """The same initial network in both experiments."""
    return jax.random.fold_in(run.key, hidden)


def _measure_start(run: Run) -> Measured:
    """The lengths at the start, and what the first six units of the network with two hidden layers have."""
    data = mnist().train[:IMAGES]
    numbers, bars = {}, []
    for hidden in DEPTHS:
        params = Network(hidden_layers(hidden)).init(key=_start_key(run, hidden))
        biases = [np.asarray(part["bias"]) for part in _gradient_program(hidden)(params, data.images, data.labels)[:-1]]
        for layer, bias in enumerate(biases, start=1):
            numbers[f"length_{layer}_of_{hidden}"] = float(np.linalg.norm(bias))
        if hidden == 2:
            bars = [[round(float(abs(b)), 5) for b in bias[:6]] for bias in biases]
    return Measured(numbers, {"bars": bars})


def _check_start(runs: Sequence[Measured]) -> Finding:
    """Count how often a layer is slower than the next, over all pairs of neighbours."""
    pairs = [
        run.numbers[f"length_{layer}_of_{hidden}"] < run.numbers[f"length_{layer + 1}_of_{hidden}"]
        for run in runs
        for hidden in DEPTHS
        for layer in range(1, hidden)
    ]
    ratio = fmean(run.numbers["length_4_of_4"] / run.numbers["length_1_of_4"] for run in runs)
    return Finding(
        all(pairs),
        Text(
            f"in {sum(pairs)} of {len(pairs)} pairs of neighbouring layers; "
            f"with four, the last is {ratio:.0f} times as fast as the first (mean)",
            f"{len(pairs)} 对相邻层中有 {sum(pairs)} 对如此；四个隐藏层时，最后一层平均比第一层快 {ratio:.0f} 倍",
        ),
    )


def _draw_bars(result: Result, needed: Mapping[str, Result]) -> "Figure":
    """The book's picture of [784, 30, 30, 10]: a bar for each of the first six units of both hidden layers."""
    layers = result.runs[0]["arrays"]["bars"]
    figure, grid = panels(1, 2, width=3.2, height=2.8)
    for layer, (axes, bars) in enumerate(zip(grid[0], layers, strict=True), start=1):
        axes.bar(range(1, 7), bars, color=COLOURS[layer - 1])
        axes.set(xlabel=f"unit of hidden layer {layer}", xticks=range(1, 7), ylim=(0, 1.05 * max(map(max, layers))))
        axes.grid(visible=False, axis="x")
    grid[0, 0].set_ylabel("|∂C/∂b| at the start")
    return figure


def _draw_lengths(result: Result, needed: Mapping[str, Result]) -> "Figure":
    """All lengths at the start on a log scale, beside the published ones."""
    figure, grid = panels(1, 1, width=5.2)
    axes = grid[0, 0]
    for number, hidden in enumerate(DEPTHS):
        places = [layer + 0.12 * (number - 1) for layer in range(1, hidden + 1)]
        names = [f"length_{layer}_of_{hidden}" for layer in range(1, hidden + 1)]
        colour = COLOURS[number]
        for place, name in zip(places, names, strict=True):
            values = result.values(name)
            axes.plot([place] * len(values), values, ".", color=colour, alpha=0.35, ms=4)
        axes.plot(places, [result.mean(name) for name in names], "-", color=colour, label=f"{hidden} hidden layers")
        axes.plot(places, PUBLISHED[hidden], "s", mfc="none", color=colour)
    axes.plot([], [], "s", mfc="none", color="0.3", label="published")
    axes.set(xlabel="hidden layer, counted from the input", xticks=(1, 2, 3, 4))
    axes.set(yscale="log", ylabel="length of ∂C/∂b at the start")
    axes.legend(frameon=False, loc="lower right")
    return figure


# --- the same while the network learns -----------------------------------------------------------------------------


def _measure_speed(run: Run) -> Measured:
    """The lengths during the training, with the chapter's penalty and without any."""
    data, epochs = mnist().train[:IMAGES], run.shortened(EPOCHS, 60)
    numbers: dict[str, float] = {}
    arrays: dict[str, Any] = {"epochs": list(range(0, epochs, EVERY))}
    for hidden in DEPTHS:
        for name, penalty in (("", LAMBDA / IMAGES), ("_without_penalty", 0.0)):
            found = speeds(hidden, data, epochs=epochs, penalty=penalty, key=_start_key(run, hidden))
            ratio = found[:, -1] / found[:, 0]
            numbers[f"ratio_at_start_{hidden}{name}"] = float(ratio[0])
            numbers[f"largest_ratio_{hidden}{name}"] = float(ratio.max())
            numbers[f"ratio_at_end_{hidden}{name}"] = float(ratio[-1])
            numbers[f"first_slower_{hidden}{name}"] = float(np.mean(ratio > 1))
            arrays[f"speeds_{hidden}{name}"] = [[float(f"{v:.3g}") for v in layer] for layer in found[::EVERY].T]
            run.say(f"{hidden} hidden layers{name.replace('_', ' ')}: ratio {ratio.max():.0f}")
    return Measured(numbers, arrays)


def _check_slower(runs: Sequence[Measured]) -> Finding:
    """The share of the epochs in which the first hidden layer is slower than the last."""

    def shares(suffix: str) -> list[float]:
        return [mean_of(runs, f"first_slower_{hidden}{suffix}") for hidden in DEPTHS]

    penalized, free = shares(""), shares("_without_penalty")
    with_it, without = ("/".join(f"{share:.0%}" for share in values) for values in (penalized, free))
    return Finding(
        min(penalized) > 0.5,
        Text(
            f"in {with_it} of the epochs with 2/3/4 hidden layers; without the penalty (λ = 0) in {without}",
            f"2/3/4 个隐藏层时，分别在 {with_it} 的回合中如此；不加规范化项（λ = 0）时为 {without}",
        ),
    )


def _check_hundred(runs: Sequence[Measured]) -> Finding:
    """The ratio of the speeds of the last and the first of four hidden layers."""
    start, largest, end = (mean_of(runs, f"{name}_4") for name in ("ratio_at_start", "largest_ratio", "ratio_at_end"))
    free = mean_of(runs, "ratio_at_end_4_without_penalty")
    return Finding(
        largest >= 100,
        Text(
            f"{start:.0f} times slower at the start, at most {largest:.0f}, {end:.0f} at the end; "
            f"without the penalty {free:.1f} at the end",
            f"开始时慢 {start:.0f} 倍，最多慢 {largest:.0f} 倍，结束时慢 {end:.0f} 倍；"
            f"不加规范化项时，结束时为 {free:.1f} 倍",
        ),
    )


def _check_fall(runs: Sequence[Measured]) -> Finding:
    """The fall of the speeds of two hidden layers, when it happens, and how far they come back."""
    deepest, when, back = [], [], []
    for run in runs:
        for layer in run.arrays["speeds_2"]:
            low = int(np.argmin(layer))
            deepest.append(layer[low] / layer[0])
            when.append(run.arrays["epochs"][low])
            back.append(layer[-1] / layer[low])
    return Finding(
        max(deepest) < 0.1 and min(back) > 1.5,
        Text(
            f"down to {fmean(deepest):.1%} of the start near epoch {fmean(when):.0f}, then up {fmean(back):.1f}-fold",
            f"在第 {fmean(when):.0f} 回合附近降到开始时的 {fmean(deepest):.1%}，"
            f"之后回升到最低点的 {fmean(back):.1f} 倍",
        ),
    )


def _draw_speeds(result: Result, needed: Mapping[str, Result]) -> "Figure":
    """The book's three figures side by side, and below them the same without the penalty."""
    figure, grid = panels(2, 3, width=3.2, height=2.8)
    every = [v for run in result.runs for name, a in run["arrays"].items() if name != "epochs" for v in np.ravel(a)]
    for row, (suffix, name) in zip(grid, (("", f"λ = {LAMBDA:g}"), ("_without_penalty", "λ = 0")), strict=True):
        for axes, hidden in zip(row, DEPTHS, strict=True):
            for number, run in enumerate(result.runs):
                for layer, values in enumerate(run["arrays"][f"speeds_{hidden}{suffix}"]):
                    first = number == 0
                    axes.plot(
                        run["arrays"]["epochs"],
                        values,
                        color=COLOURS[layer],
                        alpha=1.0 if first else 0.25,
                        label=f"hidden layer {layer + 1}" if first else None,
                    )
            axes.set_title(f"{hidden} hidden layers, {name}", fontsize=10)
            axes.set(yscale="log", ylim=(min(every) / 1.5, max(every) * 1.5))
        row[0].set_ylabel("length of ∂C/∂b")
        row[-1].legend(frameon=False, loc="upper right", fontsize=8)
    for axes in grid[-1]:
        axes.set_xlabel("epochs of batch gradient descent")
    return figure


AT_THE_START = Experiment(
    "gradient-at-start",
    Text(
        "How fast each hidden layer would learn at the start: the length of ∂C/∂b",
        "训练开始时各隐藏层的学习速度：∂C/∂b 的长度",
    ),
    SECTION,
    _measure_start,
    # one network's lengths vary by a fifth to a half from key to key, and the published ones are of one network
    published=tuple(
        Published(f"length_{layer}_of_{hidden}", length, "value", 0.0)
        for hidden, lengths in PUBLISHED.items()
        for layer, length in enumerate(lengths, start=1)
    ),
    claims=(
        Claim(
            Text("Each hidden layer learns more slowly than the one after it.", "前面的隐藏层比后面的学习得慢。"),
            _check_start,
        ),
    ),
    deviations=(
        Text(
            "The text does not say over which images the gradient is taken; here the first 1,000 training images.",
            "原文没有说明梯度在哪些图像上计算；这里用前 1,000 幅训练图像。",
        ),
    ),
    drawings=(
        Drawing(
            "units",
            Text(
                "The first six units of both hidden layers, [784, 30, 30, 10]: the large bars are on the right.",
                "[784, 30, 30, 10] 两个隐藏层各前六个神经元：大的条多在右边。",
            ),
            _draw_bars,
        ),
        Drawing(
            "lengths",
            Text(
                "On a log scale the lengths fall along a line from the last hidden layer to the first: exponentially.",
                "在对数坐标下，从最后一个隐藏层到第一个，长度大致沿直线下降，即指数下降。",
            ),
            _draw_lengths,
        ),
    ),
    runs=20,
    minutes=0.05,
)

WHILE_LEARNING = Experiment(
    "speed-of-learning",
    Text(
        "How fast each hidden layer learns during 500 epochs of batch gradient descent",
        "500 回合批量梯度下降中各隐藏层的学习速度",
    ),
    SECTION,
    _measure_speed,
    claims=(
        Claim(
            Text(
                "With 2, 3 and 4 hidden layers, the first learns more slowly than the last (in most epochs).",
                "无论 2、3、4 个隐藏层，第一层都比最后一层学习得慢（在多数回合中）。",
            ),
            _check_slower,
        ),
        Claim(
            Text(
                "With four hidden layers the first is two orders of magnitude slower than the last, 100 times.",
                "四个隐藏层时，第一层比最后一层慢两个数量级，即慢 100 倍。",
            ),
            _check_hundred,
        ),
        Claim(
            Text(
                "With two hidden layers both speeds fall fast (below a tenth), before they rise again.",
                "两个隐藏层时，两层的学习速度先迅速下降（不到十分之一），触底后再回升。",
            ),
            _check_fall,
        ),
    ),
    deviations=(
        Text(
            "The text names neither learning rate nor λ here: the chapter's η = 0.1 and λ = 5.0 are taken, λ/n being "
            "0.005 on 1,000 images. The same without a penalty is measured beside it, because the order of the "
            "layers depends on it.",
            "原文此处没有给出学习率和 λ：沿用本章的 η = 0.1 和 λ = 5.0，在 1,000 幅图像上 λ/n = 0.005。"
            "由于各层的快慢顺序与此有关，同时测量了不加规范化项的情形。",
        ),
    ),
    drawings=(
        Drawing(
            "speeds",
            Text(
                "Above as in the book: the earlier the layer, the lower its curve. Below without the penalty, where "
                "the curves meet once the start is over. Strong lines: the first run; faint ones: the others.",
                "上排与原书相同：层越靠前，曲线越低。下排不加规范化项，开始阶段过后曲线会聚到一起。"
                "深色为第一次运行，浅色为其余各次。",
            ),
            _draw_speeds,
        ),
    ),
    minutes=0.4,
)

EXPERIMENTS = (AT_THE_START, WHILE_LEARNING)
