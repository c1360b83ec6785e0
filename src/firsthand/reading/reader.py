"""From a picture to digits: `firsthand.read`."""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice, pairwise
from typing import NamedTuple

import numpy as np

from firsthand.errors import FirsthandError
from firsthand.models import Classifier

from .box import boxed_gate, boxed_model
from .decode import PENALTY, best_path
from .load import Picture, load_grey
from .looks import looks
from .normalise import SIZE, hypotheses
from .page import Digit, Line, Page, Reject
from .reject import DIGITS, LIKELIER, Read, by_page, by_word, likelier, rejected_share
from .segment import HEIGHT, Span, Strip, whole_components, without_rivals
from .sheet import Sheet, analyse

__all__ = ["read", "read_many", "read_sheets"]

ALTERNATIVES = 3
CHUNKS = (16, 32, 48, 64, 128)  # the networks are compiled for batches of these sizes, and of no others
ALONE = 0.99  # a component that is so surely one digit is neither cut nor put together with others
UNLIKELY = PENALTY / LIKELIER  # what is less probably a digit scores less as one than as nothing: no value is asked for
DOUBTFUL = 0.99  # a digit whose value is less probable is looked at again
SPACE, WIDER = 1.0, 2.5  # a gap of so many heights, and so many times the line's median gap, is a space
TOGETHER = 64  # pictures whose spans go through the networks together


def read(image: Picture, model: Classifier | None = None) -> Page:
    """Read the digits that are written on a picture.

    Args:
        image: a path, the bytes of a file, an open file, a picture of Pillow, or an array of uint8.
        model: names the digits, on images of (28, 28, 1); the one in the box by default.
    Returns:
        The lines that were read, from top to bottom, and what was seen and not read.  A picture without writing is a
        page without lines, with the reason.
    Raises:
        DataError: no picture, a damaged or too large one.
        FirsthandError: the model expects images of another shape.

    Examples:
        >>> import numpy as np
        >>> import firsthand
        >>> sevens = np.hstack([np.pad(firsthand.mnist().test.images[0, ..., 0], 6)] * 3)
        >>> page = firsthand.read(255 - sevens)
        >>> page.text
        '777'
        >>> page.lines[0].probability > 0.9
        True
    """
    (page,) = read_sheets([analyse(load_grey(image))], model)
    return page


def read_many(images: Iterable[Picture], model: Classifier | None = None) -> Iterator[Page | FirsthandError]:
    """Read many pictures; one that cannot be read is an error in its place, and does not stop the others.

    Args:
        images: as for `read`.
        model: as for `read`.
    """
    rest = iter(images)
    while some := list(islice(rest, TOGETHER)):
        sheets: list[Sheet | FirsthandError] = []
        for image in some:
            try:
                sheets.append(analyse(load_grey(image)))
            except FirsthandError as error:
                sheets.append(error)
        pages = iter(read_sheets([sheet for sheet in sheets if isinstance(sheet, Sheet)], model))
        for sheet in sheets:
            yield next(pages) if isinstance(sheet, Sheet) else sheet


def read_sheets(sheets: list[Sheet], model: Classifier | None = None) -> list[Page]:
    """What is written on sheets: their spans through both networks at once, then the best path of every line."""
    model = boxed_model() if model is None else model
    if model.input_shape != (SIZE, SIZE, 1):
        raise FirsthandError(f"model: it reads inputs of shape {model.input_shape}, expected ({SIZE}, {SIZE}, 1)")
    lines = [(strip, found) for sheet in sheets for strip, found in zip(sheet.strips, sheet.spans, strict=True)]
    alone = [(strip, whole_components(strip, found)) for strip, found in lines]
    sure = [
        [span for span, p in zip(found, digit, strict=True) if p >= ALONE]
        for (_, found), digit in zip(alone, _by_line(alone, _is_digit(_images(alone))), strict=True)
    ]
    lines = [(strip, without_rivals(found, kept)) for (strip, found), kept in zip(lines, sure, strict=True)]
    judged = _judged(lines, model)
    decided = [_decided(sheet, [next(judged) for _ in sheet.strips]) for sheet in sheets]
    _look_again([row for rows in decided for row in rows], model)
    return [_page(sheet, rows, model.classes) for sheet, rows in zip(sheets, decided, strict=True)]


class Judged(NamedTuple):
    """What the networks say about the spans of a line: p(digit), (n,), and p(value | digit), (n, classes) or zeros."""

    spans: list[Span]
    images: np.ndarray  # what was seen of each, (n, 28, 28, 1)
    digit: np.ndarray
    value: np.ndarray


class Decided(NamedTuple):
    """The spans on a line's best path: p(digit), p(value | digit), and why each is not read, '' where it is."""

    spans: list[Span]
    images: np.ndarray
    digit: np.ndarray
    value: np.ndarray
    reasons: list[str]


def _judged(lines: list[tuple[Strip, list[Span]]], model: Classifier) -> Iterator[Judged]:
    """What the networks say, line by line; all spans go through them together."""
    hypotheses_of_all = _images(lines)
    digit, images = _is_digit(hypotheses_of_all), hypotheses_of_all[..., :1]
    value = np.zeros((len(images), len(model.classes)), np.float32)
    asked = digit >= UNLIKELY
    value[asked] = _batched(model.probabilities, images[asked])
    return map(Judged, (found for _, found in lines), *(_by_line(lines, of_all) for of_all in (images, digit, value)))


