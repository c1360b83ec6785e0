"""Chapter 6, networks that execute programs: they read one character by character, and write what it prints."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import fmean
from typing import TYPE_CHECKING, Any

import jax.numpy as jnp
import numpy as np
import optax
from jax import Array

from firsthand import nn
from firsthand.data import Answers, Splits
from firsthand.data.tasks import ALPHABET, KINDS, Difficulty, Part, program_answers
from firsthand.experiments.drawing import panels
from firsthand.experiments.experiment import Claim, Drawing, Experiment, Measured, Run, mean_of
from firsthand.experiments.result import Finding, Result, Source, Text
from firsthand.learning import Answering, Recipe, evaluate
from firsthand.learning.source import Source as ExamplesSource
from firsthand.models import LanguageModel

from .common import seed_of, trained

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "EACH_EPOCH",
    "EXPERIMENTS",
    "LINES",
    "SUMS",
    "TESTED",
    "UNITS",
    "Curriculum",
    "Task",
    "execute_recipe",
    "graded",
]

PROGRAMS = Source(
    "Nielsen", "chapter 6, 'Other approaches' (其他的深度学习模型): learning to execute print(398345+42598)"
)
UNITS = 128
TESTED = 500  # programs of each difficulty
EACH_EPOCH = 20_000
BATCH = 16
WITHIN = 0.01  # a difference that so few runs cannot tell from none
Random = np.random.Generator


@dataclass(frozen=True)
class Task:
    """Programs up to a difficulty.

    Args:
        kinds: of their operations.
        hardest: the most digits and the deepest nesting.
        steps: of the sequences, enough that the longest program fits with its answer.
        epochs: of new programs that a network sees.
    """

    kinds: tuple[str, ...]
    hardest: Difficulty
    steps: int
    epochs: int

    def answers(self, count: int, draw: Callable[[Random], Difficulty], part: Part, seed: int | list[int]) -> Answers:
        """Programs of one part of the data, with what they print."""
        return program_answers(count, draw, part, kinds=self.kinds, steps=self.steps, seed=seed)

    @property
    def difficulties(self) -> list[Difficulty]:
        """All of them, the shortest first."""
        lengths, nestings = (range(1, most + 1) for most in self.hardest[:2])
        return [self.at(length, nesting) for nesting in nestings for length in lengths]

    def at(self, length: int, nesting: int) -> Difficulty:
        """A difficulty of the task."""
        return self.hardest._replace(length=length, nesting=nesting)


SUMS = Task(("sum",), Difficulty(3), steps=18, epochs=60)
LINES = Task(KINDS, Difficulty(3, 2), steps=42, epochs=40)


@dataclass(frozen=True)
class Curriculum(ExamplesSource):
    """New programs in every epoch, by one of the strategies of Zaremba and Sutskever 2014, section 5.

    naive       first the easiest, then harder and harder ones: all of an epoch are of one difficulty
    mix         every program is of a difficulty drawn at random, up to the hardest
    combined    half of the programs by either
    """

    task: Task
    strategy: str
    epochs: int
    count: int

    def examples(self, epoch: int, params: Any, *, key: Array) -> Answers:
        return self._at(epoch, seed_of(key))

    def _at(self, epoch: int, seed: int | list[int]) -> Answers:
        reached = (
            1 + epoch * self.task.hardest.length // self.epochs,
            1 + epoch * self.task.hardest.nesting // self.epochs,
        )
        now = self.task.at(*reached)

        def draw(random: Random) -> Difficulty:
            if self.strategy == "naive" or (self.strategy == "combined" and random.random() < 0.5):
                return now
            return self.task.at(*(int(random.integers(1, most + 1)) for most in self.task.hardest[:2]))

        return self.task.answers(self.count, draw, "training", seed)

    @property
    def like(self) -> Answers:
        return self.task.answers(self.count, lambda random: self.task.hardest, "training", 0)

    @property
    def digest(self) -> str:
        return hashlib.sha256(repr(self).encode()).hexdigest()


STRATEGIES = {
    "naive": Text("naive", "朴素"),
    "mix": Text("mix", "混合"),
    "combined": Text("combined", "结合"),
}


def execute_recipe(task: Task) -> Recipe:
    """Return how a network learns a task: Adam with a rate that falls along half a cosine, and a short gradient."""
    steps = task.epochs * EACH_EPOCH // BATCH
    return Recipe(
        epochs=task.epochs,
        batch_size=BATCH,
        optimizer=optax.adam(optax.cosine_decay_schedule(4e-3, steps)),
        objective=Answering(),
        clip=1.0,
        keep_best=False,  # chosen on the hardest alone, an epoch of a curriculum would be
    )


def _measure(task: Task, strategies: Sequence[str], run: Run) -> Measured:
    layers = (nn.Embedding(len(ALPHABET), 16), nn.LSTM(UNITS), nn.Softmax(len(ALPHABET)))
    hardest = task.answers(TESTED, lambda random: task.hardest, "validation", 0)
    numbers, arrays = {}, {}
    for strategy in strategies:
        source = Curriculum(task, strategy, task.epochs, run.shortened(EACH_EPOCH, 200))
        training = trained(
            run, layers, execute_recipe(task), data=Splits(source, hardest, None), name=strategy, quick_epochs=1
        )
        arrays[f"validation_{strategy}"] = [round(value, 4) for value in training.history["validation_right"]]
        numbers[f"validation_{strategy}"] = training.history["validation_right"][-1]
        for at in task.difficulties:
            found = graded(training.model, task, at, run.shortened(TESTED, 20))
            for name in ("right", "whole"):
                numbers[f"{name}_{strategy}_{at.length}_{at.nesting}"] = found[name]
    return Measured(numbers, arrays)


def graded(model: LanguageModel, task: Task, at: Difficulty, count: int) -> dict[str, float]:
    """Return the share of what test programs of one difficulty print that the network says."""
    answers = task.answers(count, lambda random: at, "test", 0)
    return evaluate(model.network, model.params, tuple(map(jnp.asarray, answers.arrays)), Answering())


def _name(what: str, strategy: str, at: Difficulty) -> str:
    return f"{what}_{strategy}_{at.length}_{at.nesting}"


def _best(runs: Sequence[Measured], strategies: Sequence[str]) -> str:
    return max(strategies, key=lambda strategy: mean_of(runs, f"validation_{strategy}"))


def _adds(runs: Sequence[Measured]) -> Finding:
    best = _best(runs, tuple(STRATEGIES))
    right, whole = (mean_of(runs, _name(what, best, SUMS.hardest)) for what in ("right", "whole"))
    return Finding(
        right >= 0.99,
        Text(
            f"sums of {SUMS.hardest.length} digits that no network was trained on: {right:.2%} of the characters and "
            f"{whole:.2%} of the whole answers are right ({STRATEGIES[best].en} curriculum, the best on validation "
            "sums)",
            f"在从未训练过的 {SUMS.hardest.length} 位数加法上：{right:.2%} 的字符正确，{whole:.2%} 的答案完全正确"
            f"（{STRATEGIES[best].zh}课程，验证集上最好的一种）",
        ),
    )


def _curricula(runs: Sequence[Measured]) -> Finding:
    at = SUMS.hardest
    found = {strategy: mean_of(runs, _name("right", strategy, at)) for strategy in STRATEGIES}
    return Finding(
        found["combined"] > found["mix"] - WITHIN and found["mix"] > found["naive"],
        Text(
            f"characters right at {at.length} digits, n = {len(runs)}: "
            + ", ".join(f"{STRATEGIES[strategy].en} {value:.2%}" for strategy, value in found.items()),
            f"{at.length} 位数时字符的正确率（n = {len(runs)}）："
            + "，".join(f"{STRATEGIES[strategy].zh} {value:.2%}" for strategy, value in found.items()),
        ),
    )


def _executes(runs: Sequence[Measured]) -> Finding:
    found = {
        at: [mean_of(runs, _name(what, "combined", at)) for what in ("right", "whole")] for at in LINES.difficulties
    }
    easy = [right for at, (right, _) in found.items() if at.nesting == 1]
    listed = {nesting: [f"{w:.0%}" for at, (_, w) in found.items() if at.nesting == nesting] for nesting in (1, 2)}
    return Finding(
        fmean(easy) >= 0.9,
        Text(
            f"characters right at nesting 1, with numbers of 1 to {LINES.hardest.length} digits: "
            f"{', '.join(f'{right:.1%}' for right in easy)}; whole answers right: {', '.join(listed[1])}; at nesting "
            f"2: {', '.join(listed[2])}",
            f"嵌套 1 层、数字为 1 至 {LINES.hardest.length} 位时字符的正确率："
            f"{'、'.join(f'{right:.1%}' for right in easy)}；答案完全正确：{'、'.join(listed[1])}；嵌套 2 层时："
            f"{'、'.join(listed[2])}",
        ),
    )


def _gets_harder(runs: Sequence[Measured]) -> Finding:
    whole = {at: mean_of(runs, _name("whole", "combined", at)) for at in LINES.difficulties}
    # of programs with one digit there are so few that they are learned by heart: those held out are not the easiest
    pairs = [(at, at._replace(length=at.length + 1)) for at in whole if 1 < at.length < LINES.hardest.length]
    deeper = [(at, at._replace(nesting=2)) for at in whole if at.nesting == 1]
    falls = sum(whole[harder] < whole[easier] for easier, harder in pairs + deeper)
    return Finding(
        falls == len(pairs + deeper),
        Text(
            f"in {falls} of {len(pairs + deeper)} comparisons with one digit more, or one operation more, fewer "
            "answers are right",
            f"多一位数字或多一层运算的 {len(pairs + deeper)} 个比较中，有 {falls} 个答案正确率下降",
        ),
    )


def _heat(axes: "Axes", values: np.ndarray, rows: Sequence[str], title: str) -> None:
    axes.grid(False)
    axes.imshow(values, vmin=0, vmax=1, cmap="viridis", aspect="auto")
    for (row, column), value in np.ndenumerate(values):
        colour = "white" if value < 0.6 else "black"
        axes.text(column, row, f"{100 * value:.1f}", ha="center", va="center", color=colour)
    axes.set(xticks=range(values.shape[1]), xticklabels=[str(n + 1) for n in range(values.shape[1])], xlabel="digits")
    axes.set(yticks=range(len(rows)), yticklabels=list(rows), title=title)


TITLES = {"right": "characters right, %", "whole": "whole answers right, %"}


def _draw_sums(result: Result, needed: Mapping[str, Result]) -> "Figure":
    figure, grid = panels(1, 2, width=4.4)
    lengths = [at for at in SUMS.difficulties if at.nesting == 1]
    for axes, (what, title) in zip(grid[0], TITLES.items(), strict=True):
        values = [[result.mean(_name(what, strategy, at)) for at in lengths] for strategy in STRATEGIES]
        _heat(axes, np.array(values), [text.en for text in STRATEGIES.values()], title)
    return figure


def _draw_lines(result: Result, needed: Mapping[str, Result]) -> "Figure":
    figure, grid = panels(1, 2, width=4.4, height=2.6)
    for axes, (what, title) in zip(grid[0], TITLES.items(), strict=True):
        values = np.array([result.mean(_name(what, "combined", at)) for at in LINES.difficulties])
        _heat(axes, values.reshape(LINES.hardest.nesting, -1), ["1", "2"], title)
        axes.set(ylabel="nesting")
    return figure


HELD_OUT = Text(
    "What is tested was never trained on, by a hash of the program's text; a sum and the sum of the same numbers in "
    "the other order are one. Characters are counted as Zaremba and Sutskever do: each is to follow from the program "
    "and the right characters before it. A whole answer is right only if the network writes all of it by itself.",
    "按程序文本的哈希值留出，测试的程序从未训练过；交换两个加数的加法视为同一题。字符的计数与 Zaremba 和 Sutskever 相"
    "同：每个字符由程序和它之前的正确字符推出。只有网络独立写出全部字符，才算答案完全正确。",
)
SMALLER = Text(
    f"In small: one LSTM layer of {UNITS} units, and {EACH_EPOCH * SUMS.epochs:,} programs, instead of two "
    "layers of 400 and the authors' many hours; numbers have at most 3 digits, and the naive curriculum goes on "
    "after an equal share of the time, not when progress stops.",
    f"缩小版：一层 {UNITS} 个 LSTM 单元、{EACH_EPOCH * SUMS.epochs:,} 个程序，而不是两层各 400 个单元和作者"
    "的长时间训练；数字至多 3 位；朴素课程按相等的时间推进，而不是等到不再进步。",
)

EXPERIMENTS = (
    Experiment(
        "execute-add",
        Text(
            "Learning to execute print(398+425): sums read and written character by character",
            "学习执行 print(398+425)：逐字符读题、逐字符写答案",
        ),
        PROGRAMS,
        partial(_measure, SUMS, tuple(STRATEGIES)),
        claims=(
            Claim(
                Text(
                    "A recurrent network learns to predict what print(A+B) prints, from its characters alone: 99 % "
                    "of the characters at 3 digits.",
                    "循环网络只凭字符就能学会预测 print(A+B) 的输出：3 位数时 99 % 的字符正确。",
                ),
                _adds,
            ),
            Claim(
                Text(
                    "Curricula matter: combined is no worse than mix (within a point), and mix is better than naive "
                    "(Zaremba and Sutskever 2014).",
                    "课程很重要：结合不差于混合（相差一个百分点以内），混合好于朴素（Zaremba 与 Sutskever 2014）。",
                ),
                _curricula,
            ),
        ),
        deviations=(SMALLER, HELD_OUT),
        drawings=(
            Drawing(
                "heat",
                Text(
                    "Test sums by their number of digits, and by the curriculum. The naive one ends with the longest "
                    "and forgets the others.",
                    "测试题按位数和课程排列。朴素课程以最长的数字结束，忘记了较短的。",
                ),
                _draw_sums,
            ),
        ),
        minutes=10,
    ),
    Experiment(
        "execute-program",
        Text(
            "Learning to execute one-line programs: sums, differences, products, a variable, a choice",
            "学习执行一行程序：加、减、乘、变量与条件表达式",
        ),
        PROGRAMS,
        partial(_measure, LINES, ("combined",)),
        claims=(
            Claim(
                Text(
                    "The network learns to \u201cunderstand\u201d (very, very simple) programs: of those with one "
                    "operation at least 90 % of the characters that they print are right.",
                    "网络学会了“理解”（非常非常简单的）程序：只有一个运算的程序，输出的字符至少 90 % 正确。",
                ),
                _executes,
            ),
            Claim(
                Text(
                    "It is no interpreter: deeper nesting makes it worse, and so do numbers of three digits instead "
                    "of two.",
                    "它并不是解释器：嵌套越深结果越差，三位数也比两位数差。",
                ),
                _gets_harder,
            ),
        ),
        deviations=(
            Text(
                "In small: no loops, one LSTM layer, and a language of our own, a part of Python, whose programs are "
                "graded by an interpreter of ours: print(A+B), A-B, A*b with one digit, A if B>C else D, and "
                "a=A;print(a+B); at nesting 2, A is a sum, a difference or a product in brackets.",
                "缩小版：没有循环，只有一层 LSTM；语言是我们自己的，是 Python 的一部分，由我们自己的解释器评分："
                "print(A+B)、A-B、A*b（b 为一位数）、A if B>C else D，以及 a=A;print(a+B)；嵌套 2 层时，A 是括号中的"
                "加、减或乘。",
            ),
            HELD_OUT,
        ),
        drawings=(
            Drawing(
                "heat",
                Text(
                    "Test programs by the digits of their numbers and by how deep their operations are nested.",
                    "测试程序按数字位数与嵌套深度排列。",
                ),
                _draw_lines,
            ),
        ),
        minutes=6,
    ),
)
