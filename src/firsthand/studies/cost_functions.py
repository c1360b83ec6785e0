"""Chapter 3, the cost function: one neuron that is slow where it is most wrong, and its cure."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from firsthand import nn
from firsthand.experiments.drawing import COLOURS, in_percent, panels
from firsthand.experiments.experiment import Claim, Comparison, Drawing, Experiment, Measured, Run, mean_of
from firsthand.experiments.result import Finding, Published, Result, Source, Text
from firsthand.learning import Classification, Recipe

from .common import accuracy

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["EXPERIMENTS", "PEAK", "Learning", "large_network", "neuron"]

SLOWDOWN = Source("Nielsen", "chapter 3, 'The cross-entropy cost function' (交叉熵代价函数)")
CROSS_ENTROPY = Source("Nielsen", "chapter 3, 'Introducing the cross-entropy cost function' (引入交叉熵代价函数)")
DIGITS = Source("Nielsen", "chapter 3, 'Using the cross-entropy to classify MNIST digits'")

EASY, STUCK = (0.6, 0.9), (2.0, 2.0)
EPOCHS = 300


class Learning(NamedTuple):
    """The state of a neuron before the first epoch and after each, (epochs + 1,)."""

    output: np.ndarray
    cost: np.ndarray
    bias: np.ndarray


def neuron(start: tuple[float, float], learning_rate: float, *, cross_entropy: bool, epochs: int = EPOCHS) -> Learning:
    """One sigmoid neuron with input x = 1 learns to put out y = 0, by gradient descent.

        quadratic cost:     C = a^2/2,         dC/dw = dC/db = a sigma'(z)    equations (54) to (56)
        cross-entropy:      C = -ln(1 - a),    dC/dw = dC/db = a              equations (57), (61), (62)

    Args:
        start: w and b.
        learning_rate: eta.
        cross_entropy: which cost.
        epochs: steps.
    """
    w, b = start
    output, cost, bias = [], [], []
    for epoch in range(epochs + 1):
        z = w + b
        a = 1 / (1 + np.exp(-z))
        output.append(a)
        cost.append(np.logaddexp(0, z) if cross_entropy else a**2 / 2)
        bias.append(b)
        if epoch < epochs:
            gradient = a if cross_entropy else a * a * (1 - a)
            w, b = w - learning_rate * gradient, b - learning_rate * gradient
    return Learning(np.array(output), np.array(cost), np.array(bias))


# --- one neuron ---------------------------------------------------------------------------------------------------


def _quadratic_neuron(start: tuple[float, float]):
    def measure(run: Run) -> Measured:
        found = neuron(start, 0.15, cross_entropy=False)
        numbers = {"output_before": found.output[0], "output_after": found.output[-1]}
        return Measured({name: float(value) for name, value in numbers.items()}, _listed(found))

    return measure


def _cross_entropy_neuron(run: Run) -> Measured:
    numbers, arrays = {}, {}
    for name, start in (("easy", EASY), ("stuck", STUCK)):
        for rate in (0.005, 0.15):
            found = neuron(start, rate, cross_entropy=True)
            arrays[f"{name} {rate}"] = _listed(found)
            numbers[f"{name}_output_after_eta_{rate}"] = float(found.output[-1])
        numbers[f"{name}_output_before"] = float(found.output[0])
    arrays["quadratic stuck"] = _listed(neuron(STUCK, 0.15, cross_entropy=False))
    return Measured(numbers, arrays)


def _listed(found: Learning) -> dict[str, list[float]]:
    return {name: [round(float(value), 5) for value in values] for name, values in found._asdict().items()}


def _hardly_moves(runs: Sequence[Measured]) -> Finding:
    output, bias = (np.array(runs[0].arrays[name]) for name in ("output", "bias"))
    early, whole = output[0] - output[150], output[0] - output[-1]
    share, of_bias = early / whole, (bias[0] - bias[150]) / (bias[0] - bias[-1])
    fastest = int(np.argmax(-np.diff(output)))
    return Finding(
        bool(share < 0.1 and fastest > 150),
        Text(
            f"in 150 epochs the output falls from {output[0]:.3f} to {output[150]:.3f}, {share:.0%} of its way in 300 "
            f"(to {output[-1]:.3f}); weight and bias go {of_bias:.0%} of theirs; the output falls fastest at epoch "
            f"{fastest}",
            f"前 150 回合输出从 {output[0]:.3f} 降到 {output[150]:.3f}，只占 300 回合总变化（到 {output[-1]:.3f}）的 "
            f"{share:.0%}；权重和偏差走了各自总变化的 {of_bias:.0%}；输出在第 {fastest} 回合下降最快",
        ),
    )


def _fastest_where_most_wrong(runs: Sequence[Measured]) -> Finding:
    steps = {name: -np.diff(runs[0].arrays[f"{name} 0.15"]["bias"]) for name in ("easy", "stuck")}
    slower = -np.diff(runs[0].arrays["quadratic stuck"]["bias"])
    shares = [1 - after[-1] / after[0] for after in steps.values()]
    holds = all(np.all(np.diff(step) < 2e-5) for step in steps.values())  # they are rounded to 1e-5
    first = slower[0] / slower.max()
    return Finding(
        bool(holds),
        Text(
            f"from both starts every step is smaller than the one before; the last is {shares[0]:.1%} and "
            f"{shares[1]:.1%} "
            f"below the first (learning rate 0.15); with the quadratic cost, from w = b = 2.0, the first step is only "
            f"{first:.0%} of the largest",
            f"两种起点的每一步都比前一步小，最后一步比第一步小 {shares[0]:.1%} 和 {shares[1]:.1%}（学习率 0.15）；"
            f"二次代价函数从 w = b = 2.0 出发时，第一步只有最大步的 {first:.0%}",
        ),
    )


def _steep_from_the_start(runs: Sequence[Measured]) -> Finding:
    shares = {}
    for name in ("stuck 0.005", "quadratic stuck"):
        cost = np.array(runs[0].arrays[name]["cost"])
        shares[name] = (cost[0] - cost[30]) / (cost[0] - cost[-1])
    cross, quadratic = shares.values()
    return Finding(
        bool(cross > 2 * quadratic),
        Text(
            f"from w = b = 2.0 the first 30 epochs bring {cross:.1%} of the fall of the cost in 300 epochs; with the "
            f"quadratic cost {quadratic:.1%}",
            f"从 w = b = 2.0 出发，前 30 回合完成了 300 回合代价下降的 {cross:.1%}；二次代价函数只有 {quadratic:.1%}",
        ),
    )


def _as_well_as_before(runs: Sequence[Measured]) -> Finding:
    after = runs[0].numbers
    small = [after[f"{name}_output_after_eta_0.005"] for name in ("easy", "stuck")]
    large = [after[f"{name}_output_after_eta_0.15"] for name in ("easy", "stuck")]
    return Finding(
        bool(small[0] <= 0.1 and small[1] <= 0.21),
        Text(
            f"with the text's learning rate, 0.005, the outputs after 300 epochs are {small[0]:.2f} and "
            f"{small[1]:.2f}: too "
            f"few epochs for so small a rate; with 0.15, as for the quadratic cost, {large[0]:.3f} and {large[1]:.3f} "
            "(the quadratic cost: 0.09 and 0.20)",
            f"按书中的学习率 0.005，300 回合后的输出为 {small[0]:.2f} 和 {small[1]:.2f}：学习率这么小，回合数不够；"
            f"换成与二次代价函数相同的 0.15，则为 {large[0]:.3f} 和 {large[1]:.3f}（二次代价函数为 0.09 和 0.20）",
        ),
    )


def _draw_neuron(result: Result, needed: Mapping[str, Result]) -> "Figure":
    found = result.runs[0]["arrays"]
    figure, ((left, right),) = panels(1, 2)
    left.plot(found["output"], color=COLOURS[0])
    left.set(xlabel="epoch", ylabel="output", ylim=(0, 1), title="output of the neuron, wanted is 0")
    right.plot(found["cost"], color=COLOURS[1])
    right.set(xlabel="epoch", ylabel="cost", ylim=(0, 0.5), title="quadratic cost")
    return figure


def _draw_cross_entropy_neuron(result: Result, needed: Mapping[str, Result]) -> "Figure":
    found = result.runs[0]["arrays"]
    figure, grid = panels(2, 2)
    for row, (name, start) in zip(grid, (("easy", EASY), ("stuck", STUCK)), strict=True):
        for (rate, line), colour in zip((("0.005", "-"), ("0.15", "--")), COLOURS, strict=False):
            label = f"learning rate {rate}"
            row[0].plot(found[f"{name} {rate}"]["output"], line, color=colour, label=label)
            row[1].plot(found[f"{name} {rate}"]["cost"], line, color=colour, label=label)
        row[0].set(xlabel="epoch", ylabel="output", ylim=(0, 1), title=f"w = {start[0]}, b = {start[1]}")
        row[1].set(xlabel="epoch", ylabel="cross-entropy", ylim=(0, None), title=f"w = {start[0]}, b = {start[1]}")
        row[1].legend(frameon=False)
    return figure


# --- networks -----------------------------------------------------------------------------------------------------


def large_network(hidden: int) -> tuple[nn.Layer, ...]:
    """[784, hidden, 10] of sigmoid units, weights and biases from N(0, 1): `large_weight_initializer`."""
    return tuple(nn.FullyConnected(units, weights_init=nn.large, bias_init=nn.large) for units in (hidden, 10))


def _draw_accuracy(result: Result, needed: Mapping[str, Result]) -> "Figure":
    figure, ((axes,),) = panels(1, 1, width=6)
    for number, run in enumerate(result.runs):
        curve = run["arrays"]["test_accuracy"]
        axes.plot(range(1, len(curve) + 1), curve, color=COLOURS[number % len(COLOURS)], label=f"seed {run['seed']}")
    axes.set(xlabel="epoch", ylabel="accuracy on the test data")
    axes.legend(frameon=False)
    in_percent(axes)
    return figure


def _one_error_in_fourteen(runs: Sequence[Measured], needed: Mapping[str, Result]) -> Finding:
    """Against the runs of the quadratic cost that have learned all ten digits: the text's is one of these."""
    quadratic = [run["numbers"] for run in needed["quadratic-100"].runs if not run["numbers"]["digits_not_learned"]]
    count = needed["quadratic-100"].n
    before = 1 - float(np.mean([numbers["highest_test_accuracy"] for numbers in quadratic])) if quadratic else 1.0
    after = 1 - mean_of(runs, "highest_test_accuracy")
    share = 1 - after / before
    return Finding(
        bool(quadratic) and share >= 1 / 14,
        Text(
            f"highest test accuracies: {before:.2%} wrong with the quadratic cost (mean of the {len(quadratic)} of "
            f"{count} "
            f"runs that learned all digits), {after:.2%} with the cross-entropy: {share:.1%} of the errors are gone, 1 "
            "in "
            f"14 is 7.1 %",
            f"各次最高测试准确度：二次代价错 {before:.2%}（{count} 次运行中学会全部十个数字的 {len(quadratic)} "
            "次的平均），"
            f"交叉熵错 {after:.2%}：消除了 {share:.1%} 的错误；十四分之一为 7.1 %",
        ),
    )