def _images(lines: list[tuple[Strip, list[Span]]]) -> np.ndarray:
    """The hypotheses of all lines together, (n, 28, 28, 3)."""
    return np.concatenate([np.zeros((0, SIZE, SIZE, 3), np.uint8), *(hypotheses(*line) for line in lines)])


def _by_line(lines: list[tuple[Strip, list[Span]]], of_all: np.ndarray) -> list[np.ndarray]:
    """What was computed for the hypotheses of all lines, line by line again."""
    return np.split(of_all, np.cumsum([len(found) for _, found in lines])[:-1]) if lines else []


def _is_digit(images: np.ndarray) -> np.ndarray:
    return _batched(boxed_gate().probabilities, images)[:, 1]


def _batched(function: Callable[[np.ndarray], np.ndarray], images: np.ndarray) -> np.ndarray:
    """A function of images in batches of few sizes, so that it is compiled for few; the last is filled up."""
    if not len(images):
        return function(np.zeros((CHUNKS[0], *images.shape[1:]), np.uint8))[:0]
    size = next((size for size in CHUNKS if len(images) <= size), CHUNKS[-1])
    results = []
    for start in range(0, len(images), size):
        part = images[start : start + size]
        filled = np.concatenate([part, np.zeros((size - len(part), *images.shape[1:]), np.uint8)])
        results.append(function(filled)[: len(part)])
    return np.concatenate(results)


def _decided(sheet: Sheet, judged: list[Judged]) -> list[Decided]:
    """What the spans of a sheet's lines are, digits or not; on a page of digits the odds are others."""
    rows = _decoded(sheet, judged)
    if rejected_share(rows) < DIGITS:
        judged = [one._replace(digit=likelier(one.digit)) for one in judged]
        rows = _decoded(sheet, judged)
    decided = []
    for row, one, reasons in zip(rows, judged, by_page(rows), strict=True):
        chosen = [step.span for step in row.path]
        spans = [one.spans[i] for i in chosen]
        decided.append(Decided(spans, one.images[chosen], one.digit[chosen], one.value[chosen], reasons))
    return decided


def _look_again(rows: list[Decided], model: Classifier) -> None:
    """Replace p(value | digit) of doubtful digits, of all lines together: softmax of the mean z of several looks."""
    doubtful = [
        (row, i) for row in rows for i, reason in enumerate(row.reasons) if not reason and row.value[i].max() < DOUBTFUL
    ]
    if not doubtful:
        return
    images = looks(np.stack([row.images[i, ..., 0] for row, i in doubtful]))
    z = _batched(model.weighted_inputs, images.reshape(-1, SIZE, SIZE, 1))
    values = model.probabilities_at(z.reshape(*images.shape[:2], -1).mean(axis=1))
    for (row, i), value in zip(doubtful, values, strict=True):
        row.value[i] = value


def _page(sheet: Sheet, rows: list[Decided], classes: tuple[str, ...]) -> Page:
    lines: list[Line] = []
    rejected = [
        Reject(sheet.box(c.left, c.top, c.right, c.bottom), "not in a line of writing", 0.0) for c in sheet.others
    ]
    for strip, row in zip(sheet.strips, rows, strict=True):
        digits, boxes = [], []
        for span, p, value, reason in zip(row.spans, row.digit.tolist(), row.value, row.reasons, strict=True):
            box = _box(sheet, strip, span)
            if reason:
                rejected.append(Reject(box, reason, p))
                continue
            boxes.append(span.box)
            order = np.argsort(-value, kind="stable")[: ALTERNATIVES + 1]
            best, *others = ((classes[i], p * float(value[i])) for i in order)
            digits.append(Digit(best[0], best[1], tuple(others), box, p))
        if digits:
            spaces = [" " if wide else "" for wide in _wide_gaps(boxes)]
            text = "".join(space + digit.value for space, digit in zip(spaces, digits, strict=True))
            lines.append(Line(tuple(digits), text))
    reason = sheet.reason or ("" if lines else "nothing that was found is a digit")
    return Page(
        tuple(lines),
        tuple(rejected),
        (sheet.grey.shape[0], sheet.grey.shape[1]),
        sheet.degrees,
        sheet.flat.light_on_dark,
        reason,
    )


def _decoded(sheet: Sheet, judged: list[Judged]) -> list[Read]:
    """The best path of every line, and why some of its steps are not read."""
    rows = []
    for strip, (spans, _, digit, value) in zip(sheet.strips, judged, strict=True):
        path = best_path(spans, digit, value.max(axis=1), strip.component)
        likely = np.array([digit[step.span] * value[step.span].max() for step in path])
        rows.append(Read(path, spans, by_word(path, spans, digit, strip.stroke), likely))
    return rows


def _wide_gaps(boxes: list[tuple[int, int, int, int]]) -> list[bool]:
    """Before which digits there is a space: a gap wider than a digit is high, and than is usual in this line."""
    gaps = np.array([0, *(after[0] - before[2] for before, after in pairwise(boxes))])
    usual = float(np.median(gaps[1:])) if len(gaps) > 1 else 0.0
    return [bool(wide) for wide in gaps > max(SPACE * HEIGHT, WIDER * usual)]


def _box(sheet: Sheet, strip: Strip, span: Span):
    left, top, right, bottom = span.box
    x, y = strip.on_page(np.array([left, right]), np.array([top, bottom]))
    return sheet.box(float(x[0]), float(y[0]), float(x[1]), float(y[1]))
