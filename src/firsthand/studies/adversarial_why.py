"""Chapter 6, recent progress: what adversarial images come from, one suspect of the text after the other."""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from firsthand import nn
from firsthand.data import Splits, mnist
from firsthand.experiments.drawing import COLOURS, in_percent, panels
from firsthand.experiments.experiment import Claim, Drawing, Experiment, Measured, Run, mean_of
from firsthand.experiments.result import Finding, Result, Text
from firsthand.inspect.adversarial import distortion, fooled, minimal_distortion, same_size
from firsthand.inspect.adversarial_source import Adversarial
from firsthand.learning import Classification, Cosine, Recipe
from firsthand.models import Model
from firsthand.nn import Layer, Network

from .adversarial import CONV, CONV_RECIPE, PROGRESS
from .common import trained

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["EXPERIMENTS"]

RECIPE = Recipe(epochs=3, batch_size=10, learning_rate=Cosine(0.3, 3))
TIMES = (1, 2, 4, 8, 16, 32)  # as far as the smallest change, in a random direction
IMAGES = 120


class Variant(NamedTuple):
    """A network that differs from the first one in one thing."""

    question: str
    layers: tuple[Layer, ...]
    recipe: Recipe = RECIPE
    kind: str = ""  # of training data


def _layers(count: int, activation: Callable, last: Layer | None = None) -> tuple[Layer, ...]:
    start = nn.he if activation is nn.relu else nn.scaled
    hidden = (nn.FullyConnected(100, activation, weights_init=start) for _ in range(count))
    return (*hidden, last or nn.Softmax(10))


def _cost(cost: Callable) -> Recipe:
    return RECIPE.changed(objective=Classification(cost))


SLOWER = RECIPE.changed(learning_rate=Cosine(0.05, 3))
SIGMOIDS = nn.FullyConnected(10)
VARIANTS: dict[str, Variant] = {
    "log-likelihood": Variant("cost", _layers(2, nn.sigmoid)),
    "cross-entropy": Variant("cost", _layers(2, nn.sigmoid, SIGMOIDS), _cost(nn.cross_entropy)),
    "quadratic": Variant("cost", _layers(2, nn.sigmoid, SIGMOIDS), _cost(nn.quadratic).changed(learning_rate=1.0)),
    "tanh": Variant("activation", _layers(2, nn.tanh), SLOWER),
    "relu": Variant("activation", _layers(2, nn.relu), SLOWER),
    "no hidden layer": Variant("architecture", _layers(0, nn.sigmoid), SLOWER),
    "1 hidden layer": Variant("architecture", _layers(1, nn.sigmoid)),
    "4 hidden layers": Variant("architecture", _layers(4, nn.relu), SLOWER),
    "ConvPool": Variant("architecture", CONV, CONV_RECIPE.changed(epochs=2)),
    "L2 0.001": Variant("else", _layers(2, nn.sigmoid), RECIPE.changed(l2=1e-3)),
    "dropout": Variant("else", (*_layers(2, nn.sigmoid)[:-1], nn.Dropout(0.5), nn.Softmax(10))),
    "2,000 images": Variant("else", _layers(2, nn.sigmoid), RECIPE.changed(epochs=30), "few"),
    "changed images": Variant("else", _layers(2, nn.relu), SLOWER, "adversarial"),
}
QUESTIONS = {"cost": "the cost?", "activation": "the activation?", "architecture": "the architecture?", "else": "else?"}


def _key(name: str) -> str:
    return name.lower().replace(" ", "_").replace("-", "_").replace(",", "").replace(".", "_")


def _model(run: Run, name: str) -> Model:
    variant, data = VARIANTS[name], mnist()
    if variant.kind == "few":
        data = Splits(data.train[:2_000], data.validation, data.test)
    if variant.kind == "adversarial":
        images = data.train[: run.shortened(50_000, 2_000)]
        network = Network(variant.layers, images.image_shape)
        data = Splits(Adversarial(images, network, 0.25), data.validation, data.test)
    return trained(run, variant.layers, variant.recipe, data=data, name=_key(name)).model


def _measure(run: Run) -> Measured:
    test, numbers, noise = mnist().test, {}, {}
    some = test[: run.shortened(IMAGES, 20)]
    for number, name in enumerate(VARIANTS):
        model, key = _model(run, name), _key(name)
        right = ~fooled(model, some.images, some.labels)
        images, labels = some.images[right], some.labels[right]
        changed = minimal_distortion(model, images, labels)
        random = [
            same_size(images, changed, times=times, noise=True, key=jax.random.fold_in(run.key, number))
            for times in TIMES
        ]
        noise[name] = [round(float(np.mean(fooled(model, each, labels))), 4) for each in random]
        length = np.sqrt(784) * distortion(images, changed)
        steep, flat = _slopes(model, images, labels, model.predict(changed))
        numbers |= {
            f"{key}_error": float(1 - model.accuracy(test)),
            f"{key}_fooled": float(np.mean(fooled(model, changed, labels))),
            f"{key}_distortion": float(np.mean(distortion(images, changed))),
            f"{key}_as_if_linear": float(np.median(steep / length)),
            f"{key}_margin": float(np.median(flat)),
            f"{key}_noise_times": _half_way(noise[name]),
        }
        run.say(f"{name} {numbers[f'{key}_distortion']:.3f}")
    return Measured(numbers, {"noise": noise})


