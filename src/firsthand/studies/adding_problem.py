"""Chapter 6, LSTM units: a sum of two numbers that stand far apart in time, and the gradient on its way back."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import Array

from firsthand import nn
from firsthand.data import Arrays, Splits
from firsthand.data.tasks import Part, adding_problem
from firsthand.experiments.drawing import COLOURS, panels
from firsthand.experiments.experiment import Claim, Drawing, Experiment, Measured, Run
from firsthand.experiments.result import Finding, Result, Source, Text
from firsthand.learning import Made, Recipe, Regression
from firsthand.nn import Network

from .common import seed_of, trained
from .rows_of_digits import NAMES, cells

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["EXPERIMENTS", "LAGS", "LENGTHS", "LONG_MEMORY", "gradient_lengths"]

LONG_MEMORY = Source("Nielsen", "chapter 6, 'Other approaches' (其他的深度学习模型): long short-term memory units")
LENGTHS = (30, 150)  # steps of a sequence
UNITS = 64
EACH_EPOCH = 2_000  # new sequences
CHANCE = 1 / 6  # the squared error of who always says 1: the variance of a sum of two numbers even in [0, 1]
SOLVED = 0.01
TINY = 1e-38  # the smallest length that single precision tells from none
LAGS = tuple(range(0, LENGTHS[-1], 10))  # steps back from the last at which gradients are taken
EPOCHS, BATCH = 25, 20
# of Adam; at the gated cells' rate the gradient of the others explodes, and with it the training
RATES = {"tanh": 2e-3, "irnn": 1e-4, "gru": 5e-3, "lstm": 5e-3}


def _recipe(name: str) -> Recipe:
    schedule = optax.cosine_decay_schedule(RATES[name], EPOCHS * EACH_EPOCH // BATCH)
    return Recipe(EPOCHS, BATCH, optimizer=optax.adam(schedule), objective=Regression(), clip=1.0)


def _measure(run: Run) -> Measured:
    numbers, arrays = {}, {}
    for length in LENGTHS:
        data = _data(length, run)
        for name, cell in cells(UNITS).items():
            layers = (cell, nn.FullyConnected(1, nn.linear))
            at = f"{name}_{length}"
            training = trained(run, layers, _recipe(name), data=data, name=at, quick_epochs=1)
            numbers[f"error_{at}"] = training.model.provenance["scores"]["test"]["error"]
            arrays[f"validation_{at}"] = [float(f"{value:.4g}") for value in training.history["validation_error"]]
            if length == LENGTHS[-1]:
                network = training.model.network
                start = network.init(key=jax.random.split(run.key)[0])  # with which the training has begun
                for when, params in (("start", start), ("end", training.model.params)):
                    found = gradient_lengths(network, params, data.test[:100], LAGS)
                    arrays[f"gradient_{when}_{name}"] = [float(f"{value:.3g}") for value in found]
    return Measured(numbers, arrays)


def _data(length: int, run: Run) -> Splits:
    """New training sequences in every epoch; what is held out is the same in every run."""
    count = run.shortened(EACH_EPOCH, 100)

    def made(key: Array) -> Arrays:
        return adding_problem(count, length, seed=seed_of(key))

    return Splits(Made(made), _held_out(length, "validation", count), _held_out(length, "test", count))


def _held_out(length: int, part: Part, count: int = EACH_EPOCH) -> Arrays:
    return adding_problem(count, length, part, seed=0)


def gradient_lengths(network: Network, params: Any, examples: Arrays, lags: Sequence[int]) -> list[float]:
    """||dC/ds|| for the state s that a recurrent layer had some steps before the last; the geometric mean of examples.

    The state is h, and of an LSTM h and c together: all that goes on from one step to the next.

    Args:
        network: a recurrent layer that gives its last state, and one layer behind it.
        params: of the network.
        examples: sequences and what is to be said of them; C is the quadratic cost.
        lags: how many steps back; 0 is the last state.
    """
    program = _gradient_program(network)
    x, y = map(jnp.asarray, examples.arrays)
    found = (np.asarray(program(params, x, y, lag), np.float64) for lag in lags)
    return [float(np.exp(np.mean(np.log(np.maximum(lengths, TINY))))) for lengths in found]


@lru_cache(maxsize=16)
def _gradient_program(network: Network):
    """Compile (params, x, y, lag) -> ||dC/ds|| of every example."""
    layer, last = network.layers[0], network.layers[1]
    assert isinstance(layer, nn.SimpleRNN | nn.LSTM | nn.GRU)
    (time, _) = network.input_shape

    def lengths(params: Any, x: Array, y: Array, lag: Array) -> Array:
        early = jnp.broadcast_to(jnp.arange(time) < time - lag, x.shape[:2])
        _, state = layer.run(params[0], x, layer.start(len(x), x.dtype), early)

        def cost(state: tuple[Array, ...]) -> Array:
            _, (h, *_) = layer.run(params[0], x, state, ~early)
            return 0.5 * jnp.sum((last.apply(params[1], h) - y) ** 2)

        return jnp.sqrt(sum(jnp.sum(part**2, axis=-1) for part in jax.grad(cost)(state)))

    return jax.jit(lengths)


def _solved(runs: Sequence[Measured]) -> Finding:
    errors = {name: _errors(runs, name, LENGTHS[-1]) for name in NAMES}
    return Finding(
        max(errors["lstm"]) < SOLVED,
        Text(
            f"squared error on the test sequences of {LENGTHS[-1]} steps, of each run: "
            + "; ".join(f"{NAMES[name].en} {_listed(found)}" for name, found in errors.items()),
            f"{LENGTHS[-1]} 步的测试序列上各次运行的平方误差："
            + "；".join(f"{NAMES[name].zh} {_listed(found)}" for name, found in errors.items()),
        ),
    )


def _stays(runs: Sequence[Measured]) -> Finding:
    long, short = (_errors(runs, "tanh", length) for length in reversed(LENGTHS))
    chance = float(np.mean((_held_out(LENGTHS[-1], "test").arrays[1] - 1) ** 2))
    return Finding(
        min(long) > 0.95 * chance,
        Text(
            f"squared error of the tanh RNN with {LENGTHS[-1]} steps: {_listed(long)}; saying 1 has {chance:.2g} on "
            f"these test sequences, 1/6 in the mean; with {LENGTHS[0]} steps: {_listed(short)}",
            f"{LENGTHS[-1]} 步时 tanh RNN 的平方误差：{_listed(long)}；总是回答 1 在这些测试序列上为 {chance:.2g}，平"
            f"均为 1/6；{LENGTHS[0]} 步时：{_listed(short)}",
        ),
    )


def _errors(runs: Sequence[Measured], name: str, length: int) -> list[float]:
    return [run.numbers[f"error_{name}_{length}"] for run in runs]


def _listed(values: Sequence[float]) -> str:
    return ", ".join(f"{value:.2g}" for value in values)


def _draw(result: Result, needed: Mapping[str, Result]) -> "Figure":
    figure, grid = panels(1, len(LENGTHS), width=4.4)
    for axes, length in zip(grid[0], LENGTHS, strict=True):
        for (name, label), colour in zip(NAMES.items(), COLOURS, strict=False):
            for number, run in enumerate(result.runs):
                curve = run["arrays"][f"validation_{name}_{length}"]
                seen = [EACH_EPOCH * (epoch + 1) / 1000 for epoch in range(len(curve))]
                axes.plot(seen, curve, color=colour, linewidth=1.2, label=None if number else label.en)
        axes.axhline(CHANCE, color="0.4", linestyle=":")
        # a network that explodes leaves the picture
        axes.set(yscale="log", ylim=(2e-5, 20), title=f"{length} steps", xlabel="training sequences in thousands")
    grid[0, 0].set_ylabel("squared error, validation")
    grid[0, -1].annotate(
        "always saying 1", (0.98, CHANCE * 1.08), xycoords=("axes fraction", "data"), ha="right", fontsize=9
    )
    grid[0, 0].legend(frameon=False, fontsize=9, ncols=2, loc="upper right")
    return figure


EXPERIMENTS = (
    Experiment(
        "adding-problem",
        Text(
            "The adding problem: two numbers that stand far apart in a sequence, and their sum",
            "加法问题：序列中相距很远的两个数之和",
        ),
        LONG_MEMORY,
        _measure,
        claims=(
            Claim(
                Text(
                    f"An LSTM network learns it over {LENGTHS[-1]} steps: squared error below {SOLVED}.",
                    f"LSTM 网络能跨 {LENGTHS[-1]} 步学会它：平方误差低于 {SOLVED}。",
                ),
                _solved,
            ),
            Claim(
                Text(
                    f"A tanh RNN does not: over {LENGTHS[-1]} steps its squared error stays near 1/6, that of saying "
                    "1 whatever comes.",
                    f"tanh RNN 则不能：在 {LENGTHS[-1]} 步上，它的平方误差停在 1/6 附近，与总是回答 1 相同。",
                ),
                _stays,
            ),
        ),
        deviations=(
            Text(
                "The text says that LSTM units help against the gradient that vanishes in time, and measures "
                "nothing; the task is that of Hochreiter and Schmidhuber, 1997, section 5.4, with one marked number "
                f"in each half of the sequence. All networks have {UNITS} units and see "
                f"{EPOCHS * EACH_EPOCH:,} sequences, each once; Adam's rate falls from 0.005 (tanh RNN "
                "0.002, ReLU RNN 0.0001) along half a cosine, and gradients are no longer than 1.",
                "书中只说 LSTM 单元有助于克服随时间消失的梯度，没有给出测量；这里用的是 Hochreiter 与 Schmidhuber "
                f"1997 年论文第 5.4 节的任务，序列的前后两半各标记一个数。所有网络都有 {UNITS} 个单元，各看 "
                f"{EPOCHS * EACH_EPOCH:,} 个序列，每个只看一次；用 Adam 训练，学习率从 0.005（tanh RNN 为 "
                "0.002，ReLU RNN 为 0.0001）沿半个余弦下降，梯度长度不超过 1。",
            ),
            Text(
                "Pairs of places are held out: one in ten is marked in test sequences alone, one in ten in "
                "validation sequences alone.",
                "按标记位置留出：十分之一的位置对只在测试序列中标记，十分之一只在验证序列中标记。",
            ),
        ),
        drawings=(
            Drawing(
                "learning",
                Text(
                    "Where a curve falls below the dotted line, the network has begun to remember: over 30 steps all "
                    "do; over 150 those with gates alone. A curve that leaves the picture at the top has exploded.",
                    "曲线降到虚线以下，网络就开始记住：30 步时全都做到，150 步时只有带门的网络做到。"
                    "从上方离开画面的曲线表示训练已经发散。",
                ),
                _draw,
            ),
        ),
        minutes=2.5,
    ),
)
