"""Write the tables of READMEs and docs from the results, so that no number in them is typed by hand.

    python tools/readme_tables.py            replaces what stands between the markers
    python tools/readme_tables.py --check    changes nothing; exits with 1 where README and results differ

The markers are `<!-- begin:NAME -->` and `<!-- end:NAME -->` in the PAGES; NAME is one of TABLES.
Where results are missing, so is the table.
"""

import argparse
import difflib
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PAGES = {
    "README.md": "en",
    "README.zh-CN.md": "zh",
    "docs/performance.md": "en",
    "docs/augmentation.md": "en",
    "docs/models.md": "en",
    "docs/models.zh-CN.md": "zh",
    "docs/reading.md": "en",
    "docs/reading.zh-CN.md": "zh",
}
_BLOCK = re.compile(r"(<!-- begin:(?P<name>[\w-]+) -->\n).*?(<!-- end:(?P=name) -->)", re.DOTALL)

_NET_NAMES: dict[str, str | dict[str, str]] = {
    "784-30-10": "[784, 30, 10]",
    "784-100-10": "[784, 100, 10]",
    "conv-2": {"en": "conv 20, conv 40, FC 100", "zh": "卷积 20、卷积 40、全连接 100"},
    "dropout": {"en": "conv 20, conv 40, 2 × FC 1,000, dropout", "zh": "卷积 20、卷积 40、2 × 全连接 1,000、dropout"},
}
_PEERS: dict[str, str | dict[str, str]] = {
    "torch_eager": "PyTorch eager",
    "torch_compile": "torch.compile",
    "keras_jax": "Keras (JAX)",
    "plain_jax": {"en": "plain JAX", "zh": "纯 JAX"},
    "sklearn_mlp": "scikit-learn",
}


def read(results: Path, name: str) -> dict[str, Any] | None:
    """A file of results, or None where it was not measured."""
    path = results / name
    return json.loads(path.read_text()) if path.exists() else None


def digit_reader(results: Path, language: str) -> list[str]:
    """The headline: what `firsthand train` gives."""
    found = read(results, "digit_reader.json")
    if found is None:
        return []
    accuracy, n = found["test_accuracy"], found["n"]
    spread = f"{100 * accuracy['min']:.2f}–{100 * accuracy['max']:.2f} %"
    seconds, memory = found["process_seconds"], found["peak_memory_bytes"]["max"] / 2**20
    evaluation = found["evaluation_seconds"]["median"]
    range_ = f"{seconds['min']:.0f}–{seconds['max']:.0f} s"
    mean, model = f"{100 * accuracy['mean']:.2f} %", f"{found['model_bytes'] / 2**10:.0f} KiB"
    images = f"{found['test_images']:,}"
    if language == "en":
        rows = [
            (f"accuracy on the {images} MNIST test images", f"**{mean}** (mean of {n} seeds; {spread})"),
            ("`firsthand train`, the whole process", f"**{seconds['median']:.0f} s** (median; {range_})"),
            ("peak memory", f"{memory:.0f} MiB"),
            (f"reading {images} images", f"{evaluation:.2f} s"),
            ("model file", model),
        ]
        return [*_table(("digit reader", "measured"), rows, "lr"), "", _source(found, language)]
    rows = [
        (f"MNIST {images} 张测试图像的准确度", f"**{mean}**（{n} 个随机种子的平均值；{spread}）"),
        ("`firsthand train` 整个进程", f"**{seconds['median']:.0f} s**（中位数；{range_}）"),
        ("内存峰值", f"{memory:.0f} MiB"),
        (f"识别 {images} 张图像", f"{evaluation:.2f} s"),
        ("模型文件", model),
    ]
    return [*_table(("数字识别", "实测"), rows, "lr"), "", _source(found, language)]


