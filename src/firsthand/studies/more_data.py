"""Chapter 3, more data: accuracy against the number of training images."""

import importlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from firsthand.data import Dataset, Splits, mnist
from firsthand.errors import FirsthandError
from firsthand.experiments.drawing import COLOURS, in_percent, panels
from firsthand.experiments.experiment import Claim, Comparison, Drawing, Experiment, Measured, Run, mean_of
from firsthand.experiments.result import Finding, Result, Source, Text
from firsthand.files import write_atomically
from firsthand.learning import train
from firsthand.nn import Network

from .cost_functions import large_network
from .overfitting import LONG

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["EXPERIMENTS", "SIZES"]

EXPANDING = Source("Nielsen", "chapter 3, 'Other techniques for regularization', expanding the data (人工扩展训练数据)")
BIG_DATA = Source("Nielsen", "chapter 3, an aside on big data (大数据的旁白和对分类准确度的影响)")

SIZES = (100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000)
QUICK_SIZES = (100, 500, 2000)
EXAMPLES = 30 * 50_000  # that every training passes over


# --- more data ----------------------------------------------------------------------------------------------------


def _at_all_sizes(run: Run, accuracies: Callable[[Run, int], dict[str, float]]) -> Measured:
    """Accuracies at every size; those that are in the run's folder already are not computed again."""
    sizes = QUICK_SIZES if run.quick else SIZES
    kept = run.place / "sizes.json"
    found = {int(size): row for size, row in json.loads(kept.read_text()).items()} if kept.exists() else {}
    for size in sizes:
        if size not in found:
            found[size] = accuracies(run, size)
            write_atomically(kept, json.dumps(found))
        run.say(f"{size:,} images {found[size]['validation']:.4f}")
    numbers = {f"{part}_accuracy_{size}": found[size][part] for size in sizes for part in ("validation", "test")}
    return Measured(numbers, {"sizes": list(sizes)})


