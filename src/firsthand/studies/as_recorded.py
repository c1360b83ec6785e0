"""The author's own runs, epoch for epoch: his programs' recorded curves beside those of `firsthand.book` from his seed.

recorded.json holds the series that his programs wrote.  With Python 2's shuffle, `network2` makes the same sums in
another order, so that both agree to rounding, and where training amplifies rounding they part; how fast is measured
with two networks of ours that begin 1e-16 apart.
"""

import contextlib
import io
import json
import random
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from firsthand.experiments.drawing import COLOURS, in_percent, panels
from firsthand.experiments.experiment import Claim, Drawing, Experiment, Measured, Run
from firsthand.experiments.result import Finding, Published, Result, Source, Text
from firsthand.files import write_atomically

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["EXPERIMENTS"]

SEED = 12345678
KINDS = ("evaluation_cost", "evaluation_accuracy", "training_cost", "training_accuracy")
ALIKE = 1e-6  # costs that differ by more, as a share, have parted; an accuracy must be the same count


class Part(NamedTuple):
    """One training of the author's programs; those of a program follow one another from one seed."""

    name: str
    hidden: int
    examples: int
    epochs: int
    eta: float
    lmbda: float
    large: bool  # weights from N(0, 1), made after the default ones, as in his programs
    on_test_data: bool
    kinds: tuple[str, ...]


def _overfitting(name: str, examples: int, epochs: int, lmbda: float) -> tuple[Part]:
    return (Part(name, 30, examples, epochs, 0.5, lmbda, True, True, KINDS),)


PROGRAMS: tuple[tuple[Part, ...], ...] = (
    _overfitting("overfitting", 1_000, 400, 0.0),
    _overfitting("regularized", 1_000, 400, 0.1),
    _overfitting("overfitting_full", 50_000, 30, 0.0),
    _overfitting("regularized_full", 50_000, 30, 5.0),
    *(
        tuple(
            Part(f"{start}_{n}", n, 50_000, 30, 0.1, 5.0, start == "large", False, ("evaluation_accuracy",))
            for start in ("default", "large")
        )
        for n in (30, 100)
    ),
    tuple(Part(f"eta_{eta}", 30, 50_000, 30, eta, 5.0, False, False, ("training_cost",)) for eta in (0.025, 0.25, 2.5)),
)
PARTS = tuple(part for program in PROGRAMS for part in program)
PARTED = ("overfitting_full", "eta_2.5")  # what rounding parts
DRIFTING = "regularized_full"  # counts as recorded, while its costs leave the recorded ones slowly
GROWTH = (*PARTED, DRIFTING, "eta_0.025")


@cache
def recorded() -> dict[str, dict[str, list[float]]]:
    """The author's curves by training and kind; accuracies as counts."""
    return json.loads(Path(__file__).with_name("recorded.json").read_text(encoding="utf-8"))["curves"]


def epochs_alike(ours: Mapping[str, Sequence[float]], theirs: Mapping[str, Sequence[float]]) -> int:
    """The number of epochs before any of the curves parts from the recorded one.

    Examples:
        >>> epochs_alike({"training_cost": [2.0, 1.0, 0.5]}, {"training_cost": [2.0, 1.0 + 1e-9, 0.6]})
        2
    """
    alike = np.ones(min(len(curve) for curve in ours.values()), bool)
    for kind, curve in ours.items():
        a, b = np.array(curve), np.array(theirs[kind][: len(curve)])
        alike &= a == b if kind.endswith("accuracy") else np.abs(a - b) <= ALIKE * np.abs(b)
    return len(alike) if alike.all() else int(np.argmin(alike))


def epochs_to_grow(apart: Sequence[float]) -> int:
    """The number of epochs until a difference exceeds `ALIKE`; one more than there are where it never does.

    Examples:
        >>> epochs_to_grow([1e-16, 1e-12, 1e-4])
        2
        >>> epochs_to_grow([1e-16, 1e-15, 1e-15])
        3
    """
    return next((epoch for epoch, value in enumerate(apart) if value > ALIKE), len(apart))


