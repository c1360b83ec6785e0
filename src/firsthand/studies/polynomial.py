"""Chapter 3, why regularization helps: the simpler of two explanations, with polynomials."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from firsthand.experiments.drawing import COLOURS, panels
from firsthand.experiments.experiment import Claim, Drawing, Experiment, Measured, Run
from firsthand.experiments.result import Finding, Result, Source, Text

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["EXPERIMENTS"]

WHY = Source("Nielsen", "chapter 3, 'Why does regularization help reduce overfitting?' (为何规范化可以帮助减轻过匹配)")

DRAWS = 1000
NOISE = 0.5
X = np.linspace(0.5, 5.0, 10)


def _polynomial(run: Run) -> Measured:
    rng = np.random.default_rng(run.seed)
    draws = run.shortened(DRAWS, 50)
    between = np.linspace(X[0], X[-1], 200)
    fits, errors = [], {1: [], 9: []}
    for _ in range(draws):
        y = 2 * X + NOISE * rng.standard_normal(len(X))
        line, exact = (np.polynomial.Polynomial.fit(X, y, degree) for degree in (1, 9))
        fits.append((y, line, exact))
        for degree, fit in ((1, line), (9, exact)):
            errors[degree].append([_rms(fit(X) - y), _rms(fit(between) - 2 * between), abs(fit(6.0) - 12.0)])
    found = {degree: np.median(rows, axis=0) for degree, rows in errors.items()}
    numbers = {
        f"degree_{degree}_{name}": float(value)
        for degree, row in found.items()
        for name, value in zip(("rms_at_points", "rms_between", "error_at_6"), row, strict=True)
    }
    better = [one[1] < nine[1] for one, nine in zip(errors[1], errors[9], strict=True)]
    y, line, exact = fits[0]
    fine = np.linspace(0.3, 5.2, 197)
    drawn = {"x": X, "y": y, "fine": fine, "line": line(fine), "exact": exact(fine)}
    return Measured(
        numbers | {"share_where_the_line_is_better": float(np.mean(better))},
        {name: [round(float(value), 4) for value in values] for name, values in drawn.items()},
    )


def _rms(differences: np.ndarray) -> float:
    return float(np.sqrt(np.mean(differences**2)))


def _line_generalises(runs: Sequence[Measured]) -> Finding:
    mean = {name: float(np.mean([run.numbers[name] for run in runs])) for name in runs[0].numbers}
    return Finding(
        bool(
            mean["degree_9_rms_at_points"] < 1e-6
            and mean["degree_1_rms_between"] < mean["degree_9_rms_between"]
            and mean["degree_1_error_at_6"] < mean["degree_9_error_at_6"]
        ),
        Text(
            f"medians over the draws: at the points degree 9 is off by {mean['degree_9_rms_at_points']:.0e} and "
            "degree 1 by "
            f"{mean['degree_1_rms_at_points']:.2f} (rms); from the truth, between the points, by "
            f"{mean['degree_9_rms_between']:.2f} and {mean['degree_1_rms_between']:.2f}; at x = 6 by "
            f"{mean['degree_9_error_at_6']:.0f} and {mean['degree_1_error_at_6']:.2f}; the line is nearer the truth in "
            f"{mean['share_where_the_line_is_better']:.1%} of the draws",
            f"各次抽样的中位数：在数据点上，9 阶误差为 {mean['degree_9_rms_at_points']:.0e}，1 阶为 "
            f"{mean['degree_1_rms_at_points']:.2f}（均方根）；在点之间与真实直线相差 "
            f"{mean['degree_9_rms_between']:.2f} 和 "
            f"{mean['degree_1_rms_between']:.2f}；在 x = 6 处相差 {mean['degree_9_error_at_6']:.0f} 和 "
            f"{mean['degree_1_error_at_6']:.2f}；{mean['share_where_the_line_is_better']:.1%} 的抽样中直线更接近真实",
        ),
    )


def _draw_polynomial(result: Result, needed: Mapping[str, Result]) -> "Figure":
    found = result.runs[0]["arrays"]
    figure, (axes,) = panels(1, 3, width=3.4)
    for each, curve, title in zip(axes, (None, "exact", "line"), ("ten points", "degree 9", "degree 1"), strict=True):
        if curve:
            each.plot(found["fine"], found[curve], color=COLOURS[1])
        each.plot(found["x"], found["y"], "o", color=COLOURS[0], markersize=5)
        each.set(xlim=(0, 5.4), ylim=(-1, 12), xlabel="x", title=title)
    axes[0].set_ylabel("y")
    return figure


EXPERIMENTS = (
    Experiment(
        id="polynomial",
        title=Text(
            "Ten noisy points near y = 2x: degree 9 and degree 1", "y = 2x 附近的十个带噪声的点：9 阶与 1 阶多项式"
        ),
        source=WHY,
        measure=_polynomial,
        claims=(
            Claim(
                Text(
                    "Degree 9 fits the points exactly; the straight line generalises better.",
                    "9 阶多项式完全拟合数据点；直线的泛化更好。",
                ),
                _line_generalises,
            ),
        ),
        deviations=(
            Text(
                "The text's ten points are not printed in it: here x = 0.5, 1, ..., 5 and y = 2x with noise of "
                "standard "
                f"deviation {NOISE}, drawn {DRAWS:,} times in every run; the figure shows the first draw of the "
                "first run.",
                f"书中没有给出那十个点：这里取 x = 0.5、1、……、5，y = 2x 加标准差为 {NOISE} 的噪声，每次运行抽样 "
                f"{DRAWS:,} 次；"
                "图中是第一次运行的第一次抽样。",
            ),
        ),
        drawings=(
            Drawing(
                "fits",
                Text(
                    "The polynomial goes through every point and swings between them.",
                    "多项式穿过每一个点，却在点之间摆动。",
                ),
                _draw_polynomial,
            ),
        ),
    ),
)
