"""Tables of what trained networks reach."""

from pathlib import Path
from typing import Any

from .markdown import accuracy_cell, made_of, read, source, table


@made_of("digit_reader.json")
def digit_reader(found: dict[str, Any], language: str) -> list[str]:
    """The headline: what `firsthand train` gives."""
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
        return [*table(("digit reader", "measured"), rows, "lr"), "", source(found, language)]
    rows = [
        (f"MNIST {images} 张测试图像的准确度", f"**{mean}**（{n} 个随机种子的平均值；{spread}）"),
        ("`firsthand train` 整个进程", f"**{seconds['median']:.0f} s**（中位数；{range_}）"),
        ("内存峰值", f"{memory:.0f} MiB"),
        (f"识别 {images} 张图像", f"{evaluation:.2f} s"),
        ("模型文件", model),
    ]
    return [*table(("数字识别", "实测"), rows, "lr"), "", source(found, language)]


@made_of("fine_tuning.json")
def fine_tuning(found: dict[str, Any], language: str) -> list[str]:
    """Accuracy before and after fine-tuning; for docs/models.md."""
    own, original = (f"{found['test_images'][kind]:,}" for kind in ("own", "original"))
    if language == "en":
        head = ("crops", "rehearsed share", f"{own} held-out UCI digits", f"{original} MNIST test images")
        before, none = "before", "none"
        note = f"Mean of {found['n']} seeds (lowest–highest); every seed has a network of its own to start from."
    else:
        head = ("图像数", "复习比例", f"{own} 张留出的 UCI 数字", f"{original} 张 MNIST 测试图像")
        before, none = "微调前", "不复习"
        note = f"{found['n']} 个随机种子的平均值（最低–最高）；每个种子都从各自的网络开始。"
    rows = [(before, "", *(accuracy_cell(found["before"][kind]) for kind in ("own", "original")))]
    for row in found["rows"]:
        share = f"{row['rehearsed_share']:g}" if row["rehearsed_share"] else none
        rows.append((str(row["crops"]), share, accuracy_cell(row["own"]), accuracy_cell(row["original"])))
    return [
        *table(head, rows, "rrrr"),
        "",
        note,
        "",
        source(found, language, "python tools/measure/run_fine_tuning.py"),
    ]


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
    """The results of the named recipes."""
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
        head = ("recipe", "what", "parameters", "test accuracy", "ensemble of n", "fastest training")
        note = (
            "Mean ± standard deviation over n trainings, each at its epoch of best validation accuracy; ensemble: by "
            "mean probability / by votes. Each training had one core, and other work shared the machine."
        )
    else:
        head = ("配方", "内容", "参数", "测试准确度", "n 个的集成", "最快的一次训练")
        note = (
            "n 次训练的平均值 ± 标准差，每次取验证准确度最高的回合；集成：按平均概率 / 按投票。"
            "每次训练使用一个处理器核，机器上同时还有其他工作。"
        )
    return [*table(head, rows, "llrrrr"), "", note]


@made_of("ensemble.json")
def ensemble(found: dict[str, Any], language: str) -> list[str]:
    """The gain of networks that read together."""
    ways = "by_mean_probability", "by_votes", "of_seven_looks"
    rows = [
        (str(one["members"]), str(one["subsets"]), *(accuracy_cell(one[way]) for way in ways)) for one in found["sizes"]
    ]
    everyone, anyone = found["misread_by_all"], found["misread_by_any"]
    costs = {
        name: [f"{found['validation_cost'][looks][name]:.4f}" for looks in ("one_look", "seven_looks")]
        for name in ("alone", "together")
    }
    alone = [
        [accuracy_cell(found["alone"][group][way]) for way in (ways[0], ways[2])] for group in ("deep", "for_pages")
    ]
    if language == "en":
        head = ("networks", "ensembles of that size", "by mean probability", "by votes", "test-time augmentation")
        note = (
            f"Mean (lowest–highest) test accuracy of all ensembles of that size. {anyone} of the 10,000 test images "
            f"are misread by at least one of the {len(found['members'])} networks, {everyone} by all of them. "
            "Test-time augmentation: mean probability over the image and six copies, turned, slanted and scaled a "
            f"little. The cost on the validation images says which way to choose: one network {costs['alone'][0]}, "
            f"with test-time augmentation {costs['alone'][1]}; the ensemble {costs['together'][0]} and "
            f"{costs['together'][1]}. Alone, the networks of `deep` read {alone[0][0]}, with it {alone[0][1]}; those "
            f"trained further for pages {alone[1][0]}, with it {alone[1][1]}."
        )
    else:
        head = ("网络数", "该大小的集成数", "按平均概率", "按投票", "测试时增强")
        note = (
            f"该大小所有集成的测试准确度平均值（最低–最高）。10,000 幅测试图像中有 {anyone} 幅被 "
            f"{len(found['members'])} 个网络中至少一个认错，{everyone} 幅被全部认错。测试时增强：对图像本身和"
            f"略加旋转、倾斜、缩放的六幅取平均概率。用哪种方式由验证图像上的代价决定：单个网络平均 "
            f"{costs['alone'][0]}，测试时增强 {costs['alone'][1]}；集成 "
            f"{costs['together'][0]} 和 {costs['together'][1]}。"
            f"单个网络：`deep` 为 {alone[0][0]}，测试时增强 {alone[0][1]}；"
            f"又用页面上的数字训练过的网络为 {alone[1][0]} 和 {alone[1][1]}。"
        )
    return [*table(head, rows, "rrrrr"), "", note, "", source(found, language, "python tools/measure/run_ensemble.py")]


