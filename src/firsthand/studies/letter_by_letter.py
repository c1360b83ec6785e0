"""Chapter 6 and the review: a language model that reads Shakespeare letter by letter."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from firsthand import nn
from firsthand.data import Splits, TextParts, shakespeare, shakespeare_text
from firsthand.experiments.drawing import COLOURS, curves, panels
from firsthand.experiments.experiment import Claim, Drawing, Experiment, Measured, Run, mean_of
from firsthand.experiments.result import Finding, Result, Source, Text
from firsthand.models import LanguageModel, NGram
from firsthand.zoo import SHAKESPEARE

from .common import trained
from .letter_figures import draw_samples, draw_unit

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["EXPERIMENTS", "PAIRS"]

OTHER_APPROACHES = Source(
    "Nielsen",
    "chapter 6, 'Other approaches to deep neural nets' (其他的深度学习模型): recurrent networks and LSTM; "
    "LeCun, Bengio and Hinton, 'Recurrent neural networks'",
)
BITS = 2.2  # the aim, per character of the test text
ORDERS = range(1, 9)  # of the n-grams
TEMPERATURES = (0.5, 0.8, 1.1)
SAMPLED, SHOWN = 320, 330  # letters that are written, and letters of the test text that are coloured
UNITS_ON = 8_192  # letters on which a unit is chosen, and on which it is judged
# The first is the text's.  They sound alike; all were fixed before a network was trained.
PAIRS = (
    ("to infinity and beyond", "two infinity and beyond"),
    ("I know not what to say", "I no not what to say"),
    ("he hath a son and heir", "he hath a sun and air"),
    ("they were there before us", "they were their before us"),
    ("I would be king of Denmark", "I wood be king of Denmark"),
    ("the night is dark and cold", "the knight is dark and cold"),
    ("give me your hand, my lord", "give me you're hand, my lord"),
    ("by heaven, I will not go", "buy heaven, I will not go"),
    ("come hither and hear me", "come hither and here me"),
    ("I see the sea is calm", "I sea the see is calm"),
)


def _measure(run: Run) -> Measured:
    data, text = shakespeare(SHAKESPEARE.length or 64), shakespeare_text()
    if run.quick:
        data = Splits(data.train, *(None if part is None else part[:40] for part in data[1:]))
        text = text._make(part[:3_000] for part in text)
    embedding, _, output = SHAKESPEARE.network(data.train).layers
    models: dict[str, Any] = {}
    numbers: dict[str, float] = {}
    arrays: dict[str, Any] = {}
    for name, cell in (("lstm", nn.LSTM(256)), ("rnn", nn.SimpleRNN(256))):
        training = trained(
            run, (embedding, cell, output), SHAKESPEARE.recipe, data=data, name=name, quick_epochs=1, quick_examples=64
        )
        models[name] = training.model
        arrays[f"validation_{name}"] = [round(value, 4) for value in training.history["validation_bits"]]
        numbers[f"pieces_bits_{name}"] = training.model.provenance["scores"]["test"]["bits"]
        numbers[f"test_bits_{name}"] = training.model.bits(text.test)
    counted = {n: NGram.of(text.train, n, data.train.symbols) for n in ORDERS[: run.shortened(8, 3)]}
    on_validation = {n: model.bits(text.validation) for n, model in counted.items()}
    order = min(on_validation, key=on_validation.__getitem__)
    arrays["ngram_bits"] = [round(model.bits(text.test), 4) for model in counted.values()]
    numbers |= {"ngram_order": order, "test_bits_ngram": counted[order].bits(text.test)}
    for name, model in (*models.items(), ("ngram", counted[order])):
        spare = [_bits_more(model, *pair) for pair in PAIRS]
        numbers |= {f"pair_bits_{name}": spare[0], f"pairs_right_{name}": sum(bits > 0 for bits in spare)}
    lstm = models["lstm"]
    for temperature in TEMPERATURES:
        arrays[f"sample_{temperature}"] = lstm.sample("\n\n", SAMPLED, key=run.key, temperature=temperature)
    return Measured(numbers | _follow_a_unit(lstm, text, arrays), arrays)


def _bits_more(model: LanguageModel | NGram, right: str, wrong: str) -> float:
    """The bits that the wrong one of two phrases needs more, at the beginning of a line."""
    right_bits, wrong_bits = (float(np.sum(model.surprises(f"\n{phrase}\n"))) for phrase in (right, wrong))
    return wrong_bits - right_bits


def _follow_a_unit(model: LanguageModel, text: TextParts, arrays: dict[str, Any]) -> dict[str, float]:
    """The unit that goes along best with the place in the line, chosen on validation text; how well it does on test.

    The arrays get a piece of the test text and its activation there.
    """
    chosen_on, judged_on = text.validation[:UNITS_ON], text.test[:UNITS_ON]
    alike = _correlations(_states(model, chosen_on), _places(chosen_on))
    unit = int(np.argmax(np.abs(alike)))
    states = _states(model, judged_on)
    begin = judged_on.index("\n\n", len(judged_on) // 2) + 2
    shown = slice(begin, begin + SHOWN)
    arrays["unit_text"] = judged_on[shown]
    arrays["unit_activation"] = [round(float(value), 3) for value in states[shown, unit]]
    return {"unit": unit, "unit_correlation": float(abs(_correlations(states, _places(judged_on))[unit]))}


def _states(model: LanguageModel, text: str) -> np.ndarray:
    """The activations of the recurrent units after each letter, (letters, units)."""
    numbers = np.array([model.symbols.index(letter) for letter in text], np.int32)
    trace = jax.jit(model.network.trace)(model.params, numbers[None])
    return np.asarray(trace[(1,)].left[0])


def _places(text: str) -> np.ndarray:
    """The number of letters of its line that stand before each letter."""
    places, place = [], 0
    for letter in text:
        places.append(place)
        place = 0 if letter == "\n" else place + 1
    return np.array(places, float)


def _correlations(states: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Pearson's correlation of every unit with a value of each letter, (units,); 0 of a unit that stands still."""
    centred, value = states - states.mean(0), values - values.mean()
    lengths = np.sqrt(np.sum(centred**2, 0) * np.sum(value**2))
    return centred.T @ value / np.where(lengths > 0, lengths, np.inf)


