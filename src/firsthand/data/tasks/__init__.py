"""Tasks by rule, without end: examples are made when they are wanted, and what is held out is never trained on."""

from .adding import adding_problem
from .copying import BITS, RECALLED, copy_task, recall_task, sort_task
from .held_out import PARTS, Part, part_of
from .interpreter import ProgramError, run_program
from .programs import (
    ALPHABET,
    KINDS,
    Difficulty,
    could_write,
    part_of_program,
    program_answers,
    write_program,
)

__all__ = [
    "ALPHABET",
    "BITS",
    "KINDS",
    "PARTS",
    "RECALLED",
    "Difficulty",
    "Part",
    "ProgramError",
    "adding_problem",
    "could_write",
    "copy_task",
    "part_of",
    "part_of_program",
    "program_answers",
    "recall_task",
    "run_program",
    "sort_task",
    "write_program",
]
