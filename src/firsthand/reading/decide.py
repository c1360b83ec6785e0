"""Decide about lines: their best path, their signs, and the votes of words and of lines."""

import numpy as np

from .decode import Step, best_path
from .judge import Judged
from .reject import DIGITS, LIKELIER, Decided, Read, by_page, by_word, likelier, numbers, rejected_share
from .segment import HEIGHT, Span, whole_components
from .signs import is_letter_like, is_unmistakable, sign_of

__all__ = ["decide"]

MOST = 0.55  # the share of a line that stands in numbers, in a line of digits
NEAR = 1.3  # a sign has a digit beside it, in heights of the line
SURELY, CROSS = 0.5, 0.9  # p(digit) of what is no sign, whatever it looks like; of what looks like a plus
PLUS = 0.9995  # of what looks like nothing but a plus: a 4 is as surely a digit as that


def decide(judged: list[Judged], plain: bool = False) -> list[Decided]:
    """Decide which spans of a sheet's lines are digits; on a page of digits, and in a line, the odds are others.

    Args:
        judged: the lines of the sheet.
        plain: whether there is nothing but writing on it, see `Regions`.
    """
    signs, rows = _decoded(judged, judged)
    odds = numbers(rows)
    page = rejected_share(rows, every=True) < DIGITS
    lines = [page or _mostly(row, of_line > 0) for row, of_line in zip(rows, odds, strict=True)]
    if any(lines):
        likely = [
            one._replace(digit=likelier(one.digit)) if line else one for one, line in zip(judged, lines, strict=True)
        ]
        signs, rows = _decoded(likely, judged)
        # the page says of its words what it says of its digits
        odds, judged = [of_line + page * np.log(LIKELIER) for of_line in numbers(rows)], likely
    decided = []
    for row, one, told, reasons in zip(rows, judged, signs, by_page(rows, odds, plain), strict=True):
        chosen = [step.span for step in row.path]
        spans = [one.spans[i] for i in chosen]
        told, reasons = _beside_digits([span.box for span in spans], told, reasons)
        decided.append(
            Decided(
                one.strip,
                spans,
                one.images[chosen],
                one.digit[chosen],
                one.value[chosen],
                reasons,
                told,
                one.whole[chosen],
            )
        )
    return decided


def _decoded(judged: list[Judged], anywhere: list[Judged]) -> tuple[list[list[str]], list[Read]]:
    """The signs of every line; its best path, and why some of its steps are not read.

    Args:
        judged: with the odds that the lines are decoded with.
        anywhere: with the odds of ink from anywhere, as the networks gave them.
    """
    signs, rows = [], []
    for one, as_given in zip(judged, anywhere, strict=True):
        whole = set(whole_components(one.strip, one.spans))
        path = best_path(one.spans, one.digit, one.value.max(axis=1), one.strip.component, _small(one, whole))
        told = _signs(one, path, as_given.digit, whole)
        reasons, votes = by_word(path, one.spans, one.digit, one.strip.stroke, told)
        chosen = [step.span for step in path]
        likely = as_given.digit[chosen] * one.value[chosen].max(axis=1)
        component = [one.strip.component[one.spans[i].first] for i in chosen]
        signs.append(told)
        rows.append(Read(path, one.spans, reasons, votes, likely, HEIGHT / one.strip.scale, component))
    return signs, rows


def _small(one: Judged, whole: set[Span]) -> np.ndarray:
    """Mask the spans that are all of a component, and too small for a letter."""
    return np.array([span in whole and not is_letter_like(span.box, HEIGHT) for span in one.spans], bool)


def _mostly(row: Read, number: np.ndarray) -> bool:
    """Return whether most of the possible letters or digits of a line are digits, and belong to a number."""
    read = np.array([not reason for reason in row.reasons], bool)
    return bool(row.votes.any() and (number & read)[row.votes].mean() > MOST)


def _signs(one: Judged, path: list[Step], anywhere: np.ndarray, whole: set[Span]) -> list[str]:
    """Name the sign that every step of a path looks like, '' for none; a line without digits has none.

    Args:
        one: the line.
        path: its best one.
        anywhere: p(digit) of its spans, if they were ink from anywhere.
        whole: its spans that are all of a component; what touches a digit may be a part of it.
    """
    boxes = [one.spans[step.span].box for step in path]
    digits = [box for box, step in zip(boxes, path, strict=True) if step.is_digit]
    if not digits:
        return [""] * len(path)
    line = float(np.median([b[1] for b in digits])), float(np.median([b[3] for b in digits]))
    signs = []
    for step, (left, top, right, bottom) in zip(path, boxes, strict=True):
        span = one.spans[step.span]
        piece = one.strip.piece[top:bottom, left:right]
        ink = (piece > span.first) & (piece <= span.last) & (one.strip.ink[top:bottom, left:right] > 0.3)
        sign = sign_of(ink, top, bottom, line)
        # a bar that leans is a 1 as long as nothing says that it is higher than the digits beside it
        alone = len(digits) < 3
        # a page of digits makes a cross between them no likelier to be a 4
        digit, least = (anywhere, CROSS) if sign == "+" and len(digits) > 1 else (one.digit, SURELY)
        if len(digits) > 1 and is_unmistakable(sign, ink, line) and (sign != "+" or span in whole):
            least = PLUS if sign == "+" else np.inf
        surely = step.is_digit and digit[step.span] >= least
        signs.append("" if surely and (sign != "/" or alone) else sign)
    return signs


def _beside_digits(
    boxes: list[tuple[int, int, int, int]], signs: list[str], reasons: list[str]
) -> tuple[list[str], list[str]]:
    """The signs, and the reasons, without the signs that have no digit beside them."""
    digits = [box for box, reason in zip(boxes, reasons, strict=True) if not reason]
    signs, reasons = list(signs), list(reasons)
    for i, box in enumerate(boxes):
        if reasons[i] != "a sign":
            signs[i] = ""
            continue
        gaps = [max(0, other[0] - box[2], box[0] - other[2]) for other in digits]
        if min(gaps, default=np.inf) > NEAR * HEIGHT:
            signs[i], reasons[i] = "", "not a digit"
    return signs, reasons
