"""Readers of pictures are counted alike, and a reader that is not there is named."""

import json
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest
from PIL import Image

from benchmarks.quality import reading_peers
from benchmarks.summary import Failed
from firsthand import mnist
from firsthand.reading import Page


@pytest.mark.parametrize(("a", "b", "apart"), [("", "", 0), ("12", "", 2), ("1234", "134", 1), ("717", "771", 2)])
def test_the_edit_distance(a, b, apart):
    assert reading_peers.distance(a, b) == reading_peers.distance(b, a) == apart


def test_lines_are_matched_whatever_their_order():
    assert reading_peers.matched(["12", "345"], ["345", "12"]) == (0, 2)
    assert reading_peers.matched(["12"], ["13", "9"]) == (2, 0)
    assert reading_peers.matched([], []) == (0, 0)


def test_sure_digits_are_counted_in_their_line():
    def line(text, *probability):
        digits = [SimpleNamespace(probability=p) for p in probability]
        return SimpleNamespace(text=text, digits=digits)

    def page(*lines):
        return cast(Page, SimpleNamespace(lines=lines))

    several = page(line("1 2", 0.999, 0.5), line("347", 0.995, 0.99, 0.98), line("8", 1.0))
    assert reading_peers.sure(several, ["397", "12"]) == (4, 2)  # 1 and 3; 4 stands for 9, and 8 nowhere
    assert reading_peers.sure(several, []) == (4, 0)
    assert reading_peers.sure(page(line("5", 1.0), line("5", 0.5)), ["5", "5"]) == (1, 1)


def test_a_folder_is_read_by_those_that_are_there(tmp_path, monkeypatch):
    sevens = np.hstack([np.pad(mnist().validation.images[i, ..., 0], 6) for i in range(3)])
    Image.fromarray(255 - sevens).save(tmp_path / "a.png")
    truth = "".join(str(label) for label in mnist().validation.labels[:3])
    entry = {"path": "a.png", "kind": "line", "lines": [f"{truth[0]} {truth[1:]}"]}
    (tmp_path / "truth.json").write_text(json.dumps([entry]))

    def missing():
        raise Failed("not installed here")

    monkeypatch.setattr(
        reading_peers,
        "READERS",
        {"right": lambda: lambda path: [truth], "none": lambda: lambda path: [], "no": missing},
    )
    found = reading_peers.run(tmp_path, tmp_path / "out.json")
    assert found["missing"] == {"no": "not installed here"}
    right, none = (found["scores"][name]["all"] for name in ("right", "none"))
    assert (right["digits"], right["digit_errors"], right["lines_right"]) == (3, 0, 1)
    assert (none["digit_errors"], none["lines_right"]) == (3, 0)
    assert json.loads((tmp_path / "out.json").read_text())["scores"]["right"]["kinds"]["line"]["pictures"] == 1
    assert found["sure"]["digits"] >= found["sure"]["right"] > 0
