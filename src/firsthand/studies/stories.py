"""Questions about little stories: a memory of sentences, looked at once, twice, three times."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np

from firsthand import nn
from firsthand.data.tasks import Story, stories, told
from firsthand.experiments.drawing import COLOURS, in_percent, panels
from firsthand.experiments.experiment import Claim, Drawing, Experiment, Measured, Run
from firsthand.experiments.result import Finding, Result, Source, Text
from firsthand.models import Model
from firsthand.zoo.questions import STORY_EPOCHS, story_layers, story_recipe, story_splits

from .common import short, trained

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["EXPERIMENTS", "QUESTIONS"]

QUESTIONS = Source(
    "LeCun, Bengio and Hinton",
    "introduction: extremely promising results for question answering (非常有希望的结果：问答)",
)
HOPS = (1, 2, 3)
EACH_EPOCH = 4_000
LINEAR_EPOCHS = 4
TESTED = 1_000
TITLES = {
    1: Text("where somebody is", "某人在哪里"),
    2: Text("where a thing is", "某物在哪里"),
    3: Text("where a thing was before", "某物之前在哪里"),
    6: Text("yes or no", "是或否"),
    15: Text("deduction", "演绎"),
}


def _measure(kinds: Sequence[int], run: Run) -> Measured:
    numbers, arrays = {}, {}
    for kind in kinds:
        data = story_splits(kind, run.shortened(EACH_EPOCH, 64), run.shortened(TESTED, 40))
        test = stories(kind, run.shortened(TESTED, 40), "test", seed=0)
        for hops in HOPS:
            model = _trained(kind, hops, data, run)
            numbers[f"error_{kind}_{hops}"] = 1 - model.accuracy(told(test, kind))
            looks = _looks(model, kind, test)
            numbers[f"on_support_{kind}_{hops}"] = _on_support(looks, test)
            if hops == max(HOPS) and kind == kinds[0]:
                arrays |= _shown(model, kind, test, looks)
    return Measured(numbers, arrays)


def _trained(kind: int, hops: int, data: Any, run: Run) -> Model:
    """First without the softmax of the memory, then with it."""
    at = f"{kind}_{hops}"
    linear = trained(
        run, story_layers(kind, hops, linear=True), _linear_recipe(), data=data, name=f"linear_{at}", quick_epochs=1
    )
    return trained(
        run,
        story_layers(kind, hops),
        story_recipe(),
        data=data,
        name=f"softmax_{at}",
        quick_epochs=1,
        start=linear.model.params,
    ).model


def _linear_recipe() -> Any:
    return story_recipe().changed(epochs=LINEAR_EPOCHS, learning_rate=5e-3)


def _looks(model: Model, kind: int, told_stories: Sequence[Story]) -> np.ndarray:
    """The weights of the sentences at every hop, (stories, hops, sentences), the last sentence last."""
    layer = model.network.layers[0]
    assert isinstance(layer, nn.MemoryNetwork)
    return np.asarray(jax.jit(layer.looks)(model.params[0], jnp.asarray(told(told_stories, kind).inputs)))


def _on_support(looks: np.ndarray, told_stories: Sequence[Story]) -> float:
    """The share of all hops' weight that is on sentences from which the answer follows."""
    shares = [row[:, _places(row, story)].sum(-1).mean() for row, story in zip(looks, told_stories, strict=True)]
    return float(np.mean(shares))


def _places(row: np.ndarray, story: Story) -> list[int]:
    """The places of the supporting sentences in the memory, which ends with the last one told."""
    return [row.shape[-1] - len(story.sentences) + number for number in story.support]


def _shown(model: Model, kind: int, told_stories: Sequence[Story], looks: np.ndarray) -> dict[str, Any]:
    """A test story of middling length with what each hop looks at."""
    lengths = [len(story.sentences) for story in told_stories]
    chosen = int(np.argmin(np.abs(np.array(lengths) - 9)))
    story = told_stories[chosen]
    said = model.classes[int(model.predict(told([story], kind).inputs)[0])]
    return {
        "sentences": list(story.sentences),
        "question": story.question,
        "answer": story.answer,
        "said": said,
        "support": list(story.support),
        "looks": short(looks[chosen][:, -len(story.sentences) :], 3),
    }


def _errors(runs: Sequence[Measured], kind: int, hops: int) -> list[float]:
    return [run.numbers[f"error_{kind}_{hops}"] for run in runs]


def _mean(runs: Sequence[Measured], kind: int, hops: int) -> float:
    return float(np.mean(_errors(runs, kind, hops)))


def _listed(runs: Sequence[Measured], kind: int) -> str:
    return ", ".join(f"{_mean(runs, kind, hops):.1%}" for hops in HOPS)


