"""The pages that reading is measured on: their truth is true, and they are scored as they should be."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from benchmarks.quality import marks, pages, reading
from firsthand.data import mnist
from firsthand.reading import Box, Digit, Line, Page
from tools.box import reading_examples

SMALL = replace(pages.CLEAN, lines=(2, 2), digits=(4, 4), height=(30, 30))


def made(seed=1, **changes):
    return pages.make_page(replace(SMALL, **changes), mnist().train, seed)


@pytest.mark.parametrize("level", pages.LEVELS)
def test_every_level_makes_pages_and_the_seed_decides(level):
    style = pages.LEVELS[level]
    small = replace(
        style,
        lines=(min(1, style.lines[0]), min(2, style.lines[1])),
        words=(0, min(1, style.words[1])),
        height=(24, 24),
    )
    one, same, other = (pages.make_page(small, mnist().train, seed) for seed in (3, 3, 4))
    np.testing.assert_array_equal(one.image, same.image)
    assert one.truth == same.truth
    assert one.image.shape != other.image.shape or (one.image != other.image).any()
    assert len(one.truth) == sum(map(len, one.texts))


@pytest.mark.parametrize("degrees", [0.0, 10.0])
def test_the_truth_says_where_the_ink_is(degrees):
    page = made(degrees=degrees)
    assert [len(text) for text in page.texts] == [4, 4]
    for number, truth in enumerate(page.truth, 1):
        ink = page.owner == number
        y, x = np.nonzero(ink)
        assert (y.min() + y.max()) / 2 == pytest.approx(truth.y, abs=3)
        assert (x.min() + x.max()) / 2 == pytest.approx(truth.x, abs=3)
        assert page.image[ink].mean() < page.image[page.owner == 0].mean() - 60
        assert page.texts[truth.line][truth.place] == str(truth.value)


def test_neighbours_touch_where_they_should_and_only_there():
    for touching in (0.0, 1.0):
        page = made(seed=5, touching=touching, gap=(0.3, 0.3))
        labels = np.zeros(page.owner.shape, np.int32)
        ndimage.label(page.owner > 0, np.ones((3, 3)), output=labels)
        for number, truth in enumerate(page.truth, 1):
            if truth.place:
                mine, before = np.unique(labels[page.owner == number]), np.unique(labels[page.owner == number - 1])
                assert bool(np.intersect1d(mine, before).size) == truth.touches == bool(touching)


def test_letters_and_drawings_of_the_benchmark_were_never_learned():
    for kinds in (marks.FONTS, marks.DOODLES):
        assert not set(kinds["train"]) & set(kinds["test"])
        assert not set(kinds["validation"]) & set(kinds["test"])


def test_a_page_without_digits_has_no_truth():
    page = made(lines=(0, 0), words=(2, 2), doodles=(1, 1))
    assert page.truth == ()
    assert (page.owner <= 0).all()
    assert (page.owner < 0).any()


def as_read(page, change=lambda number, truth: str(truth.value)):
    """A page read as its truth says, but for `change`, which may give None for what was not seen."""
    lines = []
    for line in range(len(page.texts)):
        digits = []
        for number, truth in enumerate(page.truth):
            value = change(number, truth)
            if truth.line == line and value is not None:
                half = truth.height / 2
                box = Box(*(round(v) for v in (truth.x - half, truth.y - half, truth.x + half, truth.y + half)))
                digits.append(Digit(value, 0.9, (), box, 0.9))
        lines.append(Line(tuple(digits), "".join(digit.value for digit in digits)))
    return Page(tuple(lines), (), (page.image.shape[0], page.image.shape[1]))


def test_scores_count_what_is_right_missed_wrong_and_false():
    page = made()
    whole = reading.score(page, as_read(page))
    assert whole.right.all()
    assert whole.lines.all()
    assert whole.false == 0
    wrong = reading.score(page, as_read(page, lambda n, t: "x" if n == 2 else str(t.value)))
    assert wrong.right.sum() == 7
    assert wrong.found.all()
    assert wrong.lines.tolist() == [False, True]
    missed = reading.score(page, as_read(page, lambda n, t: None if n == 5 else str(t.value)))
    assert missed.found.sum() == missed.right.sum() == 7
    assert missed.lines.tolist() == [True, False]
    empty = made(lines=(0, 0), words=(1, 1))
    assert reading.score(empty, as_read(page)).false == 8


def test_examples_for_the_gate_say_what_spans_are():
    found = reading_examples.examples(made(seed=2))
    assert found.found.all()
    assert found.images.shape[1:] == (28, 28, 3)
    assert set(np.unique(found.digit)) <= {-1, 0, 1}
    assert (found.digit == 1).sum() >= 8
    assert ((found.value >= 0) == (found.digit == 1)).all()
    letters = reading_examples.examples(made(lines=(0, 0), words=(2, 2)))
    assert not (letters.digit == 1).any()
