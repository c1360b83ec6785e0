"""Chapter 6, neural Turing machines: a network that copies, and goes on copying where it was never trained."""

from collections.abc import Mapping, Sequence
from functools import partial
from statistics import median
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np

from firsthand import nn
from firsthand.data import Arrays
from firsthand.experiments.drawing import COLOURS, curves, in_percent, panels
from firsthand.experiments.experiment import Claim, Drawing, Experiment, Measured, Run
from firsthand.experiments.result import Finding, Result, Source, Text
from firsthand.learning import Bits, evaluate
from firsthand.models import Regressor
from firsthand.nn import Network
from firsthand.zoo.machines import COPY, NTM_COPY, MadeTask, turing_recipe

from .common import short, trained

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["EXPERIMENTS", "TURING", "at_length", "busiest", "draw_machine", "each", "failing", "watched"]

TURING = Source(
    "Nielsen", "chapter 6, 'Other approaches' (其他的深度学习模型): neural Turing machines infer sorting and copying"
)
EPOCHS, EACH_EPOCH = 40, 1_000
LENGTHS = (10, 20, 30, 40, 60, 80)
LONGER = (40, 60, 80)
TESTED = 100  # sequences of each length
WRONG = 0.05
SHOWN = 12  # vectors of the sequence in the picture
WINDOW = 30  # slots in the picture
NAMES = {
    "feedforward": Text("NTM, feed-forward controller", "NTM，前馈控制器"),
    "lstm_controller": Text("NTM, LSTM controller", "NTM，LSTM 控制器"),
    "lstm": Text("LSTM, 256 units", "LSTM，256 个单元"),
}


def _layers() -> dict[str, nn.Layer]:
    machine = NTM_COPY.layers[0]
    controlled = nn.NeuralTuringMachine(100, controller="lstm")
    return dict(zip(NAMES, (machine, controlled, nn.LSTM(256)), strict=True))


def _measure(run: Run) -> Measured:
    numbers, arrays = {}, {}
    epochs, count = run.shortened(EPOCHS, 2), run.shortened(EACH_EPOCH, 40)
    data = COPY.splits(epochs, count, run.shortened(200, 20))
    for name, layer in _layers().items():
        layers = (layer, nn.FullyConnected(COPY.bits))
        training = trained(run, layers, turing_recipe(epochs), data=data, name=name, quick_epochs=2)
        arrays[f"validation_{name}"] = [round(value, 4) for value in training.history["validation_wrong"]]
        numbers[f"validation_{name}"] = min(training.history["validation_wrong"])
        for length in LENGTHS:
            found = at_length(training.model, COPY, length, 2 * length + 1, run.shortened(TESTED, 5))
            numbers[f"wrong_{name}_{length}"] = found["wrong"]
        if name == "feedforward":
            arrays |= watched(training.model, _of_length(SHOWN, 1))
            numbers["one_slot_on"] = _one_slot_on(training.model)
    return Measured(numbers, arrays)


def at_length(model: Regressor, task: MadeTask, size: int, steps: int, count: int) -> dict[str, float]:
    """Measure a network on test examples of one size, which may be larger than all that it has been trained on."""
    network = Network(model.network.layers, (steps, task.features))
    examples = task.examples(count, (size, size), "test", seed=size, steps=steps)
    return evaluate(network, model.params, tuple(map(jnp.asarray, examples.arrays)), Bits())


def _of_length(length: int, count: int) -> Arrays:
    return COPY.examples(count, (length, length), "test", seed=1, steps=2 * length + 1)


def watched(model: Regressor, example: Arrays) -> dict[str, Any]:
    """Record a machine on one test sequence, as short lists: the slots that are used most, and no others."""
    machine, x = model.network.layers[0], jnp.asarray(example.arrays[0][:1])
    assert isinstance(machine, nn.NeuralTuringMachine)
    heads = jax.tree.map(lambda array: np.asarray(array[0]), jax.jit(machine.watch)(model.params[0], x))
    network = Network(model.network.layers, example.example_shape)
    said = np.asarray(jax.jit(network.apply)(model.params, x)[0])  # (time, bits)
    slots = busiest(heads.weightings, WINDOW)
    last = int(np.flatnonzero(example.arrays[2][0])[0]) - 1  # when all has been read
    return {
        "given": short(example.arrays[0][0].T),
        "said": short(said.T),
        "first_slot": int(slots[0]),
        "weightings": short(heads.weightings[..., slots].transpose(1, 2, 0)),  # (heads, slots, time)
        "memory": short(heads.memory[last][:, slots]),  # (width, slots)
    }


def busiest(weightings: np.ndarray, count: int) -> np.ndarray:
    """The numbers of `count` neighbouring slots, round about, on which most of the weight (..., slots) lies."""
    used = weightings.reshape(-1, weightings.shape[-1]).sum(0)
    if count >= len(used):
        return np.arange(len(used))
    sums = [np.roll(used, -first)[:count].sum() for first in range(len(used))]
    return (int(np.argmax(sums)) + np.arange(count)) % len(used)


