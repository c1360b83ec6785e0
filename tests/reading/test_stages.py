"""Every stage from a photo to pieces, on images made by hand whose answer is known."""

from itertools import pairwise

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from benchmarks.quality.hands import sign, stroke
from benchmarks.quality.pages import LEVELS, make_page
from firsthand.data import mnist
from firsthand.reading import analyse, network
from firsthand.reading.background import flatten, stroke_width
from firsthand.reading.decode import PENALTY, SHARPNESS, TORN, Step, best_path
from firsthand.reading.ink import Strokes, find_strokes
from firsthand.reading.join import join_strokes
from firsthand.reading.lines import Component, find_components, find_lines, typical_height, without_blots
from firsthand.reading.looks import LARGER, SLANT, SMALLER, TURN, looks
from firsthand.reading.normalise import as_mnist, hypotheses
from firsthand.reading.regions import Regions, _cells, _height, _over_rules, find_regions
from firsthand.reading.reject import LIKELIER, Read, by_page, by_word, likelier, numbers, rejected_share, words
from firsthand.reading.segment import HEIGHT, Span, Strip, cut_row, seams, spans, whole_components, without_rivals
from firsthand.reading.signs import is_letter_like, is_unmistakable, sign_of
from firsthand.reading.skew import find_skew, straighten, to_original


def paper(high=200, wide=300, level=230):
    return np.full((high, wide), level, np.float32)


def grey(picture):
    return np.clip(np.round(picture), 0, 255).astype(np.uint8)


def bars(ink, tops, lefts, size=(30, 5)):
    """Upright strokes: an image of ink with a bar at each place."""
    for top in tops:
        for left in lefts:
            ink[top : top + size[0], left : left + size[1]] = 1
    return ink


def written(count=9, gap=20):
    """Ink, 0 to 1, of three rows of upright strokes."""
    return bars(np.zeros((200, 300), np.float32), (30, 90, 150), range(20, 20 + count * (5 + gap), 5 + gap))


# --- background


def test_a_shadow_is_light_and_no_ink():
    light = np.linspace(1.0, 0.4, 300)[None, :]
    ink = written()
    flat = flatten(grey(paper() * light * (1 - 0.7 * ink)))
    assert not flat.light_on_dark
    assert flat.ink[ink == 1].mean() == pytest.approx(0.7, abs=0.05)
    assert np.abs(flat.ink[np.asarray(ndimage.minimum_filter(ink == 0, 3), bool)]).max() < 0.12


def test_chalk_is_read_as_ink():
    dark = grey(paper(level=30) + 190 * written())
    flat = flatten(dark)
    assert flat.light_on_dark
    assert flat.ink[written() == 1].min() > 0.5


def test_a_thick_stroke_that_fills_the_picture_is_not_taken_for_paper():
    picture = paper(60, 60)
    picture[5:55, 20:40] = 20
    flat = flatten(grey(picture))
    assert not flat.light_on_dark
    assert flat.ink[10:50, 22:38].min() > 0.7


def test_the_width_of_strokes():
    ink = bars(np.zeros((200, 300), np.float32), (30, 90), range(20, 280, 30), size=(30, 8))
    assert stroke_width(grey(paper() * (1 - 0.8 * ink))) == pytest.approx(8, abs=1.5)
    assert stroke_width(grey(paper())) == 0


# --- ink


def test_nothing_is_found_on_noise():
    rng = np.random.default_rng(1)
    assert find_strokes(flatten(grey(paper() + rng.normal(0, 3, (200, 300)))).ink) is None


def test_faint_strokes_are_found_in_noise():
    rng = np.random.default_rng(1)
    ink = written()
    found = find_strokes(flatten(grey(paper() * (1 - 0.3 * ink) + rng.normal(0, 4, ink.shape))).ink)
    assert found is not None
    assert found.mask[ink == 1].mean() > 0.8
    assert found.mask[ink == 0].mean() < 0.05
    assert 0.2 < found.level < 0.4


# --- regions


