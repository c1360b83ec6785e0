"""An interpreter of one-line programs, which grades what networks say of them.

    program = [name "=" choice ";"] "print(" choice ")"
    choice  = sum ["if" sum (">" | "<") sum "else" choice]
    sum     = product {("+" | "-") product}
    product = atom {"*" atom}
    atom    = number | name | "(" choice ")"

It is a part of Python, with whole numbers alone; nothing of Python is run.
"""

import re
from typing import NoReturn

from firsthand.errors import FirsthandError

__all__ = ["ProgramError", "run_program"]

_TOKEN = re.compile(r"\s*(\d+|[a-z]+|[-+*<>=;()])")


class ProgramError(FirsthandError):
    """A text is not a program of this small language."""


def run_program(program: str) -> str:
    """Return what a one-line program prints, without the end of the line.

    Raises:
        ProgramError: it is no program; the message says what was found and where.

    Examples:
        >>> run_program("print(398345+42598)")
        '440943'
        >>> run_program("a=(7-9);print(3*a if 2>1 else 0)")
        '-6'
    """
    return str(_Interpreter(program).run())


class _Interpreter:
    """Reads a program from left to right and computes as it goes."""

    def __init__(self, program: str) -> None:
        self.program, self.place = program, 0
        self.known: dict[str, int] = {}

    def run(self) -> int:
        if (name := self.peek()) != "print":
            if not name.isalpha():
                self.refuse("print or the name of a variable")
            self.take(name)
            self.take("=")
            self.known[name] = self.choice()
            self.take(";")
        self.take("print")
        self.take("(")
        value = self.choice()
        self.take(")")
        if self.peek():
            self.refuse("the end of the program")
        return value

    def choice(self) -> int:
        value = self.sum()
        if self.peek() != "if":
            return value
        self.take("if")
        left = self.sum()
        if (sign := self.peek()) not in ("<", ">"):
            self.refuse("< or >")
        self.take(sign)
        right = self.sum()
        self.take("else")
        other = self.choice()
        return value if (left < right if sign == "<" else left > right) else other

    def sum(self) -> int:
        value = self.product()
        while (sign := self.peek()) in ("+", "-"):
            self.take(sign)
            term = self.product()
            value = value + term if sign == "+" else value - term
        return value

    def product(self) -> int:
        value = self.atom()
        while self.peek() == "*":
            self.take("*")
            value *= self.atom()
        return value

    def atom(self) -> int:
        found = self.peek()
        if found == "(":
            self.take("(")
            value = self.choice()
            self.take(")")
            return value
        if found.isdigit():
            self.take(found)
            return int(found)
        if found not in self.known:
            self.refuse("a number, a variable or (")
        self.take(found)
        return self.known[found]

    def peek(self) -> str:
        """The next token; empty at the end."""
        found = _TOKEN.match(self.program, self.place)
        if found is None and self.program[self.place :].strip():
            self.refuse("a sign of the language")
        return "" if found is None else found[1]

    def take(self, expected: str) -> None:
        found = _TOKEN.match(self.program, self.place)
        if found is None or found[1] != expected:
            self.refuse(expected)
        self.place = found.end()

    def refuse(self, expected: str) -> NoReturn:
        found = self.program[self.place :].strip()[:10] or "the end"
        raise ProgramError(f"program {self.program!r}: {found!r} found at {self.place}, {expected} expected")
