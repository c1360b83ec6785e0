"""The table of docs/machines.md: the two networks in the box that the pages Memory and Story show."""

from typing import Any

from .markdown import made_of, table

_KINDS = {
    "1": {"en": "where somebody is", "zh": "某人在哪里"},
    "2": {"en": "where a thing is", "zh": "某物在哪里"},
    "3": {"en": "where a thing was before", "zh": "某物之前在哪里"},
    "6": {"en": "yes or no", "zh": "是或否"},
    "15": {"en": "who is afraid of whom", "zh": "谁怕谁"},
}


@made_of("boxed_memories.json")
def boxed(found: dict[str, Any], language: str) -> list[str]:
    """The quality of the two: bits and sequences by length, and answers by kind."""
    if not {"copies", "stories"} <= found.keys():
        return []
    copies, stories = found["copies"], found["stories"]
    least, most = copies["lengths"]
    names = {
        "en": (f"copies, trained on {least} to {most} vectors", "stories"),
        "zh": (f"复制，训练长度 {least} 至 {most}", "故事"),
    }[language]
    wrong, whole = {"en": ("bits wrong", "sequences all right"), "zh": ("比特错误", "的序列完全正确")}[language]
    rows = [
        (
            names[0],
            {"en": f"{length} vectors", "zh": f"{length} 个向量"}[language],
            f"{each['wrong']:.2%} {wrong}, {each['whole']:.0%} {whole}",
        )
        for length, each in copies["scores"].items()
    ]
    right = {"en": "of the answers right", "zh": "回答正确"}[language]
    rows += [
        (names[1], _KINDS[kind][language], f"{each['right']:.1%} {right}") for kind, each in stories["scores"].items()
    ]
    head = {"en": ("network", "held out", "result"), "zh": ("网络", "留出的数据", "结果")}[language]
    note = {
        "en": f"<sub>One training of each, {stories['machine']}, with 16 bits a parameter; copies: "
        f"{copies['tested_on']}; stories: {stories['tested_on']}. "
        "`python tools/box/machines.py` trains and measures them again.</sub>",
        "zh": f"<sub>各训练一次，{stories['machine']}，每个参数 16 位；测试数据按哈希值留出，从未训练过。"
        "用 `python tools/box/machines.py` 可重新训练和测量。</sub>",
    }[language]
    return [*table(head, rows, "llr"), "", note]
