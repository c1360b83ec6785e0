"""Studies of networks with a memory: each in the small, claims that can fail, and the figures."""

import json
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from firsthand import nn
from firsthand.data import Arrays, Splits, WordText, mnist
from firsthand.data.tasks import Difficulty, adding_problem
from firsthand.experiments.experiment import Measured, Run
from firsthand.experiments.figures import draw_figures
from firsthand.experiments.records import check_measured, conclude, record_of
from firsthand.studies import (
    adding_problem as adding,
)
from firsthand.studies import (
    common,
    learning_to_execute,
    rows_of_digits,
    vanishing_in_time,
    word_vectors,
)

pytestmark = pytest.mark.usefixtures("compiled_quickly", "optax_promotes")

MODULES = (rows_of_digits, adding, vanishing_in_time, learning_to_execute, word_vectors)
EXPERIMENTS = {each.id: each for module in MODULES for each in module.EXPERIMENTS}
DATA = mnist()


@pytest.fixture
def optax_promotes():
    with jax.numpy_dtype_promotion("standard"):  # Optax itself relies on promotion
        yield


def concluded(id, *measured, needed=None):
    records = [record_of(seed, 1.0, each, "a machine") for seed, each in enumerate(measured)]
    return conclude(EXPERIMENTS[id], json.loads(json.dumps(records)), needed or {}, quick=False)


def drawn(id, result, folder):
    return [path.stem for path in draw_figures(EXPERIMENTS[id], result, {}, folder)]


def held(id, *measured):
    return [claim.finding(measured, {}).holds for claim in EXPERIMENTS[id].claims]


# --- rows of digits ---------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_rows_are_read_and_drawn(tmp_path, monkeypatch):
    few = Splits(DATA.train[:200], DATA.validation[:50], DATA.test[:50])
    for module in (common, rows_of_digits):
        monkeypatch.setattr(module, "mnist", lambda: few)
    monkeypatch.setattr(rows_of_digits, "UNITS", 5)
    found = EXPERIMENTS["rows-mnist"].measure(Run(0, True, tmp_path))
    check_measured(found)
    result = concluded("rows-mnist", found)
    assert "LSTM" in result.claims[0][1].measured.en
    assert drawn("rows-mnist", result, tmp_path) == ["rows-mnist-rows"]


@pytest.mark.tiny
def test_claims_about_rows_can_fail():
    def run(**accuracies):
        parts = ("test", "validation")
        return Measured({f"{part}_accuracy_{name}": each for part in parts for name, each in accuracies.items()})

    assert held("rows-mnist", run(tanh=0.96, irnn=0.97, gru=0.988, lstm=0.986)) == [True, True]
    assert held("rows-mnist", run(tanh=0.96, irnn=0.97, gru=0.984, lstm=0.95)) == [False, False]


def test_blank_rows_leave_the_digit_unknown():
    """A model that says the first row with ink says 0 without that row."""
    first: Any = SimpleNamespace(predict=lambda images: np.argmax(images.max((2, 3)), axis=1))
    images = np.zeros((3, 28, 28, 1), np.uint8)
    images[[0, 1, 2], [1, 3, 9]] = 255
    data = replace(DATA.test[:3], images=images, labels=np.array([1, 3, 9]))
    found = dict(zip(rows_of_digits.READ, rows_of_digits._while_reading(first, data), strict=True))
    assert (found[0], found[2], found[4], found[10], found[28]) == (0, 1 / 3, 2 / 3, 1, 1)


# --- the adding problem, and its gradients ----------------------------------------------------------------------------


@pytest.mark.slow
def test_the_adding_problem_is_measured_and_drawn(tmp_path, monkeypatch):
    monkeypatch.setattr(adding, "LENGTHS", (12, 16))
    monkeypatch.setattr(adding, "LAGS", (0, 4))
    monkeypatch.setattr(adding, "UNITS", 3)
    found = EXPERIMENTS["adding-problem"].measure(Run(0, True, tmp_path))
    check_measured(found)
    assert len(found.arrays["gradient_end_lstm"]) == 2
    result = concluded("adding-problem", found)
    assert drawn("adding-problem", result, tmp_path) == ["adding-problem-learning"]