def _measure(run: Run) -> Measured:
    numbers: dict[str, float] = {}
    arrays: dict[str, Any] = {}
    for program in PROGRAMS:
        for part, curves in zip(
            program, _kept(run, program[0].name, lambda program=program: _train(run, program)), strict=True
        ):
            theirs = recorded()[part.name]
            numbers[f"{part.name}_epochs_alike"] = epochs_alike(curves, theirs)
            for kind, curve in curves.items():
                ours, his = np.array(curve), np.array(theirs[kind][: len(curve)])
                if kind.endswith("cost"):
                    numbers[f"{part.name}_{kind}_apart"] = float(np.max(np.abs(ours - his) / his))
                else:
                    numbers[f"{part.name}_{kind}_same_counts"] = int(np.sum(ours == his))
                    numbers[f"{part.name}_{kind}_images_apart"] = int(np.max(np.abs(ours - his)))
                arrays[f"{part.name}_{kind}"] = [round(value, 6) for value in curve]
            if part.on_test_data:
                best = max(curves["evaluation_accuracy"]) / 10_000
                numbers[f"{part.name}_highest_test_accuracy"] = best
    for name in GROWTH:
        arrays[f"{name}_growth"] = _kept(run, f"{name} growth", lambda name=name: _grow(run, name))
        numbers[f"{name}_growth"] = max(arrays[f"{name}_growth"]) / 1e-16
        numbers[f"{name}_epochs_to_grow"] = epochs_to_grow(arrays[f"{name}_growth"])
    return Measured(numbers, arrays)


def _kept(run: Run, name: str, make: Any) -> Any:
    """Load the result of `make` if it was made before the run was stopped, else make it."""
    place = run.place / f"{name}.json"
    if not place.exists():
        run.say(name)
        write_atomically(place, json.dumps(make()))
    return json.loads(place.read_text(encoding="utf-8"))


def _train(run: Run, program: Sequence[Part]) -> list[dict[str, list[float]]]:
    """The curves of each part of a program, from its one seed."""
    from firsthand.book import mnist_loader, network2, python2

    random.seed(SEED)
    np.random.seed(SEED)  # noqa: NPY002, the author's generator
    training, validation, test = mnist_loader.load_data_wrapper()
    net, found = None, []
    for part in program:
        if net is None or not part.large:
            net = network2.Network([784, part.hidden, 10], cost=network2.CrossEntropyCost)
        if part.large:
            net.large_weight_initializer()
        examples = run.shortened(part.examples, 1_000)
        # all of the data in one list, whose order a program's next training begins with
        data = training if examples == len(training) else training[:examples]
        with contextlib.redirect_stdout(io.StringIO()):
            lists = net.SGD(
                data,
                run.shortened(part.epochs, 2),
                10,
                part.eta,
                lmbda=part.lmbda,
                evaluation_data=test if part.on_test_data else validation,
                **{f"monitor_{kind}": True for kind in part.kinds},
                shuffle=python2.shuffle,
            )
        curves: dict[str, Any] = dict(zip(KINDS, lists, strict=True))
        found.append({kind: [float(value) for value in curves[kind]] for kind in part.kinds})
    return found


def _grow(run: Run, name: str) -> list[float]:
    """The largest difference of a weight, at first 1e-16 of one of them, after each epoch of two trainings."""
    from firsthand.book import mnist_loader, network2, python2

    part = next(part for part in PARTS if part.name == name)
    training = mnist_loader.load_data_wrapper()[0][: run.shortened(part.examples, 1_000)]
    np.random.seed(SEED)  # noqa: NPY002
    nets = [network2.Network([784, part.hidden, 10]) for _ in range(2)]
    for net in nets:
        np.random.seed(SEED)  # noqa: NPY002
        net.default_weight_initializer()
        if part.large:
            net.large_weight_initializer()
    # of a weight near zero, so that so small a difference is one; and of a neuron's bias, which every example sees
    nets[1].biases[1][int(np.argmin(np.abs(nets[1].biases[1])))] += 1e-16
    apart = [_apart(*nets)]
    for epoch in range(run.shortened(part.epochs, 2)):
        for net in nets:
            order = random.Random(epoch).random
            with contextlib.redirect_stdout(io.StringIO()):
                net.SGD(
                    list(training), 1, 10, part.eta, lmbda=part.lmbda, shuffle=lambda x, u=order: python2.shuffle(x, u)
                )
        apart.append(_apart(*nets))
    return apart


