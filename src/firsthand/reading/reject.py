"""What is no digit though it looks like one: letters within words, and what the rest of the page says about it.

A hand-written o is a 0, and an l is a 1: no network can tell by the shape.  But they stand among letters that are no
digits.  So a word, which is what stands close together in a line, is read as a whole or not at all.  In a text digits
must be surer than elsewhere; on a page of digits the next thing is one, too, with higher odds.
"""

from typing import NamedTuple

import numpy as np

from .decode import Step
from .segment import HEIGHT, Span

__all__ = ["Read", "by_page", "by_word", "likelier", "rejected_share", "words"]

# chosen on pages of validation digits, with letters and doodles of their own: see docs/reading.md
LEAST = 0.2  # p(digit) of what is read as a digit
SPACE = 0.45  # a wider gap, in heights, begins a new word
FOREIGN = 0.4  # the share of a word's ink, in width, that may be no digit
TEXT = 0.2  # a page, or a line of more than SHORT steps, with a larger share of rejected ink is text,
SHORT = 3
SURE, MEAN = 0.98, 0.85  # and in a text the median and the geometric mean of a line's digits must be so probable;
FEW, SURER = 3, 0.995  # the median of so few must be surer, for words of one to three letters are common
DIGITS = 0.15  # a page with a smaller share of rejected ink has digits, and little else:
LIKELIER = 10.0  # what is on it is one with odds so many times those of ink from anywhere
BLOT = 0.42  # strokes wider than such a part of their height are none: a bar half as wide as it is high is a blot


def words(path: list[Step], found: list[Span]) -> list[list[int]]:
    """Indices of the steps of a path, grouped where the gaps are small."""
    groups: list[list[int]] = []
    right = -np.inf
    for i, step in enumerate(path):
        left = found[step.span].box[0]
        if not groups or left - right > SPACE * HEIGHT:
            groups.append([])
        groups[-1].append(i)
        right = max(right, found[step.span].box[2])
    return groups


def by_word(path: list[Step], found: list[Span], digit: np.ndarray, stroke: float) -> list[str]:
    """Why each step of a line's path is not read, '' where it is: 'a blot', 'not a digit', 'within a word'.

    Args:
        path: the best one.
        found: the line's spans.
        digit: p(digit) of each span.
        stroke: the width of the line's strokes, in pixels of the strip.
    """
    if stroke > BLOT * HEIGHT:
        return ["a blot"] * len(path)
    reasons = ["" if step.is_digit and digit[step.span] >= LEAST else "not a digit" for step in path]
    width = _widths(path, found)
    foreign = np.array([bool(reason) for reason in reasons])
    for group in words(path, found):
        if width[group][foreign[group]].sum() > FOREIGN * width[group].sum():
            for i in group:
                reasons[i] = reasons[i] or "within a word"
    return reasons


class Read(NamedTuple):
    """A line as it was read: its best path, why each step is not a digit, and how probable each would be."""

    path: list[Step]
    found: list[Span]
    reasons: list[str]
    probability: np.ndarray


def rejected_share(lines: list[Read]) -> float:
    """How much of the ink of lines is rejected, in width; 0 without any ink."""
    width = np.concatenate([np.zeros(1), *(_widths(line.path, line.found) for line in lines)])
    out = np.array([False, *(bool(reason) for line in lines for reason in line.reasons)])
    return float(width[out].sum() / max(width.sum(), 1e-9))


def likelier(digit: np.ndarray) -> np.ndarray:
    """p(digit) on a page that has digits and little else: Bayes' rule with other odds before the ink is seen."""
    return LIKELIER * digit / (1 + (LIKELIER - 1) * digit)


def by_page(lines: list[Read]) -> list[list[str]]:
    """The reasons of all lines, with 'in a text' where the page or the line is one and the digits are not sure."""
    page_is_text = rejected_share(lines) > TEXT
    result = []
    for line in lines:
        kept = line.probability[[not reason for reason in line.reasons]]
        text = page_is_text or (len(line.path) > SHORT and rejected_share([line]) > TEXT)
        unsure = text and len(kept) > 0 and not _sure(kept)
        result.append([reason or ("in a text" if unsure else "") for reason in line.reasons])
    return result


def _sure(probability: np.ndarray) -> bool:
    """Whether digits that stand in a text are sure enough."""
    mean = np.exp(np.mean(np.log(np.maximum(probability, 1e-9))))
    return bool(np.median(probability) >= (SURER if len(probability) <= FEW else SURE) and mean >= MEAN)


def _widths(path: list[Step], found: list[Span]) -> np.ndarray:
    return np.array([found[step.span].box[2] - found[step.span].box[0] for step in path], float)