def _cross_entropy_network(
    hidden: int, published: float, claims: tuple[Comparison, ...] = (), needs: tuple[str, ...] = ()
) -> Experiment:
    recipe = Recipe(epochs=30, batch_size=10, learning_rate=0.5, objective=Classification(nn.cross_entropy))
    return Experiment(
        id=f"cross-entropy-{hidden}",
        title=Text(
            f"[784, {hidden}, 10] with the cross-entropy, large initial weights",
            f"[784, {hidden}, 10]，交叉熵代价函数，大的初始权重",
        ),
        source=DIGITS,
        measure=lambda run: accuracy(
            run, large_network(hidden), recipe, curves=("validation_accuracy", "test_accuracy")
        ),
        published=(Published("test_accuracy", published, explained_by="highest_test_accuracy"),),
        claims=claims,
        deviations=(PEAK,),
        drawings=(
            Drawing(
                "accuracy",
                Text("Accuracy on the test data, run by run.", "各次运行在测试数据上的准确度。"),
                _draw_accuracy,
            ),
        ),
        needs=needs,
        minutes=0.2,
    )


PEAK = Text(
    "The text watches the test data and names the highest accuracy of all epochs; test_accuracy is that of the "
    "epoch of "
    "best validation accuracy, so that nothing is chosen on test data.",
    "书中监视测试数据并给出各回合中的最高准确度；这里的 test_accuracy 取验证准确度最高的那一回合，"
    "不用测试数据做任何选择。",
)


