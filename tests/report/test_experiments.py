"""The report of the experiments: numbers as words, the page, the Markdown table, and the commands."""

import base64
import json
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

import firsthand
from firsthand.errors import FirsthandError
from firsthand.experiments.drawing import panels
from firsthand.experiments.figures import write_figure
from firsthand.experiments.result import Finding, Published, Result, Source, Text
from firsthand.report.experiments import brief, comparisons, duration, figures_of, load_results, markdown, overall
from firsthand.report.experiments_page import experiments_page
from firsthand.studies.catalogue import EXPERIMENTS
from tests.processes import PATIENCE


def a_result(id="conv-9", accuracies=(0.991, 0.993), quick=False, claims=(True,), **changes):
    runs = tuple(
        {"seed": i, "seconds": 61.0, "numbers": {"test_accuracy": a, "validation_accuracy": a}, "arrays": {}}
        for i, a in enumerate(accuracies)
    )
    fields = {
        "id": id,
        "title": Text(f"what <{id}> shows & more", f"{id} 的内容"),
        "source": Source("Nielsen", "chapter 6, 'In practice'"),
        "quick": quick,
        "published": (Published("test_accuracy", 0.9906, best_of=2),),
        "runs": runs,
        "claims": tuple(
            (Text(f"claim {i}", f"论断 {i}"), Finding(holds, Text(f"found {i}", f"得到 {i}")))
            for i, holds in enumerate(claims)
        ),
        "deviations": (Text("another order", "顺序不同"),),
        "captions": {"curve": Text("look at the end", "看末尾")},
        "machine": "a machine",
        "versions": {"python": "3.11", "firsthand": "0.1.0"},
        "date": "2026-11-21 12:00 UTC",
        "command": f"firsthand run {id}",
    }
    return Result(**{**fields, **changes})


@pytest.fixture
def results(tmp_path):
    """A folder of two results, one with a figure, and one of a recipe beside it."""
    folder = tmp_path / "results" / "experiments"
    folder.mkdir(parents=True)
    (folder / "figures").mkdir()
    for result in (a_result(), a_result("quadratic-30", (0.9,), claims=(True, False), captions={})):
        result.save(folder)
    figure, ((axes,),) = panels(1, 1)
    axes.plot([1, 2, 3], label="0.123456")
    axes.legend()
    write_figure(figure, folder / "figures" / "conv-9-curve")
    return folder


# --- words --------------------------------------------------------------------------------------------------------


@pytest.mark.tiny
def test_what_the_text_measures_in_another_way_is_explained_by_that():
    published = Published("test_accuracy", 0.98, explained_by="highest_test_accuracy")

    def result(highest):
        numbers = {"test_accuracy": 0.96, "validation_accuracy": 0.97, "highest_test_accuracy": highest}
        run = {"seconds": 1.0, "numbers": numbers, "arrays": {}}
        return a_result(published=(published,), runs=({"seed": 0, **run}, {"seed": 1, **run}))

    (found,) = comparisons(result(0.9805))
    assert (found.verdict, found.explained) == ("explained", ("highest_test_accuracy", "98.05 ± 0.00 %"))
    assert overall(result(0.9805)) == "explained"
    assert brief(result(0.9805))[1].en == ("96.00 ± 0.00 % (n = 2); highest test accuracy 98.05 ± 0.00 %; 1 of 1 holds")
    (found,) = comparisons(result(0.965))
    # it stands beside, but explains nothing
    assert (found.verdict, found.explained) == ("missed", ("highest_test_accuracy", "96.50 ± 0.00 %"))


@pytest.mark.tiny
def test_what_training_ends_with_is_the_end_of_its_curve():
    run = {"seconds": 1.0, "numbers": {"validation_accuracy": 0.97}, "arrays": {"validation_accuracy": [0.97, 0.96]}}
    result = a_result(
        runs=({"seed": 0, **run}, {"seed": 1, **run}),
        published=(Published("last_validation_accuracy", 0.96, beside="validation_accuracy"),),
    )
    (found,) = comparisons(result)
    assert (found.measured, found.verdict) == ("96.00 ± 0.00 %", "reached")
    assert found.explained == ("validation_accuracy", "97.00 ± 0.00 %")


@pytest.mark.tiny
def test_published_beside_measured():
    (found,) = comparisons(a_result())
    assert found.published == "99.06 %"
    assert found.measured == "99.20 ± 0.14 %"
    # the best of the two that are the text's protocol, and its interval
    assert found.difference == "+0.24 [-0.79, +1.27]"
    assert found.best == "99.30 %"
    assert found.verdict == "cannot tell"
    assert found.explained is None
    (value,) = comparisons(a_result(published=(Published("validation_accuracy", 0.5, "value"),)))
    assert (value.published, value.measured, value.difference) == ("0.5", "0.9920 ± 0.0014", "+0.49 [+0.47, +0.51]")
    assert value.verdict == "missed"
    (value,) = comparisons(a_result(published=(Published("validation_accuracy", 0.5, "exact", 0.6),)))
    assert (value.published, value.difference, value.verdict) == ("50.00 %", "+49.20", "reached")


