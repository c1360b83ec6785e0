"""Decoding: the best path over the pieces of a line, which says which of them are digits together.

A reading of a line is a path over its pieces: every step is a span of consecutive pieces, read as one digit or as
none.  It says of every span, of those that are no step too, whether it is a digit, and its score is the product

    of the spans that it reads       p(it is a digit) p(value | it is one)^SHARPNESS
    of all other spans               p(it is none)
    of its steps that read nothing   PENALTY, or SMALL where it is a comma, a point or a crumb
    of the cuts through a component
    between what is read and what is not   TORN

Divided by the product of p(it is none) of all spans, which is the same for every reading, odds are left: a step as a
digit counts p / (1 - p) p(value | digit)^SHARPNESS, a step as none PENALTY.  So two digits that touch win over the pair
as one digit as soon as both are surer than the pair is, though two factors are smaller than one.

The two networks see different things: what no value fits is often half a digit, or two, though it looks like one.
That is why the value counts more than once.

The best path is found by dynamic programming, because the best path to piece j ends with a step i -> j that follows
the best path to piece i, to be read or not.  Spans are judged by what they are, with what is cut off in view, so that
half an 8 or two digits at once are no digit.

Literature: the multi-digit reading that chapter 6 of the book tells of; Y. LeCun et al. 1998, sections V to VII,
for over-segmentation and best paths.
"""

from typing import NamedTuple

import numpy as np

from .segment import Span

__all__ = ["PENALTY", "SHARPNESS", "TORN", "Step", "best_path"]

# chosen on pages of validation digits
PENALTY = 0.02  # of a step that reads nothing; or everything would be read as many small nothings
SMALL = 0.3  # of one that is small and hangs together with nothing: it needs no digit to belong to
TORN = 0.1  # what hangs together is digits, or none is
SHARPNESS = 4.0  # of p(value | digit)
SURE = 1e-3  # no p(digit) is believed to be nearer to 0 or 1


class Step(NamedTuple):
    """A step of the best path: index of the span, and whether it was read as a digit."""

    span: int
    is_digit: bool


def best_path(
    found: list[Span], digit: np.ndarray, value: np.ndarray, component: tuple[int, ...], small: np.ndarray | None = None
) -> list[Step]:
    """The likeliest reading of a line, from left to right.

    Args:
        found: the spans; together they cover every piece.
        digit: p(digit) of each, (n,).
        value: p(value | digit) of the likeliest value of each, (n,).
        component: of each piece, the number of the component it was cut from.
        small: whether each span is all of a component, and one that is no letter, bool (n,); none by default.
    """
    if not found:
        return []
    digit = np.clip(digit, SURE, 1 - SURE)
    as_digit = np.log(digit) - np.log1p(-digit) + SHARPNESS * np.log(np.clip(value, SURE, 1))
    as_none = np.full(len(found), np.log(PENALTY))
    if small is not None:
        as_none[small] = np.log(SMALL)
    torn = float(np.log(TORN))
    pieces = len(component)
    # of the best path to each piece whose last step reads nothing, and of that whose last step reads a digit
    best = np.full((pieces + 1, 2), -np.inf)
    best[0] = 0.0
    way: dict[tuple[int, int], tuple[Step, int]] = {}
    # in the order of where they begin: what leads there has been decided by then
    for i in sorted(range(len(found)), key=lambda i: found[i].first):
        span = found[i]
        inside = span.first > 0 and component[span.first - 1] == component[span.first]
        for is_digit, score in ((1, as_digit[i]), (0, as_none[i])):
            before = best[span.first].copy()
            if inside:
                before[1 - is_digit] += torn
            last = int(np.argmax(before))
            if before[last] + score > best[span.last, is_digit]:
                best[span.last, is_digit] = before[last] + score
                way[span.last, is_digit] = Step(i, bool(is_digit)), last
    path = []
    at, kind = pieces, int(np.argmax(best[pieces]))
    while at:
        step, kind = way[at, kind]
        path.append(step)
        at = found[step.span].first
    return path[::-1]