# --- the list -----------------------------------------------------------------------------------------------------

EXPERIMENTS = (
    Experiment(
        id="neuron-quadratic-easy",
        title=Text(
            "One neuron, quadratic cost, from w = 0.6, b = 0.9", "一个神经元，二次代价函数，从 w = 0.6、b = 0.9 开始"
        ),
        source=SLOWDOWN,
        measure=_quadratic_neuron(EASY),
        published=(
            Published("output_before", 0.82, "value", 0.005),
            Published("output_after", 0.09, "value", 0.005),
        ),
        drawings=(
            Drawing(
                "learning",
                Text(
                    "The cost falls quickly from the beginning.",
                    "代价从一开始就快速下降。",
                ),
                _draw_neuron,
            ),
        ),
        runs=1,
    ),
    Experiment(
        id="neuron-quadratic-stuck",
        title=Text("One neuron, quadratic cost, from w = b = 2.0", "一个神经元，二次代价函数，从 w = b = 2.0 开始"),
        source=SLOWDOWN,
        measure=_quadratic_neuron(STUCK),
        published=(Published("output_before", 0.98, "value", 0.005),),
        claims=(
            Claim(
                Text(
                    "For about 150 epochs the neuron hardly learns, although it is badly wrong; then it learns fast.",
                    "前 150 回合左右神经元虽然错得厉害，却几乎没有学习；之后学习加快。",
                ),
                _hardly_moves,
            ),
        ),
        drawings=(
            Drawing(
                "learning",
                Text(
                    "Where the output is near 1, the sigmoid is flat and learning slow; both curves begin nearly "
                    "level.",
                    "输出接近 1 时 S 型函数平坦，学习缓慢：两条曲线开头几乎水平。",
                ),
                _draw_neuron,
            ),
        ),
        runs=1,
    ),
    Experiment(
        id="neuron-cross-entropy",
        title=Text("One neuron, cross-entropy, both starts", "一个神经元，交叉熵代价函数，两种起点"),
        source=CROSS_ENTROPY,
        measure=_cross_entropy_neuron,
        published=(
            Published("easy_output_before", 0.82, "value", 0.005),
            Published("stuck_output_before", 0.98, "value", 0.005),
        ),
        claims=(
            Claim(
                Text(
                    "The neuron learns fastest where it is most wrong.",
                    "神经元错得最明显的时候学习最快。",
                ),
                _fastest_where_most_wrong,
            ),
            Claim(
                Text(
                    "From w = b = 2.0 the cost is much steeper at first than the quadratic cost.",
                    "从 w = b = 2.0 出发，代价曲线开头比二次代价函数陡得多。",
                ),
                _steep_from_the_start,
            ),
            Claim(
                Text(
                    "With learning rate 0.005 the neuron learns as well as before, from the second start too.",
                    "学习率取 0.005 时，神经元学得和之前一样好，从第二种起点出发也是如此。",
                ),
                _as_well_as_before,
            ),
        ),
        deviations=(
            Text(
                "The text names 0.005 as the learning rate, and shows its curves in a program that is not part of it; "
                "0.15 is run beside it.",
                "书中给出的学习率是 0.005，曲线则由书外的程序演示；这里同时运行 0.15。",
            ),
        ),
        drawings=(
            Drawing(
                "learning",
                Text(
                    "The cost falls from the first epoch on, steepest at first, from both starts.",
                    "两种起点的代价都从第一回合开始下降，开头最陡。",
                ),
                _draw_cross_entropy_neuron,
            ),
        ),
        runs=1,
    ),
    _cross_entropy_network(30, 0.9549),
    _cross_entropy_network(
        100,
        0.9682,
        claims=(
            Comparison(
                Text(
                    "The error rate falls by about one in fourteen compared with the quadratic cost.",
                    "与二次代价函数相比，错误率大约减少了十四分之一。",
                ),
                _one_error_in_fourteen,
            ),
        ),
        needs=("quadratic-100",),
    ),
)
