"""One-line programs, made at random, with what they print."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from ..answers import Answers
from ..examples import DataError
from .held_out import Part, part_of
from .interpreter import run_program

__all__ = ["ALPHABET", "KINDS", "Difficulty", "program_answers", "write_program"]

KINDS = ("sum", "difference", "product", "variable", "choice")
ALPHABET = tuple("\n 0123456789+-*<>=;()aefilnprst")  # of the programs, and of what they print
LARGEST_FACTOR = 9  # products have one factor of a single digit

Random = np.random.Generator


class Difficulty(NamedTuple):
    """The difficulty of a program: digits of its numbers, and the depth at which its operations are nested."""

    length: int
    nesting: int = 1


def write_program(kinds: Sequence[str], at: Difficulty, random: Random) -> str:
    """Return a program of this difficulty, such as 'print((31-57)*4)'.

    Args:
        kinds: of operations to choose from, some of `KINDS`.
        at: its difficulty; nesting 1 is one operation, 2 one whose first operand is another.
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
        while part_of(_in_order(program)) != part:
            program = write_program(kinds, at, random)
        pairs.append((program, f"{run_program(program)}\n"))
    return Answers.of_pairs(pairs, steps, ALPHABET)


def _operation(kind: str, kinds: Sequence[str], at: Difficulty, random: Random) -> str:
    if kind != "choice":
        return _joined(kind, _operand(kinds, at, random), at, random)
    first = _operand(kinds, at, random)
    left, right, other = (_number(at.length, random) for _ in range(3))
    return f"{first} if {left}{_one_of('<>', random)}{right} else {other}"


def _joined(kind: str, first: str, at: Difficulty, random: Random) -> str:
    """An operand and a number, added, subtracted or multiplied."""
    if kind == "product":
        return f"{first}*{random.integers(2, LARGEST_FACTOR + 1)}"
    sign = "+" if kind == "sum" else "-"
    return f"{first}{sign}{_number(at.length, random)}"


def _operand(kinds: Sequence[str], at: Difficulty, random: Random) -> str:
    """A number, or in brackets an operation that is less deep by one: a sum, a difference or a product."""
    if at.nesting == 1:
        return _number(at.length, random)
    inner = _simple(kinds)
    return f"({_operation(_one_of(inner, random), inner, at._replace(nesting=at.nesting - 1), random)})"


def _simple(kinds: Sequence[str]) -> list[str]:
    return [kind for kind in kinds if kind in ("sum", "difference", "product")] or ["sum"]


def _number(length: int, random: Random) -> str:
    """A number of this many digits, the first of which is 0 only where it is the only one."""
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