def _network_at(run: Run, size: int) -> dict[str, float]:
    data = mnist()
    # the best epoch of thousands would be found by luck: the last one counts, as in the text's program
    recipe = replace(LONG, epochs=run.shortened(EXAMPLES, 10_000) // size, l2=5.0 / 50_000, monitor=())
    splits = Splits(data.train[:size], data.validation, data.test)
    return train(Network(large_network(30)), splits, recipe, key=run.key).model.provenance["accuracies"]


def _rises_to_the_end(runs: Sequence[Measured]) -> Finding:
    sizes = runs[0].arrays["sizes"]
    reached = [mean_of(runs, f"validation_accuracy_{size}") for size in sizes]
    rises = np.diff(reached)
    listed = ", ".join(f"{size:,}: {value:.2%}" for size, value in zip(sizes, reached, strict=True))
    return Finding(
        bool(np.all(rises > 0)),
        Text(
            f"{listed}; from {sizes[-2]:,} to {sizes[-1]:,} images {100 * rises[-1]:+.2f} points",
            f"{listed}；从 {sizes[-2]:,} 到 {sizes[-1]:,} 幅图像 {100 * rises[-1]:+.2f} 个百分点",
        ),
    )


def _means(result: Result) -> tuple[list[int], list[float]]:
    sizes = result.runs[0]["arrays"]["sizes"]
    return sizes, [result.mean(f"validation_accuracy_{size}") for size in sizes]


def _draw_more_data(result: Result, needed: Mapping[str, Result]) -> "Figure":
    figure, (axes,) = panels(1, 2)
    sizes, means = _means(result)
    for each, scale in zip(axes, ("linear", "log"), strict=True):
        for run in result.runs:
            values = [run["numbers"][f"validation_accuracy_{size}"] for size in sizes]
            each.plot(sizes, values, "o", color=COLOURS[0], markersize=3, alpha=0.5)
        each.plot(sizes, means, color=COLOURS[0])
        each.set(xscale=scale, xlabel="training images", title="logarithmic" if scale == "log" else "linear")
        in_percent(each)
    axes[0].set_ylabel("accuracy on the validation data")
    axes[0].xaxis.set_major_formatter("{x:,.0f}")
    axes[0].locator_params(axis="x", nbins=5)
    return figure


# --- an SVM beside it ---------------------------------------------------------------------------------------------


def _svm(run: Run) -> Measured:
    return _at_all_sizes(run, _svm_at)


def _svm_at(run: Run, size: int) -> dict[str, float]:
    try:
        svm = importlib.import_module("sklearn.svm")  # of an extra: it need not be there
    except ImportError:
        raise FirsthandError(
            "more-data-svm: scikit-learn is not installed; install it with: pip install 'scikit-learn>=1.4'"
        ) from None
    data = mnist()
    # gamma="auto", 1/784, was the default when the text was written; the cache changes only the time
    machine = svm.SVC(kernel="rbf", C=1.0, gamma="auto", cache_size=1000).fit(*_rows(data.train[:size]))
    judges = {"validation": data.validation, "test": data.test}
    at_most = run.shortened(10_000, 1000)
    return {name: machine.score(*_rows(part[:at_most])) for name, part in judges.items()}


def _rows(data: Dataset) -> tuple[np.ndarray, np.ndarray]:
    return data.images.reshape(len(data), -1) / 255, data.labels


def _both(runs: Sequence[Measured], needed: Mapping[str, Result]) -> list[tuple[int, float, float]]:
    """Size, accuracy of the network, accuracy of the SVM, wherever both were measured."""
    network = dict(zip(*_means(needed["more-data"]), strict=True))
    sizes = [size for size in runs[0].arrays["sizes"] if size in network]
    return [(size, network[size], mean_of(runs, f"validation_accuracy_{size}")) for size in sizes]


def _network_is_ahead(runs: Sequence[Measured], needed: Mapping[str, Result]) -> Finding:
    both = _both(runs, needed)
    behind = [size for size, network, svm in both if network <= svm]
    listed = ", ".join(f"{size:,}: {100 * (network - svm):+.2f}" for size, network, svm in both)
    return Finding(
        not behind,
        Text(f"points by which the network is ahead, by size: {listed}", f"各规模下网络领先的百分点：{listed}"),
    )


def _data_makes_up(runs: Sequence[Measured], needed: Mapping[str, Result]) -> Finding:
    both = _both(runs, needed)
    most, few = both[-1], next((row for row in both if row[0] >= 5000), both[0])
    return Finding(
        most[2] > few[1],
        Text(
            f"the SVM with {most[0]:,} images {most[2]:.2%}, the network with {few[0]:,} {few[1]:.2%}",
            f"{most[0]:,} 幅图像的 SVM 为 {most[2]:.2%}，{few[0]:,} 幅图像的网络为 {few[1]:.2%}",
        ),
    )


def _draw_svm(result: Result, needed: Mapping[str, Result]) -> "Figure":
    figure, ((axes,),) = panels(1, 1, width=6.5, height=3.8)
    for found, marker, line, colour, name in (
        (needed["more-data"], "o", "-", COLOURS[0], "network, [784, 30, 10]"),
        (result, "s", "--", COLOURS[1], "SVM, RBF kernel"),
    ):
        axes.plot(*_means(found), line, marker=marker, color=colour, markersize=4, label=name)
    axes.set(xscale="log", xlabel="training images", ylabel="accuracy on the validation data")
    axes.legend(frameon=False)
    in_percent(axes)
    return figure


# --- the list -----------------------------------------------------------------------------------------------------

EXPERIMENTS = (
    Experiment(
        id="more-data",
        title=Text("Accuracy against the number of training images", "准确度随训练数据规模的变化"),
        source=EXPANDING,
        measure=lambda run: _at_all_sizes(run, _network_at),
        claims=(
            Claim(
                Text(
                    "Accuracy rises with every enlargement, to the end.",
                    "训练数据每次增多，准确度都提升，直到最后仍在增加。",
                ),
                _rises_to_the_end,
            ),
        ),
        deviations=(
            Text(
                "Accuracies are those of the last epoch, on the 10,000 validation images; all sizes take 150,000 "
                "steps, so that "
                "the epochs are 30 at 50,000 images and 15,000 at 100.",
                "准确度取最后一回合在 10,000 幅验证图像上的值；各规模都训练 150,000 步，即 50,000 幅时 30 回合，100 "
                "幅时 15,000 回合。",
            ),
        ),
        drawings=(
            Drawing(
                "accuracy",
                Text(
                    "The same numbers twice: the linear curve seems to saturate, the logarithmic one does not.",
                    "同样的数据画两次：线性横轴上似乎饱和，对数横轴上并没有。",
                ),
                _draw_more_data,
            ),
        ),
        minutes=3,
    ),
    Experiment(
        id="more-data-svm",
        title=Text("A support vector machine on the same data", "支持向量机在同样数据上的准确度"),
        source=BIG_DATA,
        measure=_svm,
        claims=(
            Comparison(
                Text("The network is ahead of the SVM at every size.", "神经网络在每个训练规模下都超过 SVM。"),
                _network_is_ahead,
            ),
            Comparison(
                Text(
                    "The SVM with 50,000 images beats the network with 5,000.",
                    "用 50,000 幅图像训练的 SVM 超过用 5,000 幅图像训练的网络。",
                ),
                _data_makes_up,
            ),
        ),
        deviations=(
            Text(
                "scikit-learn as it is today, with the settings that were its defaults then: RBF kernel, C = 1, "
                "gamma = 1/784; "
                "pixels are v/255, the book's v/256.",
                "使用今天的 scikit-learn，参数取当时的默认值：RBF 核，C = 1，gamma = 1/784；像素为 v/255，书中为 "
                "v/256。",
            ),
        ),
        drawings=(
            Drawing(
                "accuracy",
                Text(
                    "More data make up for a weaker method: compare the right end of the SVM with the network at "
                    "5,000.",
                    "更多的数据可以弥补算法的差距：比较 SVM 曲线的右端与网络在 5,000 处的值。",
                ),
                _draw_svm,
            ),
        ),
        runs=1,
        needs=("more-data",),
        minutes=15,
    ),
)