def performance(results: Path, language: str) -> list[str]:
    """Time of a training step, beside the peers; ratios are paired within the rounds of one run."""
    found = read(results, "benchmarks/steps.json")
    if found is None:
        return []
    rows = []
    for step in found["steps"]:
        by_peer: dict[str, list[dict[str, Any]]] = {}
        for entry in step["contenders"]:
            if "seconds_per_step" in entry:
                by_peer.setdefault(entry["peer"], []).append(entry)
        ours = next(entry for entry in by_peer["firsthand"] if entry["threads"] == 1)
        cells = [_local(_NET_NAMES[step["net"]], language)]
        cells += [str(step["batch_size"]), f"**{1e3 * ours['seconds_per_step']['median']:.3g} ms**"]
        for peer in _PEERS:
            timed = by_peer.get(peer)
            if not timed:
                cells.append("–")
                continue
            better = min(timed, key=lambda entry: entry["seconds_per_step"]["median"])
            cells.append(f"{better['ratio_to_firsthand_on_one_core']['median']:.1f}×")
        rows.append(tuple(cells))
    peers = [_local(name, language) for name in _PEERS.values()]
    if language == "en":
        head = ("network", "mini-batch", "firsthand, one core", *peers)
        note = (
            "Time of one training step of firsthand on ONE core; under the others, how many times as long they take at "
            f"their better of {_list(found['threads'], 'and')} threads and in their fastest way of use (medians of "
            f"{found['n']} interleaved rounds, same weights, data and order, single precision)."
        )
    else:
        head = ("网络", "小批量", "firsthand，单核", *peers)
        note = (
            "firsthand 用**单核**训练一步的时间；其余各列为该框架在其最快用法、"
            f"{_list(found['threads'], '或')} 线程中较快者所需时间的倍数"
            f"（{found['n']} 轮交错测量的中位数，权重、数据和顺序相同，单精度）。"
        )
    return [
        *_table(head, rows, "l" + "r" * (len(head) - 1)),
        "",
        note,
        "",
        *_cost(results, language),
        _source(found, language),
    ]


def _cost(results: Path, language: str) -> list[str]:
    """What else was measured: time to an accuracy, and the floor."""
    lines = []
    race, floor = read(results, "benchmarks/time_to_accuracy.json"), read(results, "benchmarks/floor.json")
    if race is not None and "ratio" in race:
        ours, other = (race[name]["seconds"]["median"] for name in ("firsthand", "torch_eager"))
        wanted, ratio = f"{100 * race['test_accuracy_wanted']:.1f} %", f"{race['ratio']['median']:.1f}"
        if language == "en":
            lines.append(
                f"From the start of the process to {wanted} test accuracy: firsthand {ours:.0f} s, the same recipe in "
                f"PyTorch eager {other:.0f} s ({ratio}×, median of {race['n']} pairs)."
            )
        else:
            lines.append(
                f"从进程启动到测试准确度 {wanted}：firsthand {ours:.0f} s，同样的配方用 PyTorch eager {other:.0f} s"
                f"（{ratio}×，{race['n']} 对的中位数）。"
            )
    if floor is not None:
        entry = next(e for e in floor["floors"] if (e["net"], e["batch_size"]) == ("conv-2", 10))
        dense, sparse = (entry[f"step_to_{kind}_floor"]["median"] for kind in ("dense", "sparse"))
        peak = entry["peak_flops_per_second"]["median"] / 1e9
        if language == "en":
            lines.append(
                f"The convolutional step at mini-batch 10 takes {dense:.2f} times what its dense products would at the "
                f"measured peak of one core ({peak:.0f} GFLOP/s), and {sparse:.2f} times what the arithmetic that "
                "pooling and ReLU leave would take."
            )
        else:
            lines.append(
                f"小批量为 10 时，卷积网络一步的时间是其稠密运算在单核实测峰值（{peak:.0f} GFLOP/s）下所需时间的 "
                f"{dense:.2f} 倍，是池化与 ReLU 之后剩余运算所需时间的 {sparse:.2f} 倍。"
            )
    return [text for line in lines for text in (line, "")]