@pytest.mark.tiny
def test_claims_about_the_adding_problem_can_fail():
    def run(lstm, tanh):
        errors = {"lstm": lstm, "tanh": tanh, "gru": 0.1, "irnn": 0.1}
        return Measured({f"error_{name}_{length}": e for name, e in errors.items() for length in adding.LENGTHS})

    assert held("adding-problem", run(0.001, 0.166)) == [True, True]
    assert held("adding-problem", run(0.02, 0.12)) == [False, False]


@pytest.mark.parametrize("name", ["tanh", "lstm", "gru"])
def test_lengths_of_gradients_are_those_of_finite_differences(name, float64):
    layer = rows_of_digits.cells(3)[name]
    network = nn.Network((layer, nn.FullyConnected(1, nn.linear)), (9, 2))
    params = network.init(float, key=jax.random.key(1))
    x, y = (jnp.asarray(array, float) for array in adding_problem(1, 9, seed=0).arrays)
    lag = 4
    # through the plain scan: the masked run of the study against one in two pieces
    _, state = layer.run(params[0], x[:, : 9 - lag], layer.start(1, float))

    def cost(state):
        _, (h, *_) = layer.run(params[0], x[:, 9 - lag :], state)
        return 0.5 * float(np.sum((np.asarray(network.layers[1].apply(params[1], h)) - y) ** 2))

    slopes = []
    for part in range(len(state)):
        for unit in range(3):
            up, down = (
                tuple(s.at[0, unit].add(step) if number == part else s for number, s in enumerate(state))
                for step in (1e-5, -1e-5)
            )
            slopes.append((cost(up) - cost(down)) / 2e-5)
    [found] = adding.gradient_lengths(network, params, Arrays((np.asarray(x), np.asarray(y))), [lag])
    assert found == pytest.approx(np.linalg.norm(slopes), rel=1e-4)


def gradients(**left):
    """A Result of the adding problem, of whose gradients so much is left 100 steps back."""
    arrays = {}
    for name, share in left.items():
        arrays[f"gradient_{name}"] = [share ** (lag / 100) for lag in adding.LAGS]
    numbers = {f"error_{name}_{length}": 0.1 for name in rows_of_digits.NAMES for length in adding.LENGTHS}
    arrays |= {f"validation_{name}_{length}": [0.1] for name in rows_of_digits.NAMES for length in adding.LENGTHS}
    return concluded("adding-problem", Measured(numbers, arrays))


@pytest.mark.parametrize(("kept", "holds"), [(1.0, [True, True, True]), (1e-9, [True, False, False])])
def test_gradients_through_time_are_judged_and_drawn(kept, holds, tmp_path):
    start = {f"start_{name}": 1e-6 for name in ("tanh", "gru", "lstm")} | {"start_irnn": kept}
    end = {f"end_{name}": kept for name in ("irnn", "gru", "lstm")} | {"end_tanh": 1e-6}
    needed = {"adding-problem": gradients(**start, **end)}
    found = EXPERIMENTS["vanishing-in-time"].measure(Run(0, False, tmp_path, needed))
    check_measured(found)
    assert found.numbers["factor_start_tanh"] == pytest.approx(1e-6 ** (1 / 100), rel=1e-3)
    assert held("vanishing-in-time", found) == holds
    result = concluded("vanishing-in-time", found, needed=needed)
    assert drawn("vanishing-in-time", result, tmp_path) == ["vanishing-in-time-lags"]