@pytest.mark.tiny
@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({}, "cannot tell"),  # two runs that differ
        ({"accuracies": (0.992, 0.992)}, "reached"),
        ({"claims": (True, False)}, "does not hold"),
        ({"accuracies": (0.98, 0.98), "claims": (False,)}, "missed"),
        ({"accuracies": (0.999, 0.999)}, "higher"),
        ({"accuracies": (0.94, 0.94), "published": (Published("test_accuracy", 0.95),)}, "lower"),
        ({"accuracies": (0.9906,)}, "cannot tell"),
        ({"published": ()}, "holds"),
        ({"published": (), "claims": ()}, "shown"),
        ({"quick": True, "accuracies": (0.5,)}, "not compared"),
    ],
)
def test_one_verdict_for_all(changes, verdict):
    assert overall(a_result(**changes)) == verdict


@pytest.mark.tiny
def test_a_few_numbers_are_named_and_many_are_counted():
    assert brief(a_result())[1] == Text(
        "99.20 ± 0.14 % (n = 2); 1 of 1 holds", "99.20 ± 0.14 %（n = 2）；1 个中 1 个成立"
    )
    many = tuple(Published("test_accuracy", 0.9 + i / 40) for i in range(5))
    published, measured = brief(a_result(published=many, claims=()))
    assert published.en == "5 numbers"
    assert measured.en == "4 of 5 reached (n = 2)"
    assert brief(a_result(published=(), claims=()))[0] == Text("–", "–")


@pytest.mark.tiny
def test_durations():
    assert [duration(s) for s in (0.2, 5, 89, 600, 9000)] == ["< 1 s", "5 s", "89 s", "10 min", "2.5 h"]


@pytest.mark.tiny
def test_markdown_has_a_row_for_each(results):
    lines = markdown(load_results(results), "en")
    assert len(lines) == 4
    assert lines[2].startswith("| `quadratic-30` |")  # the order of the texts
    assert "**missed**" in lines[2]
    assert {line.count(" | ") for line in lines} == {5}
    assert "书中" in markdown(load_results(results), "zh")[0]


@pytest.mark.tiny
def test_a_folder_without_results_is_said_in_one_line(tmp_path):
    with pytest.raises(FirsthandError, match="no results of experiments; make some with: firsthand run --all"):
        load_results(tmp_path)
    (tmp_path / "x.json").write_text('{"id": 1}')
    with pytest.raises(FirsthandError, match=r"x\.json: not a result"):
        load_results(tmp_path)


# --- figures ------------------------------------------------------------------------------------------------------


def test_a_figure_is_small_the_same_every_time_and_replaces_the_other_form(tmp_path):
    def write(stem, n):
        figure, ((axes,),) = panels(1, 1)
        axes.plot(np.random.default_rng(0).random(n), label="0.123456")
        axes.legend()
        return write_figure(figure, tmp_path / stem)

    (tmp_path / "lines.png").touch()
    path = write("lines", 3)
    assert [each.name for each in tmp_path.iterdir()] == ["lines.svg"]
    text = path.read_text()
    assert "0.123456" in text  # text stays text, and keeps its digits
    assert len(text) < 15_000
    assert write("lines", 3).read_text() == text
    assert write("many", 20_000).suffix == ".png"


# --- the page -----------------------------------------------------------------------------------------------------


class Checker(HTMLParser):
    """Collects tags; complains of those that are not closed in their order."""

    VOID = ("meta", "br", "img", "input")

    def __init__(self, page):
        super().__init__()
        self.open, self.tags, self.ids = [], [], []
        self.feed(page)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        assert not any(name.startswith("on") for name in attributes), attrs
        self.tags.append((tag, attributes))
        if "id" in attributes:
            self.ids.append(attributes["id"])
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.mark.parametrize("language", ["both", "en", "zh"])
def test_the_page_is_whole_and_loads_nothing(results, language):
    found = load_results(results)
    recipe = {
        "recipe": "smallest",
        "about": "few",
        "parameters": 1931,
        "n": 2,
        "test_accuracy": {"mean": 0.9908, "standard_deviation": 0.0008},
        "together": {"test_accuracy_by_votes": 0.991},
    }
    page = experiments_page(found, [recipe], results, language)
    checked = Checker(page)
    assert len(set(checked.ids)) == len(checked.ids)
    for result in found:
        assert result.id in checked.ids
        assert result.command in page
    # a picture is in the page, a link stays in it, and there is no script
    sources = [attributes["src"] for _, attributes in checked.tags if "src" in attributes]
    assert len(sources) == 1
    kind, content = sources[0].split(",")
    assert kind == "data:image/svg+xml;base64"
    assert b"<svg" in base64.b64decode(content)
    assert all(attributes["href"].startswith("#") for _, attributes in checked.tags if "href" in attributes)
    assert not {"script", "link", "iframe"} & {tag for tag, _ in checked.tags}
    assert not re.search(r"https?:|url\(|@import", page)
    assert "what &lt;conv-9&gt; shows &amp; more" in page or language == "zh"
    assert ("conv-9 的内容" in page) == (language != "en")
    assert ("another order" in page) == (language != "zh")
    assert "1,931" in page
    assert "99.20 ± 0.14 %" in page