def _each(runs: Sequence[Measured], name: str) -> list[float]:
    return [run.numbers[name] for run in runs]


def _good_enough(runs: Sequence[Measured]) -> Finding:
    mean, worst = mean_of(runs, "test_bits_lstm"), max(_each(runs, "test_bits_lstm"))
    return Finding(
        mean <= BITS,
        Text(
            f"{mean:.3f} bit per character of the test text (n = {len(runs)}), {worst:.3f} in the worst "
            f"run; of pieces of {SHAKESPEARE.length} that are each read from nothing, "
            f"{mean_of(runs, 'pieces_bits_lstm'):.3f}",
            f"测试文本每字符 {mean:.3f} 比特（n = {len(runs)}），最差的一次为 {worst:.3f}；若每 "
            f"{SHAKESPEARE.length} 个字符一段、每段都从零开始读，则为 {mean_of(runs, 'pieces_bits_lstm'):.3f}",
        ),
    )


def _better_than_plain(runs: Sequence[Measured]) -> Finding:
    lstm, plain = _each(runs, "test_bits_lstm"), _each(runs, "test_bits_rnn")
    return Finding(
        max(lstm) < min(plain),
        Text(
            f"the worst LSTM needs {max(lstm):.3f} bit per character, the best tanh RNN {min(plain):.3f}",
            f"最差的 LSTM 每字符需要 {max(lstm):.3f} 比特，最好的 tanh RNN 需要 {min(plain):.3f} 比特",
        ),
    )


def _better_than_counting(runs: Sequence[Measured]) -> Finding:
    worst, counted = max(_each(runs, "test_bits_lstm")), mean_of(runs, "test_bits_ngram")
    order = int(runs[0].numbers["ngram_order"])
    return Finding(
        worst < counted,
        Text(
            f"the worst LSTM needs {worst:.3f} bit per character; the {order}-gram, the best order on validation text, "
            f"needs {counted:.3f}",
            f"最差的 LSTM 每字符需要 {worst:.3f} 比特；验证文本上最好的 {order} 元模型需要 {counted:.3f} 比特",
        ),
    )


def _decides(runs: Sequence[Measured]) -> Finding:
    bits, right = _each(runs, "pair_bits_lstm"), mean_of(runs, "pairs_right_lstm")
    others = Text(
        f"the {int(runs[0].numbers['ngram_order'])}-gram {runs[0].numbers['pairs_right_ngram']:.0f}, "
        f"the tanh RNN {mean_of(runs, 'pairs_right_rnn'):.3g}",
        f"{int(runs[0].numbers['ngram_order'])} 元模型 {runs[0].numbers['pairs_right_ngram']:.0f} 对，"
        f"tanh RNN {mean_of(runs, 'pairs_right_rnn'):.3g} 对",
    )
    return Finding(
        min(bits) > 0,
        Text(
            f"the 'two' of the text costs {min(bits):.1f} to {max(bits):.1f} bit more than the 'to': in the worst run "
            f"it is {2 ** min(bits):,.0f} times less likely; of all {len(PAIRS)} pairs that sound alike the LSTM "
            f"decides {right:.3g} as a reader would, {others.en}",
            f"“two”比 “to” 多需要 {min(bits):.1f} 到 {max(bits):.1f} 比特：最差的一次运行中其概率也只有后者的 "
            f"1/{2 ** min(bits):,.0f}；在全部 {len(PAIRS)} 对同音短语中，LSTM 判断正确 {right:.3g} 对，{others.zh}",
        ),
    )