def _source(found: dict[str, Any], language: str, command: str = "make bench") -> str:
    versions = found["versions"] | found.get("peer_versions", {})
    names = ("python", "firsthand", "jax", "torch", "keras", "scikit-learn")
    shown = ", ".join(f"{name} {versions[name]}" for name in names if name in versions)
    if language == "en":
        return f"<sub>{found['machine']}; {shown}; {found['date']}; `{command}` measures it anew.</sub>"
    return f"<sub>{found['machine']}；{shown}；{found['date']}；用 `{command}` 可重新测量。</sub>"


def _accuracy(found: dict[str, float]) -> str:
    """A mean, and the lowest and highest where they differ."""
    low, high = (f"{100 * found[end]:.2f}" for end in ("min", "max"))
    return f"{100 * found['mean']:.2f} %" + ("" if low == high else f" ({low}–{high})")


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]], align: str) -> list[str]:
    rule = ["---:" if side == "r" else "---" for side in align]
    return ["| " + " | ".join(cells) + " |" for cells in (head, rule, *rows)]


def _list(values: list[int], word: str) -> str:
    return f" {word} ".join(map(str, values))


def _local(name: str | dict[str, str], language: str) -> str:
    return name if isinstance(name, str) else name[language]


def targets(results: Path, language: str) -> list[str]:
    """What was to be reached, and what was; for docs/performance.md."""
    rows = []
    for name in ("benchmarks/steps.json", "benchmarks/floor.json"):
        for row in (read(results, name) or {"targets": []})["targets"]:
            measured, sign = row["measured"], "≥" if row["at_least"] else "≤"
            reached = measured is not None and (measured >= row["target"]) == row["at_least"]
            shown = "not measured" if measured is None else f"{measured:.2f}"
            rows.append((row["what"], f"{sign} {row['target']:.1f}", shown, "yes" if reached else "**no**"))
    return _table(("what", "target", "measured", "reached"), rows, "lrrl") if rows else []


def parts(results: Path, language: str) -> list[str]:
    """Where the time of the convolutional step goes; for docs/performance.md."""
    found = read(results, "benchmarks/parts.json")
    if found is None:
        return []
    names = list(found["batches"][0]["seconds"])
    head = ("microseconds on one core", *(f"mini-batch {batch['batch_size']}" for batch in found["batches"]))
    rows = [(name, *(f"{1e6 * batch['seconds'][name]['median']:.0f}" for batch in found["batches"])) for name in names]
    return [*_table(head, rows, "l" + "r" * len(found["batches"])), "", _source(found, language)]


def convolutions(results: Path, language: str) -> list[str]:
    """Convolutions without pooling, against other ways to compute them; for docs/performance.md."""
    found = read(results, "benchmarks/convolutions.json")
    if found is None:
        return []
    rows = []
    for row in found["shapes"]:
        shape, times = row["shape"], row["ratios"]
        rows.append(
            (
                "{batch} × {side}×{side}×{channels}".format(**shape),
                "{kernel}×{kernel}, {filters}".format(**shape),
                f"**{1e3 * row['seconds']['kernel']['median']:.2f} ms**",
                *(f"{times[name]['median']:.1f}×" for name in ("matrix product", "XLA")),
            )
        )
    head = ("images", "kernels", "the fused kernel", "im2col and a matrix product", "XLA's own, in a loop")
    return [*_table(head, rows, "llrrr"), "", _source(found, language)]


def members(results: Path, language: str) -> list[str]:
    """Throughput of several networks at a time; for docs/performance.md."""
    found = read(results, "benchmarks/members.json")
    if found is None or "nets" not in found:
        return []
    rows = []
    for net in found["nets"]:
        for way, entry in net["ways"].items():
            if "times_one" in entry:
                rate, times = entry["steps_per_second"]["median"], entry["times_one"]["median"]
                rows.append((_local(_NET_NAMES[net["net"]], language), way, f"{rate:,.0f}", f"{times:.2f}"))
    return [*_table(("network", "way", "steps/s", "times one"), rows, "llrr"), "", _source(found, language)]


