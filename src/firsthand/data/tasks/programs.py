"""One-line programs, made at random, with what they print."""

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from ..answers import Answers
from ..examples import DataError
from .held_out import Part, part_of
from .interpreter import run_program

__all__ = ["ALPHABET", "KINDS", "Difficulty", "could_write", "part_of_program", "program_answers", "write_program"]

KINDS = ("sum", "difference", "product", "variable", "choice")
ALPHABET = tuple("\n 0123456789+-*<>=;()aefilnprst")  # of the programs, and of what they print
LARGEST_FACTOR = 9  # products have one factor of a single digit

Random = np.random.Generator


class Difficulty(NamedTuple):
    """The difficulty of a program.

    Args:
        length: digits of its numbers.
        nesting: the depth of its operations: 1 is one operation, 2 one whose first operand is another.
        shorter: the share of the numbers that have fewer digits.
    """

    length: int
    nesting: int = 1
    shorter: float = 0.0


def write_program(kinds: Sequence[str], at: Difficulty, random: Random) -> str:
    """Return a program of this difficulty, such as 'print((31-57)*4)'.

    Args:
        kinds: of operations to choose from, some of `KINDS`.
        at: its difficulty.
        random: source of all randomness.
    """
    kind = _one_of(kinds, random)
    if kind != "variable":
        return f"print({_operation(kind, kinds, at, random)})"
    # 'a' takes the place of an operand, which may be an operation itself
    return f"a={_operand(kinds, at, random)};print({_joined(_one_of(_simple(kinds), random), 'a', at, random)})"


def program_answers(
    count: int,
    draw: Callable[[Random], Difficulty],
    part: Part = "training",
    *,
    kinds: Sequence[str] = KINDS,
    steps: int,
    seed: int | Sequence[int],
) -> Answers:
    """Make programs with what they print and the end of the line, as questions with answers.

    A program is held out with all that differ from it only in the order of a sum's numbers; where programs are so few
    that one comes twice, it stays in its part.

    Args:
        count: number of programs.
        draw: gives the difficulty of the next program.
        part: of the data; see `part_of`.
        kinds: of operations.
        steps: of the sequences; the longest program with its answer must fit.
        seed: of all randomness; the same gives the same programs.
    Raises:
        DataError: a program that does not fit, or an unknown kind of operation.
    References:
        Zaremba and Sutskever 2014, 'Learning to Execute'.

    Examples:
        >>> program_answers(2, lambda random: Difficulty(3), kinds=("sum",), steps=18, seed=0)
        Answers(2 questions with answers, 18 steps, alphabet of 31)
    """
    if unknown := sorted(set(kinds) - set(KINDS)):
        raise DataError(f"programs: kind {unknown[0]!r} found, one of {', '.join(KINDS)} expected")
    random = np.random.default_rng(seed)
    pairs: list[tuple[str, str]] = []
    while len(pairs) < count:
        at = draw(random)
        program = write_program(kinds, at, random)
        while part_of_program(program) != part:
            program = write_program(kinds, at, random)
        pairs.append((program, f"{run_program(program)}\n"))
    return Answers.of_pairs(pairs, steps, ALPHABET)


def part_of_program(program: str) -> Part:
    """Return the part of the data that a program belongs to; see `part_of`.

    Examples:
        >>> part_of_program("print(12+345)") == part_of_program("print(345+12)")
        True
    """
    return part_of(_in_order(program))


def could_write(program: str, kinds: Sequence[str], hardest: Difficulty) -> bool:
    """Return whether `write_program` could have written a program, up to a difficulty, shorter numbers included.

    Examples:
        >>> could_write("print(12+345)", ("sum",), Difficulty(3)), could_write("print(12-345)", ("sum",), Difficulty(3))
        (True, False)
    """
    return bool(_pattern(tuple(kinds), hardest.length, hardest.nesting).fullmatch(program))


@lru_cache(maxsize=16)
def _pattern(kinds: tuple[str, ...], length: int, nesting: int) -> re.Pattern[str]:
    number = rf"(?:0|[1-9]\d{{0,{length - 1}}})"
    behind = {"sum": rf"\+{number}", "difference": rf"-{number}", "product": f"\\*[2-{LARGEST_FACTOR}]"}
    inner = "|".join(behind[kind] for kind in _simple(kinds))
    operand = number
    for _ in range(nesting - 1):
        operand = rf"(?:{number}|\({operand}(?:{inner})\))"
    whole = [rf"print\({operand}{behind[kind]}\)" for kind in kinds if kind in behind]
    if "choice" in kinds:
        whole.append(rf"print\({operand} if {number}[<>]{number} else {number}\)")
    if "variable" in kinds:
        whole.append(rf"a={operand};print\(a(?:{inner})\)")
    return re.compile("|".join(whole))


def _operation(kind: str, kinds: Sequence[str], at: Difficulty, random: Random) -> str:
    if kind != "choice":
        return _joined(kind, _operand(kinds, at, random), at, random)
    first = _operand(kinds, at, random)
    left, right, other = (_number(at, random) for _ in range(3))
    return f"{first} if {left}{_one_of('<>', random)}{right} else {other}"


def _joined(kind: str, first: str, at: Difficulty, random: Random) -> str:
    """An operand and a number, added, subtracted or multiplied."""
    if kind == "product":
        return f"{first}*{random.integers(2, LARGEST_FACTOR + 1)}"
    sign = "+" if kind == "sum" else "-"
    return f"{first}{sign}{_number(at, random)}"


def _operand(kinds: Sequence[str], at: Difficulty, random: Random) -> str:
    """A number, or in brackets an operation that is less deep by one: a sum, a difference or a product."""
    if at.nesting == 1:
        return _number(at, random)
    inner = _simple(kinds)
    return f"({_operation(_one_of(inner, random), inner, at._replace(nesting=at.nesting - 1), random)})"


def _simple(kinds: Sequence[str]) -> list[str]:
    return [kind for kind in kinds if kind in ("sum", "difference", "product")] or ["sum"]


def _number(at: Difficulty, random: Random) -> str:
    """A number of this many digits, the first of which is 0 only where it is the only one."""
    length = at.length
    if at.shorter and length > 1 and random.random() < at.shorter:
        length = int(random.integers(1, length))
    return str(random.integers(10 ** (length - 1) if length > 1 else 0, 10**length))


def _one_of(things: Sequence[str], random: Random) -> str:
    return things[int(random.integers(len(things)))]


def _in_order(program: str) -> str:
    """A program, a sum of two numbers with the smaller first: what one knows of a+b one knows of b+a."""
    inside = program.removeprefix("print(").removesuffix(")")
    numbers = inside.split("+")
    if len(numbers) == 2 and all(number.isdigit() for number in numbers):
        return "print({}+{})".format(*sorted(numbers, key=int))
    return program
