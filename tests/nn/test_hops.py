"""A memory of sentences: against the written-out reference, and finite differences."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.test_util import check_grads

from firsthand import nn
from firsthand.nn.layers.hops import position_encoding
from firsthand.reference import memory as reference

pytestmark = pytest.mark.usefixtures("compiled_quickly")

LAYER = nn.MemoryNetwork(9, 5, 3, sentences=4, words=3, scale=0.7)
LINEAR = nn.MemoryNetwork(9, 5, 2, sentences=4, words=3, scale=0.7, linear=True)


def examples():
    """Two stories, of four sentences and of two."""
    x = np.random.default_rng(0).integers(1, 9, (2, 5, 3))
    x[1, :2] = 0
    x[0, 1, 2] = 0
    return jnp.asarray(x.reshape(2, -1), jnp.int32)


def test_hops_are_those_of_the_reference(float64):
    x = examples()
    params = LAYER.init(x.shape[1:], jnp.float64, key=jax.random.key(1))
    found, looks = LAYER.apply(params, x), LAYER.looks(params, x)
    embeddings, times = (np.asarray(params[name]) for name in ("embeddings", "times"))
    # (1 - j/J) - (k/d)(1 - 2j/J), from 1
    places = [[(1 - j / 3) - k / 5 * (1 - 2 * j / 3) for k in range(1, 6)] for j in range(1, 4)]

    def sentence(number, words):
        pairs = zip(np.array(places), words, strict=True)
        return sum((place * embeddings[number][word] for place, word in pairs if word), np.zeros(5))

    for row in range(2):
        *told, asked = np.asarray(x[row]).reshape(5, 3)
        there = [i for i, words in enumerate(told) if words.any()]
        u = sentence(0, asked)
        for hop in range(3):
            m, c = ([sentence(n, told[i]) + times[n][i] for i in there] for n in (hop, hop + 1))
            u, p = reference.hop(u, np.array(m), np.array(c))
            np.testing.assert_allclose(looks[row, hop, np.array(there)], p, rtol=1e-10, atol=1e-12)
        assert not np.any(looks[row, :, : 4 - len(there)])
        np.testing.assert_allclose(found[row], u, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("layer", [LAYER, LINEAR], ids=str)
def test_gradients_agree_with_finite_differences(layer, float64):
    x = examples()
    params = layer.init(x.shape[1:], jnp.float64, key=jax.random.key(1))
    cost = jax.jit(lambda p: jnp.sum(jnp.sin(layer.apply(p, x))))
    check_grads(cost, (params,), order=1, modes=("rev",), eps=1e-6, rtol=1e-6)


def test_the_order_of_words_is_told_apart():
    assert position_encoding(3, 5).shape == (3, 5)
    x = examples()[:1]
    params = LAYER.init(x.shape[1:], key=jax.random.key(1))
    other = x.at[0, 0].set(x[0, 1]).at[0, 1].set(x[0, 0])
    assert not np.allclose(LAYER.apply(params, x), LAYER.apply(params, other))


@pytest.mark.tiny
def test_descriptions_and_shapes():
    assert nn.from_json(nn.to_json(LINEAR)) == LINEAR
    assert LAYER.output_shape((15,)) == (5,)
    assert LAYER.multiply_adds((15,)) > 0
    with pytest.raises(nn.ShapeError, match="4 sentences and a question of 3 words each"):
        LAYER.output_shape((12,))
    with pytest.raises(ValueError, match="hops is 0"):
        nn.MemoryNetwork(9, 5, 0, 4, 3)