def costs(results: Path, language: str) -> list[str]:
    """Milliseconds for one mini-batch, median and range; for docs/augmentation.md."""
    found = read(results, "benchmarks/augment.json")
    if found is None:
        return []
    rows: dict[str, list[str]] = {}
    sizes: dict[int, None] = {}
    for cost in found["costs"]:
        sizes[cost["batch_size"]] = None
        median, low, high = (1e3 * cost["seconds"][key] for key in ("median", "min", "max"))
        rows.setdefault(cost["augmentation"], []).append(f"{median:.3f} ({low:.3f}–{high:.3f})")
    head = ("milliseconds", *(f"mini-batch of {size}" for size in sizes))
    cells = [(f"`{name}`", *values) for name, values in rows.items()]
    return [*_table(head, cells, "l" + "r" * len(sizes)), "", _source(found, language)]


def fine_tuning(results: Path, language: str) -> list[str]:
    """Accuracy before and after fine-tuning; for docs/models.md."""
    found = read(results, "fine_tuning.json")
    if found is None:
        return []

    own, original = (f"{found['test_images'][kind]:,}" for kind in ("own", "original"))
    if language == "en":
        head = ("crops", "rehearsed share", f"{own} held-out UCI digits", f"{original} MNIST test images")
        before, none = "before", "none"
        note = f"Mean of {found['n']} seeds (lowest–highest); every seed has a network of its own to start from."
    else:
        head = ("图像数", "复习比例", f"{own} 张留出的 UCI 数字", f"{original} 张 MNIST 测试图像")
        before, none = "微调前", "不复习"
        note = f"{found['n']} 个随机种子的平均值（最低–最高）；每个种子都从各自的网络开始。"
    rows = [(before, "", *(_accuracy(found["before"][kind]) for kind in ("own", "original")))]
    for row in found["rows"]:
        share = f"{row['rehearsed_share']:g}" if row["rehearsed_share"] else none
        rows.append((str(row["crops"]), share, _accuracy(row["own"]), _accuracy(row["original"])))
    return [*_table(head, rows, "rrrr"), "", note, "", _source(found, language, "python tools/run_fine_tuning.py")]


_RECIPES: dict[str, dict[str, str]] = {
    "quick": {"en": "the digit reader in three epochs", "zh": "三个回合的数字识别网络"},
    "smallest": {"en": "99 % with fewer than 2,000 parameters", "zh": "不到 2,000 个参数达到 99 %"},
    "simard": {"en": "fully connected, 800 units, elastic distortions", "zh": "全连接 800 个单元，弹性变形"},
    "dropout": {"en": "chapter 6's last network, expanded data", "zh": "第六章最后的网络，扩展数据"},
    "deep": {
        "en": "six convolutions, squeeze-and-excitation, elastic distortions",
        "zh": "六个卷积层，压缩与激励，弹性变形",
    },
}


def recipes(results: Path, language: str) -> list[str]:
    """What the named recipes reach."""
    from firsthand.report.experiments import duration  # as the table of the experiments shows it

    rows = []
    for name, what in _RECIPES.items():
        found = read(results, f"recipes/{name}.json")
        if found is None:
            continue
        accuracy, together = found["test_accuracy"], found["together"]
        spread = "" if accuracy["standard_deviation"] is None else f" ± {100 * accuracy['standard_deviation']:.2f}"
        both = (together[f"test_accuracy_by_{how}"] for how in ("mean_probability", "votes"))
        rows.append(
            (
                f"`{name}`",
                what[language],
                f"{found['parameters']:,}",
                f"{100 * accuracy['mean']:.2f}{spread} % (n = {found['n']})",
                " / ".join(f"{100 * one:.2f} %" for one in both) if found["n"] > 1 else "",
                duration(min(run["seconds"] for run in found["runs"])),
            )
        )
    if not rows:
        return []
    if language == "en":
        head = ("recipe", "what", "parameters", "test accuracy", "all n together", "fastest training")
        note = (
            "Mean ± standard deviation over n trainings, each at its epoch of best validation accuracy; together: by "
            "mean probability / by votes. Each training had one core, and other work shared the machine."
        )
    else:
        head = ("配方", "内容", "参数", "测试准确度", "n 个一起", "最快的一次训练")
        note = (
            "n 次训练的平均值 ± 标准差，每次取验证准确度最高的回合；一起：按平均概率 / 按投票。"
            "每次训练使用一个处理器核，机器上同时还有其他工作。"
        )
    return [*_table(head, rows, "llrrrr"), "", note]


