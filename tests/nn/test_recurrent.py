"""Recurrent layers: against the written-out reference, against finite differences, in pieces, and by mask."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.test_util import check_grads

from firsthand import nn
from firsthand.data import Splits, Vectors
from firsthand.errors import FirsthandError
from firsthand.learning import Recipe, train
from firsthand.nn.windows import Field
from firsthand.reference import recurrent

pytestmark = pytest.mark.usefixtures("compiled_quickly")
KEY = jax.random.key(3)
LAYERS = [nn.SimpleRNN(5), nn.SimpleRNN(5, activation="relu"), nn.LSTM(5), nn.GRU(5), nn.Bidirectional(nn.GRU(4))]
SEQUENCE = (6, 3)


@pytest.mark.parametrize("cell", ["simple", "lstm"])
def test_states_and_gradients_are_those_of_the_reference(cell, float64):
    layer = nn.SimpleRNN(5) if cell == "simple" else nn.LSTM(5)
    params = layer.init(SEQUENCE, jnp.float64, key=KEY)
    x = jax.random.normal(jax.random.key(1), (4, *SEQUENCE), jnp.float64)
    slope = jax.random.normal(jax.random.key(2), (4, 6, 5), jnp.float64)
    W, U, b = (np.asarray(params[name]) for name in ("weights", "recurrent_weights", "bias"))
    zero = np.zeros((4, 5))

    def cost(params, x):
        return jnp.sum(layer.apply(params, x) * slope)

    gradient, of_x = jax.grad(cost, (0, 1))(params, x)
    if cell == "simple":
        states = recurrent.simple(np.asarray(x), zero, W, U, b)
        expected = recurrent.simple_backward(np.asarray(x), states, W, U, np.asarray(slope))
    else:
        states, kept = recurrent.lstm(np.asarray(x), zero, zero, W, U, b)
        expected = recurrent.lstm_backward(np.asarray(x), states, kept, W, U, np.asarray(slope))
    np.testing.assert_allclose(layer.apply(params, x), states[:, 1:], rtol=1e-10, atol=1e-12)
    by_name = {"W": gradient["weights"], "U": gradient["recurrent_weights"], "b": gradient["bias"], "x": of_x}
    for name, found in by_name.items():
        np.testing.assert_allclose(found, expected[name], rtol=1e-10, atol=1e-12, err_msg=name)


@pytest.mark.parametrize("layer", LAYERS, ids=str)
def test_gradients_agree_with_finite_differences(layer, float64):
    params = layer.init(SEQUENCE, jnp.float64, key=KEY)
    x = jax.random.normal(jax.random.key(1), (2, *SEQUENCE), jnp.float64)

    def cost(p, x):
        return jnp.sum(jnp.sin(layer.apply(p, x)))

    check_grads(cost, (params, x), order=1, modes=("rev",), eps=1e-6, rtol=1e-6)


def test_an_image_is_read_row_by_row():
    image = jax.random.normal(KEY, (2, 6, 3, 2))
    rows = nn.Rows().apply({}, image)
    np.testing.assert_array_equal(rows[1, 4], np.ravel(image[1, 4]))  # columns, and in each its channels
    network = nn.Network((nn.Rows(), nn.GRU(4, every_step=False), nn.Softmax(3)), (6, 3, 2))
    assert network.shapes == ((6, 3, 2), (6, 6), (4,), (3,))
    assert nn.Rows().seen(Field(2, 3, 0, 1), (6, 3, 2)) == Field(2, 3, 0, 3)
    with pytest.raises(FirsthandError, match=r"shape \(6,\), expected an image"):
        nn.Rows().output_shape((6,))


@pytest.mark.parametrize("layer", LAYERS, ids=str)
def test_shapes_and_descriptions(layer):
    assert nn.from_json(nn.to_json(layer)) == layer
    params = layer.init(SEQUENCE, key=KEY)
    y = layer.apply(params, jnp.ones((2, *SEQUENCE)))
    assert y.shape == (2, *layer.output_shape(SEQUENCE))
    with pytest.raises(nn.ShapeError, match=r"shape \(28, 28, 1\), expected a sequence"):
        layer.output_shape((28, 28, 1))


@pytest.mark.parametrize("layer", LAYERS[:4], ids=str)
def test_a_sequence_in_pieces_is_the_whole(layer):
    params, x = layer.init(SEQUENCE, key=KEY), jax.random.normal(KEY, (2, *SEQUENCE))
    whole, last = layer.run(params, x, layer.start(2))
    first, state = layer.run(params, x[:, :4], layer.start(2))
    second, end = layer.run(params, x[:, 4:], state)
    np.testing.assert_allclose(jnp.concatenate([first, second], 1), whole, rtol=1e-6, atol=1e-7)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-7), end, last)
    np.testing.assert_array_equal(last[0], whole[:, -1])


def test_what_is_masked_is_not_seen():
    layer = nn.GRU(5)
    params, x = layer.init(SEQUENCE, key=KEY), jax.random.normal(KEY, (1, *SEQUENCE))
    mask = jnp.array([[1, 1, 1, 0, 0, 0]])
    _, (short,) = layer.run(params, x[:, :3], layer.start(1))
    _, (masked,) = layer.run(params, x, layer.start(1), mask)
    np.testing.assert_allclose(masked, short, rtol=1e-6)


def test_a_state_sees_what_came_before():
    at_step_2 = Field(2, 3, 0, 1)
    assert nn.LSTM(5).seen(at_step_2, SEQUENCE) == Field(0, 3, 0, 1)
    assert nn.Bidirectional(nn.LSTM(5)).seen(at_step_2, SEQUENCE) == Field(0, 6, 0, 1)
    params, x = nn.LSTM(5).init(SEQUENCE, key=KEY), jax.random.normal(KEY, (1, *SEQUENCE))
    y, later = nn.LSTM(5).apply(params, x), nn.LSTM(5).apply(params, x.at[:, 3:].add(1.0))
    np.testing.assert_array_equal(y[:, :3], later[:, :3])
    assert not np.array_equal(y[:, 3:], later[:, 3:])


def test_the_forget_gate_starts_open():
    bias = nn.LSTM(2).init(SEQUENCE, key=KEY)["bias"]
    assert bias.tolist() == [0, 0, 1, 1, 0, 0, 0, 0]
    identity = nn.SimpleRNN(3, recurrent_init="identity", activation="relu").init(SEQUENCE, key=KEY)
    np.testing.assert_array_equal(identity["recurrent_weights"], np.eye(3))


def test_it_remembers_the_first_symbol():
    """A network tells at the end whether the first of six numbers was positive."""
    x = np.random.default_rng(0).normal(size=(400, 6, 1)).astype(np.float32)
    data = Vectors(x, (x[:, 0, 0] > 0).astype(np.int32), ("no", "yes"))
    network = nn.Network((nn.LSTM(12, every_step=False), nn.Softmax(2)), (6, 1))
    recipe = Recipe(30, 10, 0.05, momentum=0.9, clip=1.0)
    _, history = train(network, Splits(data[:300], data[300:], None), recipe, key=KEY)
    assert max(history["validation_accuracy"]) >= 0.97


@pytest.mark.tiny
def test_what_is_no_recurrent_layer_is_refused():
    with pytest.raises(FirsthandError, match="a recurrent layer expected"):
        nn.Bidirectional(nn.FullyConnected(3))
    with pytest.raises(FirsthandError, match="activation is 'gelu', expected 'tanh' or 'relu'"):
        nn.SimpleRNN(3, activation="gelu")


@pytest.mark.parametrize("layers", [(nn.LSTM(5), nn.LayerNorm(), nn.GRU(4)), (nn.SimpleRNN(3), nn.Dropout(0.5))])
def test_a_network_reads_a_sequence_in_pieces(layers):
    network = nn.Network((nn.Embedding(7, 3), *layers, nn.Softmax(7)), (6,))
    params = network.init(key=KEY)
    x = jax.random.randint(jax.random.key(1), (2, 6), 0, 7)
    state, pieces = network.start(2), []
    for piece in (x[:, :1], x[:, 1:4], x[:, 4:]):
        z, state = network.run(params, piece, state)
        pieces.append(z)
    np.testing.assert_allclose(jnp.concatenate(pieces, 1), network.weighted_input(params, x), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("layer", "time"),
    [
        (nn.Bidirectional(nn.GRU(3)), 4),
        (nn.Bidirectional(nn.GRU(3)), 1),
        (nn.LSTM(3, every_step=False), 4),
        (nn.Residual((nn.LSTM(3),)), 4),
    ],
)
def test_what_takes_sequences_as_a_whole_is_not_read_in_pieces(layer, time):
    network = nn.Network((nn.Embedding(7, 3), layer, nn.Softmax(7)), (time,))
    assert not network.reads_on
    with pytest.raises(FirsthandError, match=r"network: its layer 2, .* takes sequences as a whole"):
        network.start(1)
