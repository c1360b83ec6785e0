"""Chapter 5, the unstable gradient in closed form: chains of single sigmoid units, where it vanishes or explodes."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit

from firsthand.experiments.drawing import COLOURS, panels
from firsthand.experiments.experiment import Claim, Drawing, Experiment, Measured, Run, mean_of
from firsthand.experiments.result import Finding, Published, Result, Source, Text

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["EXPERIMENTS", "Chain", "listed", "slope"]

CAUSE = Source("Nielsen", "chapter 5, 'What's causing the vanishing gradient problem?', equations (114), (121), (122)")


def slope(z: ArrayLike) -> np.ndarray:
    """sigma'(z) = sigma(z) (1 - sigma(z)), at most 1/4."""
    return expit(z) * expit(-np.asarray(z))


def listed(values: ArrayLike, digits: int = 5) -> list[float]:
    """Numbers for a Result, rounded to significant digits."""
    return [float(f"{value:.{digits}g}") for value in np.asarray(values)]


class Chain:
    """Layers of one sigmoid unit each: a_j = sigma(z_j), z_j = w_j a_(j-1) + b_j; many such chains at once.

    Args:
        w, b: (chains, layers).
        a: the input a_0, (chains,).
    """

    def __init__(self, w: np.ndarray, b: np.ndarray, a: np.ndarray):
        self.w, self.b, self.a = w, b, a
        z = []
        for weight, bias in zip(w.T, b.T, strict=True):
            z.append(weight * a + bias)
            a = expit(z[-1])
        self.z = np.stack(z, axis=1)  # (chains, layers)
        self.factors = w * slope(self.z)  # w_j sigma'(z_j)

    def gradient(self, layer: int) -> np.ndarray:
        """da_L/db_l = sigma'(z_l) w_(l+1) sigma'(z_(l+1)) ... w_L sigma'(z_L), (chains,); dC/db_l is dC/da_L times it.

        Args:
            layer: l, from 1.
        References:
            Nielsen, chapter 5, equations (114) and (121).
        """
        return slope(self.z[:, layer - 1]) * np.prod(self.factors[:, layer:], axis=1)

    def differentiated(self) -> np.ndarray:
        """da_L/db_l of every layer by automatic differentiation, (chains, layers): the check of `gradient`."""

        def output(b: jax.Array, w: jax.Array, a: jax.Array) -> jax.Array:
            for weight, bias in zip(w, b, strict=True):
                a = jax.nn.sigmoid(weight * a + bias)
            return a

        return np.asarray(jax.jit(jax.vmap(jax.grad(output)))(*map(jnp.float32, (self.b, self.w, self.a))))


def _random_chain(rng: np.random.Generator, chains: int, layers: int) -> Chain:
    """Weights and biases N(0, 1), as the text says of its usual initialization; inputs even in [0, 1]."""
    return Chain(rng.normal(size=(chains, layers)), rng.normal(size=(chains, layers)), rng.random(chains))


def _exploding_chain(layers: int) -> Chain:
    """w = 100 everywhere, and biases that make every z = 0, where the slope is 1/4."""
    # a = 1/2 in all layers, the input included
    return Chain(np.full((1, layers), 100.0), np.full((1, layers), -50.0), np.full(1, 0.5))


def _measure_chain(run: Run) -> Measured:
    rng, chains = np.random.default_rng(run.seed), run.shortened(10_000, 1_000)
    four, explodes = _random_chain(rng, chains, 4), _exploding_chain(4)
    vanishing, exact = four.differentiated(), np.stack([four.gradient(layer) for layer in (1, 2, 3, 4)], axis=1)
    ratio = np.abs(four.gradient(1) / four.gradient(3))
    below_one = np.all(np.abs(four.w[:, 1:3]) < 1, axis=1)
    layers = list(range(1, 21))
    deep = _random_chain(rng, chains, 20)
    # what one more layer in front does: dC/db of layer 20 - k + 1, seen from the output
    quantiles = np.array([np.quantile(np.abs(deep.gradient(21 - k)), (0.05, 0.5, 0.95)) for k in layers])
    z = np.linspace(-6, 6, 121)
    numbers = {
        "largest_slope": float(slope(z).max()),
        "factor_at_weight_100": float(explodes.factors[0].min()),
        "exploded_gradient": float(explodes.gradient(1)[0]),
        "share_of_factors_below_a_quarter": float(np.mean(np.abs(four.factors[:, 1:]) < 0.25)),
        "share_of_gradients_below_a_sixteenth": float(np.mean(ratio <= 1 / 16)),
        "largest_ratio_for_weights_below_1": float(ratio[below_one].max()),
        "median_ratio_of_layer_1_to_3": float(np.median(ratio)),
        "difference_from_autodiff": float(np.max(np.abs(vanishing - exact)) / np.max(np.abs(exact))),
        "difference_from_autodiff_at_weight_100": float(
            abs(explodes.differentiated()[0, 0] / explodes.gradient(1)[0] - 1)
        ),
    }
    return Measured(
        numbers,
        {
            "z": listed(z),
            "slope": listed(slope(z)),
            "sigmoid": listed(expit(z)),
            "layers": layers,
            "random": [listed(each, 3) for each in quantiles.T],
            "exploding": listed([_exploding_chain(20).gradient(21 - k)[0] for k in layers], 3),
        },
    )


def _is_the_product(runs: Sequence[Measured]) -> Finding:
    worst = max(run.numbers["difference_from_autodiff"] for run in runs)
    at_100 = max(run.numbers["difference_from_autodiff_at_weight_100"] for run in runs)
    return Finding(
        max(worst, at_100) < 1e-5,
        Text(
            f"it differs from automatic differentiation (single precision) by {worst:.1g} of the largest, with w = 100 "
            f"by {at_100:.1g}",
            f"与自动微分（单精度）相差最大值的 {worst:.1g}；w = 100 时相差 {at_100:.1g}",
        ),
    )


