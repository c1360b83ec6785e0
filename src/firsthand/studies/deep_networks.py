"""Chapter 5: why deep networks of sigmoid units are hard to train, and first, that more layers do not help them."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from firsthand import nn
from firsthand.experiments.drawing import COLOURS, in_percent, panels
from firsthand.experiments.experiment import Comparison, Drawing, Experiment, Measured, Run, mean_of
from firsthand.experiments.result import Finding, Published, Result, Text
from firsthand.learning import Classification, Recipe

from . import learning_speed, sigmoid_problems, unstable_gradients
from .common import accuracy
from .learning_speed import SECTION, hidden_layers

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["EXPERIMENTS"]

RECIPE = Recipe(
    epochs=30, batch_size=10, learning_rate=0.1, l2=5.0 / 50_000, objective=Classification(nn.cross_entropy)
)
DEPTHS = (1, 2, 3, 4)
WITHIN = 0.0025  # a difference that the runs cannot tell from none


def _measure(hidden: int, run: Run) -> Measured:
    # deep ones need many steps before anything happens, and steps are cheap
    return accuracy(run, hidden_layers(hidden), RECIPE, quick_epochs=4, quick_examples=50_000)


def _no_better(runs: Sequence[Measured], needed: Mapping[str, Result]) -> Finding:
    shallower = (needed[f"depth-{hidden}"].mean("validation_accuracy") for hidden in DEPTHS[:-1])
    means = [*shallower, mean_of(runs, "validation_accuracy")]
    listed = ", ".join(f"{mean:.2%}" for mean in means)
    return Finding(
        means[-1] <= max(means[:-1]) + WITHIN,
        Text(f"with 1 to 4 hidden layers: {listed}", f"1 至 4 个隐藏层依次为 {listed}"),
    )


def _draw(result: Result, needed: Mapping[str, Result]) -> "Figure":
    figure, grid = panels(1, 1, width=5.2)
    axes = grid[0, 0]
    results = [*(needed[f"depth-{hidden}"] for hidden in DEPTHS[:-1]), result]
    for hidden, each in zip(DEPTHS, results, strict=True):
        values = each.values("validation_accuracy")
        axes.plot([hidden] * len(values), values, ".", color=COLOURS[0], label="runs" if hidden == 1 else None)
    axes.plot(DEPTHS, [each.mean("validation_accuracy") for each in results], color=COLOURS[0], label="their mean")
    published = [each.published[0].value for each in results]
    axes.plot(DEPTHS, published, "s--", mfc="none", color=COLOURS[1], label="published, one run each")
    axes.set(xlabel="hidden layers of 30 units", ylabel="validation accuracy", xticks=DEPTHS)
    in_percent(axes)
    axes.legend(frameon=False)
    return figure


def _depth(hidden: int, published: float) -> Experiment:
    last = hidden == DEPTHS[-1]
    shallower = tuple(f"depth-{fewer}" for fewer in DEPTHS[:-1]) if last else ()
    return Experiment(
        f"depth-{hidden}",
        Text(
            f"{hidden} hidden layer{'s' if hidden > 1 else ''} of 30 sigmoid units",
            f"{hidden} 个隐藏层，每层 30 个 sigmoid 神经元",
        ),
        SECTION,
        partial(_measure, hidden),
        # what training ends with, as the text says; the best epoch stands beside
        published=(Published("last_validation_accuracy", published, beside="validation_accuracy"),),
        claims=(NO_BETTER,) if last else (),
        drawings=(DEPTH,) if last else (),
        needs=shallower,
        minutes=1.0 + 0.3 * hidden,
    )


NO_BETTER = Comparison(
    Text(
        "More hidden layers do not make the network better: four do no better than fewer (within 0.25 points).",
        "增加隐藏层并没有让网络变好：四层并不比更少的层好（相差 0.25 个百分点以内）。",
    ),
    _no_better,
)
DEPTH = Drawing(
    "depth",
    Text(
        "Validation accuracy over the number of hidden layers. If depth helped by itself, the lines would rise.",
        "验证准确度随隐藏层数的变化。假如单靠增加深度就有帮助，曲线应当上升。",
    ),
    _draw,
)

EXPERIMENTS = (
    _depth(1, 0.9648),
    _depth(2, 0.9690),
    _depth(3, 0.9657),
    _depth(4, 0.9653),
    *learning_speed.EXPERIMENTS,
    *unstable_gradients.EXPERIMENTS,
    *sigmoid_problems.EXPERIMENTS,
)
