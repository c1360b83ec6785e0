"""Chapter 6, where it comes back to chapter 5: the gradient that vanishes through time, and cells that keep it."""

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import TYPE_CHECKING

import numpy as np

from firsthand.experiments.drawing import COLOURS, panels
from firsthand.experiments.experiment import Claim, Drawing, Experiment, Measured, Run, mean_of
from firsthand.experiments.result import Finding, Result, Text

from .adding_problem import LAGS, LENGTHS, LONG_MEMORY, UNITS
from .rows_of_digits import NAMES

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["EXPERIMENTS"]

FAR = 100  # steps back, for the numbers
FADED = 1e-3


def _measure(run: Run) -> Measured:
    """The gradients are those of the run of the adding problem that has the same seed."""
    found = run.needed["adding-problem"].runs
    arrays = found[min(run.seed, len(found) - 1)]["arrays"]
    lengths = {name: arrays[name] for name in arrays if name.startswith("gradient_")}
    numbers = {}
    for name, curve in lengths.items():
        _, when, cell = name.split("_")
        numbers[f"left_{when}_{cell}"] = curve[LAGS.index(FAR)] / curve[0]
        # the same factor in every step would make a straight line on a log scale
        numbers[f"factor_{when}_{cell}"] = float((curve[LAGS.index(FAR)] / curve[1]) ** (1 / (FAR - LAGS[1])))
    return Measured(numbers, lengths)


def _vanishes(runs: Sequence[Measured]) -> Finding:
    left = {when: _geometric(runs, f"left_{when}_tanh") for when in ("start", "end")}
    factor = mean_of(runs, "factor_start_tanh")
    worst = max(run.numbers["left_start_tanh"] for run in runs)
    return Finding(
        worst < FADED,
        Text(
            f"{FAR} steps back {left['start']:.0e} of it is left before training, {left['end']:.0e} after it; at the "
            f"start every step multiplies it by {factor:.2f}",
            f"往回 {FAR} 步，训练前只剩 {left['start']:.0e}，训练后为 {left['end']:.0e}；训练前每退一步乘以 "
            f"{factor:.2f}",
        ),
    )


def _is_kept(runs: Sequence[Measured]) -> Finding:
    left = {cell: _geometric(runs, f"left_end_{cell}") for cell in NAMES}
    gained = left["lstm"] / left["tanh"]
    start = _geometric(runs, "left_start_lstm")
    return Finding(
        all(run.numbers["left_end_lstm"] > 1_000 * run.numbers["left_end_tanh"] for run in runs),
        Text(
            f"after training {left['lstm']:.0e} is left {FAR} steps back in the LSTM, {gained:.0e} times as much as "
            f"in the tanh RNN; before training it was {start:.0e}",
            f"训练后，LSTM 中往回 {FAR} 步还剩 {left['lstm']:.0e}，是 tanh RNN 的 {gained:.0e} 倍；训练前为 "
            f"{start:.0e}",
        ),
    )


def _identity_keeps(runs: Sequence[Measured]) -> Finding:
    left = _geometric(runs, "left_start_irnn")
    return Finding(
        all(0.1 < run.numbers["left_start_irnn"] < 10 for run in runs),
        Text(f"before training {left:.2f} of it is left {FAR} steps back", f"训练前，往回 {FAR} 步还剩 {left:.2f}"),
    )


def _geometric(runs: Sequence[Measured], name: str) -> float:
    return float(np.exp(fmean(np.log(run.numbers[name]) for run in runs)))


def _draw(result: Result, needed: Mapping[str, Result]) -> "Figure":
    figure, grid = panels(1, 2, width=4.4, height=3.6)
    for axes, when, title in zip(grid[0], ("start", "end"), ("before training", "after training"), strict=True):
        for (name, label), colour in zip(NAMES.items(), COLOURS, strict=False):
            for number, run in enumerate(result.runs):
                curve = run["arrays"][f"gradient_{when}_{name}"]
                axes.plot(LAGS, curve, color=colour, linewidth=1.2, label=None if number else label.en)
        axes.set(yscale="log", ylim=(1e-16, 1e3), title=title, xlabel="steps back in time")
    grid[0, 0].set_ylabel("length of ∂C/∂(state)")
    grid[0, 0].legend(frameon=False, fontsize=9)
    return figure


EXPERIMENTS = (
    Experiment(
        "vanishing-in-time",
        Text(
            "The gradient on its way back through time: four recurrent layers, before and after training",
            "梯度沿时间往回传播：四种循环层，训练之前与之后",
        ),
        LONG_MEMORY,
        _measure,
        claims=(
            Claim(
                Text(
                    "In a tanh RNN the gradient gets smaller and smaller as it is propagated back through time: "
                    f"{FAR} steps back less than a thousandth is left.",
                    f"在 tanh RNN 中，梯度沿时间反向传播时越变越小：往回 {FAR} 步只剩不到千分之一。",
                ),
                _vanishes,
            ),
            Claim(
                Text(
                    "LSTM units help against it: once trained, a thousand times as much and more is left.",
                    "LSTM 单元有助于解决它：训练之后，剩下的是前者的一千倍以上。",
                ),
                _is_kept,
            ),
            Claim(
                Text(
                    "Rectified units that start from the identity keep the gradient within a factor of ten from the "
                    "start (Le, Jaitly and Hinton 2015).",
                    "以单位矩阵为初始权重的 ReLU 单元，一开始就把梯度保持在十倍以内（Le、Jaitly 与 Hinton 2015）。",
                ),
                _identity_keeps,
            ),
        ),
        deviations=(
            Text(
                f"The text has no numbers. The gradients are those of the adding problem over {LENGTHS[-1]} steps, "
                f"with {UNITS} units, in the runs of `adding-problem`: the length of ∂C/∂h, of an LSTM that of "
                "∂C/∂(h, c), for 100 test sequences, whose geometric mean is shown.",
                f"书中没有给出数字。梯度取自 `adding-problem` 的各次运行：{LENGTHS[-1]} 步的加法问题，{UNITS} 个单"
                "元；取 ∂C/∂h 的长度，LSTM 取 ∂C/∂(h, c) 的长度，对 100 个测试序列取几何平均。",
            ),
        ),
        drawings=(
            Drawing(
                "lags",
                Text(
                    "A straight line falls by the same factor in every step, as in chapter 5 from layer to layer. "
                    "What has been learned over long times shows on the right.",
                    "直线表示每一步都缩小同样的倍数，正如第五章中逐层缩小那样。右图显示哪些网络学会了长时间的依赖。",
                ),
                _draw,
            ),
        ),
        needs=("adding-problem",),
        minutes=0.05,
    ),
)
