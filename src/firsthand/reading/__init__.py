"""From a photo to digits: find the writing, cut it into digits, name them, and say how sure.

`read` is all of it.  Each stage is a module: load, background, regions (network), orientation, skew, ink, lines and
segment, which `sheet.analyse` does in turn, keeping what each has made; then judge (normalise, looks), decide (decode,
signs, reject) and compose, of which `reader` makes a page.  `explain` draws them.
"""

from .box import boxed_gate, boxed_model, example_page
from .page import Box, Digit, Line, Page, Reject, Sign
from .reader import read, read_many, read_sheets
from .sheet import Sheet, analyse

__all__ = [
    "Box",
    "Digit",
    "Line",
    "Page",
    "Reject",
    "Sheet",
    "Sign",
    "analyse",
    "boxed_gate",
    "boxed_model",
    "example_page",
    "read",
    "read_many",
    "read_sheets",
]
