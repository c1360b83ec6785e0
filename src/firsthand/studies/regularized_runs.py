"""Chapter 3, what is said of regularization in passing: stuck runs, long weights, biases, and smaller networks."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from statistics import fmean, stdev
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import stats

from firsthand.data import Splits, mnist
from firsthand.experiments.drawing import COLOURS, in_percent, panels
from firsthand.experiments.experiment import Claim, Comparison, Drawing, Experiment, Measured, Run, mean_of
from firsthand.experiments.result import Finding, Published, Result, Source, Text
from firsthand.learning import Progress, train
from firsthand.nn import Network

from .common import measured, trained
from .cost_functions import large_network
from .overfitting import LONG, first_thousand

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["EXPERIMENTS"]

REGULARIZATION = "chapter 3, 'Regularization' (规范化)"
STUCK = Source("Nielsen", f"{REGULARIZATION}, end: runs that get stuck, and why")
SMALLER = Source("Nielsen", f"{REGULARIZATION}, beginning: reduce the size of the network")
WHY = "chapter 3, 'Why does regularization help reduce overfitting?' (为何规范化可以帮助减轻过匹配)"
BIASES = Source("Nielsen", f"{WHY}, end: L2 leaves the biases alone")
HIMSELF = Source("Nielsen", f"{WHY}, end: 80,000 parameters and 50,000 images")

# --- runs that get stuck ------------------------------------------------------------------------------------------

IMAGES, EPOCHS, LAMBDA = 10_000, 30, 5.0
KINDS = {"without": 0.0, "with": LAMBDA / 50_000}
STUCK_BY = 0.02  # below the best run of its kind


def _many_starts(run: Run) -> Measured:
    data = mnist()
    data = Splits(data.train[: run.shortened(IMAGES, 1_000)], data.validation, data.test)
    numbers: dict[str, float] = {}
    arrays: dict[str, Any] = {}
    for kind, l2 in KINDS.items():
        recipe = replace(LONG, epochs=run.shortened(EPOCHS, 2), l2=l2)
        weights: list[np.ndarray] = []

        def note(at: Progress, weights: list[np.ndarray] = weights, kind: str = kind) -> None:
            if at.record is not None:
                weights.append(np.concatenate([np.ravel(layer["weights"]) for layer in at.params()]))
                run.say(f"{kind} epoch {at.epoch}/{at.epochs}")

        network = Network(large_network(30), data.train.image_shape)
        training = train(network, data, recipe, key=run.key, progress=note)
        lengths = [float(np.linalg.norm(w)) for w in weights]
        turns = [_angle(a, b) for a, b in pairwise(weights)]
        numbers |= {
            f"{kind}_validation_accuracy": training.history["validation_accuracy"][-1],
            f"{kind}_length_first": lengths[0],
            f"{kind}_length_last": lengths[-1],
            f"{kind}_turn_last": fmean(turns[-5:]),
        }
        arrays |= {f"{kind}_lengths": np.round(lengths, 2).tolist(), f"{kind}_turns": np.round(turns, 3).tolist()}
    return Measured(numbers, arrays)


def _angle(a: np.ndarray, b: np.ndarray) -> float:
    """Degrees between two vectors."""
    cosine = float(a @ b) / float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(np.degrees(np.arccos(np.clip(cosine, -1, 1))))


def _ends(runs: Sequence[Measured], kind: str) -> list[float]:
    return [run.numbers[f"{kind}_validation_accuracy"] for run in runs]


def _scatter(runs: Sequence[Measured]) -> Finding:
    without, with_it = _ends(runs, "without"), _ends(runs, "with")
    spread = [stdev(ends) if len(ends) > 1 else 0.0 for ends in (without, with_it)]
    ratio = spread[0] / max(spread[1], 1e-9)
    # the variances' ratio that chance alone exceeds in one of 40 cases
    by_chance = float(stats.f.ppf(0.975, max(1, len(runs) - 1), max(1, len(runs) - 1))) ** 0.5
    stuck = [sum(max(ends) - end > STUCK_BY for end in ends) for ends in (without, with_it)]
    return Finding(
        ratio > by_chance,
        Text(
            f"validation accuracy of {len(runs)} runs: {fmean(without):.2%} ± {spread[0]:.2%} without, "
            f"{fmean(with_it):.2%} ± {spread[1]:.2%} with (mean ± standard deviation); the ratio of the spreads "
            "is "
            f"{ratio:.2f}, chance alone stays below {by_chance:.2f}; {stuck[0]} and {stuck[1]} runs end more than "
            f"{100 * STUCK_BY:.0f} points below the best",
            f"{len(runs)} 次运行的验证准确度：不用规范化 {fmean(without):.2%} ± {spread[0]:.2%}，"
            f"用规范化 {fmean(with_it):.2%} ± {spread[1]:.2%}（平均 ± 标准差）；两者离散程度之比为 {ratio:.2f}，"
            f"纯属偶然时不超过 {by_chance:.2f}；比最好的一次低 {100 * STUCK_BY:.0f} 个百分点以上的分别有 {stuck[0]} "
            "次和 "
            f"{stuck[1]} 次",
        ),
    )


def _weights_grow(runs: Sequence[Measured]) -> Finding:
    lengths = {kind: [mean_of(runs, f"{kind}_length_{at}") for at in ("first", "last")] for kind in KINDS}
    grown = {kind: last / first for kind, (first, last) in lengths.items()}
    turns = {kind: mean_of(runs, f"{kind}_turn_last") for kind in KINDS}
    return Finding(
        grown["without"] > 1.02 and grown["with"] < 1 and turns["without"] < turns["with"],
        Text(
            f"from the first epoch to the last the length of all weights goes from {lengths['without'][0]:.0f} to "
            f"{lengths['without'][1]:.0f} without, from {lengths['with'][0]:.0f} to {lengths['with'][1]:.0f} with; in "
            f"each of the last five epochs they turn by {turns['without']:.2f}° and {turns['with']:.2f}° (asked for: "
            "longer by 2 % or more, and turning less)",
            f"从第一回合到最后，全部权重的长度：不用规范化时从 {lengths['without'][0]:.0f} 到 "
            f"{lengths['without'][1]:.0f}，"
            f"用时从 {lengths['with'][0]:.0f} 到 {lengths['with'][1]:.0f}；最后五个回合每回合转过 "
            f"{turns['without']:.2f}° 和 "
            f"{turns['with']:.2f}°（判定：变长 2 % 以上，且转得更少）",
        ),
    )


def _draw_starts(result: Result, needed: Mapping[str, Result]) -> "Figure":
    figure, ((ends, lengths, turns),) = panels(1, 3, width=3.4, height=3.2)
    for place, (kind, colour) in enumerate(zip(KINDS, COLOURS[1::-1], strict=True)):
        values = sorted(result.values(f"{kind}_validation_accuracy"))
        ends.plot(np.linspace(-0.2, 0.2, len(values)) + place, values, ".", color=colour)
        for axes, name in ((lengths, "lengths"), (turns, "turns")):
            curve = np.mean([run["arrays"][f"{kind}_{name}"] for run in result.runs], axis=0)
            axes.plot(
                range(2 if name == "turns" else 1, len(curve) + (2 if name == "turns" else 1)), curve, color=colour
            )
    ends.set(xticks=(0, 1), xticklabels=("no penalty", f"λ = {LAMBDA:g} / 5"), ylabel="validation accuracy, each run")
    in_percent(ends)
    lengths.set(xlabel="epoch", ylabel="length of the weights")
    turns.set(xlabel="epoch", ylabel="turned in an epoch, degrees", yscale="log")
    return figure


# --- biases in the penalty ----------------------------------------------------------------------------------------


def _penalized_biases(run: Run) -> Measured:
    recipe = replace(LONG, epochs=30, l2=LAMBDA / 50_000, penalized=("*",))
    return measured(trained(run, large_network(30), recipe))


def _changes_little(runs: Sequence[Measured], needed: Mapping[str, Result]) -> Finding:
    before, after = needed["l2-50000"].values("test_accuracy"), [run.numbers["test_accuracy"] for run in runs]
    difference = 100 * (fmean(after) - fmean(before))
    half = 100 * float(stats.ttest_ind(after, before).confidence_interval(0.95).high) - difference
    return Finding(
        abs(difference) <= 0.25,
        Text(
            f"test accuracy {fmean(after):.2%} with the biases in the penalty, {fmean(before):.2%} without: "
            f"{difference:+.2f} ± {half:.2f} points (95 %; asked for: within 0.25)",
            f"惩罚项包括偏差时测试准确度 {fmean(after):.2%}，不包括时 {fmean(before):.2%}：相差 {difference:+.2f} ± "
            f"{half:.2f} 个百分点（95 %；判定：0.25 以内）",
        ),
    )


# --- a smaller network --------------------------------------------------------------------------------------------

HIDDEN = (3, 10, 30, 100)


def _sizes(run: Run) -> Measured:
    recipe = replace(LONG, epochs=100, monitor=("validation_accuracy",), keep_best=False)
    numbers = {}
    for hidden in HIDDEN:
        training = trained(run, large_network(hidden), recipe, data=first_thousand(), name=f"hidden-{hidden}")
        for part, value in training.model.provenance["accuracies"].items():
            numbers[f"{part}_{hidden}"] = value
    return Measured(numbers)


def _smaller_overfits_less(runs: Sequence[Measured]) -> Finding:
    gaps = [100 * (mean_of(runs, f"training_{h}") - mean_of(runs, f"test_{h}")) for h in HIDDEN]
    tests = [mean_of(runs, f"test_{h}") for h in HIDDEN]
    said = [f"{gap:.1f}" for gap in gaps]
    reached = [f"{test:.1%}" for test in tests]
    return Finding(
        bool(np.all(np.diff(gaps) > 0)),
        Text(
            f"with {', '.join(map(str, HIDDEN))} hidden neurons training accuracy is {', '.join(said)} points above "
            f"test accuracy, which is {', '.join(reached)} (asked for: a gap that shrinks with the network)",
            f"隐藏神经元为 {'、'.join(map(str, HIDDEN))} 个时，训练准确度比测试准确度高 {'、'.join(said)} 个百分点，"
            f"测试准确度为 {'、'.join(reached)}（判定：差距随网络变小而减小）",
        ),
    )


def _larger_is_stronger(runs: Sequence[Measured]) -> Finding:
    first, last = (mean_of(runs, f"test_{h}") for h in (HIDDEN[0], HIDDEN[-1]))
    return Finding(
        last > first,
        Text(
            f"test accuracy {last:.1%} with {HIDDEN[-1]} hidden neurons, {first:.1%} with {HIDDEN[0]}",
            f"测试准确度：{HIDDEN[-1]} 个隐藏神经元为 {last:.1%}，{HIDDEN[0]} 个为 {first:.1%}",
        ),
    )


# --- 80,000 parameters --------------------------------------------------------------------------------------------


def _self_regularized(run: Run) -> Measured:
    data = first_thousand()
    layers = large_network(100)
    shuffled = np.random.default_rng(run.seed).permutation(data.train.labels)
    random = Splits(replace(data.train, labels=shuffled), data.validation, data.test)
    recipe = replace(LONG, epochs=100, monitor=("validation_accuracy",), keep_best=False)
    numbers = {"parameters": float(Network(layers).parameter_count)}
    for name, each in (("right", data), ("shuffled", random)):
        training = trained(run, layers, recipe, data=each, name=name, quick_epochs=4)
        for part, value in training.model.provenance["accuracies"].items():
            numbers[f"{name}_{part}_accuracy"] = value
    return Measured(numbers)


def _could_overfit(runs: Sequence[Measured], needed: Mapping[str, Result]) -> Finding:
    fits, tests = mean_of(runs, "shuffled_training_accuracy"), mean_of(runs, "shuffled_test_accuracy")
    whole = needed["cross-entropy-100"]
    all_test, all_training = whole.mean("test_accuracy"), whole.mean("training_accuracy")
    return Finding(
        fits > 0.95 and all_test > 0.95,
        Text(
            f"with the labels of 1,000 images shuffled the same network still learns {fits:.1%} of them by heart "
            f"(test accuracy {tests:.1%}): it could have done so with more. On the true labels of all 50,000 it is "
            "right "
            f"for {all_training:.1%} of the training and {all_test:.1%} of the test images, without any regularization",
            f"把 1,000 幅图像的标签打乱，同一网络仍能记住其中 {fits:.1%}（测试准确度 {tests:.1%}），"
            "可见它有死记硬背的能力；"
            f"而用全部 50,000 幅图像的真实标签、不加任何规范化时，训练准确度 {all_training:.1%}，测试准确度 "
            f"{all_test:.1%}",
        ),
    )


# --- the list -----------------------------------------------------------------------------------------------------

EXPERIMENTS = (
    Experiment(
        id="smaller-network",
        title=Text(
            "1,000 images with 3, 10, 30 and 100 hidden neurons, 100 epochs",
            "1,000 幅图像，3、10、30、100 个隐藏神经元，100 回合",
        ),
        source=SMALLER,
        measure=_sizes,
        claims=(
            Claim(
                Text(
                    "Reducing the size of the network reduces overfitting.",
                    "降低网络的规模可以减轻过匹配。",
                ),
                _smaller_overfits_less,
            ),
            Claim(
                Text(
                    "Large networks have the potential to be more powerful than small ones.",
                    "大的网络比小网络更有潜力。",
                ),
                _larger_is_stronger,
            ),
        ),
        minutes=0.4,
    ),
    Experiment(
        id="stuck-runs",
        title=Text(
            "Twenty starts with and without L2: how the runs scatter, how long the weights grow, how far they turn",
            "二十次随机初始化，有无 L2 规范化：结果的离散程度、权重的长度和转动",
        ),
        source=STUCK,
        measure=_many_starts,
        claims=(
            Claim(
                Text(
                    "Unregularized runs occasionally get stuck, and give quite different results; regularized runs are "
                    "much more reproducible.",
                    "无规范化的网络偶尔会被困住，各次结果相差很大；规范化的网络结果更容易复制。",
                ),
                _scatter,
            ),
            Claim(
                Text(
                    "Without regularization the weight vector grows, and steps then hardly change its direction.",
                    "没有规范化时权重向量会增长，之后的每一步几乎不再改变它的方向。",
                ),
                _weights_grow,
            ),
        ),
        deviations=(
            Text(
                f"The text names no network; [784, 30, 10] with the cross-entropy and the large start, {IMAGES:,} "
                "images "
                f"and {EPOCHS} epochs, λ/n as for 50,000 images and λ = {LAMBDA:g}.",
                f"书中没有说明是哪个网络；这里用 [784, 30, 10]、交叉熵和大的初始权重，{IMAGES:,} 幅图像，{EPOCHS} "
                "回合，"
                f"λ/n 与 50,000 幅图像、λ = {LAMBDA:g} 时相同。",
            ),
        ),
        drawings=(
            Drawing(
                "runs",
                Text(
                    "Left: a point for each run, blue with the penalty. Middle and right: means over the runs.",
                    "左：每次运行一个点，蓝色为加规范化。中、右：各次运行的平均。",
                ),
                _draw_starts,
            ),
        ),
        runs=20,
        minutes=0.1,
    ),
    Experiment(
        id="penalized-biases",
        title=Text("L2 on the biases as well", "偏差也加 L2 规范化"),
        source=BIASES,
        measure=_penalized_biases,
        claims=(
            Comparison(
                Text(
                    "Regularizing the biases often does not change the results very much.",
                    "对偏差也进行规范化，通常不会使结果改变太多。",
                ),
                _changes_little,
            ),
        ),
        needs=("l2-50000",),
        minutes=0.3,
    ),
    Experiment(
        id="self-regularized",
        title=Text(
            "80,000 parameters and 50,000 images: what descent does not learn by heart",
            "80,000 个参数与 50,000 幅图像：梯度下降没有死记硬背",
        ),
        source=HIMSELF,
        measure=_self_regularized,
        published=(Published("parameters", 80_000, "value", 500),),
        claims=(
            Comparison(
                Text(
                    "The network could overfit badly, and generalizes all the same: descent regularizes itself.",
                    "网络本可能严重过匹配，实际上却泛化得很好：梯度下降有一种自规范化的效应。",
                ),
                _could_overfit,
            ),
        ),
        deviations=(
            Text(
                "The text gives an argument and no experiment; shuffled labels are Zhang et al.'s (2017).",
                "书中只有推断，没有实验；打乱标签的做法来自 Zhang 等人（2017）。",
            ),
        ),
        needs=("cross-entropy-100",),
        minutes=0.2,
    ),
)