# --- learning to execute ----------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_programs_are_learned_graded_and_drawn(tmp_path, monkeypatch):
    monkeypatch.setattr(learning_to_execute, "UNITS", 4)
    for id, task in (("execute-add", learning_to_execute.SUMS), ("execute-program", learning_to_execute.LINES)):
        place = tmp_path / id
        place.mkdir()
        found = EXPERIMENTS[id].measure(Run(0, True, place))
        check_measured(found)
        assert {f"whole_combined_{at.length}_{at.nesting}" for at in task.difficulties} <= set(found.numbers)
        assert drawn(id, concluded(id, found), tmp_path) == [f"{id}-heat"]


@pytest.mark.tiny
def test_curricula_are_as_easy_as_they_say():
    task = learning_to_execute.Task(("sum",), Difficulty(3), steps=18, epochs=6)
    lengths = {}
    sources = {name: learning_to_execute.Curriculum(task, name, 6, 60) for name in learning_to_execute.STRATEGIES}
    for strategy, source in sources.items():
        for epoch in (0, 5):
            examples = source.examples(epoch, None, key=jax.random.key(epoch))
            questions = ("".join(examples.symbols[n] for n in row) for row in examples.inputs)
            lengths[strategy, epoch] = {question.index("+") - len("print(") for question in questions}
    assert lengths["naive", 0] == {1}
    assert lengths["naive", 5] == {3}
    assert lengths["mix", 0] == lengths["mix", 5] == lengths["combined", 0] == {1, 2, 3}
    assert {source.like.example_shape for source in sources.values()} == {(18,)}


@pytest.mark.tiny
def test_claims_about_programs_can_fail():
    def sums(naive, mix, combined):
        found = {"naive": naive, "mix": mix, "combined": combined}
        each = {f"{what}_{name}_3_1": value for name, value in found.items() for what in ("right", "whole")}
        return Measured(each | {f"validation_{name}": value for name, value in found.items()})

    assert held("execute-add", sums(0.9, 0.98, 0.995)) == [True, True]
    assert held("execute-add", sums(0.985, 0.98, 0.95)) == [False, False]

    def lines(worst, step):
        at = learning_to_execute.LINES.difficulties
        rights = {f"right_combined_{one.length}_{one.nesting}": worst for one in at}
        return Measured(
            rights
            | {f"whole_combined_{one.length}_{one.nesting}": 0.9 - step * (one.length + one.nesting) for one in at}
        )

    assert held("execute-program", lines(0.95, 0.1)) == [True, True]
    assert held("execute-program", lines(0.85, -0.1)) == [False, False]


# --- word vectors -----------------------------------------------------------------------------------------------------


def test_word_vectors_are_judged_and_drawn(tmp_path, monkeypatch):
    words = sorted({word for group in (*word_vectors.ANALOGIES, *word_vectors.GROUPS.values()) for word in group})
    text = WordText.of([" ".join(words), " ".join(reversed(words))] * 20, at_least=1)
    monkeypatch.setattr(word_vectors, "_text", lambda: text)
    monkeypatch.setattr(word_vectors, "FEATURES", 4)
    monkeypatch.setattr(word_vectors, "PAIRS", 4_000)
    found = EXPERIMENTS["word-vectors"].measure(Run(0, True, tmp_path))
    check_measured(found)
    assert len(found.arrays["places"]) == len(word_vectors.ANALOGIES) == 8
    assert drawn("word-vectors", concluded("word-vectors", found), tmp_path) == ["word-vectors-map"]


@pytest.mark.tiny
def test_claims_about_words_can_fail():
    def run(first, within):
        numbers = {"first": first, "among_ten": 7.0, "words": 9.0, "likeness_within": within, "likeness_between": 0.1}
        return Measured(numbers, {"places": [1] * first + [2] * (8 - first)})

    assert held("word-vectors", run(5, 0.4), run(6, 0.4)) == [True, True]
    assert held("word-vectors", run(5, 0.4), run(4, 0.15)) == [False, False]
