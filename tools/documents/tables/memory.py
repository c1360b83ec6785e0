"""The tables of docs/memory.md: the networks in the box, the carried state, and the time to 2.2 bit."""

from statistics import mean
from typing import Any

from .markdown import made_of, source, table

_NAMES = {
    "letters": {"en": "letters (the recipe `shakespeare`)", "zh": "字母（配方 `shakespeare`）"},
    "sums": {"en": "sums", "zh": "加法"},
    "programs": {"en": "programs of one line", "zh": "一行程序"},
}
_WAYS = {
    "each piece from nothing": {"en": "each piece from nothing", "zh": "每段都从零开始"},
    "state carried": {"en": "state carried over mini-batches", "zh": "状态带到下一个小批量"},
}


@made_of("boxed_memories.json")
def boxed(found: dict[str, Any], language: str) -> list[str]:
    """The abilities of the bundled networks."""
    rows = []
    for name in (name for name in _NAMES if name in found):  # the others are of machines.py
        scores = found[name]["scores"]
        if name == "letters":
            bits = scores["test"]["bits"]
            rows.append((_NAMES[name][language], {"en": "test text", "zh": "测试文本"}[language], f"{bits:.3f} bit"))
            continue
        for at, each in scores.items():
            shown = at if language == "en" else _in_chinese(at)
            rows.append((_NAMES[name][language], shown, f"{each['right']:.1%}, {each['whole']:.1%}"))
    head = {
        "en": ("network", "held out", "bits per character; characters right, whole answers right"),
        "zh": ("网络", "留出的数据", "每字符比特数；字符正确率，答案完全正确率"),
    }
    first = next(iter(found.values()))
    note = {
        "en": f"<sub>One training of each, {first['machine']}, with 16 bits a parameter; "
        "`python tools/box/memories.py` re-trains and re-measures them.</sub>",
        "zh": f"<sub>各训练一次，{first['machine']}，每个参数 16 位；"
        "用 `python tools/box/memories.py` 可重新训练和测量。</sub>",
    }
    return [*table(head[language], rows, "llr"), "", note[language]]


@made_of("carried_state.json")
def carried(found: dict[str, Any], language: str) -> list[str]:
    """The effect of the carried state on the recipe `shakespeare`."""
    rows = []
    for way, names in _WAYS.items():
        runs = [run for run in found["runs"] if run["way"] == way]
        cells = (
            f"{mean(run[name] for run in runs):.3f}"
            for name in ("validation_bits_read_on", "test_bits_read_on", "test_bits_of_pieces")
        )
        rows.append((names[language], *cells))
    head = {
        "en": ("bits per character", "validation, read on", "test, read on", "test, in pieces of 64"),
        "zh": ("每字符比特数", "验证文本，连续读", "测试文本，连续读", "测试文本，64 字符一段"),
    }
    question = {
        "en": "Does it help? For the recipe `shakespeare`, from the same start:",
        "zh": "有用吗？对配方 `shakespeare`，从同一起点训练：",
    }
    n = len(found["runs"]) // len(_WAYS)
    note = {
        "en": f"<sub>n = {n}, from the same start, {found['machine']}; `python tools/measure/run_carried_state.py` "
        "re-measures it.</sub>",
        "zh": f"<sub>n = {n}，起点相同，{found['machine']}；"
        "用 `python tools/measure/run_carried_state.py` 可重新测量。</sub>",
    }
    return [question[language], "", *table(head[language], rows, "lrrr"), "", note[language]]


@made_of("benchmarks/time_to_bits.json")
def time_to_bits(found: dict[str, Any], language: str) -> list[str]:
    """The time that firsthand and PyTorch take to 2.2 bit per character."""
    rows = []
    for name, shown in (("firsthand", "firsthand"), ("torch", "PyTorch")):
        if "runs" in found.get(name, {}):
            each = found[name]
            epochs = sorted({run["epochs"] for run in each["runs"]})
            seconds = (f"{each[what]['median']:.0f} s" for what in ("seconds", "processor_seconds"))
            rows.append((shown, "–".join(map(str, epochs)), *seconds))
    head = {
        "en": (f"to {found['bits_wanted']:g} bit", "epochs", "time", "processor's time"),
        "zh": (f"达到 {found['bits_wanted']:g} 比特", "回合", "用时", "处理器时间"),
    }
    question = {
        "en": "The time from the start of the process until the validation text needs so few bits, and beside it that "
        "of the same network and recipe in PyTorch:",
        "zh": "从进程启动算起，直到验证文本只需这么多比特所用的时间；旁边是 PyTorch 中同样的网络和配方：",
    }
    return [
        question[language],
        "",
        *table(head[language], rows, "lrrr"),
        "",
        *_times_as_long(found, language),
        source(found, language, "python -m benchmarks time-to-bits"),
    ]


def _times_as_long(found: dict[str, Any], language: str) -> list[str]:
    if "ratio_of_seconds" not in found:
        return []
    ratio, target, threads = found["ratio_of_seconds"], found["targets"][0]["target"], found["torch"]["threads"]
    low, high = min(ratio["values"]), max(ratio["values"])
    text = {
        "en": f"PyTorch takes {ratio['median']:.2f} times as long ({low:.2f} to {high:.2f}, n = {found['n']} pairs, "
        f"PyTorch at its better number of threads, {threads}; aimed at: {target:g} times).",
        "zh": f"PyTorch 用时为 {ratio['median']:.2f} 倍（{low:.2f} 到 {high:.2f}，{found['n']} 对，PyTorch 取较快的"
        f"线程数 {threads}；目标为 {target:g} 倍）。",
    }
    return [text[language], ""]


def _in_chinese(at: str) -> str:
    """A difficulty, as the tool names it."""
    digits, _, nesting = at.partition(", nesting ")
    number = digits.split(" digit")[0].replace("up to ", "至多 ")
    return f"{number} 位" + (f"，嵌套 {nesting} 层" if nesting else "")
