"""The tables of how well pages are read, and how well by others."""

from typing import Any

from .markdown import made_of, source, table

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
    "ruled paper": {"en": "photo of ruled paper", "zh": "横线纸的照片"},
    "squared paper": {"en": "photo of squared paper", "zh": "方格纸的照片"},
    "tables": {"en": "photo of a table or Sudoku", "zh": "表格或数独的照片"},
    "boxes": {"en": "photo of boxes and combs", "zh": "方框与梳形格的照片"},
    "forms": {"en": "photo of a form", "zh": "表单的照片"},
    "sums": {"en": "photo of sums with signs", "zh": "带符号算式的照片"},
    "turned": {"en": "photo turned by 90, 180 or 270°", "zh": "转了 90、180 或 270° 的照片"},
    "held": {"en": "ruled sheet on a table, with fingers", "zh": "桌上的横线纸，带手指"},
}


@made_of("benchmarks/reading.json")
def reading(found: dict[str, Any], language: str) -> list[str]:
    """The quality of reading pages; for docs/reading.md."""

    def share(value: float | None) -> str:
        return "–" if value is None else f"{100 * value:.2f} %"

    rows = [
        (
            _LEVELS[one["level"]][language],
            str(one["pages"]),
            share(one["digit_accuracy"]),
            share(one["line_accuracy"]),
            share(one["touching_accuracy"]),
            f"{one['false_digits_per_page']:.3f}",
            f"{one['seconds_per_page']['median']:.2f} s",
        )
        for one in found["levels"]
    ]
    clean = next(one for one in found["levels"] if one["level"] == "clean")
    wrong, replaced, error = (
        clean[name] for name in ("lines_wrong", "lines_wrong_of_right_length", "line_standard_error")
    )
    uci, crops = found["uci"], found["crops"]
    if language == "en":
        head = ("pages", "n", "digits right", "lines right", "touching digits", "false digits a page", "time a page")
        note = (
            f"Ten digits in a line (of touching pairs, two). Of the {wrong} lines of clean "
            f"pages that are read wrong, {replaced} have the right number of digits, some taken for others; the "
            f"standard error of the share of lines is {100 * error:.2f} points. Single digits: "
            f"{share(crops['accuracy'])} of {crops['n']:,} pictures of one MNIST test digit, "
            f"{crops['per_minute']:,.0f} a minute in one process. UCI digits (8x8 pixels, enlarged, no fine-tuning): "
            f"{share(uci['accuracy'])} of "
            f"{uci['n']:,} read right, {share(uci['rejected'])} not read, {share(uci['accuracy_of_what_was_read'])} of "
            "what was read."
        )
    else:
        head = ("页面", "页数", "数字正确率", "整行正确率", "相连数字正确率", "每页误报数字", "每页用时")
        note = (
            f"每行十个数字（两两相连的为两个）。干净页面上读错的 {wrong} 行中，"
            f"{replaced} 行的数字个数正确，只是有数字被认成别的；整行正确率的标准误为 {100 * error:.2f} 个百分点。"
            f"单个数字：{crops['n']:,} 张各含一个 MNIST 测试数字的图片中 {share(crops['accuracy'])} 正确，"
            f"单进程每分钟 {crops['per_minute']:,.0f} 张。UCI 数字（8x8 像素，放大，未微调）："
            f"{uci['n']:,} 个中 {share(uci['accuracy'])} 识别正确，{share(uci['rejected'])} 被拒绝，"
            f"在给出答案者中 {share(uci['accuracy_of_what_was_read'])} 正确。"
        )
    return [*table(head, rows, "lrrrrrr"), "", note, "", source(found, language)]


_KINDS = {
    "single photo, small crop": "单个数字：小裁图",
    "single photo, phone": "单个数字：手机照片",
    "single drawn": "单个数字：手绘",
    "single drawn, white on black": "单个数字：手绘，黑底白字",
    "single 28x28": "单个数字：28x28",
    "line, photo/scan": "一行：照片或扫描",
    "page": "整页",
    "notebook (ruled)": "横线本",
    "boxes / grid / form": "方框、方格、表单",
    "signs among digits": "数字间有符号",
    "letters among digits": "数字间有字母",
    "turned 90 degrees": "转了 90 度",
}


