"""Networks with a memory, step by step: what is followed is what the network says, gradients against finite steps."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from firsthand import Model, nn
from firsthand.errors import FirsthandError
from firsthand.inspect import follow, remembering, unrolled, unrolled_text
from firsthand.models import LanguageModel
from firsthand.nn import Network

pytestmark = pytest.mark.usefixtures("compiled_quickly")

ALPHABET = tuple("abcd")
STACK = Network((nn.Embedding(4, 5), nn.LSTM(6), nn.LayerNorm(), nn.GRU(3), nn.Softmax(4, weights_init=nn.large)), (5,))
MODEL = LanguageModel(STACK, STACK.init(key=jax.random.key(1)), ALPHABET)
TEXT = "abcadbbacdab"
ROWS = Network((nn.Rows(), nn.GRU(4, every_step=False), nn.Softmax(3)), (6, 3, 1))


def test_what_is_followed_is_what_the_model_says():
    found = follow(MODEL, TEXT)
    assert found.z.shape == (12, 4)
    assert [each.shape for each in found.outputs] == [(12, 6), (12, 3)]
    for end in (1, 6, 12):
        np.testing.assert_allclose(found.z[end - 1], MODEL.begin(TEXT[:end]).z, rtol=1e-5, atol=1e-6)
    first = follow(MODEL, TEXT[:7])
    second = follow(MODEL, TEXT[7:], first.place)
    np.testing.assert_allclose(np.concatenate([first.z, second.z]), found.z, rtol=1e-5, atol=1e-6)
    for parts in zip(first.outputs, second.outputs, found.outputs, strict=True):
        np.testing.assert_allclose(np.concatenate(parts[:2]), parts[2], rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(second.place.end, found.place.end)


def test_a_model_without_a_state_is_followed_as_it_reads():
    network = Network((nn.Embedding(4, 5), nn.Bidirectional(nn.GRU(3)), nn.Softmax(4)), (5,))
    model = LanguageModel(network, network.init(key=jax.random.key(2)), ALPHABET)
    found = follow(model, TEXT)
    assert found.outputs == ()
    np.testing.assert_allclose(found.z[8], model.begin(TEXT[:9]).z, rtol=1e-5)


@pytest.mark.slow
def test_the_gradient_is_that_for_the_state_that_is_handed_on(float64):
    params = STACK.init(jnp.float64, key=jax.random.key(1))
    model = LanguageModel(STACK, params, ALPHABET)
    found = unrolled_text(model, TEXT)
    numbers = np.array([ALPHABET.index(symbol) for symbol in TEXT])
    assert found.cost == pytest.approx(model.surprises(TEXT)[-1] * np.log(2), rel=1e-6)
    np.testing.assert_allclose(found.z, STACK.weighted_input(params, numbers[None, :-1])[0], rtol=1e-10)
    for at in (0, 4, 10):  # each is a program of its own, of which much of the time goes into compiling
        rest = numbers[None, at:-1]
        state = (
            STACK.run(params, numbers[None, :at], STACK.start(1, jnp.float64))[1] if at else STACK.start(1, jnp.float64)
        )

        def cost(state, rest=rest):
            return -jax.nn.log_softmax(STACK.run(params, rest, state)[0][0, -1])[numbers[-1]]

        slope = jax.grad(cost)(state)
        expected = [np.sqrt(sum(float(jnp.sum(part**2)) for part in slope[layer])) for layer in (1, 3)]
        np.testing.assert_allclose([each[at] for each in found.gradient], expected, rtol=1e-9)


def test_an_image_read_by_rows_is_unrolled(float64):
    params = ROWS.init(jnp.float64, key=jax.random.key(3))
    model = Model(ROWS, params, ("a", "b", "c"))
    image = np.random.default_rng(0).normal(size=(6, 3, 1))
    found = unrolled(model, image, 2)
    z = ROWS.weighted_input(params, image[None])[0]
    np.testing.assert_allclose(found.z, z, rtol=1e-10)
    assert found.cost == pytest.approx(float(-jax.nn.log_softmax(z)[2]), rel=1e-6)
    assert found.outputs[0].shape == (6, 4)
    layer, x = ROWS.layers[1], ROWS.layers[0].apply({}, jnp.asarray(image[None]))
    _, state = layer.run(params[1], x[:, :4], layer.start(1, jnp.float64))

    def cost(h):
        _, (last,) = layer.run(params[1], x[:, 4:], (h,))
        return -jax.nn.log_softmax(ROWS.output_layer.weighted_input(params[2], last)[0])[2]

    assert found.gradient[0][4] == pytest.approx(float(jnp.linalg.norm(jax.grad(cost)(state[0]))), rel=1e-9)


@pytest.mark.tiny
def test_what_cannot_be_unrolled_is_said():
    assert remembering(STACK) == (1, 3)
    with pytest.raises(FirsthandError, match="1 symbols found, 2 to 129 expected"):
        unrolled_text(MODEL, "a")
    with pytest.raises(FirsthandError, match="130 symbols found, 2 to 129 expected"):
        unrolled_text(MODEL, "a" * 130)
    with pytest.raises(FirsthandError, match="'z' found at position 1"):
        unrolled_text(MODEL, "az")
    with pytest.raises(FirsthandError, match="nothing found, at least one symbol expected"):
        follow(MODEL, "")
    network = Network((nn.FullyConnected(4), nn.Softmax(3)), (6, 3, 1))
    with pytest.raises(FirsthandError, match="none of its layers remembers"):
        unrolled(Model(network, network.init(key=jax.random.key(0)), ("a", "b", "c")), np.zeros((6, 3, 1)), 0)
