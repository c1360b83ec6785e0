"""docs/exercises: every exercise has its page, every test that a page names is there, every number is a result's."""

import importlib.util
import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = ROOT / "docs" / "exercises"
ANSWERS = sorted(page for page in PAGES.glob("*.md") if not page.name.startswith("README"))
RESULTS = ROOT / "results" / "exercises"

pytestmark = pytest.mark.tiny


def tables():
    spec = importlib.util.spec_from_file_location("tables", ROOT / "tools" / "documents" / "exercise_tables.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def listed(name):
    """Number and page of every exercise in a list."""
    found = re.findall(r"^\| \*\*([\d.]+)\*\* .*?\]\(([\w-]+\.md)\)", (PAGES / name).read_text(), re.MULTILINE)
    assert len(found) == len(set(found)) == 35
    return found


def column(name, quantity):
    """The measured values of one quantity of a program, by row."""
    measured = json.loads((RESULTS / f"{name}.json").read_text())["measured"]
    return {row: values[quantity] for row, values in measured.items()}


def means(name, quantity):
    return {row: value["mean"] for row, value in column(name, quantity).items()}


def above(larger, smaller):
    """Return whether a mean is above another by more than two standard errors of their difference."""
    error = sum(value["standard_deviation"] ** 2 / value["n"] for value in (larger, smaller)) ** 0.5
    return larger["mean"] - smaller["mean"] > 2 * error


def test_every_exercise_is_answered_where_the_list_says():
    assert listed("README.md") == listed("README.zh-CN.md")
    for number, page in listed("README.md"):
        text = (PAGES / page).read_text()
        assert re.search(rf"^(## |\| )([\d., ]*, )?{re.escape(number)}\b", text, re.MULTILINE), (number, page)


@pytest.mark.parametrize("page", ANSWERS, ids=lambda page: page.stem)
def test_pages_name_real_tests_and_end_in_chinese(page):
    text = page.read_text()
    defined = {
        name
        for file in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"^def (test_\w+)", file.read_text(), re.MULTILINE)
    }
    named = set(re.findall(r"`(test_\w+)`", text))
    assert named
    assert named <= defined, named - defined
    assert "\n## 中文摘要\n" in text
    for link in re.findall(r"\]\(([^)#]+)\)", text):
        assert (page.parent / link).exists(), link


@pytest.mark.parametrize("page", ANSWERS, ids=lambda page: page.stem)
def test_tables_are_those_of_the_results(page):
    text = page.read_text()
    assert tables().with_tables(text) == text, "run: python tools/documents/exercise_tables.py"
    assert text.count("<!-- measured:") == text.count("<!-- end -->")


def test_every_result_is_shown_and_complete():
    shown = {name for page in ANSWERS for name in re.findall(r"<!-- measured: (\w+) -->", page.read_text())}
    assert shown == {path.stem for path in RESULTS.glob("*.json")}
    for path in RESULTS.glob("*.json"):
        about = json.loads(path.read_text())
        assert {"what", "command", "measured", "seconds", "machine", "versions", "date"} == set(about)
        for row in about["measured"].values():
            for value in row.values():
                assert value["n"] == len(value["values"])
                assert value["mean"] == pytest.approx(sum(value["values"]) / value["n"])


def test_rotations():
    accuracy, confused = column("rotation", "test accuracy"), means("rotation", "6 and 9 confused")
    assert above(accuracy["10 degrees"], accuracy["0 degrees"])
    assert above(accuracy["20 degrees"], accuracy["0 degrees"])
    assert above(accuracy["0 degrees"], accuracy["45 degrees"])
    assert above(accuracy["90 degrees"], accuracy["180 degrees"])
    assert confused["180 degrees"] > 10 * max(n for degrees, n in confused.items() if degrees != "180 degrees")


def test_tanh_and_sigmoid():
    first, last = means("tanh", "after epoch 1"), means("tanh", "after epoch 5")
    assert first["tanh"] > first["sigmoid"] + 0.05
    assert last["tanh"] > last["sigmoid"] + 0.01
    rescaled = "sigmoid, rate x 4, weights x 2"
    assert abs(first["tanh"] - first[rescaled]) < 0.1 * (first["tanh"] - first["sigmoid"])
    assert abs(last["tanh"] - last[rescaled]) < 0.1 * (last["tanh"] - last["sigmoid"])


def test_relu_initialization():
    accuracy = means("relu_initialization", "test accuracy")
    size = means("relu_initialization", "last layer / first layer")
    for depth in (5, 10, 20):
        assert size[f"scaled, {depth} hidden"] == pytest.approx(0.5 ** ((depth - 1) / 2), rel=0.3)
        assert size[f"he, {depth} hidden"] == pytest.approx(1, rel=0.3)
    assert abs(accuracy["scaled, 5 hidden"] - accuracy["he, 5 hidden"]) < 0.01
    assert accuracy["he, 20 hidden"] > accuracy["scaled, 20 hidden"] + 0.3
    each = column("relu_initialization", "test accuracy")
    assert above(each["he, 10 hidden"], each["scaled, 10 hidden"])
    deepest, middle = ([each[f"{start}, {k} hidden"]["values"] for start in ("scaled", "he")] for k in (20, 5))
    assert max(max(values) for values in deepest) < min(min(values) for values in middle)


def test_unstable_gradients():
    factor = means("unstable_gradient", "factor per layer")
    assert factor["sigmoid"] == pytest.approx(0.25, abs=0.03)
    assert factor["sigmoid"] < factor["relu"] < factor["relu, he"]
    assert factor["sigmoid"] < factor["steep sigmoid"] < factor["tanh"] < 1
    assert factor["relu, he"] / factor["relu"] == pytest.approx(2**0.5, rel=0.02)
    single = means("unstable_gradient", "of single images")
    assert single["relu"] == pytest.approx(0.5**0.5, rel=0.06)
    assert single["relu, he"] == pytest.approx(1, rel=0.06)
    assert all(factor[name] < single[name] < 1 for name in ("relu", "relu, he", "steep sigmoid"))


def test_the_fully_connected_layer():
    test, training = (column("fully_connected", f"{part} accuracy") for part in ("test", "training"))
    assert above(test["without"], test["with"])
    assert above(training["with"], training["without"])


def test_translations():
    by = {shift: column("translation", f"test images {shift} pixels to the right") for shift in (0, 1, 2, 4)}
    here = by[0]["as they are"]
    assert by[4]["as they are"]["mean"] == pytest.approx(here["mean"] / 2, rel=0.1)
    assert by[1]["as they are"]["mean"] < here["mean"] - 0.01
    assert all(above(by[shift]["moved"], by[shift]["as they are"]) for shift in (1, 2, 4))
    assert not above(by[0]["moved"], here)
