"""Studies of machines that remember and write: each in the small, claims that can fail, and the figures."""

import json
from dataclasses import replace

import jax
import numpy as np
import pytest

from firsthand.data import Splits, mnist
from firsthand.experiments.experiment import Measured, Run
from firsthand.experiments.figures import draw_figures
from firsthand.experiments.records import check_measured, conclude, record_of
from firsthand.studies import (
    captions,
    dates,
    neural_turing,
    neural_turing_more,
    neural_turing_repeat,
    stories,
    translation,
)
from firsthand.zoo import machines, writing

pytestmark = pytest.mark.usefixtures("compiled_quickly", "optax_promotes")

MODULES = (neural_turing, neural_turing_repeat, neural_turing_more, stories, dates, translation, captions)
EXPERIMENTS = {each.id: each for module in MODULES for each in module.EXPERIMENTS}


@pytest.fixture
def optax_promotes():
    with jax.numpy_dtype_promotion("standard"):  # Optax itself relies on promotion
        yield


def measured_and_drawn(id, folder):
    found = EXPERIMENTS[id].measure(Run(0, True, folder))
    check_measured(found)
    records = json.loads(json.dumps([record_of(0, 1.0, found, "a machine")]))
    result = conclude(EXPERIMENTS[id], records, {}, quick=False)
    assert len(json.dumps(found.arrays)) < 40_000  # it is committed
    drawn = [path.stem for path in draw_figures(EXPERIMENTS[id], result, {}, folder)]
    assert drawn == [f"{id}-{drawing.name}" for drawing in EXPERIMENTS[id].drawings]
    return found


def held(id, *measured):
    return [claim.finding(measured, {}).holds for claim in EXPERIMENTS[id].claims]


@pytest.mark.slow
def test_copying_is_measured_and_drawn(tmp_path, monkeypatch):
    monkeypatch.setattr(neural_turing, "LENGTHS", (20, 40))
    monkeypatch.setattr(neural_turing, "LONGER", (40,))
    monkeypatch.setattr(neural_turing, "EPOCHS", 2)
    found = measured_and_drawn("ntm-copy", tmp_path)
    assert 0 <= found.numbers["wrong_lstm_40"] <= 1


@pytest.mark.slow
@pytest.mark.parametrize("id", ["ntm-repeat", "ntm-recall", "ntm-sort"])
def test_repeating_recalling_and_sorting_are_measured_and_drawn(id, tmp_path):
    found = measured_and_drawn(id, tmp_path)
    assert len(found.arrays["weightings"]) == (4 if id == "ntm-sort" else 2)


@pytest.mark.slow
@pytest.mark.parametrize("id", ["stories-2", "stories-3"])
def test_stories_are_answered_and_drawn(id, tmp_path):
    found = measured_and_drawn(id, tmp_path)
    assert 0 <= found.numbers[f"on_support_{id[-1]}_3"] <= 1


@pytest.mark.slow
def test_dates_are_written_and_drawn(tmp_path):
    found = measured_and_drawn("dates", tmp_path)
    assert all(len(looks) == 10 for looks in found.arrays["looks"])


@pytest.mark.slow
def test_scenes_are_described_and_drawn(tmp_path, monkeypatch):
    data = mnist()
    few = Splits(data.train[:200], data.validation[:50], data.test[:50])
    monkeypatch.setattr(writing, "mnist", lambda: few)
    found = measured_and_drawn("captions", tmp_path)
    assert 0 <= found.numbers["on_quarter"] <= 1


NUMBERS = [
    (f"{n}{ending}", f"{word}{more}")
    for n, word in enumerate("零一二三四五六七八九")
    for ending, more in (("", ""), ("th", "第"))
] * 20


@pytest.mark.slow
def test_names_are_translated_and_drawn(tmp_path, monkeypatch):
    pairs = tuple((f"number {i} {given}", written) for i, (given, written) in enumerate(NUMBERS))
    monkeypatch.setattr(translation, "chinese_names", lambda: pairs)
    found = measured_and_drawn("names-zh", tmp_path)
    assert found.numbers["wrong_plain"] > 0


