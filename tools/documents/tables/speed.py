"""Tables of what `make bench` measures."""

from pathlib import Path
from statistics import median
from typing import Any

from .markdown import listed, local, made_of, read, source, table

_NET_NAMES: dict[str, str | dict[str, str]] = {
    "784-30-10": "[784, 30, 10]",
    "784-100-10": "[784, 100, 10]",
    "conv-2": {"en": "conv 20, conv 40, FC 100", "zh": "卷积 20、卷积 40、全连接 100"},
    "conv-wide": {"en": "conv 32, conv 64, FC 256", "zh": "卷积 32、卷积 64、全连接 256"},
    "dropout": {"en": "conv 20, conv 40, 2 × FC 1,000, dropout", "zh": "卷积 20、卷积 40、2 × 全连接 1,000、dropout"},
}
_PEERS: dict[str, str | dict[str, str]] = {
    "torch_eager": "PyTorch eager",
    "torch_compile": "torch.compile",
    "keras_jax": "Keras (JAX)",
    "plain_jax": {"en": "plain JAX", "zh": "纯 JAX"},
    "sklearn_mlp": "scikit-learn",
}


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
        cells = [local(_NET_NAMES[step["net"]], language)]
        cells += [str(step["batch_size"]), f"**{1e3 * ours['seconds_per_step']['median']:.3g} ms**"]
        for peer in _PEERS:
            timed = by_peer.get(peer)
            if not timed:
                cells.append("–")
                continue
            better = min(timed, key=lambda entry: entry["seconds_per_step"]["median"])
            cells.append(f"{better['ratio_to_firsthand_on_one_core']['median']:.1f}×")
        rows.append(tuple(cells))
    peers = [local(name, language) for name in _PEERS.values()]
    if language == "en":
        head = ("network", "mini-batch", "firsthand, one core", *peers)
        note = (
            "Time of one training step of firsthand on ONE core; under the others, how many times as long they take at "
            f"their better of {listed(found['threads'], 'and')} threads and in their fastest way of use (medians of "
            f"{found['n']} interleaved rounds, same weights, data and order, single precision)."
        )
    else:
        head = ("网络", "小批量", "firsthand，单核", *peers)
        note = (
            "firsthand 用**单核**训练一步的时间；其余各列为该框架在其最快用法、"
            f"{listed(found['threads'], '或')} 线程中较快者所需时间的倍数"
            f"（{found['n']} 轮交错测量的中位数，权重、数据和顺序相同，单精度）。"
        )
    return [
        *table(head, rows, "l" + "r" * (len(head) - 1)),
        "",
        note,
        "",
        *_cost(results, language),
        source(found, language),
    ]


def _cost(results: Path, language: str) -> list[str]:
    """The other measurements: time to an accuracy, and the floor."""
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


def targets(results: Path, language: str) -> list[str]:
    """The targets, and what was reached; for docs/performance.md."""
    rows = []
    for name in ("benchmarks/steps.json", "benchmarks/floor.json", "benchmarks/cores.json"):
        for row in (read(results, name) or {"targets": []})["targets"]:
            measured, sign = row["measured"], "≥" if row["at_least"] else "≤"
            reached = measured is not None and (measured >= row["target"]) == row["at_least"]
            shown = "not measured" if measured is None else f"{measured:.2f}"
            rows.append((row["what"], f"{sign} {row['target']:.1f}", shown, "yes" if reached else "**no**"))
    return table(("what", "target", "measured", "reached"), rows, "lrrl") if rows else []


@made_of("benchmarks/cores.json")
def cores(found: dict[str, Any], language: str) -> list[str]:
    """Convolutional nets on one core and on all of them; for docs/performance.md."""
    rows = []
    for step in found["steps"]:
        times: dict[str, list[list[float]]] = {}
        for entry in step["contenders"]:
            if "seconds_per_step" in entry:
                times.setdefault(entry["peer"], []).append(entry["seconds_per_step"]["values"])
        one, every = times["firsthand"][0], times["firsthand"][-1]
        better = min(times["firsthand"], key=median)
        cells = [f"{1e3 * median(values):.2f} ms" for values in (one, every)]
        cells.append(f"{_times(one, every):.2f}")
        for peer in ("torch_eager", "plain_jax"):
            cells.append(f"{_times(min(times[peer], key=median), better):.1f}×" if peer in times else "–")
        rows.append((local(_NET_NAMES[step["net"]], language), str(step["batch_size"]), *cells))
    head = ("network", "mini-batch", "one core", "all cores", "gain", "PyTorch eager", "plain JAX")
    note = (
        "<sub>Gain: time on one core over time on all; PyTorch and JAX: times as long as firsthand, each at its better "
        f"number of threads ({listed(found['threads'], 'or')}).</sub>"
    )
    return [*table(head, rows, "lrrrrrr"), "", note, "", source(found, language, "python -m benchmarks cores")]


def _times(longer: list[float], shorter: list[float]) -> float:
    """The median of the ratios within the rounds."""
    return median(a / b for a, b in zip(longer, shorter, strict=True))


@made_of("benchmarks/parts.json")
def parts(found: dict[str, Any], language: str) -> list[str]:
    """The time of the convolutional step, part by part; for docs/performance.md."""
    names = list(found["batches"][0]["seconds"])
    head = ("microseconds on one core", *(f"mini-batch {batch['batch_size']}" for batch in found["batches"]))
    rows = [(name, *(f"{1e6 * batch['seconds'][name]['median']:.0f}" for batch in found["batches"])) for name in names]
    return [*table(head, rows, "l" + "r" * len(found["batches"])), "", source(found, language)]


@made_of("benchmarks/convolutions.json")
def convolutions(found: dict[str, Any], language: str) -> list[str]:
    """Convolutions without pooling, against other ways to compute them; for docs/performance.md."""
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
    return [*table(head, rows, "llrrr"), "", source(found, language)]


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
                rows.append((local(_NET_NAMES[net["net"]], language), way, f"{rate:,.0f}", f"{times:.2f}"))
    return [*table(("network", "way", "steps/s", "times one"), rows, "llrr"), "", source(found, language)]


@made_of("benchmarks/augment.json")
def costs(found: dict[str, Any], language: str) -> list[str]:
    """Milliseconds for one mini-batch, median and range; for docs/augmentation.md."""
    rows: dict[str, list[str]] = {}
    sizes: dict[int, None] = {}
    for cost in found["costs"]:
        sizes[cost["batch_size"]] = None
        median, low, high = (1e3 * cost["seconds"][key] for key in ("median", "min", "max"))
        rows.setdefault(cost["augmentation"], []).append(f"{median:.3f} ({low:.3f}–{high:.3f})")
    head = ("milliseconds", *(f"mini-batch of {size}" for size in sizes))
    cells = [(f"`{name}`", *values) for name, values in rows.items()]
    return [*table(head, cells, "l" + "r" * len(sizes)), "", source(found, language)]
