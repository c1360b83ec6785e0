"""What is no digit though it looks like one: letters within words, and what the lines of about its size say about it.

A hand-written o is a 0, and an l is a 1: no network can tell by the shape.  But they stand among letters that are no
digits.  So a word, which is what stands close together in a line, is read as a whole or not at all.  In a text digits
must be surer than elsewhere; on a page of digits the next thing is one, too, with higher odds.

Only ink that may be a letter has a vote: signs, crumbs, bars and what is left of a rule say nothing about digits.
"""

from typing import NamedTuple

import numpy as np

from .decode import Step
from .segment import HEIGHT, Span, Strip, whole_components
from .signs import is_letter_like

__all__ = [
    "Decided",
    "Read",
    "apart_from_text",
    "by_page",
    "by_word",
    "likelier",
    "lines_of_digits",
    "rejected_share",
    "words",
]

# chosen on pages of validation digits, with letters and doodles of their own: see docs/reading.md
LEAST = 0.2  # p(digit) of what is read as a digit
SPACE = 0.45  # a wider gap, in heights, begins a new word
FOREIGN = 0.4  # the share of a word's ink, in width, that may be no digit
TEXT = 0.2  # a page, lines of one size, or one of more than SHORT steps, with more rejected ink are text,
SHORT = 3
ALIKE = 1.6  # lines whose heights differ by no larger factor are of one size
SURE, MEAN = 0.98, 0.85  # and in a text the median and the geometric mean of a line's digits must be so probable;
FEW, SURER = 3, 0.995  # the median of so few must be surer, for words of one to three letters are common
DIGITS = 0.15  # a page with a smaller share of rejected ink has digits, and little else:
LIKELIER = 10.0  # what is on it is one with odds so many times those of ink from anywhere
COMMON, DIGIT = 0.2, 0.95  # shares of digits among the spans that the gate learned from, and in a line of digits
BLOT = 0.42  # strokes wider than such a part of their height are none: a bar half as wide as it is high is a blot


class Read(NamedTuple):
    """A line as it was read.

    Attributes:
        path, found: its best path, and its spans.
        reasons: why each step is not a digit, '' where it is one.
        votes: whether each step may be a letter, or is a digit.
        probability: of each, if it is a digit.
        height: of the line on the page, in pixels.
    """

    path: list[Step]
    found: list[Span]
    reasons: list[str]
    votes: np.ndarray
    probability: np.ndarray
    height: float


class Decided(NamedTuple):
    """The spans on a line's best path: what was seen of each, p(digit), p(value | digit), why it is not read, a sign.

    A sign has the reason 'a sign'; what is read has none.
    """

    strip: Strip
    spans: list[Span]
    images: np.ndarray
    digit: np.ndarray
    value: np.ndarray
    reasons: list[str]
    signs: list[str]


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


def by_word(
    path: list[Step], found: list[Span], digit: np.ndarray, stroke: float, signs: list[str] | None = None
) -> tuple[list[str], np.ndarray]:
    """Why each step of a line's path is not read, '' where it is, and whether it has a vote.

    The reasons: 'a blot', 'not a digit', 'a sign', 'within a word'.

    Args:
        path: the best one.
        found: the line's spans.
        digit: p(digit) of each span.
        stroke: the width of the line's strokes, in pixels of the strip.
        signs: what sign each step looks like, '' for none.
    """
    boxes = [found[step.span].box for step in path]
    if stroke > BLOT * HEIGHT:
        return ["a blot"] * len(path), np.ones(len(path), bool)
    reasons = ["" if step.is_digit and digit[step.span] >= LEAST else "not a digit" for step in path]
    signs = [""] * len(path) if signs is None else signs
    reasons = ["a sign" if sign else reason for sign, reason in zip(signs, reasons, strict=True)]
    foreign = np.array([reason == "not a digit" for reason in reasons], bool)
    votes = np.array(
        [reason == "" or is_letter_like(b, HEIGHT) for reason, b in zip(reasons, boxes, strict=True)], bool
    )
    votes &= np.array([not sign for sign in signs], bool)
    width = _widths(path, found) * votes
    for group in words(path, found):
        if width[group][foreign[group]].sum() > FOREIGN * width[group].sum():
            for i in group:
                reasons[i] = "within a word" if reasons[i] in ("", "a sign") else reasons[i]
    return reasons, votes