def _apart(a: Any, b: Any) -> float:
    return max(float(np.max(np.abs(v - w))) for v, w in zip(a.weights + a.biases, b.weights + b.biases, strict=True))


def _repeated(runs: Sequence[Measured]) -> Finding:
    numbers = runs[0].numbers
    whole = [part for part in PARTS if part.name not in (*PARTED, DRIFTING)]
    counts = [(part, kind) for part in whole for kind in part.kinds if kind.endswith("accuracy")]
    same = sum(int(numbers[f"{part.name}_{kind}_same_counts"]) for part, kind in counts)
    total = sum(part.epochs for part, _ in counts)
    apart = max(numbers[f"{part.name}_{kind}_apart"] for part in whole for kind in part.kinds if kind.endswith("cost"))
    return Finding(
        same == total and apart < 1e-12,
        Text(
            f"{same:,} of {total:,} counts of {len(whole)} trainings the same; costs at most {apart:.0e} apart",
            f"{len(whole)} 次训练的 {total:,} 个计数中有 {same:,} 个相同；代价的相对差别至多为 {apart:.0e}",
        ),
    )


def _drifted(runs: Sequence[Measured]) -> Finding:
    numbers = runs[0].numbers
    epochs = next(part.epochs for part in PARTS if part.name == DRIFTING)
    test, training = (int(numbers[f"{DRIFTING}_{kind}_same_counts"]) for kind in KINDS if kind.endswith("accuracy"))
    images = max(int(numbers[f"{DRIFTING}_{kind}_images_apart"]) for kind in KINDS if kind.endswith("accuracy"))
    apart = max(numbers[f"{DRIFTING}_{kind}_apart"] for kind in KINDS if kind.endswith("cost"))
    return Finding(
        test == epochs and training >= epochs - 1 and images <= 1 and 1e-12 < apart < 1e-4,
        Text(
            f"test counts the same in {test} of {epochs} epochs, training counts in {training}, at most {images} of "
            f"50,000 images apart; costs up to {apart:.0e} apart",
            f"{epochs} 个回合中测试计数有 {test} 个相同，训练计数有 {training} 个，50,000 幅中至多差 {images} 幅；"
            f"代价的相对差别至多为 {apart:.0e}",
        ),
    )


def _parted(runs: Sequence[Measured]) -> Finding:
    numbers = runs[0].numbers
    alike = {name: int(numbers[f"{name}_epochs_alike"]) for name in PARTED}
    grown = {name: int(numbers[f"{name}_epochs_to_grow"]) for name in GROWTH}
    calm = numbers["eta_0.025_growth"]
    first = [grown["eta_2.5"], grown["overfitting_full"], grown[DRIFTING]]
    return Finding(
        # what parts in the first epochs is what grows in the first epochs, and in the same order
        max(alike.values()) < 30 and first == sorted(set(first)) and first[-1] <= 30 and calm < 1e3,
        Text(
            f"alike for {alike['eta_2.5']} epochs with η = 2.5 and for {alike['overfitting_full']} without "
            f"regularization; there 1e-16 passes {ALIKE:.0e} in epoch {first[0]} and {first[1]}, with λ = 5 and "
            f"η = 0.5 in epoch {first[2]}; with η = 0.025 it grows {calm:.0f} times in 30 epochs",
            f"η = 2.5 时前 {alike['eta_2.5']} 个回合相同，无规范化时前 {alike['overfitting_full']} 个；1e-16 在那里"
            f"于第 {first[0]} 和第 {first[1]} 个回合超过 {ALIKE:.0e}，λ = 5、η = 0.5 时于第 {first[2]} 个；"
            f"η = 0.025 时 30 个回合只增长到 {calm:.0f} 倍",
        ),
    )


