"""Chapter 6, neural Turing machines: saying a sequence a given number of times, and then an end mark."""

from collections.abc import Sequence
from functools import partial
from statistics import median

import jax
import jax.numpy as jnp
import numpy as np

from firsthand.data.tasks import BITS, repeat_task
from firsthand.experiments.experiment import Claim, Drawing, Experiment, Measured, Run
from firsthand.experiments.result import Finding, Text
from firsthand.models import Regressor
from firsthand.nn import Network
from firsthand.zoo.machines import NTM_REPEAT, REPEAT

from .neural_turing import TURING, draw_machine, each, failing
from .neural_turing_more import LEARNING, NAMES, TESTED, WRONG, beside_lstm

__all__ = ["EXPERIMENTS"]

MOST = REPEAT.largest
# (vectors, times): the most of what is trained, then twice as long, then twice as often
SIZES = ((MOST, MOST), (2 * MOST, MOST), (MOST, 2 * MOST))


def _measure(run: Run) -> Measured:
    def grade(model: Regressor, name: str) -> dict[str, float]:
        numbers = {}
        for length, times in SIZES:
            found = _said(model, length, times, run.shortened(TESTED, 5))
            numbers |= {f"{what}_{name}_{length}_{times}": share for what, share in found.items()}
        return numbers

    return beside_lstm(run, NTM_REPEAT, REPEAT, grade, repeat_task(1, (MOST, MOST), (MOST, MOST), "test", seed=1))


def _said(model: Regressor, length: int, times: int, count: int) -> dict[str, float]:
    """The share of the bits of vectors that are wrong, and of sequences whose end mark comes where it is due."""
    x, y, asked = repeat_task(count, (length, length), (times, times), "test", seed=length + times).arrays
    network = Network(model.network.layers, x.shape[1:])
    wrong = (np.asarray(jax.jit(network.apply)(model.params, jnp.asarray(x))) > 0.5) != (y > 0.5)
    due = y[..., BITS] > 0.5
    vectors = wrong[..., :BITS][asked & ~due]
    ends = ~np.any(wrong[..., BITS] & asked, axis=1)
    return {"wrong": float(np.mean(vectors)), "end": float(np.mean(ends))}


def _repeats(runs: Sequence[Measured]) -> Finding:
    wrong = each(runs, f"wrong_ntm_{MOST}_{MOST}")
    failed = failing(runs, wrong, WRONG)
    lstm, end = median(each(runs, f"wrong_lstm_{MOST}_{MOST}")), median(each(runs, f"end_ntm_{MOST}_{MOST}"))
    return Finding(
        2 * sum(value < WRONG for value in wrong) > len(runs),
        Text(
            f"bits wrong in {MOST} vectors said {MOST} times, median of {len(runs)} runs: {median(wrong):.2%}, LSTM "
            f"{lstm:.2%}; end marks right in {end:.1%} of the sequences; {failed.en}",
            f"{MOST} 个向量说 {MOST} 遍的错误比特（{len(runs)} 次的中位数）：{median(wrong):.2%}，LSTM {lstm:.2%}；"
            f"{end:.1%} 的序列结束标记正确；{failed.zh}",
        ),
    )


def _repeats_longer(runs: Sequence[Measured]) -> Finding:
    found = {name: median(each(runs, f"wrong_{name}_{2 * MOST}_{MOST}")) for name in NAMES}
    return Finding(
        found["ntm"] < found["lstm"],
        Text(
            f"bits wrong in {2 * MOST} vectors said {MOST} times, median of {len(runs)} runs: {found['ntm']:.2%}, LSTM "
            f"{found['lstm']:.2%}",
            f"{2 * MOST} 个向量说 {MOST} 遍的错误比特（{len(runs)} 次的中位数）：{found['ntm']:.2%}，LSTM "
            f"{found['lstm']:.2%}",
        ),
    )


def _miscounts(runs: Sequence[Measured]) -> Finding:
    size = f"{MOST}_{2 * MOST}"
    wrong, end = median(each(runs, f"wrong_ntm_{size}")), median(each(runs, f"end_ntm_{size}"))
    return Finding(
        wrong < WRONG and end < 0.5,
        Text(
            f"{MOST} vectors said {2 * MOST} times, median of {len(runs)} runs: {wrong:.2%} of the bits wrong, end "
            f"marks right in {end:.1%} of the sequences",
            f"{MOST} 个向量说 {2 * MOST} 遍（{len(runs)} 次的中位数）：错误比特 {wrong:.2%}，{end:.1%} 的序列结束标记"
            "正确",
        ),
    )


EXPERIMENTS = (
    Experiment(
        "ntm-repeat",
        Text(
            "A neural Turing machine says a sequence as many times as it is told, and then that this was all",
            "神经图灵机把一个序列说指定的遍数，然后说出结束",
        ),
        TURING,
        _measure,
        claims=(
            Claim(
                Text(
                    f"It learns up to {MOST} vectors, up to {MOST} times, in most runs: fewer than {WRONG:.0%} of the "
                    "bits wrong.",
                    f"多数运行学会至多 {MOST} 个向量、至多 {MOST} 遍：错误比特少于 {WRONG:.0%}。",
                ),
                _repeats,
            ),
            Claim(
                Text(
                    f"On {2 * MOST} vectors, twice as many as were trained, it has fewer bits wrong than an LSTM.",
                    f"在 {2 * MOST} 个向量上（训练时最多的两倍），它的错误比特少于 LSTM。",
                ),
                _repeats_longer,
            ),
            Claim(
                Text(
                    "Told to say it twice as often as was trained, it goes on copying, but misses the end: it does not "
                    "keep count (Graves, Wayne and Danihelka 2014, section 4.2).",
                    "遍数是训练时最多的两倍时，它继续复制，但说不对结束处：它不会数下去（Graves、Wayne 与 Danihelka "
                    "2014，4.2 节）。",
                ),
                _miscounts,
            ),
        ),
        deviations=(
            Text(
                f"In small: 1 to {MOST} vectors and times instead of 1 to 10, and a memory of 32 slots instead of 128. "
                "The number of times goes in as a tenth of it.",
                f"缩小版：1 至 {MOST} 个向量和遍数，而不是 1 至 10；记忆为 32 个位置，而不是 128 个。遍数以其十分之一"
                "输入。",
            ),
            Text(
                "Both networks see the same sequences, each once, with RMSProp at 1e-4 and mini-batches of 4; the "
                "epoch is chosen by the bits wrong in validation sequences. What is tested was never trained on, by a "
                "hash of the vectors. The LSTM has one layer of 256 units instead of three.",
                "两个网络看同样的序列，每个只看一次；RMSProp，学习率 1e-4，小批量为 4；按验证序列上的错误比特选择回合。"
                "测试的内容按向量的哈希值留出，从未训练过。LSTM 只有一层 256 个单元，而不是三层。",
            ),
        ),
        drawings=(
            LEARNING,
            Drawing(
                "memory",
                Text(
                    f"A test sequence of {MOST} vectors to be said {MOST} times, of the run that is best on validation "
                    "sequences: what goes in (the last rows are the mark and the number), what is said (the last row "
                    "is the end mark), and the two heads.",
                    f"验证集上最好的一次运行，{MOST} 个向量说 {MOST} 遍的测试序列：输入（最后两行是标记和遍数）、输出"
                    "（最后一行是结束标记）和两个读写头。",
                ),
                partial(draw_machine, best="validation_ntm", heads=("reading head", "writing head")),
            ),
        ),
        minutes=4,
    ),
)