def test_the_page_says_what_was_shortened(results):
    page = experiments_page([a_result(quick=True, claims=())], [], results, "en")
    assert "1 of these experiments were shortened" in page
    assert page.count("not compared") >= 1
    assert "+0.14" not in page


# --- the commands -------------------------------------------------------------------------------------------------


def command(*arguments, cwd):
    source = str(Path(firsthand.__file__).parents[1])
    return subprocess.run(
        [sys.executable, "-m", "firsthand", *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=cwd,
        timeout=PATIENCE,
        env={**os.environ, "PYTHONPATH": source},
    )


@pytest.mark.slow
def test_report_and_experiments_on_the_command_line(results, tmp_path):
    done = command("report", "--out", "page.html", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("page.html: 2 experiments")
    Checker((tmp_path / "page.html").read_text())
    done = command("experiments", "--json", cwd=tmp_path)
    listed = {entry["id"]: entry for entry in json.loads(done.stdout)}
    assert list(listed) == [experiment.id for experiment in EXPERIMENTS]
    assert listed["quadratic-30"]["measured"]["verdict"] == "missed"
    assert listed["full-matrix"]["measured"] is None
    printed = command("experiments", "--zh", cwd=tmp_path).stdout
    assert "未达到" in printed
    assert "full-matrix" in printed


@pytest.mark.slow
def test_run_on_the_command_line(tmp_path):
    done = command("run", "why-*", "--quick", "--jobs", 1, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "[1/1] why-backprop, run 0" in done.stdout
    result = Result.load(tmp_path / "runs/quick/why-backprop.json")
    assert result.quick
    assert [name for name, *_ in figures_of(result, tmp_path / "runs/quick")] == ["cost"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run"], "run: expected the ids of experiments, or --all"),
        (["run", "nothing*"], "run: found 'nothing*', expected an experiment"),
        (["report", "--language", "fr"], "--language: found 'fr', expected both, en, zh"),
    ],
)
def test_mistakes_are_one_line(arguments, said, tmp_path):
    done = command(*arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith(f"firsthand: {said}")
    assert done.stderr.count("\n") == 1


# --- the list -----------------------------------------------------------------------------------------------------


@pytest.mark.tiny
def test_every_experiment_can_be_run_and_told():
    ids = [experiment.id for experiment in EXPERIMENTS]
    assert len(set(ids)) == len(ids)
    for experiment in EXPERIMENTS:
        assert re.fullmatch(r"[a-z0-9-]+", experiment.id)
        assert experiment.id not in _needed(experiment.id)
        assert experiment.runs >= 1
        assert experiment.minutes > 0
        texts = [experiment.title, *experiment.deviations]
        texts += [claim.text for claim in experiment.claims] + [drawing.caption for drawing in experiment.drawings]
        for text in texts:
            assert text.en.strip()
            assert re.search(r"[\u3000-\u9fff]", text.zh), text
        names = [drawing.name for drawing in experiment.drawings]
        assert len(set(names)) == len(names)
        assert all(re.fullmatch(r"[a-z0-9-]+", name) for name in names), names


def _needed(id):
    """All that an experiment needs, directly or not; none of it is unknown."""
    known = {experiment.id: experiment.needs for experiment in EXPERIMENTS}
    found, unseen = set(), list(known[id])
    while unseen:
        found.add(each := unseen.pop())
        unseen += [other for other in known[each] if other not in found]
    return found


@pytest.mark.parametrize(
    ("values", "verdict"), [((9.0, 9.1, 9.2), "missed"), ((4.0, 4.1, 4.2), "reached"), ((4.9, 5.1, 5.2), "reached")]
)
def test_of_a_perplexity_less_is_better_and_none_is_a_percentage(values, verdict):
    published = Published("perplexity", 5.0, kind="value", better="lower", unit="bit")
    runs = [{"seed": i, "seconds": 1.0, "numbers": {"perplexity": v}, "arrays": {}} for i, v in enumerate(values)]
    result = a_result(published=(published,), runs=tuple(runs), quick=False)
    assert result.verdict(published) == verdict
    [compared] = comparisons(result)
    assert compared.published == "5 bit"
    assert "%" not in compared.measured
    assert compared.measured.endswith(" bit")
