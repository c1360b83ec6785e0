"""Tasks by rule, without end: examples are made when they are wanted, and what is held out is never trained on."""

from .adding import adding_problem
from .copying import BITS, RECALLED, copy_task, recall_task, repeat_task, sort_task
from .dates import DATE_GIVEN, DATE_STEPS, DATE_SYMBOLS, DATE_WRITABLE, date_pairs, written_dates
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
from .stories import STORY_ANSWERS, STORY_KINDS, STORY_LENGTHS, STORY_SYMBOLS, STORY_WORDS, Story, stories, told

__all__ = [
    "ALPHABET",
    "BITS",
    "DATE_GIVEN",
    "DATE_STEPS",
    "DATE_SYMBOLS",
    "DATE_WRITABLE",
    "KINDS",
    "PARTS",
    "RECALLED",
    "STORY_ANSWERS",
    "STORY_KINDS",
    "STORY_LENGTHS",
    "STORY_SYMBOLS",
    "STORY_WORDS",
    "Difficulty",
    "Part",
    "ProgramError",
    "Story",
    "adding_problem",
    "copy_task",
    "could_write",
    "date_pairs",
    "part_of",
    "part_of_program",
    "program_answers",
    "recall_task",
    "repeat_task",
    "run_program",
    "sort_task",
    "stories",
    "told",
    "write_program",
    "written_dates",
]
