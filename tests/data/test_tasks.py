"""Tasks by rule: what is asked, what is right, and that what is held out is never trained on."""

import re

import numpy as np
import pytest

from firsthand.data import Answers, DataError
from firsthand.data.tasks import (
    ALPHABET,
    KINDS,
    PARTS,
    Difficulty,
    ProgramError,
    adding_problem,
    part_of,
    program_answers,
    run_program,
    write_program,
)


def texts(answers):
    """Programs, and what is asked of them."""
    for inputs, targets, asked in zip(*answers.arrays, strict=True):
        line = "".join(answers.symbols[n] for n in [*inputs, targets[-1]])
        program, _, rest = line.partition(")\n")[0].rpartition(")")
        del program, rest
        first = int(np.flatnonzero(asked)[0])
        yield line[: first + 1], "".join(answers.symbols[n] for n in targets[asked])


@pytest.mark.parametrize("nesting", [1, 2, 3])
def test_programs_print_what_python_prints(nesting):
    random = np.random.default_rng(nesting)
    for _ in range(300):
        program, printed = write_program(KINDS, Difficulty(int(random.integers(1, 5)), nesting), random), []
        exec(program, {"print": printed.append})  # Python is the oracle, here and nowhere else
        assert run_program(program) == str(printed[0]), program


def test_nesting_is_the_number_of_operations_in_a_row():
    random = np.random.default_rng(0)
    for nesting in (1, 2, 3):
        program = write_program(("sum", "product"), Difficulty(2, nesting), random)
        assert len(re.findall(r"[+*]", program)) == nesting


def test_precedence_is_that_of_python():
    assert run_program("print(2+3*4-1)") == "13"
    assert run_program("print((1 if 2>3 else 5)*2)") == "10"
    assert run_program("b=7;print(b-b*b)") == "-42"


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("", "'the end' found at 0, print or the name of a variable expected"),
        ("print(1+)", r"'\)' found at 8, a number, a variable or \( expected"),
        ("print(b)", r"'b\)' found at 6, a number, a variable"),
        ("print(1)2", "'2' found at 8, the end of the program expected"),
        ("print(1", r"'the end' found at 7, \) expected"),
        ("print(__import__)", "'__import__' found at 6, a sign of the language"),
        ("a=1;a=2;print(a)", r"'a=2;print\(' found at 4, print expected"),
        ("print(1 if 2 else 3)", r"'else 3\)' found at 12, < or > expected"),
    ],
)
def test_what_is_no_program_is_one_line(program, message):
    with pytest.raises(ProgramError, match=message):
        run_program(program)


def test_answers_are_what_the_interpreter_prints():
    found = program_answers(200, lambda random: Difficulty(int(random.integers(1, 4)), 2), steps=50, seed=4)
    assert all(answer == run_program(question) + "\n" for question, answer in texts(found))


def test_the_same_seed_gives_the_same_programs():
    one, two, other = (program_answers(20, lambda r: Difficulty(3), steps=45, seed=seed) for seed in (1, 1, 2))
    assert one.digest == two.digest != other.digest


def test_what_is_held_out_is_never_trained_on():
    """Sums of one and two digits are so few that chance alone would test what was trained."""
    seen = {}
    for seed, part in enumerate(PARTS):
        found = program_answers(
            1500, lambda r: Difficulty(int(r.integers(1, 3))), part, kinds=("sum",), steps=20, seed=seed
        )
        sums = (re.findall(r"\d+", question) for question, _ in texts(found))
        seen[part] = {tuple(sorted(numbers)) for numbers in sums}  # a+b and b+a are one
    assert min(map(len, seen.values())) > 20
    assert not seen["training"] & (seen["validation"] | seen["test"])
    assert not seen["validation"] & seen["test"]


def test_parts_are_as_large_as_they_say():
    parts = [part_of(f"question {n}") for n in range(5000)]
    assert parts.count("test") == pytest.approx(500, rel=0.15)
    assert parts.count("validation") == pytest.approx(500, rel=0.15)


def test_unknown_kinds_and_programs_that_are_too_long_are_refused():
    with pytest.raises(DataError, match="kind 'loop' found, one of sum, difference"):
        program_answers(1, lambda r: Difficulty(1), kinds=("loop",), steps=20, seed=0)
    with pytest.raises(DataError, match="11 symbols together at most"):
        program_answers(1, lambda r: Difficulty(4), kinds=("sum",), steps=10, seed=0)


def test_answers_are_asked_for_at_the_places_before_them():
    found = Answers.of_pairs([("1+2=", "3."), ("9+8=", "17.")], 6, "0123456789+=.")
    assert found.asked.tolist() == [[False] * 3 + [True] * 2 + [False], [False] * 3 + [True] * 3]
    assert [answer for _, answer in texts(found)] == ["3.", "17."]
    assert found[1:].example_shape == (6,)


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        ([], "none found"),
        ([("1+2=", "")], "some in each"),
        ([("1+2=", "345")], "6 symbols together at most"),
        ([("1x2=", "3")], "'x' found"),
    ],
)
def test_pairs_that_cannot_be_used_are_one_line(pairs, message):
    with pytest.raises(DataError, match=message):
        Answers.of_pairs(pairs, 5, "0123456789+=.")


def test_an_example_of_which_nothing_is_asked_is_refused():
    numbers = np.zeros((2, 3), np.int32)
    with pytest.raises(DataError, match="no symbol is asked"):
        Answers(numbers, numbers, np.array([[True] * 3, [False] * 3]), tuple("ab"))


def test_the_adding_problem_marks_one_number_in_each_half():
    x, y = adding_problem(300, 21, seed=1).arrays
    assert x.shape == (300, 21, 2)
    first, second = x[:, :10, 1], x[:, 10:, 1]
    assert np.all(first.sum(1) == 1)
    assert np.all(second.sum(1) == 1)
    np.testing.assert_allclose((x[..., 0] * x[..., 1]).sum(1, keepdims=True), y, rtol=1e-6)
    assert np.mean((y - 1) ** 2) == pytest.approx(1 / 6, rel=0.2)


def test_pairs_of_places_are_held_out():
    seen = {}
    for part in PARTS:
        x, _ = adding_problem(2000, 12, part, seed=2).arrays
        seen[part] = {tuple(np.flatnonzero(row)) for row in x[..., 1]}
    assert not seen["training"] & (seen["validation"] | seen["test"])
    assert sum(map(len, seen.values())) == 36
    with pytest.raises(DataError, match="length 2 found, a longer one expected: no places for test data"):
        adding_problem(1, 2, "test", seed=0)


def test_the_alphabet_has_what_programs_need():
    assert len(set(ALPHABET)) == len(ALPHABET)