def ensemble(results: Path, language: str) -> list[str]:
    """How much networks gain by reading together."""
    found = read(results, "ensemble.json")
    if found is None:
        return []

    rows = [
        (str(one["members"]), str(one["subsets"]), _accuracy(one["by_mean_probability"]), _accuracy(one["by_votes"]))
        for one in found["sizes"]
    ]
    everyone, anyone = found["misread_by_all"], found["misread_by_any"]
    if language == "en":
        head = ("networks together", "ensembles of that size", "by mean probability", "by votes")
        note = (
            f"Mean (lowest–highest) test accuracy of all ensembles of that size. {anyone} of the 10,000 test images "
            f"are misread by at least one of the {len(found['members'])} networks, {everyone} by all of them."
        )
    else:
        head = ("一起识别的网络数", "该大小的集成数", "按平均概率", "按投票")
        note = (
            f"该大小所有集成的测试准确度平均值（最低–最高）。10,000 幅测试图像中有 {anyone} 幅被 "
            f"{len(found['members'])} 个网络中至少一个认错，{everyone} 幅被全部认错。"
        )
    return [*_table(head, rows, "rrrr"), "", note, "", _source(found, language, "python tools/run_ensemble.py")]


def experiments(results: Path, language: str) -> list[str]:
    """Every experiment of the texts: published beside measured."""
    folder = results / "experiments"
    if not any(folder.glob("*.json")):
        return []
    # only the tables of the READMEs need an installed firsthand
    from firsthand.report.experiments import load_results, markdown, provenance

    found = load_results(folder)
    return [*markdown(found, language), "", f"<sub>{provenance(found, language)}</sub>"]


_LEVELS: dict[str, dict[str, str]] = {
    "clean": {"en": "clean", "zh": "干净"},
    "photo": {"en": "photo: shadow, blur, JPEG, 2°", "zh": "照片：阴影、模糊、JPEG、2°"},
    "notebook": {"en": "notebook: ruled or squared, shadow, blur, 5°", "zh": "笔记本：横线或方格、阴影、模糊、5°"},
    "hard": {"en": "hard: all of it, more, faint ink, 10°", "zh": "困难：以上全部且更强、墨色淡、10°"},
    "pairs": {"en": "touching pairs", "zh": "两两相连"},
    "touching": {"en": "3 of 10 neighbours touch", "zh": "十分之三的相邻数字相连"},
    "tight": {"en": "all touch or overlap", "zh": "全部相连或重叠"},
    "letters": {"en": "no digits: letters and doodles", "zh": "没有数字：字母与涂鸦"},
    "mixed": {"en": "digits among letters and doodles", "zh": "数字夹在字母与涂鸦之间"},
}