def _vanishes(runs: Sequence[Measured]) -> Finding:
    numbers = {name: mean_of(runs, name) for name in runs[0].numbers}
    largest = max(run.numbers["largest_ratio_for_weights_below_1"] for run in runs)
    share, of_all = numbers["share_of_factors_below_a_quarter"], numbers["share_of_gradients_below_a_sixteenth"]
    return Finding(
        largest <= 1 / 16,
        Text(
            f"for |w| < 1 the ratio is at most {largest:.4f} < 1/16 = 0.0625; with weights N(0, 1) {share:.0%} of the "
            f"factors are below 1/4 and {of_all:.0%} of the ratios below 1/16, their median being "
            f"{numbers['median_ratio_of_layer_1_to_3']:.4f}",
            f"|w| < 1 时比值最大为 {largest:.4f} < 1/16 = 0.0625；权重服从 N(0, 1) 时，{share:.0%} 的因子小于 1/4，"
            f"{of_all:.0%} 的比值小于 1/16，中位数为 {numbers['median_ratio_of_layer_1_to_3']:.4f}",
        ),
    )


def _explodes(runs: Sequence[Measured]) -> Finding:
    gradient = runs[0].numbers["exploded_gradient"]
    return Finding(
        abs(gradient - 25**3 / 4) < 1e-6,
        Text(
            f"every factor is {runs[0].numbers['factor_at_weight_100']:g}, and ∂C/∂b₁ = {gradient:,.2f} ∂C/∂a₄",
            f"每个因子都是 {runs[0].numbers['factor_at_weight_100']:g}，∂C/∂b₁ = {gradient:,.2f} ∂C/∂a₄",
        ),
    )


def _draw_slope(result: Result, needed: Mapping[str, Result]) -> "Figure":
    arrays = result.runs[0]["arrays"]
    figure, grid = panels(1, 2, width=3.6, height=2.8)
    for axes, name, title in zip(
        grid[0], ("sigmoid", "slope"), ("sigmoid function", "derivative of the sigmoid function"), strict=True
    ):
        axes.plot(arrays["z"], arrays[name], color=COLOURS[0])
        axes.set(xlabel="z", title=title, ylim=(0, 1.02 if name == "sigmoid" else 0.27))
    grid[0, 0].set_ylabel("σ(z)")
    grid[0, 1].set_ylabel("σ'(z)")
    grid[0, 1].axhline(0.25, color="0.4", linestyle=":")
    grid[0, 1].annotate("1/4", (5.9, 0.252), ha="right", va="bottom", fontsize=9)
    return figure


def _draw_chain(result: Result, needed: Mapping[str, Result]) -> "Figure":
    arrays = result.runs[0]["arrays"]
    figure, grid = panels(1, 1, width=5.4)
    axes = grid[0, 0]
    low, middle, high = arrays["random"]
    axes.fill_between(
        arrays["layers"], low, high, color=COLOURS[0], alpha=0.2, label="w, b from N(0, 1): 90 % of chains"
    )
    axes.plot(arrays["layers"], middle, color=COLOURS[0], label="their median")
    axes.plot(arrays["layers"], arrays["exploding"], "--", color=COLOURS[1], label="w = 100, z = 0")
    axes.set(
        yscale="log", xlabel="layers from here to the output", ylabel="|∂C/∂b| for ∂C/∂a = 1", xticks=range(1, 21, 3)
    )
    axes.legend(frameon=False)
    return figure


CHAIN = Experiment(
    "one-neuron-chain",
    Text(
        "A chain of single units: ∂C/∂b₁ is a product of factors w σ'(z), which vanishes or explodes",
        "每层一个神经元的链：∂C/∂b₁ 是因子 w σ'(z) 的乘积，会消失也会爆炸",
    ),
    CAUSE,
    _measure_chain,
    published=(
        Published("largest_slope", 0.25, "value", 1e-6),
        Published("factor_at_weight_100", 25.0, "value", 1e-6),
    ),
    claims=(
        Claim(
            Text(
                "∂C/∂b₁ = σ'(z₁) w₂ σ'(z₂) w₃ σ'(z₃) w₄ σ'(z₄) ∂C/∂a₄.",
                "∂C/∂b₁ = σ'(z₁) w₂ σ'(z₂) w₃ σ'(z₃) w₄ σ'(z₄) ∂C/∂a₄。",
            ),
            _is_the_product,
        ),
        Claim(
            Text(
                "As long as |w| < 1, ∂C/∂b₁ is at most a sixteenth of ∂C/∂b₃.",
                "只要 |w| < 1，∂C/∂b₁ 至多是 ∂C/∂b₃ 的 1/16。",
            ),
            _vanishes,
        ),
        Claim(
            Text(
                "With w = 100 and biases that make every z = 0, all factors are 25: the gradient explodes.",
                "取 w = 100，并选偏差使每个 z = 0，则所有因子都等于 25：梯度爆炸。",
            ),
            _explodes,
        ),
    ),
    drawings=(
        Drawing(
            "slope",
            Text(
                "The sigmoid and its derivative: it is largest at z = 0, where it is 1/4, and small at both wings.",
                "sigmoid 函数及其导数：导数在 z = 0 处最大，为 1/4，两翼都很小。",
            ),
            _draw_slope,
        ),
        Drawing(
            "chain",
            Text(
                "The gradient over the number of layers to the output: a straight line on a log scale is exponential.",
                "梯度随到输出层的层数的变化：对数坐标下的直线即指数变化。",
            ),
            _draw_chain,
        ),
    ),
    minutes=0.05,
)

EXPERIMENTS = (CHAIN,)