def _draw(result: Result, needed: Mapping[str, Result]) -> "Figure":
    figure, grid = panels(2, 2, width=4.8)
    arrays = result.runs[0]["arrays"]
    shown = (
        ("overfitting", "evaluation_accuracy", "1,000 images: test accuracy"),
        ("regularized", "evaluation_accuracy", "the same with λ = 0.1"),
        ("overfitting_full", "evaluation_accuracy", "50,000 images: test accuracy"),
    )
    for axes, (name, kind, title) in zip(grid.flat, shown, strict=False):
        ours, theirs = arrays[f"{name}_{kind}"], recorded()[name][kind]
        for curve, colour, width, label in (
            (theirs, COLOURS[1], 3.5, "recorded"),
            (ours, COLOURS[0], 0.9, "firsthand"),
        ):
            axes.plot(range(1, len(curve) + 1), [v / 10_000 for v in curve], color=colour, linewidth=width, label=label)
        axes.set_title(title, fontsize=10)
        axes.set(xlabel="epoch")
        in_percent(axes)
    grid.flat[0].legend(frameon=False, loc="lower right")
    for name, colour in zip(GROWTH, COLOURS, strict=False):
        grid.flat[3].semilogy(arrays[f"{name}_growth"], color=colour, label=name.replace("_", " "))
    grid.flat[3].set_title("a difference of 1e-16", fontsize=10)
    grid.flat[3].set(xlabel="epoch", ylabel="largest difference of a weight")
    grid.flat[3].legend(frameon=False)
    return figure


EXPERIMENTS = (
    Experiment(
        id="as-recorded",
        title=Text(
            "The author's own runs again: his recorded curves and ours, from his seed, are one line",
            "作者自己的运行再现：用他的随机种子，他记录的曲线与我们的曲线是同一条线",
        ),
        source=Source("Nielsen", "chapter 3, the recorded data of its figures"),
        measure=_measure,
        published=(
            Published("overfitting_highest_test_accuracy", 0.8227, "exact", 0.00005),
            Published("regularized_highest_test_accuracy", 0.871, "exact", 0.00005),
            Published("regularized_full_highest_test_accuracy", 0.9649, "exact", 0.00005),
        ),
        claims=(
            Claim(
                Text(
                    "With Python 2's shuffle and the seed of his programs, network2 repeats the curves that they "
                    "wrote: the same counts, and the same costs to rounding.",
                    "用 Python 2 的洗牌规则和作者程序的随机种子，network2 逐回合重现他的程序写下的曲线："
                    "计数相同，代价相差只在舍入。",
                ),
                _repeated,
            ),
            Claim(
                Text(
                    "With all images, λ = 5 and η = 0.5 the counts are repeated too, but for one image, while the "
                    "costs drift: what rounding adds is seen in them, and not yet in what is read.",
                    "用全部图像、λ = 5、η = 0.5 时，除一幅图像外计数同样重现，代价却慢慢偏离："
                    "舍入的影响在代价上看得见，在识别结果上还看不见。",
                ),
                _drifted,
            ),
            Claim(
                Text(
                    "Rounding parts the others: without regularization, and with too large a learning rate, training "
                    "makes a difference of 1e-16 visible in its first epochs; where the curves agree it does so later, "
                    "or hardly at all.",
                    "其余的曲线因舍入而分开：没有规范化，或学习速率过大时，训练在最初几个回合就把 1e-16 的差别"
                    "放大到看得见；曲线一致的训练则更晚，或几乎不会。",
                ),
                _parted,
            ),
        ),
        deviations=(
            Text(
                "A mini-batch is one matrix product here and was a loop over examples there: the same sums in another "
                "order.",
                "这里一个小批量是一次矩阵乘积，原程序逐个样本循环：同样的和，次序不同。",
            ),
        ),
        drawings=(
            Drawing(
                "curves",
                Text(
                    "The thin line lies in the wide one. Below left they part after a few epochs, because there (below "
                    "right) rounding grows fastest; at η = 0.025 it hardly does.",
                    "细线落在宽线之中。左下图在几个回合之后分开，因为在那里舍入误差增长最快（右下图）；"
                    "η = 0.025 时几乎不增长。",
                ),
                _draw,
            ),
        ),
        runs=1,
        minutes=12,
    ),
)