def _half_way(shares: Sequence[float]) -> float:
    """The factor by which noise must go farther to fool half of the images: between TIMES on a scale of logarithms."""
    above = [i for i, share in enumerate(shares) if share >= 0.5]
    if not above or not above[0]:
        return float(TIMES[-1] if not above else TIMES[0])
    i = above[0]
    part = (0.5 - shares[i - 1]) / (shares[i] - shares[i - 1])
    return float(2 ** (np.log2(TIMES[i - 1]) + part * np.log2(TIMES[i] / TIMES[i - 1])))


def _slopes(model: Model, images: np.ndarray, labels: np.ndarray, others: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The distance to the other class if z were linear, (z_l - z_j) / ||d(z_l - z_j)/dx||; and z_l - z_j."""
    x = images.astype(np.float32) / 255
    margins, lengths = _margin_program(model.network)(model.params, x, labels, others)
    return np.asarray(margins / lengths), np.asarray(margins)


@lru_cache(maxsize=32)
def _margin_program(network: Network) -> Callable:
    def found(params, x, labels, others):
        def total(x):
            z = network.weighted_input(params, x)
            rows = jnp.arange(len(z))
            margins = z[rows, labels] - z[rows, others]
            return jnp.sum(margins), margins

        (_, margins), slope = jax.value_and_grad(total, has_aux=True)(x)
        return margins, jnp.linalg.norm(slope.reshape(len(x), -1), axis=1)

    return jax.jit(found)


def _answer(question: str, runs: Sequence[Measured]) -> tuple[dict[str, float], str, float]:
    """Mean distortion of the variants in question and of the first; them as a list; the least share fooled."""
    names = ["log-likelihood", *(n for n, v in VARIANTS.items() if v.question == question and n != "log-likelihood")]
    far = {name: mean_of(runs, f"{_key(name)}_distortion") for name in names}
    least = min(run.numbers[f"{_key(name)}_fooled"] for run in runs for name in names)
    return far, ", ".join(f"{name} {value:.3f}" for name, value in far.items()), least


def _not_the(question: str) -> Callable[[Sequence[Measured]], Finding]:
    def check(runs: Sequence[Measured]) -> Finding:
        far, listed, least = _answer(question, runs)
        return Finding(
            least == 1 and max(far.values()) < 3 * min(far.values()),
            Text(
                f"of the images read rightly at least {least:.2%} are fooled; mean distortion: {listed}",
                f"识别正确的图像至少有 {least:.2%} 被骗过；平均失真：{listed}",
            ),
        )

    return check


def _something_else(runs: Sequence[Measured]) -> Finding:
    _, listed, least = _answer("else", runs)
    before, after = (mean_of(runs, f"{name}_distortion") for name in ("relu", "changed_images"))
    return Finding(
        after > 1.5 * before,
        Text(
            f"with changed images in the training data {after:.3f} instead of {before:.3f} (relu); mean distortion: "
            f"{listed}; at least {least:.2%} are fooled all the same",
            f"训练数据中加入改变过的图像，失真由 {before:.3f}（relu）变为 {after:.3f}；平均失真：{listed}；"
            f"仍然至少有 {least:.2%} 被骗过",
        ),
    )


def _nearly_linear(runs: Sequence[Measured]) -> Finding:
    names = [name for name in VARIANTS if name != "changed images"]
    ratios = {name: mean_of(runs, f"{_key(name)}_as_if_linear") for name in names}
    listed = ", ".join(f"{name} {value:.2f}" for name, value in ratios.items())
    return Finding(
        min(ratios.values()) > 0.5,
        Text(
            "distance to the other class as the slope at the image foretells it, over the distance found (median; near "
            "0 is a jump; without a hidden layer z is linear, and what it lacks to 1 is due to pixels that end at "
            "black "
            f"and white): {listed}",
            "按图像处斜率预测的到另一类的距离，与实际找到的距离之比（中位数；接近 0 为跳变；没有隐藏层时 z 是线性的，"
            f"不足 1 是因为像素止于黑与白）：{listed}",
        ),
    )


def _not_dense(runs: Sequence[Measured]) -> Finding:
    times = {name: mean_of(runs, f"{_key(name)}_noise_times") for name in VARIANTS}
    same = max(float(np.mean([run.arrays["noise"][name][0] for run in runs])) for name in VARIANTS)
    return Finding(
        min(times.values()) > 4 and same < 0.05,
        Text(
            f"noise of the same size fools at most {same:.1%}; to fool half of the images it must go "
            f"{min(times.values()):.0f} to {max(times.values()):.0f} times as far ({TIMES[-1]} is where we stop)",
            f"同样大小的噪声最多骗过 {same:.1%}；要骗过一半的图像，噪声须大 {min(times.values()):.0f} 至 "
            f"{max(times.values()):.0f} 倍（最多测到 {TIMES[-1]} 倍）",
        ),
    )


def _draw(result: Result, needed: Mapping[str, Result]) -> "Figure":
    figure, grid = panels(1, 2, width=4.8, height=4.6)
    left, right = grid[0]
    questions = list(QUESTIONS)
    for place, (name, variant) in enumerate(VARIANTS.items()):
        colour = COLOURS[questions.index(variant.question)]
        values = result.values(f"{_key(name)}_distortion")
        left.barh(place, np.mean(values), color=colour, alpha=0.6)
        left.plot(values, [place] * len(values), ".", color="0.2")
        curve = np.mean([run["arrays"]["noise"][name] for run in result.runs], axis=0)
        right.plot(TIMES, curve, "-" if name != "changed images" else "--", color=colour, linewidth=1.2)
    left.set_yticks(range(len(VARIANTS)), list(VARIANTS))
    left.invert_yaxis()
    left.set(xlabel="mean distortion that fools")
    left.grid(axis="y", visible=False)
    for question, colour in zip(questions, COLOURS, strict=False):
        left.barh(0, 0, color=colour, alpha=0.6, label=QUESTIONS[question])
    figure.legend(loc="outside lower center", ncols=4, frameon=False, fontsize=9)
    right.set(xscale="log", xlabel="noise, times the smallest change", ylabel="fooled by noise", ylim=(0, 1))
    right.set_xticks(TIMES, [str(times) for times in TIMES])
    right.minorticks_off()
    in_percent(right)
    return figure


EXPERIMENTS = (
    Experiment(
        "adversarial-why",
        Text(
            "What makes a network fooled: the cost, the activation, the architecture, or something else",
            "网络为什么会被骗：代价函数、激活函数、结构，还是别的原因",
        ),
        PROGRESS,
        _measure,
        claims=(
            Claim(
                Text(
                    "Is it the loss function? No: with each of three, every image can be fooled, by changes of "
                    "like size.",
                    "是代价函数吗？不是：三种代价函数下每幅图像都能被骗过，改变的大小相近。",
                ),
                _not_the("cost"),
            ),
            Claim(
                Text(
                    "The activation functions? No: the same with sigmoid, tanh and rectified linear units.",
                    "是激活函数吗？不是：sigmoid、tanh 与修正线性单元都一样。",
                ),
                _not_the("activation"),
            ),
            Claim(
                Text(
                    "The architecture? No: the same without a hidden layer, with 1, 2 and 4, and with convolutions.",
                    "是网络结构吗？不是：没有隐藏层，有 1、2、4 个隐藏层，或用卷积，都一样。",
                ),
                _not_the("architecture"),
            ),
            Claim(
                Text(
                    "Something else? What it is trained on: with changed images it takes more than half as much again.",
                    "别的原因？在于训练数据：加入改变过的图像后，所需的改变要大一半以上。",
                ),
                _something_else,
            ),
            Claim(
                Text(
                    "Very nearly discontinuous? No: the slope at the image foretells how near the other class is, "
                    "within "
                    "a factor of two; many small changes add up, as in a linear function (Goodfellow et al. 2014).",
                    "几乎不连续吗？不是：图像处的斜率就能在两倍以内预测另一类有多近；许多微小的改变累加起来，"
                    "与线性函数一样（Goodfellow 等，2014）。",
                ),
                _nearly_linear,
            ),
            Claim(
                Text(
                    "The set has extremely low probability, and yet lies near virtually every image: random noise must "
                    "go several times as far.",
                    "这样的图像概率极低，却几乎在每幅图像附近：随机噪声须走好几倍远。",
                ),
                _not_dense,
            ),
        ),
        deviations=(
            Text(
                "The text asks and does not answer; the sentences are ours. Small networks: 2 hidden layers of 100 "
                f"sigmoid units with 3 epochs, and one thing changed at a time; the first {IMAGES} test images, as far "
                "as they are read rightly. Learning rates differ where a network needs it.",
                "书中只提问，没有回答；这些句子是我们的。网络很小：2 个隐藏层，每层 100 个 sigmoid 神经元，3 个 epoch，"
                f"每次只改一处；用前 {IMAGES} 幅测试图像中识别正确的。需要时学习速率不同。",
            ),
        ),
        drawings=(
            Drawing(
                "answers",
                Text(
                    "Left: the mean smallest change, a bar for each network (dots: runs), coloured by the question it "
                    "answers. Right: how far random noise must go to fool as well.",
                    "左：平均最小改变，每个网络一条（点为各次运行），颜色表示所回答的问题。右："
                    "随机噪声要走多远才能同样骗过。",
                ),
                _draw,
            ),
        ),
        minutes=4,
    ),
)