def _one_slot_on(model: Regressor) -> float:
    """The share of the writing head's moves that are by one slot, on test sequences of 40 while they are given."""
    length = LONGER[0]
    machine, x = model.network.layers[0], jnp.asarray(_of_length(length, 20).arrays[0])
    assert isinstance(machine, nn.NeuralTuringMachine)
    at = np.asarray(jnp.argmax(jax.jit(machine.watch)(model.params[0], x).weightings[:, :length, 1], -1))
    moves = np.diff(at, axis=1) % machine.slots
    return float(np.mean((moves == 1) | (moves == machine.slots - 1)))


def _found_again(run: Measured) -> float:
    """The share of the shown vectors that are read where they were written, when they are said or one step before.

    What was read at a step goes into the controller at the next, so that both serve.
    """
    reading, writing = (np.argmax(weightings, axis=0) for weightings in run.arrays["weightings"])
    written = writing[:SHOWN]
    said, before = (reading[SHOWN + late : 2 * SHOWN + late] for late in (1, 0))
    return float(max(np.mean(written == said), np.mean(written == before)))


def each(runs: Sequence[Measured], name: str) -> list[float]:
    """A number of every run."""
    return [run.numbers[name] for run in runs]


def failing(runs: Sequence[Measured], worst: Sequence[float], limit: float) -> Text:
    """The runs of which a share of wrong bits is not below a limit, named by their seeds."""
    found = [f"{seed} ({value:.1%})" for seed, value in enumerate(worst) if value >= limit]
    if not found:
        return Text("no seed fails", "没有失败的种子")
    return Text(f"seeds that fail: {', '.join(found)}", f"失败的种子：{'、'.join(found)}")


def _copies(runs: Sequence[Measured]) -> Finding:
    parts = []
    good = 0
    for name in ("feedforward", "lstm_controller"):
        worst = [max(run.numbers[f"wrong_{name}_{length}"] for length in LONGER) for run in runs]
        right = sum(value < WRONG for value in worst)
        good = right if name == "feedforward" else good
        failed = failing(runs, worst, WRONG)
        parts.append(
            Text(
                f"{NAMES[name].en}: {right} of {len(runs)}; {failed.en}",
                f"{NAMES[name].zh}：{len(runs)} 次中 {right} 次；{failed.zh}",
            )
        )
    return Finding(
        good >= 0.6 * len(runs),
        Text(
            f"runs with fewer than {WRONG:.0%} of the bits wrong at 40, 60 and 80: " + ". ".join(p.en for p in parts),
            f"长度 40、60、80 时错误比特都少于 {WRONG:.0%} 的次数：" + "。".join(p.zh for p in parts),
        ),
    )


def _better(runs: Sequence[Measured]) -> Finding:
    machine, lstm = (median(each(runs, f"wrong_{name}_40")) for name in ("feedforward", "lstm"))
    at_20 = [median(each(runs, f"wrong_{name}_20")) for name in ("feedforward", "lstm")]
    return Finding(
        lstm > 5 * machine,
        Text(
            f"bits wrong at 40, median of {len(runs)} runs: NTM {machine:.2%}, LSTM {lstm:.2%}; at 20, which both were "
            f"trained on: {at_20[0]:.2%} and {at_20[1]:.2%}",
            f"长度 40 时的错误比特（{len(runs)} 次的中位数）：NTM {machine:.2%}，LSTM {lstm:.2%}；长度 20（两者都训练"
            f"过）：{at_20[0]:.2%} 与 {at_20[1]:.2%}",
        ),
    )


def _walks(runs: Sequence[Measured]) -> Finding:
    moves, same = median(each(runs, "one_slot_on")), median(map(_found_again, runs))
    return Finding(
        moves >= 0.9 and same >= 0.9,
        Text(
            f"in the median run {moves:.1%} of the writing head's moves on sequences of 40 are by one slot, and of "
            f"the {SHOWN} vectors of the picture {same:.1%} are read where they were written, when they are said or "
            "one step before",
            f"在中位数的那次运行里，长度 40 的序列上写入头有 {moves:.1%} 的移动恰好是一个位置；图中的 {SHOWN} 个向量有 "
            f"{same:.1%} 在写入的位置被读出（在说出时或前一步）",
        ),
    )


def _draw_learning(result: Result, needed: Mapping[str, Result]) -> "Figure":
    figure, ((learning, lengths),) = panels(1, 2, width=4.6)
    for (name, label), colour in zip(NAMES.items(), COLOURS, strict=False):
        curves(learning, result, f"validation_{name}", "-", colour, label.en)
        for number, run in enumerate(result.runs):
            wrong = [run["numbers"][f"wrong_{name}_{length}"] for length in LENGTHS]
            lengths.plot(LENGTHS, wrong, ".-", color=colour, linewidth=1.2, label=None if number else label.en)
    learning.set(xlabel=f"epoch of {EACH_EPOCH:,} sequences", ylabel="bits wrong, validation, lengths 1 to 20")
    lengths.set(xlabel="length of the test sequences", ylabel="bits wrong")
    lengths.axvspan(1, COPY.largest, color="0.9", zorder=0)
    for axes in (learning, lengths):
        in_percent(axes)
    lengths.legend(frameon=False, fontsize=9)
    return figure


