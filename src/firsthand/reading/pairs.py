"""Digits that hang together in pairs, read whole: a network says how many digits a component is, and which they are.

Where two digits share a stroke no cut is right, and the halves look like other digits; and some pairs look like one.
The network is a small one of those that read house numbers without cutting them (Goodfellow et al. 2013, 'Multi-digit
Number Recognition from Street View Imagery using Deep Convolutional Neural Networks').
"""

from collections import Counter
from typing import NamedTuple

import numpy as np

from .batches import in_batches
from .box import boxed_pairs
from .normalise import halved
from .segment import Span, Strip

__all__ = ["HIGH", "WIDE", "WIDEST", "Pair", "component_spans", "cut_of", "find_pairs", "picture"]

HIGH, WIDE = 28, 40  # of its pictures: the line at half its scale, in which HEIGHT is 20 pixels
WIDEST = 2 * WIDE - 4  # of a component that is asked about, in pixels of the strip
SURELY = 0.75  # a component that is less surely two digits is read as any other
LEAST = 1e-3  # no probability is believed to be nearer to 0
CHUNK = 16  # pictures at a time: the network is compiled for no other number


class Pair(NamedTuple):
    """A component of two digits: its span, their values from left to right, and the probability of both."""

    span: Span
    values: tuple[int, int]
    probability: float


def find_pairs(lines: list[Strip]) -> list[list[Pair]]:
    """The pairs of digits that hang together on every line."""
    asked = [(number, span) for number, strip in enumerate(lines) for span in component_spans(strip)]
    found: list[list[Pair]] = [[] for _ in lines]
    if not asked:
        return found
    images = np.zeros((len(asked), HIGH, WIDE, 1), np.uint8)
    for image, (number, span) in zip(images, asked, strict=True):
        strip = lines[number]
        own = (strip.piece > span.first) & (strip.piece <= span.last)
        image[..., 0] = picture(np.where(own, strip.ink, 0), span.box)
    read = in_batches(lambda some: np.array(boxed_pairs().read(some), object), images, (CHUNK,))
    for (number, span), (text, probability) in zip(asked, read, strict=True):
        if len(text) == 2 and probability >= SURELY:
            found[number].append(Pair(span, (int(text[0]), int(text[1])), probability))
    return found


def cut_of(pair: Pair, spans: list[Span], digit: np.ndarray, value: np.ndarray) -> tuple[int, int] | None:
    """The two spans, of a pair cut in two, that are likeliest its digits; None where it was not cut between them.

    Args:
        pair: of the line.
        spans: of the line.
        digit, value: p(digit) of each span, (n,), and p(value | digit) of the digits 0 to 9, (n, 10).
    """
    at = {(span.first, span.last): i for i, span in enumerate(spans)}
    first, last, _ = pair.span
    ways = [(at.get((first, cut)), at.get((cut, last))) for cut in range(first + 1, last)]
    found = [(i, j) for i, j in ways if i is not None and j is not None]

    def likely(way: tuple[int, int]) -> float:
        return sum(
            float(np.log(digit[i] + LEAST) + np.log(value[i, wanted] + LEAST))
            for i, wanted in zip(way, pair.values, strict=True)
        )

    return max(found, key=likely, default=None)


def component_spans(strip: Strip) -> list[Span]:
    """The spans of a line that are all of a component which was cut, and not too wide for two digits."""
    counts = Counter(strip.component)
    found, first = [], 0
    while first < len(strip.boxes):
        name = strip.component[first]
        last = first + counts[name]
        if strip.component[first:last] != (name,) * counts[name]:  # another stands between its pieces
            first += 1
            continue
        boxes = np.array(strip.boxes[first:last])
        box = (*boxes[:, :2].min(0).tolist(), *boxes[:, 2:].max(0).tolist())
        if last - first > 1 and box[2] - box[0] <= WIDEST:
            found.append(Span(first, last, box))
        first = last
    return found


def picture(ink: np.ndarray, box: tuple[int, int, int, int]) -> np.ndarray:
    """The ink of a component in the middle of a picture, uint8 (HIGH, WIDE).

    Args:
        ink: of a line, nothing but the component's.
        box: (left, top, right, bottom) of its dark part.
    """
    left, top, right, bottom = box
    return halved(ink, round((left + right) / 2) - WIDE, round((top + bottom) / 2) - HIGH, WIDE)
