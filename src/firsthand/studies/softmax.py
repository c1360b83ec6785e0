"""Chapter 3, softmax: outputs that share 1 among them, and where the name comes from."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import jax.numpy as jnp
import numpy as np

from firsthand import nn
from firsthand.experiments.drawing import COLOURS, panels
from firsthand.experiments.experiment import Claim, Drawing, Experiment, Measured, Run
from firsthand.experiments.result import Finding, Published, Result, Source, Text

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["EXPERIMENTS"]

SOFTMAX = Source("Nielsen", "chapter 3, 'Softmax', equation (78)")
TEMPERATURE = Source("Nielsen", "chapter 3, 'Softmax', problems, equation (83)")

Z = (2.5, -1.0, 3.2)
TABLE = {0.5: (0.315, 0.009, 0.633, 0.043), 1.6: (0.290, 0.009, 0.584, 0.118), 3.5: (0.174, 0.005, 0.349, 0.472)}


def _softmax(z: Sequence[float], c: float = 1.0) -> list[float]:
    return [float(a) for a in nn.softmax(c * jnp.array(z, jnp.float32))]


def _softmax_values(run: Run) -> Measured:
    numbers = {f"a{j} at z4={z4}": a for z4 in TABLE for j, a in enumerate(_softmax((*Z, z4)), start=1)}
    z4 = [round(float(z), 2) for z in np.linspace(-5, 5, 101)]
    return Measured(numbers, {"z4": z4, "a": [[round(a, 6) for a in _softmax((*Z, z))] for z in z4]})


def _fourth_takes_from_the_others(runs: Sequence[Measured]) -> Finding:
    a = np.array(runs[0].arrays["a"])  # (101, 4)
    differences = np.diff(a, axis=0)
    sums = np.abs(a.sum(axis=1) - 1).max()
    holds = bool((differences[:, 3] > 0).all() and (differences[:, :3] <= 0).all() and sums < 5e-6)
    return Finding(
        holds,
        Text(
            f"z4 from -5 to 5 in 100 steps: a4 rises from {a[0, 3]:.4f} to {a[-1, 3]:.4f} at every step, no other "
            "output "
            f"ever rises, and their sum differs from 1 by at most {sums:.0e}",
            f"z4 从 -5 到 5 分 100 步：a4 每一步都上升（从 {a[0, 3]:.4f} 到 {a[-1, 3]:.4f}），其余输出从不上升，"
            f"总和与 1 相差最多 {sums:.0e}",
        ),
    )


def _draw_softmax(result: Result, needed: Mapping[str, Result]) -> "Figure":
    figure, (axes,) = panels(1, 4, width=2.8)
    numbers, found = result.runs[0]["numbers"], result.runs[0]["arrays"]
    names = [f"a{j}" for j in range(1, 5)]
    for each, z4 in zip(axes, TABLE, strict=False):
        values = [numbers[f"{name} at z4={z4}"] for name in names]
        bars = each.bar(names, values, color=COLOURS[:4])
        each.bar_label(bars, fmt="%.3f", fontsize=8)
        each.set(ylim=(0, 1), title=f"z4 = {z4}")
    for column, name in enumerate(names):
        axes[3].plot(found["z4"], [a[column] for a in found["a"]], color=COLOURS[column], label=name)
    axes[3].set(xlabel="z4", ylim=(0, 1), title="all of z4")
    axes[3].legend(frameon=False, fontsize=8)
    axes[0].set_ylabel("output")
    return figure


def _softmax_temperature(run: Run) -> Measured:
    cs = [round(float(c), 4) for c in np.geomspace(0.01, 100, 81)]
    z, tie = (*Z, 0.5), (2.5, -1.0, 3.2, 3.2)
    arrays = {"c": cs, "a": [[round(a, 6) for a in _softmax(z, c)] for c in cs]}
    last, least = _softmax(z, 100.0), _softmax(z, 1e-6)
    numbers = {
        "largest output at c=100": last[2],
        "all other outputs at c=100": sum(last) - last[2],
        "each of two largest at c=100": _softmax(tie, 100.0)[2],
        "largest output at c=1e-6": max(least),
    }
    return Measured(numbers, arrays)


def _always_a_distribution(runs: Sequence[Measured]) -> Finding:
    a = np.array(runs[0].arrays["a"])
    sums = np.abs(a.sum(axis=1) - 1).max()
    return Finding(
        bool((a >= 0).all() and sums < 5e-6),
        Text(
            f"at {len(a)} values of c from 0.01 to 100 no output is negative, and the sum differs from 1 by at most "
            f"{sums:.0e}",
            f"c 从 0.01 到 100 的 {len(a)} 个取值上，输出都不为负，总和与 1 相差最多 {sums:.0e}",
        ),
    )


def _draw_temperature(result: Result, needed: Mapping[str, Result]) -> "Figure":
    found = result.runs[0]["arrays"]
    figure, ((axes,),) = panels(1, 1, width=6, height=3.6)
    for column, z in enumerate((*Z, 0.5)):
        axes.plot(found["c"], [a[column] for a in found["a"]], color=COLOURS[column], label=f"z = {z:g}")
    axes.axvline(1, color="0.6", linewidth=1, linestyle=":")
    axes.set(xscale="log", xlabel="c", ylabel="output", ylim=(0, 1.02), title="softmax of c z; c = 1 is softmax itself")
    axes.legend(frameon=False)
    return figure


EXPERIMENTS = (
    Experiment(
        id="softmax-values",
        title=Text("Softmax of four weighted inputs", "四个带权输入的 softmax"),
        source=SOFTMAX,
        measure=_softmax_values,
        published=tuple(
            Published(f"a{j} at z4={z4}", a, "value", 0.0005)
            for z4, row in TABLE.items()
            for j, a in enumerate(row, start=1)
        ),
        claims=(
            Claim(
                Text(
                    "As z4 grows, a4 grows by exactly what the other outputs lose.",
                    "z4 增大时 a4 随之增大，增量恰好等于其余输出减小的总量。",
                ),
                _fourth_takes_from_the_others,
            ),
        ),
        drawings=(
            Drawing(
                "bars",
                Text("Only z4 changes; all four outputs do.", "只改变 z4，四个输出全都改变。"),
                _draw_softmax,
            ),
        ),
        runs=1,
    ),
    Experiment(
        id="softmax-temperature",
        title=Text("Softmax of c z: where the name comes from", "c z 的 softmax：名称的由来"),
        source=TEMPERATURE,
        measure=_softmax_temperature,
        published=(
            Published("largest output at c=100", 1.0, "value", 1e-6),
            Published("all other outputs at c=100", 0.0, "value", 1e-6),
            Published("each of two largest at c=100", 0.5, "value", 1e-6),
        ),
        claims=(
            Claim(
                Text("For every c the outputs are a probability distribution.", "无论 c 取何值，输出都构成概率分布。"),
                _always_a_distribution,
            ),
        ),
        drawings=(
            Drawing(
                "temperature",
                Text(
                    "As c grows, the largest weighted input takes everything: a maximum function; c = 1 is a soft one.",
                    "c 增大时，最大的带权输入独占全部输出，即最大值函数；c = 1 是它的柔化版本。",
                ),
                _draw_temperature,
            ),
        ),
        runs=1,
    ),
)