def _no_error(runs: Sequence[Measured]) -> Finding:
    worst = max(_errors(runs, 1, 1))
    return Finding(
        round(_mean(runs, 1, 1), 3) == 0,
        Text(
            f"test error of kind 1 with 1, 2 and 3 hops, mean of {len(runs)} runs: {_listed(runs, 1)}; the worst run "
            f"with 1: {worst:.1%}",
            f"第 1 类的测试错误率（1、2、3 次查看，{len(runs)} 次运行的平均）：{_listed(runs, 1)}；查看 1 次时最差的一"
            f"次为 {worst:.1%}",
        ),
    )


def _others(runs: Sequence[Measured]) -> Finding:
    return Finding(
        max(_mean(runs, kind, max(HOPS)) for kind in (6, 15)) <= 0.2,
        Text(
            f"test error with 1, 2 and 3 hops: yes or no (kind 6) {_listed(runs, 6)}; deduction (kind 15) "
            f"{_listed(runs, 15)}; who guesses has 50 % and about 67 %",
            f"1、2、3 次查看的测试错误率：是或否（第 6 类）{_listed(runs, 6)}；演绎（第 15 类）{_listed(runs, 15)}；猜"
            "测的错误率为 50 % 与约 67 %",
        ),
    )


def _at_most(kind: int, limit: float, runs: Sequence[Measured]) -> Finding:
    """Check the error of the network with as many hops as the kind has facts."""
    found = _mean(runs, kind, kind)
    worst = max(_errors(runs, kind, kind))
    return Finding(
        found <= limit,
        Text(
            f"test error with {kind} hops: {found:.1%} (n = {len(runs)}, the worst run {worst:.1%})",
            f"{kind} 次查看的测试错误率：{found:.1%}（n = {len(runs)}，最差的一次 {worst:.1%}）",
        ),
    )


def _more_is_better(kind: int, runs: Sequence[Measured]) -> Finding:
    means = [_mean(runs, kind, hops) for hops in HOPS]
    needed = HOPS[:kind]
    falls = all(means[hops] < means[hops - 1] for hops in needed[:-1])
    return Finding(
        falls,
        Text(
            f"test error with 1, 2 and 3 hops, mean of {len(runs)} runs: {_listed(runs, kind)}",
            f"1、2、3 次查看的测试错误率（{len(runs)} 次运行的平均）：{_listed(runs, kind)}",
        ),
    )


def _looks_there(kind: int, runs: Sequence[Measured]) -> Finding:
    found = float(np.mean([run.numbers[f"on_support_{kind}_{max(HOPS)}"] for run in runs]))
    return Finding(
        found >= 0.5,
        Text(
            f"{found:.0%} of the weight of its {max(HOPS)} hops is on sentences from which the answer follows (nobody "
            "told it which they are)",
            f"{max(HOPS)} 次查看的权重有 {found:.0%} 落在能推出答案的句子上（没有人告诉它是哪些句子）",
        ),
    )


def _draw_looks(result: Result, needed: Mapping[str, Result]) -> "Figure":
    """The story of the first run: a row for each sentence, a column for each hop."""
    arrays = result.runs[0]["arrays"]
    count = len(arrays["sentences"])
    figure, ((axes,),) = panels(1, 1, width=5.6, height=0.26 * count + 1.2)
    axes.grid(False)
    axes.imshow(np.array(arrays["looks"]).T, cmap="Blues", vmin=0, vmax=1, aspect="auto", interpolation="nearest")
    marked = [f"{'•  ' if i in arrays['support'] else ''}{line}" for i, line in enumerate(arrays["sentences"])]
    axes.set_yticks(range(count), marked, fontsize=9)
    axes.set_xticks(range(len(HOPS)), [f"hop {hops}" for hops in HOPS], fontsize=9)
    axes.set_title(f"{arrays['question']}?  It says: {arrays['said']}", fontsize=10, loc="left")
    return figure


def _draw_errors(kinds: Sequence[int], result: Result, needed: Mapping[str, Result]) -> "Figure":
    figure, ((axes,),) = panels(1, 1, width=5)
    for kind, colour in zip(kinds, COLOURS, strict=False):
        means = [result.mean(f"error_{kind}_{hops}") for hops in HOPS]
        axes.plot(HOPS, means, "-", color=colour, label=f"kind {kind}: {TITLES[kind].en}")
        for run in result.runs:
            axes.plot(HOPS, [run["numbers"][f"error_{kind}_{hops}"] for hops in HOPS], ".", color=colour)
    axes.set(xticks=HOPS, xlabel="hops", ylabel="test error", ylim=(-0.02, None))
    in_percent(axes)
    axes.legend(frameon=False, fontsize=9)
    return figure