@pytest.mark.slow
def test_verses_are_translated_and_drawn(tmp_path, monkeypatch):
    more = ("", " indeed")
    verses = tuple(
        (f"number {given} of {i}{more[i % 3 == 0]}", f"{written} {i} ,") for i, (given, written) in enumerate(NUMBERS)
    )
    monkeypatch.setattr(translation, "aligned_verses", lambda: verses)
    monkeypatch.setattr(translation, "_sacrebleu", lambda: None)
    monkeypatch.setattr(translation, "bleu", lambda written, references: float(len(written)))
    monkeypatch.setattr(translation, "BINS", ((1, 4), (5, 6)))
    found = measured_and_drawn("verses", tmp_path)
    assert found.numbers["bleu_plain"] == found.numbers["test_verses"]


@pytest.mark.tiny
def test_claims_about_translations_can_fail():
    def names(attention, plain):
        numbers = {
            f"{what}_{name}": w
            for what in ("wrong", "exact")
            for name, w in (("attention", attention), ("plain", plain))
        }
        return Measured(numbers | {"test_names": 9.0}, {"examples": [["a", "b", "c"]]})

    assert held("names-zh", names(0.4, 0.5)) == [True]
    assert held("names-zh", names(0.5, 0.4)) == [False]

    def verses(attention, plain):
        found = {"attention": attention, "plain": plain}
        return Measured(
            {f"bleu_{name}_{translation.BINS[at][1]}": each[at] for name, each in found.items() for at in (0, -1)}
            | {f"bleu_{name}": each[0] for name, each in found.items()}
        )

    assert held("verses", verses((20.0, 18.0), (18.0, 9.0))) == [True]
    assert held("verses", verses((20.0, 8.0), (18.0, 9.0))) == [False]
    assert held("verses", verses((20.0, 21.0), (18.0, 19.0))) == [False]


@pytest.mark.tiny
def test_words_and_distances():
    assert translation.words_of("Don't go, he said; ¿Qué?") == ["don't", "go", ",", "he", "said", ";", "¿", "qué", "?"]
    assert [translation.distance(*pair) for pair in (("abc", "abc"), ("abc", ""), ("kitten", "sitting"))] == [0, 3, 3]
    parts = translation.pairs_in_parts([(f"{n}", "x") for n in range(200)])
    assert sum(map(len, parts.values())) == 200
    assert min(map(len, parts.values())) > 5


@pytest.mark.tiny
def test_claims_about_copying_can_fail():
    def run(machine, lstm, walks):
        wrong = {"feedforward": machine, "lstm_controller": 0.5, "lstm": lstm}
        numbers = {f"wrong_{name}_{length}": w for name, w in wrong.items() for length in neural_turing.LENGTHS}
        shown = neural_turing.SHOWN
        written, read = np.eye(2 * shown + 1), np.roll(np.eye(2 * shown + 1), shown, axis=1)
        return Measured(numbers | {"one_slot_on": walks}, {"weightings": [(read if walks > 0.9 else written), written]})

    good, bad = run(0.01, 0.4, 0.95), run(0.3, 0.4, 0.5)
    assert held("ntm-copy", good, good, good, bad, bad) == [True, True, True]
    assert held("ntm-copy", good, good, bad, bad, bad) == [False, False, False]
    finding = EXPERIMENTS["ntm-copy"].claims[0].finding([good, bad], {})
    assert "seeds that fail: 1 (30.0%)" in finding.measured.en


@pytest.mark.tiny
def test_claims_about_recalling_and_sorting_can_fail():
    def run(ntm, lstm):
        sizes = (*neural_turing_more.ITEMS, machines.SORT.largest)
        wrong = {"ntm": ntm, "lstm": lstm}
        return Measured(
            {f"{what}_{name}_{n}": w for name, w in wrong.items() for n in sizes for what in ("wrong", "whole")}
        )

    for id, claims in (("ntm-recall", 2), ("ntm-sort", 1)):
        assert held(id, run(0.01, 0.2)) == [True] * claims
        assert held(id, run(0.3, 0.2)) == [False] * claims


