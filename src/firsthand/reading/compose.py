"""From what was decided about a sheet to its page: boxes in pixels of the picture, texts, what was not read."""

from itertools import pairwise

import numpy as np

from .page import Digit, Line, Page, Reject, Sign
from .reject import Decided
from .segment import HEIGHT
from .sheet import Sheet

__all__ = ["compose"]

ALTERNATIVES = 3
SPACE, WIDER = 1.0, 2.5  # a gap of this many heights, and this many times the line's median gap, is a space


def compose(sheet: Sheet, rows: list[Decided], classes: tuple[str, ...]) -> Page:
    """The page of a sheet.

    Args:
        sheet: where the lines come from.
        rows: what was decided about each of its lines.
        classes: names of the digits.
    """
    lines: list[Line] = []
    rejected = [
        Reject(sheet.box(c.left, c.top, c.right, c.bottom), "not in a line of writing", 0.0) for c in sheet.others
    ]
    for row in rows:
        line, others = _line(sheet, row, classes)
        rejected += others
        if line is not None:
            lines.append(line)
    return Page(
        tuple(lines),
        tuple(rejected),
        (sheet.grey.shape[0], sheet.grey.shape[1]),
        sheet.degrees,
        sheet.flat.light_on_dark,
        sheet.reason or ("" if lines else "nothing that was found is a digit"),
        90 * sheet.quarter,
        sheet.outline,
    )


def _line(sheet: Sheet, row: Decided, classes: tuple[str, ...]) -> tuple[Line | None, list[Reject]]:
    digits, boxes, signs, rejected = [], [], [], []
    steps = zip(row.spans, row.digit.tolist(), row.value, row.reasons, row.signs, row.whole.tolist(), strict=True)
    for span, p, value, reason, sign, whole in steps:
        box = sheet.box_of(row.strip, span)
        if sign:
            signs.append(Sign(sign, box, len(digits)))
        elif reason:
            rejected.append(Reject(box, reason, p))
        else:
            boxes.append(span.box)
            if whole:
                p, value = _half(value, whole)
            order = np.argsort(-value, kind="stable")[: ALTERNATIVES + 1]
            best, *others = ((classes[i], p * float(value[i])) for i in order)
            digits.append(Digit(best[0], best[1], tuple(others), box, p))
    if not digits:
        return None, rejected + [Reject(sign.box, "not a digit", 0.0) for sign in signs]
    spaces = [" " if wide else "" for wide in _wide_gaps(boxes)]
    text = "".join(space + digit.value for space, digit in zip(spaces, digits, strict=True))
    return Line(tuple(digits), text, tuple(signs), sheet.in_cells([digit.box for digit in digits])), rejected


def _half(value: np.ndarray, pair: float) -> tuple[float, np.ndarray]:
    """p(digit) and p(value | digit) of half of a pair: the product of all four is the probability of the pair."""
    share, best = pair**0.25, int(np.argmax(value))
    others = np.where(np.arange(len(value)) == best, 0, value)
    value = others * (1 - share) / max(float(others.sum()), 1e-9)
    value[best] = share
    return share, value


def _wide_gaps(boxes: list[tuple[int, int, int, int]]) -> list[bool]:
    """Mark the digits that a space precedes: a gap wider than a digit is high, and than is usual in this line."""
    gaps = np.array([0, *(after[0] - before[2] for before, after in pairwise(boxes))])
    usual = float(np.median(gaps[1:])) if len(gaps) > 1 else 0.0
    return [bool(wide) for wide in gaps > max(SPACE * HEIGHT, WIDER * usual)]
