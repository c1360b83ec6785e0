"""Two digits that touch, read as a whole."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.quality.pages import LEVELS, make_page
from firsthand.data import mnist
from firsthand.reading import analyse, pairs, read
from firsthand.reading.box import boxed_model
from firsthand.reading.judge import judge, look_again
from firsthand.reading.pairs import HIGH, WIDE, WIDEST, Pair, component_spans, cut_of, find_pairs, picture
from firsthand.reading.reject import Decided
from firsthand.reading.segment import Span, Strip


def strip_of(component, boxes):
    """A line whose pieces have these components and boxes, all of them full of ink."""
    high, wide = max(box[3] for box in boxes), max(box[2] for box in boxes)
    piece = np.zeros((high, wide), np.int16)
    for number, (left, top, right, bottom) in enumerate(boxes, 1):
        piece[top:bottom, left:right] = number
    return Strip((piece > 0).astype(np.float32), piece, tuple(boxes), tuple(component), 1.0, 0.0, 0.0, 6.0)


@pytest.fixture(scope="module")
def touching():
    """A validation page of pairs that touch, and its lines."""
    page = make_page(LEVELS["pairs"], mnist().validation, 73_000_003)
    sheet = analyse(page.image)
    return page, list(zip(sheet.strips, sheet.spans, strict=True))


@pytest.mark.tiny
def test_only_components_that_were_cut_and_are_as_wide_as_two_digits_are_asked_about():
    boxes = [(0, 0, 20, 40), (20, 5, 45, 40), (60, 0, 80, 40), (90, 0, 130, 40), (130, 0, 90 + WIDEST + 1, 40)]
    assert component_spans(strip_of([1, 1, 2, 3, 3], boxes)) == [Span(0, 2, (0, 0, 45, 40))]
    # pieces of another component stand between them
    assert component_spans(strip_of([1, 2, 1], boxes[:3])) == []


@pytest.mark.tiny
def test_a_picture_has_the_ink_in_its_middle_at_half_the_scale():
    ink = np.zeros((60, 200), np.float32)
    ink[10:50, 100:160] = 1
    seen = picture(ink, (100, 10, 160, 50))
    assert seen.shape == (HIGH, WIDE)
    np.testing.assert_array_equal(np.argwhere(seen == 255)[[0, -1]], [[4, 5], [23, 34]])
    assert (seen > 0).sum() == 20 * 30


@pytest.mark.tiny
def test_the_cut_is_the_one_whose_halves_are_likeliest_the_digits():
    spans = [
        Span(first, last, (first, 0, last, 40)) for first, last in [(0, 1), (0, 2), (0, 3), (1, 3), (2, 3), (1, 2)]
    ]
    digit, value = np.full(len(spans), 0.5), np.full((len(spans), 10), 0.01)
    value[1, 5] = value[4, 7] = 0.9
    pair = Pair(Span(0, 3, (0, 0, 3, 40)), (5, 7), 0.9)
    assert cut_of(pair, spans, digit, value) == (1, 4)
    value[[0, 3], [5, 7]] = 0.99
    assert cut_of(pair, spans, digit, value) == (0, 3)
    assert cut_of(pair, [spans[2]], digit[:1], value[:1]) is None


def test_pairs_on_a_page_are_read_whole(touching):
    page, lines = touching
    found = find_pairs([strip for strip, _ in lines])
    assert sum(map(len, found)) >= 0.8 * len(page.texts)
    assert all(pair.probability >= pairs.SURELY for line in found for pair in line)
    texts = sorted(f"{a}{b}" for line in found for _, (a, b), _ in line)
    assert len([text for text in texts if text in page.texts]) >= 0.9 * len(texts)


def test_a_digit_alone_is_no_pair():
    page = make_page(replace(LEVELS["clean"], lines=(6, 6)), mnist().validation, 5)
    assert not any(find_pairs(list(analyse(page.image).strips)))


def test_a_pair_has_two_spans_and_they_are_not_looked_at_again(touching):
    _, lines = touching
    judged = judge(lines, boxed_model())
    for one, (strip, _), two in zip(judged, lines, find_pairs([strip for strip, _ in lines]), strict=True):
        assert one.strip is strip
        assert np.count_nonzero(one.whole) == 2 * len(two)
        for pair in two:
            inside = [i for i, s in enumerate(one.spans) if s.first < pair.span.last and s.last > pair.span.first]
            halves = sorted(inside, key=lambda i: one.spans[i].first)
            assert [one.spans[i].first for i in halves] == [pair.span.first, one.spans[halves[0]].last]
            assert tuple(one.value[halves].argmax(1)) == pair.values
            assert (one.digit[halves] == np.float32(pair.probability)).all()
    one = next(one for one in judged if one.whole.any())
    n = len(one.spans)
    row = Decided(one.strip, one.spans, one.images, one.digit, one.value.copy(), [""] * n, [""] * n, one.whole)
    row.value[:] = 0.1
    look_again([row], boxed_model())
    assert (row.value[one.whole > 0] == np.float32(0.1)).all()


def test_the_probabilities_of_the_halves_make_that_of_the_pair(touching):
    page, lines = touching
    found = [pair[1:] for line in find_pairs([strip for strip, _ in lines]) for pair in line]
    seen = 0
    for line in read(page.image).lines:
        values = tuple(int(digit.value) for digit in line.digits)
        probabilities = [probability for same, probability in found if same == values]
        if probabilities:
            assert any(line.probability == pytest.approx(p, abs=1e-6) for p in probabilities)
            assert line.digits[0].probability == pytest.approx(line.digits[1].probability)
            shares = [digit.probability + sum(p for _, p in digit.alternatives) for digit in line.digits]
            assert all(share <= digit.is_digit + 1e-6 for share, digit in zip(shares, line.digits, strict=True))
            seen += 1
    assert seen >= 5


@pytest.mark.parametrize("classes", ["abcdefghij", "012345678A"])
def test_a_model_with_other_classes_is_not_asked_about_pairs(touching, classes):
    _, lines = touching
    assert not any(one.whole.any() for one in judge(lines, replace(boxed_model(), classes=tuple(classes))))


@pytest.mark.parametrize("seed", [73_000_001, 73_000_006])
def test_pages_of_pairs_are_read(seed):
    page = make_page(LEVELS["pairs"], mnist().validation, seed)
    found = [line.text for line in read(page.image).lines]
    assert sum(text in found for text in page.texts) >= 0.8 * len(page.texts)
