"""Printed lines are followed where the page network lost them, and bindings are left out."""

import numpy as np
import pytest

from firsthand.reading.edges import on_sheet
from firsthand.reading.regions import Regions
from firsthand.reading.rules import follow_rules

HEIGHT = 40.0  # of digits, in pixels


def ruled(slope: float, thick: int = 3) -> np.ndarray:
    """Five lines across a sheet of 300x400 pixels."""
    y, x = np.mgrid[:300, :400]
    return ((y - slope * (x - 200)) % 60 < thick).astype(np.float32)


@pytest.mark.parametrize("slope", [0.0, 0.05, -0.15, 0.25])
@pytest.mark.parametrize("down", [False, True])
def test_a_line_that_was_lost_in_places_goes_on(slope, down):
    ink = ruled(slope)
    rule = ink.copy()
    rule[:, 150:200] = 0
    if down:
        ink, rule = np.ascontiguousarray(ink.T), np.ascontiguousarray(rule.T)
    goes_on, crossed = follow_rules(rule, 0 * ink, ink, HEIGHT)
    lost = (ink > 0) & (rule == 0)
    assert goes_on[lost].mean() > 0.95
    assert not goes_on[ink == 0].any()
    assert not crossed.any()


def test_a_stroke_that_crosses_a_line_is_a_pens():
    ink = ruled(0.0)
    rule = ink.copy()
    ink[110:140, 200:205] = 1  # across the line at 120
    rule[115:128, 200:205] = 1  # of which the network has taken a piece
    goes_on, crossed = follow_rules(rule, 0 * ink, ink, HEIGHT)
    assert crossed[110:140, 200:205].all()
    assert crossed.sum() == 30 * 5
    assert not goes_on[110:140, 200:205].any()


def test_a_thin_stroke_of_which_the_network_took_a_long_piece_for_a_line_is_a_pens():
    ink = ruled(0.0)
    rule, pen = ink.copy(), np.zeros_like(ink)
    y, x = np.mgrid[:300, :400]
    stroke = (abs(x - 200 - 0.3 * (y - 120)) < 2) & (y > 100) & (y < 145)  # it leans, and crosses the line at 120
    ink[stroke] = 1
    near = stroke & (abs(y - 121) < 15)
    rule[near], pen[stroke & ~near] = 1, 1
    off = abs(y - 121) > 4  # of the line
    assert follow_rules(rule, pen, ink, HEIGHT).crossed[near & off].mean() > 0.9
    # the tooth of a comb ends where no pen goes on
    assert not follow_rules(rule, 0 * pen, ink, HEIGHT).crossed[near & off & (y < 121)].all()


def test_ink_without_lines_is_left_alone():
    rng = np.random.default_rng(0)
    noise = (rng.random((300, 400)) < 0.02).astype(np.float32)
    for found in follow_rules(noise, noise, noise, HEIGHT):
        assert not found.any()


def test_a_binding_is_left_out_and_a_digit_beside_it_stays():
    pen, beyond = np.zeros((1000, 800), np.float32), np.zeros((1000, 800), np.float32)
    beyond[:100] = 1
    for x in range(60, 760, 90):
        pen[95:150, x : x + 8] = 1  # rings, from the table onto the sheet,
        pen[152:160, x : x + 12] = 1  # and their holes
    pen[400:480, 300:310] = 1
    none, one = np.zeros_like(pen), np.ones_like(pen)
    kept = on_sheet(pen, Regions(one, one * (beyond < 0.5), none, beyond, np.zeros((1, 1), np.int32)))
    assert not kept[:200].any()
    assert kept[400:480, 300:310].all()
