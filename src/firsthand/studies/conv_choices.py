"""Chapter 6, what is said of convolutional networks in passing: strides, fields, pools, tanh, dropout, LeNet-5."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import fmean
from typing import TYPE_CHECKING

from firsthand import nn
from firsthand.data import ImageSplits, Splits, mnist
from firsthand.experiments.drawing import COLOURS, in_percent, panels
from firsthand.experiments.experiment import Claim, Comparison, Drawing, Experiment, Measured, Run, mean_of
from firsthand.experiments.result import Finding, Published, Result, Source, Text
from firsthand.learning import Recipe
from firsthand.nn import Network

from .common import accuracy, curves_of, measured, trained
from .convolution import conv_network

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["EXPERIMENTS"]

INTRODUCTION = "chapter 6, 'Introducing convolutional networks'"
PRACTICE = "chapter 6, 'Convolutional neural networks in practice'"
CHOICES = Source("Nielsen", f"{INTRODUCTION}: stride, local receptive field, pooling")
FIGURE = Source("Nielsen", f"{INTRODUCTION}, 'Putting it all together', figure")
SHALLOW = Source("Nielsen", f"{PRACTICE}: the shallow network, regularized")
TANH = Source("Nielsen", f"{PRACTICE}, problem 'Using the tanh activation function'")
LENET = Source("Nielsen", f"{INTRODUCTION} and {PRACTICE}: LeNet-5; LeCun, Bottou, Bengio and Haffner 1998")
FASTER = Source("Nielsen", f"{PRACTICE}: what has made it possible to train deep networks, (3) and (4)")
DROPOUT = Source("Nielsen", f"{PRACTICE}: dropout, and why only in the fully connected layers")

IMAGES = 10_000
IN_SMALL = Text(
    f"In small: the first {IMAGES:,} training images, and few epochs.",
    f"小规模：只用前 {IMAGES:,} 幅训练图像，回合数也少。",
)


def _fewer(run: Run) -> ImageSplits:
    """MNIST with the first training images."""
    data = mnist()
    return Splits(data.train[: run.shortened(IMAGES, 500)], data.validation, data.test)


def _best(runs: Sequence[Measured], names: Sequence[str]) -> str:
    """The choice of the best validation accuracy, mean over the runs."""
    return max(names, key=lambda name: mean_of(runs, f"{name}_validation_accuracy"))


def _listed(runs: Sequence[Measured], names: Sequence[str]) -> str:
    return ", ".join(f"{name} {mean_of(runs, f'{name}_validation_accuracy'):.2%}" for name in names)


# --- stride, field, pooling ---------------------------------------------------------------------------------------

FIELDS = {f"field-{size}": (nn.Convolution(10, size, activation=nn.relu), nn.MaxPool(2)) for size in (3, 7)}
STRIDES = {"stride-2": (nn.Convolution(10, 5, stride=2, activation=nn.relu),)}
POOLS = {
    "max": (nn.Convolution(10, 5, activation=nn.relu), nn.MaxPool(2)),
    "L2": (nn.Convolution(10, 5, activation=nn.relu), nn.L2Pool(2)),
    "average": (nn.Convolution(10, 5, activation=nn.relu), nn.AveragePool(2)),
}
BASIS = "max"  # field 5, stride 1, max-pooling: the text's own


def _choices(run: Run) -> Measured:
    recipe = Recipe(epochs=run.shortened(6, 1), batch_size=10, learning_rate=0.03)
    numbers = {}
    for name, first in {**POOLS, **FIELDS, **STRIDES}.items():
        layers = (*first, nn.FullyConnected(50, nn.relu, weights_init=nn.he), nn.Softmax(10))
        found = measured(trained(run, layers, recipe, data=_fewer(run), name=name)).numbers
        numbers |= {f"{name}_{part}": found[part] for part in ("validation_accuracy", "test_accuracy")}
    return Measured(numbers)


def _chosen(runs: Sequence[Measured]) -> Finding:
    rows = (("max", *FIELDS), ("max", *STRIDES), tuple(POOLS))
    chosen = [_best(runs, names) for names in rows]
    gain = 100 * max(
        mean_of(runs, f"{name}_test_accuracy") - mean_of(runs, f"{BASIS}_test_accuracy") for name in chosen
    )
    said = "; ".join(_listed(runs, names) for names in rows)
    return Finding(
        gain >= -0.2,
        Text(
            f"validation accuracy ('max' is field 5, stride 1, max-pooling): {said}; chosen: {', '.join(chosen)}; on "
            "the "
            f"test data the best of them is {gain:+.2f} points from the text's own choice",
            f"验证准确度（max 即 5x5 的局部接受域、步长 1、最大池化）：{said}；选出 {'、'.join(chosen)}；"
            f"其中最好的在测试数据上与书中的选择相差 {gain:+.2f} 个百分点",
        ),
    )


def _draw_choices(result: Result, needed: Mapping[str, Result]) -> "Figure":
    names = [*POOLS, *FIELDS, *STRIDES]
    labels = ["5×5, max", "5×5, L2", "5×5, average", "3×3, max", "7×7, max", "5×5, stride 2"]
    figure, ((axes,),) = panels(1, 1, width=6, height=3.2)
    for place, name in enumerate(names):
        values = result.values(f"{name}_validation_accuracy")
        axes.plot([place] * len(values), values, "o", color=COLOURS[0 if name in POOLS else 1], mfc="none")
    axes.set(xticks=range(len(names)), ylabel="validation accuracy")
    axes.set_xticklabels(labels, rotation=15)
    in_percent(axes)
    return figure


# --- the network of the figure ------------------------------------------------------------------------------------


def _figure_network(run: Run) -> Measured:
    layers = (
        nn.Convolution(3, 5, activation=nn.sigmoid),
        nn.MaxPool(2),
        nn.Softmax(10),
    )
    network = Network(layers)
    _, convolved, pooled, _ = network.shapes
    recipe = Recipe(epochs=12, batch_size=10, learning_rate=0.3)
    found = accuracy(run, layers, recipe).numbers
    sizes = {"hidden_feature_neurons": float(_size(convolved)), "pooled_neurons": float(_size(pooled))}
    return Measured({**sizes, "parameters": float(network.parameter_count), **found})


def _size(shape: tuple[int, ...]) -> int:
    return shape[0] * shape[1] * shape[2]


def _good_job(runs: Sequence[Measured], needed: Mapping[str, Result]) -> Finding:
    found, shallow = mean_of(runs, "test_accuracy"), needed["shallow"].mean("test_accuracy")
    return Finding(
        found > 0.95,
        Text(
            f"test accuracy {found:.2%} with {mean_of(runs, 'parameters'):,.0f} parameters; the shallow network of the "
            f"next section has 79,510 and {shallow:.2%} (asked for: more than 95 %)",
            f"测试准确度 {found:.2%}，参数 {mean_of(runs, 'parameters'):,.0f} 个；下一节的浅层网络有 79,510 个参数，"
            f"{shallow:.2%}（判定：高于 95 %）",
        ),
    )


# --- the shallow network, regularized -----------------------------------------------------------------------------


def _shallow_l2(run: Run) -> Measured:
    recipe = Recipe(epochs=30, batch_size=10, learning_rate=0.1)
    numbers = {}
    for name, l2 in (("without", 0.0), ("with", 5.0 / 50_000)):
        found = measured(trained(run, conv_network((), (100,), nn.sigmoid), replace(recipe, l2=l2), name=name)).numbers
        numbers |= {f"{name}_{quantity}": value for quantity, value in found.items()}
    return Measured(numbers)


def _small_gain(runs: Sequence[Measured]) -> Finding:
    gains = [100 * (run.numbers["with_test_accuracy"] - run.numbers["without_test_accuracy"]) for run in runs]
    return Finding(
        0 < fmean(gains) < 0.5,
        Text(
            f"with λ = 5 {mean_of(runs, 'with_test_accuracy'):.2%}, without "
            f"{mean_of(runs, 'without_test_accuracy'):.2%}: "
            f"{fmean(gains):+.2f} points, run by run {', '.join(f'{gain:+.2f}' for gain in gains)} (asked for: a gain "
            "below 0.5)",
            f"λ = 5 时 {mean_of(runs, 'with_test_accuracy'):.2%}，不用时 {mean_of(runs, 'without_test_accuracy'):.2%}："
            f"{fmean(gains):+.2f} 个百分点，各次 {'、'.join(f'{gain:+.2f}' for gain in gains)}（判定：有增益且小于 "
            "0.5）",
        ),
    )


# --- tanh, half a dozen settings ----------------------------------------------------------------------------------

SETTINGS = {
    "sigmoid, rate 0.1": (nn.sigmoid, nn.scaled, 0.1),
    "sigmoid, rate 0.4": (nn.sigmoid, nn.scaled, 0.4),
    "sigmoid, rate 1.0": (nn.sigmoid, nn.scaled, 1.0),
    "tanh, rate 0.1": (nn.tanh, nn.scaled, 0.1),
    "tanh, rate 0.03": (nn.tanh, nn.scaled, 0.03),
    "tanh, rate 0.3": (nn.tanh, nn.scaled, 0.3),
    "tanh, rate 0.1, Glorot's start": (nn.tanh, nn.glorot, 0.1),
    "tanh, rate 0.03, Glorot's start": (nn.tanh, nn.glorot, 0.03),
    "tanh, rate 0.1, He's start": (nn.tanh, nn.he, 0.1),
}


def _tanh_settings(run: Run) -> Measured:
    numbers, arrays = {}, {}
    for name, (activation, start, rate) in SETTINGS.items():
        layers = conv_network((10, 20), (50,), activation, weights_init=start)
        recipe = Recipe(epochs=run.shortened(8, 1), batch_size=10, learning_rate=rate)
        training = trained(run, layers, recipe, data=_fewer(run), name=name.replace(" ", "-").replace("'", ""))
        curve = curves_of(training)["validation_accuracy"]
        numbers |= {
            f"{name}: validation_accuracy": max(curve),
            f"{name}: after 3 epochs": curve[min(2, len(curve) - 1)],
            f"{name}: test_accuracy": training.model.provenance["accuracies"]["test"],
        }
        arrays[name] = curve
    return Measured(numbers, arrays)


def _of(runs: Sequence[Measured], kind: str, what: str) -> tuple[str, float]:
    """The best setting of a kind and its number, means over the runs."""
    names = [name for name in SETTINGS if name.startswith(kind)]
    best = max(names, key=lambda name: mean_of(runs, f"{name}: {what}"))
    return best, mean_of(runs, f"{best}: {what}")


def _sigmoid_keeps_up(runs: Sequence[Measured]) -> Finding:
    (tanh, fast), (sigmoid, reached) = (_of(runs, kind, "after 3 epochs") for kind in ("tanh", "sigmoid"))
    same = mean_of(runs, "sigmoid, rate 0.1: after 3 epochs")
    return Finding(
        reached > fast - 0.01,
        Text(
            f"validation accuracy after 3 epochs: {reached:.2%} ({sigmoid}), {fast:.2%} ({tanh}); at the rate 0.1 the "
            f"sigmoid has {same:.2%} (asked for: within a point)",
            f"3 个回合后的验证准确度：{reached:.2%}（{sigmoid}），{fast:.2%}（{tanh}）；学习率 0.1 时 sigmoid 为 "
            f"{same:.2%}（判定：相差 1 个百分点以内）",
        ),
    )


def _tanh_superior(runs: Sequence[Measured]) -> Finding:
    (tanh, _), (sigmoid, _) = (_of(runs, kind, "validation_accuracy") for kind in ("tanh", "sigmoid"))
    pairs = [(run.numbers[f"{tanh}: test_accuracy"], run.numbers[f"{sigmoid}: test_accuracy"]) for run in runs]
    gains = [100 * (a - b) for a, b in pairs]
    return Finding(
        min(gains) > 0,
        Text(
            f"chosen by validation: {tanh} with {fmean(a for a, _ in pairs):.2%} test accuracy, {sigmoid} with "
            f"{fmean(b for _, b in pairs):.2%}; points gained, run by run: "
            f"{', '.join(f'{gain:+.2f}' for gain in gains)}",
            f"按验证数据选出：{tanh}，测试准确度 {fmean(a for a, _ in pairs):.2%}；{sigmoid}，"
            f"{fmean(b for _, b in pairs):.2%}；各次增量（百分点）{'、'.join(f'{gain:+.2f}' for gain in gains)}",
        ),
    )


def _draw_settings(result: Result, needed: Mapping[str, Result]) -> "Figure":
    import numpy as np

    figure, ((axes,),) = panels(1, 1, width=7, height=3.8)
    lines = ("-", "--", ":")
    seen = {"tanh": 0, "sigmoid": 0}
    for name in SETTINGS:
        kind = name.split(",")[0]
        curve = np.mean([run["arrays"][name] for run in result.runs], axis=0)
        colours = (COLOURS[0], COLOURS[2]) if kind == "tanh" else (COLOURS[1],)
        colour = colours[seen[kind] // 3 % len(colours)]
        axes.plot(range(1, len(curve) + 1), curve, lines[seen[kind] % 3], color=colour, label=name)
        seen[kind] += 1
    axes.set(xlabel="epoch", ylabel="validation accuracy", ylim=(0.9, None))
    axes.legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
    in_percent(axes)
    return figure


# --- ReLU is faster, from the curves that are there ---------------------------------------------------------------

LEVEL = 0.988
PAIR = ("conv-2", "conv-2-relu")


def _speed(run: Run) -> Measured:
    epochs = {}
    for id in PAIR:
        curves = [each["arrays"]["validation_accuracy"] for each in run.needed[id].runs]
        epochs[id] = fmean(
            next((i for i, v in enumerate(curve, start=1) if v >= LEVEL), len(curve)) for curve in curves
        )
    factor = epochs["conv-2"] / epochs["conv-2-relu"]
    return Measured(
        {
            "epochs_of_sigmoid": epochs["conv-2"],
            "epochs_of_relu": epochs["conv-2-relu"],
            "times_as_fast": factor,
            # 40 epochs of 250,000 images against 30 of 50,000
            "times_as_much_training": factor * (40 * 5) / 30,
        }
    )


def _three_to_five(runs: Sequence[Measured]) -> Finding:
    n = runs[0].numbers
    return Finding(
        3 <= n["times_as_fast"] <= 5,
        Text(
            f"{LEVEL:.1%} of the validation images after {n['epochs_of_relu']:.1f} epochs with rectified linear units, "
            f"after {n['epochs_of_sigmoid']:.1f} with sigmoid units (means over the stored runs): "
            f"{n['times_as_fast']:.1f} times as fast",
            f"修正线性单元在第 {n['epochs_of_relu']:.1f} 回合达到验证准确度 {LEVEL:.1%}，sigmoid 在第 "
            f"{n['epochs_of_sigmoid']:.1f} 回合（已存各次运行的平均）：快 {n['times_as_fast']:.1f} 倍",
        ),
    )


def _thirty_times(runs: Sequence[Measured]) -> Finding:
    times = runs[0].numbers["times_as_much_training"]
    return Finding(
        15 <= times <= 60,
        Text(
            f"40 epochs of five times as many images against 30 epochs, and that factor: {times:.0f} times as much "
            "training (asked for: 30 within a factor of two)",
            f"5 倍图像训练 40 回合，对比 30 回合，再乘以上面的倍数：相当于 {times:.0f} 倍的训练（判定：30 "
            "的二分之一到两倍）",
        ),
    )


# --- dropout: how wide, and where ---------------------------------------------------------------------------------


def _dropout_layers(units: int, convolutional: bool) -> tuple[nn.Layer, ...]:
    convs = (nn.ConvPool(10, weights_init=nn.he), nn.ConvPool(20, weights_init=nn.he))
    some = nn.Dropout(0.25)
    first = (convs[0], some, convs[1], some) if convolutional else convs
    hidden = nn.FullyConnected(units, nn.relu, weights_init=nn.he)
    return (*first, nn.Dropout(0.5), hidden, nn.Dropout(0.5), nn.Softmax(10))


KINDS = {"1000": (1000, False), "300": (300, False), "everywhere": (300, True)}


def _dropout_where(run: Run) -> Measured:
    recipe = Recipe(epochs=run.shortened(15, 1), batch_size=20, learning_rate=0.05)
    numbers = {}
    for name, (units, convolutional) in KINDS.items():
        layers = _dropout_layers(units, convolutional)
        found = measured(trained(run, layers, recipe, data=_fewer(run), name=name)).numbers
        numbers |= {f"{name}_{part}": found[part] for part in ("validation_accuracy", "test_accuracy")}
    return Measured(numbers)


def _wide_is_better(runs: Sequence[Measured]) -> Finding:
    gains = [100 * (run.numbers["1000_validation_accuracy"] - run.numbers["300_validation_accuracy"]) for run in runs]
    return Finding(
        0 < fmean(gains) < 0.5,
        Text(
            f"validation accuracy {_listed(runs, ('1000', '300'))}: {fmean(gains):+.2f} points, run by run "
            f"{', '.join(f'{gain:+.2f}' for gain in gains)} (asked for: better by less than 0.5)",
            f"验证准确度：{_listed(runs, ('1000', '300'))}，相差 {fmean(gains):+.2f} 个百分点，各次 "
            f"{'、'.join(f'{gain:+.2f}' for gain in gains)}（判定：略好，小于 0.5）",
        ),
    )


def _no_need(runs: Sequence[Measured]) -> Finding:
    gains = [100 * (run.numbers["everywhere_test_accuracy"] - run.numbers["300_test_accuracy"]) for run in runs]
    return Finding(
        fmean(gains) < 0.1,
        Text(
            "with dropout of 1/4 behind the convolutional layers as well, test accuracy changes by "
            f"{fmean(gains):+.2f} "
            f"points, run by run {', '.join(f'{gain:+.2f}' for gain in gains)} (asked for: a gain below 0.1)",
            f"卷积层之后也加 1/4 的 dropout，测试准确度变化 {fmean(gains):+.2f} 个百分点，各次 "
            f"{'、'.join(f'{gain:+.2f}' for gain in gains)}（判定：增益小于 0.1）",
        ),
    )


# --- LeNet-5 ------------------------------------------------------------------------------------------------------


def _lenet(run: Run) -> Measured:
    layers = (
        nn.Convolution(6, 5, padding=2, activation=nn.tanh),
        nn.AveragePool(2),
        nn.Convolution(16, 5, activation=nn.tanh),
        nn.AveragePool(2),
        nn.FullyConnected(120, nn.tanh),
        nn.FullyConnected(84, nn.tanh),
        nn.Softmax(10),
    )
    network = Network(layers)
    recipe = Recipe(epochs=8, batch_size=10, learning_rate=0.03, monitor=("validation_accuracy",))
    found = accuracy(run, layers, recipe)
    sizes = {"feature_maps": float(network.shapes[1][2]), "parameters": float(network.parameter_count)}
    return Measured({**sizes, **found.numbers}, found.arrays)


def _close_to_ours(runs: Sequence[Measured], needed: Mapping[str, Result]) -> Finding:
    found, ours = mean_of(runs, "test_accuracy"), needed["conv-2"].mean("test_accuracy")
    return Finding(
        abs(found - ours) < 0.005,
        Text(
            f"test accuracy {found:.2%} with {mean_of(runs, 'parameters'):,.0f} parameters; the chapter's network of "
            "two "
            f"convolutional layers {ours:.2%}",
            f"测试准确度 {found:.2%}，参数 {mean_of(runs, 'parameters'):,.0f} 个；本章的两个卷积层的网络为 {ours:.2%}",
        ),
    )


# --- the list -----------------------------------------------------------------------------------------------------

EXPERIMENTS = (
    Experiment(
        "conv-choices",
        Text(
            "Stride, size of the local receptive fields and kind of pooling, chosen by validation",
            "步长、局部接受域大小和池化方式，用验证数据选择",
        ),
        CHOICES,
        _choices,
        claims=(
            Claim(
                Text(
                    "Validation data can pick the stride, the field and the pooling (and do not do worse than the "
                    "text's "
                    "choice by more than 0.2 points).",
                    "可以用验证数据选择步长、局部接受域和池化方式（不比书中的选择差 0.2 个百分点以上）。",
                ),
                _chosen,
            ),
        ),
        deviations=(IN_SMALL,),
        drawings=(
            Drawing(
                "choices",
                Text("A point for each run; blue: the kinds of pooling.", "每次运行一个点；蓝色为不同的池化方式。"),
                _draw_choices,
            ),
        ),
        minutes=0.5,
    ),
    Experiment(
        "figure-network",
        Text("The network of the figure: 28x28, 3x24x24, 3x12x12, 10", "图中的网络：28x28、3x24x24、3x12x12、10"),
        FIGURE,
        _figure_network,
        published=(
            Published("hidden_feature_neurons", 3 * 24 * 24, "value", 0),
            Published("pooled_neurons", 3 * 12 * 12, "value", 0),
        ),
        claims=(
            Comparison(
                Text("Trained as before, it does a good job.", "用同样的方法训练，它能很好地识别数字。"), _good_job
            ),
        ),
        deviations=(
            Text(
                "The text trains other networks; 12 epochs, learning rate 0.3, softmax at the end.",
                "书中训练的是别的网络；这里训练 12 回合，学习率 0.3，最后一层为 softmax。",
            ),
        ),
        needs=("shallow",),
        minutes=0.5,
    ),
    Experiment(
        "shallow-l2",
        Text("The shallow network, regularized", "浅层网络加规范化"),
        SHALLOW,
        _shallow_l2,
        claims=(
            Claim(
                Text("Regularizing improves the accuracy, but only a little.", "规范化能提高准确度，但增益很小。"),
                _small_gain,
            ),
        ),
        deviations=(Text("30 epochs, as in chapter 3, instead of 60.", "训练 30 回合（如第三章），而不是 60 回合。"),),
        minutes=0.5,
    ),
    Experiment(
        "tanh-settings",
        Text(
            "Tanh and sigmoid in a convolutional network: nine settings of rate and start",
            "卷积网络中的 tanh 与 sigmoid：学习率和初始化的九种设置",
        ),
        TANH,
        _tanh_settings,
        claims=(
            Claim(
                Text(
                    "Can you get a similar training speed with the sigmoid, perhaps by changing the learning rate?",
                    "改变学习率等，能让 sigmoid 网络达到相近的训练速度吗？",
                ),
                _sigmoid_keeps_up,
            ),
            Claim(
                Text(
                    "Half a dozen iterations on the hyper-parameters: is tanh superior to the sigmoid?",
                    "对超参数做六次左右的尝试：tanh 优于 sigmoid 吗？",
                ),
                _tanh_superior,
            ),
        ),
        deviations=(IN_SMALL,),
        drawings=(
            Drawing(
                "validation",
                Text(
                    "Means of the runs. Orange: sigmoid; blue and green: tanh.",
                    "各次运行的平均。橙色为 sigmoid，蓝色和绿色为 tanh。",
                ),
                _draw_settings,
            ),
        ),
        minutes=0.7,
    ),
    Experiment(
        "relu-speed",
        Text("How much faster rectified linear units learn", "修正线性单元学得快多少"),
        FASTER,
        _speed,
        claims=(
            Claim(
                Text(
                    "Rectified linear units speed up training, often by a factor of 3 to 5.",
                    "修正线性单元使训练加快，常常快 3 到 5 倍。",
                ),
                _three_to_five,
            ),
            Claim(
                Text(
                    "All in all it is as if we had trained perhaps 30 times as long.",
                    "总起来就像训练了大约 30 倍的时间。",
                ),
                _thirty_times,
            ),
        ),
        runs=1,
        needs=PAIR,
    ),
    Experiment(
        "dropout-where",
        Text(
            "Dropout: 1,000 or 300 hidden units, and on the convolutional layers as well",
            "dropout：1,000 还是 300 个隐藏神经元，以及卷积层是否也用",
        ),
        DROPOUT,
        _dropout_where,
        claims=(
            Claim(
                Text(
                    "With 1,000 hidden neurons validation performance is very slightly better than with 300.",
                    "1,000 个隐藏神经元的验证成绩比 300 个略好一点点。",
                ),
                _wide_is_better,
            ),
            Claim(
                Text(
                    "There is no need of dropout on the convolutional layers: they resist overfitting.",
                    "卷积层不需要 dropout：它们本身就不容易过匹配。",
                ),
                _no_need,
            ),
        ),
        deviations=(
            IN_SMALL,
            Text(
                "10 and 20 kernels and one fully connected layer, where the text has 20, 40 and two.",
                "用 10 和 20 个卷积核、一个全连接层；书中为 20、40 个和两个。",
            ),
        ),
        minutes=1,
    ),
    Experiment(
        "lenet-5",
        Text("LeNet-5, the network that ours are variants of", "LeNet-5：本章的网络是它的变体"),
        LENET,
        _lenet,
        published=(
            Published("feature_maps", 6, "value", 0),
            # LeCun et al. 1998: test error 0.95 % without distorted images
            Published("test_accuracy", 0.9905),
        ),
        claims=(
            Comparison(
                Text(
                    "The chapter's network is a variant of it: both end alike (within half a point).",
                    "本章的网络是它的一个变体：两者结果相近（相差半个百分点以内）。",
                ),
                _close_to_ours,
            ),
        ),
        deviations=(
            Text(
                "As it is usually described: 6 and 16 maps, 120 and 84 units, tanh. The paper's second layer is not "
                "connected to all maps, its pooling has weights of its own, its output layer measures distances, and "
                "it trains on 60,000 images.",
                "按通常的描述：6 和 16 个特征图，120 和 84 个神经元，tanh。论文的第二层只与部分特征图相连，"
                "池化有自己的权重，输出层计算距离，并用 60,000 幅图像训练。",
            ),
        ),
        needs=("conv-2",),
        minutes=1.5,
    ),
)
