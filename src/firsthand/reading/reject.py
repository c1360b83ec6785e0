"""What is no digit though it looks like one: letters within words.

A hand-written o is a 0, and an l is a 1: no network can tell by the shape.  But they stand among letters that are no
digits.  So a word, which is what stands close together in a line, is read as a whole or not at all.
"""

import numpy as np

from .decode import Step
from .segment import HEIGHT, Span

__all__ = ["LEAST", "keep", "words"]

# chosen on pages of validation digits, with letters and doodles of their own: see docs/reading.md
LEAST = 0.5  # p(digit) of what is read as a digit
SPACE = 0.45  # a wider gap, in heights, begins a new word
FOREIGN = 0.3  # the share of a word's ink, in width, that may be no digit
MOSTLY_WORDS = 0.5  # a line with a larger share of rejected ink is text,
SURER = 0.97  # and in a text a digit must be so much surer


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


def keep(path: list[Step], found: list[Span], digit: np.ndarray) -> list[str]:
    """Why each step of a path is not read, '' where it is: 'not a digit', 'within a word', 'in a text'.

    Args:
        path: the best one.
        found: the line's spans.
        digit: p(digit) of each span.
    """
    reasons = ["" if step.is_digit and digit[step.span] >= LEAST else "not a digit" for step in path]
    width = np.array([found[step.span].box[2] - found[step.span].box[0] for step in path], float)
    foreign = np.array([bool(reason) for reason in reasons])
    groups = words(path, found)
    for group in groups:
        if width[group][foreign[group]].sum() > FOREIGN * width[group].sum():
            for i in group:
                reasons[i] = reasons[i] or "within a word"
    rejected = np.array([bool(reason) for reason in reasons])
    if width[rejected].sum() > MOSTLY_WORDS * width.sum():
        for group in groups:
            sure = all(digit[path[i].span] >= SURER for i in group)
            for i in group:
                reasons[i] = reasons[i] or ("" if sure else "in a text")
    return reasons
