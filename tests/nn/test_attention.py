"""Layers that read and write: against the written-out reference, finite differences, in pieces, and by mask."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.test_util import check_grads

from firsthand import nn
from firsthand.errors import FirsthandError
from firsthand.nn.layers.attention import attended, vectors
from firsthand.reference import attention as reference

pytestmark = pytest.mark.usefixtures("compiled_quickly")

KEY = jax.random.key(3)
TEXT = nn.EncoderDecoder(9, 4, 6, attention=5, source=7)
PLAIN = nn.EncoderDecoder(9, 4, 6, attends=False, source=7)
IMAGE = nn.Captioner(9, 4, 6, attention=5, image=(6, 6, 1), encoder=(nn.ConvPool(3, 3, activation=nn.tanh),))
WRITERS = [TEXT, PLAIN, IMAGE]


def examples(layer, steps=4):
    """Two examples; the second source of symbols is shorter than the first."""
    random = np.random.default_rng(1)
    given = random.integers(1, 9, (2, layer.given))
    if layer is not IMAGE:
        given[1, 4:] = 0
    else:
        given = random.integers(0, 256, given.shape)
    return jnp.asarray(np.concatenate([given, random.integers(1, 9, (2, steps))], axis=1), jnp.int32)


def random_params(layer, x, dtype):
    """Parameters of which none is zero, biases included."""
    params = layer.init(x.shape[1:], dtype, key=KEY)
    leaves, tree = jax.tree.flatten(params)
    keys = jax.random.split(jax.random.key(8), len(leaves))
    noise = [jax.random.normal(key, leaf.shape, dtype) for key, leaf in zip(keys, leaves, strict=True)]
    return jax.tree.unflatten(tree, [leaf + 0.3 * each for leaf, each in zip(leaves, noise, strict=True)])


def test_what_is_written_is_that_of_the_reference(float64):
    x = examples(TEXT)
    params = random_params(TEXT, x, jnp.float64)
    read, state = TEXT.begin(params, x[:, :7])
    outputs, _, looks = TEXT.go_on(params, x[:, 7:], state, read)
    np.testing.assert_array_equal(outputs, TEXT.apply(params, x))
    p = {name: np.asarray(value) for name, value in params.items() if name != "reading"}
    for row, length in enumerate((7, 4)):
        written = p["embedding"][np.asarray(x[row, 7:])]
        annotations = np.asarray(read.annotations[row, :length])
        expected, alpha = reference.decoded(written, np.asarray(state[row]), annotations, p)
        np.testing.assert_allclose(outputs[row], expected, rtol=1e-10, atol=1e-12)
        np.testing.assert_allclose(looks[row, :, :length], alpha, rtol=1e-10, atol=1e-12)
        assert not np.any(looks[row, :, length:])


def test_annotations_are_states_of_both_directions(float64):
    """With the GRUs of the reference, each over what is there and no more."""
    x = examples(TEXT)
    params = random_params(TEXT, x, jnp.float64)
    read, state = TEXT.begin(params, x[:, :7])
    for row, length in enumerate((7, 4)):
        symbols = np.asarray(params["embedding"])[np.asarray(x[row, :length])]
        both = []
        for name, order in (("forward", 1), ("backward", -1)):
            p, s, states = {k: np.asarray(v) for k, v in params["reading"][name].items()}, np.zeros(3), []
            for symbol in symbols[::order]:
                s = reference.gru(symbol, s, p["weights"], p["recurrent_weights"], p["bias"])
                states.append(s)
            both.append(states[::order])
        expected = np.concatenate(both, axis=1)
        np.testing.assert_allclose(read.annotations[row, :length], expected, rtol=1e-10, atol=1e-12)
        summary = np.concatenate([both[0][-1], both[1][0]])
        np.testing.assert_allclose(read.summary[row], summary, rtol=1e-10, atol=1e-12)
        start = np.tanh(summary @ np.asarray(params["start_weights"]) + np.asarray(params["start_bias"]))
        np.testing.assert_allclose(state[row], start, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("layer", WRITERS, ids=str)
def test_gradients_agree_with_finite_differences(layer, float64):
    x = examples(layer)
    params = random_params(layer, x, jnp.float64)
    cost = jax.jit(lambda p: jnp.sum(jnp.sin(layer.apply(p, x))))
    check_grads(cost, (params,), order=1, modes=("rev",), eps=1e-6, rtol=1e-6)


@pytest.mark.parametrize("layer", WRITERS, ids=str)
def test_writing_goes_on_from_a_state(layer):
    x = examples(layer)
    params = layer.init(x.shape[1:], key=KEY)
    whole = layer.apply(params, x)
    read, state = layer.begin(params, x[:, : layer.given])
    pieces = []
    for symbols in (x[:, layer.given : layer.given + 1], x[:, layer.given + 1 :]):
        outputs, state, looks = layer.go_on(params, symbols, state, read)
        pieces.append(outputs)
        np.testing.assert_allclose(looks.sum(-1), float(layer.attends), rtol=1e-5)
    np.testing.assert_allclose(jnp.concatenate(pieces, 1), whole, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("layer", [TEXT, PLAIN], ids=str)
def test_what_fills_up_is_not_read(layer):
    x = examples(layer)[1:]
    params = layer.init(x.shape[1:], key=KEY)
    short = nn.EncoderDecoder(9, 4, 6, attends=layer.attends, attention=layer.attention, source=4)
    cut = jnp.concatenate([x[:, :4], x[:, 7:]], 1)
    np.testing.assert_allclose(layer.apply(params, x), short.apply(params, cut), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("layer", WRITERS, ids=str)
def test_descriptions_and_shapes(layer):
    assert nn.from_json(nn.to_json(layer)) == layer
    x = examples(layer)
    params = layer.init(x.shape[1:], key=KEY)
    assert layer.apply(params, x).shape == (2, *layer.output_shape(x.shape[1:])) == (2, 4, 6)
    assert layer.multiply_adds(x.shape[1:]) > 0
    with pytest.raises(nn.ShapeError, match=f"expected {layer.given} integers that are read and at least one behind"):
        layer.output_shape((layer.given,))


def test_attention_is_a_distribution_over_what_is_known():
    known = jnp.array([[True, True, False]])
    alpha = attended(jnp.ones((1, 2)), jnp.ones((1, 3, 2)), jnp.ones(2), known)
    np.testing.assert_allclose(alpha, [[0.5, 0.5, 0]])


def test_a_symbol_that_is_none_gives_no_number():
    assert np.isnan(vectors(jnp.ones((3, 2)), jnp.array([3]))).all()


@pytest.mark.tiny
def test_what_cannot_read_or_write_is_refused():
    with pytest.raises(FirsthandError, match="units is 5, expected an even number"):
        nn.EncoderDecoder(9, 4, 5, source=7)
    with pytest.raises(FirsthandError, match=r"its encoder gives the shape \(3,\), expected an image"):
        nn.Captioner(9, 4, 6, image=(6, 6, 1), encoder=(nn.FullyConnected(3),))