def rejected_share(lines: list[Read], every: bool = False) -> float:
    """How much of the ink of lines that may be letters or digits is rejected, in width on the page; 0 without any.

    Args:
        lines: as they were read.
        every: count crumbs and bars, too.
    """
    width = np.concatenate(
        [np.zeros(1), *(_widths(line.path, line.found) * (line.votes | every) * line.height for line in lines)]
    )
    out = np.array([False, *(bool(reason) for line in lines for reason in line.reasons)])
    return float(width[out].sum() / max(width.sum(), 1e-9))


def likelier(digit: np.ndarray) -> np.ndarray:
    """p(digit) on a page that has digits and little else: Bayes' rule with other odds before the ink is seen."""
    return LIKELIER * digit / (1 + (LIKELIER - 1) * digit)


def lines_of_digits(lines: list[tuple[Strip, list[Span], np.ndarray]]) -> np.ndarray:
    """The probability that a line is one of digits, (n,), of what hangs together in it and of the lines of its size.

    The gate's odds are a likelihood ratio times the odds COMMON / (1 - COMMON) of the spans that it learned from.  In a
    line of digits nearly all that hangs together is one, DIGIT; in another COMMON is.  Lines of one size are written by
    one hand for one purpose: the mean of the others' is where a line begins.

    Args:
        lines: strip, spans, and p(digit) of each span.
    """
    ratios = []
    for strip, found, digit in lines:
        whole = {span for span in whole_components(strip, found) if is_letter_like(span.box, HEIGHT)}
        p = np.clip([p for span, p in zip(found, digit, strict=True) if span in whole], 1e-4, 1 - 1e-4)
        ratios.append(p / (1 - p) * (1 - COMMON) / COMMON)
    evidence = np.array([np.sum(np.log(DIGIT * r + 1 - DIGIT) - np.log(COMMON * r + 1 - COMMON)) for r in ratios])
    heights = np.array([HEIGHT / strip.scale for strip, _, _ in lines])
    alike = np.abs(np.log(heights[:, None] / heights)) < np.log(ALIKE)
    np.fill_diagonal(alike, False)
    # with one component a line says nothing of itself
    alone = 1 / (1 + np.exp(-np.clip(evidence, -50, 50)))
    prior = (1 + alike @ alone) / (2 + alike.sum(1))
    said = 1 / (1 + np.exp(-np.clip(evidence + np.log(prior / (1 - prior)), -50, 50)))
    return np.where([len(r) > 1 for r in ratios], said, 0.0)


def apart_from_text(lines: list[Read]) -> np.ndarray:
    """A mask of the lines beside which the page is no text, (n,): only such a line may be taken for one of digits."""
    return np.array([rejected_share([*lines[:i], *lines[i + 1 :]]) <= TEXT for i in range(len(lines))], bool)


def by_page(lines: list[Read]) -> list[list[str]]:
    """The reasons of all lines, with 'in a text' where a line or those of its size are one and its digits not sure."""
    page_is_text, result = rejected_share(lines) > TEXT, []
    for line in lines:
        kept = line.probability[[not reason for reason in line.reasons]]
        alike = [other for other in lines if 1 / ALIKE < other.height / line.height < ALIKE]
        text = (
            page_is_text
            or rejected_share(alike) > TEXT
            or (int(line.votes.sum()) > SHORT and rejected_share([line]) > TEXT)
        )
        unsure = text and len(kept) > 0 and not _sure(kept)
        result.append([("in a text" if unsure else r) if r in ("", "a sign") else r for r in line.reasons])
    return result


def _sure(probability: np.ndarray) -> bool:
    """Whether digits that stand in a text are sure enough."""
    mean = np.exp(np.mean(np.log(np.maximum(probability, 1e-9))))
    return bool(np.median(probability) >= (SURER if len(probability) <= FEW else SURE) and mean >= MEAN)


def _widths(path: list[Step], found: list[Span]) -> np.ndarray:
    return np.array([found[step.span].box[2] - found[step.span].box[0] for step in path], float)