def ruled(wide=600, high=300):
    """A light page with digits and dark printed lines that cross them, and which pixels are which."""
    page = np.full((high, wide), 230.0)
    mask = np.zeros((high, wide), bool)
    for i, image in enumerate(mnist().validation.images[:7, ..., 0]):
        large = np.kron(image, np.ones((3, 3))) / 255
        left, top = 20 + 80 * i, 100
        page[top : top + 84, left : left + 84] *= 1 - 0.7 * large
        mask[top : top + 84, left : left + 84] |= large > 0.5
    rules = np.zeros((high, wide), bool)
    for y in (60, 120, 180, 240):
        rules[y : y + 3] = True
    page[rules] = np.minimum(page[rules], 90)
    return grey(ndimage.gaussian_filter(page, 0.7)), mask, rules


def test_printed_lines_are_taken_off_and_the_strokes_that_cross_them_stay():
    picture, mask, rules = ruled()
    regions = find_regions(picture, flatten(picture))
    assert regions.pen[rules & ~np.asarray(ndimage.binary_dilation(mask, np.ones((9, 9))), bool)].mean() < 0.2
    assert regions.pen[mask].mean() > 0.9
    assert not regions.beyond.any()


@pytest.mark.tiny
def test_a_short_bar_is_no_printed_line():
    # a 1 is as straight as a rule
    picture = np.full((300, 300), 230.0)
    picture[100:180, 140:148] = 40
    picture = grey(ndimage.gaussian_filter(picture, 0.7))
    assert find_regions(picture, flatten(picture)).pen[105:175, 142:146].min() > 0.5


def test_digits_are_as_high_as_they_are_though_printed_lines_cut_them():
    written, rule = np.zeros((200, 200), np.float32), np.zeros((200, 200), np.float32)
    for left in (20, 80, 140):
        written[40:130, left : left + 6] = 1
    for top in (70, 100):
        rule[top : top + 4] = 1
    written[rule > 0] = 0
    assert _height(written) < 40
    assert _height(_over_rules(written, rule)) == 90


def test_a_cell_is_what_lines_go_all_around():
    rule, written = np.zeros((60, 60), np.float32), np.zeros((60, 60), np.float32)
    rule[10:50, (10, 30, 49)] = rule[(10, 49), 10:50] = 1
    written[20:30, 18:20] = 1  # a digit in the left cell
    cells = _cells(rule, written)
    assert len(np.unique(cells[cells > 0])) == 2
    one = np.ones((60, 60), np.float32)
    regions = Regions(one, one, one, one, cells)
    assert regions.in_cell(15, 18, 25, 32)
    assert not regions.in_cell(0, 0, 8, 8)


def test_the_network_takes_pages_of_any_size_that_it_is_given_in_blocks():
    ink = np.arange(64 * 96, dtype=np.float32).reshape(64, 96) / (64 * 96)
    x = network.with_blocks(ink, ink)
    assert x.shape == (16, 24, 17)
    np.testing.assert_array_equal(x[3, 5, :16].reshape(4, 4), ink[12:16, 20:24])
    assert x[3, 5, 16] == pytest.approx(ink[12:16, 20:24].mean(), abs=1e-6)
    z = network.weighted_inputs(network.boxed_page_network(), jnp.asarray(x[None]))
    assert z.shape == (1, 64, 96, len(network.CLASSES))


# --- orientation


@pytest.mark.parametrize("seed", [71_000_056, 71_000_082, 73_000_026])
def test_a_column_of_digits_that_touch_in_pairs_does_not_lie(seed):
    # some of these pairs look like an 8 where they lie
    page = make_page(LEVELS["pairs"], mnist().validation, seed)
    assert analyse(page.image).quarter == 0


