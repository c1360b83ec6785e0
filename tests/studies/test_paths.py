"""Chapter 2's studies in passing: the sum over all paths, and weights that learn slowly."""

from math import prod

import numpy as np
import pytest

from firsthand.reference.fully_connected import backprop, large_weights
from firsthand.studies.paths import never_flat, path_rates

pytestmark = pytest.mark.tiny


@pytest.mark.parametrize("sizes", [(3, 2), (2, 3, 2), (1, 2, 3, 2, 2)])
def test_the_rates_of_all_paths_sum_to_the_gradient(sizes):
    rng = np.random.default_rng(1)
    biases, weights = large_weights(sizes, rng)
    x, y = rng.random((sizes[0], 1)), rng.random((sizes[-1], 1))
    gradient = backprop(weights, biases, x, y).nabla_w[0]
    for j, k in np.ndindex(gradient.shape):
        rates = list(path_rates(weights, biases, x, y, j, k))
        assert len(rates) == len({path for path, _ in rates}) == prod(sizes[2:])
        assert sum(rate for _, rate in rates) == pytest.approx(gradient[j, k], rel=1e-12)


def test_the_activation_without_flat_ends_is_its_slope_s_integral():
    z = np.linspace(-9, 9, 181)
    a, slope = never_flat(z)
    np.testing.assert_allclose(np.gradient(a, z), slope, atol=2e-3)
    assert 0.25 <= slope.min() <= slope.max() <= 0.5
