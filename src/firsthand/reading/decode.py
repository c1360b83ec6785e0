"""Which pieces are digits together: the best path over the pieces of a line.

A reading of a line is a path over its pieces: every step is a span of consecutive pieces, read as one digit or as
none.  It says of every span, of those that are no step too, whether it is a digit, and its probability is the product

    of the spans that it reads     p(it is a digit) p(value | it is one)
    of all other spans             p(it is none)
    of its steps that read nothing PENALTY

Divided by the product of p(it is none) of all spans, which is the same for every reading, odds are left: a step as a
digit counts p / (1 - p) p(value | digit), a step as none PENALTY.  So two digits that touch win over the pair as one
digit as soon as both are surer than the pair is, though two factors are smaller than one.

The best path is found by dynamic programming, because the best path to piece j ends with a step i -> j that follows
the best path to piece i.  Spans are judged by what they are, with what is cut off in view, so that half an 8 or two
digits at once are no digit.

Literature: the multi-digit reading that chapter 6 of the book tells of; Y. LeCun et al. 1998, sections V to VII,
for over-segmentation and best paths.
"""

from typing import NamedTuple

import numpy as np

from .segment import Span

__all__ = ["PENALTY", "Step", "best_path"]

PENALTY = 0.05  # of a step that reads nothing; or everything would be read as many small nothings
SURE = 1e-4  # no p(digit) is believed to be nearer to 0 or 1


class Step(NamedTuple):
    """A step of the best path: index of the span, and whether it was read as a digit."""

    span: int
    is_digit: bool


def best_path(found: list[Span], digit: np.ndarray, value: np.ndarray) -> list[Step]:
    """The likeliest reading of a line, from left to right.

    Args:
        found: the spans; together they cover every piece.
        digit: p(digit) of each, (n,).
        value: p(value | digit) of the likeliest value of each, (n,).
    """
    if not found:
        return []
    digit = np.clip(digit, SURE, 1 - SURE)
    as_digit = np.log(digit) - np.log1p(-digit) + np.log(np.clip(value, SURE, 1))
    as_none = float(np.log(PENALTY))
    pieces = max(span.last for span in found)
    best = np.full(pieces + 1, -np.inf)
    best[0] = 0.0
    way: list[Step | None] = [None] * (pieces + 1)
    # in the order of where they begin: what leads there has been decided by then
    for i in sorted(range(len(found)), key=lambda i: found[i].first):
        span = found[i]
        for score, is_digit in ((as_digit[i], True), (as_none, False)):
            if best[span.first] + score > best[span.last]:
                best[span.last], way[span.last] = best[span.first] + score, Step(i, is_digit)
    path = []
    at = pieces
    while at:
        step = way[at]
        assert step is not None  # every single piece is a span
        path.append(step)
        at = found[step.span].first
    return path[::-1]
