"""Max-pooling where all maxima learn: the compiled kernels against the plain formula, on images full of ties.

The formula itself is held against `firsthand.reference` in tests/book/test_network3.py.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from firsthand.kernels import conv_pool, native, tied_conv_pool


@pytest.mark.parametrize("pool", [(2, 2), (3, 2), (4, 5)])
@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_the_kernels_agree_with_the_formula(pool, activation, monkeypatch):
    if native.library() is None:
        pytest.skip("the kernels are not compiled")
    rng = np.random.default_rng(0)
    images = rng.integers(0, 2, (3, 13, 12, 2)).astype(np.float32)  # black and white: many windows tie
    images[0] = 1.0
    weights = rng.integers(-1, 2, (3, 3, 2, 5)).astype(np.float32)
    bias = rng.standard_normal(5).astype(np.float32)

    def results(function):
        a, back = jax.vjp(lambda *p: function(*p, pool=pool, activation=activation), images, weights, bias)
        return a, *back(jnp.cos(jnp.arange(a.size, dtype=jnp.float32)).reshape(a.shape))

    fused = results(tied_conv_pool)
    first = results(conv_pool)
    monkeypatch.setattr(native, "library", lambda: None)
    for found, expected in zip(fused, results(tied_conv_pool), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(fused[0], first[0], rtol=1e-6)
    assert float(jnp.max(jnp.abs(fused[2] - first[2]))) > 0.1  # the weights' gradient is another one
