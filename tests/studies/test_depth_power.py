"""Linear regions counted exactly, against what is known of lines in the plane."""

import numpy as np
import pytest

from firsthand.studies.depth_power import folding, most_regions_of_one_layer, regions


def area(corners):
    x, y = corners.T
    return abs(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1))) / 2


@pytest.mark.tiny
def test_lines_that_cross_inside_cut_the_most_regions():
    assert len(regions([(np.array([[1.0, 0.0]]), np.array([5.0]))])) == 1  # passes the square by
    three = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    assert len(regions([(three, np.array([0.0, 0.0, 0.3]))])) == most_regions_of_one_layer(3) == 7
    assert len(regions([(three, np.zeros(3))])) == 6  # through one point


@pytest.mark.tiny
def test_regions_fill_the_square_and_are_affine():
    rng = np.random.default_rng(0)
    layers = [(rng.normal(size=(5, 2)), rng.normal(size=5)), (rng.normal(size=(4, 5)), rng.normal(size=4))]
    found = regions(layers)
    assert sum(area(each.corners) for each in found) == pytest.approx(4)
    for corners, slope, offset in found:
        weights = rng.dirichlet(np.ones(len(corners)))
        h = weights @ corners  # any point of it
        for w, b in layers:
            h = np.maximum(w @ h + b, 0)
        np.testing.assert_allclose(slope @ (weights @ corners) + offset, h, atol=1e-9)


def test_a_folding_network_has_as_many_as_the_formula():
    counts = [len(regions(folding(3, 4, np.random.default_rng(seed)))) for seed in range(5)]
    assert max(counts) == 2 ** (2 * 2) * most_regions_of_one_layer(4) == 176