def _draw_learning(result: Result, needed: Mapping[str, Result]) -> "Figure":
    figure, ((learning, orders),) = panels(1, 2, width=4.4)
    names = (("lstm", "LSTM, 256 units"), ("rnn", "tanh RNN, 256 units"))
    for (name, label), colour in zip(names, COLOURS, strict=False):
        curves(learning, result, f"validation_{name}", ".-", colour, label)
        orders.axhline(result.mean(f"test_bits_{name}"), color=colour, label=label)
    learning.set(xlabel="epoch", ylabel=f"bit per character, validation, pieces of {SHAKESPEARE.length}")
    learning.xaxis.get_major_locator().set_params(integer=True)
    bits = result.runs[0]["arrays"]["ngram_bits"]
    orders.plot(range(1, len(bits) + 1), bits, ".--", color=COLOURS[2], label="n-gram, Kneser-Ney")
    orders.set(xlabel="n", ylabel="bit per character, test text read on", ylim=(1.8, 3.0))
    for axes in (learning, orders):
        axes.axhline(BITS, color="0.4", linestyle=":")
        axes.legend(frameon=False, fontsize=9)
    return figure


EXPERIMENTS = (
    Experiment(
        "shakespeare",
        Text("Shakespeare letter by letter: a language model", "逐个字母读莎士比亚：语言模型"),
        OTHER_APPROACHES,
        _measure,
        claims=(
            Claim(
                Text(
                    f"An LSTM needs at most {BITS} bit per character of text that it has not read.",
                    f"LSTM 对未读过的文本每字符至多需要 {BITS} 比特。",
                ),
                _good_enough,
            ),
            Claim(
                Text(
                    "LSTMs make it much easier to get good results: the LSTM is better than a plain RNN of as many "
                    "units.",
                    "LSTM 使得到好结果容易得多：它好于单元数相同的普通 RNN。",
                ),
                _better_than_plain,
            ),
            Claim(
                Text(
                    "A network that remembers is better than counting which letters follow which (n-grams with "
                    "smoothing).",
                    "有记忆的网络好于统计字母前后关系的方法（带平滑的 n 元模型）。",
                ),
                _better_than_counting,
            ),
            Claim(
                Text(
                    "A good language model tells us that 'to infinity and beyond' is much more likely than 'two "
                    "infinity and beyond', despite the fact that the phrases sound identical.",
                    "好的语言模型会告诉我们：“to infinity and beyond” 的可能性远大于读音相同的 “two infinity and "
                    "beyond”。",
                ),
                _decides,
            ),
        ),
        deviations=(
            Text(
                "The texts name language models and have no experiment with one. Here: eight plays, 1.04 million "
                "characters, of each the first 90 % to learn from, 5 % to choose the epoch and the order of the "
                "n-grams by, 5 % to be judged by.",
                "书中只提到语言模型，没有相应的实验。这里用八部戏剧，共 104 万字符；每部的前 90% 用于学习，5% 用于选择"
                "回合和 n 元模型的阶数，5% 用于评判。",
            ),
            Text(
                f"Both networks are trained by the recipe `shakespeare`, on pieces of {SHAKESPEARE.length} characters "
                "that are each read from nothing; the rate was chosen among 0.001, 0.002 and 0.005 by two epochs of "
                "the tanh RNN on a quarter of the text. The test text is read on, with the memory carried along.",
                f"两个网络都按配方 `shakespeare` 训练，每段 {SHAKESPEARE.length} 个字符，都从零开始读；"
                "学习率是用 tanh RNN 在四分之一文本上训练两个回合，从 0.001、0.002 和 0.005 中选出的。"
                "测试文本则连续读下去，记忆一直保留。",
            ),
            Text(
                "As many units is not as many parameters: the tanh RNN has a quarter of the LSTM's recurrent weights.",
                "单元数相同并不等于参数数相同：tanh RNN 的循环权重只有 LSTM 的四分之一。",
            ),
        ),
        drawings=(
            Drawing(
                "learning",
                Text(
                    "Left: while they learn. Right: the test text, read on with a memory, beside n-grams that see the "
                    "last n - 1 characters. The dotted line is the aim.",
                    "左：学习过程。右：带着记忆连续读测试文本的结果，与只看前 n − 1 个字符的 n 元模型相比。"
                    "虚线是目标。",
                ),
                _draw_learning,
            ),
            Drawing(
                "samples",
                Text(
                    "What the LSTM of the first run writes: the colder, the safer and the more repetitive; the hotter, "
                    "the more words that do not exist.",
                    "第一次运行的 LSTM 写出的文字：温度越低越稳妥，也越重复；温度越高，不存在的词越多。",
                ),
                draw_samples,
            ),
            Drawing(
                "unit",
                Text(
                    "One of 256 units over text that it has not read, purple where negative, orange where positive: "
                    "chosen on validation text because it goes along with the place in the line. Nobody told it of "
                    "lines.",
                    "256 个单元之一在未读过的文本上的激活值，紫色为负，橙色为正；它是在验证文本上选出的，"
                    "因为它随行内位置变化。没有人告诉过它什么是行。",
                ),
                draw_unit,
            ),
        ),
        runs=3,
        minutes=12,
    ),
)
