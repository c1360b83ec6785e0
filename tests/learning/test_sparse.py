"""Features without labels: the cost is that of the formula, and sources that are sparse are found."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from firsthand import FirsthandError, nn
from firsthand.learning import sparse
from firsthand.learning.sparse import encoded, sparse_features, whitening

pytestmark = pytest.mark.usefixtures("compiled_quickly")


@pytest.mark.parametrize("pool", [None, nn.L2Pool(2, stride=1)], ids=str)
def test_the_cost_is_that_of_the_formula(pool, float64):
    x = np.random.default_rng(0).normal(size=(3, 5))
    W = np.random.default_rng(1).normal(size=(5, 6))
    cost = sparse._cost(
        jnp.asarray(W), jnp.asarray(x), layer=nn.FullyConnected(6, nn.linear), pool=pool, grid=(2, 3), sparsity=0.7
    )
    h = x @ W
    squares = (h**2).reshape(3, 2, 3)
    if pool is not None:
        squares = squares[:, :1, :2] + squares[:, 1:, :2] + squares[:, :1, 1:] + squares[:, 1:, 1:]
    expected = np.sum((h @ W.T - x) ** 2) + 0.7 * np.sum(np.sqrt(sparse.EPSILON + squares))
    np.testing.assert_allclose(cost, expected / 3, rtol=1e-12)


def test_the_way_back_of_a_convolution_is_its_transposed(float64):
    layer = nn.LocallyConnected(2, 3, stride=2, activation=nn.linear)
    params = layer.init((5, 5, 1), jnp.float64, key=jax.random.key(0))
    x = np.random.default_rng(0).normal(size=(2, 5, 5, 1))
    matrix = jax.vmap(lambda e: layer.apply(params, e[None])[0].ravel())(jnp.eye(25).reshape(25, 5, 5, 1))  # (25, 8)
    h = x.reshape(2, 25) @ matrix
    expected = np.sum((h @ matrix.T - x.reshape(2, 25)) ** 2) / 2
    found = sparse._cost(params["weights"], jnp.asarray(x), layer=layer, pool=None, grid=None, sparsity=0.0)
    np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_sparse_sources_are_found():
    rng = np.random.default_rng(0)
    sources = rng.laplace(size=(4000, 4)) ** 3
    x = sources @ rng.normal(size=(4, 4))
    white = whitening(x, 4)
    y = white.apply(x)
    np.testing.assert_allclose(np.cov(y.T), np.eye(4), atol=1e-3)
    np.testing.assert_allclose(y @ white.back.T + white.mean, x, rtol=1e-3, atol=1e-3)
    layer = nn.FullyConnected(4, nn.linear)
    params, costs = sparse_features(layer, y, sparsity=0.5, steps=1500, batch_size=200, key=jax.random.key(0))
    assert costs[-100:].mean() < costs[:10].mean()
    related = np.abs(np.corrcoef(np.asarray(layer.apply(params, jnp.asarray(y))).T, sources.T)[:4, 4:])
    assert related.max(axis=0).min() > 0.9
    assert encoded(layer, params, y[:3]).min() >= 0


@pytest.mark.tiny
def test_only_linear_layers():
    with pytest.raises(FirsthandError, match=r"sparse features: FullyConnected\(3, .*expected a layer with weights"):
        sparse_features(nn.FullyConnected(3), np.zeros((4, 2), np.float32), key=jax.random.key(0))