@pytest.mark.tiny
def test_claims_about_repeating_can_fail():
    def run(ntm, lstm, end):
        wrong = {"ntm": ntm, "lstm": lstm}
        return Measured(
            {
                f"{what}_{name}_{length}_{times}": value
                for name in wrong
                for length, times in neural_turing_repeat.SIZES
                for what, value in (("wrong", wrong[name]), ("end", end))
            }
        )

    assert held("ntm-repeat", run(0.01, 0.2, 0.1)) == [True, True, True]
    assert held("ntm-repeat", run(0.3, 0.2, 0.1)) == [False, False, False]
    assert held("ntm-repeat", run(0.01, 0.2, 0.9)) == [True, True, False]


@pytest.mark.tiny
def test_claims_about_stories_can_fail():
    def run(kinds, errors, support):
        return Measured(
            {f"error_{kind}_{hops}": error for kind in kinds for hops, error in enumerate(errors, start=1)}
            | {f"on_support_{kind}_3": support for kind in kinds}
        )

    assert held("stories-1", run((1, 6, 15), (0.0, 0.0, 0.0), 0.9)) == [True, True, True]
    assert held("stories-1", run((1, 6, 15), (0.3, 0.3, 0.3), 0.4)) == [False, False, False]
    assert held("stories-2", run((2,), (0.4, 0.1, 0.1), 0.9)) == [True, True, True]
    assert held("stories-2", run((2,), (0.4, 0.5, 0.3), 0.4)) == [False, False, False]
    assert held("stories-3", run((3,), (0.5, 0.3, 0.1), 0.9)) == [True, True, True]
    assert held("stories-3", run((3,), (0.5, 0.3, 0.35), 0.4)) == [False, False, False]


@pytest.mark.tiny
def test_claims_about_dates_can_fail():
    def run(exact, early, on):
        numbers = {f"exact_{name}_{beams}": exact for name in dates.NAMES for beams in (1, dates.BEAMS)}
        numbers |= {"on_year": on, "on_month": on, "on_year_by_chance": 0.3}
        return Measured(numbers, {"validation_attention": [0.1, early], "validation_plain": [0.1, 0.3]})

    assert held("dates", run(0.995, 0.9, 0.8)) == [True, True, True]
    assert held("dates", run(0.98, 0.2, 0.3)) == [False, False, False]


@pytest.mark.tiny
def test_claims_about_captions_can_fail():
    def run(exact, on):
        names = ("exact_1", f"exact_{captions.BEAMS}", "exact_of_2", "exact_of_3", "exact_of_4")
        numbers: dict[str, float] = {"on_quarter": on}
        for name in names:
            numbers[name] = exact
        return Measured(numbers)

    assert held("captions", run(0.96, 0.9)) == [True, True]
    assert held("captions", run(0.94, 0.6)) == [False, False]


@pytest.mark.tiny
def test_sequences_grow_while_a_machine_learns():
    source = machines.Growing(machines.COPY, 8, 30)
    longest = []
    for epoch in (0, 2, 4):
        _, _, asked = source.examples(epoch, None, key=jax.random.key(epoch)).arrays
        longest.append(int(asked.sum(1).max()))
    assert longest[0] <= 5 < longest[1] <= 10 < longest[2] <= 20
    assert source.like.example_shape == (41, 9)


@pytest.mark.tiny
def test_a_growing_task_is_the_same_in_every_process():
    """Its digest decides whether a training that was stopped goes on."""
    assert "0x" in repr(machines.COPY)  # the address of a function
    one = machines.Growing(machines.COPY, 8, 30)
    other = machines.Growing(replace(machines.COPY, make=lambda *a, **k: machines.copy_task(*a, **k)), 8, 30)
    assert one.digest == other.digest
    assert one.digest != machines.Growing(machines.COPY, 9, 30).digest