NOT_RELEASED = Text(
    "The stories are made by a program and with words of our own, after the kinds of tasks of Weston et al. 2015; "
    "the released data (bAbI) are not used, and these errors cannot be compared with those published of them. Each "
    f"epoch has {EACH_EPOCH:,} new stories; a story is held out by a hash of its text.",
    "故事由我们自己的程序和词汇生成，只取 Weston 等 2015 的任务种类；没有使用已发布的数据（bAbI），这里的错误率不能与"
    f"它们已发表的结果比较。每个回合有 {EACH_EPOCH:,} 个新故事；按故事文本的哈希值留出。",
)
SETTINGS = Text(
    f"An end-to-end memory network (Sukhbaatar et al. 2015) with {story_layers(1, 1)[0].features} features, adjacent "
    f"weights, position encoding and a linear start: {LINEAR_EPOCHS} epochs without the softmax of the memory, "
    f"then {STORY_EPOCHS} with it; Adam with one cycle of its rate. No noise is added, and no run is chosen among "
    "several.",
    f"端到端记忆网络（Sukhbaatar 等 2015），{story_layers(1, 1)[0].features} 个特征、相邻权重、位置编码、线性开始："
    f"{LINEAR_EPOCHS} 个回合不用记忆的 softmax，然后 {STORY_EPOCHS} 个回合使用；Adam，学习率一个周期。不加噪声，也"
    "不在多次运行中挑选。",
)


def _experiment(number: int, kinds: Sequence[int], claims: tuple[Claim, ...], minutes: float) -> Experiment:
    named = Text(
        ", ".join(TITLES[kind].en for kind in kinds),
        "、".join(TITLES[kind].zh for kind in kinds),
    )
    return Experiment(
        f"stories-{number}",
        Text(f"Questions about stories: {named.en}", f"关于故事的提问：{named.zh}"),
        QUESTIONS,
        partial(_measure, kinds),
        claims=claims,
        deviations=(NOT_RELEASED, SETTINGS),
        drawings=(
            Drawing(
                "looks",
                Text(
                    "A test story of the first run: where each hop looks. The answer follows from the sentences with a "
                    "dot; that is told to the reader alone.",
                    "第一次运行的一个测试故事：每次查看看哪里。答案由带点的句子推出，这只告诉读者。",
                ),
                _draw_looks,
            ),
            Drawing(
                "hops",
                Text(
                    "Test error by the number of hops: runs as dots, means as lines.",
                    "测试错误率与查看次数：点为各次运行，线为平均。",
                ),
                partial(_draw_errors, kinds),
            ),
        ),
        minutes=minutes,
    )


LOOKS = Text(
    "It looks at the sentences from which the answer follows.",
    "它看的是能推出答案的句子。",
)

EXPERIMENTS = (
    _experiment(
        1,
        (1, 6, 15),
        (
            Claim(
                Text(
                    "Where somebody is follows from one sentence: no test error (0.0 %).",
                    "某人在哪里由一个句子推出：没有测试错误（0.0 %）。",
                ),
                _no_error,
            ),
            Claim(
                Text(
                    "Yes or no, and who is afraid of whom: at most 20 % test error with three looks.",
                    "是或否，以及谁怕谁：看三次时测试错误率至多 20 %。",
                ),
                _others,
            ),
            Claim(LOOKS, partial(_looks_there, 1)),
        ),
        4,
    ),
    _experiment(
        2,
        (2,),
        (
            Claim(
                Text(
                    "Where a thing is follows from two sentences: with two looks at most 20 % test error.",
                    "某物在哪里由两个句子推出：看两次时测试错误率至多 20 %。",
                ),
                partial(_at_most, 2, 0.2),
            ),
            Claim(
                Text("One look is not enough: two have fewer errors.", "只看一次不够：看两次错误更少。"),
                partial(_more_is_better, 2),
            ),
            Claim(LOOKS, partial(_looks_there, 2)),
        ),
        2,
    ),
    _experiment(
        3,
        (3,),
        (
            Claim(
                Text(
                    "Where a thing was before follows from three sentences and more: each look more has fewer errors.",
                    "某物之前在哪里由三个或更多句子推出：每多看一次，错误就更少。",
                ),
                partial(_more_is_better, 3),
            ),
            Claim(
                Text("With three looks at most 20 % test error.", "看三次时测试错误率至多 20 %。"),
                partial(_at_most, 3, 0.2),
            ),
            Claim(LOOKS, partial(_looks_there, 3)),
        ),
        3,
    ),
)
