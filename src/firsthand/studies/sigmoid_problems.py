"""Chapter 5's two problems about one sigmoid unit: the narrow window, and the identity."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import minimize, minimize_scalar
from scipy.special import expit

from firsthand.experiments.drawing import COLOURS, panels
from firsthand.experiments.experiment import Claim, Drawing, Experiment, Measured, Run
from firsthand.experiments.result import Finding, Published, Result, Source, Text

from .unstable_gradients import listed, slope

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["EXPERIMENTS", "closest_to_the_identity", "window"]

PROBLEMS = Source("Nielsen", "chapter 5, 'The prevalence of the vanishing gradient problem', problems, equation (123)")


# --- the narrow window --------------------------------------------------------------------------------------------


def window(w: ArrayLike) -> np.ndarray:
    """The width of the interval of inputs a in which |w sigma'(wa + b)| >= 1, for w >= 4:

        2/w ln( w (1 + sqrt(1 - 4/w)) / 2 - 1 )

    References:
        Nielsen, chapter 5, equation (123).
    """
    w = np.asarray(w, float)
    return 2 / w * np.log(w * (1 + np.sqrt(1 - 4 / w)) / 2 - 1)


def _counted_window(w: float, points: int) -> float:
    """The same by trying inputs: the share of them in [-1, 1] that are in it, b being 0, times 2."""
    return float(np.mean(np.abs(w * slope(w * np.linspace(-1, 1, points))) >= 1)) * 2


def _measure_window(run: Run) -> Measured:
    best: Any = minimize_scalar(lambda w: -window(w), bounds=(4, 30), method="bounded", options={"xatol": 1e-9})
    w = np.linspace(4, 40, 181)
    points = run.shortened(200_001, 20_001)
    counted = [_counted_window(each, points) for each in w]
    tried = np.arange(10, 601) / 100
    a = np.linspace(-1, 1, 201)
    return Measured(
        {
            "smallest_weight": float(min(each for each in tried if np.max(each * slope(each * a)) >= 1)),
            "best_weight": float(best.x),
            "widest": float(window(best.x)),
            "difference_from_counting": float(np.max(np.abs(window(w) - counted))),
            "width_at_weight_40": float(window(40)),
        },
        {
            "w": listed(w),
            "width": listed(window(w)),
            "a": listed(a),
            "factor": listed(best.x * slope(best.x * a)),
        },
    )


def _needs_four(runs: Sequence[Measured]) -> Finding:
    numbers = runs[0].numbers
    return Finding(
        numbers["smallest_weight"] == 4 and numbers["difference_from_counting"] < 1e-3,
        Text(
            f"in steps of 0.01 the first is w = {numbers['smallest_weight']:g}; counting the inputs that do it gives "
            f"the width of the formula to {numbers['difference_from_counting']:.1g} for w from 4 to 40",
            f"以 0.01 为步长，最小的是 w = {numbers['smallest_weight']:g}；w 从 4 到 40，逐点数出的宽度与公式相差不到 "
            f"{numbers['difference_from_counting']:.1g}",
        ),
    )


def _draw_window(result: Result, needed: Mapping[str, Result]) -> "Figure":
    arrays, numbers = result.runs[0]["arrays"], result.runs[0]["numbers"]
    best, widest = numbers["best_weight"], numbers["widest"]
    figure, grid = panels(1, 2, width=3.8, height=3.0)
    left, right = grid[0]
    left.plot(arrays["w"], arrays["width"], color=COLOURS[0])
    left.plot([best], [widest], "o", color=COLOURS[1])
    left.annotate(f"w = {best:.2f}, width {widest:.3f}", (best + 1.5, widest), va="center", fontsize=9)
    left.set(xlabel="weight w", ylabel="width of the window in a", ylim=(0, 0.5))
    right.plot(arrays["a"], arrays["factor"], color=COLOURS[0])
    right.axhline(1, color="0.4", linestyle=":")
    right.axvspan(-widest / 2, widest / 2, color=COLOURS[1], alpha=0.2, linewidth=0)
    right.set(xlabel=f"input a  (w = {best:.2f}, b = 0)", ylabel="|w σ'(wa + b)|", ylim=(0, None))
    return figure


# --- the identity neuron ------------------------------------------------------------------------------------------


def _off_by(neuron: Sequence[float], x: np.ndarray) -> float:
    """The largest |w2 sigma(w1 x + b) - x|."""
    w1, b, w2 = neuron
    return float(np.max(np.abs(w2 * expit(w1 * x + b) - x)))


def closest_to_the_identity(x: np.ndarray) -> tuple[float, float, float]:
    """(w1, b, w2) with the smallest largest |w2 sigma(w1 x + b) - x|, searched for from many starts."""
    starts = [(w1, b, w2) for w1 in (0.1, 1, 4, 8) for b in (-4, -2, 0) for w2 in (1, 40)]
    found: list[Any] = [
        minimize(
            lambda neuron: _off_by(neuron, x),
            start,
            method="Nelder-Mead",
            options={"maxfev": 4_000, "xatol": 1e-8, "fatol": 1e-10},
        )
        for start in starts
    ]
    w1, b, w2 = min(found, key=lambda each: each.fun).x
    return float(w1), float(b), float(w2)


SMALL_WEIGHTS = (1.0, 0.1, 0.01)


def _measure_identity(run: Run) -> Measured:
    x = np.linspace(0, 1, 201)
    w1, b, w2 = closest_to_the_identity(x)
    # the hint: b = -w1/2 and w2 = 4/w1 make it (x - 1/2) + 2/w1 + O(w1^2)
    by_hint = {w: 4 / w * expit(w * (x - 0.5)) - (2 / w - 0.5) for w in SMALL_WEIGHTS}
    numbers = {f"off_by_with_constant_w1_{w:g}": float(np.max(np.abs(y - x))) for w, y in by_hint.items()}
    return Measured(
        {"off_by_without_constant": _off_by((w1, b, w2), x), "w1": w1, "b": b, "w2": w2, **numbers},
        {
            "x": listed(x[::2]),
            "without_constant": listed(w2 * expit(w1 * x[::2] + b)),
            "with_constant": listed(by_hint[1.0][::2]),
        },
    )


def _up_to_a_constant(runs: Sequence[Measured]) -> Finding:
    off = [runs[0].numbers[f"off_by_with_constant_w1_{w:g}"] for w in SMALL_WEIGHTS]
    return Finding(
        off[-1] < 1e-5,
        Text(
            f"with b = -w₁/2, w₂ = 4/w₁ and 2/w₁ - 1/2 subtracted it is off by at most {off[0]:.2g}, {off[1]:.2g}, "
            f"{off[2]:.2g} for w₁ = 1, 0.1, 0.01: as w₁²/96",
            f"取 b = -w₁/2，w₂ = 4/w₁，并减去 2/w₁ - 1/2，w₁ = 1、0.1、0.01 时最大误差为 {off[0]:.2g}、{off[1]:.2g}、"
            f"{off[2]:.2g}，按 w₁²/96 减小",
        ),
    )


def _without_a_constant(runs: Sequence[Measured]) -> Finding:
    n = runs[0].numbers
    return Finding(
        n["off_by_without_constant"] < 0.01,
        Text(
            f"the best are off by {n['off_by_without_constant']:.3f} somewhere (w₁ = {n['w1']:.2f}, b = {n['b']:.2f}, "
            f"w₂ = {n['w2']:.2f}): the sigmoid is nowhere straight where it is small",
            f"最好的参数仍有 {n['off_by_without_constant']:.3f} 的最大误差（w₁ = {n['w1']:.2f}，b = {n['b']:.2f}，"
            f"w₂ = {n['w2']:.2f}）：sigmoid 在取值小的地方并不是直线",
        ),
    )


def _draw_identity(result: Result, needed: Mapping[str, Result]) -> "Figure":
    arrays, n = result.runs[0]["arrays"], result.runs[0]["numbers"]
    figure, grid = panels(1, 1, width=4.6, height=3.6)
    axes = grid[0, 0]
    axes.plot((0, 1), (0, 1), color="0.6", linewidth=3, label="x")
    axes.plot(arrays["x"], arrays["with_constant"], "--", color=COLOURS[0], label="w₁ = 1, less the constant 3/2")
    best = f"the best without a constant, w₁ = {n['w1']:.1f}"
    axes.plot(arrays["x"], arrays["without_constant"], color=COLOURS[1], label=best)
    axes.set(xlabel="x", ylabel="w₂ σ(w₁ x + b)")
    axes.legend(frameon=False)
    return figure


# --- the experiments ----------------------------------------------------------------------------------------------

WINDOW = Experiment(
    "narrow-window",
    Text(
        "In how narrow a window of inputs |w σ'(wa + b)| reaches 1",
        "使 |w σ'(wa + b)| 达到 1 的输入区间有多窄",
    ),
    PROBLEMS,
    _measure_window,
    published=(
        Published("smallest_weight", 4.0, "value", 1e-9),
        Published("best_weight", 6.9, "value", 0.05),
        Published("widest", 0.45, "value", 0.005),
    ),
    claims=(
        Claim(
            Text(
                "It takes |w| >= 4, and the inputs that do it lie in an interval of the width of equation (123).",
                "只有 |w| >= 4 时才可能；满足条件的输入位于宽度由公式 (123) 给出的区间内。",
            ),
            _needs_four,
        ),
    ),
    drawings=(
        Drawing(
            "window",
            Text(
                "Left: the width over the weight; larger weights make the window narrower again. Right: the factor at "
                "the best weight; only the shaded inputs keep the gradient from shrinking.",
                "左：区间宽度随权重的变化，权重再大区间又变窄。右：最佳权重下的因子，只有阴影内的输入不使梯度缩小。",
            ),
            _draw_window,
        ),
    ),
    runs=1,
)

IDENTITY = Experiment(
    "identity-neuron",
    Text(
        "A sigmoid unit as the identity: w₂ σ(w₁ x + b) close to x on [0, 1]",
        "用 sigmoid 神经元实现恒等：在 [0, 1] 上 w₂ σ(w₁ x + b) 接近 x",
    ),
    PROBLEMS,
    _measure_identity,
    claims=(
        Claim(
            Text(
                "With a small w₁ the output is x, up to a constant that the next bias takes, as closely as wanted.",
                "取小的 w₁，输出与 x 只差一个常数（由下一层的偏差抵消），要多接近有多接近。",
            ),
            _up_to_a_constant,
        ),
        Claim(
            Text(
                "As the text has it, without a constant: w₂ σ(w₁ x + b) comes close to x on [0, 1] (within 0.01).",
                "按原文的说法，不加常数：w₂ σ(w₁ x + b) 在整个 [0, 1] 上接近 x（误差 0.01 以内）。",
            ),
            _without_a_constant,
        ),
    ),
    drawings=(
        Drawing(
            "identity",
            Text(
                "With the constant, w₁ = 1 is already hard to tell from x; without it the best curve still bends.",
                "允许减去常数时，w₁ = 1 的曲线已与 x 几乎重合；不允许时，最好的曲线仍是弯的。",
            ),
            _draw_identity,
        ),
    ),
    runs=1,
)

EXPERIMENTS = (WINDOW, IDENTITY)
