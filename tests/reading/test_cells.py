"""Tables and forms: what stands outside of the cells."""

from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest

from firsthand.reading.cells import in_cells
from firsthand.reading.reject import Decided
from firsthand.reading.segment import Span, Strip
from firsthand.reading.sheet import Sheet


class Table:
    """A sheet that is a table, up to a place: boxes beyond it stand in no cell."""

    def __init__(self, right):
        self.right = right

    def box_of(self, strip, span):
        return SimpleNamespace(left=span.box[0])

    def in_cells(self, boxes):
        return all(box.left < self.right for box in boxes)


def within(right, rows):
    return in_cells(cast(Sheet, Table(right)), rows)


def line(*probabilities, width=25):
    """A line of digits, one every 50 pixels."""
    spans = [Span(i, i + 1, (50 * i, 0, 50 * i + width, 40)) for i in range(len(probabilities))]
    digit, value = np.ones(len(spans)), np.zeros((len(spans), 10))
    value[:, 1] = probabilities
    images, none = np.zeros((len(spans), 28, 28, 1)), [""] * len(spans)
    return Decided(cast(Strip, None), spans, images, digit, value, none, none, np.zeros(len(spans)))


SURELY, CRUMB = 0.99, 0.9


@pytest.mark.tiny
def test_a_crumb_outside_of_the_cells_is_no_digit():
    rows = within(500, [line(*[CRUMB] * 10, SURELY), line(*[CRUMB] * 11)])
    assert [row.reasons for row in rows] == [[""] * 11, [*[""] * 10, "not a digit"]]


@pytest.mark.tiny
def test_a_bar_alone_outside_of_the_cells_is_no_one():
    outside = line(SURELY, width=8)._replace(spans=[Span(0, 1, (600, 0, 608, 40))])
    assert within(500, [line(*[SURELY] * 10), outside])[1].reasons == ["not a digit"]
    wide = outside._replace(spans=[Span(0, 1, (600, 0, 630, 40))])
    assert within(500, [line(*[SURELY] * 10), wide])[1].reasons == [""]


@pytest.mark.tiny
@pytest.mark.parametrize(("digits", "right"), [(10, 300), (6, 300)])
def test_a_sheet_with_a_few_cells_is_no_table(digits, right):
    rows = [line(*[CRUMB] * digits)]
    assert within(right, rows) == rows
