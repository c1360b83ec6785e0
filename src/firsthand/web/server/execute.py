"""Routes: a network that reads a program of one line and writes what it prints, beside the interpreter."""

from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from firsthand.data.tasks import KINDS, Difficulty, Part, could_write, part_of_program, run_program, write_program
from firsthand.errors import FirsthandError
from firsthand.inspect import follow
from firsthand.models import LanguageModel
from firsthand.zoo.box import PROGRAMS, SUM_READER, boxed_memory

from .lab import REFUSALS, TheLab
from .text import Letter, letters_of

__all__ = ["router"]

router = APIRouter(prefix="/api/execute", responses=REFUSALS)

MAX_PROGRAM = 60
MAX_ANSWER = 16  # symbols, the end of the line included
END = "\n"
SHORTER = 0.3  # of the numbers of an example have fewer digits

Reader = Literal["sums", "programs"]

BOXES: dict[Reader, Path] = {"sums": SUM_READER, "programs": PROGRAMS}


class Program(BaseModel):
    """A program, and who reads it."""

    model_config = ConfigDict(extra="forbid")

    model: Reader = "sums"
    program: Annotated[str, Field(max_length=MAX_PROGRAM, description="Such as 12+345, or print((31-57)*4).")]


class ReaderAbout(BaseModel):
    """A network's tasks, and how well it has learned them."""

    id: Reader
    kinds: list[str]  # of operations
    digits: int  # of its numbers, at most
    nesting: int  # of its operations, at most
    parameters: int
    tested_on: str
    right: dict[str, float]  # share of the test answers that are right as a whole, by difficulty


class Executed(BaseModel):
    """The network's output, and the right one."""

    program: str  # as it was read
    letters: list[Letter]  # of the program, and of the answer; the last is the end of the line, where there is one
    answer: str
    expected: str  # what the interpreter prints
    part: Part | None  # of the data, by its hash: what was held out was never trained on; None: never written at all


@router.get("/models")
async def models(lab: TheLab) -> list[ReaderAbout]:
    """The networks that execute, each with its accuracy on programs that were held out."""
    return await lab.compute(_models)


@router.get("/example/{model}")
def example(model: Reader, seed: Annotated[int, Field(ge=0, lt=2**32)]) -> str:
    """A program at random that was held out from training."""
    about, random = _about(model), np.random.default_rng(seed)
    while True:
        length, nesting = (int(random.integers(1, most + 1)) for most in (about.digits, about.nesting))
        at = Difficulty(length, nesting, SHORTER)
        program = write_program(about.kinds, at, random)
        if part_of_program(program) == "test":
            return program


@router.post("")
async def execute(program: Program, lab: TheLab) -> Executed:
    """Read a program, and write what it prints symbol by symbol, each time the likeliest one."""
    return await lab.compute(_executed, program)


def _models() -> list[ReaderAbout]:
    return [_about(name) for name in BOXES]


def _about(name: Reader) -> ReaderAbout:
    model = boxed_memory(BOXES[name])
    about: Any = model.provenance
    return ReaderAbout(
        id=name,
        kinds=[kind for kind in KINDS if kind in about["kinds"]],
        digits=about["hardest"]["length"],
        nesting=about["hardest"]["nesting"],
        parameters=model.parameter_count,
        tested_on=about["tested_on"],
        right={at: scores["whole"] for at, scores in about["scores"].items()},
    )


def _executed(asked: Program) -> Executed:
    model, about = boxed_memory(BOXES[asked.model]), _about(asked.model)
    program = _whole(asked.program)
    expected = run_program(program)
    known = could_write(program, about.kinds, Difficulty(about.digits, about.nesting))
    letters = _written(model, program)
    return Executed(
        program=program,
        letters=letters,
        answer="".join(letter.symbol for letter in letters[len(program) :]).removesuffix(END),
        expected=expected,
        part=part_of_program(program) if known else None,
    )


def _whole(text: str) -> str:
    """A program of what somebody types: 12 + 34 = is print(12+34)."""
    found = text.strip().removesuffix("=").strip()
    if not found:
        raise FirsthandError("program: nothing found, a sum such as 12+34, or a program of one line expected")
    if "print" not in found:
        found = f"print({found})"
    if "if" not in found:  # which is the only place where a space belongs
        found = found.replace(" ", "")
    return found


def _written(model: LanguageModel, program: str) -> list[Letter]:
    found = follow(model, program)
    letters = letters_of(model, program, found)
    for _ in range(MAX_ANSWER):
        symbol, before = model.symbols[int(np.argmax(found.z[-1]))], found.z[-1]
        found = follow(model, symbol, found.place)
        letters += letters_of(model, symbol, found, before)
        if symbol == END:
            break
    return letters
