"""Chapter 6, what is said of convolutional networks in passing: tanh settings, the speed of ReLUs, dropout."""

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import TYPE_CHECKING

import numpy as np

from firsthand import nn
from firsthand.experiments.drawing import COLOURS, in_percent, panels
from firsthand.experiments.experiment import Claim, Drawing, Experiment, Measured, Run, mean_of
from firsthand.experiments.result import Finding, Result, Source, Text
from firsthand.learning import Recipe

from .common import curves_of, measured, trained
from .conv_choices import IN_SMALL, PRACTICE, fewer, listed
from .convolution import conv_network

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["EXPERIMENTS"]

TANH = Source("Nielsen", f"{PRACTICE}, problem 'Using the tanh activation function'")
FASTER = Source("Nielsen", f"{PRACTICE}: what has made it possible to train deep networks, (3) and (4)")
DROPOUT = Source("Nielsen", f"{PRACTICE}: dropout, and why only in the fully connected layers")

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
        training = trained(run, layers, recipe, data=fewer(run), name=name.replace(" ", "-").replace("'", ""))
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
        found = measured(trained(run, layers, recipe, data=fewer(run), name=name)).numbers
        numbers |= {f"{name}_{part}": found[part] for part in ("validation_accuracy", "test_accuracy")}
    return Measured(numbers)


def _wide_is_better(runs: Sequence[Measured]) -> Finding:
    gains = [100 * (run.numbers["1000_validation_accuracy"] - run.numbers["300_validation_accuracy"]) for run in runs]
    return Finding(
        0 < fmean(gains) < 0.5,
        Text(
            f"validation accuracy {listed(runs, ('1000', '300'))}: {fmean(gains):+.2f} points, run by run "
            f"{', '.join(f'{gain:+.2f}' for gain in gains)} (asked for: better by less than 0.5)",
            f"验证准确度：{listed(runs, ('1000', '300'))}，相差 {fmean(gains):+.2f} 个百分点，各次 "
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


# --- the list -----------------------------------------------------------------------------------------------------

EXPERIMENTS = (
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
)
