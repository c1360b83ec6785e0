"""Chapter 6, neural Turing machines: recalling the next item of a list, and sorting by priority."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from statistics import median
from typing import TYPE_CHECKING

from firsthand import nn
from firsthand.data import Arrays
from firsthand.experiments.drawing import COLOURS, curves, in_percent, panels
from firsthand.experiments.experiment import Claim, Drawing, Experiment, Measured, Run
from firsthand.experiments.result import Finding, Result, Text
from firsthand.models import Regressor
from firsthand.zoo import NamedRecipe
from firsthand.zoo.machines import NTM_RECALL, NTM_SORT, RECALL, SORT, MadeTask, turing_recipe

from .common import trained
from .neural_turing import TURING, at_length, draw_machine, each, failing, watched

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["EXPERIMENTS", "LEARNING", "NAMES", "TESTED", "WRONG", "beside_lstm"]

EACH_EPOCH = 1_000
TESTED = 200
ITEMS = (2, 4, 6, 8, 10, 12)  # of a list
LONGEST = 12
WRONG = 0.05
NAMES = {"ntm": Text("neural Turing machine", "神经图灵机"), "lstm": Text("LSTM, 256 units", "LSTM，256 个单元")}


def beside_lstm(
    run: Run, recipe: NamedRecipe, task: MadeTask, grade: Callable[[Regressor, str], Mapping[str, float]], shown: Arrays
) -> Measured:
    """Train a recipe's machine, and an LSTM on the same sequences.

    Args:
        run: the run.
        recipe: of the machine.
        task: what both learn.
        grade: takes a trained network and its name of NAMES, and returns the numbers of the tests.
        shown: one test example, on which the machine is watched.
    """
    numbers, arrays = {}, {}
    epochs, count = run.shortened(recipe.recipe.epochs, 1), run.shortened(EACH_EPOCH, 40)
    data = task.splits(epochs, count, run.shortened(200, 20))
    for name, layer in zip(NAMES, (recipe.layers[0], nn.LSTM(256)), strict=True):
        layers = (layer, nn.FullyConnected(task.bits))
        training = trained(run, layers, turing_recipe(epochs), data=data, name=name, quick_epochs=1)
        arrays[f"validation_{name}"] = [round(value, 4) for value in training.history["validation_wrong"]]
        numbers[f"validation_{name}"] = min(training.history["validation_wrong"])
        numbers |= grade(training.model, name)
        if name == "ntm":
            arrays |= watched(training.model, shown)
    return Measured(numbers, arrays)


def _measure(recipe: NamedRecipe, task: MadeTask, sizes: Sequence[int], run: Run) -> Measured:
    def grade(model: Regressor, name: str) -> dict[str, float]:
        numbers = {}
        for size in sizes:
            found = at_length(model, task, size, _steps(task, size), run.shortened(TESTED, 5))
            numbers |= {f"wrong_{name}_{size}": found["wrong"], f"whole_{name}_{size}": found["whole"]}
        return numbers

    most = sizes[-1]
    shown = task.examples(1, (most, most), "test", seed=1, steps=_steps(task, most))
    return beside_lstm(run, recipe, task, grade, shown)


def _steps(task: MadeTask, size: int) -> int:
    """The steps of an example of a size: an item of a list takes four more."""
    return task.steps + (4 * max(0, size - task.largest) if task is RECALL else 0)


def _recalls(runs: Sequence[Measured]) -> Finding:
    wrong = [max(run.numbers[f"wrong_ntm_{items}"] for items in ITEMS[:3]) for run in runs]
    failed = failing(runs, wrong, WRONG)
    at = {name: median(each(runs, f"wrong_{name}_6")) for name in NAMES}
    return Finding(
        2 * sum(value < WRONG for value in wrong) > len(runs),
        Text(
            f"bits wrong in lists of 6 items, median of {len(runs)} runs: {at['ntm']:.2%}, LSTM {at['lstm']:.2%}; "
            f"{failed.en} (5 % and more at 2, 4 or 6)",
            f"6 个物品的列表中的错误比特（{len(runs)} 次的中位数）：{at['ntm']:.2%}，LSTM {at['lstm']:.2%}；"
            f"{failed.zh}（在 2、4 或 6 个时达到 5 % 或更多）",
        ),
    )


def _recalls_longer(runs: Sequence[Measured]) -> Finding:
    found = {name: median(each(runs, f"wrong_{name}_{LONGEST}")) for name in NAMES}
    return Finding(
        found["ntm"] < found["lstm"],
        Text(
            f"bits wrong in lists of {LONGEST} items, median of {len(runs)} runs: {found['ntm']:.2%}, LSTM "
            f"{found['lstm']:.2%}",
            f"{LONGEST} 个物品的列表中的错误比特（{len(runs)} 次的中位数）：{found['ntm']:.2%}，LSTM "
            f"{found['lstm']:.2%}",
        ),
    )


def _sorts(runs: Sequence[Measured]) -> Finding:
    size = SORT.largest
    found = {name: median(each(runs, f"wrong_{name}_{size}")) for name in NAMES}
    whole = {name: median(each(runs, f"whole_{name}_{size}")) for name in NAMES}
    return Finding(
        found["ntm"] < found["lstm"],
        Text(
            f"bits wrong, median of {len(runs)} runs: {found['ntm']:.2%}, LSTM {found['lstm']:.2%}; whole sets right "
            f"{whole['ntm']:.1%} and {whole['lstm']:.1%}",
            f"错误比特（{len(runs)} 次的中位数）：{found['ntm']:.2%}，LSTM {found['lstm']:.2%}；整组正确 "
            f"{whole['ntm']:.1%} 与 {whole['lstm']:.1%}",
        ),
    )


def _draw_learning(result: Result, needed: Mapping[str, Result]) -> "Figure":
    figure, ((axes,),) = panels(1, 1, width=5)
    for (name, label), colour in zip(NAMES.items(), COLOURS, strict=False):
        curves(axes, result, f"validation_{name}", "-", colour, label.en)
    axes.set(xlabel=f"epoch of {EACH_EPOCH:,} sequences", ylabel="bits wrong, validation")
    in_percent(axes)
    axes.legend(frameon=False)
    return figure


LEARNING = Drawing("learning", Text("While they learn, all runs.", "学习过程，全部运行。"), _draw_learning)
SAME = Text(
    "Both networks see the same sequences, each once, with RMSProp at 1e-4 and mini-batches of 4; the epoch is "
    "chosen by the bits wrong in validation sequences. What is tested was never trained on, by a hash of the vectors.",
    "两个网络看同样的序列，每个只看一次；RMSProp，学习率 1e-4，小批量为 4；按验证序列上的错误比特选择回合。测试的内容"
    "按向量的哈希值留出，从未训练过。",
)

EXPERIMENTS = (
    Experiment(
        "ntm-recall",
        Text(
            "A neural Turing machine recalls: given an item of a list, it says the next",
            "神经图灵机回忆：给出列表中的一项，它说出下一项",
        ),
        TURING,
        partial(_measure, NTM_RECALL, RECALL, ITEMS),
        claims=(
            Claim(
                Text(
                    f"It learns lists of 2 to 6 items in most runs: fewer than {WRONG:.0%} of the bits wrong.",
                    f"多数运行学会 2 至 6 项的列表：错误比特少于 {WRONG:.0%}。",
                ),
                _recalls,
            ),
            Claim(
                Text(
                    f"On lists of {LONGEST}, twice as long as all that were trained, it has fewer bits wrong than an "
                    "LSTM.",
                    f"在 {LONGEST} 项的列表上（训练时最长的两倍），它的错误比特少于 LSTM。",
                ),
                _recalls_longer,
            ),
        ),
        deviations=(
            SAME,
            Text(
                "The memory has 32 slots, Graves, Wayne and Danihelka's 128: with 128 no run of ours learned it.",
                "记忆有 32 个位置，Graves、Wayne 与 Danihelka 的有 128 个：用 128 个时，我们没有一次运行学会。",
            ),
        ),
        drawings=(
            LEARNING,
            Drawing(
                "memory",
                Text(
                    f"A test list of {LONGEST} items of the run that is best on validation lists: what goes in, what "
                    "is said, and the two heads.",
                    f"验证集上最好的一次运行，{LONGEST} 项的测试列表：输入、输出和两个读写头。",
                ),
                partial(draw_machine, best="validation_ntm", heads=("reading head", "writing head")),
            ),
        ),
        minutes=3,
    ),
    Experiment(
        "ntm-sort",
        Text(
            "A neural Turing machine sorts vectors by their priorities",
            "神经图灵机按优先级给向量排序",
        ),
        TURING,
        partial(_measure, NTM_SORT, SORT, (SORT.largest,)),
        claims=(
            Claim(
                Text(
                    "It sorts with fewer bits wrong than an LSTM that has seen the same sets.",
                    "它排序的错误比特少于看过同样数据的 LSTM。",
                ),
                _sorts,
            ),
        ),
        deviations=(
            SAME,
            Text(
                f"In small: the {3 * SORT.largest // 4} highest of {SORT.largest} vectors, with two heads of each "
                "kind and 64 slots; Graves, Wayne and Danihelka sort the 16 highest of 20 with eight.",
                f"缩小版：{SORT.largest} 个向量中优先级最高的 {3 * SORT.largest // 4} 个，每种两个读写头，64 个位置；"
                "Graves、Wayne 与 Danihelka 用八个读写头从 20 个中排出最高的 16 个。",
            ),
        ),
        drawings=(
            LEARNING,
            Drawing(
                "memory",
                Text(
                    "A test set of the run that is best on validation sets: what goes in (the priority is the last "
                    "row but one), what is said, and the heads.",
                    "验证集上最好的一次运行的一组测试：输入（倒数第二行是优先级）、输出和读写头。",
                ),
                partial(
                    draw_machine,
                    best="validation_ntm",
                    heads=("reading head 1", "reading head 2", "writing head 1", "writing head 2"),
                ),
            ),
        ),
        minutes=5,
    ),
)
