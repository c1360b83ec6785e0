"""Chapter 5, other obstacles to deep learning: the activation that saturates, the start, and momentum."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import pairwise
from statistics import fmean
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from firsthand.data import mnist
from firsthand.experiments.drawing import COLOURS, panels
from firsthand.experiments.experiment import Claim, Drawing, Experiment, Measured, Run, mean_of
from firsthand.experiments.result import Finding, Result, Source, Text
from firsthand.nn import sigmoid, tanh

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["EXPERIMENTS", "activations", "softsign"]

OBSTACLES = "chapter 5, 'Other obstacles to deep learning' (深度学习其他的障碍)"
GLOROT = Source("Nielsen", f"{OBSTACLES}; Glorot and Bengio 2010")
SUTSKEVER = Source("Nielsen", f"{OBSTACLES}; Sutskever, Martens, Dahl and Hinton 2013")

Params = list[tuple[Array, Array]]


def softsign(z: Array) -> Array:
    """a = z / (1 + |z|), with ends that flatten like 1/z^2 and not exponentially (Glorot and Bengio 2010)."""
    return z / (1 + jnp.abs(z))


def _init(sizes: Sequence[int], gain: float, key: Array) -> Params:
    """Weights from N(0, gain^2 / n_in), biases 0."""
    keys = jax.random.split(key, len(sizes) - 1)
    return [
        (gain / n**0.5 * jax.random.normal(k, (n, m)), jnp.zeros(m))
        for (n, m), k in zip(pairwise(sizes), keys, strict=True)
    ]


def activations(params: Params, x: Array, f: Callable[[Array], Array]) -> list[Array]:
    """The activations of every hidden layer, and the weighted input of the softmax at the end."""
    found = []
    for w, b in params[:-1]:
        x = f(x @ w + b)
        found.append(x)
    w, b = params[-1]
    return [*found, x @ w + b]


def _cost(params: Params, x: Array, labels: Array, f: Callable[[Array], Array]) -> Array:
    """The mean log-likelihood cost of a softmax output."""
    z = activations(params, x, f)[-1]
    return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(z), labels[:, None], axis=1))


@partial(jax.jit, static_argnames="f")
def _descend(
    params: Params, velocity: Params, x: Array, labels: Array, order: Array, rate: Array, mu: Array, f: Any
) -> tuple[Params, Params]:
    """Steps of gradient descent with momentum over the mini-batches that `order` (steps, batch) names.

    `f` is the activation function of a classifier; without it the network reproduces its input.
    """

    def step(carry: tuple[Params, Params], batch: Array) -> tuple[tuple[Params, Params], None]:
        params, velocity = carry
        gradient = jax.grad(_squared_error if f is None else _cost)(params, x[batch], labels[batch], f)
        velocity = jax.tree.map(lambda v, g: mu * v - rate * g, velocity, gradient)  # (107)
        return (jax.tree.map(jnp.add, params, velocity), velocity), None  # (108)

    return jax.lax.scan(step, (params, velocity), order)[0]


def _images(count: int, held_out: int = 300) -> tuple[Array, Array, Array, Array]:
    """The first `count` training images as rows with their labels, and some validation images."""
    data = mnist()
    train, validation = data.train[:count], data.validation[:held_out]
    rows = [jnp.asarray(each.images.reshape(len(each), -1) / 255, jnp.float32) for each in (train, validation)]
    labels = [jnp.asarray(each.labels.astype(np.int32)) for each in (train, validation)]
    return rows[0], labels[0], rows[1], labels[1]


# --- the top layer saturates --------------------------------------------------------------------------------------

KINDS = {"sigmoid": sigmoid, "tanh": tanh, "softsign": softsign}
HIDDEN, UNITS = 4, 100
CHUNK, CHUNKS, BATCH = 50, 160, 10
LOW = 0.2  # a mean activation that is called near 0
RATES = {"sigmoid": 0.1, "tanh": 0.01, "softsign": 0.01}


def _saturation(run: Run) -> Measured:
    x, labels, seen, wanted = _images(run.shortened(10_000, 500))
    sizes = (x.shape[1], *[UNITS] * HIDDEN, 10)
    chunks = run.shortened(CHUNKS, 4)
    numbers: dict[str, float] = {}
    arrays: dict[str, Any] = {"step": [CHUNK * i for i in range(chunks + 1)]}
    for kind, f in KINDS.items():
        # the paper's start: uniform in +-1/sqrt(n_in), of variance 1/(3 n_in); here a Gaussian of the same variance
        params = _init(sizes, 3**-0.5, run.key)
        velocity = jax.tree.map(jnp.zeros_like, params)
        rng, means, spreads, right = np.random.default_rng(run.seed), [], [], []
        for chunk in range(chunks + 1):
            if chunk:
                order = jnp.asarray(rng.integers(len(x), size=(CHUNK, BATCH)))
                params, velocity = _descend(params, velocity, x, labels, order, RATES[kind], 0.0, f)
            *hidden, z = activations(params, seen, f)
            means.append([float(jnp.mean(a)) for a in hidden])
            spreads.append([float(jnp.mean(jnp.std(a, axis=0))) for a in hidden])
            right.append(float(jnp.mean(jnp.argmax(z, axis=1) == wanted)))
        run.say(f"{kind} {right[-1]:.3f}")
        tops = np.array(means)[:, -1]
        numbers |= {
            f"{kind}_lowest_top": float(tops.min()),
            f"{kind}_lowest_bottom": float(np.array(means)[:, 0].min()),
            f"{kind}_steps_to_half": float(_first(right, 0.5) * CHUNK),
            f"{kind}_accuracy": right[-1],
        }
        arrays[f"{kind}_mean"] = np.array(means).T.round(4).tolist()
        arrays[f"{kind}_spread"] = np.array(spreads).T.round(4).tolist()
    top = -np.array(arrays["sigmoid_mean"])[-1]
    numbers["step_of_low_top"] = float(CHUNK * _first(top, -LOW))
    return Measured(numbers, arrays)


def _first(values: Sequence[float], level: float) -> int:
    """The first place where a level is reached; one past the end where it is not."""
    return next((i for i, value in enumerate(values) if value >= level), len(values))


def _top_saturates(runs: Sequence[Measured]) -> Finding:
    top, bottom = mean_of(runs, "sigmoid_lowest_top"), mean_of(runs, "sigmoid_lowest_bottom")
    step = mean_of(runs, "step_of_low_top")
    start = fmean(run.arrays["sigmoid_mean"][-1][0] for run in runs)
    return Finding(
        top < LOW < bottom and step < CHUNK * CHUNKS / 4,
        Text(
            f"the mean activation of the last of {HIDDEN} hidden layers falls from {start:.2f} to {top:.2f}, below "
            f"{LOW} from step {step:.0f} of {CHUNK * CHUNKS:,} on; in the first layer it is never below {bottom:.2f}",
            f"{HIDDEN} 个隐藏层中最后一层的平均激活值从 {start:.2f} 降到 {top:.2f}，从第 {step:.0f} 步（共 "
            f"{CHUNK * CHUNKS:,} 步）起低于 {LOW}；"
            f"第一层始终不低于 {bottom:.2f}",
        ),
    )


def _others_learn_sooner(runs: Sequence[Measured]) -> Finding:
    steps = {kind: mean_of(runs, f"{kind}_steps_to_half") for kind in KINDS}
    ends = {kind: mean_of(runs, f"{kind}_accuracy") for kind in KINDS}
    last = CHUNK * CHUNKS
    said = {kind: f"{value:.0f}" if value <= last else f"> {last}" for kind, value in steps.items()}
    return Finding(
        max(steps["tanh"], steps["softsign"]) < steps["sigmoid"] / 2,
        Text(
            f"half of the validation images are right after {said['tanh']} steps (tanh), {said['softsign']} (softsign) "
            f"and {said['sigmoid']} (sigmoid); at the end {ends['tanh']:.0%}, {ends['softsign']:.0%}, "
            f"{ends['sigmoid']:.0%}",
            f"验证图像对一半所需的步数：tanh {said['tanh']}，softsign {said['softsign']}，sigmoid {said['sigmoid']}；"
            f"结束时分别为 {ends['tanh']:.0%}、{ends['softsign']:.0%}、{ends['sigmoid']:.0%}",
        ),
    )


def _draw_saturation(result: Result, needed: Mapping[str, Result]) -> "Figure":
    arrays = result.runs[0]["arrays"]
    figure, (axes,) = panels(1, 3, width=3.6, height=3.2)
    for each, kind in zip(axes, KINDS, strict=True):
        for layer, (mean, spread) in enumerate(zip(arrays[f"{kind}_mean"], arrays[f"{kind}_spread"], strict=True)):
            low, high = (np.array(mean) + sign * np.array(spread) for sign in (-1, 1))
            each.plot(arrays["step"], mean, color=COLOURS[layer], label=f"hidden layer {layer + 1}")
            each.fill_between(arrays["step"], low, high, color=COLOURS[layer], alpha=0.12, linewidth=0)
        each.set(title=kind, xlabel="step", ylim=(-0.02, 1.02) if kind == "sigmoid" else (-1.02, 1.02))
    axes[0].set_ylabel("activation: mean, and spread over images")
    axes[0].legend(frameon=False, fontsize=8)
    return figure


# --- start and momentum -------------------------------------------------------------------------------------------

CODE = (196, 100, 50, 12, 50, 100, 196)  # images of 14 x 14 pixels through a code of 12 numbers, and back
GAINS = {"small": 0.1, "scaled": 1.0, "large": 3.0}
MOMENTA = (0.0, 0.9, 0.99)
TRIED = (0.3, 0.1, 0.03)  # learning rates; the best for each cell counts
STEPS, IMAGES = 1_500, 150
MINI, MANY = 100, 5_000  # a mini-batch, and of how many images, where gradients are noisy


def _squared_error(params: Params, x: Array, *_: Any) -> Array:
    """The mean over the images of half the squared distance to the reconstruction."""
    return 0.5 * jnp.mean(jnp.sum((activations(params, x, tanh)[-1] - x) ** 2, axis=1))


def _small_images(count: int) -> Array:
    """Training images of 14 x 14 pixels, the means of 2 x 2, as rows about their mean."""
    images = mnist().train[:count].images.reshape(count, 14, 2, 14, 2) / 255
    rows = images.mean(axis=(2, 4)).reshape(count, -1)
    return jnp.asarray(rows - rows.mean(axis=0), jnp.float32)


def _grid(run: Run) -> Measured:
    steps = run.shortened(STEPS, 10)
    x, more = _small_images(IMAGES), _small_images(run.shortened(MANY, 200))
    whole = jnp.broadcast_to(jnp.arange(IMAGES), (steps, IMAGES))
    parts = jnp.asarray(np.random.default_rng(run.seed).integers(len(more), size=(steps, MINI)))
    numbers = {"nothing_learned": float(_squared_error(_init(CODE, 0.0, run.key), x))}
    for start, gain in GAINS.items():
        params = _init(CODE, gain, run.key)
        for mu in MOMENTA:
            numbers[f"{start}_{mu:g}"] = _least(params, x, whole, mu)
            run.say(f"{start}, momentum {mu:g}: cost {numbers[f'{start}_{mu:g}']:.4f}")
    params = _init(CODE, GAINS["scaled"], run.key)
    return Measured(numbers | {f"in_mini_batches_{mu:g}": _least(params, more, parts, mu) for mu in MOMENTA})


def _least(params: Params, x: Array, order: Array, mu: float) -> float:
    """The cost at the end, at the best of the learning rates."""
    velocity, none = jax.tree.map(jnp.zeros_like, params), jnp.zeros(len(x), jnp.int32)
    many = jax.vmap(partial(_descend, f=None), in_axes=(None, None, None, None, None, 0, None))
    # a momentum of mu moves up to 1/(1 - mu) times as far: the same rates would not be fair to it
    ended, _ = many(params, velocity, x, none, order, jnp.asarray(TRIED) * (1 - mu) ** 0.5, mu)
    costs = jax.vmap(lambda p: _squared_error(p, x))(ended)
    return min(float(jnp.min(jnp.where(jnp.isfinite(costs), costs, jnp.inf))), 100.0)


def _means(runs: Sequence[Measured]) -> np.ndarray:
    """The cost of every cell, (starts, momenta), means over the runs."""
    return np.array([[mean_of(runs, f"{start}_{mu:g}") for mu in MOMENTA] for start in GAINS])


def _start_matters(runs: Sequence[Measured]) -> Finding:
    costs = _means(runs)
    worst, best = costs.max(axis=0), costs.min(axis=0)
    pairs = [f"{w:.2f} / {b:.2f}" for w, b in zip(worst, best, strict=True)]
    return Finding(
        bool(np.all(worst > 1.5 * best)),
        Text(
            f"cost after {STEPS:,} steps from the worst and the best start, for momentum "
            f"{', '.join(f'{mu:g}' for mu in MOMENTA)}: {', '.join(pairs)}; nothing learned is "
            f"{mean_of(runs, 'nothing_learned'):.2f} (asked for: half as much again)",
            f"{STEPS:,} 步后的代价，最差与最好的初始化，动量为 {'、'.join(f'{mu:g}' for mu in MOMENTA)} 时依次为 "
            f"{'、'.join(pairs)}；什么也没学到为 {mean_of(runs, 'nothing_learned'):.2f}（判定：相差 1.5 倍以上）",
        ),
    )


def _momentum_matters(runs: Sequence[Measured]) -> Finding:
    costs = _means(runs)
    without, best = costs[:, 0], costs[:, 1:].min(axis=1)
    pairs = [f"{w:.2f} / {b:.2f}" for w, b in zip(without, best, strict=True)]
    noisy = [mean_of(runs, f"in_mini_batches_{mu:g}") for mu in MOMENTA]
    return Finding(
        bool(without.min() > 1.5 * best.min()),
        Text(
            f"without momentum and with the better of the two, from the {', '.join(GAINS)} start: {', '.join(pairs)} "
            f"(asked for: half as much again, at the best start). Where every step takes another {MINI} of {MANY:,} "
            f"images the gain is smaller: {noisy[0]:.2f} / {min(noisy[1:]):.2f}",
            f"不用动量与用两种动量中较好者，初始化为小、按扇入缩放、大时依次为 {'、'.join(pairs)}"
            f"（判定：最好的初始化下相差 1.5 倍以上）。若每一步从 {MANY:,} 幅图像中另取 {MINI} 幅，差别较小："
            f"{noisy[0]:.2f} / {min(noisy[1:]):.2f}",
        ),
    )


def _draw_grid(result: Result, needed: Mapping[str, Result]) -> "Figure":
    costs = np.array([[result.mean(f"{start}_{mu:g}") for mu in MOMENTA] for start in GAINS])
    figure, ((axes,),) = panels(1, 1, width=4.8, height=3.2)
    axes.grid(visible=False)
    shown = axes.imshow(np.log10(costs), cmap="viridis_r")
    for (row, column), cost in np.ndenumerate(costs):
        dark = np.log10(cost) > np.log10(costs).mean()
        axes.text(column, row, f"{cost:.3g}", ha="center", va="center", color="white" if dark else "black")
    axes.set(
        xticks=range(len(MOMENTA)),
        xticklabels=[f"{mu:g}" for mu in MOMENTA],
        yticks=range(len(GAINS)),
        yticklabels=[f"{start}, {gain:.2g}/√n" for start, gain in GAINS.items()],
        xlabel="momentum μ",
        title="reconstruction, cost at the best rate",
    )
    figure.colorbar(shown, ax=axes, label="log₁₀ cost")
    return figure


# --- the list -----------------------------------------------------------------------------------------------------

EXPERIMENTS = (
    Experiment(
        id="saturation",
        title=Text(
            "Activations of each hidden layer while a deep network learns: sigmoid, tanh, softsign",
            "深度网络学习过程中各隐藏层的激活值：sigmoid、tanh、softsign",
        ),
        source=GLOROT,
        measure=_saturation,
        claims=(
            Claim(
                Text(
                    "With the sigmoid, the activations of the last hidden layer saturate near 0 early in training.",
                    "使用 sigmoid 时，最后一个隐藏层的激活值在训练早期就聚集在 0 附近。",
                ),
                _top_saturates,
            ),
            Claim(
                Text(
                    "This slows learning down; other activation functions do not suffer from it (half the images "
                    "right in half the steps).",
                    "这使学习变慢；其他激活函数不受影响（以不到一半的步数学会一半图像）。",
                ),
                _others_learn_sooner,
            ),
        ),
        deviations=(
            Text(
                f"In small: {HIDDEN} hidden layers of {UNITS} units on 10,000 MNIST images, where the paper has 1,000 "
                "units and artificial shapes; rates 0.1 (sigmoid) and 0.01; weights are Gaussian with the variance of "
                "the paper's uniform start.",
                f"小规模：{HIDDEN} 个隐藏层，每层 {UNITS} 个神经元，10,000 幅 MNIST 图像；论文用 1,000 "
                "个神经元和人造图形。"
                "学习率 0.1（sigmoid）和 0.01；权重用高斯分布，方差与论文的均匀分布相同。",
            ),
        ),
        drawings=(
            Drawing(
                "activations",
                Text(
                    "Sigmoid: the last layer drops towards 0 while the first ones stay, and little is learned. "
                    "Bands: the spread over 300 validation images.",
                    "sigmoid：最后一层降向 0，前面各层不动，几乎学不到东西。色带为 300 幅验证图像上的离散程度。",
                ),
                _draw_saturation,
            ),
        ),
        minutes=0.4,
    ),
    Experiment(
        id="start-and-momentum",
        title=Text(
            "The start and the momentum of a deep autoencoder",
            "深度自编码器：初始化与动量",
        ),
        source=SUTSKEVER,
        measure=_grid,
        claims=(
            Claim(
                Text(
                    "A good choice of the random start makes a substantial difference.",
                    "好的随机初始化带来很大差异。",
                ),
                _start_matters,
            ),
            Claim(
                Text("A good choice of the momentum does as well.", "好的动量同样带来很大差异。"),
                _momentum_matters,
            ),
        ),
        deviations=(
            Text(
                f"In small: {'-'.join(map(str, CODE))} tanh units on {IMAGES} MNIST images of 14 x 14 pixels, "
                f"{STEPS:,} steps over all of them with classical momentum; the paper's autoencoders are ten times as "
                "wide, with Nesterov's momentum on a schedule. For every cell the best of three learning rates counts.",
                f"小规模：{'-'.join(map(str, CODE))} 的 tanh 网络，{IMAGES} 幅缩小到 14 x 14 的 MNIST 图像，"
                f"{STEPS:,} 步，每步用全部图像和经典动量；论文的自编码器宽十倍，并用按日程变化的 Nesterov 动量。"
                "每一格取三种学习率中最好的结果。",
            ),
        ),
        drawings=(
            Drawing(
                "grid",
                Text(
                    "Darker is worse. Compare the rows for the start, the columns for the momentum.",
                    "颜色越深越差。逐行比较初始化，逐列比较动量。",
                ),
                _draw_grid,
            ),
        ),
        minutes=0.7,
    ),
)
