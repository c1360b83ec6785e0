"""Rejection of what looks like a digit and is none: letters within words, and the evidence around them.

A hand-written o is a 0, and an l is a 1: no network can tell by the shape.  But they stand among letters that are no
digits.  So a word, which is what stands close together in a line, is read as a whole or not at all; and whether it is
a number is Bayes' rule: what hangs together in it, the words beside it, and how many words of the page are numbers.
On a page of digits the next thing is one, too, with higher odds.

Only ink that may be a letter has a vote: signs, crumbs, bars and what is left of a rule say nothing about digits.
"""

from typing import NamedTuple

import numpy as np

from .decode import Step
from .segment import HEIGHT, Span, Strip
from .signs import is_letter_like

__all__ = [
    "Decided",
    "Read",
    "by_page",
    "by_word",
    "likelier",
    "numbers",
    "rejected_share",
    "words",
]

# chosen on pages of validation digits, with letters and doodles of their own: see docs/reading.md
LEAST = 0.2  # p(digit) of what is read as a digit
SPACE = 0.45  # a wider gap, in heights, begins a new word
FOREIGN = 0.4  # the share of a word's ink, in width, that may be no digit
ALIKE, UNLIKE = 1.6, 0.15  # lines whose heights differ by a larger factor say less of one another
DIGITS = 0.15  # a page with a smaller share of rejected ink has digits, and little else:
LIKELIER = 10.0  # what is on it is one with odds this many times those of ink from anywhere
COMMON, DIGIT = 0.3, 0.95  # shares of what looks like digits among letters, and in a number
NEVER = 1e-4  # no probability is believed to be nearer to 0 or 1
START = 1.5  # the odds of a number before anything else is seen
DOUBTFUL = 0.15  # this quantile of the parts of what hangs together speaks for it
TEXT = 6.0  # a word of letters counts this many times: a text has many of them, and hardly a number
BESIDE = (-2.0, 6.0)  # logarithms of odds that half of what stands beside it in its line may add
SURE, CRUMB = 0.9, 0.45  # means of the probabilities of a line that is surely digits, and of one of crumbs beside it
A_TEXT, AMONG_LETTERS = 0.75, 0.85  # where so much that votes is no digit, a line of digits has a mean of so much
PLAIN_TEXT, ON_PLAIN = 0.4, 0.75  # the same where all that votes was written: nothing is left of a printed line
SURELY = 0.0  # the logarithm of the odds from which on a word is a number
BLOT = 0.42  # strokes wider than such a part of their height are none: a bar half as wide as it is high is a blot


class Read(NamedTuple):
    """A line as it was read.

    Attributes:
        path, found: its best path, and its spans.
        reasons: why each step is not a digit, '' where it is one.
        votes: whether each step may be a letter, or is a digit.
        probability: of each, if it is a digit.
        height: of the line on the page, in pixels.
        component: of each step's first piece, the number of the component it was cut from.
    """

    path: list[Step]
    found: list[Span]
    reasons: list[str]
    votes: np.ndarray
    probability: np.ndarray
    height: float
    component: list[int]


class Decided(NamedTuple):
    """The spans on a line's best path: what was seen of each, p(digit), p(value | digit), why it is not read, a sign.

    A sign has the reason 'a sign'; what is read has none.  Of half of a pair that was read whole `whole` is the
    probability of both values, of others 0.
    """

    strip: Strip
    spans: list[Span]
    images: np.ndarray
    digit: np.ndarray
    value: np.ndarray
    reasons: list[str]
    signs: list[str]
    whole: np.ndarray


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
    """Say why each step of a line's path is not read, '' where it is, and whether it has a vote.

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
    """The rejected share of the ink, in width on the page, of lines that may be letters or digits; 0 without any.

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