def reading(results: Path, language: str) -> list[str]:
    """How well pages are read; for docs/reading.md."""
    found = read(results, "benchmarks/reading.json")
    if found is None:
        return []

    def share(value: float | None) -> str:
        return "–" if value is None else f"{100 * value:.2f} %"

    rows = [
        (
            _LEVELS[one["level"]][language],
            share(one["digit_accuracy"]),
            share(one["line_accuracy"]),
            share(one["touching_accuracy"]),
            f"{one['false_digits_per_page']:.3f}",
            f"{one['seconds_per_page']['median']:.2f} s",
        )
        for one in found["levels"]
    ]
    uci, crops, n = found["uci"], found["crops"], found["n"]
    if language == "en":
        head = ("pages", "digits right", "lines right", "of touching digits", "false digits per page", "time per page")
        note = (
            f"{n} pages of each kind, ten digits in a line (of touching pairs, two). Single digits: "
            f"{share(crops['accuracy'])} of {crops['n']:,} pictures of one MNIST test digit, "
            f"{crops['per_minute']:,.0f} a minute in one process. UCI digits (8x8 pixels, enlarged, no fine-tuning): "
            f"{share(uci['accuracy'])} of "
            f"{uci['n']:,} read right, {share(uci['rejected'])} not read, {share(uci['accuracy_of_what_was_read'])} of "
            "what was read."
        )
    else:
        head = ("页面", "数字正确率", "整行正确率", "相连数字正确率", "每页误报数字", "每页用时")
        note = (
            f"每种 {n} 页，每行十个数字（两两相连的为两个）。"
            f"单个数字：{crops['n']:,} 张各含一个 MNIST 测试数字的图片中 {share(crops['accuracy'])} 正确，"
            f"单进程每分钟 {crops['per_minute']:,.0f} 张。UCI 数字（8x8 像素，放大，未微调）："
            f"{uci['n']:,} 个中 {share(uci['accuracy'])} 识别正确，{share(uci['rejected'])} 被拒绝，"
            f"在给出答案者中 {share(uci['accuracy_of_what_was_read'])} 正确。"
        )
    return [*_table(head, rows, "lrrrrr"), "", note, "", _source(found, language)]


TABLES: dict[str, Callable[[Path, str], list[str]]] = {
    "digit-reader": digit_reader,
    "performance": performance,
    "targets": targets,
    "parts": parts,
    "convolutions": convolutions,
    "members": members,
    "costs": costs,
    "fine-tuning": fine_tuning,
    "experiments": experiments,
    "recipes": recipes,
    "ensemble": ensemble,
    "reading": reading,
}


def filled(text: str, results: Path, language: str) -> str:
    """A README's text with what the results say between its markers.

    Raises:
        ValueError: a marker names no table, or stands without its partner.
    """

    def block(match: re.Match[str]) -> str:
        name = match["name"]
        if name not in TABLES:
            raise ValueError(f"marker begin:{name}: expected one of {', '.join(TABLES)}")
        lines = TABLES[name](results, language)
        return match[1] + "".join(f"{line}\n" for line in lines) + match[3]

    pairs = len(_BLOCK.findall(text))
    for side in ("begin", "end"):
        if (count := text.count(f"<!-- {side}:")) != pairs:
            raise ValueError(f"markers: {count} named {side}, but {pairs} pairs of begin and end on lines of their own")
    return _BLOCK.sub(block, text)


def main() -> int:
    """Rewrite the READMEs, or compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="change nothing; exit with 1 where they differ")
    parser.add_argument("--root", type=Path, default=ROOT, help="folder of the READMEs and of results/")
    chosen = parser.parse_args()
    differ = False
    for name, language in PAGES.items():
        path = chosen.root / name
        if not path.exists():
            continue
        old = path.read_text(encoding="utf-8")
        new = filled(old, chosen.root / "results", language)
        if new == old:
            continue
        differ = True
        if chosen.check:
            lines = (old.splitlines(), new.splitlines(), name, f"{name} as results/ would have it")
            print("\n".join(difflib.unified_diff(*lines, lineterm="", n=1)))
        else:
            path.write_text(new, encoding="utf-8")
            print(f"written: {path}")
    if differ and chosen.check:
        print("README and results differ: run python tools/readme_tables.py", file=sys.stderr)
    return int(differ and chosen.check)


if __name__ == "__main__":
    sys.exit(main())