def draw_machine(result: Result, needed: Mapping[str, Result], *, best: str, heads: Sequence[str]) -> "Figure":
    """Draw what goes in, what is said, the memory, and every head over time, of the run that is best on validation.

    Args:
        result, needed: of the experiment.
        best: the number that the run is chosen by, the smallest.
        heads: their names, the reading ones first.
    """
    run = min(result.runs, key=lambda run: run["numbers"][best])
    arrays = run["arrays"]
    figure, grid = panels(-(-(3 + len(heads)) // 2), 2, width=4.8, height=2.4)
    places = iter(grid.flat)
    for name, title in (("given", "given"), ("said", "said")):
        _image(next(places), arrays[name], title, "bits", "gray_r")
    slots = f"slots from {arrays['first_slot']} on"
    _image(next(places), arrays["memory"], "memory when all has been read", "numbers", "PuOr_r", slots)
    for weighting, title in zip(arrays["weightings"], heads, strict=True):
        _image(next(places), weighting, title, slots, "gray_r")
    for axes in places:
        axes.axis("off")
    return figure


def _image(axes: "Axes", values: Any, title: str, vertical: str, colours: str, horizontal: str = "step") -> None:
    most = float(np.abs(values).max()) or 1.0
    axes.grid(False)
    axes.imshow(
        values, cmap=colours, aspect="auto", interpolation="nearest", vmin=-most if "Pu" in colours else 0, vmax=most
    )
    axes.set(xlabel=horizontal, ylabel=vertical)
    axes.set_title(title, fontsize=10, loc="left")


EXPERIMENTS = (
    Experiment(
        "ntm-copy",
        Text(
            "A neural Turing machine copies sequences, and longer ones than it was trained on",
            "神经图灵机复制序列，也能复制比训练时更长的序列",
        ),
        TURING,
        _measure,
        claims=(
            Claim(
                Text(
                    "Trained on lengths 1 to 20, the machine copies sequences of 40 to 80 with fewer than "
                    f"{WRONG:.0%} of the bits wrong, in at least 3 of 5 runs.",
                    f"只在长度 1 至 20 上训练，这台机器复制长度 40 至 80 的序列时错误比特少于 {WRONG:.0%}，五次中至少"
                    "三次做到。",
                ),
                _copies,
            ),
            Claim(
                Text(
                    "An LSTM has more than 5 times as many bits wrong at length 40.",
                    "长度 40 时，LSTM 的错误比特是它的 5 倍以上。",
                ),
                _better,
            ),
            Claim(
                Text(
                    "It has inferred an algorithm: write every vector one slot further on, go back, read the same "
                    "slots.",
                    "它推断出一个算法：每个向量写到下一个位置，然后回到开头，读同样的位置。",
                ),
                _walks,
            ),
        ),
        deviations=(
            Text(
                f"All three networks see the same {EPOCHS * EACH_EPOCH:,} sequences, each once: up to 5 vectors in "
                "the first quarter, up to 10 in the second, then up to 20; Graves, Wayne and Danihelka go up to 20 "
                "from the beginning and need more. The LSTM has one layer of 256 units instead of three.",
                f"三个网络都看同样的 {EPOCHS * EACH_EPOCH:,} 个序列，每个只看一次：前四分之一至多 5 个向量，第二个四分"
                "之一至多 10 个，然后至多 20 个；Graves、Wayne 与 Danihelka 一开始就用到 20，需要更多序列。LSTM 只有"
                "一层 256 个单元，而不是三层。",
            ),
            Text(
                "RMSProp at 1e-4 with momentum 0.9 (Optax) and mini-batches of 4; the epoch is chosen by the bits "
                "wrong in validation sequences of 1 to 20 vectors. All heads start at the first slot instead of at a "
                "weighting that is learned.",
                "RMSProp，学习率 1e-4，动量 0.9（Optax），小批量为 4；按长度 1 至 20 的验证序列上的错误比特选择回合。"
                "所有读写头从第一个位置开始，而不是从学到的权重开始。",
            ),
            Text(
                "Sequences are held out by a hash of their vectors: what is tested was never trained on.",
                "按向量的哈希值留出：测试的序列从未训练过。",
            ),
        ),
        drawings=(
            Drawing(
                "learning",
                Text(
                    "Left: while they learn; the steps are where the sequences become longer. Right: test sequences by "
                    "their length; grey are the lengths that were trained.",
                    "左：学习过程，台阶处序列变长。右：测试序列按长度排列，灰色为训练过的长度。",
                ),
                _draw_learning,
            ),
            Drawing(
                "memory",
                Text(
                    f"A test sequence of {SHOWN} vectors, of the run that is best on validation sequences. The writing "
                    "head walks along the slots while it reads; then the reading head walks along the same ones.",
                    f"一个由 {SHOWN} 个向量组成的测试序列（验证集上最好的一次运行）。读入时写入头沿着位置前进；随后读"
                    "取头沿着同样的位置前进。",
                ),
                partial(draw_machine, best="validation_feedforward", heads=("reading head", "writing head")),
            ),
        ),
        runs=5,
        minutes=4,
    ),
)