@pytest.mark.parametrize("quarter", range(4))
def test_a_turned_page_is_turned_back_and_places_are_those_of_the_picture(quarter):
    picture = np.full((200, 560), 235.0)
    places = []
    for i, image in enumerate(mnist().validation.images[:12, ..., 0]):
        left, top = 20 + 88 * (i % 6), 20 + 90 * (i // 6)
        picture[top : top + 56, left : left + 56] *= 1 - 0.8 * np.kron(image, np.ones((2, 2))) / 255
        places.append((left + 28, top + 28))
    turned = np.ascontiguousarray(np.rot90(grey(picture), quarter))
    sheet = analyse(turned)
    assert sheet.quarter == -quarter % 4
    assert sheet.strokes is not None
    # the ink of the upright sheet is where it was on the picture
    rows, columns = np.nonzero(sheet.strokes.mask)
    x, y = sheet.places(columns.astype(float), rows.astype(float))
    assert turned[np.clip(np.round(y), 0, turned.shape[0] - 1).astype(int),
                  np.clip(np.round(x), 0, turned.shape[1] - 1).astype(int)].mean() < 150  # fmt: skip


# --- signs


@pytest.mark.parametrize("name", ["+", "-", "=", ".", ",", "/"])
def test_signs_are_told_by_shape_and_place(name):
    rng = np.random.default_rng(3)
    drawn = stroke(sign(name, rng), 40, 0.1) > 0.3
    high = drawn.shape[0]
    # as scenes place them: points and commas at the foot of the digits, slashes a little higher than digits
    line = (10.0, 50.0) if name != "/" else (13.0, 13.0 + high / 1.25)
    middle = {",": 30 + 18, ".": 30 + 16, "/": (line[0] + line[1]) / 2}.get(name, 30)
    assert sign_of(drawn, middle - high / 2, middle + high / 2, line) == name


def test_a_times_is_told_by_its_arms():
    ink = stroke(sign("x", np.random.default_rng(3)), 40, 0.1) > 0.3
    top = 20 - ink.shape[0] / 2
    assert sign_of(ink, top, top + ink.shape[0], (0, 40)) == "×"
    assert sign_of(ink[:, : ink.shape[1] // 2], top, top + ink.shape[0], (0, 40)) != "×"


def test_no_digit_looks_like_two_bars_but_a_four_may_like_a_plus():
    plus = np.zeros((30, 30), bool)
    plus[13:17] = plus[:, 13:17] = True
    assert is_unmistakable("=", plus, (0, 40))
    assert not is_unmistakable(",", plus, (0, 40))
    assert is_unmistakable("+", plus, (0, 40))
    assert not is_unmistakable("+", plus, (0, 30))  # as high as the digits
    assert not is_unmistakable("+", plus[:20], (0, 40))  # a 2 that lies flat


def test_digits_are_no_signs():
    found = [sign_of(image[..., 0] > 100, 10, 50, (10.0, 50.0)) for image in mnist().validation.images[:200]]
    assert not any(found)


def test_crumbs_and_bars_are_not_like_letters():
    assert is_letter_like((0, 0, 30, 40), 40)
    assert not is_letter_like((0, 0, 10, 10), 40)
    assert not is_letter_like((0, 0, 200, 8), 40)


# --- skew


@pytest.mark.parametrize("degrees", [-9.5, -4, 0, 2.5, 10])
def test_the_angle_of_lines_is_found_and_undone(degrees):
    ink = np.zeros((300, 500), np.float32)
    bars(ink, (60, 130, 200), range(60, 440, 20), size=(24, 5))
    turned = ndimage.rotate(ink, degrees, order=1)
    assert find_skew(turned, 0.5) == pytest.approx(degrees, abs=0.35)
    straight = straighten(turned, degrees)
    rows = straight.sum(1)
    assert (rows > 0.1 * rows.max()).sum() < 3 * 24 + 20


@settings(deadline=None, max_examples=30)
@given(st.floats(-11, 11), st.floats(0.2, 0.8), st.floats(0.2, 0.8))
def test_places_are_found_again_after_turning(degrees, x, y):
    ink = np.zeros((120, 160), np.float32)
    at = round(120 * y), round(160 * x)
    ink[at[0] - 1 : at[0] + 2, at[1] - 1 : at[1] + 2] = 1
    turned = straighten(ink, degrees)
    seen = ndimage.center_of_mass(turned)
    assert isinstance(seen, tuple)
    back = to_original(np.array([seen[1]]), np.array([seen[0]]), degrees, ink.shape, (turned.shape[0], turned.shape[1]))
    assert back[0][0] == pytest.approx(at[1], abs=0.2)
    assert back[1][0] == pytest.approx(at[0], abs=0.2)


# --- lines


def component(label, left, top, width=20, height=40):
    return Component(label, left, top, left + width, top + height, width * height // 3)


def test_components_become_lines_from_top_to_bottom_and_left_to_right():
    parts = [component(i, 40 * (i % 5), 100 * (i // 5) + 3 * (i % 5)) for i in range(10)]
    rows, others = find_lines(parts[::-1], (300, 300))
    assert [[c.label for c in row.components] for row in rows] == [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9]]
    assert rows[0].height == 40
    assert others == []


def test_a_small_piece_joins_its_line_and_a_frame_joins_none():
    parts = [component(i, 40 * i, 100) for i in range(4)]
    bar = component(8, 42, 96, 18, 8)
    frame = Component(9, 0, 0, 290, 290, 900)
    speck = component(10, 60, 60, 2, 2)
    rows, others = find_lines([*parts, bar, frame, speck], (300, 300))
    assert [sorted(c.label for c in row.components) for row in rows] == [[0, 1, 2, 3, 8]]
    assert [c.label for c in others] == [9]
    assert typical_height([]) == 0


def test_a_bar_across_the_sheet_is_in_no_line():
    parts = [component(i, 40 * i, 100) for i in range(3)]
    bar = component(8, 0, 95, 200, 5)
    rows, others = find_lines([*parts, bar], (300, 300))
    assert [[c.label for c in row.components] for row in rows] == [[0, 1, 2]]
    assert [c.label for c in others] == [8]


@pytest.mark.parametrize(("gap", "lines"), [(20, 1), (80, 2)])
def test_numbers_far_apart_are_one_line_only_at_about_one_level(gap, lines):
    parts = [component(i, 30 * i, 100) for i in range(2)]
    parts += [component(2 + i, 50 + gap + 30 * i, 119) for i in range(2)]
    assert len(find_lines(parts, (300, 300))[0]) == lines


@pytest.mark.parametrize(("top", "lines"), [(120, 1), (145, 2)])
def test_a_large_comma_hangs_on_the_digits_before_it(top, lines):
    # taller than a speck, and half as high as the digits: beside them it is theirs, under them it is not
    parts = [component(0, 0, 100), component(1, 40, 100), component(2, 24, top, 8, 24)]
    assert len(find_lines(parts, (300, 300))[0]) == lines


def test_what_is_a_little_apart_hangs_together_where_a_gap_is_allowed():
    mask = np.zeros((20, 20), bool)
    mask[2:5, 2:5] = mask[8:11, 2:5] = mask[2:5, 15:18] = True
    assert len(find_components(mask)[1]) == 3
    labels, found = find_components(mask, 3)
    assert [c.area for c in found] == [18, 9]
    assert ((labels > 0) == mask).all()


# --- pieces


def digits_in_a_row(gap):
    """Two digits of the training images, `gap` pixels apart."""
    images = mnist().train.images[:2, ..., 0].astype(np.float32) / 255
    cut = [image[:, image.max(0) > 0.3] for image in images]
    if gap >= 0:
        row = np.hstack([cut[0], np.zeros((28, gap), np.float32), cut[1]])
    else:
        row = np.zeros((28, cut[0].shape[1] + cut[1].shape[1] + gap), np.float32)
        row[:, : cut[0].shape[1]] = cut[0]
        row[:, cut[0].shape[1] + gap :] = np.maximum(row[:, cut[0].shape[1] + gap :], cut[1])
    return np.asarray(ndimage.zoom(np.pad(row, 6), 2, order=1), np.float32)


@pytest.mark.parametrize("gap", [4, -2])
def test_a_span_holds_each_digit_whether_they_touch_or_not(gap):
    ink = digits_in_a_row(gap)
    labels, components = find_components(ink > 0.4)
    rows, _ = find_lines(components, (ink.shape[0], ink.shape[1]))
    assert len(rows) == 1
    strip = cut_row(ink, labels, rows[0])
    found = spans(strip)
    assert {span.first for span in found} == set(range(len(strip.boxes)))
    middle = strip.ink.shape[1] / 2
    left = [span for span in found if span.first == 0 and abs(span.box[2] - middle) < 0.25 * HEIGHT]
    right = [s for s in found if s.last == len(strip.boxes) and abs(s.box[0] - middle) < 0.25 * HEIGHT]
    assert left
    assert right
    assert any(a.last == b.first for a in left for b in right)


def test_a_component_that_is_surely_a_digit_has_no_rivals():
    strip = Strip(np.zeros((1, 1)), np.zeros((1, 1)), ((0, 0, 1, 1),) * 4, (7, 8, 8, 9), 1.0, 0.0, 0.0, 6.0)
    found = [Span(i, j, (i, 0, j, 1)) for i in range(4) for j in range(i + 1, 5)]
    whole = whole_components(strip, found)
    assert [(span.first, span.last) for span in whole] == [(0, 1), (1, 3), (3, 4)]
    left = without_rivals(found, [whole[1]])
    assert [(span.first, span.last) for span in left] == [(0, 1), (1, 3), (3, 4)]
    assert without_rivals(found, []) == found


def test_a_seam_goes_where_there_is_least_ink():
    ink = np.zeros((40, 60), np.float32)
    ink[5:35, 5:22] = ink[5:35, 38:55] = 1
    ink[19:22, 22:38] = 1  # a bridge three pixels high
    between = [seam for seam in seams(ink) if 20 < seam.mean() < 40]
    assert between
    assert min(ink[np.arange(40), seam].sum() for seam in between) == 3


# --- as MNIST


def test_a_digit_is_brought_to_twenty_pixels_and_centred_by_mass():
    ink = np.zeros((90, 60), np.float32)
    ink[:, 20:32] = 1
    ink[:20] = 1
    image = as_mnist(ink)
    rows, columns = np.flatnonzero(image.max(1)), np.flatnonzero(image.max(0))
    assert np.ptp(rows) + 1 == 20
    assert 12 <= np.ptp(columns) + 1 <= 14
    y, x = np.array(ndimage.center_of_mass(image), float)
    assert abs(y - 14) <= 0.5
    assert abs(x - 14) <= 0.5


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 90), st.integers(1, 90), st.integers(0, 2**32 - 1))
def test_any_ink_becomes_an_image_of_28_pixels(high, wide, seed):
    image = as_mnist(np.random.default_rng(seed).random((high, wide), np.float32))
    assert image.shape == (28, 28)
    assert image.dtype == np.uint8
    assert image.max() > 0
    assert not as_mnist(np.zeros((high, wide), np.float32)).any()


def test_mnists_own_images_come_out_as_they_went_in():
    images = mnist().train.images[:40, ..., 0]
    apart = []
    for image in images:
        sheet = analyse(255 - image)
        whole = [h for strip, found in zip(sheet.strips, sheet.spans, strict=True) for h in hypotheses(strip, found)]
        apart.append(min(np.abs(one[..., 0].astype(float) - image).mean() for one in whole) / image.mean())
    # of their ink; a shift by one pixel is about 0.8
    assert np.median(apart) < 0.4


# --- the best path


def test_looks_turn_slant_and_scale_about_the_middle():
    image = np.zeros((28, 28), np.uint8)
    image[7:21, 12:16] = 255  # an upright bar
    (found,) = looks(image[None])
    assert found.shape == (7, 28, 28)
    assert np.array_equal(found[0], image)
    ink = found / 255
    high, wide = (np.arange(28.0) - 13.5)[:, None], np.arange(28.0) - 13.5
    middle = np.stack([(ink * high).sum((1, 2)), (ink * wide).sum((1, 2))]) / ink.sum((1, 2))
    assert np.abs(middle).max() < 0.02
    scales = np.sqrt(ink.sum((1, 2)) / ink[0].sum())
    assert scales == pytest.approx([1, 1, 1, 1, 1, SMALLER, LARGER], rel=0.02)
    # of an upright bar E[xy]/E[yy] is the slope of its axis
    slopes = (ink * high * wide).sum((1, 2)) / (ink * high**2).sum((1, 2))
    assert slopes == pytest.approx([0, np.tan(TURN), -np.tan(TURN), -SLANT, SLANT, 0, 0], abs=0.02)


def test_no_image_has_no_looks():
    assert looks(np.zeros((0, 28, 28), np.uint8)).shape == (0, 7, 28, 28)


def test_the_best_path_prefers_one_digit_to_two_halves_and_two_digits_to_a_pair():
    found = [Span(i, j, (20 * i, 0, 20 * j, 40)) for i in range(3) for j in range(i + 1, 4)]
    # pieces 0 and 1 are one digit, piece 2 another
    good = {(0, 2), (2, 3)}
    digit = np.array([0.95 if (s.first, s.last) in good else 0.05 for s in found])
    apart = (1, 2, 3)
    path = best_path(found, digit, np.full(len(found), 0.99), apart)
    assert [(found[step.span].first, found[step.span].last, step.is_digit) for step in path] == [
        (0, 2, True),
        (2, 3, True),
    ]
    path = best_path(found, np.full(len(found), 0.02), np.full(len(found), 0.99), apart)
    assert not any(step.is_digit for step in path)
    assert best_path([], np.zeros(0), np.zeros(0), ()) == []


def test_what_hangs_together_is_digits_or_none_is():
    found = [Span(0, 1, (0, 0, 20, 40)), Span(1, 2, (20, 0, 40, 40)), Span(0, 2, (0, 0, 40, 40))]
    digit, value = np.array([0.9, 0.01, 0.08]), np.ones(3)
    # a digit and a speck beside it; or, in one piece, two digits of which one is hard to read
    assert [step.is_digit for step in best_path(found, digit, value, (1, 2))] == [True, False]
    assert [step.is_digit for step in best_path(found, digit, value, (1, 1))] == [True, True]


def test_a_comma_belongs_to_no_digit_that_is_surer_without_it():
    found = [Span(0, 1, (0, 0, 20, 40)), Span(1, 2, (22, 34, 28, 50)), Span(0, 2, (0, 0, 28, 50))]
    digit, value = np.array([0.7, 0.01, 0.3]), np.ones(3)
    assert [found[s.span].last for s in best_path(found, digit, value, (1, 2))] == [2]
    small = np.array([False, True, False])
    assert [(found[s.span].last, s.is_digit) for s in best_path(found, digit, value, (1, 2), small)] == [
        (1, True),
        (2, False),
    ]


def test_of_two_cuts_the_one_whose_values_are_sure_wins():
    found = [Span(i, j, (20 * i, 0, 20 * j, 40)) for i in range(3) for j in range(i + 1, 4)]
    digit = np.array([0.96 if (s.first, s.last) in {(0, 1), (1, 3), (0, 2), (2, 3)} else 0.01 for s in found])
    value = np.array([0.6 if (s.first, s.last) == (2, 3) else 0.99 for s in found])
    assert [found[step.span].last for step in best_path(found, digit, value, (1, 1, 1))] == [1, 3]


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 5), st.integers(0, 2**32 - 1))
def test_the_best_path_is_the_best_of_all(pieces, seed):
    rng = np.random.default_rng(seed)
    component = tuple(np.cumsum(rng.integers(0, 2, pieces)).tolist())
    found = [Span(i, j, (i, 0, j, 1)) for i in range(pieces) for j in range(i + 1, pieces + 1)]
    digit, value = rng.uniform(0.01, 0.99, len(found)), rng.uniform(0.2, 1, len(found))
    at = {(span.first, span.last): i for i, span in enumerate(found)}

    def readings(start):
        if start == pieces:
            yield ()
        for end in range(start + 1, pieces + 1):
            for rest in readings(end):
                yield Step(at[start, end], True), *rest
                yield Step(at[start, end], False), *rest

    def probability(reading):
        read = [step.span for step in reading if step.is_digit]
        others = np.delete(digit, read)
        torn = sum(
            a.is_digit != b.is_digit and component[found[b.span].first - 1] == component[found[b.span].first]
            for a, b in pairwise(reading)
        )
        prices = PENALTY ** (len(reading) - len(read)) * TORN**torn
        return np.prod(digit[read] * value[read] ** SHARPNESS) * np.prod(1 - others) * prices

    best = max(readings(0), key=probability)
    assert probability(best_path(found, digit, value, component)) == pytest.approx(probability(best))


# --- words


def read_as(digit):
    """A word of four pieces, and far from it a piece alone, read with these p(digit)."""
    found = [Span(i, i + 1, (30 * i, 0, 30 * i + 25, 40)) for i in range(4)]
    found.append(Span(4, 5, (300, 0, 325, 40)))
    digit = np.array(digit)
    path = best_path(found, digit, np.ones(5), (1, 2, 3, 4, 5))
    assert [len(group) for group in words(path, found)] == [4, 1]
    chosen = digit[[step.span for step in path]]
    return Read(path, found, *by_word(path, found, digit, 6.0), chosen, 40.0, [1, 2, 3, 4, 5])


def reasons_of(*lines):
    return by_page(list(lines), numbers(list(lines)))


def test_a_letter_that_looks_like_a_digit_is_rejected_with_its_word():
    word = ["not a digit", "not a digit", "within a word", "not a digit"]
    text = read_as([0.001, 0.002, 0.9, 0.001, 0.999])
    assert text.reasons == [*word, ""]
    # what stands alone beside a word of letters may be one, too; a number beside it is one
    assert reasons_of(text) == [[*word, "in a text"]]
    assert reasons_of(text, read_as([0.99] * 5)) == [[*word, "in a text"], [""] * 5]


def test_an_unsure_digit_among_sure_ones_stays():
    assert reasons_of(read_as([0.99, 0.5, 0.99, 0.99, 0.9])) == [[""] * 5]


def test_a_crumb_is_no_digit_beside_lines_that_surely_are():
    found = [Span(0, 1, (0, 0, 25, 40))]
    path = best_path(found, np.array([0.9]), np.ones(1), (1,))
    crumb = Read(path, found, [""], np.ones(1, bool), np.array([0.3]), 40.0, [1])
    assert reasons_of(crumb) == [[""]]
    lines = [crumb, read_as([0.99] * 5)]
    assert reasons_of(*lines) == [["not a digit"], [""] * 5]
    # of what, where there is nothing but writing?
    assert by_page(lines, numbers(lines), plain=True) == [[""], [""] * 5]


def test_the_share_of_rejected_ink_is_of_all_lines():
    text, digits = read_as([0.001, 0.002, 0.9, 0.001, 0.9]), read_as([0.99] * 5)
    assert rejected_share([text]) == pytest.approx(4 / 5)
    assert rejected_share([text, digits]) == pytest.approx(4 / 10)
    assert rejected_share([]) == 0


@given(st.floats(0, 1))
def test_what_is_likelier_before_is_likelier_after_by_bayes_rule(p):
    after = float(likelier(np.array([p]))[0])
    assert p <= after <= 1
    assert after * (1 - p) == pytest.approx(LIKELIER * p * (1 - after), abs=1e-9)


def test_strokes_as_wide_as_a_digit_are_a_blot():
    found = [Span(0, 1, (0, 0, 30, 40))]
    path = best_path(found, np.array([0.9]), np.ones(1), (1,))
    assert by_word(path, found, np.array([0.9]), 0.6 * HEIGHT)[0] == ["a blot"]


def ink_at(*boxes, shape=(400, 400)):
    """Bars of ink, each (top, bottom, left, right)."""
    ink = np.zeros(shape, np.float32)
    for top, bottom, left, right in boxes:
        ink[top:bottom, left:right] = 1
    return ink


def joined(ink, pen, rule):
    """The number of components of pen after strokes are joined."""
    strokes = Strokes(pen, pen > 0.5, 1.0, 0.0, np.ones(pen.shape, np.float32))
    return len(find_components(join_strokes(strokes, ink, pen, rule).mask)[1])


def test_a_stroke_that_a_printed_line_parts_is_one_again():
    stroke_, rule = ink_at((20, 90, 50, 55)), ink_at((54, 56, 0, 400))
    assert joined(np.maximum(stroke_, rule), stroke_ * (rule == 0), rule) == 1
    # nothing is written over the line: what stands on either side of clean paper stays apart
    assert joined(stroke_ * (rule == 0), stroke_ * (rule == 0), np.zeros_like(rule)) == 2


def test_two_digits_on_one_line_are_not_joined_along_it():
    digits, rule = ink_at((20, 90, 40, 45), (20, 90, 52, 57)), ink_at((54, 56, 0, 400))
    assert joined(np.maximum(digits, rule), digits * (rule == 0), rule) == 2


def test_a_faint_place_belongs_to_its_stroke():
    stroke_ = ink_at((20, 50, 50, 55), (70, 90, 50, 55))
    faint = stroke_ + 0.3 * ink_at((50, 70, 50, 55))
    none = np.zeros_like(faint)
    strokes = Strokes(stroke_, stroke_ > 0.5, 1.0, 0.0, np.ones(faint.shape, np.float32))
    assert len(find_components(join_strokes(strokes, faint, np.ones_like(faint), none).mask)[1]) == 1
    assert len(find_components(join_strokes(strokes, stroke_, np.ones_like(faint), none).mask)[1]) == 2


def test_a_finger_is_no_stroke():
    labels, found = find_components(ink_at(*((10, 40, x, x + 4) for x in range(10, 90, 20)), (50, 115, 40, 90)) > 0)
    assert [c.left for c in without_blots(labels, found)] == [10, 30, 50, 70]
