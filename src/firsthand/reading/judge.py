"""The judgement of the networks: the spans of all pictures go through them together."""

from typing import NamedTuple

import numpy as np

from firsthand.models import Classifier

from .batches import in_batches
from .box import boxed_gate
from .decode import PENALTY
from .looks import looks
from .normalise import SIZE, hypotheses
from .pairs import Pair, cut_of, find_pairs
from .reject import LIKELIER, Decided
from .segment import Span, Strip, whole_components, without_rivals

__all__ = ["Judged", "judge", "look_again"]

CHUNKS = (16, 32, 48, 64, 128)  # the networks are compiled for batches of these sizes, and of no others
ALONE = 0.99  # a component that is so surely one digit is neither cut nor put together with others
UNLIKELY = PENALTY / LIKELIER  # what is less probably a digit scores less as one than as nothing: no value is asked for
DOUBTFUL = 0.99  # a digit whose value is less probable is looked at again

Lines = list[tuple[Strip, list[Span]]]


class Judged(NamedTuple):
    """The networks' judgement on the spans of a line: p(digit), (n,), and p(value | digit), (n, classes) or zeros."""

    strip: Strip
    spans: list[Span]
    images: np.ndarray  # what was seen of each, (n, 28, 28, 1)
    digit: np.ndarray
    value: np.ndarray
    whole: np.ndarray  # (n,): of half of a pair that was read whole, the probability of both values; otherwise 0


def judge(lines: Lines, model: Classifier) -> list[Judged]:
    """Ask the gate about every span, and the model about those that may be digits.

    Args:
        lines: cut into pieces, with the spans that may be digits.
        model: names digits.
    """
    # of a model with other classes nothing is known about pairs of them
    named = set(model.classes) == set("0123456789")
    pairs = find_pairs([strip for strip, _ in lines]) if named else [[] for _ in lines]
    lines = _without_rivals(lines, pairs)
    seen = _images(lines)
    digit, images = _is_digit(seen), seen[..., :1]
    value = np.zeros((len(images), len(model.classes)), np.float32)
    asked = digit >= UNLIKELY
    value[asked] = in_batches(model.probabilities, images[asked], CHUNKS)
    parts = (_by_line(lines, of_all) for of_all in (images, digit, value, np.zeros(len(images))))
    judged = [Judged(*line, *found) for line, *found in zip(lines, *parts, strict=True)]
    return [_with_pairs(one, found, model.classes) for one, found in zip(judged, pairs, strict=True)]


def _with_pairs(one: Judged, pairs: list[Pair], classes: tuple[str, ...]) -> Judged:
    """The same with two spans, and no others, of every pair: those at which it is cut best."""
    kept = np.ones(len(one.spans), bool)
    digit, value, whole = one.digit.copy(), one.value.copy(), one.whole.copy()
    names = [classes.index(str(name)) for name in range(10)] if pairs else []
    for pair in pairs:
        halves = cut_of(pair, one.spans, digit, value[:, names])
        if halves is None:
            continue
        inside = [s.first < pair.span.last and s.last > pair.span.first for s in one.spans]
        kept &= ~np.array(inside, bool)
        for i, name in zip(halves, pair.values, strict=True):
            kept[i] = True
            digit[i] = whole[i] = pair.probability
            value[i] *= 1 - pair.probability
            value[i, names[name]] += pair.probability
    spans = [span for span, keep in zip(one.spans, kept, strict=True) if keep]
    return Judged(one.strip, spans, one.images[kept], digit[kept], value[kept], whole[kept])


def look_again(rows: list[Decided], model: Classifier) -> None:
    """Replace p(value | digit) of doubtful digits, of all lines together: softmax of the mean z of several looks."""
    doubtful = [
        (row, i)
        for row in rows
        for i, reason in enumerate(row.reasons)
        if not reason and not row.whole[i] and row.value[i].max() < DOUBTFUL
    ]
    if not doubtful:
        return
    images = looks(np.stack([row.images[i, ..., 0] for row, i in doubtful]))
    z = in_batches(model.weighted_inputs, images.reshape(-1, SIZE, SIZE, 1), CHUNKS)
    values = model.probabilities_at(z.reshape(*images.shape[:2], -1).mean(axis=1))
    for (row, i), value in zip(doubtful, values, strict=True):
        row.value[i] = value


def _without_rivals(lines: Lines, pairs: list[list[Pair]]) -> Lines:
    """The lines without spans that share a piece with a whole component that is surely a digit, and no pair."""
    alone = [(strip, whole_components(strip, found)) for strip, found in lines]
    digits = _by_line(alone, _is_digit(_images(alone)))
    kept = []
    for (strip, found), (_, whole), digit, two in zip(lines, alone, digits, pairs, strict=True):
        not_one = {pair.span[:2] for pair in two}
        sure = [span for span, p in zip(whole, digit, strict=True) if p >= ALONE and span[:2] not in not_one]
        kept.append((strip, without_rivals(found, sure)))
    return kept


def _images(lines: Lines) -> np.ndarray:
    """The hypotheses of all lines together, (n, 28, 28, 3)."""
    return np.concatenate([np.zeros((0, SIZE, SIZE, 3), np.uint8), *(hypotheses(*line) for line in lines)])


def _by_line(lines: Lines, of_all: np.ndarray) -> list[np.ndarray]:
    """Divide what was computed for the hypotheses of all lines by lines again."""
    return np.split(of_all, np.cumsum([len(found) for _, found in lines])[:-1]) if lines else []


def _is_digit(images: np.ndarray) -> np.ndarray:
    return in_batches(boxed_gate().probabilities, images, CHUNKS)[:, 1]