_AIMS: tuple[tuple[dict[str, str], str, tuple[str | int, ...], float], ...] = (
    # what, the file of results, where in it, at least
    (
        {"en": "`dropout`: chapter 6's last network on expanded data", "zh": "`dropout`：第六章最后的网络，扩展数据"},
        "recipes/dropout.json",
        ("test_accuracy", "mean"),
        0.9955,
    ),
    (
        {"en": "five of them voting, as in the text", "zh": "其中五个投票，与原文相同"},
        "experiments/ensemble.json",
        ("runs", 0, "numbers", "test_accuracy"),
        0.9965,
    ),
    (
        {"en": "`simard`: fully connected, elastic distortions", "zh": "`simard`：全连接，弹性变形"},
        "recipes/simard.json",
        ("test_accuracy", "mean"),
        0.993,
    ),
    (
        {"en": "`deep`: our best single network, one look", "zh": "`deep`：我们最好的单个网络，看一次"},
        "recipes/deep.json",
        ("test_accuracy", "mean"),
        0.997,
    ),
    (
        {"en": "the same, test-time augmentation", "zh": "同上，测试时增强"},
        "ensemble.json",
        ("alone", "deep", "of_seven_looks", "mean"),
        0.997,
    ),
    (
        {"en": "our best ensemble, by mean probability", "zh": "我们最好的集成，按平均概率"},
        "ensemble.json",
        ("sizes", -1, "by_mean_probability", "mean"),
        0.998,
    ),
    (
        {
            "en": "the best single network known to us, one look (MNIST-0.17)",
            "zh": "已知最好的单个网络，看一次（MNIST-0.17）",
        },
        "recipes/deep.json",
        ("test_accuracy", "mean"),
        0.99748,
    ),
    (
        {"en": "the best ensemble known to us", "zh": "已知最好的集成"},
        "ensemble.json",
        ("sizes", -1, "by_mean_probability", "mean"),
        0.9983,
    ),
    (
        {"en": "`smallest`: fewer than 2,000 parameters", "zh": "`smallest`：不到 2,000 个参数"},
        "recipes/smallest.json",
        ("test_accuracy", "mean"),
        0.99,
    ),
)


def aims(results: Path, language: str) -> list[str]:
    """The aims, and how many of 10,000 images are missing where one was missed."""
    rows = []
    for what, name, place, aim in _AIMS:
        found: Any = read(results, name)
        if found is None:
            continue
        for step in place:
            found = found[step]
        lacking = round(10_000 * (aim - found), 1)
        if lacking <= 0:
            said = {"en": "reached", "zh": "达到"}[language]
        else:
            said = {"en": f"short of it by {lacking:g} in 10,000", "zh": f"每 10,000 幅差 {lacking:g} 幅"}[language]
        rows.append((what[language], f"{100 * aim:.2f} %", f"{100 * found:.2f} %", said))
    heads = {"en": ("what", "aimed at", "measured", ""), "zh": ("内容", "目标", "实测", "")}
    return table(heads[language], rows, "lrrl") if rows else []


def experiments(results: Path, language: str) -> list[str]:
    """Every experiment of the texts: published beside measured."""
    folder = results / "experiments"
    if not any(folder.glob("*.json")):
        return []
    # only the tables of the READMEs need an installed firsthand
    from firsthand.report.experiments import load_results, markdown, provenance

    found = load_results(folder)
    return [*markdown(found, language), "", f"<sub>{provenance(found, language)}</sub>"]
