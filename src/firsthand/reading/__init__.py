"""From a photo to digits: find the writing, cut it into digits, name them, and say how sure.

`read` is all of it.  Each stage is a module: load, background, ink, ruling, skew, lines, segment, normalise, decode,
reject; `sheet.analyse` does them in turn and keeps what each has made, and `explain` draws it.
"""

from .box import boxed_gate, boxed_model
from .page import Box, Digit, Line, Page, Reject
from .reader import read, read_many, read_sheets
from .sheet import Sheet, analyse

__all__ = [
    "Box",
    "Digit",
    "Line",
    "Page",
    "Reject",
    "Sheet",
    "analyse",
    "boxed_gate",
    "boxed_model",
    "read",
    "read_many",
    "read_sheets",
]