@made_of("benchmarks/reading_peers.json")
def reading_peers(found: dict[str, Any], language: str) -> list[str]:
    """Other readers on pictures by strangers: digits right and lines right, kind by kind; for docs/reading.md."""

    def cell(row: dict[str, int]) -> str:
        return f"{1 - row['digit_errors'] / row['digits']:.1%}, {row['lines_right']} / {row['lines']}"

    scores = found["scores"].values()
    first = next(iter(scores))
    rows = [
        (
            f"{zh if language == 'zh' else kind} ({first['kinds'][kind]['pictures']})",
            *(cell(score["kinds"][kind]) for score in scores),
        )
        for kind, zh in _KINDS.items()
        if first["kinds"].get(kind, {}).get("digits")
    ]
    in_words = (
        ("kind (pictures)", "all", "median time") if language == "en" else ("种类（图片数）", "全部", "用时中位数")
    )
    kind, everything, time = in_words
    rows.append((f"**{everything}** ({found['pictures']})", *(cell(score["all"]) for score in scores)))
    rows.append((time, *(f"{score['seconds_per_picture']['median']:.2f} s" for score in scores)))
    head = (kind, *found["scores"])
    command = "python -m benchmarks.quality.reading_peers FOLDER"
    sure = found["sure"]
    share = f"{sure['right'] / sure['digits']:.1%}"
    said = (
        f"Of firsthand's {sure['digits']} digits with p ≥ {sure['probability']}, {sure['right']} are right ({share})."
        if language == "en"
        else f"firsthand 的 {sure['digits']} 个 p ≥ {sure['probability']} 的数字中，{sure['right']} 个正确（{share}）。"
    )
    return [*table(head, rows, "l" + "r" * len(found["scores"])), "", said, "", source(found, language, command)]


_WAYS = {
    "by rule": {"en": "by rule", "zh": "规则"},
    "by network": {"en": "by network", "zh": "网络"},
    "both": {"en": "both, as in the package", "zh": "两者并用（本软件包）"},
}


@made_of("benchmarks/reading_ways.json")
def reading_ways(found: dict[str, Any], language: str) -> list[str]:
    """Three ways to tell printed lines from a pen, on made photos and on pictures by strangers; for docs/reading.md."""
    rows = []
    ours = found["ways"]["both"]
    read, kinds, n = _summed(ours["pictures"])["pictures"], len(ours["pages"]), found["n"]
    for name, way in found["ways"].items():
        pages, pictures = _summed(way["pages"]), _summed(way["pictures"])
        rows.append(
            (
                _WAYS[name][language],
                f"{pages['digits_right'] / pages['digits']:.1%}",
                f"{pages['lines_right']} / {pages['lines']}",
                str(pages["false_digits"]),
                f"{1 - pictures['digit_errors'] / pictures['digits']:.1%}",
                f"{pictures['lines_right']} / {pictures['lines']}",
            )
        )
    if language == "en":
        head = ("printed lines are told", "made photos: digits", "lines", "false digits", "pictures: digits", "lines")
        note = f"{n} photos of each of {kinds} kinds, made of validation digits; {read} pictures."
    else:
        head = ("辨认印刷线的方式", "合成照片：数字", "整行", "误报数字", "图片：数字", "整行")
        note = f"{kinds} 种合成照片各 {n} 张，用验证数字制作；图片 {read} 张。"
    command = "python -m benchmarks.quality.ways --folder FOLDER"
    return [*table(head, rows, "lrrrrr"), "", note, "", source(found, language, command)]


def _summed(kinds: dict[str, dict[str, int]]) -> dict[str, int]:
    names = next(iter(kinds.values()))
    return {name: sum(row[name] for row in kinds.values()) for name in names}