def numbers(lines: list[Read]) -> list[np.ndarray]:
    """The logarithm of the odds that the word that each step of each line belongs to is a number.

    Of a number nearly all that hangs together is a digit, DIGIT; of letters a share COMMON looks like one.  A step's
    likelihood ratio is the gate's odds by those of the spans that it learned from.  To the word's own evidence comes
    half of what stands beside it in its line, and the share of numbers among the words of about its size.

    Args:
        lines: as they were read, with the probabilities of ink from anywhere.
    """
    own: list[float] = []
    where: list[tuple[int, list[int]]] = []
    for number, line in enumerate(lines):
        for group in words(line.path, line.found):
            voting = [i for i in group if line.votes[i]]
            if voting:
                own.append(_evidence(line, voting))
                where.append((number, group))
    result = [np.full(len(line.path), -np.inf) for line in lines]
    heights = np.array([lines[number].height for number, _ in where])
    evidence, line_of = np.array(own), np.array([number for number, _ in where])
    alone = 1 / (1 + np.exp(-np.clip(evidence, -50, 50)))
    said = 2 * alone - 1  # from a word of letters, -1, to a number, 1
    for k, (number, group) in enumerate(where):
        weight = np.where(np.abs(np.log(heights / heights[k])) < np.log(ALIKE), 1.0, UNLIKE)
        weight[k] = 0
        prior = (START + weight @ np.maximum(said, 0)) / (1 + TEXT * (weight @ np.maximum(-said, 0)))  # odds
        beside = evidence[(line_of == number) & (np.arange(len(where)) != k)].sum() / 2
        result[number][group] = evidence[k] + np.log(prior) + np.clip(beside, *BESIDE)
    return result


def _evidence(line: Read, steps: list[int]) -> float:
    """The logarithm of the ratio of likelihoods, number to letters: what hangs together counts once, by doubtful parts.

    Once, because it is one piece of evidence: a word in joined letters would otherwise outweigh a page.  Not by the
    worst of its parts, because of ten digits that touch one is often cut badly.
    """
    parts: dict[int, list[float]] = {}
    for i in steps:
        p = float(np.clip(line.probability[i], NEVER, 1 - NEVER)) if line.path[i].is_digit else NEVER
        ratio = p / (1 - p) * (1 - COMMON) / COMMON
        said = float(np.log(DIGIT * ratio + 1 - DIGIT) - np.log(COMMON * ratio + 1 - COMMON))
        parts.setdefault(line.component[i], []).append(said)
    return sum(float(np.quantile(said, DOUBTFUL)) for said in parts.values())


def by_page(lines: list[Read], odds: list[np.ndarray], plain: bool = False) -> list[list[str]]:
    """The reasons of all lines: 'in a text' in words that are rather no numbers, 'not a digit' in a line of crumbs.

    Args:
        lines: as they were read.
        odds: of every step, as `numbers` says them.
        plain: whether the page has neither printed lines nor edges, of which crumbs could be left.
    """
    result = [
        ["in a text" if r in ("", "a sign") and at < SURELY else r for r, at in zip(line.reasons, of_line, strict=True)]
        for line, of_line in zip(lines, odds, strict=True)
    ]
    # where other lines are surely digits, what is left of a rule or an edge is none, though the page makes it likelier
    means = [_mean(line, reasons) for line, reasons in zip(lines, result, strict=True)]
    crumbs = not plain and max(means, default=0) > SURE
    result = _without(result, [crumbs and mean < CRUMB for mean in means], "not a digit")
    votes = np.concatenate([np.zeros(0, bool), *(line.votes for line in lines)])
    out = np.array([bool(r) for reasons in result for r in reasons], bool)
    share, least = (PLAIN_TEXT, ON_PLAIN) if plain else (A_TEXT, AMONG_LETTERS)
    text = bool(votes.any() and out[votes].mean() >= share)
    return _without(result, [text and mean < least for mean in means], "in a text")


def _without(reasons: list[list[str]], lines: list[bool], why: str) -> list[list[str]]:
    """The reasons, where of such lines nothing is read."""
    return [[why if r == "" and out else r for r in line] for line, out in zip(reasons, lines, strict=True)]


def _mean(line: Read, reasons: list[str]) -> float:
    """The geometric mean of the probabilities of a line's digits; 0 without any."""
    kept = line.probability[[not reason for reason in reasons]]
    return float(np.exp(np.mean(np.log(np.maximum(kept, NEVER))))) if len(kept) else 0.0


def _widths(path: list[Step], found: list[Span]) -> np.ndarray:
    return np.array([found[step.span].box[2] - found[step.span].box[0] for step in path], float)
